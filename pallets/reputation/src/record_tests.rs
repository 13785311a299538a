//! What a transaction leaves behind.

use crate::{mock::*, RecordActivity};
use cascoin_l2_primitives::{
    chain::AccountId,
    reputation::{Activity, Score},
};
use codec::Encode;
use frame_support::dispatch::{DispatchInfo, PostDispatchInfo};
use sp_runtime::{
    traits::DispatchTransaction, transaction_validity::TransactionSource, DispatchError,
};

/// Runs a transaction and says whether its call succeeds.
fn run(origin: RuntimeOrigin, call: &RuntimeCall, succeeds: bool) {
    let info = DispatchInfo::default();
    let dispatched = RecordActivity::<Test>::new()
        .test_run(origin, call, &info, 0, 0, |_| match succeeds {
            true => Ok(PostDispatchInfo::default()),
            false => Err(DispatchError::Other("as asked for").into()),
        })
        .expect("it refuses nothing");
    assert_eq!(dispatched.is_ok(), succeeds);
}

fn activity(account: AccountId) -> Activity {
    Activities::get(account)
}

#[test]
fn transactions_are_noted_with_what_they_move() {
    new_test_ext().execute_with(|| {
        run(RuntimeOrigin::signed(ALICE), &transfer(BOB, 3 * COIN), true);
        run(RuntimeOrigin::signed(ALICE), &transfer(BOB, 5 * COIN), false);
        let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
        go_to(FIRST_DAY + 3);
        run(RuntimeOrigin::signed(ALICE), &remark, true);
        let noted = activity(ALICE);
        assert_eq!((noted.succeeded, noted.failed, noted.transfers), (2, 1, 1));
        assert_eq!((u128::from(noted.volume), noted.partner_count()), (3 * COIN, 1));
        assert_eq!((noted.first_day, noted.last_day), (FIRST_DAY, FIRST_DAY + 3));
        assert_eq!(activity(BOB), Activity::default(), "receiving is no activity");
    });
}

#[test]
fn r10_5_a_transfer_to_oneself_moves_nothing() {
    new_test_ext().execute_with(|| {
        run(RuntimeOrigin::signed(ALICE), &transfer(ALICE, 1_000 * COIN), true);
        let noted = activity(ALICE);
        assert_eq!((noted.succeeded, noted.transfers, noted.volume), (1, 0, 0));
    });
}

#[test]
fn what_nobody_signed_is_nobodys() {
    new_test_ext().execute_with(|| {
        run(RuntimeOrigin::root(), &transfer(BOB, COIN), true);
        assert_eq!(Activities::iter().count(), 0);
    });
}

#[test]
fn the_extension_adds_no_bytes() {
    assert!(RecordActivity::<Test>::new().encode().is_empty());
}

#[test]
fn r6_1_trusted_accounts_come_first_in_the_pool() {
    new_test_ext().execute_with(|| {
        let priority = |origin: RuntimeOrigin, source| {
            let info = DispatchInfo::default();
            RecordActivity::<Test>::new()
                .validate_only(origin, &transfer(BOB, 1), &info, 0, source, 0)
                .expect("it refuses nothing")
                .0
                .priority
        };
        let alice = || RuntimeOrigin::signed(ALICE);
        for (l1, expected) in [(80, 0), (81, 100_000)] {
            let l1 = Score::saturating(l1);
            Reputation::set_l1_score(RuntimeOrigin::root(), ALICE, l1).expect("by root");
            assert_eq!(priority(alice(), TransactionSource::External), expected);
            assert_eq!(priority(alice(), TransactionSource::InBlock), 0);
        }
        assert_eq!(priority(RuntimeOrigin::root(), TransactionSource::Local), 0);
    });
}

#[test]
fn duty_is_no_activity() {
    new_test_ext().execute_with(|| {
        let duty = frame_system::Call::remark_with_event { remark: vec![] };
        run(RuntimeOrigin::signed(ALICE), &RuntimeCall::System(duty), true);
        assert_eq!(activity(ALICE), Activity::default());
    });
}
