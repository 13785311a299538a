//! What several pallets read of the chain in the same way. It needs FRAME, which the
//! primitives do not.
#![cfg_attr(not(feature = "std"), no_std)]

use frame_system::{pallet_prelude::BlockNumberFor, Config, Pallet};
use sp_runtime::traits::Zero;

/// The hash of the genesis block: it stands in everything that is signed for this chain, so
/// that it says nothing to another. The system pallet keeps it for ever; in the genesis block
/// itself it is zero.
pub fn genesis_hash<T: Config>() -> T::Hash {
    Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
}
