//! What L1 forced into blocks, and is not repeated.
//!
//! The chain applies such a transaction by itself, so it stands in no body. L1 brings it again,
//! or it waits again, and it has its turn; but its nonce is used, and it is dropped. So what
//! was applied is noted here, and whose turn comes again after a recovery that undid it is told
//! to have fallen, as others are.

use crate::{BlockNumber, Recovery, System};
use frame_support::{
    pallet_prelude::{OptionQuery, ValueQuery},
    storage_alias, Identity, Twox64Concat,
};
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash as _};

/// Transactions that are on record, each of which paid for room on L1: one for each fifteen of
/// the blocks that a recovery reaches back. Of more, the oldest would not be told.
const KEPT: u64 = 8_192;

/// What noting or telling one reads and writes at most: its number, the block and the number's
/// hash, of it and of one that is forgotten; or the block, the recoveries and what is told.
pub(in crate::configs) const FORCED_READS: u64 = 4;
pub(in crate::configs) const FORCED_WRITES: u64 = 5;

/// The blocks in which the last [`KEPT`] were applied, by their hashes (BLAKE2-256). Only those
/// that succeeded.
#[storage_alias]
type ForcedAt = StorageMap<RecoveryBooks, Identity, H256, BlockNumber, OptionQuery>;

/// Their hashes, by number.
#[storage_alias]
type ForcedHashes = StorageMap<RecoveryBooks, Twox64Concat, u64, H256, OptionQuery>;

/// The number of the next one.
#[storage_alias]
type ForcedCount = StorageValue<RecoveryBooks, u64, ValueQuery>;

/// The chain applied a transaction that L1 forced into it.
pub(in crate::configs) fn note_applied(encoded: &[u8]) {
    let number = ForcedCount::get();
    let hash = BlakeTwo256::hash(encoded);
    ForcedAt::insert(hash, System::block_number());
    ForcedHashes::insert(number, hash);
    ForcedCount::put(number.saturating_add(1));
    let old = number.checked_sub(KEPT).and_then(ForcedHashes::take);
    if let Some(old) = old.filter(|old| *old != hash) {
        ForcedAt::remove(old);
    }
}

/// It had its turn, and is dropped. If it was applied before, and a recovery undid that, it is
/// told to have fallen.
pub(in crate::configs) fn tell_fallen(encoded: &[u8]) {
    let hash = BlakeTwo256::hash(encoded);
    let Some(at) = ForcedAt::get(hash) else { return };
    if Recovery::tell_forced(at, encoded) {
        // Once, however often L1 has it.
        ForcedAt::remove(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Runtime;
    use cascoin_l2_primitives::recovery::{Fall, LastRecovery, RecoveryPoint};

    fn one(number: u64) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }

    #[test]
    fn p20_what_l1_forced_into_blocks_is_told_if_a_recovery_undid_it() {
        sp_io::TestExternalities::default().execute_with(|| {
            for (number, block) in [(1, 10), (2, 11), (3, 20), (4, 21)] {
                System::set_block_number(block);
                note_applied(&one(number));
            }
            let tell_all = || (0..6).for_each(|number| tell_fallen(&one(number)));
            tell_all();
            assert!(Recovery::fallen(0, 10).is_empty(), "nothing was undone");
            let since = RecoveryPoint { number: 10, ..Default::default() };
            pallet_recovery::LastRecovery::<Runtime>::put(LastRecovery {
                number: 1,
                since,
                begun_at: 20,
                ended_at: 30,
                ..Default::default()
            });
            tell_all();
            tell_all();
            let fallen = Recovery::fallen(0, 10);
            let told: Vec<_> =
                fallen.iter().map(|(index, one)| (*index, one.place.block, one.hash)).collect();
            let hash = |number| BlakeTwo256::hash(&one(number));
            assert_eq!(told, [(0, 11, hash(2)), (1, 20, hash(3))]);
            assert!(fallen.iter().all(|(_, one)| matches!(one.fall, Fall::Refused(_))));
        });
    }

    #[test]
    fn no_more_are_on_record_than_are_kept() {
        sp_io::TestExternalities::default().execute_with(|| {
            System::set_block_number(1);
            (0..KEPT + 5).for_each(|number| note_applied(&one(number)));
            assert_eq!(ForcedAt::iter().count() as u64, KEPT);
            assert_eq!(ForcedHashes::iter().count() as u64, KEPT);
            assert!(!ForcedAt::contains_key(BlakeTwo256::hash(&one(4))));
            assert!(ForcedAt::contains_key(BlakeTwo256::hash(&one(5))));
        });
    }
}
