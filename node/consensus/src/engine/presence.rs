//! Who signed the block below: gathered for the leader's inherent, and to check
//! that of other leaders.

use super::{Engine, HeightState};
use crate::{
    client::EngineClient,
    executor::FirstSight,
    import::certificate_of,
    parent_commit::ParentCommit,
    transport::Transport,
    wire::{SignedProposal, SignedVote},
};
use cascoin_bft::{BlockId, Proposal, Round};
use cascoin_l2_primitives::{
    chain::{Header, OpaqueBlock},
    sequencers::ParticipationData,
};
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sc_network_types::PeerId;
use sp_consensus::Environment;
use sp_runtime::traits::Header as _;

impl HeightState {
    /// What the leader of a round writes into its block.
    pub(super) fn participation(&self, round: Round) -> ParticipationData {
        ParticipationData {
            commits: self.parent_commit.commits(),
            heard: self.parent_commit.heard(),
            failed_leaders: self.schedule.failed_leaders(round),
        }
    }

    /// What a first proposal that is judged now is judged by.
    pub(super) fn first_sight(&self, block: BlockId) -> FirstSight {
        let proposals = self.proposals.values().map(SignedProposal::proposal);
        let first = proposals.filter(|p| p.block == block && p.valid_round.is_none());
        FirstSight {
            now_ms: super::now_ms(),
            rounds: first.map(|proposal| proposal.round).collect(),
            commits: self.parent_commit.commits(),
        }
    }

    /// What goes along with a proposal. A block that a quorum found good before needs
    /// no proof.
    pub(super) fn proof_for(&self, proposal: &Proposal) -> Vec<SignedVote> {
        match proposal.valid_round {
            None => self.parent_commit.proof(),
            Some(_) => Vec::new(),
        }
    }
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
    /// Votes that this node has checked: of the height being decided, which may be over, and
    /// precommits for the block below it.
    pub(super) fn known_votes(&self) -> Vec<SignedVote> {
        let Some(height) = &self.height else { return Vec::new() };
        height.votes.values().cloned().chain(height.parent_commit.proof()).collect()
    }

    /// What is known of who signed `parent`: its certificate, and what of `known` is
    /// for it. Who voted otherwise is known to be there.
    pub(super) fn commit_of(&self, parent: &Header, known: &[SignedVote]) -> ParentCommit {
        let sets = self.import.sets();
        let mut commit = ParentCommit::new(parent, self.genesis, sets.read().at(*parent.number()));
        let stored = self.client.justifications(parent.hash()).ok().flatten();
        // Genesis has none. Without one nobody can be named, and others lead.
        if let Some(certificate) = stored.and_then(|all| certificate_of(&all).ok()) {
            commit.add_certificate(&certificate);
        }
        let at = *parent.number();
        let of_parent = known.iter().filter(|signed| signed.vote().height.0 == at);
        commit.hear_checked(of_parent.clone());
        if commit.take(of_parent).is_err() {
            log::error!(target: "l2::bft", "a precommit of height {at} was kept unchecked");
        }
        commit
    }

    /// Takes up what a peer knows of who signed the block below, or voted otherwise at its
    /// height. `false`: one of it is a lie, and the peer was reported.
    pub(super) fn take_proof(&mut self, peer: PeerId, proof: &[SignedVote]) -> bool {
        let Some(height) = &mut self.height else { return true };
        let taken = height.parent_commit.take(proof);
        let taken = taken.and_then(|()| height.parent_commit.hear(proof));
        if taken.is_err() {
            // Nobody passes a vote on unchecked.
            log::debug!(
                target: "l2::bft",
                "CONSENSUS_INVALID_VOTE: a vote of the last block's height from {peer} carries a \
                 wrong signature",
            );
            self.mesh.report(peer, "vote with a wrong signature");
        }
        taken.is_ok()
    }
}
