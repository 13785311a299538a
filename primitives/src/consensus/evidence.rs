//! Proof that a sequencer signed twice: two messages of one kind, height and
//! round that contradict each other, with both signatures.
//!
//! An honest sequencer signs one proposal, one prevote and one precommit a round,
//! also across restarts, so the pair proves an offence by itself: whoever has it
//! needs no trust, and nobody can make it without the offender's key. One pair has
//! one encoding, whoever found it and in whatever order.

use super::{bft_message, is_a_block, precommit_payload, GrandpaRound, Step};
use crate::chain::{BlockHash, BlockNumber};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ed25519, H256};
use sp_runtime::traits::{BlakeTwo256, Hash};

/// The kinds of messages that a sequencer signs once a round.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// A leader's proposal.
    Proposal,
    /// First vote of a round.
    Prevote,
    /// Second vote of a round.
    Precommit,
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proposal => "proposal",
            Self::Prevote => "prevote",
            Self::Precommit => "precommit",
        })
    }
}

/// What a message says, besides its height and round.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Statement {
    /// "This is the round's block."
    #[codec(index = 0)]
    #[serde(rename_all = "camelCase")]
    Proposal {
        /// The block.
        block: BlockHash,
        /// Round of the proof of lock, of a re-proposal.
        valid_round: Option<u16>,
    },
    /// A prevote; no block is the nil vote.
    #[codec(index = 1)]
    Prevote {
        /// The block.
        block: Option<BlockHash>,
    },
    /// A precommit; no block is the nil vote.
    #[codec(index = 2)]
    Precommit {
        /// The block.
        block: Option<BlockHash>,
    },
}

impl Statement {
    /// The kind of message that says it.
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Proposal { .. } => MessageKind::Proposal,
            Self::Prevote { .. } => MessageKind::Prevote,
            Self::Precommit { .. } => MessageKind::Precommit,
        }
    }

    /// Whether it can be said: it is for nil or for what can be a block.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Proposal { block, .. } => is_a_block(block),
            Self::Prevote { block } | Self::Precommit { block } => {
                block.as_ref().is_none_or(is_a_block)
            }
        }
    }

    /// The bytes that are signed to say it. No two sound statements have the same.
    pub fn payload(&self, genesis: &BlockHash, set_id: u64, round: GrandpaRound) -> Vec<u8> {
        let (step, block, valid_round) = match self {
            Self::Proposal { block, valid_round } => (Step::Proposal, Some(block), *valid_round),
            Self::Prevote { block } => (Step::Prevote, block.as_ref(), None),
            Self::Precommit { block: Some(block) } => {
                return precommit_payload(*block, round.height, round, set_id)
            }
            Self::Precommit { block: None } => (Step::NilPrecommit, None, None),
        };
        bft_message(genesis, set_id, round, step, block, valid_round)
    }
}

/// A statement with its signature.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct SignedStatement {
    /// What is said.
    pub statement: Statement,
    /// Over [`Statement::payload`].
    pub signature: ed25519::Signature,
}

/// Proof that a sequencer signed two contradicting messages of one round
/// (`SEQ_DOUBLE_SIGN`).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct DoubleSignEvidence {
    /// The set in which it signed.
    pub set_id: u64,
    /// The grandpa key that signed.
    pub key: ed25519::Public,
    /// Recovery epoch of both messages.
    pub epoch: u8,
    /// Height of both.
    pub height: BlockNumber,
    /// Round of both.
    pub round: u16,
    /// The lesser statement; the order is what makes the encoding unique.
    pub first: SignedStatement,
    /// The greater statement.
    pub second: SignedStatement,
}

impl DoubleSignEvidence {
    /// Puts two messages together, in either order; `None` if they do not
    /// contradict each other. Whether their signatures hold, [`Self::verify`] says.
    pub fn new(
        set_id: u64,
        key: ed25519::Public,
        round: GrandpaRound,
        one: SignedStatement,
        other: SignedStatement,
    ) -> Option<Self> {
        let (first, second) =
            if one.statement < other.statement { (one, other) } else { (other, one) };
        let GrandpaRound { epoch, height, round } = round;
        let evidence = Self { set_id, key, epoch, height, round, first, second };
        evidence.is_conflict().then_some(evidence)
    }

    /// Whether the two contradict each other, and stand in their one order.
    ///
    /// Two proposals do already when only the proof of lock differs: a leader
    /// signs one a round.
    pub fn is_conflict(&self) -> bool {
        let (first, second) = (&self.first.statement, &self.second.statement);
        let sound = first.is_sound() && second.is_sound();
        sound && first.kind() == second.kind() && first < second
    }

    /// The kind of messages that were signed twice.
    pub fn kind(&self) -> MessageKind {
        self.first.statement.kind()
    }

    fn at(&self) -> GrandpaRound {
        GrandpaRound { epoch: self.epoch, height: self.height, round: self.round }
    }

    /// The bytes that were signed, in the order of the statements.
    pub fn payloads(&self, genesis: &BlockHash) -> [Vec<u8>; 2] {
        [&self.first, &self.second]
            .map(|signed| signed.statement.payload(genesis, self.set_id, self.at()))
    }

    /// Whether this proves an offence of the key's owner on the chain that begins
    /// with `genesis`. `verify` checks an ed25519 signature.
    pub fn verify(
        &self,
        genesis: &BlockHash,
        verify: impl Fn(&ed25519::Signature, &[u8], &ed25519::Public) -> bool,
    ) -> bool {
        let [first, second] = self.payloads(genesis);
        self.is_conflict()
            && verify(&self.first.signature, &first, &self.key)
            && verify(&self.second.signature, &second, &self.key)
    }

    /// Names the offence: the same for every pair that a key signed in one round
    /// and kind of one set.
    pub fn id(&self) -> H256 {
        let named = (b"CASL2DBL1", self.set_id, self.key, self.epoch, self.height, self.round);
        BlakeTwo256::hash_of(&(named, self.kind()))
    }
}
