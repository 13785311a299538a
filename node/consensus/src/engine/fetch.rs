//! Bodies by hash: asking for those that are missing, answering for those that
//! are here.
//!
//! Who voted for a block or proposed it has it, and is asked first. A peer that is
//! silent costs [`PATIENCE`] and not the whole time-out: then another is asked
//! beside it. An answer that does not fit counts as none.

use super::{Done, Engine};
use crate::{
    client::EngineClient,
    header::{block_id, body_fits, hash_of},
    transport::Transport,
    wire::{BlockRequest, BlockResponse},
};
use cascoin_bft::{BlockId, SequencerIndex};
use cascoin_l2_primitives::chain::OpaqueBlock;
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sc_network_types::PeerId;
use sp_consensus::Environment;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// How long one peer is waited for before another is asked as well.
const PATIENCE: Duration = Duration::from_secs(1);
/// Peers asked for one block at a time.
const MAX_ASKED: usize = 2;

/// How a body is being fetched.
pub(super) struct Fetching {
    /// Whose turn it is.
    turn: usize,
    /// Answers that are awaited.
    awaited: usize,
    /// When the last one was asked.
    asked_at: Instant,
}

impl<C, B, I, E, T> Engine<C, B, I, E, T>
where
    C: EngineClient,
    B: Backend<OpaqueBlock> + 'static,
    I: BlockImport<OpaqueBlock, Error = sp_consensus::Error> + Send + Sync + 'static,
    E: Environment<OpaqueBlock> + Clone + Send + 'static,
    E::Proposer: Send,
    E::CreateProposer: Send,
    T: Transport,
{
    /// Asks the next peer for a block, unless enough are being asked.
    pub(super) fn fetch(&mut self, block: BlockId) {
        let holders = self.likely_holders(block);
        let Some(height) = &mut self.height else { return };
        if height.bodies.contains_key(&block) {
            return;
        }
        let now = Instant::now();
        let fetching =
            height.fetching.entry(block).or_insert(Fetching { turn: 0, awaited: 0, asked_at: now });
        let busy = fetching.awaited >= MAX_ASKED
            || fetching.awaited > 0 && now.duration_since(fetching.asked_at) < PATIENCE;
        let next = fetching.turn.checked_rem(holders.len()).and_then(|turn| holders.get(turn));
        let Some(peer) = next.filter(|_| !busy) else { return };
        fetching.turn = fetching.turn.wrapping_add(1);
        fetching.awaited += 1;
        fetching.asked_at = now;
        let from = *peer;
        let reply = self.mesh.fetch(from, BlockRequest::ByHash(hash_of(block)));
        let (at, done) = (height.schedule.instance(), self.done.0.clone());
        tokio::spawn(async move {
            let body = reply.await;
            let _ = done.send(Done::Fetched { at, block, from, body });
        });
    }

    /// Takes up an answer. After a useless one the next peer is asked, until all
    /// were; then the stall tick begins anew.
    pub(super) fn on_fetched(&mut self, block: BlockId, from: PeerId, body: Option<OpaqueBlock>) {
        let peers = self.mesh.peers().len();
        let Some(height) = &mut self.height else { return };
        let Some(fetching) = height.fetching.get_mut(&block) else { return };
        fetching.awaited = fetching.awaited.saturating_sub(1);
        let all_asked = fetching.turn.checked_rem(peers).is_none_or(|turn| turn == 0);
        let fits = |body: &OpaqueBlock| {
            let fits = block_id(body) == block && body_fits(body, height.schedule.body_version);
            if !fits {
                self.mesh.report(from, "another block than was asked for");
            }
            fits
        };
        match body.filter(fits) {
            Some(body) => {
                height.fetching.remove(&block);
                height.keep_body(block, body, &self.core);
                self.answer_for(block);
            }
            None if !all_asked => self.fetch(block),
            None => {}
        }
    }

    /// All peers, those first who must have the block.
    fn likely_holders(&self, block: BlockId) -> Vec<PeerId> {
        let Some(height) = &self.height else { return Vec::new() };
        let voters = height.votes.keys().filter(|vote| vote.block == Some(block));
        let proposals = height.proposals.values().map(|signed| signed.proposal());
        let proposers = proposals.filter(|p| p.block == block).map(|p| p.proposer);
        let holders: BTreeSet<SequencerIndex> =
            voters.map(|vote| vote.voter).chain(proposers).collect();
        let members = &height.schedule.set.members;
        let holds = |peer: &PeerId| {
            let key = self.peers.get(peer).and_then(|known| known.key);
            let mut of_holders = holders.iter().filter_map(|index| members.get(index.0 as usize));
            key.is_some_and(|key| of_holders.any(|member| member.grandpa == key))
        };
        let (mut first, others): (Vec<_>, Vec<_>) =
            self.mesh.peers().iter().copied().partition(holds);
        first.extend(others);
        first
    }

    /// What a peer asked for, if it is here.
    pub(super) fn answer(&self, request: &BlockRequest) -> BlockResponse {
        let BlockRequest::ByHash(hash) = request;
        let proposed = self.height.as_ref().and_then(|h| h.bodies.get(&BlockId(hash.0)));
        proposed.cloned().or_else(|| Some(self.client.block(*hash).ok()??.block))
    }
}
