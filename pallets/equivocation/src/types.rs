//! What is kept in state, and how much of it.

use cascoin_l2_primitives::chain::{AccountId, MAX_SEQUENCERS};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::ed25519;

/// Sets whose keys are kept, the one in force included. A set lasts at least a
/// session, so evidence may come at least this many sessions late; they are one
/// megabyte of state at most.
pub const SETS_KEPT: u64 = 256;

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
