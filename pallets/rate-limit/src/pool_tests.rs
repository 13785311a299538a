//! How many transactions an account has in a pool.

use crate::{mock::*, POOL_BLOCKS, POOL_BYTES, TOO_FAR_AHEAD};
use sp_runtime::transaction_validity::{
    InvalidTransaction,
    TransactionSource::{External, InBlock, Local},
    TransactionValidityError, UnknownTransaction,
};

fn too_far() -> Result<(), TransactionValidityError> {
    Err(UnknownTransaction::Custom(TOO_FAR_AHEAD).into())
}

#[test]
fn r26_2_of_10_000_transactions_of_a_new_account_a_pool_takes_200() {
    new_test_ext().execute_with(|| {
        for source in [External, Local] {
            let outcomes: Vec<_> = (0..10_000).map(|nonce| pooled(1, nonce, source)).collect();
            let (taken, refused) = outcomes.split_at(200);
            assert!(taken.iter().all(Result::is_ok));
            assert!(refused.iter().all(|outcome| *outcome == too_far()));
        }
        assert_eq!(pooled(1, u32::MAX, External), too_far());
    });
}

#[test]
fn the_places_in_a_pool_move_with_the_account() {
    new_test_ext().execute_with(|| {
        RateLimitParameter::set(3);
        assert_eq!(pooled(1, 6, External), too_far());
        assert!(next(1).is_ok());
        assert_eq!(pooled(1, 6, External), Ok(()));
        assert_eq!(pooled(1, 7, External), too_far());
        assert_eq!(pooled(1, 0, External), Err(InvalidTransaction::Stale.into()));
    });
}

#[test]
fn r26_3_reputation_gives_as_many_more_places() {
    new_test_ext().execute_with(|| {
        Scores::set([(1, 90)].into_iter().collect());
        let places = POOL_BLOCKS * 1_000;
        assert_eq!(pooled(1, places - 1, External), Ok(()));
        assert_eq!(pooled(1, places, External), too_far());
    });
}

#[test]
fn the_last_nonces_there_are_overflow_nothing() {
    new_test_ext().execute_with(|| {
        RateLimitParameter::set(u32::MAX);
        Scores::set([(1, 100)].into_iter().collect());
        assert_eq!(pooled(1, u32::MAX, External), Ok(()));
    });
}

/// A block is judged by its own limits: a pool's must not make it invalid.
#[test]
fn in_a_block_the_distance_is_not_asked() {
    new_test_ext().execute_with(|| {
        RateLimitParameter::set(1);
        assert_eq!(pooled(1, 5_000, InBlock), Ok(()));
    });
}

/// A pool is bounded by bytes too, and what is waiting in it pays nothing yet.
#[test]
fn r26_2_long_transactions_have_fewer_places() {
    new_test_ext().execute_with(|| {
        let long = |nonce| pooled_with_length(1, nonce, External, POOL_BYTES as usize / 5);
        assert_eq!(long(4), Ok(()));
        assert_eq!(long(5), too_far());
        let longest = |nonce| pooled_with_length(1, nonce, External, 4 << 20);
        assert_eq!(longest(0), Ok(()), "the next one is always taken");
        assert_eq!(longest(1), too_far());
        // All that fit, each as long as it may be.
        let most: u64 = (0..200).map(|nonce| u64::from(POOL_BYTES) / (nonce + 1)).sum();
        assert!(most < 2 << 20, "{most}");
    });
}
