//! How many transactions an account has in a block.

use crate::{mock::*, pallet::Remaining, CheckRate};
use codec::{Decode, Encode};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo, RawOrigin},
    weights::Weight,
};
use frame_system::CheckNonce;
use sp_core::storage::StateVersion;
use sp_runtime::{
    traits::TransactionExtension,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

/// Refused, and good again in a later block.
fn is_for_later(applied: &Applied) -> bool {
    *applied == Err(InvalidTransaction::ExhaustsResources.into())
}

/// How many transactions of an account the rest of the block takes.
fn fill(seed: u8) -> u32 {
    (0..2_000).take_while(|_| next(seed).is_ok()).count() as u32
}

#[test]
fn r26_2_a_new_account_has_100_transactions_in_a_block() {
    new_test_ext().execute_with(|| {
        for number in 1..=100 {
            assert!(next(1).is_ok(), "transaction {number}");
        }
        assert!(is_for_later(&next(1)));
        assert!(is_for_later(&next(1)), "and nothing changed by asking");
        assert_eq!(fill(2), 100, "nobody else is touched");
        next_block();
        assert_eq!(fill(1), 100);
    });
}

#[test]
fn r26_3_reputation_raises_the_limit() {
    new_test_ext().execute_with(|| {
        let scores = [(1, 0), (2, 49), (3, 50), (4, 69), (5, 70), (6, 89), (7, 90), (8, 100)];
        Scores::set(scores.into_iter().collect());
        let taken = [1, 2, 3, 4, 5, 6, 7, 8].map(fill);
        assert_eq!(taken, [100, 100, 200, 200, 500, 500, 1_000, 1_000]);
    });
}

#[test]
fn a_limit_is_that_of_the_first_transaction_in_the_block() {
    new_test_ext().execute_with(|| {
        RateLimitParameter::set(2);
        assert!(next(1).is_ok());
        Scores::set([(1, 100)].into_iter().collect());
        assert_eq!(fill(1), 1);
        next_block();
        assert_eq!(fill(1), 20);
    });
}

#[test]
fn transactions_that_fail_count_and_so_do_operational_ones() {
    new_test_ext().execute_with(|| {
        RateLimitParameter::set(2);
        assert_eq!(failing().get_dispatch_info().class, DispatchClass::Operational);
        let (result, _) = apply(RawOrigin::Signed(account(1)), 0, failing()).expect("it is taken");
        assert!(result.is_err());
        assert_eq!(fill(1), 1);
        assert!(is_for_later(&apply(RawOrigin::Signed(account(1)), 2, failing())));
    });
}

#[test]
fn what_is_refused_does_not_count() {
    new_test_ext().execute_with(|| {
        RateLimitParameter::set(1);
        let refused = |nonce, error: InvalidTransaction| {
            let applied = apply(RawOrigin::Signed(account(1)), nonce, good());
            assert_eq!(applied, Err(TransactionValidityError::from(error)));
            assert_eq!(Remaining::<Test>::get(account(1)), None);
        };
        refused(1, InvalidTransaction::Future);
        System::inc_account_nonce(account(1));
        refused(0, InvalidTransaction::Stale);
        assert_eq!(fill(1), 1);
        // Nobody has made this account yet.
        let stranger = apply(RawOrigin::Signed(account(77)), 0, good());
        assert_eq!(stranger, Err(InvalidTransaction::Payment.into()));
        assert_eq!(Remaining::<Test>::get(account(77)), None);
    });
}

#[test]
fn transactions_that_nobody_signs_are_not_counted() {
    new_test_ext().execute_with(|| {
        RateLimitParameter::set(1);
        for _ in 0..10 {
            let (_, unspent) = apply(RawOrigin::Authorized, 0, good()).expect("it is authorised");
            assert_eq!(unspent, info(&good()).extension_weight, "and do not pay for counting");
        }
        assert_eq!(Remaining::<Test>::iter().count(), 0);
        assert_eq!(fill(1), 1);
    });
}

#[test]
fn counts_never_reach_the_state_of_a_block() {
    new_test_ext().execute_with(|| {
        let root = || sp_io::storage::root(StateVersion::V1);
        let before = root();
        for seed in 1..10 {
            assert_eq!(RateLimit::count(&account(seed)), Ok(true));
        }
        assert_ne!(root(), before, "they are there while the block is executed");
        end();
        assert_eq!(root(), before);
        assert_eq!(Remaining::<Test>::iter().count(), 0);
    });
}

#[test]
fn only_the_first_transaction_of_an_account_pays_for_looking_its_limit_up() {
    new_test_ext().execute_with(|| {
        let unspent = |applied: Applied| applied.expect("it is taken").1;
        assert_eq!(unspent(next(1)), Weight::zero());
        let second = unspent(next(1));
        assert!(second.any_gt(Weight::zero()), "{second}");
        assert_eq!(unspent(next(1)), second);
        next_block();
        assert_eq!(unspent(next(1)), Weight::zero());
    });
}

/// Wallets write and read it as the one that it stands for.
#[test]
fn to_wallets_it_is_the_check_of_the_nonce() {
    type Ours = CheckRate<Test>;
    type Theirs = CheckNonce<Test>;
    assert_eq!(
        <Ours as TransactionExtension<RuntimeCall>>::IDENTIFIER,
        <Theirs as TransactionExtension<RuntimeCall>>::IDENTIFIER
    );
    for nonce in [0, 63, 64, 1 << 20, u32::MAX] {
        let bytes = Theirs::from(nonce).encode();
        assert_eq!(Ours::from(nonce).encode(), bytes);
        assert_eq!(Ours::decode(&mut &bytes[..]), Ok(Ours::from(nonce)));
    }
    assert_eq!(format!("{:?}", Ours::from(7)), format!("{:?}", Theirs::from(7)));
}
