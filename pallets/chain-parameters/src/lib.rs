//! The parameter table of this chain (ledger O3).
//!
//! ## Overview
//!
//! Holds one [`ChainParameters`], written at genesis and never changed by a
//! transaction: there are no dispatchables. Other pallets and the runtime read
//! it through [`Get`], so that one WASM serves all networks.
//!
//! Guarantee: on a chain that was started, what is stored passed [`check`], so
//! readers may divide by the block time and so on without checking again.
#![cfg_attr(not(feature = "std"), no_std)]

mod check;
#[cfg(test)]
mod tests;

use cascoin_l2_primitives::chain::{Balance, ChainParameters};
use core::marker::PhantomData;
use frame_support::traits::Get;

pub use check::{check, InvalidParameters};
pub use pallet::*;

#[frame_support::pallet]
#[allow(missing_docs)] // what is undocumented below comes from FRAME's macros
pub mod pallet {
    use super::check;
    use cascoin_l2_primitives::chain::ChainParameters;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::BlockNumberFor;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Needs nothing but the system pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// The table in force.
    #[pallet::storage]
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
