//! What root can do about a fault: stop minting, and take burns out of the queue.

use crate::{
    mock::*,
    pallet::{
        BurnCount, Deferred, DeferredRange, DeferredTotal, Error, Event, Halted, MintedTotal,
        RepeatedCount, Stopped, MAX_REJECTED,
    },
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnWait, MintingStatus, WaitCause},
    chain::{AccountId, Balance},
    l1::{burn::BurnRejection, OutPoint},
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

const CAROL: AccountId = AccountId::new([3; 32]);
const REJECTED: BurnOutcome = BurnOutcome::Rejected(BurnRejection::ByGovernance);

fn balance(who: &AccountId) -> Balance {
    Balances::free_balance(who)
}

fn reject(number: u32) -> Result<(), DispatchError> {
    BurnMint::reject_waiting(RuntimeOrigin::root(), outpoint(number))
}

fn wait_of(number: u32) -> BurnWait {
    BurnMint::burn_wait(&outpoint(number)).expect("it waits")
}

/// Who is in the queue, and that each knows its place.
fn queue() -> Vec<OutPoint> {
    let queue: Vec<_> =
        BurnMint::deferred_burns(100).into_iter().map(|record| record.outpoint).collect();
    for (outpoint, place) in queue.iter().zip(0..) {
        assert_eq!(BurnMint::burn_wait(outpoint).map(|wait| wait.place), Some(place));
    }
    queue
}

fn outpoints(numbers: &[u32]) -> Vec<OutPoint> {
    numbers.iter().map(|number| outpoint(*number)).collect()
}

#[test]
fn root_stops_minting_whatever_the_day_and_lifts_the_stop() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 1_000));
        burn(1, BOB, 250);
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        assert!(mint_events().contains(&Event::MintingStopped));
        next_day();
        burn(2, CAROL, 30);
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (100, 0));
        let expected =
            BurnWait { cause: WaitCause::Stopped, place: 0, next_at: None, complete_at: None };
        assert_eq!(wait_of(1), expected);
        assert_eq!((wait_of(2).cause, wait_of(2).place), (WaitCause::Stopped, 1));
        // Nothing is wrong with the supply.
        assert!(BurnMint::supply().valid);

        assert_ok!(BurnMint::lift_stop(RuntimeOrigin::root()));
        assert!(mint_events().contains(&Event::StopLifted));
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (200, 30));
    });
}

#[test]
fn only_root_stops_lifts_and_rejects_and_only_where_it_changes_something() {
    new_test_ext().execute_with(|| {
        for origin in [RuntimeOrigin::signed(ALICE), RuntimeOrigin::none()] {
            let bad = DispatchError::BadOrigin;
            assert_noop!(BurnMint::stop(origin.clone()), bad);
            assert_noop!(BurnMint::lift_stop(origin.clone()), bad);
            assert_noop!(BurnMint::reject_waiting(origin, outpoint(1)), bad);
        }
        assert_noop!(BurnMint::lift_stop(RuntimeOrigin::root()), Error::<Test>::NotStopped);
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        assert_noop!(BurnMint::stop(RuntimeOrigin::root()), Error::<Test>::AlreadyStopped);
    });
}

#[test]
fn a_stop_and_a_halt_are_undone_each_on_its_own() {
    new_test_ext().execute_with(|| {
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        Halted::<Test>::put(true);
        burn(1, BOB, 5);
        assert_eq!(wait_of(1).cause, WaitCause::Halted);
        assert_ok!(BurnMint::resume(RuntimeOrigin::root()));
        assert!(Stopped::<Test>::get());
        next_block();
        assert_eq!((balance(&BOB), wait_of(1).cause), (0, WaitCause::Stopped));
        Halted::<Test>::put(true);
        assert_ok!(BurnMint::lift_stop(RuntimeOrigin::root()));
        next_block();
        assert_eq!((balance(&BOB), wait_of(1).cause), (0, WaitCause::Halted));
        assert_ok!(BurnMint::resume(RuntimeOrigin::root()));
        next_block();
        assert_eq!(balance(&BOB), 5);
    });
}

/// A stop shows behind another cause, and each cause as burns wait for it.
#[test]
fn whether_minting_rests_and_why_is_told() {
    let status = |stopped, rests_for| MintingStatus { stopped, rests_for };
    new_test_ext().execute_with(|| {
        assert_eq!(BurnMint::minting(), status(false, None));
        L1Disputed::set(true);
        assert_eq!(BurnMint::minting(), status(false, Some(WaitCause::L1Disputed)));
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        assert_eq!(BurnMint::minting(), status(true, Some(WaitCause::Stopped)));
        burn(1, BOB, 5);
        Halted::<Test>::put(true);
        assert_eq!(BurnMint::minting(), status(true, Some(WaitCause::Halted)));
        assert_eq!(Some(wait_of(1).cause), BurnMint::minting().rests_for);
        Halted::<Test>::kill();
        L1Disputed::set(false);
        assert_ok!(BurnMint::lift_stop(RuntimeOrigin::root()));
        assert_eq!(BurnMint::minting(), status(false, None));
    });
}

#[test]
fn o6_a_burn_that_is_rejected_brings_no_more_and_keeps_its_record() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 1_000));
        burn(1, BOB, 250);
        next_block();
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        assert_ok!(reject(1));
        let rejected = Event::WaitingRejected { outpoint: outpoint(1), minted: 100, rest: 150 };
        assert!(mint_events().contains(&rejected));
        assert_eq!((record(1).outcome, record(1).minted, record(1).value), (REJECTED, 100, 250));
        assert_eq!(BurnMint::burn_wait(&outpoint(1)), None);
        assert_eq!(DeferredTotal::<Test>::get(), 0);
        assert_noop!(reject(1), Error::<Test>::NotWaiting);
        assert_ok!(BurnMint::lift_stop(RuntimeOrigin::root()));

        // L1 shows it again, and days go by.
        next_day();
        burn(1, BOB, 250);
        next_day();
        next_block();
        assert_eq!((balance(&BOB), MintedTotal::<Test>::get()), (100, 100));
        assert_eq!(RepeatedCount::<Test>::get(), 1);
        let report = BurnMint::supply();
        assert!(report.valid);
        assert_eq!((report.burn_count, report.rejected_count), (0, 1));
        assert_eq!(BurnMint::burns_of_account(BOB, 10), vec![record(1)]);
    });
}

#[test]
fn burns_are_rejected_only_while_nothing_is_minted_and_only_waiting_ones() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 1_000));
        burn(1, BOB, 150);
        burn(2, CAROL, 20);
        see(outpoint(3), 0, &payload(BOB, 1));
        assert_noop!(reject(1), Error::<Test>::MintingOpen);
        L1Disputed::set(true);
        // Minted in full, rejected when it came, never seen.
        for number in [2, 3, 4] {
            assert_noop!(reject(number), Error::<Test>::NotWaiting);
        }
        assert_ok!(reject(1));
        L1Disputed::set(false);
        next_day();
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (100, 20));
        assert_eq!(BurnCount::<Test>::get(), 1);
    });
}

#[test]
fn the_queue_has_no_gap_and_nobody_is_put_further_back() {
    new_test_ext().execute_with(|| {
        DayLimits::set((10, 10, 1_000));
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        for number in 0..6 {
            burn(number, AccountId::new([number as u8 + 100; 32]), 10);
        }
        // From the middle, the head, the end, and what is left.
        for (number, left) in
            [(2, &[0, 1, 5, 3, 4][..]), (0, &[4, 1, 5, 3][..]), (3, &[4, 1, 5][..])]
        {
            assert_ok!(reject(number));
            assert_eq!(queue(), outpoints(left));
            assert_eq!(DeferredTotal::<Test>::get(), 10 * left.len() as Balance);
            next_block();
        }
        // Whoever comes is behind them.
        burn(9, BOB, 10);
        assert_eq!(queue(), outpoints(&[4, 1, 5, 9]));
        assert_ok!(BurnMint::lift_stop(RuntimeOrigin::root()));
        next_block();
        assert_eq!(MintedTotal::<Test>::get(), 40);
        for number in [4, 1, 5, 9] {
            assert_eq!(record(number).outcome, BurnOutcome::Minted);
        }
        // The last one of all.
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        burn(10, BOB, 1);
        assert_ok!(reject(10));
        let (start, end) = DeferredRange::<Test>::get();
        assert_eq!((start, Deferred::<Test>::iter().count()), (end, 0));
        next_block();
    });
}

#[test]
fn who_had_no_turn_has_it_although_others_were_rejected() {
    new_test_ext().execute_with(|| {
        DayLimits::set((10, 10, 1_000));
        burn(1, BOB, 15);
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        burn(2, CAROL, 10);
        burn(3, ALICE, 10);
        assert_ok!(reject(2));
        assert_eq!(queue(), outpoints(&[1, 3]));
        assert_ok!(BurnMint::lift_stop(RuntimeOrigin::root()));
        next_block();
        assert_eq!((balance(&BOB), balance(&ALICE)), (10, ENDOWMENT + 10));
        // The one that had its turn today stays, and no newcomer waits for it.
        assert_eq!(queue(), outpoints(&[1]));
        burn(4, CAROL, 10);
        assert_eq!(record(4).outcome, BurnOutcome::Minted);
    });
}

#[test]
fn no_flood_of_worthless_outputs_pushes_out_what_was_rejected_while_it_waited() {
    new_test_ext().execute_with(|| {
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        burn(1, BOB, 10);
        assert_ok!(reject(1));
        for number in 2..MAX_REJECTED as u32 + 10 {
            see(outpoint(number), 0, &payload(BOB, 1));
        }
        assert_eq!(record(1).outcome, REJECTED);
        assert_ok!(BurnMint::lift_stop(RuntimeOrigin::root()));
        burn(1, BOB, 10);
        next_block();
        assert_eq!(balance(&BOB), 0);
    });
}
