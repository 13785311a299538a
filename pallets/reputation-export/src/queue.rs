//! Batches: made, signed, settled or superseded.

use crate::{
    pallet::{
        Certificates, Config, Draft, Error, Event, Exports, InSigning, KnownAddresses, Last,
        Oldest, Pallet, Retired,
    },
    types::{LastExport, Signing},
    MAX_KEPT, MAX_RETIRED,
};
use cascoin_l2_primitives::{
    chain::BlockNumber,
    reputation::export::{ExportCertificate, ExportVote, ReputationExport},
    sequencers::SequencerSetProvider,
};
use frame_support::ensure;

impl<T: Config> Pallet<T> {
    /// Batches that are kept.
    pub(crate) fn kept() -> u32 {
        Last::<T>::get().sequence.saturating_add(1).saturating_sub(Oldest::<T>::get())
    }

    /// Makes a batch of the draft, if there is one, the last batch is signed, and there is
    /// room.
    pub(crate) fn make_export(height: BlockNumber) {
        if InSigning::<T>::exists() || Self::kept() >= MAX_KEPT {
            return;
        }
        let last = Last::<T>::get();
        let Some(sequence) = last.sequence.checked_add(1) else { return };
        let drafted = Draft::<T>::take();
        if drafted.is_empty() {
            return;
        }
        let entries = u32::try_from(drafted.len()).unwrap_or(u32::MAX);
        let export = ReputationExport { sequence, previous: last.hash, height, entries: drafted };
        let hash = export.hash();
        Exports::<T>::insert(sequence, export);
        Last::<T>::put(LastExport { sequence, hash });
        InSigning::<T>::put(Signing { set_id: T::Sequencers::set_id(), ..Default::default() });
        Self::deposit_event(Event::ExportMade { sequence, hash, entries });
    }

    pub(crate) fn do_sign(vote: ExportVote) -> Result<(), Error<T>> {
        let set_id = T::Sequencers::set_id();
        ensure!(vote.set_id == set_id, Error::<T>::WrongSet);
        let LastExport { sequence, hash } = Last::<T>::get();
        let signing = InSigning::<T>::get().filter(|_| vote.sequence == sequence);
        let mut signing = signing.ok_or(Error::<T>::NotInSigning)?.in_force::<T::Sequencers>();
        let member = usize::from(vote.signature.signer) < T::Sequencers::members();
        ensure!(member, Error::<T>::NotAMember);
        ensure!(signing.add(vote.signature), Error::<T>::AlreadySigned);
        if signing.signatures.len() < T::Sequencers::quorum() {
            InSigning::<T>::put(signing);
            return Ok(());
        }
        let Signing { set_id, signatures } = signing;
        Certificates::<T>::insert(sequence, ExportCertificate { set_id, signatures });
        InSigning::<T>::kill();
        Self::deposit_event(Event::ExportSigned { sequence, hash, set_id });
        Ok(())
    }

    /// Takes note that L1 has all signed batches up to `through`, which need not be kept
    /// any longer.
    ///
    /// Weight: that of writing two values for each of [`MAX_KEPT`] batches.
    pub fn settled(through: u32) {
        let oldest = Oldest::<T>::get();
        let mut next = oldest;
        while next <= through && Certificates::<T>::contains_key(next) {
            Exports::<T>::remove(next);
            Certificates::<T>::remove(next);
            let Some(after) = next.checked_add(1) else { break };
            next = after;
        }
        if next == oldest {
            return;
        }
        // What was begun with the oldest is needless now: it is on L1.
        Retired::<T>::kill();
        Oldest::<T>::put(next);
        Self::deposit_event(Event::ExportsSettled { through: next.saturating_sub(1) });
    }

    /// Has the next entries of the oldest batch said again, where no later batch replaced
    /// them, if its place is needed; how many.
    pub(crate) fn retire() -> u32 {
        let wanted = || Retired::<T>::exists() || Draft::<T>::decode_len().unwrap_or(0) > 0;
        if Self::kept() < MAX_KEPT || !wanted() {
            return 0;
        }
        let oldest = Oldest::<T>::get();
        let Some(export) = Exports::<T>::get(oldest) else { return 0 };
        let done = Retired::<T>::get();
        let mut looked = 0u32;
        for entry in export.entries.iter().skip(done as usize).take(MAX_RETIRED as usize) {
            looked = looked.saturating_add(1);
            KnownAddresses::<T>::mutate(entry.address, |known| {
                // Who is not known was taken back, here or later.
                let known = known.get_or_insert_with(Default::default);
                if known.batch <= oldest {
                    known.said = None;
                }
            });
            // If the draft is full, its turn comes.
            let _ = Self::look_at(&entry.address);
        }
        let done = done.saturating_add(looked);
        if (done as usize) < export.entries.len() {
            Retired::<T>::put(done);
            return looked;
        }
        Retired::<T>::kill();
        Exports::<T>::remove(oldest);
        Certificates::<T>::remove(oldest);
        Oldest::<T>::put(oldest.saturating_add(1));
        Self::deposit_event(Event::ExportSuperseded { sequence: oldest });
        looked
    }
}
