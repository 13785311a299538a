//! Measures what `weights.rs` estimates.
//!
//! The sequencers are those of the genesis to measure with, a full set.

use crate::{
    pallet::{Config, Jumps, LastSetId, Pallet, Patterns, Window},
    MAX_JUMPS, MAX_PATTERNS, PATTERN,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{AccountId, Moment, MAX_SEQUENCERS},
    consensus::LeaderDigest,
    sequencers::{Offence, OffenceKind, SequencerSetProvider},
    time::TimeBounds,
};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{Get, Hooks, OnTimestampSet},
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::DigestItem;

/// Has the header say who makes the block.
fn author<T: Config>() -> AccountId {
    let leader = MAX_SEQUENCERS as u16 - 1;
    let slot = DigestItem::PreRuntime(*b"aura", u64::from(leader).encode());
    frame_system::Pallet::<T>::deposit_log(slot);
    let digest = LeaderDigest { term: 1, round: 0, leader };
    frame_system::Pallet::<T>::deposit_log(digest.item());
    T::Author::get().expect("the genesis to measure with has a full set; qed")
}

/// As many jumps as there can be, of which the author's last ones are a pattern but for
/// one.
fn fill_jumps<T: Config>(author: &AccountId) {
    let jump = |number: u32| {
        let own = number + PATTERN as u32 > MAX_JUMPS;
        (if own { author.clone() } else { AccountId::new([200; 32]) }, number + 1)
    };
    let jumps: Vec<_> = (0..MAX_JUMPS).map(jump).collect();
    Jumps::<T>::put(BoundedVec::truncate_from(jumps));
}

fn fill_patterns<T: Config>() {
    let offence = Offence {
        kind: OffenceKind::TimestampManipulation,
        offender: AccountId::new([200; 32]),
        set_id: 0,
        height: 1,
    };
    let patterns: Vec<_> = core::iter::repeat_n(offence, MAX_PATTERNS as usize).collect();
    Patterns::<T>::put(BoundedVec::truncate_from(patterns));
}

#[benchmarks(where BlockNumberFor<T>: From<u32>)]
mod benchmarks {
    use super::*;

    /// The first block of a set, whose time is a jump that makes a pattern; with what
    /// others make of that.
    #[benchmark]
    fn block() {
        let author = author::<T>();
        fill_jumps::<T>(&author);
        fill_patterns::<T>();
        LastSetId::<T>::put(T::Sequencers::set_id().wrapping_add(1));
        // A benchmark's name is no name for a variable in it.
        let number = BlockNumberFor::<T>::from(2 * MAX_JUMPS);
        frame_system::Pallet::<T>::set_block_number(number);
        #[block]
        {
            Pallet::<T>::on_initialize(number);
            // Genesis has no time to jump from.
            Window::<T>::put((TimeBounds::default(), 1));
            Pallet::<T>::on_timestamp_set(Moment::MAX / 2);
            Pallet::<T>::on_finalize(number);
        }
        assert_eq!(Patterns::<T>::get().last().map(|last| last.offender.clone()), Some(author));
        assert_eq!(LastSetId::<T>::get(), T::Sequencers::set_id());
    }
}
