//! Stake that is locked on L1: what counts of it, for whom, until when, and what an
//! offence does to it.

use crate::{
    l1_locks::{GenesisLock, NoStake, MAX_SWEPT},
    mock::*,
    pallet::{Error, Event, L1Ends, L1Locks, L1Outpoints, L1Swept},
    MAX_L1_LOCKS,
};
use cascoin_l2_primitives::{
    chain::Balance,
    l1::stake::MAX_UNLOCK,
    relay::L1Event,
    sequencers::{OffenceKind, StakeParts, StakeProvider},
};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};

/// An unlock height that is far away.
const FAR: u32 = L1_START + 10_000;

fn stake(n: u8) -> Balance {
    Stake::stake(&account(n))
}

fn locked(n: u8) -> Balance {
    Stake::parts(&account(n)).locked
}

fn ignored(reason: NoStake, tx: u32) {
    System::assert_last_event(
        Event::<Test>::L1LockIgnored { outpoint: outpoint(tx), reason }.into(),
    );
}

/// L1 is at `height`, and everything that ended has been cleared away.
fn l1_at(height: u32) {
    L1Height::set(height);
    while L1Swept::<Test>::get() <= height {
        Stake::on_idle(1, Weight::MAX);
    }
    assert_eq!(Stake::check_state(), Ok(()));
}

#[test]
fn r2_3_a_lock_counts_beside_a_bond_that_covers_it() {
    new_test_ext().execute_with(|| {
        lock(1, 1, 600, FAR);
        System::assert_last_event(
            Event::<Test>::L1Locked {
                account: account(1),
                outpoint: outpoint(1),
                owner: sp_core::H160([1; 20]),
                value: 600,
                unlock: FAR,
            }
            .into(),
        );
        assert_eq!((locked(1), stake(1)), (600, 0), "nothing is at risk here");
        assert_ok!(Stake::bond(signed(1), 200));
        assert_eq!(stake(1), 400);
        assert_ok!(Stake::bond(signed(1), 600));
        assert_eq!(stake(1), 1_400);
        lock(1, 2, 100, FAR);
        assert_eq!(stake(1), 1_500);
        let parts = StakeParts { bonded: 800, locked: 700, named: 0 };
        assert_eq!(Stake::parts(&account(1)), parts);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

#[test]
fn what_is_no_stake_is_told_and_not_kept() {
    new_test_ext().execute_with(|| {
        let of_chain = |chain_id| L1Event::Stake {
            outpoint: outpoint(1),
            chain_id,
            account: account(1),
            owner: Default::default(),
            value: 600,
            unlock: FAR,
        };
        hear(&of_chain(CHAIN + 1));
        ignored(NoStake::OtherChain, 1);
        lock(1, 1, 9, FAR);
        ignored(NoStake::TooSmall, 1);
        lock(1, 1, 600, L1_START + MARGIN - 1);
        ignored(NoStake::TooShort, 1);
        assert_eq!(L1Outpoints::<Test>::iter().count(), 0);
        assert_eq!(L1Locks::<Test>::iter().count(), 0);
        // None of that spoils the outpoint for what is right.
        hear(&of_chain(CHAIN));
        assert_eq!(locked(1), 600);
    });
}

/// The margin is as long as unbonding takes, and in it a lock still answers for what its
/// account did.
#[test]
fn a_lock_stops_counting_long_before_it_can_be_spent() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_000));
        let unlock = L1_START + 100;
        lock(1, 1, 500, unlock);
        L1Height::set(unlock - MARGIN);
        assert_eq!(stake(1), 1_500);
        L1Height::set(unlock - MARGIN + 1);
        assert_eq!((stake(1), locked(1)), (1_000, 0), "by itself, without any call");
        offend(1, OffenceKind::TimestampManipulation);
        assert_eq!(held(1), 1_000 - 75, "a twentieth of all that is at risk");
        l1_at(unlock);
        assert!(!L1Locks::<Test>::contains_key(account(1)));
        assert_eq!(L1Outpoints::<Test>::iter().count() + L1Ends::<Test>::iter().count(), 0);
        System::assert_last_event(
            Event::<Test>::L1LockEnded { account: account(1), outpoint: outpoint(1) }.into(),
        );
        offend(1, OffenceKind::TimestampManipulation);
        assert_eq!(held(1), 925 - 47, "now a twentieth of what is here");
    });
}

/// Issue: stake moved between two identities must not count twice.
#[test]
fn r2_3_one_output_is_one_accounts_stake_for_ever() {
    new_test_ext().execute_with(|| {
        MinL2Share::set(0);
        lock(1, 1, 600, FAR);
        // The same output for another account, and once more for the same.
        lock(2, 1, 600, FAR);
        ignored(NoStake::Known, 1);
        lock(1, 1, 600, FAR + 5);
        ignored(NoStake::Known, 1);
        assert_eq!((stake(1), stake(2)), (600, 0));
    });
}

/// Coins that are locked anew once they are free: the new lock's block is above the old
/// one's unlock, wherever the relay stands when it hears of it.
#[test]
fn r2_3_coins_that_move_on_after_the_unlock_count_once_at_any_time() {
    let unlock = L1_START + 100;
    // The relay hears block by block, or stood still for long.
    for step in [1, 7, 1_000] {
        new_test_ext().execute_with(|| {
            MinL2Share::set(0);
            lock(1, 1, 600, unlock);
            let mut height = L1_START;
            while height < unlock {
                height = (height + step).min(unlock);
                L1Height::set(height);
                assert!(stake(1) + stake(2) <= 600);
            }
            // In block unlock + 1, before that one is applied.
            lock(2, 2, 600, FAR);
            assert_eq!((stake(1), stake(2)), (0, 600), "nothing was swept yet");
            l1_at(unlock + 1);
            assert_eq!((stake(1), stake(2)), (0, 600));
        });
    }
}

/// One owner that locks for two accounts has locked two amounts of coins.
#[test]
fn r2_3_one_owners_locks_count_once_each() {
    new_test_ext().execute_with(|| {
        MinL2Share::set(0);
        for (n, tx, value) in [(1, 1, 600), (2, 2, 400)] {
            hear(&L1Event::Stake {
                outpoint: outpoint(tx),
                chain_id: CHAIN,
                account: account(n),
                owner: sp_core::H160([7; 20]),
                value,
                unlock: FAR,
            });
        }
        assert_eq!((stake(1), stake(2)), (600, 400));
    });
}

#[test]
fn locks_are_bounded_and_the_least_coin_blocks_give_way() {
    new_test_ext().execute_with(|| {
        MinL2Share::set(0);
        for tx in 0..MAX_L1_LOCKS {
            lock(1, tx, 100 + u64::from(tx), L1_START + 1_000);
        }
        let all = stake(1);
        // As much for as long, or more for less time: what is there stays.
        lock(1, 100, 100, L1_START + 1_000);
        ignored(NoStake::TooMany, 100);
        lock(1, 100, 1_000, L1_START + 99);
        ignored(NoStake::TooMany, 100);
        // Half as much for more than twice the time.
        lock(1, 100, 50, L1_START + 2_001);
        assert_eq!(stake(1), all - 50);
        assert!(System::events().iter().any(|record| record.event
            == Event::<Test>::L1LockDisplaced { account: account(1), outpoint: outpoint(0) }
                .into()));
        // What was displaced does not come back while it could.
        lock(1, 0, 100_000, L1_START + 1_000);
        ignored(NoStake::Known, 0);
        assert_eq!(L1Locks::<Test>::get(account(1)).len(), MAX_L1_LOCKS as usize);
        l1_at(L1_START + 1_000);
        assert_eq!(stake(1), 50);
        assert_eq!(L1Outpoints::<Test>::iter().count(), 1, "also of what was displaced");
    });
}

/// Attack: a coin that is locked for ever, to push out the locks of somebody else.
#[test]
fn who_locks_for_ever_ranks_as_for_a_year() {
    new_test_ext().execute_with(|| {
        MinL2Share::set(0);
        for tx in 0..MAX_L1_LOCKS {
            lock(1, tx, 1_000, L1_START + 210_240);
        }
        lock(1, 100, 1_000, MAX_UNLOCK);
        ignored(NoStake::TooMany, 100);
    });
}

#[test]
fn who_signs_twice_has_no_stake_on_l1_any_more() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_000));
        lock(1, 1, 400, FAR);
        lock(1, 2, 300, FAR + 1);
        offend(1, OffenceKind::DoubleSign);
        // Half of 1,700.
        assert_eq!((held(1), locked(1), stake(1)), (150, 0, 150));
        let struck = Event::<Test>::L1StakeStruck {
            account: account(1),
            offence: OffenceKind::DoubleSign,
            amount: 700,
        };
        assert!(System::events().iter().any(|record| record.event == struck.clone().into()));
        // L1 tells of it once more, after a deep reorganisation: void for ever.
        lock(1, 1, 400, FAR);
        ignored(NoStake::Known, 1);
        assert_eq!((locked(1), Stake::check_state()), (0, Ok(())));
    });
}

/// P17 with stake on L1: as the share at risk is the penalty's, all of it can be taken.
#[test]
fn p17_the_bond_pays_for_what_is_locked_as_well() {
    for (bonded, on_l1) in [(50, 50), (1_000, 1_000), (1_000, 400), (1_000, 90_000)] {
        new_test_ext().execute_with(|| {
            assert_ok!(Stake::bond(signed(1), bonded));
            lock(1, 1, on_l1, FAR);
            let counted = stake(1);
            offend(1, OffenceKind::DoubleSign);
            let due = counted.div_ceil(2).max(MIN_PENALTY);
            assert_eq!(bonded - held(1), due, "{bonded} and {on_l1}");
        });
    }
}

#[test]
fn two_that_sign_twice_lose_their_locks_both() {
    new_test_ext().execute_with(|| {
        for n in 1..=2 {
            assert_ok!(Stake::bond(signed(n), 1_000));
            lock(n, n.into(), 500, FAR);
        }
        offend_in(1, 7, OffenceKind::DoubleSign);
        lock(1, 9, 500, FAR);
        assert_eq!(locked(1), 500, "a new one is another output");
        offend_in(2, 7, OffenceKind::DoubleSign);
        assert_eq!([1, 2].map(|n| (held(n), locked(n))), [(0, 0); 2]);
    });
}

/// Who has only what genesis names loses of that what cannot be taken here.
#[test]
fn what_is_not_here_to_be_taken_is_struck_off() {
    let named = |tx, value, unlock| GenesisLock {
        account: account(9),
        outpoint: outpoint(tx),
        value,
        unlock,
    };
    let locks = vec![named(1, 10_000, FAR), named(2, 500, FAR + 1)];
    with_genesis_locks(locks).execute_with(|| {
        assert_eq!(stake(9), 10_500);
        offend(9, OffenceKind::TimestampManipulation);
        assert_eq!(stake(9), 10_500 - 525, "500 of the longer one and 25 of the other");
        let counts: Vec<_> =
            L1Locks::<Test>::get(account(9)).iter().map(|lock| lock.counts).collect();
        assert_eq!(counts, [0, 9_975]);
        offend(9, OffenceKind::Timeout);
        assert_eq!(stake(9), 9_975);
        offend(9, OffenceKind::DoubleSign);
        assert_eq!((stake(9), Stake::check_state()), (0, Ok(())));
    });
}

#[test]
fn genesis_names_locks_that_need_no_bond_and_l1_repeats_them_in_vain() {
    let named = GenesisLock { account: account(9), outpoint: outpoint(1), value: 700, unlock: FAR };
    with_genesis_locks(vec![named]).execute_with(|| {
        let parts = StakeParts { bonded: 0, locked: 700, named: 700 };
        assert_eq!((Stake::parts(&account(9)), stake(9)), (parts, 700));
        lock(9, 1, 700, FAR);
        ignored(NoStake::Known, 1);
        // Others by the side are as everybody's.
        lock(9, 2, 700, FAR);
        assert_eq!(stake(9), 700);
        // What genesis names never gives way.
        for tx in 10..10 + MAX_L1_LOCKS {
            lock(9, tx, 1_000_000, FAR);
        }
        assert_eq!(Stake::parts(&account(9)).named, 700);
        l1_at(FAR);
        assert_eq!(L1Locks::<Test>::iter().count(), 0);
    });
}

#[test]
#[should_panic(expected = "cannot count")]
fn a_genesis_that_names_an_output_twice_is_refused() {
    let named =
        |n| GenesisLock { account: account(n), outpoint: outpoint(1), value: 700, unlock: FAR };
    with_genesis_locks(vec![named(1), named(2)]);
}

/// Who must keep a stake may take back what locks on L1 replace, and no more.
#[test]
fn unbonding_stops_where_locks_do_not_carry() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_000));
        lock(1, 1, 5_000, FAR);
        Committed::set(vec![(account(1), 1_000)]);
        assert_noop!(Stake::unbond(signed(1), 501), Error::<Test>::StillCommitted);
        assert_ok!(Stake::unbond(signed(1), 500));
        assert_eq!(stake(1), 1_000);
        // When the lock ends nothing more can be taken back.
        L1Height::set(FAR);
        assert_noop!(Stake::unbond(signed(1), 1), Error::<Test>::StillCommitted);
    });
}

/// What has ended is cleared away in steps, however much ends at one height.
#[test]
fn clearing_away_is_bounded_in_each_block() {
    new_test_ext().execute_with(|| {
        let unlock = L1_START + 50;
        for n in 0..20u8 {
            lock(100 + n, n.into(), 100, unlock);
        }
        L1Height::set(unlock);
        let mut blocks = 0;
        while L1Swept::<Test>::get() <= unlock {
            let before = L1Ends::<Test>::iter().count();
            Stake::on_idle(1, Weight::MAX);
            assert!(before - L1Ends::<Test>::iter().count() <= MAX_SWEPT as usize);
            assert_eq!(Stake::check_state(), Ok(()));
            blocks += 1;
        }
        // 51 heights and 20 locks.
        assert_eq!(blocks, 71_u32.div_ceil(MAX_SWEPT));
        assert_eq!(L1Locks::<Test>::iter().count(), 0);
        let idle = L1Swept::<Test>::get();
        Stake::on_idle(1, Weight::MAX);
        assert_eq!(L1Swept::<Test>::get(), idle, "it does not run ahead of L1");
    });
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// Whose, which output, how much, for how long.
        Lock(u8, u32, u64, u32),
        Bond(u8, Balance),
        Unbond(u8, Balance),
        Offend(u8, OffenceKind),
        Mine(u32),
        Idle,
    }

    fn any_step() -> impl Strategy<Value = Step> {
        let offence = prop_oneof![
            Just(OffenceKind::DoubleSign),
            Just(OffenceKind::TimestampManipulation),
            Just(OffenceKind::Offline),
        ];
        prop_oneof![
            6 => (1u8..=4, 0u32..40, 0u64..2_000, 0u32..300)
                .prop_map(|(n, tx, value, blocks)| Step::Lock(n, tx, value, blocks)),
            2 => (1u8..=4, 1u128..2_000).prop_map(|(n, amount)| Step::Bond(n, amount)),
            1 => (1u8..=4, 1u128..2_000).prop_map(|(n, amount)| Step::Unbond(n, amount)),
            1 => (1u8..=4, offence).prop_map(|(n, kind)| Step::Offend(n, kind)),
            2 => (1u32..60).prop_map(Step::Mine),
            2 => Just(Step::Idle),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

        /// Whatever is locked, by whom and for whom: no output counts for two accounts,
        /// nor for more than its value, nor when it can be spent; and enough of what
        /// counts is at risk.
        #[test]
        fn r2_3_no_coin_on_l1_counts_twice_or_when_it_is_free(
            steps in prop::collection::vec(any_step(), 1..60),
        ) {
            new_test_ext().execute_with(|| {
                // The value and unlock that an output was first accepted with.
                let mut outputs = std::collections::BTreeMap::new();
                for step in steps {
                    match step {
                        Step::Lock(n, tx, value, blocks) => {
                            let unlock = L1Height::get() + blocks;
                            let new = !L1Outpoints::<Test>::contains_key(outpoint(tx));
                            lock(n, tx, value, unlock);
                            if new && L1Outpoints::<Test>::contains_key(outpoint(tx)) {
                                outputs.insert(outpoint(tx), (value, unlock));
                            }
                        }
                        Step::Bond(n, amount) => {
                            let _ = Stake::bond(signed(n), amount);
                        }
                        Step::Unbond(n, amount) => {
                            let _ = frame_support::storage::with_storage_layer(|| {
                                Stake::unbond(signed(n), amount)
                            });
                        }
                        Step::Offend(n, kind) => offend(n, kind),
                        Step::Mine(blocks) => L1Height::mutate(|height| *height += blocks),
                        Step::Idle => {
                            Stake::on_idle(1, Weight::MAX);
                        }
                    }
                    Stake::check_state().expect("the books are right");
                    let now = L1Height::get();
                    let mut counted = std::collections::BTreeSet::new();
                    for n in 1..=4 {
                        let (parts, locks) =
                            (Stake::parts(&account(n)), L1Locks::<Test>::get(account(n)));
                        let mut most = 0;
                        for lock in locks {
                            prop_assert!(counted.insert(lock.outpoint), "counted twice");
                            let (value, unlock) = outputs[&lock.outpoint];
                            prop_assert!(lock.counts <= value && lock.unlock == unlock);
                            if unlock >= now + MARGIN {
                                most += u128::from(lock.counts);
                            }
                        }
                        prop_assert_eq!(parts.locked, most);
                        prop_assert!(2 * parts.bonded >= stake(n));
                    }
                }
                Ok(())
            })?;
        }
    }
}
