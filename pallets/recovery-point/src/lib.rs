//! Where a recovery from a fork of L1 would begin, and what is in doubt since (R19.2,
//! R19.4, ADR 0033).
//!
//! ## Overview
//!
//! - When an L1 block has its first effect here, the block before is noted: its number and
//!   its hash ([`PointLog`]). It is the last one whose state owes nothing to that L1 block.
//! - When L1 drops blocks that had effects, what happened since the first of these effects
//!   is **in doubt** ([`Doubt`]): it may stand on coins that nothing backs any more. Users
//!   are told from which block on.
//! - When the relay has caught up and all burns are judged (ADR 0026), the doubt ends if
//!   everything came again or was taken back. Else it **stands**, with the deficit, until
//!   that is gone or a recovery (`pallet-recovery`) brings the state back to that block. It
//!   asks here where that is, and from which L1 block on L1 is to be followed again
//!   ([`DoubtProvider`]).
//!
//! ## What holds
//!
//! - Nobody votes on the block: it follows from what the chain did itself.
//! - Bounded: a point for each L1 block that a fork can remove, 512 of them.
//! - The state of that block owes nothing to any L1 block above [`Common`](pallet::Common),
//!   whichever branch it was on.
//! - It changes nothing that other pallets keep.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use weights::{EstimatedWeight, WeightInfo};

use cascoin_l2_primitives::{
    chain::{Balance, BlockHash, BlockNumber},
    recovery::{
        Doubt, DoubtProvider, Effect, PointLog, RecoveryPoint, RecoveryStatus, StandingDoubt,
    },
    relay::{L1BlockContext, L1Event, OnL1Event, OnL1Fork},
};
use frame_support::{traits::Get, weights::Weight};
use sp_runtime::SaturatedConversion;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<Hash = BlockHash> {
        /// Whether it is still open which burns of dropped L1 blocks come again.
        type Unsettled: Get<bool>;

        /// Minted for burns that L1 dropped, and not there to be taken back.
        type Deficit: Get<Balance>;

        /// Weights of the hook, and of what the relay tells.
        type WeightInfo: WeightInfo;
    }

    /// The first effects of the last L1 blocks.
    #[pallet::storage]
    pub type Points<T> = StorageValue<_, PointLog, ValueQuery>;

    /// Height of the last L1 block in [`Points`]; 0 if there is none. Beside them, so that
    /// events of a block that is noted need not read them.
    #[pallet::storage]
    pub type Newest<T> = StorageValue<_, u32, ValueQuery>;

    /// What is in doubt.
    #[pallet::storage]
    pub type InDoubt<T> = StorageValue<_, Doubt, OptionQuery>;

    /// The highest L1 block that L1 kept through all forks since the doubt began; there
    /// while something is in doubt.
    #[pallet::storage]
    pub type Common<T> = StorageValue<_, L1BlockContext, OptionQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// L1 dropped blocks that this chain had acted on. Whatever happened after block
        /// `since` may stand on coins that nothing backs; it may all come again.
        Doubted {
            /// The last block before; `None` if it is not known any more.
            since: Option<RecoveryPoint>,
        },
        /// All that L1 dropped came again or was taken back, or the state went back to
        /// before it.
        Cleared {
            /// The last block before what was in doubt.
            since: Option<RecoveryPoint>,
        },
        /// L1 was followed to the end, and some coins are not backed.
        DoubtStands {
            /// The last block before what is in doubt.
            since: Option<RecoveryPoint>,
            /// How many coins.
            deficit: Balance,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::settle()
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }
}

impl<T: Config> Pallet<T> {
    /// What is in doubt.
    pub fn status() -> RecoveryStatus {
        RecoveryStatus { doubt: InDoubt::<T>::get(), deficit: T::Deficit::get() }
    }

    // Ends the doubt, or lets it stand, once it is known what came again.
    fn settle() -> Weight {
        let Some(doubt) = InDoubt::<T>::get() else { return T::WeightInfo::idle() };
        if !T::Unsettled::get() {
            let (since, deficit) = (doubt.since, T::Deficit::get());
            if deficit == 0 {
                Self::clear(since);
            } else if !doubt.stands {
                InDoubt::<T>::put(Doubt { stands: true, ..doubt });
                log::warn!(
                    target: "recovery-point",
                    "L1 dropped burns, and {deficit} base units that were minted for them were \
                     spent: all blocks since {since:?} may stand on them",
                );
                Self::deposit_event(Event::DoubtStands { since, deficit });
            }
        }
        T::WeightInfo::settle()
    }

    fn clear(since: Option<RecoveryPoint>) {
        InDoubt::<T>::kill();
        Common::<T>::kill();
        Self::deposit_event(Event::Cleared { since });
    }

    // Forgets the points of L1 blocks above a height, and says what they were.
    fn drop_above(l1_height: u32) -> Effect {
        let mut points = Points::<T>::get();
        let effect = points.drop_above(l1_height);
        Newest::<T>::put(points.newest().unwrap_or(0));
        Points::<T>::put(points);
        effect
    }

    fn note(l1_height: u32) {
        if l1_height <= Newest::<T>::get() {
            return;
        }
        let block: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
        let point = RecoveryPoint {
            l1_height,
            number: block.saturating_sub(1),
            hash: frame_system::Pallet::<T>::parent_hash(),
        };
        Points::<T>::mutate(|points| points.note(point));
        Newest::<T>::put(l1_height);
    }

    /// What must hold between blocks.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        let points = Points::<T>::get();
        if Newest::<T>::get() != points.newest().unwrap_or(0) {
            return Err("the newest point is not the log's");
        }
        let rise = points.points().windows(2).all(|two| match two {
            [one, next] => one.l1_height < next.l1_height && one.number <= next.number,
            _ => true,
        });
        if !rise {
            return Err("points are out of order");
        }
        let block: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
        if points.points().last().is_some_and(|point| point.number >= block.max(1)) {
            return Err("a point lies ahead");
        }
        if InDoubt::<T>::exists() != Common::<T>::exists() {
            return Err("a doubt has no L1 block below it, or the other way round");
        }
        Ok(())
    }
}

impl<T: Config> OnL1Event for Pallet<T> {
    fn on_event(_: &L1Event, block: &L1BlockContext) {
        Self::note(block.height);
    }

    fn max_event_weight() -> Weight {
        T::WeightInfo::note()
    }
}

impl<T: Config> OnL1Fork for Pallet<T> {
    fn on_fork(common: &L1BlockContext) {
        let effect = Self::drop_above(common.height);
        // A fork without effects puts nothing in doubt. While something is, it may bring
        // other blocks below those that did.
        let lowest = Common::<T>::get().filter(|known| known.height < common.height);
        let lowest = lowest.unwrap_or(*common);
        let doubt = match effect {
            Effect::None => {
                if Common::<T>::exists() {
                    Common::<T>::put(lowest);
                }
                return;
            }
            Effect::Since(point) => Doubt::of(Some(point)),
            Effect::Forgotten => Doubt::of(None),
        };
        Common::<T>::put(lowest);
        let doubt = InDoubt::<T>::get().map_or(doubt, |before| before.and(doubt));
        InDoubt::<T>::put(doubt);
        Self::deposit_event(Event::Doubted { since: doubt.since });
    }

    // What came again is only known when all burns are judged.
    fn on_recovered() {}

    fn max_fork_weight() -> Weight {
        T::WeightInfo::on_fork()
    }
}

impl<T: Config> DoubtProvider for Pallet<T> {
    fn standing() -> Option<StandingDoubt> {
        let doubt = InDoubt::<T>::get().filter(|doubt| doubt.stands)?;
        let common = Common::<T>::get()?;
        let deficit = Some(T::Deficit::get()).filter(|deficit| *deficit > 0)?;
        Some(StandingDoubt { since: doubt.since, common, deficit })
    }

    fn weight() -> Weight {
        T::WeightInfo::settle()
    }

    // L1 blocks above `common` are delivered again, and have their first effects anew.
    fn recovered(common: &L1BlockContext) {
        Self::drop_above(common.height);
        if let Some(doubt) = InDoubt::<T>::get() {
            Self::clear(doubt.since);
        }
    }
}
