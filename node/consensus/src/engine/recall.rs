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
//!
//! # Two sets with one id
//!
//! A set id names one set on one chain. But operators who empty a database and accept another
//! hand-over, or one where the set before went on, can give an id and a height a second set. The
//! log then holds what was said in the first one, by indices of the first one: own votes would
//! pass for others', and the key sign the same rounds again. So before this node signs at a
//! height it looks whether all that the log holds of it is of the set it is about to sign in, and
//! else leaves the height to others.

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
use cascoin_l2_primitives::chain::{OpaqueBlock, SequencerSet};
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
    /// The log knows another set by this id.
    #[error(
        "the write-ahead log holds messages of {0} that are of another set with this id, from \
         before another hand-over was accepted; signing again above the last height that this key \
         has signed at"
    )]
    OtherSet(Instance),
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
        if self.is_silent(&keys, at) {
            return None;
        }
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
            RecallError::OtherSet(at) => self.leave_to_others(&keys, at),
        }
        None
    }

    /// These keys do not sign at a height in a set; in one with a higher id they do, and at the
    /// next height.
    pub(super) fn leave_to_others(&mut self, keys: &LocalKeys, at: Instance) {
        let below = Instance { set_id: at.set_id.saturating_add(1), ..at };
        self.silence = Some(Silence { key: keys.grandpa, below });
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
        let context = SigningContext { genesis: self.genesis, set_id: schedule.set.set_id };
        if !is_all_of(&self.memory, here, &context, &schedule.set) {
            return Err(RecallError::OtherSet(here));
        }
        let signed = keys.last_signed()?;
        let Some(message) = signed.first() else { return Ok(()) };
        match Said::instance_of(message) {
            Some(last) if last < here => return Ok(()),
            Some(last) if last > here => return Err(RecallError::Later(last)),
            _ => {}
        }
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

/// Whether members of a set signed all votes and proposals that the log holds of it at a height,
/// each under its own index. Then what this node said itself stands under its index of now.
fn is_all_of(memory: &Memory, at: Instance, context: &SigningContext, set: &SequencerSet) -> bool {
    let key = |index: SequencerIndex| Some(&set.members.get(usize::from(index.0))?.grandpa);
    let mut votes = memory.votes_at(at);
    let mut proposals = memory.proposals_at(at);
    votes.all(|vote| key(vote.vote().voter).is_some_and(|key| vote.verify(context, key)))
        && proposals
            .all(|one| key(one.proposal().proposer).is_some_and(|key| one.verify(context, key)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_bft::{BlockId, Height, Proposal, Round, Vote};
    use cascoin_l2_primitives::chain::{BlockHash, SequencerInfo};
    use sp_core::{ecdsa, Pair};

    const AT: Instance = Instance { height: Height(9), set_id: 4 };
    const CONTEXT: SigningContext = SigningContext { genesis: BlockHash::zero(), set_id: 4 };

    fn pair(seed: u8) -> ed25519::Pair {
        ed25519::Pair::from_seed(&[seed; 32])
    }

    fn set(seeds: &[u8]) -> SequencerSet {
        let member = |seed: &u8| SequencerInfo {
            account: [*seed; 32].into(),
            aura: pair(*seed).public(),
            grandpa: pair(*seed).public(),
            relay: pair(*seed).public(),
            vault: ecdsa::Public::from_raw([2; 33]),
            weight: 1,
            barred: false,
        };
        SequencerSet { set_id: AT.set_id, members: seeds.iter().map(member).collect() }
    }

    fn vote(seed: u8, index: u16) -> Record {
        let (height, round, voter) = (AT.height, Round(2), SequencerIndex(index));
        let vote = Vote { kind: VoteKind::Prevote, height, round, block: None, voter };
        let signature = pair(seed).sign(&SignedVote::payload(&vote, &CONTEXT));
        Record::Vote(SignedVote::new(&vote, &CONTEXT, signature))
    }

    fn proposal(seed: u8, index: u16) -> Record {
        let proposal = Proposal {
            height: AT.height,
            round: Round(2),
            block: BlockId([3; 32]),
            valid_round: None,
            proposer: SequencerIndex(index),
        };
        let signature = pair(seed).sign(&SignedProposal::payload(&proposal, &CONTEXT));
        Record::Proposal(SignedProposal::new(&proposal, &CONTEXT, signature))
    }

    /// R17.6: what was said in one set is told from what is said in another one with its id.
    #[test]
    fn r17_6_a_log_of_another_set_with_the_same_id_is_known() {
        let fits = |records: &[Record], at: Instance, seeds: &[u8]| {
            let mut memory = Memory::default();
            records.iter().for_each(|record| memory.learn(record.clone()));
            is_all_of(&memory, at, &SigningContext { set_id: at.set_id, ..CONTEXT }, &set(seeds))
        };
        let own = [vote(7, 1), proposal(7, 1)];
        assert!(fits(&[], AT, &[5, 7]));
        assert!(fits(&own, AT, &[5, 7]));
        for records in [&own[..1], &own[1..]] {
            assert!(!fits(records, AT, &[7, 8]), "its key has another index");
            assert!(!fits(records, AT, &[7]), "nobody has that index");
            assert!(!fits(records, AT, &[5, 6]), "its key is not in the set");
            assert!(fits(records, Instance { height: Height(10), ..AT }, &[7, 8]));
            assert!(fits(records, Instance { set_id: 5, ..AT }, &[7, 8]));
        }
        // Its own words fit, and those that its lock rests on do not.
        let with_others = [vote(7, 1), vote(5, 0), vote(9, 2)];
        assert!(fits(&with_others, AT, &[5, 7, 9]));
        assert!(!fits(&with_others, AT, &[5, 7, 8]));
    }
}
