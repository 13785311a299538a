//! What a log says, after a restart.

use super::Record;
use crate::wire::{CertifiedBlock, SignedProposal, SignedVote};
use cascoin_bft::{BlockId, Height, Recovery, Round};
use cascoin_l2_primitives::{chain::OpaqueBlock, consensus::Certificate};
use sp_core::H256;
use sp_runtime::traits::{Block as _, Header as _};
use std::collections::BTreeMap;

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
    pub(super) fn learn(&mut self, record: Record) {
        match record {
            Record::Header { .. } => {}
            Record::Block(block) => {
                self.blocks.insert(block.hash(), block);
            }
            Record::Proposal(proposal) => self.proposals.push(proposal),
            Record::Vote(vote) => self.votes.push(vote),
            Record::Lock { height, round, block } => self.lock = Some((height, round, block)),
            Record::Decided { height, block, certificate } => {
                self.decided.insert(height, (block, certificate));
            }
        }
    }

    /// Decided blocks above `height`, without a gap, as far as their bodies are
    /// here: what a database that lost its end must import again.
    pub fn decided_above(&self, height: u32) -> Vec<CertifiedBlock> {
        (height + 1..)
            .map_while(|height| {
                let (hash, certificate) = self.decided.get(&height)?;
                let block = self.blocks.get(hash)?.clone();
                Some(CertifiedBlock { block, certificate: certificate.clone() })
            })
            .collect()
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
