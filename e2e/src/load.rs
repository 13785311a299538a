//! Transfers at a steady rate, from a thread of its own, whatever happens to the
//! nodes: what a node lost is sent to another one.

use crate::{
    error::Result,
    extrinsic::{account, dev_pair, hex, next_nonce, transfer, SigningContext},
    rpc::RpcClient,
};
use cascoin_l2_primitives::chain::Nonce;
use serde_json::{json, Value};
use sp_core::sr25519;
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often transfers are sent.
const PERIOD: Duration = Duration::from_millis(100);
/// After this long without being in a block a transfer is sent again.
const AGAIN: Duration = Duration::from_secs(2);
/// Transfers of one account under way; with more the sender waits.
const MAX_UNDER_WAY: usize = 1_000;
/// Accounts that pay; in every preset but `mainnet` they have coins.
const SENDERS: [&str; 4] = ["//Alice", "//Bob", "//Charlie", "//Dave"];

/// Load that runs until it is stopped or dropped.
pub struct Load {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Sender {
    pair: sr25519::Pair,
    next: Nonce,
    /// Sent and not yet seen in a block, with the time of the last sending.
    under_way: BTreeMap<Nonce, (Value, Instant)>,
}

impl Load {
    /// Sends `per_second` transfers a second, in turn from four accounts to
    /// `nodes`, the first of which must answer now.
    ///
    /// # Errors
    /// [`crate::Error::Rpc`], [`crate::Error::Transport`].
    pub fn start(nodes: Vec<RpcClient>, per_second: u64) -> Result<Self> {
        let context = SigningContext::of(&nodes[0])?;
        let mut senders = Vec::new();
        for path in SENDERS {
            let pair = dev_pair(path)?;
            let next = next_nonce(&nodes[0], &account(&pair))?;
            senders.push(Sender { pair, next, under_way: BTreeMap::new() });
        }
        let to = account(&dev_pair("//Load")?);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let body = move || {
            let start = Instant::now();
            let (mut made, mut turn) = (0, 0);
            while !stopped.load(Ordering::SeqCst) {
                let due = (start.elapsed().as_millis() as u64).saturating_mul(per_second) / 1_000;
                let share = due.saturating_sub(made) / SENDERS.len() as u64;
                made += share * SENDERS.len() as u64;
                for sender in &mut senders {
                    turn += 1;
                    for _ in 0..share {
                        sender.make(&context, &to);
                    }
                    // A node that is down is asked again the next time around.
                    let _ = sender.send(&nodes[turn % nodes.len()]);
                }
                thread::sleep(PERIOD);
            }
        };
        Ok(Self { stop, thread: Some(thread::spawn(body)) })
    }

    /// Stops sending.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Sender {
    fn make(&mut self, context: &SigningContext, to: &cascoin_l2_primitives::chain::AccountId) {
        if self.under_way.len() < MAX_UNDER_WAY {
            let signed = context.sign(transfer(to, 1_000), &self.pair, self.next);
            // Long ago: due at once.
            let never = Instant::now().checked_sub(AGAIN).unwrap_or_else(Instant::now);
            self.under_way.insert(self.next, (json!([hex(&signed)]), never));
            self.next += 1;
        }
    }

    /// Sends what is due, unless a block has it.
    fn send(&mut self, node: &RpcClient) -> Result<()> {
        let now = Instant::now();
        let is_due = |sent: &Instant| now.duration_since(*sent) >= AGAIN;
        let waited = self.under_way.values().any(|(_, sent)| is_due(sent));
        if !waited {
            return Ok(());
        }
        let address = json!([account(&self.pair).to_string()]);
        let in_blocks = node.call("l2_gettransactioncount", address)?;
        if let Some(nonce) = number(&in_blocks["transactionCount"]) {
            self.under_way = self.under_way.split_off(&nonce);
        }
        let due: Vec<Nonce> = self
            .under_way
            .iter()
            .filter(|(_, (_, sent))| is_due(sent))
            .map(|(nonce, _)| *nonce)
            .collect();
        let calls: Vec<Value> = due.iter().map(|nonce| self.under_way[nonce].0.clone()).collect();
        // A node that has a transfer already says so, which is as good.
        node.batch("author_submitExtrinsic", &calls)?;
        for nonce in due {
            if let Some(entry) = self.under_way.get_mut(&nonce) {
                entry.1 = now;
            }
        }
        Ok(())
    }
}

fn number(value: &Value) -> Option<Nonce> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    Nonce::try_from(number).ok()
}
