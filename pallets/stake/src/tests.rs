//! Bonding, unbonding, and what is in between.

use crate::{mock::*, pallet::Error, pallet::Event, pallet::Ledgers, MAX_CHUNKS};
use cascoin_l2_primitives::sequencers::StakeProvider;
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use sp_runtime::TokenError;

#[test]
fn what_is_bonded_is_stake_and_cannot_be_spent() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 600_000));
        assert_ok!(Stake::bond(signed(1), 100_000));
        assert_eq!((Stake::stake(&account(1)), held(1)), (700_000, 700_000));
        System::assert_last_event(
            Event::<Test>::Bonded { account: account(1), amount: 100_000, stake: 700_000 }.into(),
        );
        let more = Balances::transfer_allow_death(signed(1), account(2), 300_001);
        assert!(more.is_err(), "only 300,000 are free");
        assert_noop!(Stake::bond(signed(1), 300_001), TokenError::FundsUnavailable);
        assert_noop!(Stake::bond(signed(1), 0), Error::<Test>::ZeroAmount);
        assert_noop!(Stake::bond(signed(9), 1), TokenError::FundsUnavailable);
        assert_eq!(Balances::total_balance(&account(1)), ENDOWMENT);
    });
}

/// Issue: stake moved between two identities must not count twice.
#[test]
fn stake_counts_for_one_account_at_a_time() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 900_000));
        assert_ok!(Stake::unbond(signed(1), 900_000));
        assert_eq!(Stake::stake(&account(1)), 0);
        let early = Balances::transfer_allow_death(signed(1), account(5), 900_000);
        assert!(early.is_err(), "it is on hold until the period is over");
        System::set_block_number(1 + UNBONDING);
        assert_ok!(Stake::withdraw(signed(1)));
        assert_ok!(Balances::transfer_allow_death(signed(1), account(5), 900_000));
        assert_ok!(Stake::bond(signed(5), 899_000));
        assert_eq!(Stake::stake(&account(1)) + Stake::stake(&account(5)), 899_000);
    });
}

#[test]
fn unbonded_coins_are_free_after_the_period_and_not_before() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_000));
        assert_ok!(Stake::unbond(signed(1), 400));
        let free_at = 1 + UNBONDING;
        System::assert_last_event(
            Event::<Test>::Unbonded { account: account(1), amount: 400, free_at }.into(),
        );
        assert_eq!((Stake::stake(&account(1)), held(1)), (600, 1_000));
        System::set_block_number(free_at - 1);
        assert_noop!(Stake::withdraw(signed(1)), Error::<Test>::NothingToWithdraw);
        assert_ok!(Stake::unbond(signed(1), 100));
        System::set_block_number(free_at);
        assert_ok!(Stake::withdraw(signed(1)));
        assert_eq!((Stake::stake(&account(1)), held(1)), (500, 600));
        System::set_block_number(free_at - 1 + UNBONDING);
        assert_ok!(Stake::unbond(signed(1), 500));
        assert_ok!(Stake::withdraw(signed(1)));
        System::set_block_number(free_at - 1 + 2 * UNBONDING);
        assert_ok!(Stake::withdraw(signed(1)));
        assert_eq!(held(1), 0);
        assert!(!Ledgers::<Test>::contains_key(account(1)), "nothing is kept of it");
        assert_noop!(Stake::withdraw(signed(1)), Error::<Test>::NothingToWithdraw);
    });
}

#[test]
fn nobody_takes_back_what_is_not_there_or_promised() {
    new_test_ext().execute_with(|| {
        assert_noop!(Stake::unbond(signed(1), 1), Error::<Test>::NotEnough);
        assert_ok!(Stake::bond(signed(1), 1_000));
        assert_noop!(Stake::unbond(signed(1), 1_001), Error::<Test>::NotEnough);
        assert_noop!(Stake::unbond(signed(1), 0), Error::<Test>::ZeroAmount);
        Committed::set(vec![(account(1), 800)]);
        assert_noop!(Stake::unbond(signed(1), 201), Error::<Test>::StillCommitted);
        assert_ok!(Stake::unbond(signed(1), 200));
        assert_noop!(Stake::unbond(signed(1), 1), Error::<Test>::StillCommitted);
    });
}

#[test]
fn what_is_being_unbonded_can_be_bonded_again() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_000));
        assert_ok!(Stake::unbond(signed(1), 300));
        System::set_block_number(2);
        assert_ok!(Stake::unbond(signed(1), 300));
        assert_noop!(Stake::rebond(signed(1), 601), Error::<Test>::NotEnough);
        assert_ok!(Stake::rebond(signed(1), 400));
        assert_eq!((Stake::stake(&account(1)), held(1)), (800, 1_000));
        // The older chunk is what is left.
        System::set_block_number(1 + UNBONDING);
        assert_ok!(Stake::withdraw(signed(1)));
        assert_eq!(held(1), 800);
        assert_noop!(Stake::rebond(signed(2), 1), Error::<Test>::NotEnough);
    });
}

#[test]
fn chunks_are_bounded_and_one_block_makes_one() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_000));
        for block in 1..=MAX_CHUNKS {
            System::set_block_number(block);
            assert_ok!(Stake::unbond(signed(1), 1));
            assert_ok!(Stake::unbond(signed(1), 1));
        }
        System::set_block_number(MAX_CHUNKS + 1);
        assert_noop!(Stake::unbond(signed(1), 1), Error::<Test>::TooManyChunks);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

#[test]
fn overflow_at_the_maximum_supply_is_impossible() {
    use frame_support::traits::fungible::Mutate;
    new_test_ext().execute_with(|| {
        // All that a Bitcoin-family chain can have, many times over.
        let most = u128::from(u64::MAX);
        Balances::set_balance(&account(1), most + 1);
        assert_ok!(Stake::bond(signed(1), most));
        assert_ok!(Stake::unbond(signed(1), most));
        assert_ok!(Stake::rebond(signed(1), most));
        assert_eq!(Stake::stake(&account(1)), most);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}
