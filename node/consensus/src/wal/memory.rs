//! What a log says, after a restart.
//!
//! What was said and locked in one set binds in no other: a set that a hand-over puts into
//! force decides its first height anew. So all but blocks is asked for by [`Instance`].

use super::Record;
use crate::wire::{CertifiedBlock, Instance, SignedProposal, SignedVote};
use cascoin_bft::{BlockId, Height, Recovery, Round};
use cascoin_l2_primitives::{chain::OpaqueBlock, consensus::Certificate};
use sp_core::H256;
use sp_runtime::traits::{Block as _, Header as _};
use std::collections::BTreeMap;

/// How far back a vote is looked for that is written a second time.
const REPEATED: usize = 1_024;

/// The part of a log that a restart needs.
#[derive(Default)]
pub struct Memory {
    blocks: BTreeMap<H256, OpaqueBlock>,
    votes: Vec<SignedVote>,
    proposals: Vec<SignedProposal>,
    lock: Option<(Instance, u16, H256)>,
    decided: BTreeMap<Instance, (H256, Certificate)>,
}

impl Memory {
    pub(crate) fn learn(&mut self, record: Record) {
        let at = |height, set_id| Instance { height: Height(height), set_id };
        match record {
            Record::Header { .. } => {}
            Record::Block(block) => {
                self.blocks.insert(block.hash(), block);
            }
            // Some are written again when a log is opened.
            Record::Proposal(proposal) if self.proposals.contains(&proposal) => {}
            Record::Proposal(proposal) => self.proposals.push(proposal),
            Record::Vote(vote) if self.votes.iter().rev().take(REPEATED).any(|v| *v == vote) => {}
            Record::Vote(vote) => self.votes.push(vote),
            Record::Lock { height, set_id, round, block } => {
                self.lock = Some((at(height, set_id), round, block));
            }
            Record::Decided { height, set_id, block, certificate } => {
                self.decided.insert(at(height, set_id), (block, certificate));
            }
        }
    }

    /// Forgets what is below `height`.
    pub fn forget_below(&mut self, height: Height) {
        self.blocks.retain(|_, block| *block.header().number() >= height.0);
        self.votes.retain(|vote| vote.instance().height >= height);
        self.proposals.retain(|proposal| proposal.instance().height >= height);
        self.lock = self.lock.filter(|(at, ..)| at.height >= height);
        self.decided.retain(|at, _| at.height >= height);
    }

    /// The block that a set decided at a height, if its body is here: what a database that
    /// lost its end must import again.
    pub fn decided_at(&self, at: Instance) -> Option<CertifiedBlock> {
        let (hash, certificate) = self.decided.get(&at)?;
        let block = self.blocks.get(hash)?.clone();
        Some(CertifiedBlock { block, certificate: certificate.clone() })
    }

    /// Forgets a decision that is another set's.
    pub(crate) fn forget_decided(&mut self, at: Instance) {
        self.decided.remove(&at);
    }

    /// The last height at which this node voted, proposed or locked, and the last set in which
    /// it did so there. Below both this node must not sign: at lower heights older records may
    /// be gone from the log, and the network has decided them, or nobody could be at this one;
    /// and who has signed for a later set of a height has left the earlier one.
    pub fn highest(&self) -> Option<Instance> {
        let votes = self.votes.iter().map(SignedVote::instance);
        let proposals = self.proposals.iter().map(SignedProposal::instance);
        let lock = self.lock.map(|(at, ..)| at);
        votes.chain(proposals).chain(lock).max()
    }

    /// What the log says of `height`, in all sets, as records again.
    pub(super) fn records_at(&self, height: Height) -> Vec<Record> {
        let blocks = self.blocks_at(height).cloned().map(Record::Block);
        let proposals = self.proposals.iter().filter(|one| one.instance().height == height);
        let proposals = proposals.cloned().map(Record::Proposal);
        let votes = self.votes.iter().filter(|vote| vote.instance().height == height);
        let votes = votes.cloned().map(Record::Vote);
        let lock = self.lock.filter(|(at, ..)| at.height == height);
        let lock = lock.map(|(at, round, block)| Record::Lock {
            height: at.height.0,
            set_id: at.set_id,
            round,
            block,
        });
        let decided = self.decided.iter().filter(|(at, _)| at.height == height);
        let decided = decided.map(|(at, (block, certificate))| Record::Decided {
            height: at.height.0,
            set_id: at.set_id,
            block: *block,
            certificate: certificate.clone(),
        });
        blocks.chain(proposals).chain(votes).chain(lock).chain(decided).collect()
    }

    /// What this node did at a height in a set.
    pub fn recovery(&self, at: Instance) -> Recovery {
        let lock = self
            .lock
            .filter(|(taken_in, ..)| *taken_in == at)
            .map(|(_, round, block)| (Round(round), BlockId(block.0)));
        Recovery {
            votes: self.votes_at(at).map(SignedVote::vote).collect(),
            proposals: self.proposals_at(at).map(SignedProposal::proposal).collect(),
            lock,
            valid: lock,
        }
    }

    /// The signed votes of a height in a set, to be sent again.
    pub fn votes_at(&self, at: Instance) -> impl Iterator<Item = &SignedVote> {
        self.votes.iter().filter(move |vote| vote.instance() == at)
    }

    /// The signed proposals of a height in a set, to be sent again.
    pub fn proposals_at(&self, at: Instance) -> impl Iterator<Item = &SignedProposal> {
        self.proposals.iter().filter(move |proposal| proposal.instance() == at)
    }

    /// Blocks that were proposed at `height`, in whatever set.
    pub fn blocks_at(&self, height: Height) -> impl Iterator<Item = &OpaqueBlock> {
        self.blocks.values().filter(move |block| *block.header().number() == height.0)
    }
}
