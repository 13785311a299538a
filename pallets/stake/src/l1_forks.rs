//! Locks whose L1 block was replaced (R19, ADR 0026).
//!
//! When the relay has caught up with the new branch, all locks that are remembered are
//! looked at, a few each block. One whose block is not on the attested branch counts no
//! more. Like one that was displaced it is remembered until its end, so that nothing brings
//! it back: what an offence struck off stays off.

use crate::{
    pallet::{Config, Event, L1Ends, L1Judged, L1Locks, L1Outpoints, Pallet},
    WeightInfo,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::OutPoint,
    relay::{L1BlockContext, L1Branch, OnL1Fork},
    reputation::l1_stake::OnL1Stake,
};
use frame_support::weights::Weight;

/// Most locks that are looked at in one block.
pub const MAX_JUDGED: u32 = 8;

impl<T: Config> Pallet<T> {
    /// Looks at the next locks after L1 forked, if it did.
    pub(crate) fn judge_locks(remaining: Weight) -> Weight {
        let mut used = T::WeightInfo::judge_base();
        if !used.all_lte(remaining) {
            return Weight::zero();
        }
        let Some(mut last) = L1Judged::<T>::get() else { return used };
        let mut ends = match last {
            None => L1Ends::<T>::iter(),
            Some((unlock, outpoint)) => {
                L1Ends::<T>::iter_from(L1Ends::<T>::hashed_key_for(unlock, outpoint))
            }
        };
        for _ in 0..MAX_JUDGED {
            let step = T::WeightInfo::judge_lock().saturating_add(T::OnL1Stake::weight());
            let after = used.saturating_add(step);
            if !after.all_lte(remaining) {
                break;
            }
            used = after;
            let Some((unlock, outpoint, account)) = ends.next() else {
                L1Judged::<T>::kill();
                return used;
            };
            Self::judge_lock(outpoint, account);
            last = Some((unlock, outpoint));
        }
        L1Judged::<T>::put(last);
        used
    }

    pub(crate) fn judge_lock(outpoint: OutPoint, account: AccountId) {
        // What genesis names is believed.
        let Some(Some((height, hash))) = L1Outpoints::<T>::get(outpoint) else { return };
        if T::L1Blocks::has_block(height, &hash) {
            return;
        }
        let mut locks = L1Locks::<T>::get(&account);
        let before = locks.len();
        locks.retain(|lock| lock.outpoint != outpoint);
        if locks.len() == before {
            // It was displaced.
            return;
        }
        Self::keep_locks(&account, locks);
        Self::deposit_event(Event::L1LockLost { account, outpoint });
    }
}

impl<T: Config> OnL1Fork for Pallet<T> {
    // All are looked at anew when the relay has caught up with this branch.
    fn on_fork(_: &L1BlockContext) {
        L1Judged::<T>::kill();
    }

    fn on_recovered() {
        L1Judged::<T>::put(None::<(u32, OutPoint)>);
    }

    // One write, as it has.
    fn max_fork_weight() -> Weight {
        T::WeightInfo::sweep_base()
    }
}
