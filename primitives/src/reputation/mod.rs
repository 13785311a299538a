//! Reputation: the score, the rule that computes it, and the trait through which
//! pallets ask for it.
//!
//! - [`Score`]: a number from 0 to 100.
//! - [`Activity`]: what the chain remembers of what an account did on L2, in a few
//!   bytes that stand beside its balance.
//! - [`rule`]: the score from activity and from what L1 says (spec: cascoin-l1.md
//!   6.18, R6.4, R10.2, R10.3, R10.5). Integers only: all nodes get the same number
//!   (P10).
//! - [`trust`]: the web of trust, from what people say of each other on L1 (R10.1).
//! - [`l1_history`] and [`l1_stake`]: the temporal and the economic part of L1's score,
//!   from when an address acted on L1 and from coins that are locked there (R10.1).
//! - [`attestation`]: what L1's own nodes say, as an upper bound (R10.1).
//! - [`export`]: what L2 tells L1 of it (R10.4).
//! - [`export_order`]: in which order L1 takes that, and what it may leave out.
//!
//! `pallet-reputation` keeps the facts and implements [`ReputationProvider`] and
//! [`L1AddressProvider`]; whoever
//! gives benefits for a score (fees, limits, seats) asks through it and never names
//! that pallet. All answers are for the state of the block being executed.

mod activity;
pub mod attestation;
pub mod export;
pub mod export_order;
pub mod l1_history;
pub mod l1_stake;
mod log;
pub mod rule;
mod score;
pub mod trust;

#[cfg(test)]
mod reference;

pub use activity::{Activity, Day, MS_PER_DAY, PARTNER_BUCKETS};
pub use score::{InvalidScore, Score};

use crate::chain::AccountId;
use sp_core::H160;

/// Where scores come from.
pub trait ReputationProvider {
    /// The aggregated score of an account; [`Score::ZERO`] for one nobody knows.
    fn score(account: &AccountId) -> Score;

    /// The score that decides whether an account may sequence (R2.3): the better one of
    /// L1's and the aggregated one, since L1's is what the chain asks of a sequencer, and
    /// doing its duty on L2 must not cost it that. Offences and suspicion count.
    fn sequencer_score(account: &AccountId) -> Score {
        Self::score(account)
    }
}

/// Nobody has a reputation.
impl ReputationProvider for () {
    fn score(_: &AccountId) -> Score {
        Score::ZERO
    }
}

/// Which L1 addresses accounts have proven to hold.
pub trait L1AddressProvider {
    /// Whether the account proved at any time that it holds the key of this address
    /// (HASH160 of the key). One storage read.
    fn has_proven(account: &AccountId, address: &H160) -> bool;
}

/// Nobody has proven any.
impl L1AddressProvider for () {
    fn has_proven(_: &AccountId, _: &H160) -> bool {
        false
    }
}
