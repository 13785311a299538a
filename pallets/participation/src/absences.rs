//! Keeps in which leaders' terms sequencers began to be missing.
//!
//! The running term stands in the running session, which each block writes in any case.
//! Once a term, if somebody began to be missing in it, its record goes into a ring of
//! pages: that costs one small read and write, and all other blocks nothing. Where little
//! happens the ring reaches back for days.

use crate::{
    correlation::{Absences, Beginnings},
    pallet::{AbsencePages, Config, Current, Error, Members, Pallet},
    types::{Accounts, TermRecord, Watch, MAX_RECORDS, PAGE_RECORDS, WINDOW_TERMS},
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{chain::AccountId, sequencers::SequencerBits};

/// Pages of the ring.
const PAGES: u32 = MAX_RECORDS / PAGE_RECORDS;
/// The leader of a record whose leader is no member any more.
const GONE: u8 = u8::MAX;

impl<T: Config> Pallet<T> {
    /// Takes note of who is missing, by the word of this leader in this term.
    pub(crate) fn watch(watch: &mut Watch, leader: u16, term: u32, missing: SequencerBits) {
        let leader = u8::try_from(leader).unwrap_or(GONE);
        if watch.speaker != Some((leader, term)) {
            Self::close_term(watch);
            watch.speaker = Some((leader, term));
        }
        watch.missing = SequencerBits(watch.missing.0 | missing.0);
    }

    /// Ends the running term, and puts its record into the ring if it says something.
    fn close_term(watch: &mut Watch) {
        let Some((leader, _)) = watch.speaker else { return };
        let record = TermRecord {
            term: watch.terms,
            leader,
            began: SequencerBits(watch.missing.0 & !watch.before.0),
        };
        if record.began != SequencerBits::NOBODY {
            let place = watch.recorded % MAX_RECORDS;
            let (page, slot) = (place / PAGE_RECORDS, (place % PAGE_RECORDS) as usize);
            AbsencePages::<T>::mutate(page, |records| match records.get_mut(slot) {
                Some(old) => *old = record,
                // Places are filled one by one, so this is the next.
                None => {
                    let _ = records.try_push(record);
                }
            });
            watch.recorded = watch.recorded.wrapping_add(1);
        }
        watch.terms = watch.terms.saturating_add(1);
        watch.before = watch.missing;
        watch.missing = SequencerBits::NOBODY;
    }

    /// Another set comes into force, and with it other indices: who stays keeps its past,
    /// who comes has none. The running term is dropped.
    pub(crate) fn follow_set(watch: &mut Watch, before: &Accounts, now: &Accounts) {
        let places: Vec<Option<u16>> = before
            .iter()
            .map(|account| now.iter().position(|other| other == account))
            .map(|place| place.and_then(|place| u16::try_from(place).ok()))
            .collect();
        let moved = |bits: SequencerBits| {
            let kept = places.iter().enumerate().filter(|(index, _)| bits.contains(*index));
            kept.filter_map(|(_, place)| *place).collect::<SequencerBits>()
        };
        let leader = |leader: u8| {
            let place = places.get(usize::from(leader)).copied().flatten();
            place.and_then(|place| u8::try_from(place).ok()).unwrap_or(GONE)
        };
        for page in 0..PAGES {
            AbsencePages::<T>::mutate_exists(page, |records| {
                for record in records.iter_mut().flat_map(|page| page.iter_mut()) {
                    record.leader = leader(record.leader);
                    record.began = moved(record.began);
                }
            });
        }
        watch.speaker = None;
        watch.before = moved(watch.before);
        watch.missing = SequencerBits::NOBODY;
    }

    /// In how many of the last terms two members began to be missing.
    pub(crate) fn beginnings(
        first: &AccountId,
        second: &AccountId,
    ) -> Result<Beginnings, Error<T>> {
        let members = Members::<T>::get();
        let index = |account: &AccountId| {
            let place = members.iter().position(|member| member == account);
            place.and_then(|place| u16::try_from(place).ok()).ok_or(Error::<T>::NotAMember)
        };
        let (first, second) = (index(first)?, index(second)?);
        Ok(Beginnings::of(&Self::absences(), first, second, members.len()))
    }

    /// What is known of absences in the window.
    pub(crate) fn absences() -> Absences {
        let now = Current::<T>::get().watch.terms;
        let mut records: Vec<_> = (0..PAGES).flat_map(AbsencePages::<T>::get).collect();
        let full = records.len() >= MAX_RECORDS as usize;
        // All that happened since the oldest record is known, or all there was.
        let oldest = records.iter().map(|record| record.term).min().filter(|_| full);
        let terms = now.saturating_sub(oldest.unwrap_or(0)).min(WINDOW_TERMS);
        records.retain(|record| now.saturating_sub(record.term) <= WINDOW_TERMS);
        Absences { terms, records }
    }

    /// What must hold between blocks: no more is kept than is said, of members only.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub(crate) fn check_absences(members: usize) -> Result<(), &'static str> {
        let watch = Current::<T>::get().watch;
        if !watch.missing.fits(members) || !watch.before.fits(members) {
            return Err("somebody is missing who is not in the set");
        }
        for (page, records) in AbsencePages::<T>::iter() {
            if page >= PAGES {
                return Err("a page is kept that is none of the ring's");
            }
            if records.iter().any(|record| !record.began.fits(members)) {
                return Err("a record names somebody who is not in the set");
            }
            if records.iter().any(|record| record.term >= watch.terms) {
                return Err("a record is of a term that is not over");
            }
        }
        Ok(())
    }
}
