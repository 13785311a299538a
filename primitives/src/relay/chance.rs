//! L1 blocks as dice.

use crate::l1::L1Hash;

/// Chance that comes later: an L1 block that nobody knows yet.
pub trait L1Chance {
    /// The height of an L1 block that is not mined yet, as far as the chain can know:
    /// above what sequencers have attested, by more than the confirmations that they
    /// wait for.
    fn unknown_height() -> u32;

    /// The hash of the L1 block at a height, once it is applied; `None` before, and
    /// where it is long forgotten.
    fn hash_at(height: u32) -> Option<L1Hash>;
}
