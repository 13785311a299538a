//! What is kept in state, and how much of it.

use cascoin_l2_primitives::chain::{AccountId, MAX_SEQUENCERS};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::ed25519;

/// Sets whose keys are kept however old they are, the one in force included.
pub const SETS_KEPT: u64 = 256;

/// Sets whose keys are kept at most; 38 megabytes of state, if all are full.
///
/// The set changes with each end of a session at most. Where keys are revoked these come
/// faster than sessions pass, two for each sequencer and epoch (ADR 0020). A third of 64
/// that does that all the time on mainnet, where an epoch has 12 sessions and is an hour,
/// makes 168 × (12 + 2 × 21) = 9,072 sets in the seven days for which stake is on hold.
pub const MAX_SETS: u64 = 9_216;

/// Sets that are forgotten at most when a new one is noted: one more than comes.
pub(crate) const FORGOTTEN_AT_ONCE: u32 = 2;

/// Records of offences that are kept to be shown.
pub const RECORDS_KEPT: u64 = 1_024;

/// The keys of one set, in its order.
pub type KeySet = BoundedVec<KnownKey, ConstU32<MAX_SEQUENCERS>>;

/// A sequencer of one set.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct KnownKey {
    /// Its grandpa key.
    pub key: ed25519::Public,
    /// Whose it was.
    pub account: AccountId,
    /// Whether an offence of it in this set is on record.
    pub reported: bool,
}
