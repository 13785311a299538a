//! Sequencers that do not act independently of each other, on the way to whoever draws
//! consequences.

use crate::chain::AccountId;
use sp_runtime::Weight;

/// Told of sequencers that go missing together (R22.1). `()` knows of none.
pub trait OnCorrelation {
    /// Whether the two count as one already, whatever by: a link between those whom they
    /// belong to, their own word, or their wallets.
    fn is_known(one: &AccountId, other: &AccountId) -> bool;

    /// These two go missing together more often than chance explains.
    fn on_correlation(one: &AccountId, other: &AccountId);

    /// Upper bound of the weight of both.
    fn max_weight() -> Weight;
}

impl OnCorrelation for () {
    fn is_known(_: &AccountId, _: &AccountId) -> bool {
        false
    }

    fn on_correlation(_: &AccountId, _: &AccountId) {}

    fn max_weight() -> Weight {
        Weight::zero()
    }
}
