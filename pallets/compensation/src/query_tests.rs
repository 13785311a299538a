//! What an account is shown, and claims that nobody signs.

use crate::mock::*;
use cascoin_l2_primitives::{
    apis::{ClaimStanding, OutageClaim},
    chain::FeeSplit,
};
use frame_support::assert_noop;
use sp_runtime::{
    transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction},
    DispatchError,
};

const STALE: TransactionValidityError =
    TransactionValidityError::Invalid(InvalidTransaction::Stale);
const NOT_YET: TransactionValidityError =
    TransactionValidityError::Unknown(UnknownTransaction::CannotLookup);

fn shown(n: u32) -> Vec<OutageClaim<Extrinsic>> {
    Compensation::compensation(&account(n))
}

#[test]
fn r25_6_an_account_sees_what_it_may_claim_of_which_outage_and_until_when() {
    with_fund(100).execute_with(|| {
        let first = outage(&[(1, 1_000), (2, 3_000)]);
        begin_after(GAP);
        pay(1, 500);
        let until = System::block_number() + WINDOW;
        let transaction = Compensation::claim_extrinsic(first, account(1));
        let claimable = ClaimStanding::Claimable {
            // A quarter of a fund that has too little.
            amount: 25,
            until: settled(first).claim_until,
            transaction,
        };
        let open = ClaimStanding::Open { until };
        let expected = [
            OutageClaim { outage: first, compensable: 100, standing: claimable },
            OutageClaim { outage: first + 1, compensable: 50, standing: open.clone() },
        ];
        assert_eq!(shown(1), expected);
        assert!(shown(3).is_empty());
        claim_for(1, first).expect("it has something to claim");
        let left = OutageClaim { outage: first + 1, compensable: 50, standing: open };
        assert_eq!(shown(1), [left]);
        // The fund is empty by then, or the claim has lapsed: there is nothing to show.
        claim_for(2, first).expect("it has something to claim");
        blocks(WINDOW + 1);
        assert!(shown(1).is_empty() && shown(2).is_empty());
    });
}

/// What is shown is claimed in the next block at the earliest.
#[test]
fn r25_6_what_is_shown_can_still_be_claimed() {
    with_fund(1_000).execute_with(|| {
        let outage = outage(&[(1, 1_000)]);
        blocks(settled(outage).claim_until - System::block_number() - 1);
        assert_eq!(shown(1).len(), 1, "it can be claimed in one more block");
        blocks(1);
        pool(1, outage).expect("this is the last block");
        assert!(shown(1).is_empty(), "too late for the next one");
    });
}

/// R25.6: who has nothing gets its part all the same, once, whoever asks for it.
#[test]
fn r25_6_nobody_needs_a_balance_to_be_paid() {
    with_fund(1_000_000).execute_with(|| {
        let outage = outage(&[(1, 1_000)]);
        assert_eq!(balance(1), 0);
        let validity = pool(1, outage).expect("there is something to pay");
        assert_eq!((validity.priority, validity.provides.len()), (0, 1));
        let left = settled(outage).claim_until - System::block_number();
        assert_eq!(validity.longevity, u64::from(left) + 1);
        claim_for(1, outage).expect("there is something to pay");
        assert_eq!((balance(1), fund()), (100, 1_000_000 - 100));
        assert_eq!(claim_for(1, outage), Err(STALE));
        // Signed it is another call.
        let signed = RuntimeOrigin::signed(account(1));
        let by_hand = Compensation::claim_for(signed, outage, account(1));
        assert_noop!(by_hand, DispatchError::BadOrigin);
    });
}

#[test]
fn only_what_pays_is_free() {
    with_fund(1).execute_with(|| {
        assert_eq!(pool(1, 0), Err(NOT_YET), "no outage was counted here yet");
        begin_after(GAP);
        pay(1, 1_000);
        pay(2, 1_000);
        assert_eq!(pool(1, 0), Err(NOT_YET), "it is not settled yet");
        blocks(WINDOW + 1);
        assert_eq!(pool(1, 0), Err(STALE), "its part is rounded down to nothing");
        assert_eq!(pool(3, 0), Err(STALE), "it paid nothing");
        assert_eq!(pool(1, 1), Err(NOT_YET));
        fill(1_000);
        let second = outage(&[(1, 1_000)]);
        pool(1, second).expect("there is something to pay");
        blocks(settled(second).claim_until - System::block_number());
        let last = pool(1, second).expect("this is the last block");
        assert_eq!(last.longevity, 1);
        begin_after(500);
        assert_eq!(pool(1, second), Err(STALE));
        blocks(2);
        assert_eq!(pool(1, second), Err(STALE), "it is forgotten");
    });
}

/// The split of the block that a fee is paid in says what of it is burned.
#[test]
fn what_counts_is_the_split_of_the_running_block() {
    with_fund(1_000_000).execute_with(|| {
        begin_after(GAP);
        pay(1, 1_000);
        Split::set(FeeSplit { producer: 100, others: 0 });
        begin_after(500);
        pay(1, 1_000);
        Split::set(FeeSplit { producer: 50, others: 20 });
        begin_after(500);
        pay(1, 1_000);
        assert_eq!(shown(1).first().map(|claim| claim.compensable), Some(100 + 300));
    });
}
