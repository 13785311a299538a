//! What offences take, and where it goes.

use crate::{mock::*, pallet::Event, pallet::Ledgers};
use cascoin_l2_primitives::sequencers::{OffenceKind, StakeProvider};
use frame_support::{assert_ok, traits::fungible::Inspect};

#[test]
fn seq_double_sign_takes_half_of_which_half_is_burned() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_001));
        let issuance = Balances::total_issuance();
        offend(1, OffenceKind::DoubleSign);
        assert_eq!((Stake::stake(&account(1)), held(1)), (500, 500));
        assert_eq!(Balances::balance(&Stake::fund()), 250);
        assert_eq!(Balances::total_issuance(), issuance - 251);
        System::assert_last_event(
            Event::<Test>::Slashed {
                account: account(1),
                offence: OffenceKind::DoubleSign,
                amount: 501,
                to_fund: 250,
                burned: 251,
                to_reporter: 0,
            }
            .into(),
        );
        assert_eq!(
            Balances::balance(&account(1)),
            ENDOWMENT - 1_001,
            "what is free is not touched"
        );
    });
}

#[test]
fn r17_3_censorship_takes_a_hundredth_and_a_fifth_if_repeated() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_000));
        offend(1, OffenceKind::Censorship);
        assert_eq!((Stake::stake(&account(1)), Balances::balance(&Stake::fund())), (990, 5));
        offend(1, OffenceKind::RepeatedCensorship);
        assert_eq!((Stake::stake(&account(1)), held(1)), (792, 792));
        assert_eq!(Balances::balance(&Stake::fund()), 5 + 99);
    });
}

/// Issue: a sequencer that leaves right before it is slashed.
#[test]
fn who_leaves_before_the_proof_comes_is_slashed_all_the_same() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_000));
        assert_ok!(Stake::unbond(signed(1), 900));
        System::set_block_number(UNBONDING);
        offend(1, OffenceKind::DoubleSign);
        // 500 of 1,000: the 100 that are stake, and 400 of what is unbonded.
        assert_eq!((Stake::stake(&account(1)), held(1)), (0, 500));
        System::set_block_number(1 + UNBONDING);
        assert_ok!(Stake::withdraw(signed(1)));
        assert_eq!(held(1), 0);
        offend(1, OffenceKind::DoubleSign);
        assert_eq!(Balances::balance(&account(1)), ENDOWMENT - 500, "too late");
    });
}

#[test]
fn p17_a_double_sign_costs_the_least_penalty_or_all_there_is() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 80));
        assert_ok!(Stake::bond(signed(2), 30));
        offend(1, OffenceKind::DoubleSign);
        offend_in(2, 1, OffenceKind::DoubleSign);
        assert_eq!((held(1), held(2)), (30, 0));
        assert!(!Ledgers::<Test>::contains_key(account(2)));
        // Who has nothing loses nothing, and nothing is told.
        System::reset_events();
        offend_in(3, 2, OffenceKind::DoubleSign);
        assert!(System::events().is_empty());
    });
}

#[test]
fn r25_6_downtime_is_paid_into_the_users_fund() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 100_000));
        let issuance = Balances::total_issuance();
        offend(1, OffenceKind::Offline);
        assert_eq!(Stake::stake(&account(1)), 99_900);
        assert_eq!(Balances::balance(&Stake::fund()), 100);
        assert_eq!(Balances::total_issuance(), issuance);
        offend(1, OffenceKind::Timeout);
        assert_eq!(Stake::stake(&account(1)), 99_900, "a time-out costs reputation only");
        offend(1, OffenceKind::TimestampManipulation);
        assert_eq!(Stake::stake(&account(1)), 99_900 - 4_995);
    });
}

/// One may have made a mistake; two of one set have conspired.
#[test]
fn r22_6_two_double_signers_of_one_set_lose_everything() {
    new_test_ext().execute_with(|| {
        for n in 1..=4 {
            assert_ok!(Stake::bond(signed(n), 1_000));
        }
        let offend_in = |n, set_id| offend_in(n, set_id, OffenceKind::DoubleSign);
        offend_in(1, 7);
        offend_in(2, 8);
        assert_eq!((held(1), held(2)), (500, 500), "not of one set");
        offend_in(3, 7);
        assert_eq!([1, 2, 3].map(held), [0, 500, 0]);
        offend_in(4, 7);
        assert_eq!(held(4), 0);
        assert_eq!(Balances::balance(&Stake::fund()), 250 + 250 + 250 + 500 + 500);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

/// Two mistakes months apart are no conspiracy, though the set is still the same.
#[test]
fn double_signs_far_apart_are_two_mistakes() {
    new_test_ext().execute_with(|| {
        for n in 1..=3 {
            assert_ok!(Stake::bond(signed(n), 1_000));
        }
        offend_at(1, 7, 100, OffenceKind::DoubleSign);
        offend_at(2, 7, 161, OffenceKind::DoubleSign);
        assert_eq!([1, 2].map(held), [500, 500]);
        // The third is within reach of the second only.
        offend_at(3, 7, 200, OffenceKind::DoubleSign);
        assert_eq!([1, 2, 3].map(held), [500, 0, 0]);
    });
}
