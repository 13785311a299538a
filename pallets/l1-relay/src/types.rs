//! What the relay keeps in state, besides votes.

use cascoin_l2_primitives::relay::L1BlockDigest;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Most attested blocks that wait for their pages. The relay stops attesting
/// while as many wait.
pub const MAX_QUEUE: u32 = 64;
/// Hashes of applied L1 blocks that are kept.
pub const APPLIED_HASHES_KEPT: u32 = 1024;
/// Pages ahead of the due one that the pool takes, so that the next block need
/// not wait for the next off-chain worker.
pub const PAGE_LOOKAHEAD: u32 = 4;

/// Attested blocks that are not applied yet, lowest first.
pub type Queue = BoundedVec<L1BlockDigest, ConstU32<MAX_QUEUE>>;

/// How far the first block of the queue is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Progress {
    /// The page that is due.
    pub page: u32,
    /// Pages of the block, as its first page said; 0 before that page.
    pub count: u32,
    /// Events applied.
    pub events: u32,
}
