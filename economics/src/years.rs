//! Seats, earnings and losses of sequencers over months, an epoch at a time.

use crate::{
    agents::{population, Agent, Kind, COIN},
    plot::Line,
};
use cascoin_l2_primitives::{
    chain::{Balance, FeeSplit},
    reputation::{
        rule::{self, Facts},
        Score,
    },
    rewards::Collected,
    sequencers::OffenceKind,
};
use pallet_rewards::{settlement, split::Parts};
use pallet_sequencer_registry::{
    candidates::Contender,
    election::{elect, weigh},
};
use pallet_stake::slashing;
use std::fmt::Write;

const DECIMALS: u8 = 7;
const MAX_SEQUENCERS: usize = 21;
const MIN_SCORE: u8 = 70;
const MIN_STAKE: Balance = 100 * COIN;
const EPOCHS_A_DAY: u32 = 24;
const SESSIONS_AN_EPOCH: u32 = 12;
/// Base fees of a session: 600 blocks of 50 transfers at the minimum fee.
const FEES_OF_A_SESSION: Balance = 600 * 50 * 100;
const SPLIT: FeeSplit = FeeSplit { producer: 70, others: 20 };
/// The day on which all colluding ones with a seat sign twice.
const BETRAYAL: u32 = 60;
/// A year of days, for the yield.
const YEAR: f64 = 365.0;

/// What came of both variants of the swarm.
pub struct Run {
    days: u32,
    with_declared: Vec<Agent>,
    with_hidden: Vec<Agent>,
    seats: Vec<(Kind, Vec<(f64, f64)>)>,
}

/// Runs both variants.
pub fn run(seed: u64, days: u32) -> Run {
    let (with_declared, _) = Simulation::new(seed, Kind::Sybil).run(days);
    let (with_hidden, seats) = Simulation::new(seed, Kind::Declared).run(days);
    Run { days, with_declared, with_hidden, seats }
}

struct Simulation {
    agents: Vec<Agent>,
    chance: fastrand::Rng,
    epoch: u32,
    bonus_pool: Balance,
    seats: Vec<(Kind, Vec<(f64, f64)>)>,
    week: Vec<(Kind, u32)>,
}

impl Simulation {
    fn new(seed: u64, without: Kind) -> Self {
        Self {
            agents: population(without),
            chance: fastrand::Rng::with_seed(seed),
            epoch: 0,
            bonus_pool: 0,
            seats: Kind::ALL.iter().map(|kind| (*kind, Vec::new())).collect(),
            week: Kind::ALL.iter().map(|kind| (*kind, 0)).collect(),
        }
    }

    fn day(&self) -> u32 {
        self.epoch / EPOCHS_A_DAY
    }

    fn run(mut self, days: u32) -> (Vec<Agent>, Vec<(Kind, Vec<(f64, f64)>)>) {
        while self.day() < days {
            self.hold_epoch();
            self.epoch += 1;
            if self.epoch % (7 * EPOCHS_A_DAY) == 0 {
                let day = f64::from(self.day());
                for ((_, points), (_, seats)) in self.seats.iter_mut().zip(&mut self.week) {
                    points.push((day, f64::from(*seats) / f64::from(7 * EPOCHS_A_DAY)));
                    *seats = 0;
                }
            }
        }
        (self.agents, self.seats)
    }

    fn score(&self, agent: &Agent) -> Score {
        let penalty = agent.standing.penalty_on(self.day());
        let facts =
            Facts { l1: agent.standing.l1, penalty, decimals: DECIMALS, ..Facts::default() };
        rule::score(&facts).aggregated
    }

    /// Draws seats, then twelve sessions.
    fn hold_epoch(&mut self) {
        let contenders = self.agents.iter().filter_map(|agent| {
            let score = self.score(agent);
            let stands = !agent.barred
                && score.get() >= MIN_SCORE
                && agent.ledger.bonded >= MIN_STAKE
                && agent.attested_from <= self.epoch;
            stands.then(|| Contender {
                account: agent.account.clone(),
                entity: agent.entity.clone(),
                score,
                stake: agent.ledger.bonded,
            })
        });
        let contenders = contenders.collect();
        let mut seed = [0; 32];
        self.chance.fill(&mut seed);
        let elected = elect(&seed, &weigh(contenders, DECIMALS), MAX_SEQUENCERS, &[]);
        let mut set: Vec<(usize, u64)> = elected
            .into_iter()
            .filter_map(|(account, weight)| {
                let place = self.agents.iter().position(|agent| agent.account == account)?;
                Some((place, weight))
            })
            .collect();
        for (place, _) in &set {
            self.agents[*place].seats += 1;
            let kind = self.agents[*place].kind;
            self.week.iter_mut().filter(|(known, _)| *known == kind).for_each(|(_, n)| *n += 1);
        }
        if self.epoch == BETRAYAL * EPOCHS_A_DAY {
            self.betray(&set);
        }
        for _ in 0..SESSIONS_AN_EPOCH {
            self.hold_session(&mut set);
        }
    }

    /// All colluding ones in the set sign twice. Of two or more everything is gone.
    fn betray(&mut self, set: &[(usize, u64)]) {
        let together: Vec<usize> = set
            .iter()
            .map(|(place, _)| *place)
            .filter(|place| self.agents[*place].kind == Kind::Colluding)
            .collect();
        let day = self.day();
        for place in &together {
            let agent = &mut self.agents[*place];
            let taken = match together.len() {
                1 => slashing::share(OffenceKind::DoubleSign).mul_ceil(agent.ledger.bonded),
                _ => agent.ledger.bonded,
            };
            agent.slashed += taken;
            agent.ledger.bonded -= taken;
            agent.barred = true;
            agent.standing.punish(day, pallet_reputation::points(OffenceKind::DoubleSign));
        }
    }

    /// A session: who was there shares what it brought, who was not is punished.
    fn hold_session(&mut self, set: &mut Vec<(usize, u64)>) {
        let day = self.day();
        let away: Vec<bool> = set
            .iter()
            .map(|(place, _)| self.chance.u32(0..10_000) < self.agents[*place].kind.away())
            .collect();
        let there = away.iter().filter(|away| !**away).count() as Balance;
        let fees = FEES_OF_A_SESSION.checked_div(there).unwrap_or(0);
        let standings: Vec<_> = set
            .iter()
            .zip(&away)
            .map(|((place, weight), away)| {
                let base_fees = if *away { 0 } else { fees };
                let Parts { producer, others, .. } = Parts::of(base_fees, SPLIT);
                settlement::Standing {
                    weight: *weight,
                    collected: Collected {
                        base_fees,
                        producer_part: producer,
                        others_part: others,
                        ..Collected::default()
                    },
                    uptime_permille: if *away { 0 } else { 1_000 },
                    penalised: *away || self.agents[*place].halved_until >= self.epoch,
                }
            })
            .collect();
        let outcome = settlement::settle(&standings, self.bonus_pool);
        self.bonus_pool = outcome.bonus_pool;
        for ((place, _), reward) in set.iter().zip(&outcome.rewards) {
            self.agents[*place].income += reward.amount;
        }
        for ((place, _), _) in set.iter().zip(&away).filter(|(_, away)| **away) {
            let agent = &mut self.agents[*place];
            let taken = slashing::share(OffenceKind::Offline).mul_ceil(agent.ledger.bonded);
            agent.slashed += taken;
            agent.ledger.bonded -= taken;
            // It led in vain, too.
            for offence in [OffenceKind::Offline, OffenceKind::Timeout] {
                agent.standing.punish(day, pallet_reputation::points(offence));
            }
            agent.halved_until = self.epoch + EPOCHS_A_DAY;
            // Others vouch for it when it is back, and it stands in the next election.
            agent.attested_from = self.epoch + 1;
        }
        let mut place = 0;
        set.retain(|_| {
            place += 1;
            !away[place - 1]
        });
    }
}

impl Run {
    /// For the terminal and `docs/economics.md`.
    pub fn table(&self) -> String {
        let mut table = format!(
            "{} days\n\n| sequencers | accounts | stake, coins | seats of 21, mean | paid a year per 1,000 coins staked | stake lost | score at the end |\n\
             |---|---|---|---|---|---|---|\n",
            self.days
        );
        for (variant, kinds) in
            [(&self.with_hidden, &Kind::ALL[..]), (&self.with_declared, &[Kind::Declared][..])]
        {
            for kind in kinds {
                let of: Vec<_> = variant.iter().filter(|agent| agent.kind == *kind).collect();
                if !of.is_empty() {
                    self.row(&mut table, *kind, &of);
                }
            }
        }
        table
    }

    fn row(&self, table: &mut String, kind: Kind, of: &[&Agent]) {
        let coins = |units: Balance| units as f64 / COIN as f64;
        let lost: Balance = of.iter().map(|agent| agent.slashed).sum();
        let stake = of.iter().map(|agent| agent.ledger.bonded).sum::<Balance>() + lost;
        let income: Balance = of.iter().map(|agent| agent.income).sum();
        let seats: u32 = of.iter().map(|agent| agent.seats).sum();
        let epochs = f64::from(self.days * EPOCHS_A_DAY).max(1.0);
        let yearly = coins(income) / f64::from(self.days.max(1)) * YEAR;
        let scores = of.iter().map(|agent| {
            f64::from(agent.standing.l1.get())
                - f64::from(agent.standing.penalty_on(self.days))
                    .min(agent.standing.l1.get().into())
        });
        let score = scores.sum::<f64>() / of.len() as f64;
        let _ = writeln!(
            table,
            "| {} | {} | {:.0} | {:.2} | {:.1} | {:.1} % | {score:.0} |",
            kind.name(),
            of.len(),
            coins(stake),
            f64::from(seats) / epochs,
            yearly / coins(stake) * 1_000.0,
            coins(lost) / coins(stake) * 100.0,
        );
    }

    /// For the chart: the variant whose swarm hides.
    pub fn seats_by_kind(&self) -> Vec<Line> {
        let drawn = self.seats.iter().filter(|(_, points)| points.iter().any(|(_, y)| *y > 0.0));
        drawn
            .map(|(kind, points)| Line { name: kind.name().into(), points: points.clone() })
            .collect()
    }
}
