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

/// Has the account's count be no access to the database.
fn within_block<T: Config>(who: AccountId) -> AccountId {
    add_to_whitelist(Remaining::<T>::hashed_key_for(&who).into());
    who
}

/// The signer, whose account each transaction reads for its nonce.
fn signer<T: Config>() -> AccountId {
    within_block::<T>(whitelisted_caller())
}

#[benchmarks(
    where
        T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn count_first() {
        let who = signer::<T>();
        #[block]
        {
            assert_eq!(Pallet::<T>::count(&who), Ok(true));
        }
    }

    #[benchmark]
    fn count_next() {
        let who = signer::<T>();
        assert_eq!(Pallet::<T>::count(&who), Ok(true));
        #[block]
        {
            assert_eq!(Pallet::<T>::count(&who), Ok(false));
        }
    }

    /// Up to twice as many accounts as a full block has transfers.
    #[benchmark]
    fn clear(n: Linear<0, 1_000>) {
        let accounts = (0..n).map(|seed| account::<AccountId>("signer", seed, 0));
        let accounts: Vec<_> = accounts.map(within_block::<T>).collect();
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
