//! L2 time and what bounds it by L1's (R27.1). Pure: times come in as numbers.
//!
//! A block's time is its leader's clock, which nobody else can read. Voters
//! refuse what is 30 s ahead of their own clocks; beyond that L1 is the one clock
//! that all nodes share, by the votes of the relay. [`TimeBounds`] is the window
//! that it leaves to the next block.
//!
//! L1's times are rough: a miner may set them hours ahead, an L1 that stands
//! still lets them grow old, and a test L1 that mines a hundred blocks in a second
//! runs minutes ahead. A rule that took them at their word could leave a window
//! that no honest clock falls into, and the chain would stand for ever, because
//! its time moves only with its blocks. So each bound gives way before a pace that
//! honest leaders always keep ([`TimeBounds::after`]): L1 bounds how L2 time may
//! drift and never decides whether there is a next block.

use crate::chain::{ChainParameters, Moment};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// L2 time may be this far from the median of the voters' fresh L1 tips.
pub const MAX_DRIFT_MS: Moment = 15 * 60 * 1_000;
/// A voter's tip time is fresh if its vote was taken at most this long ago, in L2
/// time.
pub const FRESH_MS: Moment = 10 * 60 * 1_000;
/// A block may always be this much later than its parent, whatever L1 says.
pub const FREE_STEP_MS: Moment = 30_000;

/// What the relay knows of L1's time, milliseconds since 1970.
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
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct L1Time {
    /// Median of the times of the last 11 blocks up to the last applied L1 block;
    /// `None` before one is applied. Never runs backwards.
    pub median_time_past: Option<Moment>,
    /// Median of the tip times in the voters' last votes, if a quorum of the
    /// sequencers voted within [`FRESH_MS`]; `None` if L1 is *stale*: down, or
    /// without new blocks.
    pub fresh_tip_median: Option<Moment>,
}

/// L1's time as all nodes see it after a block (R27.5).
pub trait L1Clock {
    /// The time of L1, to be judged at the L2 time `now`.
    fn l1_time(now: Moment) -> L1Time;
}

impl L1Clock for () {
    fn l1_time(_: Moment) -> L1Time {
        L1Time::default()
    }
}

/// The window of the next block's time, both ends included, milliseconds since
/// 1970. Never empty.
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
    Serialize,
    Deserialize,
)]
pub struct TimeBounds {
    /// The earliest time.
    pub earliest: Moment,
    /// The latest time.
    pub latest: Moment,
}

impl Default for TimeBounds {
    /// Everything.
    fn default() -> Self {
        Self { earliest: 0, latest: Moment::MAX }
    }
}

impl TimeBounds {
    /// The window after a block of time `parent` (0: genesis, which has none).
    ///
    /// - Not below L1's median-time-past, nor [`MAX_DRIFT_MS`] below the fresh
    ///   median. It gives way to half a block time after the parent: a chain
    ///   that is behind L1 must not be held still, and at that pace it is never
    ///   driven ahead of the clocks of leaders, who wait for the block time.
    /// - Not [`MAX_DRIFT_MS`] above the fresh median. It gives way to
    ///   [`FREE_STEP_MS`] after the parent: after a halt, when the last votes
    ///   still count as fresh, the chain comes back to the clocks in such steps.
    /// - Always after the parent (P15).
    pub fn after(parent: Moment, block_time_ms: u64, l1: L1Time) -> Self {
        let first = parent.saturating_add(1);
        if parent == 0 {
            return Self { earliest: first, latest: Moment::MAX };
        }
        let drift_below = l1.fresh_tip_median.map(|median| median.saturating_sub(MAX_DRIFT_MS));
        let wanted = l1.median_time_past.max(drift_below).unwrap_or(0);
        let pace = parent.saturating_add(block_time_ms / 2);
        let earliest = wanted.min(pace).max(first);
        let latest = l1.fresh_tip_median.map_or(Moment::MAX, |median| {
            median.saturating_add(MAX_DRIFT_MS).max(parent.saturating_add(FREE_STEP_MS))
        });
        Self { earliest, latest: latest.max(earliest) }
    }

    /// Whether a block may have this time.
    pub fn contains(&self, time: Moment) -> bool {
        (self.earliest..=self.latest).contains(&time)
    }

    /// The time in the window that is nearest to a clock's, leaving `room`
    /// milliseconds at its end where the window is that wide.
    pub fn nearest(&self, clock: Moment, room: u64) -> Moment {
        clock.min(self.latest.saturating_sub(room)).max(self.earliest)
    }
}

/// The median of some times: the lower one of two. `None` of none.
///
/// Among at least ⌊2n/3⌋ + 1 of n voters, of whom fewer than a third lie, it lies
/// between two honest ones.
pub fn median(mut times: Vec<Moment>) -> Option<Moment> {
    times.sort_unstable();
    times.get(times.len().checked_sub(1)? / 2).copied()
}

/// No wait of a round is longer.
const MAX_WAIT_MS: u64 = 30_000;

/// The longest that `rounds` failed rounds take by the chain's time-outs,
/// milliseconds: each of the three waits of a round, growing by half (rounded up)
/// from round to round up to 30 s, as the nodes' consensus core has them.
pub fn failed_rounds_ms(parameters: &ChainParameters, rounds: u16) -> u64 {
    let waits = [
        parameters.propose_timeout_ms,
        parameters.prevote_timeout_ms,
        parameters.precommit_timeout_ms,
    ];
    waits.into_iter().fold(0u64, |total, wait| {
        total.saturating_add(growing_waits_ms(wait.clamp(1, MAX_WAIT_MS), rounds))
    })
}

fn growing_waits_ms(mut wait: u64, rounds: u16) -> u64 {
    let mut total = 0u64;
    for left in (1..=u64::from(rounds)).rev() {
        // From here on all are alike; at the latest after some 30 rounds.
        if wait == MAX_WAIT_MS {
            return total.saturating_add(left.saturating_mul(MAX_WAIT_MS));
        }
        total = total.saturating_add(wait);
        wait = wait.saturating_add(wait.div_ceil(2)).min(MAX_WAIT_MS);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::quorum;
    use proptest::prelude::*;

    const NOW: Moment = 1_780_000_000_000;
    const BLOCK: u64 = 500;

    fn bounds(mtp: Option<Moment>, tips: Option<Moment>) -> TimeBounds {
        TimeBounds::after(NOW, BLOCK, L1Time { median_time_past: mtp, fresh_tip_median: tips })
    }

    #[test]
    fn r27_1_without_an_l1_time_only_rises() {
        assert_eq!(bounds(None, None), TimeBounds { earliest: NOW + 1, latest: Moment::MAX });
    }

    #[test]
    fn r27_1_time_that_stands_below_l1s_median_must_move_on() {
        let behind = bounds(Some(NOW + 60_000), None);
        assert!(!behind.contains(NOW + 1));
        assert!(behind.contains(NOW + BLOCK / 2));
        assert_eq!(bounds(Some(NOW + 100), None).earliest, NOW + 100);
        assert_eq!(bounds(Some(NOW - 1_800_000), None).earliest, NOW + 1, "the usual case");
        let drifted = bounds(None, Some(NOW + MAX_DRIFT_MS + 100));
        assert_eq!(drifted.earliest, NOW + 100);
    }

    #[test]
    fn r27_1_a_jump_beyond_15_minutes_from_the_fresh_tips_is_refused() {
        let window = bounds(None, Some(NOW - 20_000));
        assert!(window.contains(NOW - 20_000 + MAX_DRIFT_MS));
        assert!(!window.contains(NOW - 20_000 + MAX_DRIFT_MS + 1));
    }

    #[test]
    fn a_stale_tip_after_a_halt_leaves_steps() {
        let window = bounds(None, Some(NOW - 2 * MAX_DRIFT_MS));
        assert_eq!(window.latest, NOW + FREE_STEP_MS);
        let hours_later = NOW + 10_000_000;
        assert_eq!(window.nearest(hours_later, 63), NOW + FREE_STEP_MS - 63);
    }

    #[test]
    fn an_l1_far_in_the_future_neither_stops_nor_drives_l2() {
        let year = 31_536_000_000;
        let window = bounds(Some(NOW + year), Some(NOW + year));
        assert_eq!(window.earliest, NOW + BLOCK / 2);
        assert!(window.contains(NOW + BLOCK));
    }

    proptest! {
        /// P15, R27.1: whatever L1 says, the window is after the parent, is not
        /// empty, and has room for a leader that keeps the block time.
        #[test]
        fn p15_every_window_is_after_the_parent_and_lets_the_chain_go_on(
            parent in 1..u64::MAX / 2,
            block_time in 1..=FREE_STEP_MS,
            mtp: Option<u64>,
            tips: Option<u64>,
            clock: u64,
            room in 0..64u64,
        ) {
            let l1 = L1Time { median_time_past: mtp, fresh_tip_median: tips };
            let window = TimeBounds::after(parent, block_time, l1);
            prop_assert!(window.earliest > parent && window.earliest <= window.latest);
            prop_assert!(window.contains(parent + block_time));
            prop_assert!(window.contains(parent + FREE_STEP_MS));
            let chosen = window.nearest(clock, room);
            prop_assert!(window.contains(chosen));
            prop_assert!(window.latest - chosen >= room || chosen == window.earliest);
        }

        /// R27.5: a third of liars cannot move the median out of the honest range.
        #[test]
        fn r27_5_the_median_of_a_quorum_lies_among_honest_times(
            members in 1..=64usize,
            honest in 0..u64::MAX / 2,
            spread in 0..60_000u64,
            lie: u64,
        ) {
            let liars = (members - 1) / 3;
            let mut times: Vec<u64> = (0..quorum(members) - liars)
                .map(|at| honest + spread * at as u64 / 64)
                .collect();
            times.extend(core::iter::repeat_n(lie, liars));
            let median = median(times).expect("there are some");
            prop_assert!((honest..=honest + spread).contains(&median));
        }
    }
}
