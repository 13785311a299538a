//! Messages one by one: when they are executed, in which order, and what becomes of those
//! that fail.

use crate::{
    mock::*,
    pallet::{Entered, Error, Event, Lanes},
    Lane, WeightInfo, MAX_RETRIES, MAX_TURNS, MAX_WOKEN, VALUE_PAUSE,
};
use cascoin_l2_primitives::messages::{MessageFailure, MessageState, ValueStanding};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect, weights::Weight};
use sp_runtime::{traits::Dispatchable, DispatchError};

fn is_failed(number: u32) -> Option<MessageFailure> {
    match state(number) {
        MessageState::Failed { reason, .. } => Some(reason),
        _ => None,
    }
}

/// So many blocks that all retries of one message are over.
const ALL_TRIES: u32 = PAUSE * (1 + 2 + 3) + 5;

#[test]
fn r9_5_a_message_is_executed_in_the_block_after_the_one_that_applied_it() {
    new_test_ext().execute_with(|| {
        send(1, 1, 0, remark(1));
        let (sender, outpoint) = (account(1), outpoint(1));
        let queued = Event::MessageQueued { outpoint, sender: sender.clone(), value: 0 };
        assert_eq!(events(), [queued]);
        assert!(remarks().is_empty());
        next_block();
        assert_eq!(remarks(), [said(1, 1)]);
        assert_eq!(state(1), MessageState::Executed { block: 2 });
        assert_eq!(events(), [Event::MessageExecuted { outpoint, sender: sender.clone() }]);
        assert_eq!(Balances::balance(&sender), ENDOWMENT - FEE);
        next_block();
        assert!(remarks().is_empty(), "once");
    });
}

/// Also if the hook ran once more within the block.
#[test]
fn r28_2_nothing_is_executed_in_the_block_that_applied_it() {
    new_test_ext().execute_with(|| {
        send(1, 1, 0, remark(1));
        crate::Pallet::<Test>::begin_block(1);
        assert!(remarks().is_empty());
        assert_eq!(state(1), MessageState::Queued(None));
        next_block();
        assert_eq!(remarks(), [said(1, 1)]);
    });
}

#[test]
fn messages_for_another_chain_are_none() {
    new_test_ext().execute_with(|| {
        use cascoin_l2_primitives::relay::{L1Event, OnL1Event};
        let event = L1Event::Message {
            outpoint: outpoint(1),
            unsigned_txid: unsigned_txid(1),
            chain_id: CHAIN_ID + 1,
            sender: key(1),
            value: 50,
            body: body(GAS, &remark(1)),
        };
        Messages::on_event(&event, &l1_block());
        assert_eq!((record(1), Balances::balance(&account(1))), (None, ENDOWMENT));
    });
}

#[test]
fn r9_1_messages_of_one_sender_keep_their_order_and_keep_no_other_waiting() {
    new_test_ext().execute_with(|| {
        // The first of sender 1 fails until its last try.
        send(1, 1, 0, transfer(2, 2 * ENDOWMENT));
        send(1, 2, 0, remark(2));
        send(2, 3, 0, remark(3));
        send(2, 4, 0, remark(4));
        next_block();
        assert_eq!(remarks(), [said(2, 3)]);
        next_block();
        assert_eq!(remarks(), [said(2, 4)]);
        for _ in 0..ALL_TRIES {
            if is_failed(1).is_some() {
                break;
            }
            assert_eq!(state(2), MessageState::Queued(None));
            next_block();
        }
        let tries = record(1).expect("on record").tries;
        assert_eq!(tries, MAX_RETRIES + 1);
        assert!(matches!(is_failed(1), Some(MessageFailure::Call(_))));
        next_block();
        assert_eq!(remarks(), [said(1, 2)]);
    });
}

#[test]
fn what_failed_is_tried_again_and_may_succeed() {
    new_test_ext().execute_with(|| {
        send(1, 1, 0, transfer(2, 2 * ENDOWMENT));
        next_block();
        assert!(matches!(state(1), MessageState::Queued(Some(MessageFailure::Call(_)))));
        assert!(matches!(events()[..], [Event::MessageDelayed { tries: 1, .. }]));
        use frame_support::traits::fungible::Mutate;
        assert_ok!(Balances::mint_into(&account(1), 2 * ENDOWMENT));
        blocks(PAUSE - 1);
        assert!(matches!(state(1), MessageState::Queued(_)), "not before its pause is over");
        next_block();
        assert_eq!(state(1), MessageState::Executed { block: 2 + PAUSE });
        assert_eq!(Balances::balance(&account(2)), 3 * ENDOWMENT);
        // Each try was paid.
        assert_eq!(Balances::balance(&account(1)), ENDOWMENT - 2 * FEE);
    });
}

#[test]
fn r9_1_a_message_waits_for_its_value_and_then_has_it() {
    new_test_ext().execute_with(|| {
        // Key 9 has nothing but what the message brings.
        NewStanding::set(ValueStanding::Waits);
        send(9, 1, 500, transfer(2, 400));
        send(9, 2, 0, remark(2));
        blocks(2 * VALUE_PAUSE);
        assert_eq!((state(1), state(2)), (MessageState::Queued(None), MessageState::Queued(None)));
        assert!(Messages::messages_of_transaction(outpoint(1).txid)[0].awaits_value);
        use frame_support::traits::fungible::Mutate;
        assert_ok!(Balances::mint_into(&account(9), 500));
        Standings::mutate(|all| all.insert(outpoint(1), ValueStanding::Credited));
        blocks(VALUE_PAUSE + 1);
        assert!(matches!(state(1), MessageState::Executed { .. }));
        assert!(matches!(state(2), MessageState::Executed { .. }));
        assert_eq!(Balances::balance(&account(9)), 500 - 400 - 2 * FEE);
        assert_eq!(Balances::balance(&account(2)), ENDOWMENT + 400);
    });
}

/// Attack: more senders whose values wait than have turns in a block.
#[test]
fn those_whose_value_waits_take_no_turns() {
    new_test_ext().execute_with(|| {
        NewStanding::set(ValueStanding::Waits);
        for seed in 10..110u8 {
            send(seed, seed.into(), 50, remark(seed.into()));
        }
        // Each has its first turn, in which it is found that it must pause.
        while !Lanes::<Test>::get(Lane::Ready).is_empty() {
            next_block();
        }
        assert_eq!(Lanes::<Test>::get(Lane::Paused).len(), 100);
        // From now on nobody else ever waits for them.
        for number in 0..3 * VALUE_PAUSE {
            send(1, 1_000 + number, 0, remark(number));
            next_block();
            assert_eq!(remarks(), [said(1, number)]);
            assert_eq!(Lanes::<Test>::get(Lane::Ready).len(), 0);
        }
        // And who has its value gets its turn as soon as it was looked at.
        Standings::mutate(|all| all.insert(outpoint(60), ValueStanding::Credited));
        use frame_support::traits::fungible::Mutate;
        assert_ok!(Balances::mint_into(&account(60), 50));
        blocks(100u32.div_ceil(MAX_WOKEN) + VALUE_PAUSE + 1);
        assert!(matches!(state(60), MessageState::Executed { .. }));
        assert_eq!(Lanes::<Test>::get(Lane::Paused).len(), 99);
    });
}

#[test]
fn a_value_that_governance_rejects_ends_its_message() {
    new_test_ext().execute_with(|| {
        NewStanding::set(ValueStanding::Rejected);
        send(1, 1, 500, remark(1));
        next_block();
        assert_eq!(is_failed(1), Some(MessageFailure::ValueRejected));
        assert!(remarks().is_empty());
        assert_noop!(claim(1, 1), Error::<Test>::NotClaimable);
    });
}

/// Whatever is wrong with a message, what it destroyed is its sender's.
#[test]
fn r9_1_no_value_is_lost_with_a_message_that_fails() {
    new_test_ext().execute_with(|| {
        deliver(9, 1, 500, vec![7, 7].try_into().expect("short"));
        assert_eq!(Balances::balance(&account(9)), 500);
        let (sender, outpoint) = (account(9), outpoint(1));
        let reason = MessageFailure::Malformed;
        assert_eq!(events(), [Event::MessageFailed { outpoint, sender, reason }]);
        assert_eq!(record(1), None);
        // No such call; too little gas; too heavy. None is tried twice, none costs a fee.
        deliver(9, 2, 20, vec![0, 255, 255, 255, 255, 250].try_into().expect("short"));
        deliver(9, 3, 20, body(1, &remark(3)));
        blocks(2);
        assert_eq!(is_failed(2), Some(MessageFailure::UnknownCall));
        assert_eq!(is_failed(3), Some(MessageFailure::OutOfGas));
        MaxCall::set(Weight::from_parts(1, u64::MAX));
        send(9, 4, 20, remark(4));
        next_block();
        assert_eq!(is_failed(4), Some(MessageFailure::TooHeavy));
        assert_eq!(Balances::balance(&account(9)), 560);
    });
}

#[test]
fn r12_5_while_the_chain_is_halted_messages_wait_and_are_not_used_up() {
    new_test_ext().execute_with(|| {
        Halted::set(true);
        send(1, 1, 0, remark(1));
        blocks(ALL_TRIES);
        assert_eq!(state(1), MessageState::Queued(None));
        assert_eq!(Balances::balance(&account(1)), ENDOWMENT, "no try was paid");
        Halted::set(false);
        next_block();
        assert!(matches!(state(1), MessageState::Executed { .. }));
    });
}

#[test]
fn who_cannot_pay_is_not_executed() {
    new_test_ext().execute_with(|| {
        send(9, 1, FEE as u64, remark(1));
        next_block();
        assert_eq!(state(1), MessageState::Queued(Some(MessageFailure::FeeUnpaid)));
        blocks(ALL_TRIES);
        assert_eq!(is_failed(1), Some(MessageFailure::FeeUnpaid));
        assert_eq!(Balances::balance(&account(9)), FEE);
    });
}

/// No call is made, so that none is counted: else the lane would be full of those.
#[test]
fn a_try_that_is_not_paid_weighs_no_call() {
    new_test_ext().execute_with(|| {
        let nothing = next_block();
        send(9, 1, FEE as u64, remark(1));
        let turn = <Test as crate::Config>::WeightInfo::turn();
        assert_eq!(next_block(), nothing.saturating_add(turn));
        assert_eq!(state(1), MessageState::Queued(Some(MessageFailure::FeeUnpaid)));
        send(1, 2, 0, remark(2));
        let wake = <Test as crate::Config>::WeightInfo::wake(1);
        let around = nothing.saturating_add(turn).saturating_add(wake);
        assert!(next_block().any_gt(around), "a paid one does");
    });
}

/// Attack: outputs without value, of keys that have nothing.
#[test]
fn what_cannot_be_paid_and_brings_nothing_is_not_queued() {
    new_test_ext().execute_with(|| {
        let (sender, reason) = (account(9), MessageFailure::FeeUnpaid);
        send(9, 1, 0, remark(1));
        let refused = |number| Event::MessageFailed {
            outpoint: outpoint(number),
            sender: sender.clone(),
            reason,
        };
        assert_eq!((events(), record(1)), (vec![refused(1)], None));
        // Nor what brings less than the least fee: all of it is there already, and stays.
        send(9, 2, 3, remark(2));
        assert_eq!(events().last(), Some(&refused(2)));
        assert_eq!((record(2), Balances::balance(&account(9))), (None, 3));
        // It may come while there is something on the way, by it or by one before it.
        NewStanding::set(ValueStanding::Waits);
        send(9, 3, 500, remark(3));
        send(9, 4, 0, remark(4));
        assert_eq!(state(3), MessageState::Queued(None));
        assert_eq!(state(4), MessageState::Queued(None));
    });
}

#[test]
fn a_message_without_value_whose_sender_cannot_pay_is_tried_once() {
    new_test_ext().execute_with(|| {
        use frame_support::traits::fungible::Mutate;
        // As much as the least fee, which this call's is not.
        assert_ok!(Balances::mint_into(&account(9), LEAST_FEE + 1));
        send(9, 1, 0, remark(1));
        assert_eq!(state(1), MessageState::Queued(None));
        next_block();
        assert_eq!(is_failed(1), Some(MessageFailure::FeeUnpaid));
        // It is its sender's to claim, who pays for that as for any transaction.
        assert_ok!(claim(9, 1));
        assert!(matches!(state(1), MessageState::Executed { .. }));
    });
}

#[test]
fn an_output_is_one_message_for_ever() {
    new_test_ext().execute_with(|| {
        send(1, 1, 500, remark(1));
        send(1, 1, 500, remark(1));
        let known = Event::MessageAlreadyKnown { outpoint: outpoint(1) };
        assert_eq!(events().last(), Some(&known));
        next_block();
        assert_eq!(remarks(), [said(1, 1)]);
        blocks(KEEP + 1);
        assert_eq!(record(1), None, "it was kept long enough");
        // The value is still on record.
        send(1, 1, 500, remark(1));
        assert_eq!(events(), [known]);
        next_block();
        assert!(remarks().is_empty());
        assert_eq!(Balances::balance(&account(1)), ENDOWMENT + 500 - FEE);
    });
}

#[test]
fn r9_4_what_is_done_stays_on_record_for_a_while() {
    new_test_ext().execute_with(|| {
        send(1, 1, 0, remark(1));
        next_block();
        blocks(KEEP);
        let reports = Messages::messages_of_transaction(outpoint(1).txid);
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].record.state, MessageState::Executed { block: 2 });
        let stored = sp_io::storage::get(&reports[0].storage_key).expect("the key is right");
        let record: cascoin_l2_primitives::messages::MessageRecord =
            codec::Decode::decode(&mut &stored[..]).expect("a record");
        assert_eq!(record, reports[0].record);
        next_block();
        assert!(Messages::messages_of_transaction(outpoint(1).txid).is_empty());
    });
}

#[test]
fn while_l1_is_disputed_nothing_is_executed() {
    new_test_ext().execute_with(|| {
        send(1, 1, 0, remark(1));
        Disputed::set(true);
        blocks(5);
        assert_eq!(state(1), MessageState::Queued(None));
        Disputed::set(false);
        next_block();
        assert_eq!(remarks(), [said(1, 1)]);
    });
}

#[test]
fn a_message_that_failed_is_its_senders_to_claim() {
    new_test_ext().execute_with(|| {
        send(1, 1, 0, transfer(2, 2 * ENDOWMENT));
        assert_noop!(claim(1, 1), Error::<Test>::NotClaimable);
        next_block();
        blocks(ALL_TRIES);
        assert!(is_failed(1).is_some());
        assert_noop!(claim(1, 2), Error::<Test>::UnknownMessage);
        assert_noop!(claim(2, 1), Error::<Test>::NotSender);
        // Its call still fails, which undoes all.
        let before = record(1);
        assert!(claim(1, 1).is_err());
        assert_eq!((record(1), Entered::<Test>::exists()), (before, false));
        use frame_support::traits::fungible::Mutate;
        assert_ok!(Balances::mint_into(&account(1), 2 * ENDOWMENT));
        assert_ok!(claim(1, 1));
        let block = System::block_number();
        assert_eq!(state(1), MessageState::Executed { block });
        assert_eq!(Balances::balance(&account(2)), 3 * ENDOWMENT);
        assert_noop!(claim(1, 1), Error::<Test>::NotClaimable);
        blocks(KEEP + 1);
        assert_eq!(record(1), None);
    });
}

/// Attack: a message whose call executes another one. There are two guards: a claim weighs
/// more than a message may, and nothing is claimed within a message.
#[test]
fn r28_5_a_message_that_leads_back_here_fails() {
    new_test_ext().execute_with(|| {
        send(1, 1, 0, transfer(2, 2 * ENDOWMENT));
        blocks(1 + ALL_TRIES);
        assert!(is_failed(1).is_some());
        use frame_support::traits::fungible::Mutate;
        assert_ok!(Balances::mint_into(&account(1), 2 * ENDOWMENT));
        // By now it could be claimed.
        send(1, 2, 0, claim_call(1));
        send(1, 3, 0, remark(3));
        next_block();
        assert_eq!(is_failed(2), Some(MessageFailure::TooHeavy));
        blocks(ALL_TRIES);
        assert!(matches!(state(3), MessageState::Executed { .. }));
        assert_eq!(Balances::balance(&account(2)), ENDOWMENT);
        // Whatever a claim may weigh one day.
        Entered::<Test>::put(true);
        assert_noop!(claim(1, 1), Error::<Test>::Reentrant);
        Entered::<Test>::kill();
        // Nor within a claim, nor by itself.
        assert!(claim(1, 2).is_err());
        assert_eq!(is_failed(2), Some(MessageFailure::TooHeavy));
        assert_ok!(claim(1, 1));
        assert_eq!(Balances::balance(&account(2)), 3 * ENDOWMENT);
    });
}

/// Attack: a message whose call sends to L1. It is light enough; only the guard is there.
#[test]
fn r28_1_what_heeds_the_guard_fails_within_a_message_and_a_claim_and_nowhere_else() {
    new_test_ext().execute_with(|| {
        let reentrant = MessageFailure::Call(Error::<Test>::Reentrant.into());
        send(1, 1, 0, guarded());
        next_block();
        assert_eq!(state(1), MessageState::Queued(Some(reentrant)));
        assert!(!Entered::<Test>::exists(), "it is set no longer than the call takes");
        assert_ok!(guarded().dispatch(RuntimeOrigin::signed(account(1))));
        blocks(ALL_TRIES);
        assert_eq!(is_failed(1), Some(reentrant));
        let refused = claim(1, 1).map_err(|failed| failed.error);
        assert_eq!(refused, Err(Error::<Test>::Reentrant.into()));
        assert_eq!(is_failed(1), Some(reentrant));
        assert_ok!(guarded().dispatch(RuntimeOrigin::signed(account(1))));
    });
}

/// The same rules for calls as for those that an account signs.
#[test]
fn a_message_has_no_more_power_than_its_sender() {
    new_test_ext().execute_with(|| {
        let take = pallet_balances::Call::force_set_balance { who: account(2), new_free: 1 };
        send(1, 1, 0, RuntimeCall::Balances(take));
        next_block();
        let failure = MessageFailure::Call(DispatchError::BadOrigin);
        assert_eq!(state(1), MessageState::Queued(Some(failure)));
    });
}

/// Attack: more than a block has room for. All come, in turns; no block does more than its
/// budget (which `next_block` checks).
#[test]
fn a_flood_is_worked_off_in_turns() {
    new_test_ext().execute_with(|| {
        let flood = 5 * MAX_TURNS;
        for number in 0..flood {
            send(1, number, 0, remark(number));
        }
        send(2, flood, 0, remark(flood));
        next_block();
        // One sender has one turn a block while others have theirs.
        assert_eq!(remarks(), [said(1, 0), said(2, flood)]);
        blocks(flood - 2);
        assert_eq!(state(flood - 1), MessageState::Queued(None));
        next_block();
        assert!(matches!(state(flood - 1), MessageState::Executed { .. }));
    });
}

#[test]
fn many_senders_share_a_blocks_budget() {
    new_test_ext().execute_with(|| {
        // Room for the heaviest message and little more.
        let around = Weight::from_parts(1_000_000_000, 0);
        Budget::set(MaxCall::get().saturating_add(around));
        let senders = 6..=120u8;
        for seed in senders.clone() {
            send(seed, seed.into(), 50, remark(seed.into()));
        }
        let mut executed = Vec::new();
        for _ in senders.clone() {
            next_block();
            let now = remarks();
            assert!(now.len() < senders.clone().count(), "not all at once");
            executed.extend(now);
        }
        let expected: Vec<_> = senders.map(|seed| said(seed, seed.into())).collect();
        assert_eq!(executed, expected);
    });
}
