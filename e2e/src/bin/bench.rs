//! Measures a local network on this machine and prints a table, or JSON with
//! `--json`. It asserts nothing: the figures are read by people.

use cascoin_e2e::{
    burns::{self, Burn},
    error::Result,
    extrinsic::{account, dev_pair, hex, next_nonce, transfer, SigningContext},
    interrupt,
    network::{Network, Setup},
    node::Node,
    rpc::RpcClient,
    slot::slots,
    wait::{until, Seen, PATIENCE},
    Error,
};
use clap::Parser;
use serde::Serialize;
use serde_json::{json, Value};
use std::{
    process::ExitCode,
    thread::sleep,
    time::{Duration, Instant},
};

/// The histogram the engine keeps: from the time a proposal is known to its
/// commit.
const COMMIT_HISTOGRAM: &str = "cascoin_l2_consensus_commit_seconds_bucket";
/// How often load is sent.
const LOAD_PERIOD: Duration = Duration::from_millis(100);
/// Between two looks where a moment is measured.
const FINE: Duration = Duration::from_millis(5);

#[derive(Parser)]
#[command(
    about = "Measures block interval, commit latency, minting, fail-over and memory of a local network"
)]
struct Options {
    /// Preset with 500 ms blocks or 100 ms blocks: local or regtest
    #[arg(long, default_value = "local")]
    chain: String,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Transfers a second in the measurements under load
    #[arg(long, default_value_t = 200)]
    rate: u64,
    /// Burns whose way to the mint is timed
    #[arg(long, default_value_t = 5)]
    burns: usize,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Quantiles of one measured quantity, in milliseconds.
#[derive(Serialize)]
struct Quantiles {
    p50: f64,
    p95: f64,
    p99: f64,
    samples: usize,
}

/// One situation.
#[derive(Serialize)]
struct Row {
    sequencers: usize,
    load_per_second: u64,
    blocks: u32,
    included_transfers: u64,
    block_interval_ms: Quantiles,
    commit_ms: Option<Quantiles>,
    resident_mib_per_node: Vec<f64>,
}

#[derive(Serialize)]
struct Report {
    chain: String,
    processors: usize,
    rows: Vec<Row>,
    /// From the block that is the k-th confirmation to MINTED, over RPC.
    mint_ms: Option<Quantiles>,
    /// Longest time without a new block after `kill -9` of the leader.
    failover_ms: Option<f64>,
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
            failover_ms: None,
        };
        // One sequencer needs a chain whose set has one: the `dev` preset.
        let single = Setup {
            chain: "dev".into(),
            sequencers: 1,
            full_nodes: 0,
            l1: false,
            extra: Vec::new(),
        };
        let four = Setup { chain: self.chain.clone(), ..Setup::regtest() };
        for (setup, whole) in [(single, false), (four, true)] {
            eprintln!(
                "starting {} sequencer(s) of the {} preset ...",
                setup.sequencers, setup.chain
            );
            let mut network = Network::start(&setup)?;
            for load in [0, self.rate] {
                eprintln!("  {} s with {load} transfers a second ...", self.seconds);
                report.rows.push(self.row(&mut network, load)?);
            }
            if whole {
                eprintln!("  {} burns ...", self.burns);
                report.mint_ms = Some(self.mints(&mut network)?);
                eprintln!("  killing the leader ...");
                report.failover_ms = Some(failover(&mut network)?);
            }
        }
        if self.json {
            let text = serde_json::to_string_pretty(&report).map_err(Error::other)?;
            println!("{text}");
        } else {
            print_table(&report);
        }
        Ok(())
    }

    fn row(&self, network: &mut Network, load: u64) -> Result<Row> {
        // Connections settle first.
        network.wait_for_progress(5)?;
        let before = histogram(&network.nodes[0])?;
        let first = network.finalized_height(0)?;
        let included_before = transfers(network)?;
        let period = Duration::from_secs(self.seconds);
        if load == 0 {
            pause(period)?;
        } else {
            send_load(network, load, period)?;
        }
        let last = network.finalized_height(0)?;
        let after = histogram(&network.nodes[0])?;
        let resident = network
            .nodes
            .iter_mut()
            .filter_map(|node| node.process().and_then(|process| process.resident_bytes()))
            .map(|bytes| bytes as f64 / (1024.0 * 1024.0))
            .collect();
        Ok(Row {
            sequencers: network.nodes.len(),
            load_per_second: load,
            blocks: last - first,
            included_transfers: transfers(network)?.saturating_sub(included_before),
            block_interval_ms: intervals(&network.nodes[0].rpc(), first, last)?,
            commit_ms: histogram_quantiles(&before, &after),
            resident_mib_per_node: resident,
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
                pause(Duration::from_secs(3))?;
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

fn pause(period: Duration) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < period {
        interrupt::check()?;
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Signs and sends `rate` transfers a second for `period`, in turn from four
/// accounts to four nodes.
fn send_load(network: &Network, rate: u64, period: Duration) -> Result<()> {
    let context = SigningContext::of(&network.nodes[0].rpc())?;
    let to = account(&dev_pair("//Load")?);
    let mut senders = Vec::new();
    for path in ["//Alice", "//Bob", "//Charlie", "//Dave"] {
        let pair = dev_pair(path)?;
        let nonce = next_nonce(&network.nodes[0].rpc(), &account(&pair))?;
        senders.push((pair, nonce));
    }
    let start = Instant::now();
    let mut sent = 0;
    while start.elapsed() < period {
        interrupt::check()?;
        let due = (start.elapsed().as_secs_f64() * rate as f64) as u64;
        for (position, (pair, nonce)) in senders.iter_mut().enumerate() {
            let share = (due - sent) / 4;
            let batch: Vec<Value> = (0..share)
                .map(|offset| {
                    let signed = context.sign(transfer(&to, 1_000), pair, *nonce + offset as u32);
                    json!([hex(&signed)])
                })
                .collect();
            if batch.is_empty() {
                continue;
            }
            *nonce += share as u32;
            let node = &network.nodes[position % network.nodes.len()];
            for result in node.rpc().batch("author_submitExtrinsic", &batch)? {
                result?;
            }
        }
        sent += (due - sent) / 4 * 4;
        sleep(LOAD_PERIOD);
    }
    Ok(())
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

/// Longest time without a new block on the others, after the leader is killed.
fn failover(network: &mut Network) -> Result<f64> {
    let leader = network.leader()?;
    let observer = (0..network.nodes.len())
        .find(|node| *node != leader)
        .ok_or_else(|| Error::other("nobody is left to observe"))?;
    network.nodes[leader].kill()?;
    let mut height = network.height(observer)?;
    let mut last = Instant::now();
    let mut longest = Duration::ZERO;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(15) {
        interrupt::check()?;
        let now = network.height(observer)?;
        if now > height {
            longest = longest.max(last.elapsed());
            height = now;
            last = Instant::now();
        }
        sleep(FINE);
    }
    longest = longest.max(last.elapsed());
    network.nodes[leader].start()?;
    network.nodes[leader].wait_for_rpc()?;
    until("the killed leader is back", PATIENCE, || {
        let behind = network.finalized_height(leader)?;
        Ok(Seen::when(behind >= height, behind))
    })?;
    Ok(millis(longest))
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
    Some(Quantiles { p50: at(0.50), p95: at(0.95), p99: at(0.99), samples: total as usize })
}

fn quantiles(mut values: Vec<f64>) -> Option<Quantiles> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = |quantile: f64| values[((last as f64) * quantile).round() as usize];
    Some(Quantiles { p50: at(0.50), p95: at(0.95), p99: at(0.99), samples: values.len() })
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn print_table(report: &Report) {
    println!("preset {}, {} processors", report.chain, report.processors);
    println!(
        "{:>10} {:>8} {:>7} {:>9}   {:>24}   {:>24}   memory MiB",
        "sequencers",
        "load/s",
        "blocks",
        "included",
        "interval ms p50/p95/p99",
        "commit ms p50/p95/p99"
    );
    let show = |q: &Quantiles| format!("{:.0} / {:.0} / {:.0}", q.p50, q.p95, q.p99);
    for row in &report.rows {
        let memory: Vec<String> =
            row.resident_mib_per_node.iter().map(|mib| format!("{mib:.0}")).collect();
        println!(
            "{:>10} {:>8} {:>7} {:>9}   {:>24}   {:>24}   {}",
            row.sequencers,
            row.load_per_second,
            row.blocks,
            row.included_transfers,
            show(&row.block_interval_ms),
            row.commit_ms.as_ref().map_or_else(|| "no metric".into(), show),
            memory.join(" ")
        );
    }
    if let Some(mint) = &report.mint_ms {
        println!(
            "from the k-th confirmation to MINTED, ms p50/p95/p99: {} ({} burns)",
            show(mint),
            mint.samples
        );
    }
    if let Some(failover) = report.failover_ms {
        println!("without a block after kill -9 of the leader: {failover:.0} ms");
    }
}
