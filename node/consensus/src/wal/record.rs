//! What the log holds.

use crate::wire::{SignedProposal, SignedVote};
use cascoin_l2_primitives::{
    chain::{BlockHash, OpaqueBlock},
    consensus::Certificate,
};
use codec::{Decode, Encode};
use sp_core::{ed25519, H256};

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Record {
    /// Whose log this is; the first record of each segment.
    #[codec(index = 0)]
    Header {
        /// The chain.
        genesis: BlockHash,
        /// The grandpa key.
        key: ed25519::Public,
    },
    /// A sealed block that this node proposed, or is about to vote for: after a
    /// power cut somebody must still have it.
    #[codec(index = 1)]
    Block(OpaqueBlock),
    /// A proposal this node made.
    #[codec(index = 2)]
    Proposal(SignedProposal),
    /// A vote this node made.
    #[codec(index = 3)]
    Vote(SignedVote),
    /// A lock this node took; it is also its newest valid block.
    #[codec(index = 4)]
    Lock {
        /// Height.
        height: u32,
        /// The set in which it was taken.
        set_id: u64,
        /// Round of the proof of lock.
        round: u16,
        /// Hash of the sealed header.
        block: H256,
    },
    /// A decided block, by hash; its body is an earlier [`Record::Block`] where
    /// this node had it then.
    #[codec(index = 5)]
    Decided {
        /// Height.
        height: u32,
        /// The set that decided it.
        set_id: u64,
        /// Hash of the sealed header.
        block: H256,
        /// The certificate.
        certificate: Certificate,
    },
}
