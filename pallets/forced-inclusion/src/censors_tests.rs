//! When a sequencer is a repeat offender, and how much is kept.

use crate::censors::*;
use cascoin_l2_primitives::{
    chain::{AccountId, Moment},
    sequencers::OffenceKind::{self, Censorship, RepeatedCensorship},
};
use proptest::prelude::*;

const DAY: Moment = 24 * 60 * 60 * 1_000;

fn account(number: u32) -> AccountId {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

#[test]
fn r17_5_occasions_count_for_a_month() {
    let mut censors = Censors::default();
    let mut count = |epoch, day| censors.count(account(1), epoch, day * DAY);
    assert_eq!(count(0, 100), Some(Censorship));
    assert_eq!(count(0, 100), None, "the same epoch");
    assert_eq!(count(10, 110), Some(Censorship));
    // The first one is over by then.
    assert_eq!(count(31, 131), Some(Censorship));
    assert_eq!(count(32, 132), Some(RepeatedCensorship));
    assert_eq!(count(33, 133), Some(RepeatedCensorship));
    assert_eq!(count(80, 180), Some(Censorship), "all of them are");
    assert_eq!(censors.0[0].transactions, 7);
}

#[test]
fn who_did_nothing_for_a_month_is_forgotten() {
    let mut censors = Censors::default();
    censors.count(account(1), 0, 100 * DAY);
    censors.count(account(2), 1, 101 * DAY);
    censors.forget(130 * DAY);
    assert_eq!(censors.0.len(), 2, "a month is 30 days");
    censors.forget(130 * DAY + 1);
    assert_eq!(censors.0.len(), 1);
    assert_eq!(censors.0[0].account, account(2));
}

#[test]
fn of_more_than_fit_the_oldest_go_or_are_not_noted() {
    let mut censors = Censors::default();
    for number in 0..=MAX_CENSORS {
        censors.count(account(number), 0, DAY);
    }
    assert_eq!(censors.0.len(), MAX_CENSORS as usize);
    assert_eq!(censors.0[0].account, account(1));
    let mut leaders = Leaders::default();
    for _ in 0..MIN_LEFT_OUT {
        for number in 0..=MAX_LEADERS {
            leaders.note(account(number));
        }
    }
    let blamed: Vec<_> = leaders.to_blame().collect();
    let expected: Vec<_> = (0..MAX_LEADERS).map(account).collect();
    assert_eq!(blamed, expected);
}

proptest! {
    /// Somebody is a repeat offender exactly when two of the epochs before, in which it was
    /// found to censor, are within a month.
    #[test]
    fn r17_5_a_repeat_offender_has_three_epochs_in_a_month(
        steps in proptest::collection::vec((0u32..3, 0u64..20), 1..40),
    ) {
        let mut censors = Censors::default();
        let (mut epoch, mut now) = (0, 1_000 * DAY);
        let mut found: Vec<(u32, Moment)> = Vec::new();
        for (epochs, days) in steps {
            epoch += epochs;
            now += days * DAY;
            censors.forget(now);
            // A record that is forgotten is one that does not matter.
            let offence = censors.count(account(1), epoch, now);
            let known = found.last().is_some_and(|(last, at)| *last == epoch && now - at <= MONTH_MS);
            let recent = found.iter().filter(|(_, at)| now - at <= MONTH_MS).count();
            let expected: Option<OffenceKind> = match (known, recent) {
                (true, _) => None,
                (false, 0 | 1) => Some(Censorship),
                (false, _) => Some(RepeatedCensorship),
            };
            prop_assert_eq!(offence, expected);
            if !known {
                found.push((epoch, now));
            }
        }
    }
}
