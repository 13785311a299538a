//! What sequencers send each other. SCALE-encoded; every message is signed by
//! the sequencer that made it, so any peer may relay it.

use cascoin_bft::{BlockId, Height, Proposal, Round, SequencerIndex, Vote, VoteKind};
use cascoin_l2_primitives::{
    chain::{BlockHash, OpaqueBlock},
    consensus::{bft_message, is_a_block, precommit_payload, Certificate, GrandpaRound, Step},
};
use codec::{Decode, Encode};
use sp_core::{ed25519, Pair, H256};

/// Largest message on the votes protocol, bytes.
pub const MAX_VOTE_MESSAGE: u64 = 64 * 1024;
/// Largest message on the proposals protocol, bytes: a full block's body is
/// 5 MiB, and one that brings an old block for a recovery 8 MiB.
pub const MAX_PROPOSAL_MESSAGE: u64 = 10 * 1024 * 1024;

/// The recovery epoch signed into messages: heights never come again, whatever L1 does
/// (ADR 0033).
pub const EPOCH: u8 = 0;

/// What is bound into every signed message besides its own content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningContext {
    /// The chain.
    pub genesis: BlockHash,
    /// The set of sequencers.
    pub set_id: u64,
}

/// One decision to be made: a height, by one set. A set that a hand-over puts into force has a
/// height that another set has signed messages of, under a lower id; a message belongs to one
/// of the two, and who has signed for the later one signs no more for the earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instance {
    /// The height.
    pub height: Height,
    /// The set of sequencers.
    pub set_id: u64,
}

impl std::fmt::Display for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "height {} of set {}", self.height.0, self.set_id)
    }
}

/// A vote and its maker's signature.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedVote {
    precommit: bool,
    height: u32,
    round: u16,
    block: Option<H256>,
    voter: u16,
    /// Id of the set the voter belongs to.
    pub set_id: u64,
    /// Over [`SignedVote::payload`], by the voter's grandpa key.
    pub signature: ed25519::Signature,
}

impl SignedVote {
    /// The bytes a vote signs: a GRANDPA precommit for a block, our own message
    /// for all else.
    pub fn payload(vote: &Vote, context: &SigningContext) -> Vec<u8> {
        let round = GrandpaRound { epoch: EPOCH, height: vote.height.0, round: vote.round.0 };
        let block = vote.block.map(|id| H256(id.0));
        let step = match (vote.kind, block) {
            (VoteKind::Precommit, Some(hash)) => {
                return precommit_payload(hash, vote.height.0, round, context.set_id)
            }
            (VoteKind::Precommit, None) => Step::NilPrecommit,
            (VoteKind::Prevote, _) => Step::Prevote,
        };
        bft_message(&context.genesis, context.set_id, round, step, block.as_ref(), None)
    }

    /// Puts a signature to a vote.
    pub fn new(vote: &Vote, context: &SigningContext, signature: ed25519::Signature) -> Self {
        Self {
            precommit: vote.kind == VoteKind::Precommit,
            height: vote.height.0,
            round: vote.round.0,
            block: vote.block.map(|id| H256(id.0)),
            voter: vote.voter.0,
            set_id: context.set_id,
            signature,
        }
    }

    /// The vote itself.
    pub fn vote(&self) -> Vote {
        Vote {
            kind: if self.precommit { VoteKind::Precommit } else { VoteKind::Prevote },
            height: Height(self.height),
            round: Round(self.round),
            block: self.block.map(|hash| BlockId(hash.0)),
            voter: SequencerIndex(self.voter),
        }
    }

    /// What it votes in.
    pub fn instance(&self) -> Instance {
        Instance { height: Height(self.height), set_id: self.set_id }
    }

    /// Whether the voter, whose key is `key`, signed it in this context, and it is
    /// for nil or for what can be a block.
    pub fn verify(&self, context: &SigningContext, key: &ed25519::Public) -> bool {
        self.set_id == context.set_id
            && self.block.as_ref().is_none_or(is_a_block)
            && ed25519::Pair::verify(&self.signature, Self::payload(&self.vote(), context), key)
    }
}

/// A proposal and its leader's signature. The block itself travels beside it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedProposal {
    height: u32,
    round: u16,
    block: H256,
    valid_round: Option<u16>,
    proposer: u16,
    /// Id of the set the leader belongs to.
    pub set_id: u64,
    /// Over [`SignedProposal::payload`], by the leader's grandpa key.
    pub signature: ed25519::Signature,
}

impl SignedProposal {
    /// The bytes a proposal signs.
    pub fn payload(proposal: &Proposal, context: &SigningContext) -> Vec<u8> {
        let round =
            GrandpaRound { epoch: EPOCH, height: proposal.height.0, round: proposal.round.0 };
        bft_message(
            &context.genesis,
            context.set_id,
            round,
            Step::Proposal,
            Some(&H256(proposal.block.0)),
            proposal.valid_round.map(|round| round.0),
        )
    }

    /// Puts a signature to a proposal.
    pub fn new(
        proposal: &Proposal,
        context: &SigningContext,
        signature: ed25519::Signature,
    ) -> Self {
        Self {
            height: proposal.height.0,
            round: proposal.round.0,
            block: H256(proposal.block.0),
            valid_round: proposal.valid_round.map(|round| round.0),
            proposer: proposal.proposer.0,
            set_id: context.set_id,
            signature,
        }
    }

    /// The proposal itself.
    pub fn proposal(&self) -> Proposal {
        Proposal {
            height: Height(self.height),
            round: Round(self.round),
            block: BlockId(self.block.0),
            valid_round: self.valid_round.map(Round),
            proposer: SequencerIndex(self.proposer),
        }
    }

    /// What it proposes in.
    pub fn instance(&self) -> Instance {
        Instance { height: Height(self.height), set_id: self.set_id }
    }

    /// Whether the leader, whose key is `key`, signed it in this context, and it is
    /// for what can be a block.
    pub fn verify(&self, context: &SigningContext, key: &ed25519::Public) -> bool {
        self.set_id == context.set_id
            && is_a_block(&self.block)
            && ed25519::Pair::verify(&self.signature, Self::payload(&self.proposal(), context), key)
    }
}

/// A decided block with the certificate that decides it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CertifiedBlock {
    /// The sealed block.
    pub block: OpaqueBlock,
    /// Its certificate.
    pub certificate: Certificate,
}

/// Messages of the votes protocol: small and urgent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum VotesMessage {
    /// The first message on a substream: who the peer is.
    #[codec(index = 0)]
    Hello {
        /// The sender's set.
        set_id: u64,
        /// The sender's index in it.
        index: u16,
        /// A number of the sender's choice.
        nonce: u64,
        /// Over [`cascoin_l2_primitives::consensus::hello_message`], by the
        /// sender's grandpa key.
        signature: ed25519::Signature,
    },
    /// A vote, the sender's own or another's.
    #[codec(index = 1)]
    Vote(SignedVote),
    /// The height and round the sender works on, sent when it makes no progress:
    /// who is ahead answers with certified blocks, who is in the same height
    /// with its votes.
    #[codec(index = 2)]
    Status {
        /// The height being decided.
        height: u32,
        /// Its round.
        round: u16,
    },
}

/// Messages of the proposals protocol: large. A proposal without its block is rare
/// enough that its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ProposalsMessage {
    /// A proposal; with its block the first time it is sent, and with the precommits
    /// for the block below that the sender knows, which prove whom the block names as
    /// its signers ([`crate::parent_commit`]).
    #[codec(index = 0)]
    Proposal(SignedProposal, Option<OpaqueBlock>, Vec<SignedVote>),
    /// Decided blocks for a peer that is behind, in order of height.
    #[codec(index = 1)]
    Certified(Vec<CertifiedBlock>),
}

/// A request of the block protocol.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum BlockRequest {
    /// A proposed block of the height being decided, by the hash of its sealed
    /// header.
    #[codec(index = 0)]
    ByHash(H256),
}

/// The answer: the sealed block, if it is here.
pub type BlockResponse = Option<OpaqueBlock>;

#[cfg(test)]
mod tests {
    use super::*;

    /// Who saw a nil prevote must not be able to show it as a vote for a block: that
    /// would be evidence against an honest sequencer.
    #[test]
    fn the_nil_vote_under_another_name_does_not_verify() {
        let pair = ed25519::Pair::from_seed(&[7; 32]);
        let context = SigningContext { genesis: BlockHash::repeat_byte(1), set_id: 0 };
        let (height, round) = (Height(5), Round(2));
        let voter = SequencerIndex(0);
        let nil = Vote { kind: VoteKind::Prevote, height, round, block: None, voter };
        let signature = pair.sign(&SignedVote::payload(&nil, &context));
        assert!(SignedVote::new(&nil, &context, signature).verify(&context, &pair.public()));
        let alias = Vote { block: Some(BlockId([0; 32])), ..nil };
        assert_eq!(SignedVote::payload(&alias, &context), SignedVote::payload(&nil, &context));
        assert!(!SignedVote::new(&alias, &context, signature).verify(&context, &pair.public()));
        let block = BlockId([0; 32]);
        let proposal = Proposal { height, round, block, valid_round: None, proposer: voter };
        let signature = pair.sign(&SignedProposal::payload(&proposal, &context));
        let signed = SignedProposal::new(&proposal, &context, signature);
        assert!(!signed.verify(&context, &pair.public()));
    }
}
