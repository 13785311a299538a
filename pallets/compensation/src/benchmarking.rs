//! Measures what `weights.rs` estimates, each with as many outages as there can be.
//! Blocks' times are others' to set: an outage is opened as the block that ends it does.

use crate::{
    pallet::{Call, Claims, Config, Open, Outages, Pallet},
    types::{Outage, Window},
    MAX_OUTAGES, MAX_REMOVED,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    rewards::OnFeePaid,
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{fungible::Mutate, Get, Hooks},
    weights::Weight,
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::transaction_validity::TransactionSource;

const AMOUNT: Balance = 1 << 40;

/// As many outages as there can be, but for `room`, with enough in the fund.
fn settled<T: Config>(room: u32, claim_until: u32) {
    let outages: Vec<_> = (0..MAX_OUTAGES - room)
        .map(|outage| Outage { outage, compensable: AMOUNT, budget: AMOUNT, paid: 0, claim_until })
        .collect();
    let _ = T::Currency::mint_into(&T::Fund::get(), AMOUNT * Balance::from(2 * MAX_OUTAGES));
    Outages::<T>::put(BoundedVec::truncate_from(outages));
}

#[benchmarks(where BlockNumberFor<T>: From<u32>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn block() {
        #[block]
        {
            Pallet::<T>::on_initialize(1u32.into());
        }
        assert!(!Open::<T>::exists());
    }

    #[benchmark]
    fn open() {
        settled::<T>(1, u32::MAX);
        #[block]
        {
            Pallet::<T>::open(T::MinGap::get());
        }
        assert!(Open::<T>::exists());
    }

    /// What each block does, too.
    #[benchmark]
    fn settle() {
        settled::<T>(1, u32::MAX);
        Open::<T>::put(Window { outage: MAX_OUTAGES, until: 1, compensable: AMOUNT });
        frame_system::Pallet::<T>::set_block_number(2u32.into());
        #[block]
        {
            Pallet::<T>::on_initialize(2u32.into());
        }
        assert_eq!(Outages::<T>::get().len() as u32, MAX_OUTAGES);
    }

    #[benchmark]
    fn look() {
        let who = whitelisted_caller();
        #[block]
        {
            Pallet::<T>::on_fee_paid(&who, AMOUNT);
        }
        assert!(!Claims::<T>::contains_key(0, &who));
    }

    #[benchmark]
    fn note_fee() {
        let who: AccountId = whitelisted_caller();
        Open::<T>::put(Window { outage: 0, until: 9, compensable: 0 });
        #[block]
        {
            Pallet::<T>::on_fee_paid(&who, AMOUNT);
        }
        let noted = Claims::<T>::get(0, &who).unwrap_or(0);
        assert!(noted > 0, "the parameters of the chain that is measured burn nothing");
    }

    #[benchmark]
    fn remove(n: Linear<0, { MAX_REMOVED }>) {
        settled::<T>(0, 1);
        for seed in 0..n {
            Claims::<T>::insert(0, AccountId::new([seed as u8; 32]), AMOUNT);
        }
        frame_system::Pallet::<T>::set_block_number(2u32.into());
        #[block]
        {
            Pallet::<T>::on_idle(2u32.into(), Weight::MAX);
        }
        assert_eq!(Claims::<T>::iter_prefix(0).count(), 0);
    }

    #[benchmark]
    fn claim() {
        settled::<T>(0, u32::MAX);
        let who: AccountId = whitelisted_caller();
        let last = MAX_OUTAGES - 1;
        Claims::<T>::insert(last, &who, AMOUNT / 2);
        #[extrinsic_call]
        claim(RawOrigin::Signed(who.clone()), last);
        assert!(!Claims::<T>::contains_key(last, &who));
    }

    #[benchmark]
    fn authorize_claim() {
        settled::<T>(0, u32::MAX);
        let who: AccountId = whitelisted_caller();
        let last = MAX_OUTAGES - 1;
        Claims::<T>::insert(last, &who, AMOUNT / 2);
        let judged;
        #[block]
        {
            judged = Pallet::<T>::authorize_claim(TransactionSource::External, &last, &who);
        }
        assert!(judged.is_ok());
    }
}
