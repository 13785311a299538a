//! Coins that an account keeps locked on L1: the economic part of L1's score.
//!
//! L1's own shape (spec: cascoin-l1.md 5.2): min(1, log₁₀(coins + 1) / 4) · √years, where
//! less than 180 days of locking count nothing. It is not bounded there; here it is at most
//! one. An account may have several locks of different ages; it has the *best* that comes
//! out for any age, of all coins that have been locked at least that long. So another lock
//! never makes the score worse, and few old coins do not make many new ones old.
//!
//! The logarithm is that of the score on L2, in tenths; besides that, nothing is rounded
//! but the score itself.

use super::{log::ten_log10, Day, Score};
use crate::{chain::AccountId, sequencers::MAX_L1_LOCKS};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};
use sp_runtime::Weight;

/// L1 blocks that coins must be locked for in all to count: 180 days of 150 s.
pub const MIN_TERM_BLOCKS: u32 = 103_680;
/// Ten times the logarithm that counts in full: ten thousand coins.
const FULL_LOG: u32 = 40;
const DAYS_OF_A_YEAR: u64 = 365;

/// Coins that are locked on L1 for half a year or more.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct StakeTerm {
    /// The day of the L1 block that locked them.
    pub since: Day,
    /// What they count for, base units.
    pub amount: u64,
}

/// Those of one account.
pub type StakeTerms = BoundedVec<StakeTerm, ConstU32<MAX_L1_LOCKS>>;

/// The economic score of an account with these coins on `today`. At most 16² steps.
pub fn score(terms: &[StakeTerm], today: Day, decimals: u8) -> Score {
    let best = terms.iter().map(|term| {
        let as_old = terms.iter().filter(|other| other.since <= term.since);
        let coins = as_old.fold(0u64, |sum, other| sum.saturating_add(other.amount));
        points(coins, today.saturating_sub(term.since), decimals)
    });
    Score::saturating(best.max().unwrap_or(0))
}

/// ⌊100 · (log / 40) · √(days / 365)⌋.
fn points(coins: u64, days: Day, decimals: u8) -> u64 {
    let log = u64::from(ten_log10(coins, decimals).min(FULL_LOG));
    let full = u64::from(FULL_LOG);
    // (100 · log)² · days: below 2^56.
    let squared = 10_000u64.saturating_mul(log).saturating_mul(log).saturating_mul(days.into());
    (squared / (full * full * DAYS_OF_A_YEAR)).isqrt()
}

/// Told when what an account keeps locked on L1 has changed. `()` does not listen.
pub trait OnL1Stake {
    /// These are the coins that count now.
    fn on_l1_stake(account: &AccountId, terms: StakeTerms);

    /// Upper bound of the weight of that.
    fn weight() -> Weight;
}

impl OnL1Stake for () {
    fn on_l1_stake(_: &AccountId, _: StakeTerms) {}

    fn weight() -> Weight {
        Weight::zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COIN: u64 = 10_000_000;

    fn term(since: Day, coins: u64) -> StakeTerm {
        StakeTerm { since, amount: coins * COIN }
    }

    fn on(terms: &[StakeTerm], today: Day) -> u8 {
        score(terms, today, 7).get()
    }

    #[test]
    fn it_grows_with_the_logarithm_of_coins_and_the_root_of_years() {
        for (coins, points) in [(0, 0), (1, 7), (9, 25), (99, 50), (9_999, 100), (1_000_000, 100)] {
            assert_eq!(on(&[term(1_000, coins)], 1_365), points, "{coins}");
        }
        let all = [term(1_000, 9_999)];
        for (days, points) in [(0, 0), (1, 5), (92, 50), (180, 70), (365, 100), (4_000, 100)] {
            assert_eq!(on(&all, 1_000 + days), points, "{days}");
        }
        // Without locks, and before they began.
        assert_eq!((on(&[], 5_000), on(&all, 7)), (0, 0));
        // Four years make up for few coins.
        assert_eq!(on(&[term(0, 99)], 4 * 365), 100);
    }

    #[test]
    fn old_coins_do_not_make_new_ones_old() {
        let old = term(1_000, 9);
        assert_eq!(on(&[old], 1_365), 25);
        assert_eq!(on(&[old, term(1_365, 9_990)], 1_365), 25);
        // After 92 days half of what ten thousand coins give is better.
        assert_eq!(on(&[old, term(1_365, 9_990)], 1_365 + 92), 50);
        // Of one age they are added up.
        assert_eq!(on(&[term(1_000, 50), term(1_000, 49)], 1_365), 50);
    }

    proptest! {
        /// Another lock, and waiting, never make it worse; any numbers have a score.
        #[test]
        fn more_and_longer_is_never_less(
            terms in prop::collection::vec((0u32..2_000, any::<u64>()), 0..16),
            more in (0u32..2_000, any::<u64>()),
            today in 0u32..4_000,
            wait in 0u32..4_000,
            decimals in 0u8..20,
        ) {
            let make = |(since, amount)| StakeTerm { since, amount };
            let mut terms: Vec<_> = terms.into_iter().map(make).collect();
            let before = score(&terms, today, decimals);
            prop_assert!(score(&terms, today + wait, decimals) >= before);
            terms.push(make(more));
            prop_assert!(score(&terms, today, decimals) >= before);
        }
    }
}
