//! Messages of peers: checked, then fed to the core.

use super::Engine;
use crate::{
    client::EngineClient,
    header::{block_id, body_fits, MAX_EXTRINSICS},
    transport::Transport,
    wire::{ProposalsMessage, SignedProposal, SignedVote, VotesMessage},
};
use cascoin_bft::{Input, VoteKind};
use cascoin_l2_primitives::{chain::OpaqueBlock, consensus::hello_message};
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sc_network_types::PeerId;
use sp_consensus::Environment;
use sp_core::{ed25519, Pair};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// A greeting, [`VotesMessage::Hello`].
pub(super) struct Hello {
    set_id: u64,
    index: u16,
    nonce: u64,
    signature: ed25519::Signature,
}

/// A message of the next height.
pub(super) enum Early {
    Vote(SignedVote),
    Proposal(SignedProposal, Option<OpaqueBlock>, Vec<SignedVote>),
}

/// Votes of the next height kept, of one peer: their signatures cannot be checked
/// yet, and one peer must not take the place of others. Of a peer that is not known
/// as a sequencer fewer; what is dropped is sent again.
const MAX_EARLY_VOTES: usize = 512;
const MAX_EARLY_VOTES_OF_STRANGERS: usize = 32;
/// Greetings signed at a time: an HSM takes its time for each. Others follow.
const MAX_GREETINGS: usize = 16;
/// Proposals of the next height kept, of one peer and in all.
const MAX_EARLY_PROPOSALS_OF_ONE: usize = 2;
const MAX_EARLY_PROPOSALS: usize = 8;
/// How often all peers are greeted again while a height makes no progress.
const GREET_AGAIN: Duration = Duration::from_secs(2);
/// A sequencer that was not heard for this long is not reachable, connected or not:
/// a link that swallows everything looks connected for a minute and more. Who votes
/// is heard with every block, and who makes no progress says so every 250 ms. Longer
/// where blocks are rare.
const UNHEARD: Duration = Duration::from_secs(5);
/// Rounds ahead of the current one whose messages are kept.
const LOOK_AHEAD: u16 = cascoin_bft::LOOK_AHEAD_ROUNDS;

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
    pub(super) fn on_votes_message(&mut self, peer: PeerId, message: VotesMessage) {
        match message {
            VotesMessage::Hello { set_id, index, nonce, signature } => {
                if let Some(known) = self.peers.get_mut(&peer) {
                    known.hello = Some(Hello { set_id, index, nonce, signature });
                    if self.recognise(peer) {
                        self.publish_status();
                    }
                }
            }
            VotesMessage::Vote(vote) => {
                self.on_vote(peer, vote);
            }
            VotesMessage::Status { height, .. } => self.on_status(peer, height),
        }
    }

    pub(super) async fn on_proposals_message(&mut self, peer: PeerId, message: ProposalsMessage) {
        match message {
            ProposalsMessage::Proposal(proposal, body, proof) => {
                self.on_proposal(peer, proposal, body, proof)
            }
            ProposalsMessage::Certified(blocks) => self.on_certified(peer, blocks).await,
        }
    }

    /// Tells a peer who this node is, once for each set; whether that took a
    /// signature.
    pub(super) fn greet(&mut self, peer: PeerId) -> bool {
        let Some(height) = &self.height else { return false };
        let Some(keys) = &height.keys else { return false };
        let set_id = height.context.set_id;
        let Some(known) = self.peers.get_mut(&peer) else { return false };
        if known.greeted == Some(set_id) {
            return false;
        }
        let nonce = super::now_ms();
        let (own, other) = (self.mesh.local_peer().to_bytes(), peer.to_bytes());
        let message = hello_message(&self.genesis, set_id, &own, &other, nonce);
        match keys.sign(&message) {
            Ok(signature) => {
                known.greeted = Some(set_id);
                known.greeted_at = Some(Instant::now());
                let hello = VotesMessage::Hello { set_id, index: keys.index, nonce, signature };
                self.mesh.send_vote(&[peer], &hello);
            }
            Err(error) => self.complain("cannot greet a peer", &error),
        }
        true
    }

    /// Greets whom this node has not greeted in this set, and looks again at
    /// greetings that came before this node knew their set.
    pub(super) fn renew_greetings(&mut self) {
        let mut peers: Vec<PeerId> = self.peers.keys().copied().collect();
        for peer in &peers {
            self.recognise(*peer);
        }
        // Those first who are known to need it; then in turn, so that many strangers keep
        // nobody from it.
        peers.sort_by_key(|peer| {
            self.peers.get(peer).map(|known| (known.key.is_none(), known.greeted_at))
        });
        let mut left = MAX_GREETINGS;
        for peer in peers {
            left -= usize::from(self.greet(peer));
            if left == 0 {
                break;
            }
        }
    }

    /// Greets everybody anew, now and then: a greeting that was lost would keep a
    /// peer from reading this node's proposals for as long as they are connected.
    pub(super) fn greet_again(&mut self) {
        let now = Instant::now();
        if self.greeted_all.is_some_and(|at| now.duration_since(at) < GREET_AGAIN) {
            return;
        }
        self.greeted_all = Some(now);
        self.peers.values_mut().for_each(|peer| peer.greeted = None);
        self.renew_greetings();
    }

    /// Checks a peer's last greeting, and whether it is the sequencer it says it is.
    fn recognise(&mut self, peer: PeerId) -> bool {
        let Some(height) = &self.height else { return false };
        let Some(known) = self.peers.get_mut(&peer) else { return false };
        // One of another set waits until this node is there.
        let of_this_set = |hello: &Hello| hello.set_id == height.context.set_id;
        let Some(hello) = known.hello.take_if(|hello| of_this_set(hello)) else { return false };
        let Hello { set_id, index, nonce, signature } = hello;
        let (own, other) = (self.mesh.local_peer().to_bytes(), peer.to_bytes());
        let message = hello_message(&self.genesis, set_id, &other, &own, nonce);
        let member = height.schedule.set.members.get(index as usize);
        let Some(member) =
            member.filter(|member| ed25519::Pair::verify(&signature, message, &member.grandpa))
        else {
            log::debug!(target: "l2::net", "{peer} greets as sequencer {index} without its key");
            self.mesh.report(peer, "greeting without the key");
            return false;
        };
        log::debug!(target: "l2::net", "{peer} is sequencer {index}");
        known.key = Some(member.grandpa);
        self.mesh.admit(peer);
        true
    }

    /// Takes up a vote. `false`: it is a lie, and the peer was reported.
    pub(super) fn on_vote(&mut self, peer: PeerId, signed: SignedVote) -> bool {
        let vote = signed.vote();
        let Some(height) = &mut self.height else { return true };
        let at = height.schedule.height.0;
        if vote.height.0 == at.wrapping_add(1) {
            let Some(known) = self.peers.get_mut(&peer) else { return true };
            let most = match known.key {
                Some(_) => MAX_EARLY_VOTES,
                None => MAX_EARLY_VOTES_OF_STRANGERS,
            };
            if known.early_votes < most {
                known.early_votes += 1;
                self.early.push((peer, Early::Vote(signed)));
            }
            return true;
        }
        if vote.height.0 > at {
            self.ask_who_is_ahead(peer);
            return true;
        }
        if !self.on_late_vote(peer, &signed) {
            return false;
        }
        if vote.height.0.wrapping_add(1) == at {
            return self.take_proof(peer, std::slice::from_ref(&signed));
        }
        let Some(height) = &mut self.height else { return true };
        if vote.height.0 != at || height.votes.contains_key(&vote) {
            return true;
        }
        let member = height.schedule.set.members.get(vote.voter.0 as usize);
        let Some(member) = member.filter(|_| signed.set_id == height.context.set_id) else {
            return true;
        };
        if !signed.verify(&height.context, &member.grandpa) {
            log::debug!(
                target: "l2::bft",
                "CONSENSUS_INVALID_VOTE: {vote:?} from {peer} carries a wrong signature",
            );
            // Nobody relays a vote unchecked.
            self.mesh.report(peer, "vote with a wrong signature");
            return false;
        }
        // Kept first, because it may decide the height. What the core does not
        // count is not kept either: its bounds are the engine's.
        height.keep_vote(signed.clone());
        self.feed(Input::Vote(vote));
        let counted = self.core.votes().any(|known| known == vote);
        // The core is done then; the next leader wants to know who else signed.
        let late = vote.kind == VoteKind::Precommit
            && self
                .core
                .decision()
                .is_some_and(|(round, block)| (vote.round, vote.block) == (round, Some(block)));
        let Some(height) = &mut self.height else { return true };
        if !counted && !late {
            height.votes.remove(&vote);
            return true;
        }
        if let Some(evidence) = height.witness.vote(&signed) {
            self.import.evidence().add_double_sign(evidence);
        }
        self.metrics.votes_seen(vote.kind).inc();
        // With a link missing somewhere, votes reach everyone through us; once,
        // because a vote that is kept is not looked at again.
        if self.reachable < height.schedule.set.members.len() {
            let mut others = self.audience();
            others.retain(|other| *other != peer);
            self.mesh.send_vote(&others, &VotesMessage::Vote(signed));
        }
        true
    }

    pub(super) fn on_proposal(
        &mut self,
        peer: PeerId,
        signed: SignedProposal,
        body: Option<OpaqueBlock>,
        proof: Vec<SignedVote>,
    ) {
        let proposal = signed.proposal();
        let Some(height) = &mut self.height else { return };
        let at = height.schedule.height.0;
        if body.as_ref().is_some_and(|body| body.extrinsics.len() > MAX_EXTRINSICS) {
            return self.mesh.report(peer, "proposal with a body that no block has");
        }
        if proposal.height.0 == at.wrapping_add(1) {
            let proposals =
                || self.early.iter().filter(|(_, early)| matches!(early, Early::Proposal(..)));
            let of_peer = proposals().filter(|(from, _)| *from == peer).count();
            if of_peer < MAX_EARLY_PROPOSALS_OF_ONE && proposals().count() < MAX_EARLY_PROPOSALS {
                self.early.push((peer, Early::Proposal(signed, body, proof)));
            }
            return;
        }
        if !self.on_late_proposal(peer, &signed) {
            return;
        }
        let Some(height) = &mut self.height else { return };
        let round = proposal.round.0;
        let ahead = self.core.round().0.saturating_add(LOOK_AHEAD);
        // Cheap checks first: only the leader's own signature gets a body in.
        if proposal.height.0 != at
            || round > ahead
            || height.schedule.leaders.leader(proposal.round) != proposal.proposer
        {
            return;
        }
        let known = height.proposals.get(&round).is_some_and(|known| *known == signed);
        let wanted = body.is_some() && height.wants_body(&proposal);
        if known && !wanted {
            self.take_proof(peer, &proof);
            return;
        }
        let index = proposal.proposer.0 as usize;
        let Some(member) = height.schedule.set.members.get(index) else { return };
        if !signed.verify(&height.context, &member.grandpa) {
            log::debug!(target: "l2::bft", "proposal from {peer} carries a wrong signature");
            if signed.set_id == height.context.set_id {
                self.mesh.report(peer, "proposal with a wrong signature");
            }
            return;
        }
        self.take_proof(peer, &proof);
        let Some(height) = &mut self.height else { return };
        height.proposal_seen.get_or_insert_with(Instant::now);
        if let Some(evidence) = height.witness.proposal(&signed) {
            self.import.evidence().add_double_sign(evidence);
        }
        height.proposals.entry(round).or_insert(signed);
        if let Some(body) = body.filter(|_| height.wants_body(&proposal)) {
            if block_id(&body) == proposal.block && body_fits(&body, height.schedule.body_version) {
                height.keep_body(proposal.block, body, &self.core);
            } else {
                // Only leaders send bodies along. Hashing one is dear, so not twice.
                self.mesh.report(peer, "proposal with the body of another block");
            }
        }
        self.feed(Input::Proposal(proposal));
        self.answer_for(proposal.block);
    }

    /// Takes up what came before its height began.
    pub(super) fn replay_early(&mut self) {
        self.peers.values_mut().for_each(|peer| peer.early_votes = 0);
        // After its first lie nothing more of a peer is checked.
        let mut liars = BTreeSet::new();
        for (peer, message) in std::mem::take(&mut self.early) {
            if liars.contains(&peer) {
                continue;
            }
            match message {
                Early::Vote(vote) => {
                    if !self.on_vote(peer, vote) {
                        liars.insert(peer);
                    }
                }
                Early::Proposal(proposal, body, proof) => {
                    self.on_proposal(peer, proposal, body, proof)
                }
            }
        }
    }

    /// How long a sequencer may be silent and still counts as reachable.
    pub(super) fn unheard_after(&self) -> Duration {
        // Between blocks nobody says anything until the height is late.
        let patience = self.height.as_ref().map_or(0, |height| {
            let parameters = &height.schedule.parameters;
            parameters.block_time_ms.max(parameters.prevote_timeout_ms)
        });
        UNHEARD.max(Duration::from_millis(patience.saturating_mul(2)))
    }

    /// Says what the engine does, for RPC and metrics.
    pub(super) fn publish_status(&mut self) {
        let Some(height) = &self.height else { return };
        let members = &height.schedule.set.members;
        let me = height.keys.as_ref().map(|keys| keys.index);
        let within = self.unheard_after();
        let mut reachable: Vec<u16> = self
            .peers
            .values()
            .filter(|peer| peer.was_heard(within))
            .filter_map(|peer| {
                let key = peer.key?;
                members.iter().position(|member| member.grandpa == key)
            })
            .map(|position| position as u16)
            .chain(me)
            .collect();
        reachable.sort_unstable();
        reachable.dedup();
        self.reachable = reachable.len();
        // A node that does not sequence has nobody to reach (R31.1, R31.2).
        let cut_off = me.is_some() && 2 * reachable.len() < members.len();
        if cut_off != self.cut_off {
            self.cut_off = cut_off;
            let (here, all) = (reachable.len(), members.len());
            match cut_off {
                true => log::error!(
                    target: "l2::net",
                    "network partition: only {here} of {all} sequencers are reachable; no block is \
                     made on this side until a quorum is",
                ),
                false => log::info!(
                    target: "l2::net",
                    "network partition over: {here} of {all} sequencers are reachable",
                ),
            }
        }
        self.metrics.reachable_sequencers.set(reachable.len() as u64);
        self.handle.update(|status| {
            status.sequencing = me.is_some();
            status.index = me;
            status.height = height.schedule.height.0;
            status.round = self.core.round().0;
            status.step = step_name(self.core.step());
            status.leader = self.core.leader().map(|leader| leader.0);
            status.term = height.schedule.term;
            status.ranking = height.schedule.ranking.iter().map(|index| index.0).collect();
            status.set_id = height.context.set_id;
            status.reachable = reachable;
        });
    }
}

fn step_name(step: cascoin_bft::Step) -> &'static str {
    match step {
        cascoin_bft::Step::Idle => "idle",
        cascoin_bft::Step::Propose => "propose",
        cascoin_bft::Step::Prevote => "prevote",
        cascoin_bft::Step::Precommit => "precommit",
        cascoin_bft::Step::Decided => "decided",
    }
}
