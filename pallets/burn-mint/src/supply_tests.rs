//! The supply invariant (O7): what it allows, what it finds, what it stops.

use crate::{
    mock::*,
    pallet::{Error, Event, GenesisIssuance, Halted, LastIssuance, MintedTotal},
};
use cascoin_l2_primitives::chain::Balance;
use frame_support::{
    assert_noop,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Precision, Preservation},
    },
};
use sp_runtime::DispatchError;

fn issue(amount: Balance) {
    Balances::mint_into(&BOB, amount).expect("it fits");
}

fn destroy(amount: Balance) {
    Balances::burn_from(
        &ALICE,
        amount,
        Preservation::Expendable,
        Precision::Exact,
        Fortitude::Force,
    )
    .expect("Alice has it");
}

// Ends the block without checking the sum over accounts.
fn end_block() {
    BurnMint::check_supply();
}

#[test]
fn genesis_endowments_count_as_genesis_issuance() {
    new_test_ext().execute_with(|| {
        assert_eq!(GenesisIssuance::<Test>::get(), ENDOWMENT);
        let report = BurnMint::supply();
        assert_eq!((report.issuance, report.genesis, report.minted), (ENDOWMENT, ENDOWMENT, 0));
        assert!(report.valid);
        next_block();
        assert!(!Halted::<Test>::get());
    });
}

#[test]
fn minting_and_destroying_are_allowed_and_reported() {
    new_test_ext().execute_with(|| {
        burn(1, BOB, 500);
        destroy(300);
        next_block();
        destroy(50);
        next_block();
        let report = BurnMint::supply();
        assert_eq!(report.issuance + report.burned_on_l2, report.genesis + report.minted);
        assert_eq!((report.minted, report.burned_on_l2, report.burn_count), (500, 350, 1));
        assert!(report.valid);
    });
}

#[test]
fn coins_from_nowhere_halt_minting_but_not_the_chain() {
    new_test_ext().execute_with(|| {
        burn(1, BOB, 500);
        issue(1);
        next_block();
        assert!(Halted::<Test>::get());
        assert!(!BurnMint::supply().valid);
        let allowed = ENDOWMENT + 500;
        let violated = Event::SupplyInvariantViolated { issuance: allowed + 1, allowed };
        assert!(mint_events().contains(&violated));
        burn(2, BOB, 70);
        assert_eq!(Balances::balance(&BOB), 501, "waits");
        next_block();
        let alarms = mint_events()
            .into_iter()
            .filter(|event| matches!(event, Event::SupplyInvariantViolated { .. }));
        assert_eq!(alarms.count(), 1, "one alarm, not one a block");
    });
}

#[test]
fn what_was_destroyed_cannot_be_issued_again() {
    new_test_ext().execute_with(|| {
        destroy(400);
        next_block();
        assert_eq!(LastIssuance::<Test>::get(), ENDOWMENT - 400);
        // Below genesis + minted, and still a violation.
        issue(400);
        next_block();
        assert!(Halted::<Test>::get());
    });
}

#[test]
fn what_one_block_minted_allows_nothing_in_a_later_one() {
    new_test_ext().execute_with(|| {
        burn(1, BOB, 500);
        next_block();
        destroy(500);
        next_block();
        issue(400);
        next_block();
        assert!(Halted::<Test>::get());
    });
}

#[test]
fn destroying_hides_no_issue_in_one_block_beyond_the_total() {
    new_test_ext().execute_with(|| {
        issue(10);
        destroy(5);
        end_block();
        assert!(Halted::<Test>::get());
    });
}

#[test]
fn only_root_resumes_and_only_after_a_halt() {
    new_test_ext().execute_with(|| {
        assert_noop!(BurnMint::resume(RuntimeOrigin::root()), Error::<Test>::NotHalted);
        Halted::<Test>::put(true);
        assert_noop!(BurnMint::resume(RuntimeOrigin::signed(ALICE)), DispatchError::BadOrigin);
        assert_noop!(BurnMint::resume(RuntimeOrigin::none()), DispatchError::BadOrigin);
        BurnMint::resume(RuntimeOrigin::root()).expect("it is halted");
        assert!(!Halted::<Test>::get());
        assert_eq!(mint_events(), vec![Event::MintingResumed]);
    });
}

#[test]
fn resuming_without_repair_halts_again() {
    new_test_ext().execute_with(|| {
        issue(10);
        next_block();
        BurnMint::resume(RuntimeOrigin::root()).expect("it is halted");
        burn(1, BOB, 5);
        next_block();
        assert!(Halted::<Test>::get(), "10 too many are still there");
        destroy(10);
        BurnMint::resume(RuntimeOrigin::root()).expect("it is halted");
        next_block();
        assert!(!Halted::<Test>::get());
        assert!(BurnMint::supply().valid);
    });
}

#[test]
fn emptying_an_account_is_no_violation() {
    new_test_ext().execute_with(|| {
        burn(1, BOB, 100);
        pallet_balances::Pallet::<Test>::transfer_allow_death(
            RuntimeOrigin::signed(BOB),
            ALICE,
            100,
        )
        .expect("Bob has it");
        next_block();
        assert_eq!(MintedTotal::<Test>::get(), 100);
        assert!(BurnMint::supply().valid);
    });
}
