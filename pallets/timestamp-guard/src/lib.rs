//! Bounds L2 time by L1 time, and finds sequencers that manipulate it (R27).
//!
//! ## Overview
//!
//! At the beginning of each block the window of its time is worked out from the
//! parent's state ([`TimeBounds`]): what L1 says, and how far that may be trusted.
//! A block whose timestamp falls outside is refused when its timestamp is set, by
//! every node, as pallet-aura refuses one that is not the slot. Leaders ask for
//! the window beforehand ([`Pallet::time_bounds`]) and choose a time in it, so an
//! honest leader is never refused, however wrong its clock is.
//!
//! A *jump* is a block that is later than its parent, the block time, the waits of
//! all failed rounds and [`JUMP_MARGIN_MS`] together explain. One happens whenever
//! the network stood still and goes on; after a long halt in several blocks, since
//! the window opens as L1's news comes in. So jumps in blocks that follow each other
//! are one. [`PATTERN`] jumps of one sequencer within as many heights as make
//! [`PATTERN_BLOCKS`] blocks of each sequencer are a *pattern* (R27.6): it is
//! recorded, told to [`Config::OnOffence`] and forgotten, so that the next jump does
//! not count it again.
//!
//! ## What holds
//!
//! - L1 never decides whether there is a next block: the window always has room
//!   for a leader that keeps the block time.
//! - Storage is bounded: [`MAX_JUMPS`] jumps of all sequencers together and
//!   [`MAX_PATTERNS`] patterns; older ones make room.
//!
//! No calls.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "runtime-benchmarks")]
extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

use cascoin_l2_primitives::{
    chain::Moment,
    consensus::LeaderDigest,
    sequencers::{Offence, OffenceKind, OnOffence, SequencerSetProvider},
    time::{failed_rounds_ms, L1Clock, TimeBounds},
};
use frame_support::traits::{Get, OnTimestampSet, Time};
use sp_runtime::SaturatedConversion;

pub use pallet::*;
pub use weights::{EstimatedWeight, WeightInfo};

/// What a jump is later than all that explains it, milliseconds.
pub const JUMP_MARGIN_MS: Moment = 10_000;
/// Jumps that make a pattern.
pub const PATTERN: usize = 3;
/// Blocks of each sequencer within which they do.
pub const PATTERN_BLOCKS: u32 = 100;
/// Jumps kept.
pub const MAX_JUMPS: u32 = 128;
/// Patterns kept.
pub const MAX_PATTERNS: u32 = 64;

#[frame_support::pallet]
#[allow(missing_docs)] // what is undocumented below comes from FRAME's macros
pub mod pallet {
    use super::*;
    use cascoin_l2_primitives::chain::{AccountId, BlockNumber, ChainParameters};
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::BlockNumberFor;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// L2 time: until the block's own is set, that of its parent.
        type Time: Time<Moment = Moment>;
        /// The chain's parameters: block time and time-outs.
        type Parameters: Get<ChainParameters>;
        /// L1's time. Whatever changes it when a block begins MUST only forget.
        type L1: L1Clock;
        /// The sequencers.
        type Sequencers: SequencerSetProvider;
        /// Who made the block. MUST be looked up before a session ends.
        type Author: Get<Option<AccountId>>;
        /// Told of each pattern.
        type OnOffence: OnOffence;
        /// Weights of what this pallet does.
        type WeightInfo: WeightInfo;
    }

    /// The window of this block and its parent's time, until its time is set.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Window<T> = StorageValue<_, (TimeBounds, Moment), OptionQuery>;

    /// The set that made the last block.
    #[pallet::storage]
    pub type LastSetId<T> = StorageValue<_, u64, ValueQuery>;

    /// The last jumps, oldest first: who, and at which height.
    #[pallet::storage]
    pub type Jumps<T> =
        StorageValue<_, BoundedVec<(AccountId, BlockNumber), ConstU32<MAX_JUMPS>>, ValueQuery>;

    /// The last patterns, oldest first.
    #[pallet::storage]
    pub type Patterns<T> = StorageValue<_, BoundedVec<Offence, ConstU32<MAX_PATTERNS>>, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A block's time is later than its parent explains.
        TimeJumped {
            /// Who made the block.
            sequencer: AccountId,
            /// How much later than the latest that is explained, milliseconds.
            unexplained_ms: Moment,
        },
        /// A sequencer's jumps are a pattern (`TIMESTAMP_MANIPULATION`).
        TimestampManipulation {
            /// The sequencer.
            sequencer: AccountId,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Window::<T>::put((super::Pallet::<T>::time_bounds(), T::Time::now()));
            T::WeightInfo::block().saturating_add(T::OnOffence::max_offence_weight())
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            let set_id = T::Sequencers::set_id();
            if LastSetId::<T>::get() != set_id {
                LastSetId::<T>::put(set_id);
            }
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The window of the next block's time, after a block.
    pub fn time_bounds() -> TimeBounds {
        let parent = T::Time::now();
        TimeBounds::after(parent, T::Parameters::get().block_time_ms, T::L1::l1_time(parent))
    }

    // Before genesis there is no time to jump from.
    fn note_jump(parent: Moment, time: Moment) {
        let Some(sequencer) = T::Author::get().filter(|_| parent > 0) else { return };
        let digest = frame_system::Pallet::<T>::digest();
        let rounds = LeaderDigest::find(digest.logs()).map_or(0, |digest| digest.round);
        let parameters = T::Parameters::get();
        let explained = parent
            .saturating_add(parameters.block_time_ms)
            .saturating_add(failed_rounds_ms(&parameters, rounds))
            .saturating_add(JUMP_MARGIN_MS);
        let unexplained_ms = time.saturating_sub(explained);
        if unexplained_ms == 0 {
            return;
        }
        let height = frame_system::Pallet::<T>::block_number().saturated_into();
        Self::deposit_event(Event::TimeJumped { sequencer: sequencer.clone(), unexplained_ms });

        let members = u32::try_from(T::Sequencers::members()).unwrap_or(u32::MAX);
        let first = PATTERN_BLOCKS.saturating_mul(members);
        let first = u32::saturating_sub(height, first);
        let mut jumps = Jumps::<T>::get();
        jumps.retain(|(_, at)| *at > first);
        if let Some((_, last)) = jumps.last_mut().filter(|(_, at)| at.saturating_add(1) == height) {
            *last = height;
            Jumps::<T>::put(jumps);
            return;
        }
        if jumps.is_full() {
            jumps.remove(0);
        }
        let _ = jumps.try_push((sequencer.clone(), height));
        if jumps.iter().filter(|(who, _)| *who == sequencer).count() >= PATTERN {
            jumps.retain(|(who, _)| *who != sequencer);
            Self::note_pattern(Offence {
                kind: OffenceKind::TimestampManipulation,
                offender: sequencer,
                set_id: LastSetId::<T>::get(),
                height,
            });
        }
        Jumps::<T>::put(jumps);
    }

    fn note_pattern(offence: Offence) {
        Self::deposit_event(Event::TimestampManipulation { sequencer: offence.offender.clone() });
        T::OnOffence::on_offence(&offence);
        Patterns::<T>::mutate(|patterns| {
            if patterns.is_full() {
                patterns.remove(0);
            }
            let _ = patterns.try_push(offence);
        });
    }
}

impl<T: Config> OnTimestampSet<Moment> for Pallet<T> {
    /// # Panics
    /// If the time is outside the window. That makes the block invalid, whoever
    /// checks it, as the checks of pallet-timestamp and pallet-aura do.
    fn on_timestamp_set(time: Moment) {
        let Some((window, parent)) = Window::<T>::take() else { return };
        assert!(window.contains(time), "Timestamp must be within the bounds that L1 sets");
        Self::note_jump(parent, time);
    }
}
