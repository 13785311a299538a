//! When an address acted on L1: the temporal part of L1's score.
//!
//! L1's own shape (spec: cascoin-l1.md 5.2), over what the relay shows:
//!
//! min(1, age / 730 d) · active months / all months · e^(−inactive / 90 d), and half of it
//! where there ever was a gap of more than 180 days.
//!
//! A month is 30 days, counted from the first day on. e^(−t/90 d) is 717 thousandths for
//! each full 30 days, as for activity on L2. Nothing is rounded but the score itself.

use super::{
    activity::{DECAY_DAYS, DECAY_PERMILLE},
    Day, Score,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::U256;

/// Age from which it counts in full, days.
const FULL_AGE: Day = 730;
/// Days of a month.
const MONTH: Day = 30;
/// A longer time without anything halves the score for good, days.
const GAP: Day = 180;
/// After so many steps of decay less than a point is left of the best score.
const MAX_STEPS: Day = 13;
/// Seconds of a day.
const DAY_S: u32 = 24 * 60 * 60;

/// What is known of when an address acted on L1. The default is of one that never did.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct L1History {
    /// Day on which it acted first.
    pub first_day: Day,
    /// Day on which it acted last.
    pub last_day: Day,
    /// Months since the first day in which it acted; 0 if it never did.
    pub months: u16,
    /// Whether it once did nothing for more than 180 days.
    pub has_gap: bool,
}

/// The day of an L1 block, by its median time (seconds since 1970), which never goes back
/// on one branch of L1.
pub const fn day_of(median_time: u32) -> Day {
    median_time / DAY_S
}

impl L1History {
    /// Notes that it acted on `day`; whether that changed anything. What comes again, as
    /// after a fork of L1, changes nothing.
    pub fn note(&mut self, day: Day) -> bool {
        if self.months == 0 {
            *self = Self { first_day: day, last_day: day, months: 1, has_gap: false };
            return true;
        }
        if day <= self.last_day {
            return false;
        }
        if self.month(day) > self.month(self.last_day) {
            self.months = self.months.saturating_add(1);
        }
        self.has_gap |= day.saturating_sub(self.last_day) > GAP;
        self.last_day = day;
        true
    }

    /// The month of `day`; the first one is 0.
    fn month(&self, day: Day) -> Day {
        day.saturating_sub(self.first_day) / MONTH
    }

    /// The temporal score on `today`.
    pub fn score(&self, today: Day) -> Score {
        let steps = today.saturating_sub(self.last_day) / DECAY_DAYS;
        if self.months == 0 || steps > MAX_STEPS {
            return Score::ZERO;
        }
        let age = today.saturating_sub(self.first_day).min(FULL_AGE);
        let all = self.month(today).saturating_add(1);
        let active = u32::from(self.months).min(all);
        let halves = if self.has_gap { 2u32 } else { 1 };
        // At most 100 · 730 · 2^16 · 717^13 and 730 · 2^28 · 1,000^13 · 2: both are below
        // 2^170.
        let power = |base: u64| U256::from(base).pow(U256::from(steps));
        let product = |factors: [u32; 3], power: U256| {
            factors.iter().fold(power, |all, factor| all.saturating_mul(U256::from(*factor)))
        };
        let numerator = product([100, age, active], power(DECAY_PERMILLE));
        let denominator = product([FULL_AGE, all, halves], power(1_000));
        let points = numerator.checked_div(denominator).unwrap_or_default();
        Score::saturating(points.low_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn acted(days: &[Day]) -> L1History {
        let mut history = L1History::default();
        for day in days {
            history.note(*day);
        }
        history
    }

    #[test]
    fn it_grows_with_age_for_who_acts_each_month() {
        let each_month: Vec<Day> = (0..=24).map(|month| 1_000 + month * MONTH).collect();
        for (months, points) in [(1, 0), (2, 4), (13, 49), (25, 98)] {
            let history = acted(&each_month[..months]);
            assert_eq!(u32::from(history.months), months as u32);
            assert_eq!(history.score(history.last_day).get(), points, "{months}");
        }
        let history = acted(&each_month);
        assert_eq!(history.score(1_000 + 730).get(), 100);
        assert_eq!(history.score(1_000 + 749).get(), 100);
        // A month without anything: 25 of 26, and a step of decay.
        assert_eq!(history.score(1_000 + 750).get(), 68);
    }

    #[test]
    fn who_never_acted_or_long_ago_has_nothing() {
        assert_eq!(L1History::default().score(20_000), Score::ZERO);
        let history = acted(&(0..200).map(|day| day * 10).collect::<Vec<_>>());
        assert_eq!(history.score(1_990).get(), 100);
        assert_eq!(history.score(1_990 + 14 * MONTH), Score::ZERO);
        assert_eq!(history.score(Day::MAX), Score::ZERO);
        // L2's time behind L1's.
        assert_eq!(history.score(0), Score::ZERO);
    }

    #[test]
    fn a_gap_halves_it_for_good() {
        let gap = |days: Day| acted(&[1_000, 1_000 + days, 1_030 + days]);
        assert!(!gap(180).has_gap && gap(181).has_gap);
        // 3 of 8 months, 210 and 211 of 730 days.
        assert_eq!(gap(180).score(1_210).get(), 10);
        assert_eq!(gap(181).score(1_211).get(), 5);
    }

    #[test]
    fn what_comes_again_changes_nothing() {
        let mut history = acted(&[1_000, 1_040]);
        let before = history;
        assert!(!history.note(1_040) && !history.note(1_000) && !history.note(7));
        assert_eq!(history, before);
        assert_eq!(day_of(86_399), 0);
        assert_eq!(day_of(20_000 * 86_400), 20_000);
    }

    proptest! {
        /// There are never more active months than months, and what is noted once more in
        /// the same order is known.
        #[test]
        fn it_is_the_same_however_often_it_comes(
            mut days in prop::collection::vec(0u32..100_000, 1..40),
        ) {
            days.sort_unstable();
            let mut history = acted(&days);
            prop_assert!(u32::from(history.months) <= history.month(history.last_day) + 1);
            let before = history;
            for day in &days {
                prop_assert!(!history.note(*day));
            }
            prop_assert_eq!(history, before);
        }
    }
}
