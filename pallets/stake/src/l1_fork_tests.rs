//! Locks that L1 dropped count no more; those that it brings again go on.

use crate::{
    l1_forks::MAX_JUDGED,
    mock::*,
    pallet::{Event, L1Judged, L1Locks, L1Outpoints},
    GenesisLock, NoStake,
};
use cascoin_l2_primitives::{
    l1::L1Hash,
    relay::{L1BlockContext, L1Event, OnL1Event, OnL1Fork},
    sequencers::StakeProvider,
};
use frame_support::{traits::Hooks, weights::Weight};

const FAR: u32 = L1_START + 10_000;

fn block(branch: u8) -> L1BlockContext {
    L1BlockContext { height: L1_START + 1, hash: L1Hash([branch; 32]), ..Default::default() }
}

/// L1 says in the block of a branch that the transaction `tx` locks 600 for `n`.
fn lock_in(branch: u8, n: u8, tx: u32) {
    let event = L1Event::Stake {
        outpoint: outpoint(tx),
        chain_id: CHAIN,
        account: account(n),
        owner: sp_core::H160([n; 20]),
        value: 600,
        unlock: FAR,
    };
    Stake::on_event(&event, &block(branch));
}

fn locked(n: u8) -> u128 {
    Stake::parts(&account(n)).locked
}

fn fork(branch: u8) {
    Replaced::set(vec![L1Hash([branch; 32])]);
    Stake::on_fork(&block(0));
}

/// As many blocks as it takes to look at all.
fn judge() {
    while L1Judged::<Test>::exists() {
        Stake::on_idle(1, Weight::MAX);
    }
    assert_eq!(Stake::check_state(), Ok(()));
}

#[test]
fn r19_a_lock_that_l1_dropped_counts_no_more() {
    new_test_ext().execute_with(|| {
        lock_in(1, 1, 1);
        lock_in(2, 2, 2);
        fork(1);
        assert_eq!((locked(1), locked(2)), (600, 600), "it may come again");
        Stake::on_recovered();
        judge();
        assert_eq!((locked(1), locked(2)), (0, 600));
        assert!(!L1Locks::<Test>::contains_key(account(1)));
        System::assert_has_event(
            Event::<Test>::L1LockLost { account: account(1), outpoint: outpoint(1) }.into(),
        );
        // It is remembered, and nothing brings it back.
        lock_in(3, 1, 1);
        System::assert_last_event(
            Event::<Test>::L1LockIgnored { outpoint: outpoint(1), reason: NoStake::Known }.into(),
        );
        assert_eq!(locked(1), 0);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

#[test]
fn r19_a_lock_that_comes_again_in_time_goes_on() {
    new_test_ext().execute_with(|| {
        lock_in(1, 1, 1);
        fork(1);
        lock_in(2, 1, 1);
        assert_eq!(locked(1), 600, "once");
        let seen = L1Outpoints::<Test>::get(outpoint(1));
        assert_eq!(seen, Some(Some((L1_START + 1, L1Hash([2; 32])))));
        Stake::on_recovered();
        judge();
        assert_eq!(locked(1), 600);
    });
}

#[test]
fn r19_what_genesis_names_stands() {
    let named = GenesisLock { account: account(1), outpoint: outpoint(1), value: 600, unlock: FAR };
    with_genesis_locks(vec![named]).execute_with(|| {
        lock_in(1, 1, 1);
        assert_eq!(L1Outpoints::<Test>::get(outpoint(1)), Some(None));
        fork(1);
        Stake::on_recovered();
        judge();
        assert_eq!(locked(1), 600);
    });
}

#[test]
fn r19_all_locks_are_looked_at_a_few_each_block_and_anew_after_another_fork() {
    new_test_ext().execute_with(|| {
        for tx in 0..MAX_JUDGED + 2 {
            lock_in(1, 1 + (tx % 2) as u8, tx);
        }
        fork(1);
        Stake::on_recovered();
        Stake::on_idle(1, Weight::MAX);
        assert_eq!(locked(1) + locked(2), 2 * 600, "some are left for the next block");
        assert!(L1Judged::<Test>::exists());
        Stake::on_fork(&block(0));
        assert!(!L1Judged::<Test>::exists());
        Stake::on_idle(1, Weight::MAX);
        assert_eq!(locked(1) + locked(2), 2 * 600);
        Stake::on_recovered();
        judge();
        assert_eq!(locked(1) + locked(2), 0);
    });
}
