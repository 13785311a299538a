//! Measures what `weights.rs` estimates.

use crate::{
    pallet::{Config, Pallet, Remaining},
    CheckGas,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::chain::AccountId;
use frame_benchmarking::{benchmarking::add_to_whitelist, v2::*};
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    traits::Hooks,
};
use sp_runtime::traits::Dispatchable;

/// An account whose count is no access to the database.
fn account<T: Config>(seed: u32) -> AccountId {
    let who = frame_benchmarking::account::<AccountId>("signer", seed, 0);
    add_to_whitelist(Remaining::<T>::hashed_key_for(&who).into());
    who
}

#[benchmarks(
    where
        T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn count_first() {
        let who = account::<T>(0);
        #[block]
        {
            assert_eq!(Pallet::<T>::count(&who), Ok(true));
        }
    }

    #[benchmark]
    fn count_next() {
        let who = account::<T>(0);
        assert_eq!(Pallet::<T>::count(&who), Ok(true));
        #[block]
        {
            assert_eq!(Pallet::<T>::count(&who), Ok(false));
        }
    }

    /// Up to twice as many accounts as a full block has transfers.
    #[benchmark]
    fn clear(n: Linear<0, 1_000>) {
        let accounts: Vec<_> = (0..n).map(account::<T>).collect();
        for who in &accounts {
            assert_eq!(Pallet::<T>::count(who), Ok(true));
        }
        #[block]
        {
            Pallet::<T>::on_finalize(frame_system::Pallet::<T>::block_number());
        }
        assert!(Remaining::<T>::iter_keys().next().is_none());
    }

    #[benchmark]
    fn check_gas() {
        let info = DispatchInfo::default();
        #[block]
        {
            let room = CheckGas::<T>::room(&info, 100);
            assert!(room.and_then(CheckGas::<T>::check_block).is_ok());
        }
    }
}
