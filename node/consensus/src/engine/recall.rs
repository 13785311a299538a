//! What a signer that remembers has signed, and this node's log does not know.
//!
//! Such a signer, as the HSM's, keeps what it signed last on a disk before it gives the signature
//! out. A node that was killed then, or whose disk was full, has no trace of that in its log. It
//! might say something else in its place, which the signer refuses, and so miss the whole round or,
//! as its leader, hold the height up. So before a height begins the log learns from the signer.
//!
//! What makes that sound: all that a signature rests on (what was signed before, a lock with its
//! prevotes, the body of a proposal) is in the log before the signer is asked for it
//! ([`Engine::settle`]). So the log lacks one message at most, and nothing that this one rests on.
//! A log that lacks more is not the one that the key was used with last: an old copy, say. Then
//! nobody knows which locks bind this node, and it does not sign at that height.

use super::{Engine, Schedule, RETRY};
use crate::{
    client::EngineClient,
    keys::{LocalKeys, SignError},
    said::Said,
    transport::Transport,
    wal::{Memory, Record},
    wire::{Instance, SignedProposal, SignedVote, SigningContext},
};
use cascoin_bft::{SequencerIndex, VoteKind};
use cascoin_l2_primitives::chain::OpaqueBlock;
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sp_consensus::Environment;
use sp_core::ed25519;
use std::time::Instant;

/// Why these keys do not sign at a height.
#[derive(Debug, thiserror::Error)]
enum RecallError {
    /// The signer cannot be asked, or does not repeat what it signed.
    #[error(transparent)]
    Signer(#[from] SignError),
    /// It does not last in the log.
    #[error("what the signer signed last cannot be logged")]
    Log,
    /// The database is older than the signer's memory.
    #[error("the signer has signed at {0} already")]
    Later(Instance),
    /// What it remembers is no message of this chain.
    #[error("the signer remembers a message of {0} that is of no use here")]
    Foreign(Instance),
    /// The log is older than the signer's memory.
    #[error(
        "the signer has signed more at {0} than the write-ahead log holds, which is an old copy \
         or has lost its end; signing again at the next height"
    )]
    LogBehind(Instance),
}

/// A key that must not sign below a height and set.
#[derive(Clone, Copy)]
pub(super) struct Silence {
    key: ed25519::Public,
    below: Instance,
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
    /// The keys, if they may sign at a height, with their log open: then the log holds all that
    /// they have signed at it.
    pub(super) fn keys_for(
        &mut self,
        schedule: &Schedule,
        keys: Option<LocalKeys>,
    ) -> Option<LocalKeys> {
        let keys = keys?;
        let at = schedule.instance();
        if !self.may_sign_at(at) {
            log::info!(
                target: "l2::bft",
                "not signing at {at}: this key has signed at a higher one, or for a later set",
            );
            return None;
        }
        let Err(error) = self.recall(schedule, &keys) else { return Some(keys) };
        self.complain("this node does not sign", &error);
        let key = keys.grandpa;
        match error {
            // Both may be better soon.
            RecallError::Signer(_) | RecallError::Log => {
                self.wal = None;
                self.log_retry_at = Some(Instant::now() + RETRY);
            }
            RecallError::Later(below) => self.silence = Some(Silence { key, below }),
            // A set that a hand-over puts into force at this height has its own messages.
            RecallError::Foreign(at) | RecallError::LogBehind(at) => {
                let below = Instance { set_id: at.set_id.saturating_add(1), ..at };
                self.silence = Some(Silence { key, below });
            }
        }
        None
    }

    /// Whether these keys were found not to be allowed to sign at a height in a set.
    pub(super) fn is_silent(&self, keys: &LocalKeys, at: Instance) -> bool {
        self.silence.is_some_and(|silence| silence.key == keys.grandpa && at < silence.below)
    }

    /// Logs what a signature is about to rest on, if its signer remembers it. `false`: it is not
    /// safe, and nothing may be signed.
    pub(super) fn settle(&mut self, keys: &LocalKeys, records: &mut Vec<Record>) -> bool {
        if !keys.remember() {
            return true;
        }
        let settled = self.persist(records);
        if settled {
            records.clear();
        }
        settled
    }

    /// Makes the log hold what the signer has signed at a height in a set.
    fn recall(&mut self, schedule: &Schedule, keys: &LocalKeys) -> Result<(), RecallError> {
        let here = schedule.instance();
        let signed = keys.last_signed()?;
        let Some(message) = signed.first() else { return Ok(()) };
        match Said::instance_of(message) {
            Some(last) if last < here => return Ok(()),
            Some(last) if last > here => return Err(RecallError::Later(last)),
            _ => {}
        }
        let context = SigningContext { genesis: self.genesis, set_id: schedule.set.set_id };
        let me = SequencerIndex(keys.index);
        let read = |message: &Vec<u8>| Said::read(message, &context, me);
        let said = read(message).ok_or(RecallError::Foreign(here))?;
        if knows(&self.memory, here, &said) {
            return Ok(());
        }
        let before_is_known = signed.get(1).is_none_or(|before| {
            Said::instance_of(before).is_some_and(|at| at < here)
                || read(before).is_some_and(|before| knows(&self.memory, here, &before))
        });
        if !before_is_known || !has_what_it_rests_on(&self.memory, here, &said) {
            return Err(RecallError::LogBehind(here));
        }
        // The very message at the mark, so the signer signs it again.
        let signature = keys.sign(message)?;
        let record = match &said {
            Said::Vote(vote) => Record::Vote(SignedVote::new(vote, &context, signature)),
            Said::Proposal(proposal) => {
                Record::Proposal(SignedProposal::new(proposal, &context, signature))
            }
        };
        log::info!(
            target: "l2::bft",
            "the signer has signed what the log does not hold, which learns it: {}",
            record.to_line(),
        );
        if !self.persist(std::slice::from_ref(&record)) {
            return Err(RecallError::Log);
        }
        self.memory.learn(record);
        Ok(())
    }
}

/// Whether the log holds what was said at a height in a set.
fn knows(memory: &Memory, at: Instance, said: &Said) -> bool {
    match said {
        Said::Vote(vote) => memory.votes_at(at).any(|known| known.vote() == *vote),
        Said::Proposal(proposal) => {
            memory.proposals_at(at).any(|known| known.proposal() == *proposal)
        }
    }
}

/// A precommit for a block rests on its lock; a new block's proposal on the body, which nobody
/// else has.
fn has_what_it_rests_on(memory: &Memory, at: Instance, said: &Said) -> bool {
    match said {
        Said::Vote(vote) => match (vote.kind, vote.block) {
            (VoteKind::Precommit, Some(block)) => {
                memory.recovery(at).lock == Some((vote.round, block))
            }
            _ => true,
        },
        Said::Proposal(proposal) => {
            proposal.valid_round.is_some()
                || memory
                    .blocks_at(proposal.height)
                    .any(|block| crate::header::block_id(block) == proposal.block)
        }
    }
}
