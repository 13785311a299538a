//! Measures a local network on this machine and prints a table, or JSON with
//! `--json`. It asserts nothing: the figures are read by people.

mod faults;
mod inbound;
mod reorg;

use cascoin_e2e::{
    burns::{self, Burn},
    error::Result,
    extrinsic::{account, dev_pair},
    interrupt,
    lab::{Lab, Link},
    load::Load,
    network::{Network, Setup},
    node::Node,
    rpc::RpcClient,
    slot::slots,
    spec,
    wait::PATIENCE,
    Error,
};
use clap::{Parser, ValueEnum};
use serde::Serialize;
use std::{
    process::ExitCode,
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The histogram the engine keeps: from the time a proposal is known to its
/// commit.
const COMMIT_HISTOGRAM: &str = "cascoin_l2_consensus_commit_seconds_bucket";
/// Decides which packets are lost.
const SEED: u64 = 1;
/// Between two looks where a moment is measured.
const FINE: Duration = Duration::from_millis(5);

#[derive(Parser)]
#[command(
    about = "Measures block interval, commit latency, minting, fail-over, recovery, forks of L1 and memory of a local network"
)]
struct Options {
    /// Preset with 500 ms blocks or 100 ms blocks: local or regtest
    #[arg(long, default_value = "local")]
    chain: String,
    /// What to measure; may be given several times. Everything without it
    #[arg(long, value_enum)]
    part: Vec<Part>,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Transfers a second in the measurements under load
    #[arg(long, default_value_t = 200)]
    rate: u64,
    /// Burns whose way to the mint is timed; each takes some 6 s
    #[arg(long, default_value_t = 100)]
    burns: usize,
    /// Burns of one L1 block
    #[arg(long, default_value_t = 1_000)]
    flood: usize,
    /// L1 blocks that are there before the nodes start, empty and full ones
    #[arg(long, value_delimiter = ',', default_value = "1000,100")]
    l1_blocks: Vec<u32>,
    /// Forks of L1
    #[arg(long, default_value_t = 3)]
    forks: usize,
    /// Leaders that are killed
    #[arg(long, default_value_t = 10)]
    kills: usize,
    /// Lengths of the partitions, in seconds
    #[arg(long, value_delimiter = ',', default_value = "5,20,60")]
    cuts: Vec<u64>,
    /// Restarts of the whole network
    #[arg(long, default_value_t = 3)]
    restarts: usize,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// What can be measured alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Blocks of one sequencer, idle and loaded
    One,
    /// Blocks of four sequencers, idle and loaded
    Four,
    /// Blocks of seven sequencers, idle and loaded
    Seven,
    /// Four and seven sequencers 100 ms ± 20 ms apart with 1 % loss (needs root)
    Far,
    /// From the last confirmation of a burn to its mint
    Mint,
    /// From the last confirmation of many burns of one L1 block to their mints
    Flood,
    /// Applying an L1 that is far ahead
    CatchUp,
    /// From a longer branch of L1, three blocks deeper than burns need, to minting again
    Reorg,
    /// Time without a block after `kill -9` of the leader
    Failover,
    /// From the end of a partition to the next block (needs root)
    Healing,
    /// From a restart of all to the next blocks
    Restart,
}

/// Quantiles of one measured quantity, in milliseconds.
#[derive(Serialize)]
struct Quantiles {
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
    samples: usize,
}

/// One situation.
#[derive(Serialize)]
struct Row {
    sequencers: usize,
    /// Milliseconds that a message is under way between two nodes.
    link_ms: u64,
    load_per_second: u64,
    blocks: u32,
    included_transfers: u64,
    block_interval_ms: Quantiles,
    commit_ms: Option<Quantiles>,
    memory_mib_per_node: Vec<f64>,
}

#[derive(Serialize)]
struct Report {
    chain: String,
    processors: usize,
    rows: Vec<Row>,
    /// From the block that is the k-th confirmation to MINTED, over RPC.
    mint_ms: Option<Quantiles>,
    /// Many burns of one L1 block.
    flood: Option<inbound::Flood>,
    /// Applying an L1 that is far ahead: empty blocks, and full ones.
    catch_up: Vec<inbound::CatchUp>,
    /// Forks of L1 below what was applied.
    reorg: Option<reorg::Reorg>,
    /// Longest time without a new block after `kill -9` of the leader.
    failover_ms: Option<Quantiles>,
    /// Length of a partition in halves, in seconds, and the milliseconds from its
    /// end until all nodes had a new block.
    healing_ms: Vec<(u64, f64)>,
    /// From starting all killed nodes until all had new blocks.
    restart_ms: Option<Quantiles>,
}

fn main() -> ExitCode {
    match Options::parse().measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    fn measure(&self) -> Result<()> {
        interrupt::catch()?;
        let mut report = Report {
            chain: self.chain.clone(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            rows: Vec::new(),
            mint_ms: None,
            flood: None,
            catch_up: Vec::new(),
            reorg: None,
            failover_ms: None,
            healing_ms: Vec::new(),
            restart_ms: None,
        };
        self.without_faults(&mut report)?;
        self.with_faults(&mut report)?;
        if self.json {
            let text = serde_json::to_string_pretty(&report).map_err(Error::other)?;
            println!("{text}");
        } else {
            print_table(&report);
        }
        Ok(())
    }

    fn wants(&self, parts: &[Part]) -> bool {
        self.part.is_empty() || parts.iter().any(|part| self.part.contains(part))
    }

    fn without_faults(&self, report: &mut Report) -> Result<()> {
        let folder = TempDir::new().map_err(Error::other)?;
        if self.wants(&[Part::One]) {
            // One sequencer needs a chain whose set has one: the `dev` preset.
            let single = Setup { chain: "dev".into(), sequencers: 1, ..self.four() };
            self.rows(&mut start(&single, None)?, report, 0)?;
        }
        if self.wants(&[Part::Four, Part::Mint, Part::Flood, Part::Reorg]) {
            let l1 = self.wants(&[Part::Mint, Part::Flood, Part::Reorg]);
            let mut network = start(&Setup { l1, ..self.four() }, None)?;
            if self.wants(&[Part::Four]) {
                self.rows(&mut network, report, 0)?;
            }
            if self.wants(&[Part::Mint]) {
                eprintln!("  {} burns ...", self.burns);
                report.mint_ms = Some(self.mints(&mut network)?);
            }
            if self.wants(&[Part::Flood]) {
                eprintln!("  {} burns in one L1 block ...", self.flood);
                report.flood = Some(inbound::flood(&network, self.flood)?);
            }
            if self.wants(&[Part::Reorg]) {
                eprintln!("  {} forks of L1 ...", self.forks);
                report.reorg = Some(reorg::reorg(&network, self.forks)?);
            }
        }
        if self.wants(&[Part::CatchUp]) {
            for (blocks, bytes) in self.l1_blocks.iter().zip([0, usize::MAX]) {
                eprintln!("  {blocks} L1 blocks before the start ...");
                let setup = Setup { l1: true, ..self.four() };
                report.catch_up.push(inbound::catch_up(&setup, *blocks, bytes)?);
            }
        }
        if self.wants(&[Part::Seven]) {
            let setup = self.seven(&folder)?;
            self.rows(&mut start(&setup, None)?, report, 0)?;
        }
        if self.wants(&[Part::Far]) {
            for setup in [self.four(), self.seven(&folder)?] {
                let mut network = start(&setup, Some(Lab::start(setup.sequencers, SEED)?))?;
                network.links()?.set_all(Link::FAR);
                self.rows(&mut network, report, Link::FAR.delay.as_millis() as u64)?;
            }
        }
        Ok(())
    }

    fn with_faults(&self, report: &mut Report) -> Result<()> {
        if self.wants(&[Part::Failover, Part::Restart]) {
            let mut network = start(&self.four(), None)?;
            if self.wants(&[Part::Failover]) {
                eprintln!("  killing {} leaders ...", self.kills);
                report.failover_ms = Some(faults::failover(&mut network, self.kills)?);
            }
            if self.wants(&[Part::Restart]) {
                eprintln!("  killing all {} times ...", self.restarts);
                report.restart_ms = Some(faults::restarts(&mut network, self.restarts)?);
            }
        }
        if self.wants(&[Part::Healing]) {
            let setup = self.four();
            let mut network = start(&setup, Some(Lab::start(setup.sequencers, SEED)?))?;
            eprintln!("  partitions of {:?} s ...", self.cuts);
            report.healing_ms = faults::healing(&mut network, &self.cuts)?;
        }
        Ok(())
    }

    fn four(&self) -> Setup {
        Setup { chain: self.chain.clone(), ..Setup::regtest_without_l1() }
    }

    fn seven(&self, folder: &TempDir) -> Result<Setup> {
        let file = folder.path().join("seven.json");
        spec::write(&self.chain, 7, &file)?;
        Ok(Setup { chain: file.display().to_string(), sequencers: 7, ..self.four() })
    }

    /// Measures a network idle and loaded.
    fn rows(&self, network: &mut Network, report: &mut Report, link_ms: u64) -> Result<()> {
        for load in [0, self.rate] {
            eprintln!("  {} s with {load} transfers a second ...", self.seconds);
            report.rows.push(self.row(network, load, link_ms)?);
        }
        Ok(())
    }

    fn row(&self, network: &mut Network, per_second: u64, link_ms: u64) -> Result<Row> {
        // Connections settle first.
        network.wait_for_progress(5)?;
        let before = histogram(&network.nodes[0])?;
        let first = network.finalized_height(0)?;
        let included_before = transfers(network)?;
        let nodes = || network.nodes.iter().map(Node::rpc).collect();
        let load = (per_second > 0).then(|| Load::start(nodes(), per_second)).transpose()?;
        interrupt::pause(Duration::from_secs(self.seconds))?;
        let last = network.finalized_height(0)?;
        let after = histogram(&network.nodes[0])?;
        let included = transfers(network)?.saturating_sub(included_before);
        drop(load);
        let memory = network
            .nodes
            .iter_mut()
            .filter_map(|node| node.process().and_then(|process| process.memory()))
            .map(|memory| memory.own as f64 / (1024.0 * 1024.0))
            .collect();
        Ok(Row {
            sequencers: network.nodes.len(),
            link_ms,
            load_per_second: per_second,
            blocks: last - first,
            included_transfers: included,
            block_interval_ms: intervals(&network.nodes[0].rpc(), first, last)?,
            commit_ms: histogram_quantiles(&before, &after),
            memory_mib_per_node: memory,
        })
    }

    fn mints(&self, network: &mut Network) -> Result<Quantiles> {
        let parameters = burns::ChainFacts::of(network, 0)?;
        let recipient = account(&dev_pair("//Bench")?);
        let mut times = Vec::new();
        for number in 0..self.burns {
            let burn = Burn::to_account(parameters.chain_id, &recipient, 1_000_000 + number as u64);
            let txid = network.l1()?.burn(&burn)?;
            network.l1()?.mine(parameters.l1_confirmations.saturating_sub(1).max(1))?;
            if parameters.l1_confirmations > 1 {
                // Let the relay read what is there, so that only the last block is timed.
                interrupt::pause(Duration::from_secs(3))?;
                network.l1()?.mine(1)?;
            }
            let start = Instant::now();
            while burns::status(network, 0, &txid)?.status != "MINTED" {
                interrupt::check()?;
                if start.elapsed() > PATIENCE {
                    return Err(Error::other(format!("burn {txid} is not minted")));
                }
                sleep(FINE);
            }
            times.push(millis(start.elapsed()));
        }
        quantiles(times).ok_or_else(|| Error::other("no burn was timed"))
    }
}

fn start(setup: &Setup, lab: Option<Lab>) -> Result<Network> {
    eprintln!("starting {} sequencer(s) of {} ...", setup.sequencers, setup.chain);
    let mut network = Network::prepare_in(setup, lab)?;
    network.start_nodes()?;
    network.wait_for_progress(2)?;
    Ok(network)
}

/// Transfers included so far: the senders' nonces as the finalized state has them.
fn transfers(network: &Network) -> Result<u64> {
    let mut sum = 0;
    for path in ["//Alice", "//Bob", "//Charlie", "//Dave"] {
        sum += burns::transaction_count(network, 0, &account(&dev_pair(path)?))?;
    }
    Ok(sum)
}

/// Distances of the times of consecutive blocks, from their Aura slots (1 ms).
fn intervals(rpc: &RpcClient, first: u32, last: u32) -> Result<Quantiles> {
    let times = slots(rpc, first, last)?;
    let distances = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    quantiles(distances).ok_or_else(|| Error::other("too few blocks to measure an interval"))
}

/// Cumulative counts by upper bound in seconds.
type Histogram = Vec<(f64, f64)>;

fn histogram(node: &Node) -> Result<Histogram> {
    let mut buckets: Histogram = node
        .metrics(COMMIT_HISTOGRAM)?
        .into_iter()
        .filter_map(|(labels, count)| {
            let bound = labels.split("le=\"").nth(1)?.split('"').next()?;
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
            Some((bound, count))
        })
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(buckets)
}

/// Quantiles of what came between two readings, linear inside a bucket.
fn histogram_quantiles(before: &Histogram, after: &Histogram) -> Option<Quantiles> {
    let counts: Histogram = after
        .iter()
        .map(|(bound, count)| {
            let earlier = before.iter().find(|(other, _)| other == bound).map_or(0.0, |b| b.1);
            (*bound, count - earlier)
        })
        .collect();
    let total = counts.last().map(|(_, count)| *count).filter(|total| *total > 0.0)?;
    let at = |quantile: f64| {
        let rank = quantile * total;
        let mut lower = (0.0, 0.0);
        for (bound, count) in &counts {
            if *count >= rank {
                if bound.is_infinite() {
                    return lower.0 * 1000.0;
                }
                let inside =
                    if *count > lower.1 { (rank - lower.1) / (count - lower.1) } else { 1.0 };
                return (lower.0 + (bound - lower.0) * inside) * 1000.0;
            }
            lower = (*bound, *count);
        }
        lower.0 * 1000.0
    };
    Some(Quantiles {
        p50: at(0.50),
        p95: at(0.95),
        p99: at(0.99),
        max: at(1.0),
        samples: total as usize,
    })
}

fn quantiles(mut values: Vec<f64>) -> Option<Quantiles> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = |quantile: f64| values[((last as f64) * quantile).round() as usize];
    Some(Quantiles {
        p50: at(0.50),
        p95: at(0.95),
        p99: at(0.99),
        max: at(1.0),
        samples: values.len(),
    })
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn print_table(report: &Report) {
    println!("preset {}, {} processors", report.chain, report.processors);
    if !report.rows.is_empty() {
        println!(
            "{:>10} {:>7} {:>7} {:>7} {:>9}   {:>24}   {:>24}   memory MiB",
            "sequencers",
            "link ms",
            "load/s",
            "blocks",
            "included",
            "interval ms p50/p95/p99",
            "commit ms p50/p95/p99"
        );
    }
    let show = |q: &Quantiles| format!("{:.0} / {:.0} / {:.0}", q.p50, q.p95, q.p99);
    for row in &report.rows {
        let memory: Vec<String> =
            row.memory_mib_per_node.iter().map(|mib| format!("{mib:.0}")).collect();
        println!(
            "{:>10} {:>7} {:>7} {:>7} {:>9}   {:>24}   {:>24}   {}",
            row.sequencers,
            row.link_ms,
            row.load_per_second,
            row.blocks,
            row.included_transfers,
            show(&row.block_interval_ms),
            row.commit_ms.as_ref().map_or_else(|| "no metric".into(), show),
            memory.join(" ")
        );
    }
    let line = |what: &str, measured: &Option<Quantiles>| {
        if let Some(figures) = measured {
            let (values, max, count) = (show(figures), figures.max, figures.samples);
            println!("{what}, ms p50/p95/p99: {values}, longest {max:.0}, of {count}");
        }
    };
    line("from the k-th confirmation to MINTED", &report.mint_ms);
    line("without a block after kill -9 of the leader", &report.failover_ms);
    line("from a restart of all to new blocks on all", &report.restart_ms);
    if let Some(flood) = &report.flood {
        println!(
            "{} burns of one L1 block: MINTED after {:.0} ms, by {} blocks of at most {:.0} ms weight",
            flood.burns, flood.milliseconds, flood.blocks, flood.heaviest_ms
        );
    }
    for read in &report.catch_up {
        println!(
            "{} L1 blocks with {} bytes of outputs each: applied in {:.0} ms, {:.1} a second",
            read.l1_blocks, read.bytes_per_block, read.milliseconds, read.blocks_per_second
        );
    }
    if let Some(reorg) = &report.reorg {
        let (minting, reverted) = (show(&reorg.minting_ms), show(&reorg.reverted_ms));
        println!(
            "forks of L1, {} blocks deep, replaced by {} at once, of {}: ms p50/p95/p99 until \
             minting went on {minting}, until what was gone was REVERTED {reverted}",
            reorg.depth, reorg.new_blocks, reorg.minting_ms.samples
        );
    }
    for (seconds, time) in &report.healing_ms {
        println!("from the end of a partition of {seconds} s to a new block on all: {time:.0} ms");
    }
}
