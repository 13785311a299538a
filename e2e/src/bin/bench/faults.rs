//! How long a network stands still when something fails.

use crate::{millis, quantiles, Quantiles};
use cascoin_e2e::{
    error::Result,
    interrupt,
    network::Network,
    wait::{until, Seen, PATIENCE},
    Error,
};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// Between two looks where a moment is measured.
const FINE: Duration = Duration::from_millis(5);
/// How long after a kill blocks are watched: more than a term.
const WATCHED: Duration = Duration::from_secs(8);

/// Longest time without a new block after `kill -9` of the leader, over `kills`.
pub fn failover(network: &mut Network, kills: usize) -> Result<Quantiles> {
    let mut gaps = Vec::new();
    for _ in 0..kills {
        gaps.push(one_failover(network)?);
    }
    quantiles(gaps).ok_or_else(|| Error::other("nobody was killed"))
}

fn one_failover(network: &mut Network) -> Result<f64> {
    let leader = network.leader()?;
    let observer = (0..network.nodes.len())
        .find(|node| *node != leader)
        .ok_or_else(|| Error::other("nobody is left to observe"))?;
    network.nodes[leader].kill()?;
    let mut height = network.height(observer)?;
    let mut last = Instant::now();
    let mut longest = Duration::ZERO;
    let start = Instant::now();
    while start.elapsed() < WATCHED {
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
    network.wait_for_progress(5)?;
    Ok(millis(longest))
}

/// From healing a partition of two halves until every node has a new block: length
/// of the partition in seconds, and that time.
pub fn healing(network: &mut Network, cuts: &[u64]) -> Result<Vec<(u64, f64)>> {
    let mut times = Vec::new();
    for seconds in cuts {
        network.links()?.partition(&[&[0, 1], &[2, 3]]);
        interrupt::pause(Duration::from_secs(*seconds))?;
        let halted = highest(network)?;
        network.links()?.heal();
        let healed = Instant::now();
        until_all_above(network, halted)?;
        times.push((*seconds, millis(healed.elapsed())));
        network.wait_for_progress(10)?;
    }
    Ok(times)
}

/// From starting all nodes after `kill -9` of all until every node has new blocks.
pub fn restarts(network: &mut Network, count: usize) -> Result<Quantiles> {
    let mut times = Vec::new();
    for _ in 0..count {
        let reached = highest(network)?;
        for node in &mut network.nodes {
            node.kill()?;
        }
        let start = Instant::now();
        network.start_nodes()?;
        // Blocks decided and not yet seen at the kill are no new ones.
        until_all_above(network, reached + 2)?;
        times.push(millis(start.elapsed()));
        network.wait_for_progress(10)?;
    }
    quantiles(times).ok_or_else(|| Error::other("nothing was restarted"))
}

fn highest(network: &Network) -> Result<u32> {
    let mut highest = 0;
    for node in 0..network.nodes.len() {
        highest = highest.max(network.finalized_height(node)?);
    }
    Ok(highest)
}

fn until_all_above(network: &Network, height: u32) -> Result<()> {
    let start = Instant::now();
    for node in 0..network.nodes.len() {
        while network.finalized_height(node)? <= height {
            interrupt::check()?;
            if start.elapsed() > 2 * PATIENCE {
                return Err(Error::other(format!("node {node} makes no progress")));
            }
            sleep(FINE);
        }
    }
    Ok(())
}
