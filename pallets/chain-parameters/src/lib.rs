//! The parameter table of this chain (ledger O3).
//!
//! ## Overview
//!
//! Holds one [`ChainParameters`], written at genesis. Other pallets and the runtime read
//! it through [`Get`], so that one WASM serves all networks. Governance may change some
//! of it ([`ParameterChange`], R1.2, R13.1), one at a time, from the next transaction on.
//!
//! Guarantee: on a chain that was started, what is stored passed [`check`], so
//! readers may divide by the block time and so on without checking again.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`set_parameter`](Pallet::set_parameter) | root | | `ParameterSet` |
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod change;
mod check;
#[cfg(test)]
mod tests;
pub mod weights;

use cascoin_l2_primitives::chain::{Balance, ChainParameters};
use core::marker::PhantomData;
use frame_support::traits::Get;

pub use change::ParameterChange;
pub use check::{check, InvalidParameters};
pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(missing_docs)] // what is undocumented below comes from FRAME's macros
pub mod pallet {
    use super::{check, ParameterChange, WeightInfo};
    use cascoin_l2_primitives::chain::ChainParameters;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Needs nothing but the system pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The table in force. Hooks of each block read it before any transaction does, so
    /// that weights take it as read: benchmarks do not count it.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Parameters<T: Config> = StorageValue<_, ChainParameters, ValueQuery>;

    /// The table of the genesis preset.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The table.
        pub parameters: ChainParameters,
        #[serde(skip)]
        #[allow(missing_docs)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        /// Stores the table. A genesis without one (FRAME builds such in tests)
        /// stores nothing; the runtime refuses to start a chain from it.
        ///
        /// # Panics
        /// If the table fails [`check`]: a chain with it could not run.
        fn build(&self) {
            if self.parameters == ChainParameters::default() {
                return;
            }
            if let Err(why) = check(&self.parameters) {
                panic!("the genesis parameters are not usable: {why}");
            }
            Parameters::<T>::put(&self.parameters);
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Governance changed a parameter.
        ParameterSet {
            /// Which, and its new value.
            change: ParameterChange,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// No chain could run with such a value, or not together with the others.
        Unusable,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Changes one parameter, from the next transaction on.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::Unusable`] if the table would fail [`check`]; nothing changes then.
        ///
        /// ## Events
        /// `ParameterSet`.
        #[pallet::call_index(0)]
        #[pallet::weight((
            T::WeightInfo::set_parameter().saturating_add(T::DbWeight::get().writes(1)),
            DispatchClass::Operational,
        ))]
        pub fn set_parameter(origin: OriginFor<T>, change: ParameterChange) -> DispatchResult {
            ensure_root(origin)?;
            Parameters::<T>::try_mutate(|table| {
                change.apply(table);
                check(table).map_err(|_| Error::<T>::Unusable)
            })?;
            Self::deposit_event(Event::ParameterSet { change });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            check(&Parameters::<T>::get()).map_err(|why| why.text().into())
        }
    }
}

impl<T: Config> Get<ChainParameters> for Pallet<T> {
    fn get() -> ChainParameters {
        Parameters::<T>::get()
    }
}

/// The smallest fee of a transaction, in base units (ledger O8).
pub struct MinFee<T>(PhantomData<T>);

impl<T: Config> Get<Balance> for MinFee<T> {
    fn get() -> Balance {
        Parameters::<T>::get().min_fee
    }
}
