//! Measures what `weights.rs` estimates, each with a full set.
//!
//! The sets are those of the genesis to measure with: account `n` has an id of the
//! byte `n`, and stands at index `n`.

use crate::{
    pallet::{
        AbsencePages, Call, Config, Current, LeaderTenures, Members, MembersSetId, Noted, Offences,
        Outgoing, Pallet, Totals,
    },
    types::{Accounts, Session, TermRecord, Watch, MAX_RECORDS, PAGE_RECORDS, WINDOW_TERMS},
    MAX_OFFENCES,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{quorum, AccountId, MAX_SEQUENCERS},
    consensus::LeaderDigest,
    sequencers::{Offence, OffenceKind, OnCorrelation, SequencerBits, SequencerSetProvider},
};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{Get, Hooks},
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::DigestItem;

/// The accounts of a set of `members`.
fn accounts(members: u32) -> Accounts {
    let seeds = 0..u8::try_from(members).unwrap_or(u8::MAX);
    Accounts::truncate_from(seeds.map(|seed| AccountId::new([seed; 32])).collect())
}

/// A set of `members` in force at block 2, and a quorum of it.
fn in_force<T: Config>(members: u32) -> SequencerBits {
    let set = accounts(members);
    frame_system::Pallet::<T>::set_block_number(2u32.into());
    Current::<T>::put(Session::of(set.len()));
    LeaderTenures::<T>::put(Pallet::<T>::new_tenures(set.len(), 0));
    let quorum = quorum(set.len());
    Members::<T>::put(set);
    Outgoing::<T>::kill();
    (0..quorum).filter_map(|index| u16::try_from(index).ok()).collect()
}

/// Has the header say who makes the block: the first of another leader's term, after one
/// in which somebody began to be missing.
fn begin_term<T: Config>(leader: u16) {
    let slot = DigestItem::PreRuntime(*b"aura", u64::from(leader).encode());
    frame_system::Pallet::<T>::deposit_log(slot);
    let digest = LeaderDigest { term: 1, round: 0, leader };
    frame_system::Pallet::<T>::deposit_log(digest.item());
    fill_window::<T>();
    Current::<T>::mutate(|session| {
        session.watch.speaker = Some((0, 0));
        session.watch.began = SequencerBits(1);
        session.watch.compared = true;
    });
}

/// As many records as there can be, all over the window, in every fourth of which 0 and 1
/// began to be missing and in the others the last one.
fn fill_window<T: Config>() {
    for page in 0..MAX_RECORDS / PAGE_RECORDS {
        let record = |slot: u32| TermRecord {
            term: (page * PAGE_RECORDS + slot) * (WINDOW_TERMS / MAX_RECORDS),
            leader: (2 + (page * PAGE_RECORDS + slot) / 4 % 62) as u8,
            began: SequencerBits(if slot.is_multiple_of(4) { 0b11 } else { 1 << 63 }),
        };
        let records: Vec<_> = (0..PAGE_RECORDS).map(record).collect();
        AbsencePages::<T>::insert(page, BoundedVec::truncate_from(records));
    }
    Current::<T>::mutate(|session| {
        session.watch.terms = WINDOW_TERMS;
        session.watch.recorded = MAX_RECORDS;
    });
    LeaderTenures::<T>::mutate(|tenures| {
        tenures.iter_mut().for_each(|tenure| tenure.led = WINDOW_TERMS / MAX_SEQUENCERS);
    });
}

#[benchmarks(where BlockNumberFor<T>: From<u32>)]
mod benchmarks {
    use super::*;

    /// The end of a block.
    #[benchmark]
    fn block() {
        Noted::<T>::put(true);
        MembersSetId::<T>::put(T::Sequencers::set_id());
        #[block]
        {
            Pallet::<T>::on_finalize(2u32.into());
        }
        assert!(Outgoing::<T>::get().is_none());
    }

    /// The set in force, which is a full one in the genesis to measure with.
    #[benchmark]
    fn note_set() {
        Noted::<T>::put(true);
        MembersSetId::<T>::put(T::Sequencers::set_id().wrapping_sub(1));
        #[block]
        {
            Pallet::<T>::on_finalize(2u32.into());
        }
        assert_eq!(MembersSetId::<T>::get(), T::Sequencers::set_id());
        assert_eq!(Members::<T>::get().len() as u32, MAX_SEQUENCERS);
    }

    /// A record takes the place of the oldest.
    #[benchmark]
    fn note() {
        let signers = in_force::<T>(MAX_SEQUENCERS);
        begin_term::<T>(MAX_SEQUENCERS as u16 - 1);
        #[extrinsic_call]
        note(RawOrigin::None, 0, signers, signers, SequencerBits::NOBODY);
        assert_eq!(Current::<T>::get().judged, 1);
        assert_eq!(Current::<T>::get().watch.recorded, MAX_RECORDS + 1);
    }

    /// Another set of the same size in another order.
    #[benchmark]
    fn follow_set() {
        let before = accounts(MAX_SEQUENCERS);
        let now: Vec<_> = before.iter().rev().cloned().collect();
        let now = BoundedVec::truncate_from(now);
        LeaderTenures::<T>::put(Pallet::<T>::new_tenures(before.len(), 0));
        fill_window::<T>();
        let mut watch = Watch { speaker: Some((0, 0)), compared: true, ..Watch::default() };
        #[block]
        {
            Pallet::<T>::follow_set(&mut watch, &before, &now);
        }
        assert!(AbsencePages::<T>::get(0).iter().all(|record| record.leader < 62));
    }

    /// With what the chain that is measured makes of it.
    #[benchmark]
    fn report_correlation() {
        in_force::<T>(MAX_SEQUENCERS);
        fill_window::<T>();
        let pair = [0, 1].map(|seed| AccountId::new([seed; 32]));
        let [first, second] = pair.clone();
        let origin = RawOrigin::Signed(whitelisted_caller::<AccountId>());
        #[extrinsic_call]
        report_correlation(origin, first, second);
        assert!(T::OnCorrelation::is_known(&pair[0], &pair[1]));
    }

    /// All that follows when everybody led in vain and, but for the last block, nobody
    /// signed. It is told to others, who know nothing of these accounts that would make
    /// much of it: that is measured where it is done.
    #[benchmark]
    fn note_last(n: Linear<1, { MAX_SEQUENCERS }>) {
        let signers = in_force::<T>(n);
        begin_term::<T>(0);
        let height = T::SessionBlocks::get().saturating_add(1);
        frame_system::Pallet::<T>::set_block_number(height.into());
        Current::<T>::mutate(|session| {
            session.judged = 1_000;
            session.blocks = 1_000;
            session.late = 1_000;
            for tally in session.tallies.iter_mut() {
                tally.missed_proposals = 1;
            }
        });
        let old = Offence {
            kind: OffenceKind::Offline,
            offender: AccountId::new([0; 32]),
            set_id: 0,
            height: 1,
        };
        let full: Vec<_> = core::iter::repeat_n(old, MAX_OFFENCES as usize).collect();
        Offences::<T>::put(BoundedVec::truncate_from(full));
        #[extrinsic_call]
        note(RawOrigin::None, 0, signers, signers, SequencerBits::NOBODY);
        assert_eq!(Current::<T>::get().judged, 0);
        assert_eq!(Totals::<T>::iter().count(), n as usize);
        assert_eq!(Offences::<T>::get().last().map(|last| last.height), Some(height - 1));
    }
}
