//! What had been minted before the state went back is minted again, whatever the day is like.

use crate::{
    mock::*,
    pallet::{DeferredTotal, Halted, MintedBefore, MintedTotal, Stopped, Waits, MAX_RETRIES},
};
use cascoin_l2_primitives::{
    apis::BurnOutcome,
    chain::{AccountId, Balance},
};

const CAROL: AccountId = AccountId::new([3; 32]);

fn balance(who: &AccountId) -> Balance {
    Balances::free_balance(who)
}

/// The state has gone back; the burn of this number had brought so much.
fn had(number: u32, minted: u64) {
    BurnMint::note_minted_before(outpoint(number), minted);
}

#[test]
fn p20_neither_a_limit_nor_a_stop_nor_an_emergency_keeps_what_had_been_minted() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 150, 200));
        MinSequencers::set(2);
        Emergency::set(true);
        Stopped::<Test>::put(true);
        had(1, 250);
        had(2, 120);
        burn(1, BOB, 250);
        burn(2, BOB, 500);
        burn(3, CAROL, 50);
        assert!(BurnMint::mints_again());
        next_block();
        assert!(!BurnMint::mints_again());
        assert_eq!(BurnMint::minted_again(), 2);
        // Of each what it had, and of one that had nothing, nothing.
        assert_eq!((balance(&BOB), balance(&CAROL)), (370, 0));
        assert_eq!((record(1).outcome, record(1).minted), (BurnOutcome::Minted, 250));
        assert_eq!((record(2).outcome, record(2).minted), (BurnOutcome::Deferred, 120));
        assert_eq!(DeferredTotal::<Test>::get(), 380 + 50);
        assert!(BurnMint::supply().valid);
        next_block();
        assert_eq!(balance(&BOB), 370, "once");

        MinSequencers::set(1);
        Emergency::set(false);
        Stopped::<Test>::put(false);
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (370, 0), "the day has brought enough");
        next_day();
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (470, 50), "as any other");
    });
}

#[test]
fn p20_it_waits_until_l1_is_settled_and_the_supply_adds_up() {
    new_test_ext().execute_with(|| {
        L1Disputed::set(true);
        had(1, 70);
        burn(1, BOB, 70);
        next_block();
        L1Disputed::set(false);
        Halted::<Test>::put(true);
        next_block();
        assert!(BurnMint::mints_again());
        assert_eq!(balance(&BOB), 0);
        Halted::<Test>::put(false);
        next_block();
        assert!(!BurnMint::mints_again());
        assert_eq!(balance(&BOB), 70);
        assert_eq!(Waits::<Test>::iter().count(), 0);
    });
}

#[test]
fn p20_what_l1_does_not_bring_again_is_let_go_of_and_no_burn_brings_more_than_its_value() {
    new_test_ext().execute_with(|| {
        Stopped::<Test>::put(true);
        had(1, 70);
        had(2, 1_000);
        burn(2, BOB, 60);
        next_block();
        assert_eq!((balance(&BOB), MintedTotal::<Test>::get()), (60, 60));
        assert_eq!(MintedBefore::<Test>::iter().count(), 0);
        // It comes later, as if it were new.
        burn(1, CAROL, 70);
        next_block();
        assert_eq!(balance(&CAROL), 0);
    });
}

#[test]
fn p20_turns_are_bounded_in_each_block() {
    new_test_ext().execute_with(|| {
        Stopped::<Test>::put(true);
        let many = MAX_RETRIES + 3;
        for number in 0..many {
            had(number, 5);
            burn(number, BOB, 5);
        }
        next_block();
        assert_eq!(balance(&BOB), 5 * Balance::from(MAX_RETRIES));
        assert_eq!(BurnMint::minted_again(), u64::from(MAX_RETRIES));
        next_block();
        assert_eq!(balance(&BOB), 5 * Balance::from(many));
        assert_eq!(DeferredTotal::<Test>::get(), 0);
    });
}
