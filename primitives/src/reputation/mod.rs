//! Reputation as other pallets see it.
//!
//! `pallet-reputation` computes scores and implements [`ReputationProvider`]; whoever
//! gives benefits for a score (fees, limits, seats) asks through it and never names
//! that pallet. All answers are for the state of the block being executed.

mod score;

pub use score::{InvalidScore, Score};

use crate::chain::AccountId;

/// Where scores come from.
pub trait ReputationProvider {
    /// The aggregated score of an account; [`Score::ZERO`] for one nobody knows. At
    /// most one storage read.
    fn score(account: &AccountId) -> Score;
}

/// Nobody has a reputation.
impl ReputationProvider for () {
    fn score(_: &AccountId) -> Score {
        Score::ZERO
    }
}
