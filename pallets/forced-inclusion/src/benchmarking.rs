//! Measures what `weights.rs` estimates. What a transaction costs is not among it: the
//! runtime says what checking one takes, and books what it dispatches.

use crate::{
    pallet::{Config, Counts, Pallet, Queue},
    Encoded,
};
use cascoin_l2_primitives::{
    l1::forced::MAX_FORCED_BYTES,
    relay::{L1BlockContext, L1Event, OnL1Event},
};
use frame_benchmarking::v2::*;
use frame_support::traits::{Get, Hooks};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::One;

/// The longest that there can be. It is no transaction.
fn event<T: Config>() -> L1Event {
    L1Event::ForcedTransaction {
        chain_id: T::ChainId::get(),
        paid: 1,
        transaction: Encoded::truncate_from(alloc::vec![0xff; MAX_FORCED_BYTES]),
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn idle() {
        let block = L1BlockContext { median_time: u32::MAX, ..Default::default() };
        Pallet::<T>::on_event(&event::<T>(), &block);
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::one());
        }
        assert_eq!(Queue::<T>::get().waiting(), 1);
    }

    #[benchmark]
    fn settle() {
        Pallet::<T>::on_event(&event::<T>(), &L1BlockContext::default());
        crate::Entries::<T>::mutate(0u64, |entry| {
            if let Some(entry) = entry {
                entry.due = 0;
            }
        });
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::one());
        }
        assert_eq!(Counts::<T>::get().dropped, 1);
    }

    #[benchmark]
    fn hear() {
        let event = event::<T>();
        #[block]
        {
            Pallet::<T>::on_event(&event, &L1BlockContext::default());
        }
        assert_eq!(Queue::<T>::get().waiting(), 1);
    }
}
