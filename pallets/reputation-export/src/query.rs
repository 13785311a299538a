//! What others read: the runtime API's answers and the state check.

use crate::pallet::{Certificates, Config, Draft, Exports, InSigning, Last, Oldest, Pallet};
use cascoin_l2_primitives::{
    apis::{OpenExport, ReputationExports},
    reputation::export::SignedExport,
};

impl<T: Config> Pallet<T> {
    /// The signed batches from `from` on, at most `limit`, and the one that is being
    /// signed.
    pub fn exports(from: u32, limit: u32) -> ReputationExports {
        let (oldest, last) = (Oldest::<T>::get(), Last::<T>::get());
        let signed = |sequence| {
            let certificate = Certificates::<T>::get(sequence)?;
            Some(SignedExport { export: Exports::<T>::get(sequence)?, certificate })
        };
        let in_signing = InSigning::<T>::get().and_then(|signing| {
            let signing = signing.in_force::<T::Sequencers>();
            Some(OpenExport {
                export: Exports::<T>::get(last.sequence)?,
                set_id: signing.set_id,
                signers: signing.signatures.iter().map(|known| known.signer).collect(),
            })
        });
        ReputationExports {
            oldest,
            last: last.sequence,
            drafted: u32::try_from(Draft::<T>::decode_len().unwrap_or(0)).unwrap_or(u32::MAX),
            signed: (from.max(oldest)..=last.sequence)
                .filter_map(signed)
                .take(limit as usize)
                .collect(),
            in_signing,
        }
    }

    /// Checks what must hold between blocks.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        use crate::{
            pallet::{KnownAddresses, SettledAhead},
            MAX_KEPT,
        };
        use cascoin_l2_primitives::reputation::export::ExportedScore;
        use sp_core::H160;

        let (oldest, last) = (Oldest::<T>::get(), Last::<T>::get());
        if Self::kept() > MAX_KEPT {
            return Err("more batches are kept than may be");
        }
        if Exports::<T>::iter().count() != Self::kept() as usize {
            return Err("there are batches that are not kept");
        }
        let in_signing = InSigning::<T>::exists();
        let mut previous = None;
        for sequence in oldest..=last.sequence {
            let Some(export) = Exports::<T>::get(sequence) else {
                return Err("a kept batch is missing");
            };
            if export.sequence != sequence || export.entries.is_empty() {
                return Err("a batch is not what it should be");
            }
            if export.oldest > oldest {
                return Err("a batch gives up one that is kept");
            }
            if previous.is_some_and(|hash| hash != export.previous) {
                return Err("a batch does not name the one before");
            }
            previous = Some(export.hash());
            let open = in_signing && sequence == last.sequence;
            if Certificates::<T>::contains_key(sequence) == open {
                return Err("all batches but the one that is being signed are signed");
            }
        }
        if previous.is_some_and(|hash| hash != last.hash) {
            return Err("the last batch is not the one that is known as such");
        }
        if Certificates::<T>::iter().count() != (Self::kept() as usize) - usize::from(in_signing) {
            return Err("there are signatures of no batch");
        }
        let ahead = SettledAhead::<T>::get();
        let is_ahead = |sequence: &u32| {
            *sequence >= oldest
                && *sequence <= last.sequence
                && Certificates::<T>::contains_key(sequence)
        };
        if !ahead.windows(2).all(|pair| pair[0] < pair[1]) || !ahead.iter().all(is_ahead) {
            return Err("what L1 applied ahead is not what it should be");
        }
        let draft = Draft::<T>::get();
        let mut named: alloc::vec::Vec<H160> = draft.iter().map(|entry| entry.address).collect();
        named.sort_unstable();
        named.dedup();
        if named.len() != draft.len() {
            return Err("the draft names an address twice");
        }
        let is_said = |address: &H160, exported: ExportedScore| {
            KnownAddresses::<T>::get(address)
                .is_none_or(|known| known.said.is_none_or(|said| said == exported))
        };
        if !draft.iter().all(|entry| is_said(&entry.address, entry.exported)) {
            return Err("the draft says something else than is known to be said");
        }
        Ok(())
    }
}
