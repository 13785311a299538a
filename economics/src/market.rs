//! What the base fee does under some courses of demand, who pays for it, and what
//! leaders have of it that fill their own blocks.

use crate::{
    courses::{Course, Turns, BLOCKS, COURSES},
    leaders,
    plot::Line,
    rules::Rules,
};
use cascoin_l2_primitives::{chain::Balance, rewards::Collected};
use pallet_rewards::{
    price::{next_multiplier, Averages, MIN_MULTIPLIER},
    settlement::{settle, Standing},
    split::Parts,
};
use pallet_transaction_payment::Multiplier;
use sp_runtime::{FixedPointNumber, Perbill};
use std::fmt::Write;

/// Blocks after which the average no longer knows where it began.
const WARM_UP: u32 = 400;
/// Blocks of a point of the chart.
const POINT: u32 = 12;

/// A course that was run.
pub struct Trace {
    /// The price in each block.
    pub prices: Vec<Multiplier>,
    /// What users paid, base units.
    pub users: Balance,
    /// What leaders paid to fill their own blocks, base units.
    pub fillers: Balance,
    /// What each leader's blocks brought.
    pub collected: Vec<Collected>,
}

impl Trace {
    /// Runs a course.
    pub fn of(rules: &Rules, genesis: &[u8; 32], course: &Course) -> Self {
        let mut trace = Self {
            prices: Vec::new(),
            users: 0,
            fillers: 0,
            collected: vec![Collected::default(); course.leaders as usize],
        };
        let share = |transfers| Perbill::from_rational(transfers, rules.transfers);
        let before = share(wanted(rules, course, 0, MIN_MULTIPLIER));
        let mut averages =
            (0..WARM_UP).fold(Averages::default(), |averages, _| averages.after(before, None));
        let mut price = MIN_MULTIPLIER;
        for block in 0..BLOCKS {
            let term = block / rules.chain.blocks_per_leader;
            let leader = leader(genesis, course, term);
            let users = wanted(rules, course, block, price);
            let own = if course.fills(leader) { rules.transfers - users } else { 0 };
            trace.book(rules, leader, [users, own], price);
            let fullness = share(users + own);
            averages = averages.after(fullness, Some(term));
            price = next_multiplier(price, fullness, averages.ceiling());
        }
        trace
    }

    fn book(&mut self, rules: &Rules, leader: u32, transfers: [u32; 2], price: Multiplier) {
        let fee = price.saturating_mul_int(rules.chain.min_fee);
        let [users, fillers] = transfers.map(|number| Balance::from(number) * fee);
        let parts = Parts::of(users + fillers, rules.chain.fee_split);
        let collected = &mut self.collected[leader as usize];
        collected.blocks += 1;
        collected.base_fees += users + fillers;
        collected.producer_part += parts.producer;
        collected.others_part += parts.others;
        self.users += users;
        self.fillers += fillers;
        self.prices.push(price);
    }

    /// What the leaders that fill their blocks are paid, all sequencers being alike and
    /// there. For all of it at once, as if it were one session.
    pub fn paid_to_fillers(&self, course: &Course) -> Balance {
        let standing = |collected: &Collected| Standing {
            weight: 1,
            collected: *collected,
            uptime_permille: 1_000,
            penalised: false,
        };
        let standings: Vec<_> = self.collected.iter().map(standing).collect();
        let rewards = (0..).zip(settle(&standings, 0).rewards);
        rewards.filter(|(leader, _)| course.fills(*leader)).map(|(_, reward)| reward.amount).sum()
    }

    /// The highest price, in multiples of the minimum.
    pub fn highest(&self) -> f64 {
        self.prices.iter().map(|price| as_float(*price)).fold(0.0, f64::max)
    }

    fn last(&self) -> f64 {
        self.prices.last().map_or(0.0, |price| as_float(*price))
    }
}

/// Transfers that users want in a block; no more than fit.
fn wanted(rules: &Rules, course: &Course, block: u32, price: Multiplier) -> u32 {
    let percent = (course.demand)(block).min(100);
    let wanted = rules.transfers * percent / 100;
    if !course.elastic {
        return wanted;
    }
    let fewer = price.reciprocal().unwrap_or_default().saturating_mul_int(wanted);
    fewer.min(wanted)
}

fn leader(genesis: &[u8; 32], course: &Course, term: u32) -> u32 {
    match course.turns {
        Turns::InTurn => term % course.leaders,
        Turns::ByLot => {
            let weights = vec![1; course.leaders as usize];
            let order = leaders::order(genesis, term, &weights);
            order.first().map_or(0, |place| *place as u32)
        }
    }
}

fn as_float(multiplier: Multiplier) -> f64 {
    multiplier.into_inner() as f64 / Multiplier::DIV as f64
}

/// All courses, run.
pub struct Market {
    rules: Rules,
    /// Each, and the same if nobody filled blocks.
    traces: Vec<(Course, Trace, Trace)>,
}

impl Market {
    /// Runs all courses.
    pub fn of(rules: &Rules, seed: u64) -> Self {
        let mut genesis = [0; 32];
        fastrand::Rng::with_seed(seed).fill(&mut genesis);
        let run = |course: Course| {
            let without = Course { fillers: 0, ..course };
            let [with, without] = [course, without].map(|one| Trace::of(rules, &genesis, &one));
            (course, with, without)
        };
        Self { rules: rules.clone(), traces: COURSES.map(run).into() }
    }

    /// For the terminal and `docs/economics.md`.
    pub fn table(&self) -> String {
        let mut table = format!(
            "{} transfers fill a block\n\n\
             | demand, half an hour | highest price | last price | users paid, coins | paid to fill own blocks, coins | fillers won by it, coins |\n\
             |---|---|---|---|---|---|\n",
            self.rules.transfers
        );
        for (course, with, without) in &self.traces {
            let _ = write!(
                table,
                "| {} | {:.2} | {:.2} | {:.1} |",
                course.name,
                with.highest(),
                with.last(),
                self.rules.coins(with.users),
            );
            let _ = if course.fillers == 0 {
                writeln!(table, " | |")
            } else {
                let coins = |units| self.rules.coins(units);
                let earned = coins(with.paid_to_fillers(course)) - coins(with.fillers);
                let won = earned - coins(without.paid_to_fillers(course));
                writeln!(table, " {:.2} | {won:.2} |", coins(with.fillers))
            };
        }
        table
    }

    /// For the chart.
    pub fn prices(&self) -> Vec<Line> {
        let points = |trace: &Trace| {
            let prices = (0..BLOCKS).zip(&trace.prices).step_by(POINT as usize);
            prices.map(|(block, price)| (f64::from(block), as_float(*price))).collect()
        };
        let line = |(course, trace, _): &(Course, Trace, Trace)| Line {
            name: course.name.into(),
            points: points(trace),
        };
        self.traces.iter().map(line).collect()
    }
}
