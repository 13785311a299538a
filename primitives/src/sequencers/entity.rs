//! Who stands behind whom, as far as the chain knows.

use crate::chain::AccountId;
use sp_runtime::Weight;

/// Tells whether accounts belong together.
pub trait Entities {
    /// Whether both are known to be one entity's; true of an account and itself.
    fn are_one(one: &AccountId, other: &AccountId) -> bool;

    /// Upper bound of the weight of asking.
    fn max_weight() -> Weight;
}

/// Everybody stands alone.
impl Entities for () {
    fn are_one(one: &AccountId, other: &AccountId) -> bool {
        one == other
    }

    fn max_weight() -> Weight {
        Weight::zero()
    }
}
