//! Locks on L1 that the relay did not tell of, because larger ones of their L1 block crowded
//! them out (ADR 0021): anybody proves that one was mined, and it counts as if the relay had
//! told.
//!
//! What makes a transaction a lock is the rule that nodes read blocks by
//! ([`Locked::in_transaction`]), and all else that holds of a lock that is heard holds of one
//! that is claimed: its outpoint is one account's stake, once. After a fork of L1 it can be
//! claimed again, for the block that it stands in by then.

use crate::{
    l1_locks::{L1Lock, NoStake},
    pallet::{Config, Error, Event, L1Locks, L1Outpoints, Pallet},
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        inclusion::InclusionProof,
        stake::{Locked, LOCK_VOUT},
        L1Hash, OutPoint,
    },
    relay::{L1Branch as _, L1Chance},
    reputation::{l1_history::day_of, l1_stake::MIN_TERM_BLOCKS},
};
use frame_support::{ensure, traits::Get};
use sp_core::H160;

impl<T: Config> From<NoStake> for Error<T> {
    fn from(reason: NoStake) -> Self {
        match reason {
            NoStake::Known => Error::LockKnown,
            NoStake::OtherChain => Error::LockOfOtherChain,
            NoStake::TooSmall => Error::LockTooSmall,
            NoStake::TooShort => Error::LockTooShort,
            NoStake::TooMany => Error::TooManyLocks,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Takes a lock into account that stands in a block that the relay has applied.
    pub(crate) fn do_claim_lock(proof: &InclusionProof) -> Result<(), Error<T>> {
        let applied = T::L1Hashes::hash_at(proof.height);
        ensure!(applied == Some(proof.block()), Error::<T>::UnknownL1Block);
        Self::take_proven(proof)
    }

    /// The same of a block that is one of L1.
    pub(crate) fn take_proven(proof: &InclusionProof) -> Result<(), Error<T>> {
        let transaction = proof.included().ok_or(Error::<T>::NotIncluded)?;
        let locked = Locked::in_transaction(&transaction);
        let locked = locked.filter(|locked| locked.lasts_from(proof.height));
        let Locked { chain_id, payload, value } = locked.ok_or(Error::<T>::NoLock)?;
        ensure!(chain_id == T::ChainId::get(), Error::<T>::LockOfOtherChain);
        let outpoint = OutPoint { txid: proof.txid(), vout: LOCK_VOUT as u32 };
        let (account, unlock) = (payload.account, payload.unlock);
        let block = (proof.height, proof.block());
        if Self::goes_on_in(&account, outpoint, block) {
            return Ok(());
        }
        // Of the median time, which the relay would have told of, a proof says nothing. The
        // block's own is days from it at no time.
        let is_long = unlock >= proof.height.saturating_add(MIN_TERM_BLOCKS);
        let term_since = is_long.then(|| day_of(proof.time()));
        let lock = L1Lock { outpoint, counts: value, unlock, named: false, term_since };
        Self::add_lock(&account, lock, Some(block))?;
        let owner = H160(payload.owner);
        Self::deposit_event(Event::L1Locked { account, outpoint, owner, value, unlock });
        Ok(())
    }

    // A lock whose block was replaced, and which is not lost yet, stands in this block now.
    // What the relay tells again is noted by `add_lock`; a claim that fails notes nothing, so
    // this one succeeds.
    fn goes_on_in(account: &AccountId, outpoint: OutPoint, block: (u32, L1Hash)) -> bool {
        // What genesis names is believed.
        let Some(Some((height, hash))) = L1Outpoints::<T>::get(outpoint) else { return false };
        let is_kept = || L1Locks::<T>::get(account).iter().any(|lock| lock.outpoint == outpoint);
        if T::L1Blocks::has_block(height, &hash) || !is_kept() {
            return false;
        }
        L1Outpoints::<T>::insert(outpoint, Some(block));
        Self::deposit_event(Event::L1LockConfirmedAgain { account: account.clone(), outpoint });
        true
    }
}
