//! Runs a network of real nodes under load for a long time, with one random fault
//! after another, and audits it: all blocks that were final stay, on all nodes, and
//! nobody signs twice. Ends with a failure at the first thing that does not hold, and
//! keeps the logs then.
//!
//! The seed decides the faults and their lengths; what the nodes make of them in the
//! meantime depends on the machine.

mod fault;

use cascoin_e2e::{
    audit::audit,
    error::Result,
    interrupt,
    lab::Lab,
    load::Load,
    network::{Network, Setup},
    node::Node,
    process::Memory,
    spec,
    witness::Witness,
    Error,
};
use clap::Parser;
use fault::Fault;
use std::{
    collections::BTreeMap,
    process::ExitCode,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// New blocks on all nodes after which a fault counts as overcome.
const OVERCOME: u32 = 5;

#[derive(Parser)]
#[command(
    about = "Runs a local network under load with random faults for a long time and audits it"
)]
struct Options {
    /// How long, in minutes
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Sequencers, 4 to 7
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(4..=7))]
    sequencers: u8,
    /// Transfers a second
    #[arg(long, default_value_t = 40)]
    rate: u64,
    /// Decides the faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Longest fault, in seconds
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    longest: u64,
    /// Leave links and partitions out, which need root
    #[arg(long)]
    no_links: bool,
}

fn main() -> ExitCode {
    match Options::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    fn run(&self) -> Result<()> {
        interrupt::catch()?;
        let folder = TempDir::new().map_err(Error::other)?;
        let file = folder.path().join("chain.json");
        spec::write("regtest", usize::from(self.sequencers), &file)?;
        let setup = Setup {
            chain: file.display().to_string(),
            sequencers: usize::from(self.sequencers),
            ..Setup::regtest_without_l1()
        };
        let lab = match self.no_links {
            true => None,
            false => Some(Lab::start(setup.sequencers, self.seed)?),
        };
        let mut network = Network::prepare_in(&setup, lab)?;
        network.start_nodes()?;
        let outcome = self.soak(&mut network);
        if outcome.as_ref().is_err_and(|error| !matches!(error, Error::Interrupted)) {
            network.explain_failure();
        }
        outcome
    }

    fn soak(&self, network: &mut Network) -> Result<()> {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let witness = Witness::of(network);
        let load = Load::start(network.nodes.iter().map(Node::rpc).collect(), self.rate)?;
        network.wait_for_progress(OVERCOME)?;
        let began = resources(network);
        let start = Instant::now();
        // By kind: how many, and the longest time until they were overcome.
        let mut faults: BTreeMap<&str, (u32, Duration)> = BTreeMap::new();
        while start.elapsed() < Duration::from_secs(60 * self.minutes) {
            let fault = Fault::draw(&mut random, network, !self.no_links)?;
            let length = Duration::from_millis(random.u64(500..=1_000 * self.longest));
            fault.begin(network)?;
            interrupt::pause(length)?;
            fault.end(network)?;
            let ended = Instant::now();
            network.nodes.iter_mut().try_for_each(Node::wait_for_rpc)?;
            network.wait_for_progress(OVERCOME)?;
            let took = ended.elapsed();
            println!(
                "{:>5} s  {fault} for {:.1} s; {OVERCOME} blocks {:.1} s later",
                start.elapsed().as_secs(),
                length.as_secs_f64(),
                took.as_secs_f64()
            );
            let (count, longest) = faults.entry(fault.kind()).or_default();
            *count += 1;
            *longest = took.max(*longest);
            interrupt::pause(Duration::from_millis(random.u64(0..=10_000)))?;
        }
        load.stop();
        let ended = resources(network);
        let audit = audit(network, witness)?;
        for (kind, (count, longest)) in faults {
            let longest = longest.as_secs_f64();
            println!("{kind}: {count}, overcome after {longest:.1} s at most");
        }
        println!("{audit:?}");
        for ((name, before), (_, after)) in began.into_iter().zip(ended) {
            let [before, after] = [before, after].map(|one| (one.own >> 20, one.files >> 20));
            println!(
                "{name}: {} MiB of memory and then {}; of mapped files {} and then {}",
                before.0, after.0, before.1, after.1,
            );
        }
        Ok(())
    }
}

/// Memory of each node.
fn resources(network: &mut Network) -> Vec<(String, Memory)> {
    let nodes = network.nodes.iter_mut();
    let of = |node: &mut Node| {
        let memory = node.process().and_then(|process| process.memory()).unwrap_or_default();
        (node.name().to_string(), memory)
    };
    nodes.map(of).collect()
}
