//! What becomes of burns that L1 dropped, and of those that it brings again.

use crate::{
    mock::*,
    pallet::{
        BurnCount, ClawedBackTotal, Deficit, Error, Event, MintedTotal, RecentRange, RepeatedCount,
        RevertedCount, Sweep,
    },
    revert::MAX_JUDGED,
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, WaitCause},
    chain::{AccountId, Balance},
    l1::burn::BurnRejection,
    relay::{L1BlockContext, OnL1Fork, MAX_FORK_DEPTH},
};
use frame_support::{
    assert_noop, assert_ok,
    traits::{fungible::Mutate, tokens::Preservation},
    weights::Weight,
};
use sp_runtime::DispatchError;

const CAROL: AccountId = AccountId::new([3; 32]);
const OLD: u8 = 1;
const NEW: u8 = 2;

fn balance(who: &AccountId) -> Balance {
    Balances::free_balance(who)
}

/// The quorum says that L1 replaced `blocks`.
fn fork(blocks: &[L1BlockContext]) {
    Replaced::set(blocks.iter().map(|block| block.hash).collect());
    L1Disputed::set(true);
    BurnMint::on_fork(&l1_block_at(1, OLD));
}

/// The relay has caught up with the new branch.
fn recover() {
    L1Disputed::set(false);
    BurnMint::on_recovered();
}

fn spend(from: &AccountId, amount: Balance) {
    Balances::transfer(from, &CAROL, amount, Preservation::Expendable).expect("it has that");
}

#[test]
fn a_burn_that_comes_again_keeps_what_was_minted() {
    new_test_ext().execute_with(|| {
        let (old, new) = (l1_block_at(50, OLD), l1_block_at(52, NEW));
        burn_in(&old, 1, BOB, 100);
        next_block();
        fork(&[old]);
        burn_in(&new, 1, BOB, 100);
        assert!(mint_events().contains(&Event::BurnConfirmedAgain {
            outpoint: outpoint(1),
            l1_height: 52,
            l1_hash: new.hash,
        }));
        assert_eq!((record(1).l1_height, record(1).l1_hash), (52, new.hash));
        assert_eq!((record(1).outcome, balance(&BOB)), (BurnOutcome::Minted, 100));
        assert_eq!(RepeatedCount::<Test>::get(), 0);
        recover();
        next_block();
        next_block();
        assert_eq!(balance(&BOB), 100, "not minted twice, not taken back");
        assert_eq!((BurnCount::<Test>::get(), RevertedCount::<Test>::get()), (1, 0));
        assert!(!BurnMint::has_deficit());
        // And it is a repetition from now on.
        burn_in(&new, 1, BOB, 100);
        assert_eq!(RepeatedCount::<Test>::get(), 1);
    });
}

#[test]
fn a_burn_that_does_not_come_again_is_taken_back() {
    new_test_ext().execute_with(|| {
        let (old, below) = (l1_block_at(50, OLD), l1_block_at(49, OLD));
        burn_in(&below, 1, BOB, 30);
        burn_in(&old, 2, BOB, 100);
        next_block();
        assert_eq!(balance(&BOB), 130);
        fork(&[old]);
        next_block();
        assert_eq!(balance(&BOB), 130, "it has time to come again");
        recover();
        next_block();
        assert_eq!(balance(&BOB), 30, "only what L1 dropped");
        assert_eq!((record(2).outcome, record(2).minted), (BurnOutcome::Reverted, 0));
        assert_eq!(record(1).outcome, BurnOutcome::Minted);
        let supply = BurnMint::supply();
        assert!(supply.valid);
        assert_eq!((supply.minted, supply.issuance), (30, ENDOWMENT + 30));
        assert_eq!((supply.clawed_back, supply.deficit, supply.burned_on_l2), (100, 0, 0));
        assert_eq!(BurnCount::<Test>::get(), 1);
        assert!(!BurnMint::has_deficit());
    });
}

#[test]
fn all_who_lost_a_burn_are_told_what_was_taken() {
    new_test_ext().execute_with(|| {
        let old = l1_block_at(50, OLD);
        burn_in(&old, 1, BOB, 100);
        fork(&[old]);
        recover();
        BurnMint::judge_orphans(Weight::MAX);
        let events = mint_events();
        assert!(events.contains(&Event::BurnReverted {
            outpoint: outpoint(1),
            recipient: Some(BOB),
            clawed_back: 100,
            deficit: 0,
        }));
        assert!(events.contains(&Event::OrphansJudged { deficit: 0 }));
    });
}

#[test]
fn what_is_spent_is_a_deficit_that_stands_until_it_is_taken_back() {
    new_test_ext().execute_with(|| {
        let old = l1_block_at(50, OLD);
        burn_in(&old, 1, BOB, 100);
        spend(&BOB, 70);
        fork(&[old]);
        recover();
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (0, 70));
        assert_eq!((record(1).outcome, record(1).minted), (BurnOutcome::Reverted, 70));
        let supply = BurnMint::supply();
        assert_eq!((supply.minted, supply.clawed_back, supply.deficit), (70, 30, 70));
        assert!(supply.valid && BurnMint::has_deficit());

        let origin = RuntimeOrigin::signed(ALICE);
        let nothing = Error::<Test>::NothingThere;
        assert_noop!(BurnMint::claw_back(origin.clone(), outpoint(1)), nothing);
        Balances::transfer(&CAROL, &BOB, 50, Preservation::Expendable).expect("it has that");
        assert_ok!(BurnMint::claw_back(origin.clone(), outpoint(1)));
        assert!(mint_events().contains(&Event::DeficitReduced {
            outpoint: outpoint(1),
            clawed_back: 50,
            deficit: 20,
        }));
        next_block();
        Balances::transfer(&CAROL, &BOB, 20, Preservation::Expendable).expect("it has that");
        assert_ok!(BurnMint::claw_back(origin.clone(), outpoint(1)));
        assert!(!BurnMint::has_deficit());
        assert_eq!((MintedTotal::<Test>::get(), ClawedBackTotal::<Test>::get()), (0, 100));
        let owed = Error::<Test>::NothingOwed;
        assert_noop!(BurnMint::claw_back(origin, outpoint(1)), owed);
        next_block();
    });
}

/// Attack: whoever kept an old transaction of the account includes it again.
#[test]
fn r19_an_account_that_loses_all_keeps_its_nonce_for_ever() {
    new_test_ext().execute_with(|| {
        let old = l1_block_at(50, OLD);
        burn_in(&old, 1, BOB, 100);
        System::inc_account_nonce(&BOB);
        fork(&[old]);
        recover();
        next_block();
        assert_eq!((balance(&BOB), ClawedBackTotal::<Test>::get()), (0, 100));
        assert_eq!((System::account_nonce(&BOB), System::providers(&BOB)), (1, 1));
        // Nor does it go later, however often it gets something and gives all of it away.
        for _ in 0..2 {
            Balances::transfer(&ALICE, &BOB, 10, Preservation::Expendable).expect("it has that");
            spend(&BOB, 10);
            assert_eq!((System::account_nonce(&BOB), System::providers(&BOB)), (1, 1));
        }
        next_block();
    });
}

#[test]
fn r19_who_keeps_something_gets_no_reference() {
    new_test_ext().execute_with(|| {
        let (old, below) = (l1_block_at(50, OLD), l1_block_at(49, OLD));
        burn_in(&below, 1, BOB, 1);
        burn_in(&old, 2, BOB, 100);
        fork(&[old]);
        recover();
        next_block();
        assert_eq!((balance(&BOB), System::providers(&BOB)), (1, 1));
        spend(&BOB, 1);
        assert_eq!(System::providers(&BOB), 0, "as any other account");
    });
}

/// Else a deficit of one unit would stay, and with it the stop of withdrawals.
#[test]
fn r19_the_last_unit_is_taken_back_too_where_something_refers_to_the_account() {
    new_test_ext().execute_with(|| {
        let old = l1_block_at(50, OLD);
        burn_in(&old, 1, BOB, 100);
        System::inc_consumers(&BOB).expect("it has coins");
        fork(&[old]);
        recover();
        next_block();
        assert_eq!((balance(&BOB), Deficit::<Test>::get()), (0, 0));
        assert!(!BurnMint::has_deficit());
        assert_eq!((System::providers(&BOB), System::consumers(&BOB)), (1, 1));
        next_block();
    });
}

#[test]
fn nothing_is_taken_back_of_a_burn_that_stands() {
    new_test_ext().execute_with(|| {
        burn_in(&l1_block_at(50, OLD), 1, BOB, 100);
        let origin = RuntimeOrigin::signed(ALICE);
        for number in [1, 2] {
            let owed = Error::<Test>::NothingOwed;
            assert_noop!(BurnMint::claw_back(origin.clone(), outpoint(number)), owed);
        }
        let bad = DispatchError::BadOrigin;
        assert_noop!(BurnMint::claw_back(RuntimeOrigin::none(), outpoint(1)), bad);
    });
}

#[test]
fn a_burn_that_comes_late_is_minted_after_all_and_the_deficit_ends() {
    new_test_ext().execute_with(|| {
        let (old, late) = (l1_block_at(50, OLD), l1_block_at(200, NEW));
        burn_in(&old, 1, BOB, 100);
        spend(&BOB, 70);
        fork(&[old]);
        recover();
        next_block();
        assert_eq!(Deficit::<Test>::get(), 70);
        burn_in(&late, 1, BOB, 100);
        assert_eq!(Deficit::<Test>::get(), 0);
        assert_eq!((record(1).outcome, record(1).minted), (BurnOutcome::Deferred, 70));
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (30, 70), "no more than the burn's value");
        assert_eq!((record(1).outcome, record(1).minted), (BurnOutcome::Minted, 100));
        assert_eq!((BurnCount::<Test>::get(), RevertedCount::<Test>::get()), (1, 0));
        assert_eq!(BurnMint::burns_of_account(BOB, 10).len(), 1, "listed once");
        next_block();
    });
}

#[test]
fn a_burn_of_which_nothing_could_be_taken_back_is_minted_when_it_comes_late() {
    new_test_ext().execute_with(|| {
        let old = l1_block_at(50, OLD);
        burn_in(&old, 1, BOB, 100);
        spend(&BOB, 100);
        fork(&[old]);
        recover();
        next_block();
        assert_eq!((Deficit::<Test>::get(), BurnCount::<Test>::get()), (100, 0));
        // L1 returns to the very block.
        Replaced::set(vec![]);
        burn_in(&old, 1, BOB, 100);
        assert_eq!((record(1).outcome, Deficit::<Test>::get()), (BurnOutcome::Minted, 0));
        assert_eq!((balance(&BOB), BurnCount::<Test>::get()), (0, 1));
        next_block();
    });
}

#[test]
fn what_waits_and_was_dropped_leaves_the_queue_and_the_others_keep_their_turns() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 1_000, 1_000));
        let (old, below) = (l1_block_at(50, OLD), l1_block_at(49, OLD));
        burn_in(&below, 1, ALICE, 250);
        burn_in(&old, 2, BOB, 250);
        burn_in(&below, 3, CAROL, 250);
        next_block();
        fork(&[old]);
        recover();
        next_block();
        assert_eq!((record(2).outcome, record(2).minted), (BurnOutcome::Reverted, 0));
        assert_eq!(balance(&BOB), 0);
        let waiting: Vec<_> =
            BurnMint::deferred_burns(10).iter().map(|record| record.outpoint).collect();
        assert_eq!(waiting.len(), 2);
        assert!(waiting.contains(&outpoint(1)) && waiting.contains(&outpoint(3)));
        next_day();
        next_day();
        next_block();
        assert_eq!((balance(&ALICE), balance(&CAROL)), (ENDOWMENT + 250, 250));
    });
}

#[test]
fn r19_what_was_minted_of_a_burn_that_root_rejected_is_taken_back_and_it_stays_rejected() {
    new_test_ext().execute_with(|| {
        let rejected = BurnOutcome::Rejected(BurnRejection::ByGovernance);
        DayLimits::set((100, 1_000, 1_000));
        let (old, late) = (l1_block_at(50, OLD), l1_block_at(200, NEW));
        burn_in(&old, 1, BOB, 250);
        assert_eq!((record(1).outcome, balance(&BOB)), (BurnOutcome::Deferred, 100));
        next_block();
        spend(&BOB, 30);
        fork(&[old]);
        assert_ok!(BurnMint::reject_waiting(RuntimeOrigin::root(), outpoint(1)));
        assert_eq!((record(1).outcome, record(1).minted), (rejected, 100));
        recover();
        next_block();
        assert_eq!((record(1).outcome, record(1).minted), (BurnOutcome::Reverted, 30));
        assert_eq!((balance(&BOB), Deficit::<Test>::get()), (0, 30));
        let supply = BurnMint::supply();
        assert_eq!((supply.minted, supply.clawed_back, supply.rejected_count), (30, 70, 0));
        // L1 has it after all.
        burn_in(&late, 1, BOB, 250);
        assert_eq!((record(1).outcome, record(1).minted), (rejected, 30));
        assert_eq!((Deficit::<Test>::get(), BurnMint::supply().rejected_count), (0, 1));
        next_day();
        next_block();
        assert_eq!(balance(&BOB), 0, "nothing more of it is minted");
        // And drops it again.
        fork(&[late]);
        recover();
        next_block();
        assert_eq!((record(1).outcome, record(1).minted), (BurnOutcome::Reverted, 30));
        assert_eq!(Deficit::<Test>::get(), 30);
        next_block();
    });
}

#[test]
fn nothing_is_minted_before_all_are_judged_some_each_block() {
    new_test_ext().execute_with(|| {
        let (old, new) = (l1_block_at(50, OLD), l1_block_at(90, NEW));
        for number in 0..MAX_JUDGED + 1 {
            burn_in(&old, number, BOB, 10);
        }
        fork(&[old]);
        recover();
        burn_in(&new, 100, CAROL, 5);
        let wait = BurnMint::burn_wait(&outpoint(100)).expect("it waits");
        assert_eq!(wait.cause, WaitCause::L1Disputed);
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (10, 0));
        assert!(Sweep::<Test>::exists());
        next_block();
        assert_eq!((balance(&BOB), balance(&CAROL)), (0, 5));
        assert!(!Sweep::<Test>::exists());
    });
}

#[test]
fn another_fork_while_orphans_are_judged_gives_them_time_again() {
    new_test_ext().execute_with(|| {
        let old = l1_block_at(50, OLD);
        burn_in(&old, 1, BOB, 10);
        fork(&[old]);
        recover();
        assert_eq!(Sweep::<Test>::get(), Some((0, 1)));
        // Another fork while they are judged: they have time to come again.
        BurnMint::on_fork(&old);
        assert_eq!(Sweep::<Test>::get(), None);
        next_block();
        assert_eq!(balance(&BOB), 10);
        burn_in(&l1_block_at(60, NEW), 1, BOB, 10);
        recover();
        next_block();
        assert_eq!((balance(&BOB), record(1).outcome), (10, BurnOutcome::Minted));
    });
}

#[test]
fn burns_are_kept_in_mind_as_long_as_a_fork_can_reach_them() {
    new_test_ext().execute_with(|| {
        burn_in(&l1_block_at(1_000, OLD), 1, BOB, 10);
        burn_in(&l1_block_at(1_001, OLD), 2, BOB, 10);
        burn_in(&l1_block_at(1_000 + MAX_FORK_DEPTH - 1, OLD), 3, BOB, 10);
        assert_eq!(RecentRange::<Test>::get(), (0, 3));
        // None is let go of while L1 is disputed.
        L1Disputed::set(true);
        burn_in(&l1_block_at(1_000 + MAX_FORK_DEPTH, OLD), 4, BOB, 10);
        assert_eq!(RecentRange::<Test>::get(), (0, 4));
        L1Disputed::set(false);
        burn_in(&l1_block_at(1_000 + MAX_FORK_DEPTH, OLD), 5, BOB, 10);
        assert_eq!(RecentRange::<Test>::get(), (1, 5));
        burn_in(&l1_block_at(9_000, OLD), 6, BOB, 10);
        assert_eq!(RecentRange::<Test>::get(), (3, 6), "two at most");
        next_block();
    });
}
