//! Messages whose L1 block was replaced (R19, ADR 0026).

use crate::{
    mock::*,
    pallet::{Error, Event, ExecutedAs},
};
use cascoin_l2_primitives::{
    l1::L1Hash,
    messages::{MessageFailure, MessageState, ValueStanding},
    relay::L1BlockContext,
};
use frame_support::{
    assert_noop, assert_ok,
    traits::fungible::{Inspect, Mutate},
};

const OLD: u8 = 1;
const NEW: u8 = 2;

fn send_in(block: &L1BlockContext, seed: u8, number: u32, value: u64) {
    deliver_in(block, seed, number, value, body(GAS, &remark(number)));
}

/// The quorum says that L1 replaced the blocks of a branch.
fn fork(branch: u8) {
    Replaced::set(vec![L1Hash([branch; 32])]);
    Disputed::set(true);
}

/// The relay has caught up, and all burns are judged.
fn settle() {
    Disputed::set(false);
}

fn stands(number: u32, standing: ValueStanding) {
    Standings::mutate(|all| all.insert(outpoint(number), standing));
}

fn is_dropped(number: u32) -> bool {
    matches!(state(number), MessageState::Failed { reason: MessageFailure::Dropped, .. })
}

#[test]
fn r19_what_l1_dropped_is_not_executed_and_keeps_nobody_waiting() {
    new_test_ext().execute_with(|| {
        send_in(&l1_block_of(OLD), 1, 1, 50);
        send_in(&l1_block_of(NEW), 1, 2, 0);
        fork(OLD);
        blocks(3);
        assert_eq!(state(1), MessageState::Queued(None), "it has time to come again");
        settle();
        // What it brought is taken back.
        stands(1, ValueStanding::Rejected);
        next_block();
        let (sender, outpoint) = (account(1), outpoint(1));
        let reason = MessageFailure::Dropped;
        assert_eq!(events(), [Event::MessageFailed { outpoint, sender, reason }]);
        assert!(is_dropped(1) && remarks().is_empty());
        assert_eq!(Balances::balance(&account(1)), ENDOWMENT + 50, "it paid nothing");
        next_block();
        assert_eq!(remarks(), [said(1, 2)]);
        blocks(KEEP + 1);
        assert_eq!(record(1), None);
    });
}

#[test]
fn r19_what_comes_again_in_time_is_executed_once() {
    new_test_ext().execute_with(|| {
        let (old, new) = (l1_block_of(OLD), L1BlockContext { height: 80, ..l1_block_of(NEW) });
        send_in(&old, 1, 1, 0);
        send_in(&old, 2, 2, 0);
        next_block();
        assert_eq!(remarks(), [said(1, 1), said(2, 2)]);
        send_in(&old, 1, 3, 0);
        fork(OLD);
        for (seed, number) in [(1, 1), (1, 3)] {
            send_in(&new, seed, number, 0);
            let (l1_height, l1_hash) = (80, new.hash);
            let outpoint = outpoint(number);
            let again = Event::MessageConfirmedAgain { outpoint, l1_height, l1_hash };
            assert_eq!(events().last(), Some(&again));
            let record = record(number).expect("on record");
            assert_eq!((record.l1_height, record.l1_hash), (80, new.hash));
        }
        settle();
        next_block();
        assert_eq!(remarks(), [said(1, 3)], "the first is done, as what L1 dropped of them is");
        next_block();
        assert!(remarks().is_empty());
        // From now on it is a repetition.
        send_in(&new, 1, 3, 0);
        assert_eq!(events(), [Event::MessageAlreadyKnown { outpoint: outpoint(3) }]);
    });
}

#[test]
fn r19_what_comes_late_is_for_its_sender_to_claim() {
    new_test_ext().execute_with(|| {
        send_in(&l1_block_of(OLD), 1, 1, 50);
        send_in(&l1_block_of(OLD), 2, 2, 0);
        fork(OLD);
        settle();
        stands(1, ValueStanding::Rejected);
        next_block();
        assert!(is_dropped(1) && is_dropped(2));
        for (seed, number) in [(1, 1), (2, 2)] {
            assert_noop!(claim(seed, number), Error::<Test>::NotClaimable);
        }
        send_in(&l1_block_of(NEW), 1, 1, 50);
        send_in(&l1_block_of(NEW), 2, 2, 0);
        blocks(3);
        assert!(is_dropped(1) && is_dropped(2), "nothing is done by itself any more");
        assert_ok!(claim(2, 2));
        // The other one waits until all that it brought is minted again.
        for standing in [ValueStanding::Rejected, ValueStanding::Waits] {
            stands(1, standing);
            assert_noop!(claim(1, 1), Error::<Test>::NotClaimable);
        }
        stands(1, ValueStanding::Credited);
        assert_ok!(claim(1, 1));
        let block = System::block_number();
        assert_eq!(state(1), MessageState::Executed { block });
    });
}

/// Attack: the new branch has the transaction with another script in one of its inputs, and
/// so under another identifier.
#[test]
fn r28_a_message_that_was_executed_is_not_executed_under_another_txid() {
    new_test_ext().execute_with(|| {
        send_in(&l1_block_of(OLD), 1, 1, 50);
        next_block();
        assert_eq!(remarks(), [said(1, 1)]);
        fork(OLD);
        deliver_as(&l1_block_of(NEW), 1, (1, 2), 50, body(GAS, &remark(1)));
        assert_eq!(
            Balances::balance(&account(1)),
            ENDOWMENT + 2 * 50 - FEE,
            "what the first brought is for the books to take back"
        );
        // Nor does it keep others waiting.
        send_in(&l1_block_of(NEW), 1, 3, 0);
        settle();
        next_block();
        assert!(remarks().is_empty());
        let reason = MessageFailure::Duplicate;
        assert!(matches!(state(2), MessageState::Failed { reason: now, .. } if now == reason));
        next_block();
        assert_eq!(remarks(), [said(1, 3)]);
        assert_noop!(claim(1, 2), Error::<Test>::NotClaimable);
        // Both go when they were kept long enough.
        blocks(KEEP + 1);
        assert_eq!((record(1), record(2)), (None, None));
        assert_eq!(ExecutedAs::<Test>::iter().count(), 0);
    });
}

/// L1 dropped the first before it was executed: then the second is the message. It stays so
/// if L1 returns to the first.
#[test]
fn r28_of_two_outputs_of_what_was_signed_the_one_that_l1_has_is_executed() {
    new_test_ext().execute_with(|| {
        send_in(&l1_block_of(OLD), 1, 1, 0);
        fork(OLD);
        deliver_as(&l1_block_of(NEW), 1, (1, 2), 0, body(GAS, &remark(1)));
        settle();
        next_block();
        assert!(is_dropped(1) && remarks().is_empty());
        next_block();
        assert_eq!(remarks(), [said(1, 1)]);
        assert!(matches!(state(2), MessageState::Executed { .. }));
        fork(NEW);
        send_in(&l1_block_of(OLD), 1, 1, 0);
        settle();
        assert_noop!(claim(1, 1), Error::<Test>::NotClaimable);
        blocks(3);
        assert!(is_dropped(1) && matches!(state(2), MessageState::Executed { .. }));
    });
}

/// The same, where the call of the first has failed.
#[test]
fn r28_a_call_that_failed_leaves_its_message_to_be_executed() {
    new_test_ext().execute_with(|| {
        let call = transfer(2, 2 * ENDOWMENT);
        deliver_in(&l1_block_of(OLD), 1, 1, 0, body(GAS, &call));
        next_block();
        assert!(matches!(state(1), MessageState::Queued(Some(MessageFailure::Call(_)))));
        fork(OLD);
        deliver_as(&l1_block_of(NEW), 1, (1, 2), 0, body(GAS, &call));
        assert_ok!(Balances::mint_into(&account(1), 2 * ENDOWMENT));
        settle();
        blocks(PAUSE + 2);
        assert!(is_dropped(1) && matches!(state(2), MessageState::Executed { .. }));
        assert_eq!(Balances::balance(&account(2)), 3 * ENDOWMENT, "once");
    });
}

/// Whatever a message failed for: what L1 does not have is not executed in its name.
#[test]
fn r19_nothing_is_claimed_that_l1_does_not_have() {
    new_test_ext().execute_with(|| {
        let call = transfer(2, 2 * ENDOWMENT);
        deliver_in(&l1_block_of(OLD), 1, 1, 0, body(GAS, &call));
        blocks(1 + PAUSE * (1 + 2 + 3) + 5);
        assert!(matches!(state(1), MessageState::Failed { .. }));
        assert_ok!(Balances::mint_into(&account(1), 2 * ENDOWMENT));
        fork(OLD);
        assert_noop!(claim(1, 1), Error::<Test>::NotClaimable);
        deliver_in(&l1_block_of(NEW), 1, 1, 0, body(GAS, &call));
        assert_ok!(claim(1, 1));
    });
}
