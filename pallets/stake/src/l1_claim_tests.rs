//! Locks that were crowded out of their L1 block, and what claims cannot do.

use crate::{
    l1_locks::NoStake,
    mock::*,
    pallet::{Error, Event, L1Outpoints, L1Swept},
    MAX_L1_LOCKS,
};
use cascoin_l2_primitives::{
    l1::{
        inclusion::InclusionProof,
        stake::{StakePayload, MIN_LOCK_BLOCKS},
        testing::{mined, pays, Spend},
        OutPoint,
    },
    relay::{L1BlockContext, L1Event, OnL1Fork},
    sequencers::{OffenceKind, StakeProvider},
};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};

/// The height of the block that the locks stand in.
const HEIGHT: u32 = L1_START - 10;
/// An unlock height that is far away.
const FAR: u32 = L1_START + 10_000;

fn locked(n: u8) -> u128 {
    Stake::parts(&account(n)).locked
}

fn said(n: u8, unlock: u32) -> StakePayload {
    StakePayload { account: account(n), unlock, owner: [n; 20] }
}

/// A transaction of a coin of key `n` with these outputs, mined, in a block that the relay
/// has applied.
fn applied(n: u8, outputs: Vec<(u64, Vec<u8>)>) -> InclusionProof {
    let proof = mined(Spend { outputs, ..Spend::of(&[n]) }.signed(), HEIGHT, 3, 7);
    AppliedBlocks::set(vec![(HEIGHT, proof.block())]);
    proof
}

/// One that locks `value` for account `n`.
fn lock_of(n: u8, value: u64, unlock: u32) -> InclusionProof {
    let said = said(n, unlock);
    applied(n, vec![(0, said.script(CHAIN)), (value, said.lock_script()), (5, pays(7))])
}

fn outpoint_of(proof: &InclusionProof) -> OutPoint {
    OutPoint { txid: proof.txid(), vout: 1 }
}

#[test]
fn r2_3_a_lock_that_was_crowded_out_is_claimed_once() {
    new_test_ext().execute_with(|| {
        let proof = lock_of(1, 600, FAR);
        let outpoint = outpoint_of(&proof);
        // Anybody may, for whom it names.
        assert_ok!(Stake::claim_lock(signed(2), proof.clone()));
        System::assert_last_event(
            Event::<Test>::L1Locked {
                account: account(1),
                outpoint,
                owner: sp_core::H160([1; 20]),
                value: 600,
                unlock: FAR,
            }
            .into(),
        );
        assert_eq!((locked(1), locked(2)), (600, 0));
        assert_noop!(Stake::claim_lock(signed(1), proof), Error::<Test>::LockKnown);
        // Nor does it count besides if the relay tells of it after all.
        hear(&L1Event::Stake {
            outpoint,
            chain_id: CHAIN,
            account: account(3),
            owner: Default::default(),
            value: 600,
            unlock: FAR,
        });
        System::assert_last_event(
            Event::<Test>::L1LockIgnored { outpoint, reason: NoStake::Known }.into(),
        );
        assert_eq!((locked(1), locked(3)), (600, 0));
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

#[test]
fn r2_3_what_the_relay_told_of_is_not_claimed_besides() {
    new_test_ext().execute_with(|| {
        let proof = lock_of(1, 600, FAR);
        hear(&L1Event::Stake {
            outpoint: outpoint_of(&proof),
            chain_id: CHAIN,
            account: account(1),
            owner: Default::default(),
            value: 600,
            unlock: FAR,
        });
        assert_eq!(locked(1), 600);
        assert_noop!(Stake::claim_lock(signed(1), proof), Error::<Test>::LockKnown);
    });
}

/// Attacks: what L1 does not have, or what is no stake by the relay's rule either.
#[test]
fn r2_3_claims_prove_what_they_say() {
    new_test_ext().execute_with(|| {
        let good = lock_of(1, 600, FAR);
        let refused = |proof: InclusionProof, error: Error<Test>| {
            assert_noop!(Stake::claim_lock(signed(1), proof), error);
        };
        assert_noop!(
            Stake::claim_lock(RuntimeOrigin::none(), good.clone()),
            sp_runtime::DispatchError::BadOrigin
        );
        refused(
            InclusionProof { height: HEIGHT + 1, ..good.clone() },
            Error::<Test>::UnknownL1Block,
        );
        let mut other = good.clone();
        other.header[0] ^= 1;
        refused(other, Error::<Test>::UnknownL1Block);
        let mut larger = good.clone();
        let value = larger.transaction.windows(8).position(|bytes| bytes == 600u64.to_le_bytes());
        larger.transaction[value.expect("it is there") + 1] += 1;
        refused(larger, Error::<Test>::NotIncluded);
        refused(InclusionProof { position: 2, ..good.clone() }, Error::<Test>::NotIncluded);

        refused(applied(1, vec![(5, pays(7)), (600, pays(8))]), Error::<Test>::NoLock);
        // The lock is another's than what is said, or there is none in output 1.
        let (own, theirs) = (said(1, FAR), said(2, FAR));
        let outputs = vec![(0, own.script(CHAIN)), (600, theirs.lock_script())];
        refused(applied(1, outputs), Error::<Test>::NoLock);
        let outputs = vec![(600, own.lock_script()), (0, own.script(CHAIN))];
        refused(applied(1, outputs), Error::<Test>::NoLock);
        let outputs = vec![(0, own.script(CHAIN + 1)), (600, own.lock_script())];
        refused(applied(1, outputs), Error::<Test>::LockOfOtherChain);
        refused(lock_of(1, 600, HEIGHT + MIN_LOCK_BLOCKS - 1), Error::<Test>::NoLock);
        refused(lock_of(1, MIN_LOCK as u64 - 1, FAR), Error::<Test>::LockTooSmall);
        assert_eq!(locked(1), 0);
        assert_ok!(Stake::claim_lock(signed(1), lock_of(1, 600, HEIGHT + MIN_LOCK_BLOCKS)));
        assert_eq!(locked(1), 600);
    });
}

/// Attack: coins that have been unlocked, and locked anew for another account, are claimed
/// for the first as well.
#[test]
fn r2_3_a_claim_counts_no_coins_that_may_have_moved() {
    new_test_ext().execute_with(|| {
        let unlock = HEIGHT + MIN_LOCK_BLOCKS;
        let proof = lock_of(1, 600, unlock);
        L1Height::set(unlock - MARGIN + 1);
        assert_noop!(Stake::claim_lock(signed(1), proof.clone()), Error::<Test>::LockTooShort);
        // It counted, ended and is forgotten.
        L1Height::set(unlock - MARGIN);
        assert_ok!(Stake::claim_lock(signed(1), proof.clone()));
        assert_eq!(locked(1), 600);
        L1Height::set(unlock);
        while L1Swept::<Test>::get() <= unlock {
            Stake::on_idle(1, Weight::MAX);
        }
        assert_noop!(Stake::claim_lock(signed(1), proof.clone()), Error::<Test>::LockTooShort);
        // Even if L1's height goes back.
        L1Height::set(HEIGHT);
        assert_noop!(Stake::claim_lock(signed(1), proof), Error::<Test>::LockTooShort);
    });
}

/// As many as an account can have: the larger one stays, whoever brings it.
#[test]
fn claims_compete_as_what_is_heard_does() {
    new_test_ext().execute_with(|| {
        for tx in 0..MAX_L1_LOCKS {
            lock(1, tx, 500, FAR);
        }
        let small = lock_of(1, 499, FAR);
        assert_noop!(Stake::claim_lock(signed(1), small), Error::<Test>::TooManyLocks);
        assert_ok!(Stake::claim_lock(signed(1), lock_of(1, 501, FAR)));
        assert_eq!(locked(1), 500 * u128::from(MAX_L1_LOCKS) + 1);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

/// L1 drops the block of a lock that was claimed.
#[test]
fn r19_a_claimed_lock_goes_with_its_block() {
    new_test_ext().execute_with(|| {
        let proof = lock_of(1, 600, FAR);
        assert_ok!(Stake::claim_lock(signed(1), proof.clone()));
        Replaced::set(vec![proof.block()]);
        AppliedBlocks::set(vec![]);
        Stake::on_fork(&L1BlockContext::default());
        Stake::on_recovered();
        Stake::on_idle(1, Weight::MAX);
        assert_eq!(locked(1), 0);
        assert_noop!(Stake::claim_lock(signed(1), proof), Error::<Test>::UnknownL1Block);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

/// The new branch brings its transaction in another block, where it is crowded out again.
#[test]
fn r19_a_claimed_lock_that_is_claimed_again_in_time_goes_on() {
    new_test_ext().execute_with(|| {
        let proof = lock_of(1, 600, FAR);
        let outpoint = outpoint_of(&proof);
        assert_ok!(Stake::claim_lock(signed(1), proof.clone()));
        let again = mined(proof.transaction.to_vec(), HEIGHT + 1, 2, 5);
        assert_eq!(outpoint_of(&again), outpoint);
        // Not while its block stands.
        AppliedBlocks::mutate(|blocks| blocks.push((HEIGHT + 1, again.block())));
        assert_noop!(Stake::claim_lock(signed(1), again.clone()), Error::<Test>::LockKnown);
        Replaced::set(vec![proof.block()]);
        Stake::on_fork(&L1BlockContext::default());
        assert_ok!(Stake::claim_lock(signed(2), again.clone()));
        System::assert_last_event(
            Event::<Test>::L1LockConfirmedAgain { account: account(1), outpoint }.into(),
        );
        assert_eq!(locked(1), 600, "once");
        let seen = L1Outpoints::<Test>::get(outpoint);
        assert_eq!(seen, Some(Some((HEIGHT + 1, again.block()))));
        assert_noop!(Stake::claim_lock(signed(1), again), Error::<Test>::LockKnown);
        Stake::on_recovered();
        Stake::on_idle(1, Weight::MAX);
        assert_eq!(locked(1), 600);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

/// Attack: an offence struck it off, or it is lost already.
#[test]
fn r19_a_claim_brings_back_no_lock_that_is_lost() {
    new_test_ext().execute_with(|| {
        let proof = lock_of(1, 600, FAR);
        assert_ok!(Stake::claim_lock(signed(1), proof.clone()));
        Replaced::set(vec![proof.block()]);
        Stake::on_fork(&L1BlockContext::default());
        Stake::on_recovered();
        Stake::on_idle(1, Weight::MAX);
        assert_eq!(locked(1), 0);
        let again = mined(proof.transaction.to_vec(), HEIGHT + 1, 2, 5);
        AppliedBlocks::set(vec![(HEIGHT + 1, again.block())]);
        assert_noop!(Stake::claim_lock(signed(1), again), Error::<Test>::LockKnown);
        assert_eq!(locked(1), 0);
    });
    new_test_ext().execute_with(|| {
        let proof = lock_of(1, 600, FAR);
        assert_ok!(Stake::claim_lock(signed(1), proof.clone()));
        offend(1, OffenceKind::DoubleSign);
        assert_eq!(locked(1), 0);
        Replaced::set(vec![proof.block()]);
        let again = mined(proof.transaction.to_vec(), HEIGHT + 1, 2, 5);
        AppliedBlocks::set(vec![(HEIGHT + 1, again.block())]);
        // It stands in another block; it counts no more than before.
        assert_ok!(Stake::claim_lock(signed(1), again));
        assert_eq!(locked(1), 0);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}
