//! Whether the chain and its L1 live, and the emergency when the chain does not (R12.1).
//!
//! ## Overview
//!
//! When a block begins, its time is compared with its parent's, by the rules of
//! [`ChainLife`]. After an outage of `emergencyDelayS` the chain is in an emergency, from the
//! first block on whose time shows it, and that block's own transactions meet it already. It
//! ends when the chain has made blocks again for `emergencyRecoveryS` and has heard of L1, or
//! knows that L1 is stalled. Each block is certified by more than two thirds of the
//! sequencers, so nothing else has to say that they take part.
//!
//! An emergency stops what users do (R12.5). Others ask [`Pallet::is_emergency`]: the call
//! filter, the pool, minting, messages and forced inclusion; what they hold back waits. The
//! relay, sessions, evidence and governance go on.
//!
//! L1 is *stalled* when the relay has applied nothing of it for `l1StallS` in which this chain
//! lived (R27.5). That is said and stops nothing: what needs L1 stands by itself.
//!
//! ## What holds
//!
//! - Nobody decides: there are no calls, and no single leader begins, holds or ends an
//!   emergency (`primitives/src/liveness.rs` says what one can do).
//! - There is no emergency without a silence that is on record.
//! - Each beginning and end is an event, once.
//!
//! No calls.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

use cascoin_l2_primitives::{
    chain::Moment,
    liveness::{ChainLife, LivenessRules},
};
use frame_support::traits::Get;

pub use pallet::*;
pub use weights::{EstimatedWeight, WeightInfo};

#[frame_support::pallet]
#[allow(missing_docs)] // what is undocumented below comes from FRAME's macros
pub mod pallet {
    use super::*;
    use cascoin_l2_primitives::chain::ChainParameters;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::BlockNumberFor;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The chain's parameters: block time, delay, recovery and stall.
        type Parameters: Get<ChainParameters>;
        /// The time of the block that begins.
        type BlockTime: Get<Moment>;
        /// The time of its parent; 0 for the first block.
        type ParentTime: Get<Moment>;
        /// The last L1 block all of whose events are applied.
        type L1Height: Get<u32>;
        /// Weights of what this pallet does.
        type WeightInfo: WeightInfo;
    }

    /// What is known of the chain's life. Each block reads it when it begins, before
    /// anybody asks, so that weights take it as read.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Life<T> = StorageValue<_, ChainLife, ValueQuery>;

    /// Where the relay stood when the last block began.
    #[pallet::storage]
    pub type SeenL1Height<T> = StorageValue<_, u32, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The chain was dead for so long that it is in an emergency: users' calls are
        /// refused from this block on.
        EmergencyBegan {
            /// Time of the last block before the outage, milliseconds since 1970.
            last_sign: Moment,
            /// How long the chain was dead in it, milliseconds.
            silent_ms: Moment,
        },
        /// The emergency is over.
        EmergencyEnded {
            /// When it began, milliseconds since 1970.
            since: Moment,
        },
        /// Nothing was heard of L1 for too long.
        L1Stalled {
            /// For how long, while this chain lived, milliseconds.
            quiet_ms: Moment,
        },
        /// L1 goes on.
        L1Resumed,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::begin_block();
            T::WeightInfo::block()
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Whether the chain is in an emergency: what users do is halted.
    pub fn is_emergency() -> bool {
        Life::<T>::get().emergency_since.is_some()
    }

    /// Whether L1 is stalled.
    pub fn is_l1_stalled() -> bool {
        Life::<T>::get().l1_stalled
    }

    /// What is known of the chain's life.
    pub fn life() -> ChainLife {
        Life::<T>::get()
    }

    fn begin_block() {
        let l1_height = T::L1Height::get();
        let l1_news = l1_height != SeenL1Height::<T>::get();
        if l1_news {
            SeenL1Height::<T>::put(l1_height);
        }
        let parent = T::ParentTime::get();
        // Genesis has no time to be silent since.
        if parent == 0 {
            return;
        }
        Self::look(parent, T::BlockTime::get(), l1_news);
    }

    pub(crate) fn look(parent: Moment, time: Moment, l1_news: bool) {
        let rules = LivenessRules::of(&T::Parameters::get());
        let before = Life::<T>::get();
        let mut life = before;
        life.step(&rules, parent, time, l1_news);
        Life::<T>::put(life);
        Self::tell(before, life, time);
    }

    fn tell(before: ChainLife, life: ChainLife, time: Moment) {
        match (before.emergency_since, life.emergency_since) {
            (None, Some(_)) => Self::deposit_event(Event::EmergencyBegan {
                last_sign: life.last_sign.unwrap_or_default(),
                silent_ms: life.silence_ms(time),
            }),
            (Some(since), None) => Self::deposit_event(Event::EmergencyEnded { since }),
            _ => (),
        }
        match (before.l1_stalled, life.l1_stalled) {
            (false, true) => {
                Self::deposit_event(Event::L1Stalled { quiet_ms: life.l1_quiet_ms });
            }
            (true, false) => Self::deposit_event(Event::L1Resumed),
            _ => (),
        }
    }

    /// What must hold between blocks.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        let life = Life::<T>::get();
        if life.emergency_since.is_some() && life.last_sign.is_none() {
            return Err("an emergency without a silence");
        }
        if life.last_sign.is_none() && life.silent_ms > 0 {
            return Err("a silence of no outage");
        }
        Ok(())
    }
}
