//! What reputation is told of coins that are locked on L1 for long.

use crate::{
    l1_locks::GenesisLock,
    mock::*,
    pallet::{L1Locks, L1Swept},
    MAX_L1_LOCKS,
};
use cascoin_l2_primitives::{
    l1::L1Hash,
    relay::{L1BlockContext, L1Event, OnL1Event, OnL1Fork},
    reputation::l1_stake::{StakeTerm, MIN_TERM_BLOCKS},
    sequencers::OffenceKind,
};
use frame_support::{traits::Hooks, weights::Weight};

const DAY: u32 = 20_000;
/// Of an L1 block at [`L1_START`], the first that is long enough.
const LONG: u32 = L1_START + MIN_TERM_BLOCKS;

/// L1's block of `day` locks `value` for `n`.
fn lock_on(day: u32, n: u8, tx: u32, value: u64, unlock: u32) {
    let event = L1Event::Stake {
        outpoint: outpoint(tx),
        chain_id: CHAIN,
        account: account(n),
        owner: sp_core::H160([n; 20]),
        value,
        unlock,
    };
    let hash = L1Hash([7; 32]);
    let median_time = day * 86_400;
    let block = L1BlockContext { height: L1_START, hash, median_time, ..Default::default() };
    Stake::on_event(&event, &block);
}

fn told(n: u8) -> Vec<StakeTerm> {
    Terms::get().get(&account(n)).cloned().unwrap_or_default().into_inner()
}

#[test]
fn r10_1_locks_of_half_a_year_are_told_with_their_first_day() {
    new_test_ext().execute_with(|| {
        lock_on(DAY, 1, 1, 500, LONG);
        lock_on(DAY, 1, 2, 500, LONG - 1);
        lock_on(DAY + 9, 1, 3, 70, LONG + 5);
        let [first, second] =
            [(DAY, 500), (DAY + 9, 70)].map(|(since, amount)| StakeTerm { since, amount });
        assert_eq!(told(1), [first, second]);
        assert!(told(2).is_empty());
        // One that comes again keeps its day.
        lock_on(DAY + 20, 1, 1, 500, LONG);
        assert_eq!(told(1), [first, second]);
        // What ends is gone once it is cleared away.
        L1Height::set(LONG);
        while L1Swept::<Test>::get() <= LONG {
            Stake::on_idle(1, Weight::MAX);
        }
        assert_eq!(told(1), [second]);
        assert_eq!(L1Locks::<Test>::get(account(1)).len(), 1);
    });
}

#[test]
fn r10_1_what_offences_strike_off_and_forks_drop_counts_no_more() {
    new_test_ext().execute_with(|| {
        lock_on(DAY, 1, 1, 500, LONG);
        lock_on(DAY, 2, 2, 500, LONG);
        offend(1, OffenceKind::DoubleSign);
        assert!(told(1).is_empty() && !told(2).is_empty());
        Replaced::set(vec![L1Hash([7; 32])]);
        Stake::on_fork(&L1BlockContext::default());
        Stake::on_recovered();
        Stake::on_idle(1, Weight::MAX);
        assert!(told(2).is_empty());
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

/// Genesis does not say since when; who is displaced counts no more.
#[test]
fn what_genesis_names_has_no_age_and_all_that_is_kept_is_told() {
    let named =
        GenesisLock { account: account(9), outpoint: outpoint(1), value: 700, unlock: LONG };
    with_genesis_locks(vec![named]).execute_with(|| {
        assert!(told(9).is_empty());
        for tx in 10..10 + MAX_L1_LOCKS {
            lock_on(DAY, 9, tx, 100 + u64::from(tx), LONG);
        }
        // The named one and the fifteen largest others.
        let amounts: Vec<u64> = told(9).iter().map(|term| term.amount).collect();
        assert_eq!(amounts.len(), MAX_L1_LOCKS as usize - 1);
        assert!(!amounts.contains(&110) && amounts.contains(&125));
    });
}
