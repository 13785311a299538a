//! Getting unstuck: sending again, helping who is behind and being helped.
//!
//! Who is far behind does not wait for its stall tick: a vote of a height ahead tells
//! it whom to ask, and each answer that it could use is followed by the next question.
//! So it comes nearer as fast as it executes, however short the block time is.

use super::{Engine, Schedule};
use crate::{
    client::EngineClient,
    executor::{self, InvalidBlock, Outcome},
    header::{block_id, body_fits, HeaderError},
    import::{certificate_of, ImportError, VerifyError},
    transport::Transport,
    wal::Record,
    wire::{CertifiedBlock, ProposalsMessage, VotesMessage},
};
use cascoin_bft::BlockId;
use cascoin_l2_primitives::{
    chain::OpaqueBlock,
    consensus::{verify_certificate, CertificateError},
};
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sc_network_types::PeerId;
use sp_consensus::Environment;
use sp_runtime::traits::Block as _;
use std::time::{Duration, Instant};

/// Certified blocks sent in one answer.
const MAX_HELP: u32 = 16;
/// Bytes of bodies in one answer; the first block always goes.
const MAX_HELP_BYTES: usize = 4 * 1024 * 1024;
/// How often one peer is helped, if it is a sequencer, and if not.
const HELP_INTERVAL: Duration = Duration::from_millis(200);
const HELP_INTERVAL_OF_STRANGERS: Duration = Duration::from_secs(5);
/// A sequencer that comes on is helped sooner: after the time that its answer is worth,
/// by its blocks and by its bytes, so that nobody keeps this node busy with reading.
const MS_PER_BLOCK: u64 = 5;
const HELP_BYTES_PER_MS: usize = 20 * 1024;
/// How often somebody is asked whose votes are ahead, and the same one without having
/// brought anything: all of them have the same blocks.
const ASK_INTERVAL: Duration = Duration::from_millis(250);
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How a peer was last helped on.
pub(super) struct Helped {
    at: Instant,
    /// The height that it was at.
    height: u32,
    /// How long it waits if it has come further since.
    pause: Duration,
}

/// A question for certified blocks.
pub(super) struct Asked {
    at: Instant,
    peer: PeerId,
    /// The height that this node was at.
    height: u32,
}
/// Votes sent to one peer at a time. Its queue takes 2,048 messages and is closed
/// when it overflows.
const MAX_SENT_AGAIN: usize = 256;

/// Why a certified block was not adopted.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdoptError {
    #[error("not a block of the next height")]
    WrongHeight,
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("the body is not that of the block")]
    WrongBody,
    #[error("a certified block does not execute here: {0}")]
    Execution(String),
    #[error(transparent)]
    Import(#[from] ImportError),
}

impl AdoptError {
    /// Whether the block is not of the set that has the height here, and never will be.
    pub(super) fn is_of_another_set(&self) -> bool {
        matches!(self, Self::Certificate(_) | Self::Import(ImportError::OtherSet))
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
    /// Sends again what this node knows if the height makes no progress.
    pub(super) async fn on_stall_tick(&mut self) {
        // Sync tells nobody of blocks that it imports in bulk.
        let done = self.client.info().finalized_number;
        if self.height.as_ref().is_some_and(|height| height.schedule.height.0 <= done) {
            self.begin_next_height().await;
        }
        self.import.retry_take_over().await;
        self.take_up_hand_over().await;
        self.stop_where_told();
        self.take_up_late_keys().await;
        self.publish_status();
        let Some(height) = &self.height else { return };
        let parameters = &height.schedule.parameters;
        let patience = parameters.block_time_ms.max(parameters.prevote_timeout_ms);
        if self.last_progress.elapsed() < Duration::from_millis(patience) {
            return;
        }
        let (at, round) = (height.schedule.height.0, self.core.round().0);
        self.greet_again();
        let Some(height) = &self.height else { return };
        let missing: Vec<BlockId> = height.unanswered.keys().copied().collect();
        // Everybody: who was cut off is heard again only if it hears.
        let everybody = self.mesh.peers().to_vec();
        self.mesh.send_vote(&everybody, &VotesMessage::Status { height: at, round });
        self.send_known(&self.audience());
        missing.into_iter().for_each(|block| self.fetch(block));
    }

    /// Sends votes and proposals of this height again, old rounds included: a lock
    /// or a decision may rest on any of them.
    ///
    /// Of many rounds there are more than a connection takes at once. Those of the
    /// newest rounds and of a lock always go, the others take turns.
    pub(super) fn send_known(&mut self, to: &[PeerId]) {
        let Some(height) = &self.height else { return };
        let newest = self.core.round().0.saturating_sub(1);
        let proofs = [self.core.locked(), self.core.valid()];
        let matters = |round: u16| {
            round >= newest || proofs.iter().flatten().any(|(proof, _)| proof.0 == round)
        };
        let (now, old): (Vec<_>, Vec<_>) =
            height.votes.iter().partition(|(vote, _)| matters(vote.round.0));
        let turns = MAX_SENT_AGAIN.saturating_sub(now.len()).max(MAX_SENT_AGAIN / 4);
        let start = self.resend_from.checked_rem(old.len()).unwrap_or(0);
        let (before, after) = old.split_at(start);
        let old = after.iter().chain(before).take(turns);
        let votes = now.iter().take(MAX_SENT_AGAIN).chain(old);
        let votes = votes.map(|(_, signed)| VotesMessage::Vote((*signed).clone()));
        let proposals = height.proposals.range(newest..).map(|(_, signed)| signed);
        let proposals = proposals.map(|signed| {
            let proof = height.proof_for(&signed.proposal());
            ProposalsMessage::Proposal(signed.clone(), None, proof)
        });
        let (votes, proposals): (Vec<_>, Vec<_>) = (votes.collect(), proposals.collect());
        self.resend_from = start.wrapping_add(turns);
        for message in proposals {
            self.mesh.send_proposal(to, &message);
        }
        for message in votes {
            self.mesh.send_vote(to, &message);
        }
    }

    /// Peers for whom it is worth sending what they can get later as well: all but
    /// sequencers that have fallen silent.
    ///
    /// Such a one is cut off, and what is sent to it waits. The queue of a connection is
    /// short; when it overflows, the connection is closed, and making a new one takes
    /// longer after the cut than it takes the old one to come to life again. Bodies
    /// would fill the memory besides. Who is heard again gets what it missed.
    pub(super) fn audience(&self) -> Vec<PeerId> {
        let within = self.unheard_after();
        let talks = |peer: &&PeerId| {
            let known = self.peers.get(peer);
            known.is_none_or(|known| known.key.is_none() || known.was_heard(within))
        };
        self.mesh.peers().iter().filter(talks).copied().collect()
    }

    /// A peer makes no progress: help it on.
    pub(super) fn on_status(&mut self, peer: PeerId, height: u32) {
        let now = Instant::now();
        let Some(known) = self.peers.get_mut(&peer) else { return };
        // Others have block sync.
        let (interval, most) = match known.key {
            Some(_) => (HELP_INTERVAL, MAX_HELP),
            None => (HELP_INTERVAL_OF_STRANGERS, 1),
        };
        let too_soon = |helped: &Helped| {
            let comes_on = known.key.is_some() && height > helped.height;
            let pause = if comes_on { helped.pause } else { interval.max(helped.pause) };
            now.duration_since(helped.at) < pause
        };
        if known.helped.as_ref().is_some_and(too_soon) {
            return;
        }
        known.helped = Some(Helped { at: now, height, pause: interval });
        let best = self.client.info().finalized_number;
        if height > 0 && height <= best {
            let (blocks, bytes) = self.certified_blocks(height, best, most);
            let by_bytes = (bytes / HELP_BYTES_PER_MS) as u64;
            let pause = by_bytes.max(blocks.len() as u64 * MS_PER_BLOCK);
            if let Some(helped) = self.peers.get_mut(&peer).and_then(|peer| peer.helped.as_mut()) {
                helped.pause = Duration::from_millis(pause);
            }
            if !blocks.is_empty() {
                self.mesh.send_proposal(&[peer], &ProposalsMessage::Certified(blocks));
            }
        } else if self.height.as_ref().is_some_and(|ours| ours.schedule.height.0 == height) {
            self.send_known(&[peer]);
        }
    }

    /// A peer votes on a height that this node is far from: asks it for what lies
    /// between, now and then.
    pub(super) fn ask_who_is_ahead(&mut self, peer: PeerId) {
        let Some(height) = self.height.as_ref().map(|height| height.schedule.height.0) else {
            return;
        };
        let too_soon = |asked: &Asked| {
            let in_vain = asked.peer == peer && asked.height == height;
            asked.at.elapsed() < if in_vain { ASK_AGAIN } else { ASK_INTERVAL }
        };
        // Anybody can write any height into a vote.
        let known = self.peers.get(&peer).is_some_and(|known| known.key.is_some());
        if known && !self.asked.as_ref().is_some_and(too_soon) {
            self.ask(peer, height);
        }
    }

    fn ask(&mut self, peer: PeerId, height: u32) {
        self.asked = Some(Asked { at: Instant::now(), peer, height });
        let status = VotesMessage::Status { height, round: self.core.round().0 };
        self.mesh.send_vote(&[peer], &status);
    }

    /// Certified blocks that one answer takes, and the size of their bodies.
    fn certified_blocks(&self, from: u32, best: u32, most: u32) -> (Vec<CertifiedBlock>, usize) {
        let mut bytes = 0;
        let blocks = (from..=best.min(from.saturating_add(most.saturating_sub(1))))
            .map_while(|number| {
                let hash = self.client.hash(number).ok()??;
                let signed = self.client.block(hash).ok()??;
                let certificate = certificate_of(&signed.justifications?).ok()?;
                let size = codec::Encode::encoded_size(&signed.block);
                let fits = number == from || bytes + size <= MAX_HELP_BYTES;
                bytes += if fits { size } else { 0 };
                fits.then_some(CertifiedBlock { block: signed.block, certificate })
            })
            .collect();
        (blocks, bytes)
    }

    /// Takes certified blocks up, as far as they follow on the finalized one, and asks
    /// for those behind them.
    pub(super) async fn on_certified(&mut self, peer: PeerId, blocks: Vec<CertifiedBlock>) {
        let last = blocks.last().map(|last| last.block.header.number);
        let mut taken = None;
        for block in blocks.into_iter().take(MAX_HELP as usize) {
            self.look_at_certified(&block);
            let Some(height) = &self.height else { return };
            if block.block.header.number != height.schedule.height.0 {
                continue;
            }
            let schedule = (*height.schedule).clone();
            let number = schedule.height.0;
            // Into the log as well, like those decided here: one block missing in
            // it would make all later ones useless to a database that lost its end.
            let records = [
                Record::Block(block.block.clone()),
                Record::Decided {
                    height: number,
                    set_id: schedule.set.set_id,
                    block: block.block.hash(),
                    certificate: block.certificate.clone(),
                },
            ];
            if let Err(error) = self.adopt(schedule, block).await {
                log::debug!(target: "l2::bft", "certified block of {peer} not taken: {error}");
                return;
            }
            self.note_decided(&records);
            self.begin_next_height().await;
            taken = Some(number);
        }
        // Only who brought the last block is asked on: others that answered the same
        // question brought nothing new, and would go on doing so.
        let Some(height) = self.height.as_ref().filter(|_| taken.is_some() && taken == last) else {
            return;
        };
        let next = height.schedule.height.0;
        self.ask(peer, next);
    }

    /// Checks, executes and imports one certified block of the next height.
    pub(super) async fn adopt(
        &mut self,
        schedule: Schedule,
        certified: CertifiedBlock,
    ) -> Result<(), AdoptError> {
        let CertifiedBlock { block, certificate } = certified;
        let (hash, number) = (block.hash(), block.header.number);
        if number != schedule.height.0 {
            return Err(AdoptError::WrongHeight);
        }
        let members: Vec<sp_consensus_grandpa::AuthorityId> =
            schedule.set.members.iter().map(|member| member.grandpa.into()).collect();
        verify_certificate(&certificate, hash, number, schedule.set.set_id, members.iter())?;
        if !body_fits(&block, schedule.body_version) {
            return Err(AdoptError::WrongBody);
        }
        let outcome = executor::execute(&self.client, &self.backend, &schedule, block, None);
        match outcome {
            Outcome::Valid(executed) => {
                Ok(self.import.import_decided(*executed, &certificate).await?)
            }
            // The same keys may certify for several hand-overs, under one set id, and then for
            // what stands on each.
            Outcome::Invalid(InvalidBlock::Header(
                HeaderError::NotAccepted | HeaderError::WrongHandOver | HeaderError::WrongParent,
            )) => Err(ImportError::OtherSet.into()),
            Outcome::Invalid(reason) => Err(AdoptError::Execution(reason.to_string())),
            Outcome::Internal(error) => Err(AdoptError::Execution(error)),
            Outcome::Untimely | Outcome::Unproven => Err(AdoptError::Execution("untimely".into())),
        }
    }

    /// A decision whose import failed: judged and imported again later.
    pub(super) fn undecided(&mut self, certified: CertifiedBlock) {
        let Some(height) = &mut self.height else { return };
        let id = block_id(&certified.block);
        height.decided = Some((id, certified.certificate));
        height.keep_body(id, certified.block, &self.core);
        height.unanswered.insert(id, false);
        self.retry_soon();
    }

    /// Judges again what an internal error left unjudged.
    pub(super) fn retry_lost_work(&mut self) {
        let Some(height) = &self.height else { return };
        let questions: Vec<_> = height.unanswered.iter().map(|(id, first)| (*id, *first)).collect();
        for (block, first_proposal) in questions {
            self.validate(block, first_proposal);
        }
    }
}

impl From<VerifyError> for AdoptError {
    fn from(error: VerifyError) -> Self {
        Self::Execution(error.to_string())
    }
}
