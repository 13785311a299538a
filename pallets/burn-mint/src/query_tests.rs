//! The history by transaction, block and account.

use crate::{mock::*, query::MAX_RECORDS};
use cascoin_l2_primitives::{apis::BurnRecord, l1::OutPoint};

fn values(records: Vec<BurnRecord>) -> Vec<u64> {
    records.into_iter().map(|record| record.value).collect()
}

#[test]
fn a_transaction_s_outputs_are_listed_by_position() {
    new_test_ext().execute_with(|| {
        let txid = outpoint(1).txid;
        for vout in [300, 2, 0] {
            see(OutPoint { txid, vout }, u64::from(vout), &payload(BOB, 1));
        }
        burn(9, BOB, 9);
        assert_eq!(values(BurnMint::burns_of_transaction(txid)), vec![0, 2, 300]);
        assert!(BurnMint::burns_of_transaction(outpoint(5).txid).is_empty());
    });
}

#[test]
fn mints_are_found_by_block() {
    new_test_ext().execute_with(|| {
        for block in 1..=60u32 {
            // Most blocks mint nothing, some more than one.
            for number in 0..(if block % 7 == 0 { 3 } else { 0 }) {
                burn(block * 10 + number, BOB, u64::from(block * 10 + number));
            }
            next_block();
        }
        let all: Vec<u64> = (1..=8).flat_map(|n| (0..3).map(move |i| n * 70 + i)).collect();
        let history = |from, to, limit| -> Vec<u64> {
            let credits = BurnMint::mint_history(from, to, limit);
            credits.into_iter().map(|credit| credit.amount).collect()
        };
        assert_eq!(history(0, u32::MAX, 1_000), all);
        assert_eq!(history(14, 21, 1_000), all[3..9]);
        assert_eq!(history(15, 20, 1_000), vec![0u64; 0]);
        assert_eq!(history(8, 14, 2), all[3..5]);
        assert_eq!(history(57, u32::MAX, 1_000), vec![0u64; 0]);
        assert_eq!(history(21, 14, 1_000), vec![0u64; 0]);
        assert_eq!(history(0, u32::MAX, 0), vec![0u64; 0]);
    });
}

#[test]
fn an_account_s_burns_are_listed_newest_first() {
    new_test_ext().execute_with(|| {
        for number in 0..5 {
            burn(number, if number == 2 { ALICE } else { BOB }, u64::from(number) + 10);
        }
        see(outpoint(9), 0, &payload(BOB, 1));
        assert_eq!(values(BurnMint::burns_of_account(BOB, 100)), vec![14, 13, 11, 10]);
        assert_eq!(values(BurnMint::burns_of_account(BOB, 2)), vec![14, 13]);
        assert_eq!(values(BurnMint::burns_of_account(ALICE, 100)), vec![12]);
    });
}

#[test]
fn a_burn_minted_in_parts_is_in_the_history_once_a_part_and_with_the_account_once() {
    new_test_ext().execute_with(|| {
        DayLimits::set((10, 100, 1_000));
        burn(1, BOB, 25);
        next_day();
        next_day();
        next_block();
        let parts = BurnMint::mint_history(0, u32::MAX, 1_000);
        let parts: Vec<_> = parts.into_iter().map(|part| (part.block, part.amount)).collect();
        assert_eq!(parts, vec![(1, 10), (2, 10), (3, 5)]);
        assert_eq!(values(BurnMint::burns_of_account(BOB, 100)), vec![25]);
    });
}

#[test]
fn no_query_returns_more_than_the_bound() {
    new_test_ext().execute_with(|| {
        for number in 0..MAX_RECORDS + 5 {
            burn(number, BOB, 1);
        }
        let bound = MAX_RECORDS as usize;
        assert_eq!(BurnMint::mint_history(0, u32::MAX, u32::MAX).len(), bound);
        assert_eq!(BurnMint::burns_of_account(BOB, u32::MAX).len(), bound);
    });
}

#[test]
fn the_waits_of_many_burns_read_what_they_share_once() {
    new_test_ext().execute_with(|| {
        DayLimits::set((10, 10, 1_000_000));
        let txid = outpoint(0).txid;
        let outpoints: Vec<_> = (0..MAX_RECORDS + 5).map(|vout| OutPoint { txid, vout }).collect();
        for outpoint in &outpoints {
            see(*outpoint, 7, &payload(BOB, 7));
        }
        let before = ParameterReads::get();
        let waits = BurnMint::burn_waits(&outpoints);
        assert_eq!(ParameterReads::get() - before, 1);
        assert_eq!(waits.len(), MAX_RECORDS as usize, "bounded");
        // The first one was minted in full, the second in part.
        assert_eq!(waits[0], None);
        for (outpoint, wait) in outpoints.iter().zip(&waits).skip(1) {
            assert_eq!(*wait, BurnMint::burn_wait(outpoint));
            let place = wait.expect("it waits").place;
            assert_eq!(place, u64::from(outpoint.vout) - 1);
        }
    });
}
