//! The follower's account of L1, as RPC and metrics show it.

use super::{engine::Engine, CatchUp, RelayPosition};
use crate::client::L1Client;
use cascoin_l2_primitives::l1::L1Hash;
use serde::Serialize;

/// The follower's view of L1 after its last look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct L1Status {
    /// Whether the last look succeeded.
    pub connected: bool,
    /// The node that is asked first: the one that answered last, or the next one
    /// after too many useless answers.
    pub url: String,
    /// L1's own name of the chain: `main`, `test` or `regtest`.
    pub chain: &'static str,
    /// Kind of the last look's error, if it failed.
    pub error_name: Option<&'static str>,
    /// The last look's error in words, if it failed.
    pub error: Option<String>,
    /// Whether the L1 node is behind its network.
    pub syncing: bool,
    /// Height of its tip, once known.
    pub tip_height: Option<u32>,
    /// Hash of its tip, once known.
    pub tip_hash: Option<L1Hash>,
    /// Time in its tip's header, seconds since 1970.
    pub tip_time: Option<u32>,
    /// Height of the best header it knows.
    pub headers: Option<u32>,
    /// While the node that is read now has fewer blocks than another one of ours had
    /// before: how many fewer. `tip_height` is the other one's.
    pub blocks_behind: Option<u32>,
    /// Set while many blocks are still to be read.
    pub catch_up: Option<CatchUp>,
    /// Highest L1 block that is deep enough and stored for voting.
    pub readable_height: Option<u32>,
    /// Confirmations that make a block readable.
    pub confirmations: u32,
    /// Set while this node's L1 has another history than the one attested.
    pub fork: Option<ForkFromAttested>,
}

/// This node's L1 contradicts what the sequencers attested: either it follows a
/// minority branch, or L1 reorganised deeper than the confirmations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForkFromAttested {
    /// Height of the attested block.
    pub height: u32,
    /// Its hash.
    pub attested: L1Hash,
    /// What this node's L1 has at that height.
    pub ours: L1Hash,
}

impl L1Status {
    pub(super) fn new(client: &L1Client, confirmations: u32) -> Self {
        Self {
            connected: false,
            url: client.url(),
            chain: client.params().chain,
            error_name: None,
            error: None,
            syncing: false,
            tip_height: None,
            tip_hash: None,
            tip_time: None,
            headers: None,
            blocks_behind: None,
            catch_up: None,
            readable_height: None,
            confirmations,
            fork: None,
        }
    }

    pub(super) fn update(&mut self, engine: &Engine, position: &RelayPosition) {
        self.connected = true;
        self.error_name = None;
        self.error = None;
        self.readable_height = Some(engine.readable_height());
        self.fork = engine.fork(position);
        if let Some(tip) = engine.tip() {
            self.syncing = tip.syncing;
            self.tip_height = Some(tip.height);
            self.tip_hash = Some(tip.hash);
            self.tip_time = Some(tip.time);
            self.headers = Some(tip.headers);
        }
    }
}
