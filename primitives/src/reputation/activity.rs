//! What an account did on L2.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_crypto_hashing::twox_64;

/// Days since 1970.
pub type Day = u32;

/// Milliseconds of a [`Day`].
pub const MS_PER_DAY: u64 = 24 * 60 * 60 * 1_000;

/// How many partners of transfers can be told apart.
pub const PARTNER_BUCKETS: u32 = 128;

/// Days without a transaction after which one step of decay is due.
pub(super) const DECAY_DAYS: Day = 30;
/// What a step leaves, in thousandths: e^(−1/3), so that 90 days leave 1/e, as L1's
/// own score decays (spec: cascoin-l1.md 5.2).
pub(super) const DECAY_PERMILLE: u64 = 717;
/// After so many steps nothing is left of the largest number.
const MAX_DECAY_STEPS: Day = 140;

/// What the chain remembers of an account's transactions. All numbers saturate, and
/// shrink while the account does nothing.
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
pub struct Activity {
    /// Day of the first transaction; 0 before it.
    pub first_day: Day,
    /// Day of the last one.
    pub last_day: Day,
    /// Transactions whose call succeeded.
    pub succeeded: u32,
    /// Transactions whose call failed.
    pub failed: u32,
    /// Successful transfers to others.
    pub transfers: u32,
    /// What they moved, base units.
    pub volume: u64,
    /// To whom: one bit for each of [`PARTNER_BUCKETS`] that a recipient falls into.
    pub partners: u128,
}

impl Activity {
    /// All transactions.
    pub fn transactions(&self) -> u32 {
        self.succeeded.saturating_add(self.failed)
    }

    /// Number of different recipients that can be told apart; never more than there
    /// were.
    pub fn partner_count(&self) -> u32 {
        self.partners.count_ones()
    }

    /// What is left of it on `day`: 717 thousandths for each full 30 days since the
    /// last transaction. To whom transfers went is not forgotten.
    #[must_use]
    pub fn on(mut self, day: Day) -> Self {
        let steps = day.saturating_sub(self.last_day) / DECAY_DAYS;
        for _ in 0..steps.min(MAX_DECAY_STEPS) {
            self.succeeded = decay_u32(self.succeeded);
            self.failed = decay_u32(self.failed);
            self.transfers = decay_u32(self.transfers);
            self.volume = decay(self.volume);
        }
        self
    }

    /// Notes a transaction on `day`, and whether its call succeeded.
    pub fn note_transaction(&mut self, day: Day, succeeded: bool) {
        *self = self.on(day);
        if self.transactions() == 0 && self.first_day == 0 {
            self.first_day = day;
        }
        // Time does not go back; a day before the last one would be a bug elsewhere.
        self.last_day = self.last_day.max(day);
        let count = if succeeded { &mut self.succeeded } else { &mut self.failed };
        *count = count.saturating_add(1);
    }

    /// Notes a transfer that succeeded, after [`note_transaction`](Self::note_transaction).
    pub fn note_transfer(&mut self, recipient: &[u8], amount: u128) {
        self.transfers = self.transfers.saturating_add(1);
        self.volume = self.volume.saturating_add(u64::try_from(amount).unwrap_or(u64::MAX));
        let [bucket, ..] = twox_64(recipient);
        self.partners |= 1u128 << (u32::from(bucket) % PARTNER_BUCKETS);
    }
}

fn decay(value: u64) -> u64 {
    // In this order it does not overflow, and loses less than a unit a step.
    (value / 1_000)
        .saturating_mul(DECAY_PERMILLE)
        .saturating_add((value % 1_000).saturating_mul(DECAY_PERMILLE) / 1_000)
}

fn decay_u32(value: u32) -> u32 {
    u32::try_from(decay(value.into())).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quarter_without_transactions_leaves_a_third() {
        let activity =
            Activity { succeeded: 1_000, volume: 1_000_000, last_day: 100, ..Default::default() };
        assert_eq!(activity.on(129), activity);
        assert_eq!(activity.on(130).succeeded, 717);
        assert_eq!(activity.on(190).succeeded, 368);
        assert_eq!(activity.on(190).volume, 368_601);
    }

    #[test]
    fn the_largest_numbers_decay_to_nothing() {
        let full = Activity {
            succeeded: u32::MAX,
            failed: u32::MAX,
            transfers: u32::MAX,
            volume: u64::MAX,
            ..Default::default()
        };
        assert_eq!(full.on(MAX_DECAY_STEPS * DECAY_DAYS), Activity::default());
        assert_eq!(full.on(Day::MAX), Activity::default());
    }

    #[test]
    fn the_first_day_stays_and_numbers_saturate() {
        let mut activity = Activity::default();
        activity.note_transaction(7, true);
        activity.note_transfer(&[1; 32], u128::MAX);
        activity.note_transfer(&[1; 32], 1);
        activity.note_transaction(9, false);
        let Activity { first_day, last_day, succeeded, failed, transfers, volume, .. } = activity;
        assert_eq!((first_day, last_day, succeeded, failed), (7, 9, 1, 1));
        assert_eq!((transfers, volume, activity.partner_count()), (2, u64::MAX, 1));
    }

    proptest! {
        /// Waiting twice is waiting once for the sum, if both are whole steps, and
        /// nothing grows by waiting.
        #[test]
        fn decay_depends_on_time_alone(
            succeeded: u32, failed: u32, volume: u64, first in 0u32..50, second in 0u32..50,
        ) {
            let activity = Activity { succeeded, failed, volume, ..Default::default() };
            let mut once = activity.on(first * DECAY_DAYS);
            prop_assert!(once.volume <= volume && once.succeeded <= succeeded);
            once.last_day = first * DECAY_DAYS;
            let twice = once.on((first + second) * DECAY_DAYS);
            let together = activity.on((first + second) * DECAY_DAYS);
            prop_assert_eq!(twice.volume, together.volume);
            prop_assert_eq!(twice.failed, together.failed);
        }

        #[test]
        fn partners_are_never_more_than_there_were(recipients: Vec<[u8; 32]>) {
            let mut activity = Activity::default();
            for recipient in &recipients {
                activity.note_transfer(recipient, 1);
            }
            prop_assert!(activity.partner_count() as usize <= recipients.len());
        }
    }
}
