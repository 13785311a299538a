//! Who stands behind whom, as far as the chain knows.

use crate::chain::AccountId;

/// Tells whether accounts belong together.
pub trait Entities {
    /// Whether both are known to be one entity's; true of an account and itself.
    fn are_one(one: &AccountId, other: &AccountId) -> bool;
}

/// Everybody stands alone.
impl Entities for () {
    fn are_one(one: &AccountId, other: &AccountId) -> bool {
        one == other
    }
}
