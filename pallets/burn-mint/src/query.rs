//! What others read: records by transaction, block and account.

use crate::pallet::{
    AccountBurnCount, AccountBurns, BurnCount, Burns, Config, Deferred, DeferredRange, MintLog,
    Pallet,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::BurnRecord,
    chain::{AccountId, BlockNumber},
    l1::{L1Hash, OutPoint},
};

/// Most records that one query returns, whatever limit the caller names.
pub const MAX_RECORDS: u32 = 1_000;

impl<T: Config> Pallet<T> {
    /// What is on record of one output.
    pub fn burn(outpoint: &OutPoint) -> Option<BurnRecord> {
        Burns::<T>::get(outpoint.txid, outpoint.vout)
    }

    /// All outputs on record of one L1 transaction, by position; at most
    /// [`MAX_RECORDS`] of them.
    pub fn burns_of_transaction(txid: L1Hash) -> Vec<BurnRecord> {
        let mut records: Vec<_> =
            Burns::<T>::iter_prefix_values(txid).take(MAX_RECORDS as usize).collect();
        records.sort_by_key(|record| record.outpoint.vout);
        records
    }

    /// Mints of the L2 blocks `from..=to`, oldest first, at most `limit`.
    pub fn mint_history(from: BlockNumber, to: BlockNumber, limit: u32) -> Vec<BurnRecord> {
        (Self::first_mint_from(from)..BurnCount::<T>::get())
            .map_while(Self::minted)
            .take_while(|record| record.block <= to)
            .take(limit.min(MAX_RECORDS) as usize)
            .collect()
    }

    /// Burns credited to an account, newest first, at most `limit`.
    pub fn burns_of_account(account: AccountId, limit: u32) -> Vec<BurnRecord> {
        (0..AccountBurnCount::<T>::get(&account))
            .rev()
            .take(limit.min(MAX_RECORDS) as usize)
            .filter_map(|sequence| AccountBurns::<T>::get(&account, sequence))
            .filter_map(|outpoint| Self::burn(&outpoint))
            .collect()
    }

    /// Valid burns that wait to be credited, in the order they will be retried,
    /// at most `limit`.
    pub fn deferred_burns(limit: u32) -> Vec<BurnRecord> {
        let (start, end) = DeferredRange::<T>::get();
        (start..end)
            .take(limit.min(MAX_RECORDS) as usize)
            .filter_map(Deferred::<T>::get)
            .filter_map(|outpoint| Self::burn(&outpoint))
            .collect()
    }

    fn minted(position: u64) -> Option<BurnRecord> {
        Self::burn(&MintLog::<T>::get(position)?)
    }

    // Position of the first mint in block `from` or later. The log is sorted by
    // block, so a binary search needs no index of blocks, most of which mint
    // nothing.
    fn first_mint_from(from: BlockNumber) -> u64 {
        let (mut low, mut high) = (0, BurnCount::<T>::get());
        while low < high {
            let middle = low + (high - low) / 2;
            if Self::minted(middle).is_some_and(|record| record.block < from) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
