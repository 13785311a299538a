//! Which burns are credited, to whom, with how much, and how often.

use crate::{
    mock::*,
    pallet::{
        BurnCount, Burns, Deferred, DeferredRange, Event, Halted, MintedTotal, RejectedCount,
        RepeatedCount, MAX_REJECTED, MAX_RETRIES,
    },
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, WaitCause},
    chain::{AccountId, Balance},
    l1::{
        burn::{BurnPayload, BurnRejection, Recipient},
        OutPoint,
    },
    reputation::MS_PER_DAY,
};
use frame_support::{traits::Hooks, weights::Weight};
use sp_core::{ecdsa, Pair};
use sp_runtime::{traits::IdentifyAccount, MultiSigner};

fn balance(who: &AccountId) -> Balance {
    Balances::free_balance(who)
}

#[test]
fn a_burn_credits_its_recipient_with_what_was_destroyed() {
    new_test_ext().execute_with(|| {
        burn(1, BOB, 500);
        assert_eq!(balance(&BOB), 500);
        assert_eq!((MintedTotal::<Test>::get(), BurnCount::<Test>::get()), (500, 1));
        let record = record(1);
        assert_eq!(record.outcome, BurnOutcome::Minted);
        assert_eq!((record.value, record.minted, record.encoded_amount), (500, 500, 500));
        assert_eq!(record.recipient, Some(BOB));
        assert_eq!((record.l1_height, record.l1_hash), (77, l1_block().hash));
        assert_eq!((record.block, record.time), (1, Now::get()));
        let minted =
            Event::BurnMinted { outpoint: outpoint(1), recipient: BOB, amount: 500, rest: 0 };
        assert_eq!(mint_events(), vec![minted]);
        next_block();
    });
}

#[test]
fn a_secp256k1_key_is_credited_as_its_ecdsa_account() {
    new_test_ext().execute_with(|| {
        let key = ecdsa::Pair::from_seed(&[9; 32]).public();
        let payload =
            BurnPayload { chain_id: CHAIN_ID, recipient: Recipient::Key(key), amount: 5 }.encode();
        see(outpoint(1), 5, &payload);
        assert_eq!(balance(&MultiSigner::Ecdsa(key).into_account()), 5);
    });
}

#[test]
fn the_output_s_value_is_minted_whatever_the_payload_claims() {
    new_test_ext().execute_with(|| {
        see(outpoint(1), 500, &payload(BOB, u64::MAX));
        see(outpoint(2), 500, &payload(BOB, 0));
        assert_eq!(balance(&BOB), 1_000);
        assert_eq!(record(1).encoded_amount, u64::MAX);
        let differs =
            Event::AmountDiffers { outpoint: outpoint(1), value: 500, encoded_amount: u64::MAX };
        assert!(mint_events().contains(&differs));
        next_block();
    });
}

#[test]
fn the_same_output_is_credited_once() {
    new_test_ext().execute_with(|| {
        burn(1, BOB, 500);
        let first = record(1);
        for value in [500, 900] {
            next_block();
            see(outpoint(1), value, &payload(ALICE, value));
            assert_eq!(record(1), first);
        }
        assert_eq!((balance(&BOB), balance(&ALICE)), (500, ENDOWMENT));
        assert_eq!(RepeatedCount::<Test>::get(), 2);
        assert!(mint_events().contains(&Event::MintAlreadyProcessed { outpoint: outpoint(1) }));
    });
}

#[test]
fn two_burn_outputs_of_one_transaction_both_count() {
    new_test_ext().execute_with(|| {
        let first = outpoint(1);
        let second = OutPoint { vout: 1, ..first };
        see(first, 3, &payload(BOB, 3));
        see(second, 4, &payload(ALICE, 4));
        assert_eq!((balance(&BOB), balance(&ALICE)), (3, ENDOWMENT + 4));
        assert_eq!(BurnMint::burns_of_transaction(first.txid).len(), 2);
    });
}

#[test]
fn an_invalid_output_is_rejected_with_its_reason_and_mints_nothing() {
    new_test_ext().execute_with(|| {
        let good = payload(BOB, 10);
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        let cases = [
            (0, good.clone(), BurnRejection::ZeroValue),
            (10, with(6, 4), BurnRejection::WrongChain),
            (10, with(6, 0), BurnRejection::Malformed),
            (10, with(0, b'X'), BurnRejection::Malformed),
            (10, good[..50].to_vec(), BurnRejection::Malformed),
            (10, [good.clone(), vec![0; 29]].concat(), BurnRejection::Malformed),
            (10, vec![], BurnRejection::Malformed),
            (10, with(10, 4), BurnRejection::BadKey),
            // x = 5 is on no point of the curve.
            (
                10,
                [&good[..10], &[2][..], &[0; 31], &[5], &good[43..]].concat(),
                BurnRejection::BadKey,
            ),
        ];
        let count = cases.len() as u64;
        for (number, (value, payload, reason)) in cases.into_iter().enumerate() {
            let number = number as u32;
            see(outpoint(number), value, &payload);
            assert_eq!(record(number).outcome, BurnOutcome::Rejected(reason), "case {number}");
            let rejected = Event::BurnRejected { outpoint: outpoint(number), value, reason };
            assert!(mint_events().contains(&rejected), "case {number}");
        }
        assert_eq!(RejectedCount::<Test>::get(), count);
        assert_eq!((MintedTotal::<Test>::get(), balance(&BOB)), (0, 0));
        next_block();
    });
}

#[test]
fn a_rejected_record_says_whom_it_would_have_credited() {
    new_test_ext().execute_with(|| {
        see(outpoint(1), 0, &payload(BOB, 44));
        assert_eq!(record(1).recipient, Some(BOB));
        assert_eq!(record(1).encoded_amount, 44);
        see(outpoint(2), 7, b"L2BURN");
        assert_eq!((record(2).recipient, record(2).encoded_amount), (None, 0));
    });
}

#[test]
fn worthless_outputs_do_not_bloat_the_state() {
    new_test_ext().execute_with(|| {
        burn(0, BOB, 1);
        let spam = MAX_REJECTED as u32 + 50;
        for number in 1..=spam {
            see(outpoint(number), 0, &payload(BOB, 1));
        }
        assert_eq!(RejectedCount::<Test>::get(), u64::from(spam));
        assert_eq!(Burns::<Test>::iter().count() as u64, MAX_REJECTED + 1);
        assert_eq!(BurnMint::burn(&outpoint(50)), None, "the oldest went");
        assert_eq!(record(51).outcome, BurnOutcome::Rejected(BurnRejection::ZeroValue));
        assert_eq!(record(0).outcome, BurnOutcome::Minted, "a minted one never does");
        next_block();
    });
}

#[test]
fn burns_wait_while_minting_is_halted_and_are_credited_after() {
    new_test_ext().execute_with(|| {
        Halted::<Test>::put(true);
        burn(1, BOB, 500);
        burn(2, BOB, 600);
        assert_eq!(record(1).outcome, BurnOutcome::Deferred);
        let cause = WaitCause::Halted;
        let deferred = Event::BurnDeferred { outpoint: outpoint(1), rest: 500, cause };
        assert!(mint_events().contains(&deferred));
        assert_eq!(BurnMint::deferred_burns(10).len(), 2);
        next_block();
        assert_eq!(balance(&BOB), 0);
        // Seen again, it still counts once.
        burn(1, BOB, 500);
        assert_eq!(RepeatedCount::<Test>::get(), 1);

        BurnMint::resume(RuntimeOrigin::root()).expect("it is halted");
        next_block();
        assert_eq!(balance(&BOB), 1_100);
        assert_eq!(record(1).outcome, BurnOutcome::Minted);
        assert_eq!(record(1).block, 2, "the block that credited it");
        assert_eq!(Deferred::<Test>::iter().count(), 0);
        next_block();
    });
}

#[test]
fn a_credit_that_fails_waits_and_keeps_no_other_waiting() {
    new_test_ext().execute_with(|| {
        // No more coins fit into the issuance type than this.
        pallet_balances::TotalIssuance::<Test>::put(Balance::MAX - 700);
        burn(1, BOB, 800);
        burn(2, BOB, 500);
        assert_eq!(record(1).outcome, BurnOutcome::Deferred);
        assert_eq!(balance(&BOB), 500);
        let wait = BurnMint::burn_wait(&outpoint(1)).expect("it waits");
        assert_eq!((wait.cause, wait.place), (WaitCause::CreditFailed, 0));
        Now::mutate(|now| *now += MS_PER_DAY);
        retry();
        assert_eq!(record(1).outcome, BurnOutcome::Deferred, "retried, still waits");
        burn(3, BOB, 300);
        pallet_balances::TotalIssuance::<Test>::put(ENDOWMENT + 500);
        Now::mutate(|now| *now += MS_PER_DAY);
        retry();
        assert_eq!(balance(&BOB), 1_600);
        assert_eq!(MintedTotal::<Test>::get(), 1_600);
        next_block();
    });
}

#[test]
fn a_long_queue_is_worked_off_a_bounded_part_a_block() {
    new_test_ext().execute_with(|| {
        Halted::<Test>::put(true);
        let waiting = MAX_RETRIES + 10;
        for number in 0..waiting {
            burn(number, BOB, 1);
        }
        next_block();
        Halted::<Test>::kill();
        next_block();
        assert_eq!(balance(&BOB), Balance::from(MAX_RETRIES));
        next_block();
        assert_eq!(balance(&BOB), Balance::from(waiting));
        let (start, end) = DeferredRange::<Test>::get();
        assert_eq!(start, end);
    });
}

fn retry() {
    BurnMint::on_idle(System::block_number(), Weight::MAX);
}
