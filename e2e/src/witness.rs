//! Remembers what nodes called final, and holds them to it.

use crate::{
    error::{Error, Result},
    extrinsic::hash,
    network::Network,
    rpc::RpcClient,
};
use serde_json::{json, Value};
use sp_core::H256;
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex, PoisonError,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Between two looks at a node.
const PERIOD: Duration = Duration::from_millis(100);
/// Blocks asked for in one request.
const BATCH: usize = 50;

/// What was seen final.
#[derive(Default)]
struct Seen {
    blocks: BTreeMap<u32, H256>,
    contradictions: Vec<String>,
}

/// Watches nodes from a thread each until it is asked or dropped.
pub struct Witness {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    threads: Vec<JoinHandle<()>>,
}

/// What a witness found all nodes to agree with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Blocks that some node called final and all nodes hold.
    pub blocks: usize,
    /// Signed transactions in them.
    pub transactions: usize,
}

impl Witness {
    /// Watches nodes, also those that do not run yet.
    pub fn of(network: &Network) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let watch = |(name, rpc): (String, RpcClient)| {
            let (stop, seen) = (stop.clone(), seen.clone());
            thread::spawn(move || {
                let mut from = 0;
                while !stop.load(Ordering::SeqCst) {
                    // A node that is down has nothing to say.
                    let _ = look(&name, &rpc, &mut from, &seen);
                    thread::sleep(PERIOD);
                }
            })
        };
        let nodes = network.nodes.iter().map(|node| (node.name().to_string(), node.rpc()));
        let threads = nodes.map(watch).collect();
        Self { stop, seen, threads }
    }

    /// Ends watching, and checks that every node that runs now holds every block
    /// that any node called final, with the same transactions.
    ///
    /// # Errors
    /// [`Error::Other`] with the first contradiction.
    pub fn check(mut self, network: &mut Network) -> Result<Agreed> {
        self.end();
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(first) = seen.contradictions.first() {
            return Err(Error::other(first));
        }
        let last = *seen.blocks.keys().last().ok_or_else(|| Error::other("nothing was final"))?;
        let (heights, hashes): (Vec<u32>, Vec<H256>) = seen.blocks.into_iter().unzip();
        let mut transactions = 0;
        for node in network.running() {
            network.wait_for_height(node, last)?;
            let name = network.nodes[node].name();
            let held = network.call(node, "chain_getBlockHash", json!([heights]))?;
            transactions = 0;
            for (position, expected) in hashes.iter().enumerate() {
                if hash(&held[position]).ok() != Some(*expected) {
                    let height = heights[position];
                    return Err(Error::other(format!(
                        "{name} holds {} at height {height}, and {expected:?} was final",
                        held[position]
                    )));
                }
            }
            // A block's hash commits to its transactions; that they are there, too,
            // only reading them shows.
            let calls: Vec<Value> = hashes.iter().map(|hash| json!([hash])).collect();
            for chunk in calls.chunks(BATCH) {
                for block in network.nodes[node].rpc().batch("chain_getBlock", chunk)? {
                    let body = block?["block"]["extrinsics"].as_array().cloned();
                    let body = body.ok_or_else(|| Error::other(format!("{name} lost a body")))?;
                    transactions += body.iter().filter(|one| is_signed(one)).count();
                }
            }
        }
        Ok(Agreed { blocks: hashes.len(), transactions })
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.end();
    }
}

/// Takes down what a node has finalized since `from`.
fn look(name: &str, rpc: &RpcClient, from: &mut u32, seen: &Mutex<Seen>) -> Result<()> {
    let head = rpc.call("chain_getFinalizedHead", json!([]))?;
    let header = rpc.call("chain_getHeader", json!([head]))?;
    let digits = header["number"].as_str().unwrap_or_default().trim_start_matches("0x");
    let height = u32::from_str_radix(digits, 16).map_err(Error::other)?;
    // A node that starts anew tells its story again from the end.
    let first = (*from).min(height);
    let heights: Vec<u32> = (first..=height).collect();
    let hashes = rpc.call("chain_getBlockHash", json!([heights]))?;
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    for (position, height) in heights.into_iter().enumerate() {
        let block = hash(&hashes[position])?;
        let known = *seen.blocks.entry(height).or_insert(block);
        if known != block {
            seen.contradictions.push(format!(
                "two final blocks at height {height}: {block:?} of {name}, and {known:?}"
            ));
        }
    }
    *from = height;
    Ok(())
}

/// Whether an extrinsic, as RPC shows it, is signed: behind its length (1 to 5
/// bytes, compact) stands the version, whose highest bit says so.
fn is_signed(extrinsic: &Value) -> bool {
    let bytes = extrinsic.as_str().and_then(|text| hex::decode(text.get(2..)?).ok());
    let bytes = bytes.unwrap_or_default();
    let length = match bytes.first().map(|first| first & 3) {
        Some(0) => 1,
        Some(1) => 2,
        Some(2) => 4,
        _ => return false,
    };
    bytes.get(length).is_some_and(|version| version & 0x80 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_extrinsics_are_told_from_others() {
        assert!(is_signed(&json!("0x0884ff")), "two bytes, version 4, signed");
        assert!(!is_signed(&json!("0x080400")), "an inherent");
        assert!(is_signed(&json!("0x210184ff")), "a length of two bytes");
        assert!(!is_signed(&json!(null)));
    }
}
