//! What a log says, after a restart.

use super::Record;
use crate::wire::{CertifiedBlock, SignedProposal, SignedVote};
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
    lock: Option<(u32, u16, H256)>,
    decided: BTreeMap<u32, (H256, Certificate)>,
}

impl Memory {
    pub(crate) fn learn(&mut self, record: Record) {
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
            Record::Lock { height, round, block } => self.lock = Some((height, round, block)),
            Record::Decided { height, block, certificate } => {
                self.decided.insert(height, (block, certificate));
            }
        }
    }

    /// Forgets what is below `height`.
    pub fn forget_below(&mut self, height: Height) {
        self.blocks.retain(|_, block| *block.header().number() >= height.0);
        self.votes.retain(|vote| vote.vote().height >= height);
        self.proposals.retain(|proposal| proposal.proposal().height >= height);
        self.lock = self.lock.filter(|(at, ..)| *at >= height.0);
        self.decided = self.decided.split_off(&height.0);
    }

    /// The decided block of `height`, if its body is here: what a database that
    /// lost its end must import again.
    pub fn decided_at(&self, height: Height) -> Option<CertifiedBlock> {
        let (hash, certificate) = self.decided.get(&height.0)?;
        let block = self.blocks.get(hash)?.clone();
        Some(CertifiedBlock { block, certificate: certificate.clone() })
    }

    /// The highest height at which this node voted, proposed or locked. Below it
    /// this node must not sign: older records may be gone from the log, and the
    /// network has decided those heights, or nobody could be at this one.
    pub fn highest(&self) -> Option<Height> {
        let votes = self.votes.iter().map(|vote| vote.vote().height);
        let proposals = self.proposals.iter().map(|proposal| proposal.proposal().height);
        let lock = self.lock.map(|(height, ..)| Height(height));
        votes.chain(proposals).chain(lock).max()
    }

    /// What the log says of `height`, as records again.
    pub(super) fn records_at(&self, height: Height) -> Vec<Record> {
        let blocks = self.blocks_at(height).cloned().map(Record::Block);
        let proposals = self.proposals_at(height).cloned().map(Record::Proposal);
        let votes = self.votes_at(height).cloned().map(Record::Vote);
        let lock = self.lock.filter(|(at, ..)| *at == height.0);
        let lock = lock.map(|(height, round, block)| Record::Lock { height, round, block });
        let decided = self.decided.get(&height.0).map(|(block, certificate)| Record::Decided {
            height: height.0,
            block: *block,
            certificate: certificate.clone(),
        });
        blocks.chain(proposals).chain(votes).chain(lock).chain(decided).collect()
    }

    /// What this node did at `height`.
    pub fn recovery(&self, height: Height) -> Recovery {
        let lock = self
            .lock
            .filter(|(at, ..)| *at == height.0)
            .map(|(_, round, block)| (Round(round), BlockId(block.0)));
        Recovery {
            votes: self.votes_at(height).map(SignedVote::vote).collect(),
            proposals: self.proposals_at(height).map(SignedProposal::proposal).collect(),
            lock,
            valid: lock,
        }
    }

    /// The signed votes of `height`, to be sent again.
    pub fn votes_at(&self, height: Height) -> impl Iterator<Item = &SignedVote> {
        self.votes.iter().filter(move |vote| vote.vote().height == height)
    }

    /// The signed proposals of `height`, to be sent again.
    pub fn proposals_at(&self, height: Height) -> impl Iterator<Item = &SignedProposal> {
        self.proposals.iter().filter(move |proposal| proposal.proposal().height == height)
    }

    /// Blocks that were proposed at `height`.
    pub fn blocks_at(&self, height: Height) -> impl Iterator<Item = &OpaqueBlock> {
        self.blocks.values().filter(move |block| *block.header().number() == height.0)
    }
}
