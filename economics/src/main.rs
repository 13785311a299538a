//! An economic simulation: who gets seats, what each earns and loses, and what it costs
//! to push the price of transactions up.
//!
//! Rules are not described here: elections, settlements, slashes, penalties, scores and
//! prices are the very functions of the pallets. What is made up is who takes part and
//! how each behaves ([`agents`]). Everything follows from a seed, so a run can be
//! repeated to the unit.

mod agents;
mod market;
mod plot;
mod years;

use clap::Parser;
use plot::{Chart, Line};
use std::{error::Error, fs, path::PathBuf};

#[derive(Parser)]
#[command(about = "Simulates what sequencers and users earn and lose under the chain's own rules")]
struct Options {
    /// Decides everything that is left to chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days that are simulated
    #[arg(long, default_value_t = 180)]
    days: u32,
    /// Folder for the charts, as SVG; without it none are written
    #[arg(long)]
    charts: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let run = years::run(options.seed, options.days);
    print!("{}", run.table());
    let market = market::run();
    print!("\n{}", market.table());
    if let Some(folder) = options.charts {
        fs::create_dir_all(&folder)?;
        let seats = Chart {
            title: "Seats by kind of sequencer, weekly mean",
            x: "day",
            y: "seats",
            lines: run.seats_by_kind(),
        };
        fs::write(folder.join("economics-seats.svg"), seats.svg())?;
        let prices = Chart {
            title: "Base fee, in multiples of the minimum",
            x: "block",
            y: "multiple",
            lines: market
                .prices
                .iter()
                .map(|(name, points)| Line { name: (*name).into(), points: points.clone() })
                .collect(),
        };
        fs::write(folder.join("economics-price.svg"), prices.svg())?;
    }
    Ok(())
}
