//! Stake that is locked on L1 (R2.3, ADR 0021).
//!
//! The relay tells of each lock that sequencers have seen on L1. It counts while it will
//! last for [`Config::L1Margin`] more blocks of L1, as long as unbonding takes; from then
//! on it is still at risk, as what is unbonded is, until L1 lets its owner spend it. What
//! is spent and locked anew stands in an L1 block above the old lock's unlock, so when
//! that block is heard of, the old lock has ended: coins never count twice, however far
//! the relay is behind.
//!
//! Coins on L1 cannot be taken. So what counts of them is covered by what is bonded here
//! ([`StakeParts`]), a penalty is a share of both and is taken from what is here, and who
//! signs twice has no stake on L1 any more: its locks count nothing until they end.
//!
//! Reputation counts what is locked for half a year or more, and when that began
//! ([`Config::OnL1Stake`]). It is told of each change, so that it never has to ask; a lock
//! that has ended counts there until it is cleared away.
//!
//! An outpoint is remembered until its lock ends, also if the lock was displaced, voided
//! or dropped by L1 ([`l1_forks`](crate::l1_forks)): a deep reorganisation that brings it a
//! second time, or a genesis that names what L1 tells as well, changes nothing but the L1
//! block that it is known to stand in.

use crate::{
    pallet::{Config, Event, L1Ends, L1Locks, L1Outpoints, L1Swept, Pallet},
    WeightInfo, MAX_L1_LOCKS,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    l1::{stake::coin_blocks, L1Hash, OutPoint},
    relay::{L1BlockContext, L1Event, OnL1Event},
    reputation::{
        l1_history::day_of,
        l1_stake::{OnL1Stake, StakeTerm, StakeTerms, MIN_TERM_BLOCKS},
        Day,
    },
    sequencers::{OffenceKind, StakeParts},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Reverse;
use frame_support::{pallet_prelude::ConstU32, traits::Get, weights::Weight, BoundedVec};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Most steps of clearing away what has ended, in one block.
pub const MAX_SWEPT: u32 = 8;

/// Coins that are locked on L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct L1Lock {
    /// The output that holds them.
    pub outpoint: OutPoint,
    /// What they count for, base units: the output's value, less what offences struck
    /// off.
    pub counts: u64,
    /// The L1 height that nobody can spend them at or below.
    pub unlock: u32,
    /// Whether genesis names them.
    pub named: bool,
    /// The day of the L1 block that showed them first, if they are locked for
    /// [`MIN_TERM_BLOCKS`] or more. None for what genesis names: it does not say since when.
    pub term_since: Option<Day>,
}

impl L1Lock {
    /// Where not all can be kept, the smallest goes. What genesis names stays.
    fn rank(&self, now: u32) -> (bool, u128) {
        (self.named, coin_blocks(self.counts, self.unlock, now))
    }
}

/// The locks of one account.
pub type Locks = BoundedVec<L1Lock, ConstU32<MAX_L1_LOCKS>>;

/// The L1 block that brought a lock last, by height and hash; none for one that genesis
/// names.
pub type SeenIn = Option<(u32, L1Hash)>;

/// A lock that genesis names, for a sequencer that it names, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisLock {
    /// Whose stake it is.
    pub account: AccountId,
    /// The output on L1 that holds the coins.
    pub outpoint: OutPoint,
    /// Its value, base units.
    pub value: u64,
    /// The L1 height that nobody can spend it at or below.
    pub unlock: u32,
}

/// Why a lock is no stake.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum NoStake {
    /// The outpoint is known.
    Known,
    /// It is for another chain.
    OtherChain,
    /// It is less than [`Config::MinL1Lock`].
    TooSmall,
    /// It ends too soon.
    TooShort,
    /// The account has as many locks as it can, all of more coin-blocks.
    TooMany,
}

impl<T: Config> Pallet<T> {
    /// Takes a lock into account.
    ///
    /// # Errors
    /// [`NoStake`], and then nothing is kept of it.
    pub(crate) fn add_lock(account: &AccountId, lock: L1Lock, seen: SeenIn) -> Result<(), NoStake> {
        let now = T::L1Height::get();
        if let Some(known) = L1Outpoints::<T>::get(lock.outpoint) {
            if known.is_some() {
                // L1 forked and brings it again.
                L1Outpoints::<T>::insert(lock.outpoint, seen);
            }
            return Err(NoStake::Known);
        }
        if Balance::from(lock.counts) < T::MinL1Lock::get() {
            return Err(NoStake::TooSmall);
        }
        // L1's height may have gone back; what was cleared away is not looked at again.
        if !Self::lasts(&lock, now) || lock.unlock < L1Swept::<T>::get() {
            return Err(NoStake::TooShort);
        }
        let mut locks = L1Locks::<T>::get(account);
        if locks.is_full() {
            // Who comes must be larger than what is there.
            let least = locks.iter().enumerate().min_by_key(|(_, known)| known.rank(now));
            let (place, known) = least.ok_or(NoStake::TooMany)?;
            if known.rank(now) >= lock.rank(now) {
                return Err(NoStake::TooMany);
            }
            let outpoint = known.outpoint;
            locks.remove(place);
            Self::deposit_event(Event::L1LockDisplaced { account: account.clone(), outpoint });
        }
        locks.try_push(lock).map_err(|_| NoStake::TooMany)?;
        Self::keep_locks(account, locks);
        L1Outpoints::<T>::insert(lock.outpoint, seen);
        L1Ends::<T>::insert(lock.unlock, lock.outpoint, account);
        Ok(())
    }

    /// Keeps the locks of an account, and tells reputation of them.
    pub(crate) fn keep_locks(account: &AccountId, locks: Locks) {
        let term = |lock: &L1Lock| {
            let since = lock.term_since.filter(|_| lock.counts > 0)?;
            Some(StakeTerm { since, amount: lock.counts })
        };
        // As many as there are locks at most.
        let terms = StakeTerms::truncate_from(locks.iter().filter_map(term).collect());
        T::OnL1Stake::on_l1_stake(account, terms);
        if locks.is_empty() {
            L1Locks::<T>::remove(account);
        } else {
            L1Locks::<T>::insert(account, locks);
        }
    }

    fn lasts(lock: &L1Lock, now: u32) -> bool {
        // At least one block: at its end it can be spent.
        lock.unlock >= now.saturating_add(T::L1Margin::get().max(1))
    }

    /// What of an account's locks can count: those that last long enough.
    pub(crate) fn locked(account: &AccountId) -> StakeParts {
        Self::sum(&L1Locks::<T>::get(account), Self::lasts)
    }

    /// What of an account's locks answers for what it did: all that L1 still holds.
    pub(crate) fn locked_at_risk(account: &AccountId) -> StakeParts {
        Self::sum(&L1Locks::<T>::get(account), |lock, now| lock.unlock > now)
    }

    fn sum(locks: &Locks, is_in: fn(&L1Lock, u32) -> bool) -> StakeParts {
        let mut parts = StakeParts::default();
        if locks.is_empty() {
            return parts;
        }
        let now = T::L1Height::get();
        for lock in locks.iter().filter(|lock| is_in(lock, now)) {
            let counts = Balance::from(lock.counts);
            parts.locked = parts.locked.saturating_add(counts);
            if lock.named {
                parts.named = parts.named.saturating_add(counts);
            }
        }
        parts
    }

    /// Strikes `amount` off what an account's locks count for, the longest first; of one
    /// that signed twice everything. It never comes back.
    pub(crate) fn strike(account: &AccountId, offence: OffenceKind, amount: Balance) {
        let voids = offence == OffenceKind::DoubleSign;
        if !voids && amount == 0 {
            return;
        }
        let mut left = if voids { Balance::MAX } else { amount };
        let mut struck: Balance = 0;
        let mut locks = L1Locks::<T>::get(account);
        locks.sort_by_key(|lock| Reverse(lock.unlock));
        for lock in &mut locks {
            let off = left.min(lock.counts.into());
            left = left.saturating_sub(off);
            struck = struck.saturating_add(off);
            // It is at most what the lock counts for.
            lock.counts = lock.counts.saturating_sub(u64::try_from(off).unwrap_or(u64::MAX));
        }
        if struck > 0 {
            Self::keep_locks(account, locks);
            let account = account.clone();
            Self::deposit_event(Event::L1StakeStruck { account, offence, amount: struck });
        }
    }

    /// Clears away what L1 lets its owners spend, a few steps a block: nothing of it
    /// counts any more.
    pub(crate) fn sweep(remaining: Weight) -> Weight {
        let mut used = T::WeightInfo::sweep_base();
        if !used.all_lte(remaining) {
            return Weight::zero();
        }
        let now = T::L1Height::get();
        let begin = L1Swept::<T>::get();
        let mut height = begin;
        for _ in 0..MAX_SWEPT {
            let step = T::WeightInfo::sweep().saturating_add(T::OnL1Stake::weight());
            let after = used.saturating_add(step);
            if height > now || !after.all_lte(remaining) {
                break;
            }
            used = after;
            match L1Ends::<T>::iter_prefix(height).next() {
                Some((outpoint, account)) => Self::end(height, outpoint, account),
                None => height = height.saturating_add(1),
            }
        }
        if height != begin {
            L1Swept::<T>::put(height);
        }
        used
    }

    pub(crate) fn end(height: u32, outpoint: OutPoint, account: AccountId) {
        L1Ends::<T>::remove(height, outpoint);
        L1Outpoints::<T>::remove(outpoint);
        let mut locks = L1Locks::<T>::get(&account);
        let before = locks.len();
        locks.retain(|lock| lock.outpoint != outpoint);
        if locks.len() == before {
            // It was displaced.
            return;
        }
        Self::keep_locks(&account, locks);
        Self::deposit_event(Event::L1LockEnded { account, outpoint });
    }

    /// What must hold between blocks: each lock is remembered by its outpoint and by its
    /// end, and so is everything that was displaced, once.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub(crate) fn check_locks() -> Result<(), &'static str> {
        for (account, locks) in L1Locks::<T>::iter() {
            if locks.is_empty() {
                return Err("an empty list of locks is kept");
            }
            for lock in locks {
                if L1Ends::<T>::get(lock.unlock, lock.outpoint).as_ref() != Some(&account) {
                    return Err("a lock has no end, or is another account's");
                }
                if lock.unlock < L1Swept::<T>::get() {
                    return Err("a lock has ended and is kept");
                }
            }
        }
        let mut ends = 0usize;
        for (_, outpoint, _) in L1Ends::<T>::iter() {
            ends = ends.saturating_add(1);
            if !L1Outpoints::<T>::contains_key(outpoint) {
                return Err("a lock's outpoint is forgotten before its end");
            }
        }
        if ends != L1Outpoints::<T>::iter_keys().count() {
            return Err("an outpoint is remembered without an end");
        }
        Ok(())
    }
}

impl<T: Config> OnL1Event for Pallet<T> {
    fn on_event(event: &L1Event, block: &L1BlockContext) {
        match event {
            L1Event::Stake { outpoint, chain_id, account, owner, value, unlock } => {
                let (outpoint, unlock) = (*outpoint, *unlock);
                let is_long = unlock >= block.height.saturating_add(MIN_TERM_BLOCKS);
                let term_since = is_long.then(|| day_of(block.median_time));
                let lock = L1Lock { outpoint, counts: *value, unlock, named: false, term_since };
                let added = match *chain_id == T::ChainId::get() {
                    true => Self::add_lock(account, lock, Some((block.height, block.hash))),
                    false => Err(NoStake::OtherChain),
                };
                Self::deposit_event(match added {
                    Ok(()) => Event::L1Locked {
                        account: account.clone(),
                        outpoint,
                        owner: *owner,
                        value: *value,
                        unlock,
                    },
                    Err(reason) => Event::L1LockIgnored { outpoint, reason },
                });
            }
            L1Event::Burn { .. }
            | L1Event::Trust(_)
            | L1Event::KeyRevocation { .. }
            | L1Event::Message { .. }
            | L1Event::ForcedTransaction { .. }
            | L1Event::ChainRegistration { .. }
            | L1Event::VaultDeposit { .. } => (),
        }
    }

    fn max_event_weight() -> Weight {
        T::WeightInfo::hear_lock().saturating_add(T::OnL1Stake::weight())
    }
}
