//! Batches: made, signed, settled or superseded.

use crate::{
    draft::Room,
    pallet::{
        Certificates, Config, Draft, Error, Event, Exports, InSigning, KnownAddresses, Last,
        Oldest, Pallet, Retired, SettledAhead, SettlementBegan,
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

#[cfg(doc)]
use cascoin_l2_primitives::reputation::export_order::ExportOrder;

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
        let (oldest, previous) = (Oldest::<T>::get(), last.hash);
        let export = ReputationExport { sequence, oldest, previous, height, entries: drafted };
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

    /// Settlement is about to begin; answers the sequence number of the batch that L1 MUST
    /// begin with ([`ExportOrder::starting`]). From now on what was said of an
    /// address that is linked no more is taken back until L1 has that. Before, L1 knows
    /// nothing, and of what is superseded only who is linked is said again.
    ///
    /// It MUST be called before L1 applies anything, and [`settled`](Self::settled) changes
    /// nothing before. Weight: two reads, one write.
    pub fn begin_settlement() -> u32 {
        SettlementBegan::<T>::put(true);
        Oldest::<T>::get()
    }

    /// Takes note of the batches that L1 has applied, by sequence number, in any order. They
    /// need not be kept any longer. What it left out before one that it applied, it will
    /// not apply any more: that is superseded, and so said again. (An L1 that keeps to
    /// [`ExportOrder`] leaves out nothing that is kept.)
    ///
    /// Weight: that of reading two values and writing three for each of [`MAX_KEPT`]
    /// batches.
    pub fn settled(applied: &[u32]) {
        if !SettlementBegan::<T>::get() {
            return;
        }
        let kept = Oldest::<T>::get()..=Last::<T>::get().sequence;
        let mut ahead = SettledAhead::<T>::get();
        for sequence in applied {
            if !kept.contains(sequence) || !Certificates::<T>::contains_key(sequence) {
                continue;
            }
            if let Err(place) = ahead.binary_search(sequence) {
                // No more than are kept.
                let _ = ahead.try_insert(place, *sequence);
            }
        }
        if ahead.is_empty() {
            return;
        }
        SettledAhead::<T>::put(ahead);
        Self::forget_settled(MAX_KEPT);
    }

    /// Forgets settled batches that are the oldest, at most so many; whether there were any.
    fn forget_settled(most: u32) -> bool {
        let mut ahead = SettledAhead::<T>::get();
        if ahead.is_empty() {
            return false;
        }
        let oldest = Oldest::<T>::get();
        let end = oldest.saturating_add(most);
        let mut next = oldest;
        while next < end && ahead.first() == Some(&next) {
            ahead.remove(0);
            Exports::<T>::remove(next);
            Certificates::<T>::remove(next);
            next = next.saturating_add(1);
        }
        if next == oldest {
            return false;
        }
        if ahead.is_empty() {
            SettledAhead::<T>::kill();
        } else {
            SettledAhead::<T>::put(ahead);
        }
        // What was begun with the oldest is needless now: it is on L1.
        Retired::<T>::kill();
        Oldest::<T>::put(next);
        Self::deposit_event(Event::ExportsSettled { through: next.saturating_sub(1) });
        true
    }

    /// Whether the oldest batch is to be superseded: L1 left it out, or its place is needed.
    fn is_oldest_superseded() -> bool {
        if SettledAhead::<T>::exists() {
            return true;
        }
        let wanted = || Retired::<T>::exists() || Draft::<T>::decode_len().unwrap_or(0) > 0;
        Self::kept() >= MAX_KEPT && wanted()
    }

    /// Has the next entries of the oldest batch said again, where no later batch replaced
    /// them, if it is to be superseded; how many.
    pub(crate) fn retire() -> u32 {
        // Settled after one that L1 left out. It takes no more than to look at an entry.
        if Self::forget_settled(1) {
            return 1;
        }
        if !Self::is_oldest_superseded() {
            return 0;
        }
        let oldest = Oldest::<T>::get();
        let Some(export) = Exports::<T>::get(oldest) else { return 0 };
        let done = Retired::<T>::get();
        // Before, there is nothing to take back: L1 will not take what was forgotten by then.
        let may_be_on_l1 = SettlementBegan::<T>::get();
        let mut looked = 0u32;
        for entry in export.entries.iter().skip(done as usize).take(MAX_RETIRED as usize) {
            looked = looked.saturating_add(1);
            let known = KnownAddresses::<T>::get(entry.address);
            if known.is_none() && !may_be_on_l1 {
                continue;
            }
            // Who is not known was taken back, here or later.
            let mut known = known.unwrap_or_default();
            if known.batch <= oldest {
                known.said = None;
                KnownAddresses::<T>::insert(entry.address, known);
            }
            // If the draft is full, its turn comes.
            let _ = Self::look_at(&entry.address, Room::Common);
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
