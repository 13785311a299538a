//! What the engine says of itself, for RPC, metrics and logs.

use parking_lot::RwLock;
use serde::Serialize;
use std::sync::Arc;

/// A snapshot of the engine. Nothing in it is agreed on by the network: it is
/// this node's own view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineStatus {
    /// Whether this node votes (it holds a key of the current set).
    pub sequencing: bool,
    /// This node's index in the set, if it is a member.
    pub index: Option<u16>,
    /// Height being decided.
    pub height: u32,
    /// Round of that height.
    pub round: u16,
    /// `propose`, `prevote`, `precommit` or `decided`.
    pub step: &'static str,
    /// Index of the leader of that round.
    pub leader: Option<u16>,
    /// Term of the leader schedule.
    pub term: u32,
    /// The term's ranking, best first.
    pub ranking: Vec<u16>,
    /// Id of the current set.
    pub set_id: u64,
    /// Sequencers reachable right now, this node included.
    pub reachable: Vec<u16>,
    /// Rounds the last decided height took, 0 being the first.
    pub last_commit_round: u16,
    /// Signers of the last certificate.
    pub last_signers: Vec<u16>,
}

/// Shares the engine's latest [`EngineStatus`]. Cheap to clone.
#[derive(Clone, Default)]
pub struct EngineHandle(Arc<RwLock<EngineStatus>>);

impl EngineHandle {
    /// The latest snapshot.
    pub fn status(&self) -> EngineStatus {
        self.0.read().clone()
    }

    /// Changes the snapshot in place.
    pub fn update(&self, change: impl FnOnce(&mut EngineStatus)) {
        change(&mut self.0.write());
    }
}
