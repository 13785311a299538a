//! Keeps in which leaders' terms sequencers began to be missing.
//!
//! What a leader says of the block below its own counts only where both are its own and of
//! one term, and somebody *began* to be missing only if it had signed the block before, so
//! kept up with that leader. Else a liar could hold its last block back from some, who are
//! late for the next, honest leader's first blocks by it. Who voted at all for the block, as
//! the leader heard, is not missing: liars can keep others' votes from a sequencer, so that
//! it has no reason to sign, but not its own votes from the leader. Nor does a block count
//! that it took more than one round to sign: other leaders than its own proposed it again.
//!
//! The running term stands in the running session, which each block writes in any case.
//! Once a term it is counted for its leader, and its record goes into a ring of pages if
//! somebody began to be missing in it: that costs two small reads and writes, and all other
//! blocks nothing. Where little happens the ring reaches back for days.

use crate::{
    correlation::{hits_many, Absences, Testimony},
    pallet::{AbsencePages, Config, Current, Error, LeaderTenures, Members, Outgoing, Pallet},
    types::{
        Accounts, Tenure, Tenures, TermRecord, Watch, MAX_RECORDS, PAGE_RECORDS, WINDOW_TERMS,
    },
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{chain::AccountId, sequencers::SequencerBits};
use frame_support::BoundedVec;

/// Pages of the ring.
const PAGES: u32 = MAX_RECORDS / PAGE_RECORDS;
/// The leader of a record whose leader is no member any more.
const GONE: u8 = u8::MAX;

/// What a leader says of the block below its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// The leader's index, and its term; `None` if that is not known.
    pub speaker: Option<(u8, u32)>,
    /// The round in which the block was signed.
    pub round: u16,
    /// Who signed it.
    pub signers: SequencerBits,
    /// Who voted for anything at its height.
    pub heard: SequencerBits,
}

impl<T: Config> Pallet<T> {
    /// Takes a leader's word.
    pub(crate) fn listen(watch: &mut Watch, word: Word) {
        if watch.speaker.is_none() || watch.speaker != word.speaker {
            return;
        }
        if word.round > 0 {
            watch.signed = SequencerBits::NOBODY;
            return;
        }
        let here = word.signers.0 | word.heard.0;
        watch.compared |= watch.signed != SequencerBits::NOBODY;
        watch.began = SequencerBits(watch.began.0 | watch.signed.0 & !here);
        watch.signed = word.signers;
    }

    /// This leader made the last block in this term.
    pub(crate) fn speaks(watch: &mut Watch, speaker: Option<(u8, u32)>) {
        if watch.speaker != speaker {
            Self::close_term(watch);
            watch.speaker = speaker;
        }
    }

    /// Ends the running term: counts it for its leader, and puts its record into the ring
    /// if it says something.
    fn close_term(watch: &mut Watch) {
        let term = watch.terms;
        let Watch { speaker, began, compared, .. } = *watch;
        let Some((leader, _)) = speaker else { return };
        *watch =
            Watch { terms: term.saturating_add(1), recorded: watch.recorded, ..Watch::default() };
        let mut tenures = LeaderTenures::<T>::get();
        // Judged now: in another set it would be another share.
        if !compared || hits_many(began, tenures.len()) {
            return;
        }
        if let Some(tenure) = tenures.get_mut(usize::from(leader)) {
            tenure.leads(watch.terms);
            LeaderTenures::<T>::put(tenures);
        }
        if began != SequencerBits::NOBODY {
            let place = watch.recorded % MAX_RECORDS;
            let (page, slot) = (place / PAGE_RECORDS, (place % PAGE_RECORDS) as usize);
            let record = TermRecord { term, leader, began };
            AbsencePages::<T>::mutate(page, |records| match records.get_mut(slot) {
                Some(old) => *old = record,
                // Places are filled one by one, so this is the next.
                None => {
                    let _ = records.try_push(record);
                }
            });
            watch.recorded = watch.recorded.wrapping_add(1);
        }
    }

    /// Another set comes into force, and with it other indices: who stays keeps its past,
    /// who comes has none. The running term is over.
    pub(crate) fn follow_set(watch: &mut Watch, before: &Accounts, now: &Accounts) {
        Self::close_term(watch);
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
        let mut tenures = Self::new_tenures(now.len(), watch.terms);
        for (tenure, place) in LeaderTenures::<T>::get().into_iter().zip(&places) {
            let place = place.and_then(|place| tenures.get_mut(usize::from(place)));
            if let Some(place) = place {
                *place = tenure;
            }
        }
        LeaderTenures::<T>::put(tenures);
    }

    /// Of a set of so many that come in this term.
    pub(crate) fn new_tenures(members: usize, term: u32) -> Tenures {
        let tenures = core::iter::repeat_n(Tenure::from(term), members).collect();
        BoundedVec::truncate_from(tenures)
    }

    /// The set that records and tenures are of: the one that signed the last block. Until the
    /// next block's inherent that is not the one in force, where it changed.
    pub(crate) fn counted() -> Accounts {
        Outgoing::<T>::get().map_or_else(Members::<T>::get, |(_, set)| set)
    }

    /// What leaders say of two members.
    pub(crate) fn testimony(first: &AccountId, second: &AccountId) -> Result<Testimony, Error<T>> {
        let members = Self::counted();
        let index = |account: &AccountId| {
            let place = members.iter().position(|member| member == account);
            place.and_then(|place| u16::try_from(place).ok()).ok_or(Error::<T>::NotAMember)
        };
        let (first, second) = (index(first)?, index(second)?);
        Ok(Testimony::of(&Self::absences(), first, second))
    }

    /// What is known of absences in the window.
    pub(crate) fn absences() -> Absences {
        let now = Current::<T>::get().watch.terms;
        let mut records: Vec<_> = (0..PAGES).flat_map(AbsencePages::<T>::get).collect();
        let full = records.len() >= MAX_RECORDS as usize;
        // All that happened since the oldest record is known, or all there was.
        let oldest = records.iter().map(|record| record.term).min().filter(|_| full);
        let since = oldest.unwrap_or(0).max(now.saturating_sub(WINDOW_TERMS));
        records.retain(|record| record.term >= since);
        let tenures = LeaderTenures::<T>::get().into_inner();
        Absences { now, since, tenures, records }
    }

    /// What must hold between blocks: no more is kept than is said, of members only.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub(crate) fn check_absences(members: usize) -> Result<(), &'static str> {
        let watch = Current::<T>::get().watch;
        if !watch.began.fits(members) || !watch.signed.fits(members) {
            return Err("somebody is missing who is not in the set");
        }
        let tenures = LeaderTenures::<T>::get();
        if tenures.len() != members {
            return Err("there is not one tenure for each sequencer");
        }
        let sound = |tenure: &Tenure| {
            tenure.joined <= tenure.counted_from
                && tenure.counted_from <= watch.terms
                && tenure.led <= watch.terms.saturating_sub(tenure.counted_from)
        };
        if !tenures.iter().all(sound) {
            return Err("somebody led more terms than there were");
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
