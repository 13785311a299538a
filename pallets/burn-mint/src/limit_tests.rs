//! Limits of a day: what waits, for how long, and whom it does not keep waiting.

use crate::{
    limits::begins_at,
    mock::*,
    pallet::{DeferredTotal, Event, Halted, MintedTotal, MAX_RETRIES},
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnWait, WaitCause},
    chain::{AccountId, Balance, Moment},
    reputation::{Day, MS_PER_DAY},
};

const CAROL: AccountId = AccountId::new([3; 32]);

fn balance(who: &AccountId) -> Balance {
    Balances::free_balance(who)
}

fn today() -> Day {
    (Now::get() / MS_PER_DAY) as Day
}

/// When the `days`-th day after today begins.
fn in_days(days: Day) -> Moment {
    begins_at(today() + days)
}

fn wait_of(number: u32) -> BurnWait {
    BurnMint::burn_wait(&outpoint(number)).expect("it waits")
}

fn waits(number: u32) -> (WaitCause, u64) {
    let wait = wait_of(number);
    (wait.cause, wait.place)
}

/// Ends blocks until the day is over that begins now, and a block of the next one.
fn a_day_later() {
    next_day();
    next_block();
}

#[test]
fn r36_1_a_burn_above_the_limit_is_minted_in_parts_day_by_day() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 1_000, 10_000));
        burn(1, BOB, 250);
        assert_eq!((balance(&BOB), record(1).minted), (100, 100));
        assert_eq!(record(1).outcome, BurnOutcome::Deferred);
        let part =
            Event::BurnMinted { outpoint: outpoint(1), recipient: BOB, amount: 100, rest: 150 };
        let cause = WaitCause::TransactionLimit;
        let rest = Event::BurnDeferred { outpoint: outpoint(1), rest: 150, cause };
        assert_eq!(mint_events(), vec![part, rest]);
        let expected =
            BurnWait { cause, place: 0, next_at: Some(in_days(1)), complete_at: Some(in_days(2)) };
        assert_eq!(wait_of(1), expected);

        // Not within the day, however many blocks there are.
        for _ in 0..5 {
            next_block();
        }
        assert_eq!(balance(&BOB), 100);
        // Seen again, it counts once.
        burn(1, BOB, 250);
        a_day_later();
        assert_eq!(balance(&BOB), 200);
        assert_eq!(wait_of(1).complete_at, Some(in_days(1)));
        a_day_later();
        assert_eq!((balance(&BOB), MintedTotal::<Test>::get()), (250, 250));
        assert_eq!((record(1).outcome, record(1).minted), (BurnOutcome::Minted, 250));
        assert_eq!(BurnMint::burn_wait(&outpoint(1)), None);
        next_block();
    });
}

#[test]
fn r36_2_an_address_gets_no_more_on_a_day_and_others_get_theirs() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 150, 10_000));
        burn(1, BOB, 100);
        burn(2, BOB, 100);
        burn(3, BOB, 40);
        burn(4, CAROL, 100);
        assert_eq!((balance(&BOB), balance(&CAROL)), (150, 100));
        assert_eq!(record(2).minted, 50, "what is left is minted");
        assert_eq!(waits(2), (WaitCause::AddressLimit, 0));
        assert_eq!(waits(3), (WaitCause::AddressLimit, 1));
        assert_eq!(wait_of(3).next_at, Some(in_days(1)));
        let queue: Vec<_> =
            BurnMint::deferred_burns(10).into_iter().map(|record| record.outpoint).collect();
        assert_eq!(queue, vec![outpoint(2), outpoint(3)]);
        assert_eq!(DeferredTotal::<Test>::get(), 90);
        a_day_later();
        assert_eq!(balance(&BOB), 240);
        assert!(BurnMint::deferred_burns(10).is_empty());
    });
}

#[test]
fn all_together_get_no_more_on_a_day_and_turns_go_round() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 150));
        burn(1, BOB, 300);
        burn(2, CAROL, 90);
        burn(3, ALICE, 60);
        // Bob's part, and what that left Carol.
        assert_eq!((balance(&BOB), balance(&CAROL), balance(&ALICE)), (100, 50, ENDOWMENT));
        assert_eq!(waits(1), (WaitCause::TransactionLimit, 0));
        assert_eq!(waits(2), (WaitCause::ChainLimit, 1));
        assert_eq!(waits(3), (WaitCause::ChainLimit, 2));
        a_day_later();
        // Bob's next part, then Carol's rest, then what is left for Alice.
        assert_eq!((balance(&BOB), balance(&CAROL), balance(&ALICE)), (200, 90, ENDOWMENT + 10));
        // She keeps her place, and Bob stands behind her.
        assert_eq!(waits(3), (WaitCause::ChainLimit, 0));
        assert_eq!(waits(1), (WaitCause::TransactionLimit, 1));
        a_day_later();
        assert_eq!((balance(&BOB), balance(&ALICE)), (300, ENDOWMENT + 60));
        next_block();
    });
}

#[test]
fn a_large_burn_keeps_no_small_one_waiting() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 1_000));
        burn(1, BOB, u64::MAX);
        for number in 2..50 {
            burn(number, CAROL, 2);
            assert_eq!(record(number).outcome, BurnOutcome::Minted);
        }
        a_day_later();
        burn(50, CAROL, 100);
        assert_eq!((balance(&BOB), balance(&CAROL)), (200, 96 + 100));
    });
}

#[test]
fn r36_5_new_limits_hold_for_what_waits() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 200, 1_000));
        burn(1, BOB, 500);
        next_block();
        // Lower: what was minted today is more, and nothing follows.
        DayLimits::set((50, 60, 1_000));
        next_block();
        burn(2, BOB, 10);
        assert_eq!(balance(&BOB), 100);
        assert_eq!(waits(2), (WaitCause::AddressLimit, 1));
        // Higher: what they allow more is minted in the same day's next block.
        DayLimits::set((300, 400, 1_000));
        assert_eq!(wait_of(1).cause, WaitCause::Turn);
        next_block();
        assert_eq!((record(1).minted, record(2).minted), (300, 10));
        DayLimits::set(NO_LIMITS);
        next_block();
        assert_eq!(balance(&BOB), 510);
        assert!(BurnMint::deferred_burns(1).is_empty());
        next_block();
    });
}

#[test]
fn whoever_comes_takes_nothing_that_those_before_could_get() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 150));
        burn(1, BOB, 100);
        burn(2, CAROL, 100);
        assert_eq!(record(2).minted, 50);
        next_day();
        // Of the new day's 150 the one that waits needs 50: 100 are free for others.
        burn(3, ALICE, 100);
        assert_eq!(record(3).outcome, BurnOutcome::Minted);
        burn(4, BOB, 1);
        assert_eq!(waits(2), (WaitCause::Turn, 0));
        assert_eq!(waits(4), (WaitCause::Turn, 1));
        assert_eq!(wait_of(4).next_at, Some(Now::get()));
        next_block();
        assert_eq!(record(2).outcome, BurnOutcome::Minted);
        assert_eq!(waits(4), (WaitCause::ChainLimit, 0));
        a_day_later();
        assert_eq!(record(4).outcome, BurnOutcome::Minted);
    });
}

#[test]
fn o6_with_too_few_sequencers_burns_wait() {
    new_test_ext().execute_with(|| {
        MinSequencers::set(3);
        Members::set(2);
        burn(1, BOB, 70);
        next_block();
        assert_eq!(balance(&BOB), 0);
        let expected = BurnWait {
            cause: WaitCause::TooFewSequencers,
            place: 0,
            next_at: None,
            complete_at: None,
        };
        assert_eq!(wait_of(1), expected);
        Members::set(3);
        next_block();
        assert_eq!(balance(&BOB), 70);
        burn(2, BOB, 5);
        assert_eq!(balance(&BOB), 75);
    });
}

#[test]
fn o6_while_l1_is_disputed_nothing_is_minted_of_what_waits_or_comes() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 1_000));
        burn(1, BOB, 250);
        next_block();
        assert_eq!(balance(&BOB), 100);
        // L1 reorganised below it: the next day frees the limits, and nothing is minted.
        L1Disputed::set(true);
        a_day_later();
        burn(2, CAROL, 50);
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (100, 0));
        assert_eq!(record(1).outcome, BurnOutcome::Deferred);
        let expected =
            BurnWait { cause: WaitCause::L1Disputed, place: 0, next_at: None, complete_at: None };
        assert_eq!(wait_of(1), expected);
        assert_eq!(waits(2), (WaitCause::L1Disputed, 1));
        let cause = WaitCause::L1Disputed;
        let deferred = Event::BurnDeferred { outpoint: outpoint(2), rest: 50, cause };
        assert!(mint_events().contains(&deferred));
        // L1 is back on what was attested.
        L1Disputed::set(false);
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (200, 50));
    });
}

#[test]
fn r12_5_in_an_emergency_deposits_wait_in_the_queue() {
    new_test_ext().execute_with(|| {
        Emergency::set(true);
        burn(1, BOB, 50);
        next_block();
        assert_eq!(balance(&BOB), 0);
        let expected =
            BurnWait { cause: WaitCause::Emergency, place: 0, next_at: None, complete_at: None };
        assert_eq!(wait_of(1), expected);
        Emergency::set(false);
        next_block();
        assert_eq!(balance(&BOB), 50);
        assert_eq!(record(1).outcome, BurnOutcome::Minted);
    });
}

#[test]
fn what_came_while_minting_stood_has_its_turn_although_others_had_theirs() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 1_000));
        burn(1, BOB, 150);
        Halted::<Test>::put(true);
        burn(2, CAROL, 50);
        assert_eq!((waits(1).0, waits(2).0), (WaitCause::Halted, WaitCause::Halted));
        Halted::<Test>::kill();
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (100, 50));
        assert_eq!(waits(1), (WaitCause::TransactionLimit, 0));
    });
}

#[test]
fn the_turns_of_a_block_are_bounded_and_go_on_in_the_next() {
    new_test_ext().execute_with(|| {
        DayLimits::set((10, 10, 1_000_000));
        let many = MAX_RETRIES + 5;
        for number in 0..many {
            burn(number, AccountId::new([number as u8 + 100; 32]), 15);
        }
        let minted = || MintedTotal::<Test>::get() - Balance::from(many) * 10;
        next_day();
        next_block();
        assert_eq!(minted(), 5 * Balance::from(MAX_RETRIES));
        next_block();
        assert_eq!(minted(), 5 * Balance::from(many));
        assert_eq!(DeferredTotal::<Test>::get(), 0);
    });
}
