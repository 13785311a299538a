//! Measures what `weights.rs` estimates, each with a full set.

use crate::{
    pallet::{Call, Config, Current, Members, MembersSetId, Noted, Offences, Outgoing, Pallet},
    types::{Accounts, Session},
    MAX_OFFENCES,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{quorum, AccountId, MAX_SEQUENCERS},
    sequencers::{Offence, OffenceKind, SequencerBits, SequencerSetProvider},
};
use frame_benchmarking::v2::*;
use frame_support::{traits::Hooks, BoundedVec};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};

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
    let quorum = quorum(set.len());
    Members::<T>::put(set);
    Outgoing::<T>::kill();
    (0..quorum).filter_map(|index| u16::try_from(index).ok()).collect()
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

    /// The set in force of the chain that is measured, which may be smaller than a
    /// full one.
    #[benchmark]
    fn note_set() {
        Noted::<T>::put(true);
        MembersSetId::<T>::put(T::Sequencers::set_id().wrapping_sub(1));
        #[block]
        {
            Pallet::<T>::on_finalize(2u32.into());
        }
        assert_eq!(MembersSetId::<T>::get(), T::Sequencers::set_id());
    }

    #[benchmark]
    fn note() {
        let signers = in_force::<T>(MAX_SEQUENCERS);
        #[extrinsic_call]
        note(RawOrigin::None, 0, signers, SequencerBits::NOBODY);
        assert_eq!(Current::<T>::get().judged, 1);
    }

    /// All that follows when nobody stays in the set, and more than two thirds were
    /// there.
    #[benchmark]
    fn note_last(n: Linear<1, { MAX_SEQUENCERS }>) {
        let signers = in_force::<T>(n);
        Outgoing::<T>::put((0, accounts(n)));
        let old = Offence {
            kind: OffenceKind::Offline,
            offender: AccountId::new([0; 32]),
            set_id: 0,
            height: 1,
        };
        let full: Vec<_> = core::iter::repeat_n(old, MAX_OFFENCES as usize).collect();
        Offences::<T>::put(BoundedVec::truncate_from(full));
        #[extrinsic_call]
        note(RawOrigin::None, 0, signers, SequencerBits::NOBODY);
        assert_eq!(Current::<T>::get().judged, 0);
    }
}
