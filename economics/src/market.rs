//! What the base fee does under some courses of demand.

use pallet_rewards::price::{next_multiplier, Averages, MIN_MULTIPLIER};
use pallet_transaction_payment::Multiplier;
use sp_runtime::{FixedPointNumber, Perbill};
use std::fmt::Write;

/// Blocks of each course: half an hour at 500 ms.
const BLOCKS: u32 = 3_600;
/// Blocks of a leader's term.
const TERM: u32 = 10;
/// Sequencers that lead in turn.
const LEADERS: u32 = 21;
/// Transfers that fill what users have of a block, about.
const TRANSFERS: f64 = 750.0;
/// The least base fee, in coins.
const MIN_FEE: f64 = 0.000_01;
/// What a leader gets back of the base fees in its own blocks.
const PRODUCER_PART: f64 = 0.7;

/// A course of demand: its name, and how full each block is, in percent.
type Course = (&'static str, fn(u32) -> u32);

const COURSES: [Course; 4] = [
    ("a fifth full, always", |_| 20),
    (
        "one leader of 21 fills its terms",
        |block| {
            if block / TERM % LEADERS == 0 {
                100
            } else {
                20
            }
        },
    ),
    ("seven of 21 fill theirs", |block| if block / TERM % 3 == 0 { 100 } else { 20 }),
    // A minute of more demand than there is room, then calm.
    ("a minute of full blocks", |block| if (600..720).contains(&block) { 100 } else { 20 }),
];

/// What came of it.
pub struct Market {
    /// The price over time, of each course.
    pub prices: Vec<(&'static str, Vec<(f64, f64)>)>,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    highest: f64,
    last: f64,
    /// What the transfers that fill blocks beyond a fifth cost, in coins, and what
    /// their senders get back if they are the leaders.
    cost: f64,
}

/// Runs all courses.
pub fn run() -> Market {
    let mut market = Market { prices: Vec::new(), rows: Vec::new() };
    for (name, fullness) in COURSES {
        let (mut multiplier, mut averages) = (MIN_MULTIPLIER, Averages::default());
        let (mut points, mut highest, mut cost) = (Vec::new(), 0.0f64, 0.0);
        for block in 0..BLOCKS {
            let percent = fullness(block);
            let price = as_float(multiplier);
            let beyond = f64::from(percent.saturating_sub(20)) / 100.0;
            cost += beyond * TRANSFERS * MIN_FEE * price;
            let full = Perbill::from_percent(percent);
            averages = averages.after(full, Some(block / TERM));
            multiplier = next_multiplier(multiplier, full, averages.ceiling());
            highest = highest.max(price);
            if block % 12 == 0 {
                points.push((f64::from(block), price));
            }
        }
        market.rows.push(Row { name, highest, last: as_float(multiplier), cost });
        market.prices.push((name, points));
    }
    market
}

fn as_float(multiplier: Multiplier) -> f64 {
    multiplier.into_inner() as f64 / Multiplier::DIV as f64
}

impl Market {
    /// For the terminal and `docs/economics.md`.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| demand, half an hour | highest price | last price | cost of what fills blocks, coins | of it lost by a leader |\n\
             |---|---|---|---|---|\n",
        );
        for Row { name, highest, last, cost } in &self.rows {
            let lost = cost * (1.0 - PRODUCER_PART);
            let _ =
                writeln!(table, "| {name} | {highest:.2} | {last:.2} | {cost:.3} | {lost:.3} |");
        }
        table
    }
}
