//! The seam between the pallets and whatever decides who sequences.
//!
//! `pallet-sequencer-registry` implements it; other pallets ask through it and
//! never name that pallet. All answers are for the set in force in the block
//! being executed, and cheap: at most two storage reads each.

mod announcement;
mod correlation;
mod entity;
mod offence;
mod participation;
mod revocation;
mod session;
mod stake;

pub use announcement::{
    probe_message, Announcement, NodeAttestation, SignedAnnouncement, MAX_ADDRESSES,
    MAX_ADDRESS_BYTES, MAX_PEER_BYTES,
};
pub use correlation::OnCorrelation;
pub use entity::Entities;
pub use offence::{Offence, OffenceKind, OnOffence};
pub use participation::{
    Commit, OnLowLiveness, ParticipationData, ParticipationError, SequencerBits,
    PARTICIPATION_IDENTIFIER,
};
pub use revocation::{RevocationKey, RevocationKeyChange};
pub use session::{OnSessionJudged, SessionUptime};

pub use stake::{StakeCommitment, StakeParts, StakeProvider, MAX_L1_LOCKS};

use crate::chain::{quorum, AccountId};
use alloc::vec::Vec;
use sp_core::ed25519;

/// The sequencers in force.
pub trait SequencerSetProvider {
    /// Id of the set; grows by one with each change of the set.
    fn set_id() -> u64;

    /// Number of those that may lead: all but the barred, and all if everybody is barred.
    fn leaders() -> usize {
        Self::members()
    }

    /// Number of sequencers in the set, at most
    /// [`MAX_SEQUENCERS`](crate::chain::MAX_SEQUENCERS).
    fn members() -> usize;

    /// The account of the sequencer at `index`; `None` if there is no such
    /// sequencer.
    fn account(index: u16) -> Option<AccountId>;

    /// The key with which the sequencer at `index` signs relay votes; `None` if
    /// there is no such sequencer, or if it is barred: what is signed with its keys counts
    /// for nothing but votes for blocks.
    fn relay_key(index: u16) -> Option<ed25519::Public>;

    /// The sequencer whose relay key this is; `None` if it is nobody's, or a barred one's.
    fn index_of_relay_key(key: &ed25519::Public) -> Option<u16>;

    /// Votes that are more than two thirds of the set.
    fn quorum() -> usize {
        quorum(Self::members())
    }
}

/// What the sequencers in force weigh against each other.
pub trait SequencerWeights {
    /// Accounts and ranking weights (reputation and stake), by index; 0 for who ranks
    /// last. Two storage reads.
    fn weighted() -> Vec<(AccountId, u64)>;
}
