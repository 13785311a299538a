//! What others read: the runtime API's answers and the state check.

use crate::{
    pallet::{Config, Error, Pallet, RecordCount, Records},
    types::RECORDS_KEPT,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::{DoubleSignRecord, EvidenceStanding},
    consensus::DoubleSignEvidence,
};
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
    /// What reporting `evidence` would come to.
    pub fn standing(evidence: &DoubleSignEvidence) -> EvidenceStanding {
        // The state of genesis does not have the hash of genesis yet, over which most
        // signatures are.
        if frame_system::Pallet::<T>::block_number().is_zero() {
            return EvidenceStanding::NotYet;
        }
        match Self::find(evidence) {
            Ok(_) if Self::is_proven(evidence) => EvidenceStanding::Wanted,
            Err(Error::AlreadyReported) => EvidenceStanding::Reported,
            Err(Error::FutureSet) => EvidenceStanding::NotYet,
            _ => EvidenceStanding::Void,
        }
    }

    /// Double signs on record, newest first, at most `limit`.
    pub fn double_signs(limit: u32) -> Vec<DoubleSignRecord> {
        let count = RecordCount::<T>::get();
        let oldest = count.saturating_sub(RECORDS_KEPT.min(limit.into()));
        (oldest..count).rev().filter_map(Records::<T>::get).collect()
    }

    /// What must hold between blocks: the set in force is noted with its keys, and
    /// no more is kept than is said.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
        use crate::{
            pallet::{NewestSet, OldestSet, SetEnds, Sets},
            types::MAX_SETS,
        };
        use cascoin_l2_primitives::sequencers::SequencerSetProvider;
        use frame_support::{ensure, traits::Get};
        let newest = T::Sequencers::set_id();
        ensure!(NewestSet::<T>::get() == Some(newest), "the set in force is not noted");
        let noted = Sets::<T>::get(newest).unwrap_or_default();
        let keys = T::VotingKeys::get();
        ensure!(noted.iter().map(|known| &known.key).eq(&keys), "it is noted with other keys");
        let oldest = OldestSet::<T>::get().unwrap_or(newest);
        ensure!(newest.saturating_sub(oldest) < MAX_SETS, "too many sets are kept");
        for set_id in Sets::<T>::iter_keys() {
            let kept = (oldest..=newest).contains(&set_id);
            ensure!(kept, "a set is kept that is too old, or is yet to come");
            let has_end = SetEnds::<T>::contains_key(set_id);
            ensure!(has_end == (set_id != newest), "a set's end is not the next one's begin");
        }
        for set_id in SetEnds::<T>::iter_keys() {
            ensure!(Sets::<T>::contains_key(set_id), "the end of a forgotten set is kept");
        }
        let count = RecordCount::<T>::get();
        for (number, _) in Records::<T>::iter() {
            let kept = number < count && count - number <= RECORDS_KEPT;
            ensure!(kept, "a record is kept that is too old, or is yet to come");
        }
        Ok(())
    }
}
