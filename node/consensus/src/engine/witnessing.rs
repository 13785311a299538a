//! Evidence in what peers send: contradictions within a height, also after its end,
//! and certificates beside final blocks.

use super::Engine;
use crate::{
    client::EngineClient,
    evidence::witness::BadSignature,
    transport::Transport,
    wire::{CertifiedBlock, SignedProposal, SignedVote},
};
use cascoin_l2_primitives::{chain::OpaqueBlock, consensus::DoubleSignEvidence};
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sc_network_types::PeerId;
use sp_consensus::Environment;
use sp_runtime::traits::Block as _;

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
    /// Ends the height, but for what its messages may still prove.
    pub(super) fn keep_witness(&mut self) {
        if let Some(height) = self.height.take() {
            self.last_height = Some(height.witness);
        }
    }

    /// Compares a vote with those of the height before, if it is one of them. `false`:
    /// its signature is wrong, and the peer was reported.
    pub(super) fn on_late_vote(&mut self, peer: PeerId, signed: &SignedVote) -> bool {
        let heard = self.last_height.as_mut().map(|last| last.late_vote(signed));
        self.keep_late(peer, heard)
    }

    /// Compares a proposal with those of the height before, as above.
    pub(super) fn on_late_proposal(&mut self, peer: PeerId, signed: &SignedProposal) -> bool {
        let heard = self.last_height.as_mut().map(|last| last.late_proposal(signed));
        self.keep_late(peer, heard)
    }

    // The core counts what contradicts in its own height.
    fn keep_late(
        &self,
        peer: PeerId,
        heard: Option<Result<Option<DoubleSignEvidence>, BadSignature>>,
    ) -> bool {
        let Ok(evidence) = heard.unwrap_or(Ok(None)) else {
            log::debug!(target: "l2::bft", "late message of {peer} carries a wrong signature");
            self.mesh.report(peer, "late message with a wrong signature");
            return false;
        };
        if evidence.is_some_and(|evidence| self.import.evidence().add_double_sign(evidence)) {
            self.metrics.equivocations.inc();
        }
        true
    }

    /// Whether a block with its certificate stands beside one that is final here, or
    /// beside one that was decided here and is yet to be imported.
    pub(super) fn look_at_certified(&self, certified: &CertifiedBlock) {
        let CertifiedBlock { block, certificate } = certified;
        let (number, hash) = (block.header.number, block.hash());
        let watch = self.import.watch();
        watch.look(number, hash, certificate);
        let Some(height) = &self.height else { return };
        let decided = height.decided.as_ref().filter(|_| height.schedule.height.0 == number);
        if let Some((ours, own)) = decided {
            watch.compare(number, (crate::header::hash_of(*ours), Some(own)), (hash, certificate));
        }
    }
}
