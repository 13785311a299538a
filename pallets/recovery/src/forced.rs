//! Transactions that the chain itself had applied, because L1 forced it to. They stand in no
//! body, so no recovery repeats them; that one fell shows when its turn comes again.

use crate::pallet::{Config, LastRecovery, Pallet, Running};
use cascoin_l2_primitives::{
    chain::BlockNumber,
    recovery::{Books, Fall, FallenTransaction, Place, FORCED_INDEX},
};
use sp_runtime::{
    traits::{BlakeTwo256, Hash as _},
    transaction_validity::InvalidTransaction,
};

impl<T: Config> Pallet<T> {
    /// A transaction that L1 forces into blocks is dropped, which had been applied in this
    /// block. If the last recovery undid the block, it is told to have fallen. Returns whether
    /// it did.
    pub fn tell_forced(block: BlockNumber, transaction: &[u8]) -> bool {
        // While one runs none has its turn, and the list is that one's.
        let last = LastRecovery::<T>::get().filter(|_| !Running::<T>::exists());
        let undone = last.filter(|last| last.since.number < block && block <= last.begun_at);
        let Some(mut last) = undone else { return false };
        Self::tell(
            last.fell,
            FallenTransaction {
                place: Place { block, index: FORCED_INDEX },
                hash: BlakeTwo256::hash(transaction),
                sender: T::Books::signer(transaction),
                // Its nonce is used.
                fall: Fall::Refused(InvalidTransaction::Stale.into()),
            },
        );
        last.fell = last.fell.saturating_add(1);
        LastRecovery::<T>::put(last);
        true
    }
}
