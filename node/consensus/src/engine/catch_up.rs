//! Getting unstuck: sending again, fetching what is missing, helping who is
//! behind and being helped.

use super::{Done, Engine, Schedule};
use crate::{
    client::EngineClient,
    executor::{self, Outcome},
    header::{block_id, hash_of},
    import::{certificate_of, ImportError, VerifyError},
    transport::Transport,
    wal::Record,
    wire::{BlockRequest, BlockResponse, CertifiedBlock, ProposalsMessage, VotesMessage},
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
const MAX_HELP: u32 = 8;
/// Bytes of bodies in one answer; the first block always goes.
const MAX_HELP_BYTES: usize = 4 * 1024 * 1024;
/// How often one peer is helped.
const HELP_INTERVAL: Duration = Duration::from_millis(200);

/// Why a certified block was not adopted.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdoptError {
    #[error("not a block of the next height")]
    WrongHeight,
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("a certified block does not execute here: {0}")]
    Execution(String),
    #[error(transparent)]
    Import(#[from] ImportError),
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
        self.take_up_late_keys().await;
        self.publish_status();
        let Some(height) = &self.height else { return };
        let parameters = &height.schedule.parameters;
        let patience = parameters.block_time_ms.max(parameters.prevote_timeout_ms);
        if self.last_progress.elapsed() < Duration::from_millis(patience) {
            return;
        }
        let (at, round) = (height.schedule.height.0, self.core.round().0);
        let missing: Vec<BlockId> = height.unanswered.keys().copied().collect();
        self.mesh.broadcast_vote(&VotesMessage::Status { height: at, round }, None);
        self.send_known(None);
        missing.into_iter().for_each(|block| self.fetch(block));
    }

    /// Sends all votes and proposals of this height, old rounds included: a lock
    /// or a decision may rest on any of them.
    pub(super) fn send_known(&mut self, to: Option<PeerId>) {
        let Some(height) = &self.height else { return };
        for signed in height.proposals.values() {
            let message = ProposalsMessage::Proposal(signed.clone(), None);
            match to {
                Some(peer) => self.mesh.send_proposal(&peer, &message),
                None => self.mesh.broadcast_proposal(&message),
            }
        }
        for signed in height.votes.values() {
            let message = VotesMessage::Vote(signed.clone());
            match to {
                Some(peer) => self.mesh.send_vote(&peer, &message),
                None => self.mesh.broadcast_vote(&message, None),
            }
        }
    }

    /// A peer makes no progress: help it on.
    pub(super) fn on_status(&mut self, peer: PeerId, height: u32) {
        let now = Instant::now();
        let Some(known) = self.peers.get_mut(&peer) else { return };
        if known.helped.is_some_and(|at| now.duration_since(at) < HELP_INTERVAL) {
            return;
        }
        known.helped = Some(now);
        let best = self.client.info().finalized_number;
        if height > 0 && height <= best {
            let blocks = self.certified_blocks(height, best);
            if !blocks.is_empty() {
                self.mesh.send_proposal(&peer, &ProposalsMessage::Certified(blocks));
            }
        } else if self.height.as_ref().is_some_and(|ours| ours.schedule.height.0 == height) {
            self.send_known(Some(peer));
        }
    }

    fn certified_blocks(&self, from: u32, best: u32) -> Vec<CertifiedBlock> {
        let mut bytes = 0;
        (from..=best.min(from.saturating_add(MAX_HELP - 1)))
            .map_while(|number| {
                let hash = self.client.hash(number).ok()??;
                let signed = self.client.block(hash).ok()??;
                let certificate = certificate_of(&signed.justifications?).ok()?;
                bytes += codec::Encode::encoded_size(&signed.block);
                let fits = number == from || bytes <= MAX_HELP_BYTES;
                fits.then_some(CertifiedBlock { block: signed.block, certificate })
            })
            .collect()
    }

    /// Takes certified blocks up, as far as they follow on the finalized one.
    pub(super) async fn on_certified(&mut self, peer: PeerId, blocks: Vec<CertifiedBlock>) {
        for block in blocks.into_iter().take(MAX_HELP as usize) {
            let Some(height) = &self.height else { return };
            if block.block.header.number != height.schedule.height.0 {
                continue;
            }
            let schedule = (*height.schedule).clone();
            // Into the log as well, like those decided here: one block missing in
            // it would make all later ones useless to a database that lost its end.
            let records = [
                Record::Block(block.block.clone()),
                Record::Decided {
                    height: schedule.height.0,
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
        }
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
        let outcome = executor::execute(&self.client, &self.backend, &schedule, block, false, 0);
        match outcome {
            Outcome::Valid(executed) => {
                Ok(self.import.import_decided(*executed, &certificate).await?)
            }
            Outcome::Invalid(reason) => Err(AdoptError::Execution(reason.to_string())),
            Outcome::Internal(error) => Err(AdoptError::Execution(error)),
            Outcome::Untimely => Err(AdoptError::Execution("untimely".into())),
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

    /// Asks some peer for a block, another one each time.
    pub(super) fn fetch(&mut self, block: BlockId) {
        let peers = self.mesh.peers();
        let Some(height) = &mut self.height else { return };
        let Some(peer) = pick(peers, self.fetches) else { return };
        if height.bodies.contains_key(&block) || !height.fetching.insert(block) {
            return;
        }
        self.fetches = self.fetches.wrapping_add(1);
        let reply = self.mesh.fetch(peer, BlockRequest::ByHash(hash_of(block)));
        let (at, done) = (height.schedule.height, self.done.0.clone());
        tokio::spawn(async move {
            let body = reply.await;
            let _ = done.send(Done::Fetched { height: at, block, body });
        });
    }

    /// What a peer asked for, if it is here.
    pub(super) fn answer(&self, request: &BlockRequest) -> BlockResponse {
        let BlockRequest::ByHash(hash) = request;
        let proposed = self.height.as_ref().and_then(|h| h.bodies.get(&BlockId(hash.0)));
        proposed.cloned().or_else(|| Some(self.client.block(*hash).ok()??.block))
    }
}

fn pick(peers: &[PeerId], turn: usize) -> Option<PeerId> {
    peers.get(turn % peers.len().max(1)).copied()
}

impl From<VerifyError> for AdoptError {
    fn from(error: VerifyError) -> Self {
        Self::Execution(error.to_string())
    }
}
