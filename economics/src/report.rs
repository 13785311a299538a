//! The tables of the months.

use crate::{
    agents::{Agent, Kind},
    plot::Line,
    rules::Rules,
    years::{Outcome, Plan, Simulation},
};
use cascoin_l2_primitives::chain::Balance;
use std::fmt::Write;

/// Days of a year.
const YEAR: f64 = 365.0;

/// What came of both variants of the swarm.
pub struct Report {
    rules: Rules,
    days: u32,
    declared: Outcome,
    hidden: Outcome,
}

impl Report {
    /// Simulates both.
    pub fn of(rules: &Rules, plan: Plan) -> Self {
        Self {
            rules: rules.clone(),
            days: plan.days,
            declared: Simulation::new(rules, plan, Kind::Sybil).run(),
            hidden: Simulation::new(rules, plan, Kind::Declared).run(),
        }
    }

    /// For the terminal and `docs/economics.md`.
    pub fn tables(&self) -> String {
        let mut table = format!(
            "{} days\n\n\
             | sequencers | accounts | stake, coins | seats of {}, mean | terms led | paid a year per 1,000 coins staked | stake lost | score at the end |\n\
             |---|---|---|---|---|---|---|---|\n",
            self.days, self.rules.chain.max_sequencers,
        );
        let variants = [(&self.hidden, &Kind::ALL[..]), (&self.declared, &[Kind::Declared][..])];
        for (outcome, kinds) in variants {
            for kind in kinds {
                let of: Vec<_> =
                    outcome.agents.iter().filter(|agent| agent.kind == *kind).collect();
                if !of.is_empty() {
                    self.row(&mut table, *kind, &of);
                }
            }
        }
        table.push('\n');
        self.money(&mut table);
        table
    }

    fn row(&self, table: &mut String, kind: Kind, of: &[&Agent]) {
        let sum = |what: fn(&Agent) -> Balance| of.iter().map(|agent| what(agent)).sum::<Balance>();
        let coins = |units| self.rules.coins(units);
        let lost = sum(|agent| agent.slashed);
        let stake = sum(|agent| agent.ledger.bonded) + lost;
        let yearly = coins(sum(|agent| agent.income)) / f64::from(self.days.max(1)) * YEAR;
        let epochs = f64::from(self.days * self.rules.epochs_a_day()).max(1.0);
        let seats = sum(|agent| agent.seats.into()) as f64 / epochs;
        let sessions = self.days * self.rules.sessions_a_day();
        let terms = f64::from(sessions * self.rules.terms_a_session()).max(1.0);
        let led = sum(|agent| agent.terms.into()) as f64 / terms;
        let scores = of.iter().map(|agent| f64::from(agent.score(&self.rules, self.days).get()));
        let _ = writeln!(
            table,
            "| {} | {} | {:.0} | {seats:.2} | {:.1} % | {:.0} | {:.1} % | {:.0} |",
            kind.name(),
            of.len(),
            coins(stake),
            led * 100.0,
            yearly / coins(stake) * 1_000.0,
            coins(lost) / coins(stake) * 100.0,
            scores.sum::<f64>() / of.len() as f64,
        );
    }

    fn money(&self, table: &mut String) {
        let hidden = &self.hidden.books;
        let declared = &self.declared.books;
        let rows: [(&str, Balance, Balance); 7] = [
            ("base fees that users paid", hidden.fees, declared.fees),
            ("paid to sequencers", hidden.paid, declared.paid),
            ("burned with the blocks", hidden.burned, declared.burned),
            ("withheld from the penalised, burned", hidden.withheld, declared.withheld),
            ("in the bonus pool at the end", hidden.bonus_pool, declared.bonus_pool),
            ("stake taken, to the users' fund", hidden.to_fund, declared.to_fund),
            ("stake taken, burned", hidden.stake_burned, declared.stake_burned),
        ];
        table.push_str("| coins | swarm hidden | swarm declared |\n|---|---|---|\n");
        for (what, hidden, declared) in rows {
            let [hidden, declared] = [hidden, declared].map(|units| self.rules.coins(units));
            let _ = writeln!(table, "| {what} | {hidden:.2} | {declared:.2} |");
        }
    }

    /// For the chart: the variant whose swarm hides.
    pub fn seats_by_kind(&self) -> Vec<Line> {
        let drawn = |points: &[(f64, f64)]| points.iter().any(|(_, y)| *y > 0.0);
        let kinds = self.hidden.seats.iter().filter(|(_, points)| drawn(points));
        kinds
            .map(|(kind, points)| Line { name: kind.name().into(), points: points.clone() })
            .collect()
    }
}
