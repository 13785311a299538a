//! An economic simulation: who gets seats, what each earns and loses, and what it costs
//! to push the price of transactions up.
//!
//! Elections, the ranking of leaders, settlements, scores, prices, shares of stakes and
//! all figures of mainnet are the very functions and tables of the chain. What offences
//! lead to is in part repeated by hand, and [`offences`] says what. Made up is who takes
//! part and how each behaves ([`agents`], [`courses`]). Everything follows from a seed,
//! so a run can be repeated to the unit. `docs/economics.md` says what one learns.

mod agents;
mod books;
mod courses;
mod leaders;
#[cfg(test)]
mod leaders_tests;
mod market;
#[cfg(test)]
mod market_tests;
mod offences;
#[cfg(test)]
mod offences_tests;
mod plot;
mod report;
mod rules;
mod session;
mod years;
#[cfg(test)]
mod years_tests;

use clap::Parser;
use market::Market;
use plot::{Chart, Scale};
use report::Report;
use rules::Rules;
use std::{error::Error, fs, path::PathBuf};
use years::Plan;

#[derive(Parser)]
#[command(about = "Simulates what sequencers and users earn and lose under the chain's own rules")]
struct Options {
    /// Decides everything that is left to chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days that are simulated
    #[arg(long, default_value_t = 180)]
    days: u32,
    /// Day from which on the colluding ones sign twice as soon as two have seats
    #[arg(long, default_value_t = 60)]
    betrayal: u32,
    /// Folder for the charts, as SVG; without it none are written
    #[arg(long)]
    charts: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { seed, days, betrayal, charts } = Options::parse();
    let rules = Rules::mainnet();
    let report = Report::of(&rules, Plan { seed, days, betrayal });
    print!("{}", report.tables());
    let market = Market::of(&rules, seed);
    print!("\n{}", market.table());
    if let Some(folder) = charts {
        fs::create_dir_all(&folder)?;
        let seats = Chart {
            title: "Seats by kind of sequencer, weekly mean",
            x: "day",
            y: "seats",
            scale: Scale::Linear,
            lines: report.seats_by_kind(),
        };
        fs::write(folder.join("economics-seats.svg"), seats.svg())?;
        let prices = Chart {
            title: "Base fee, in multiples of the minimum",
            x: "block",
            y: "multiple",
            scale: Scale::Logarithmic,
            lines: market.prices(),
        };
        fs::write(folder.join("economics-price.svg"), prices.svg())?;
    }
    Ok(())
}
