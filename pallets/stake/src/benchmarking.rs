//! Measures what `weights.rs` estimates, each with as many chunks as there can be.

use crate::{
    ledger::{Chunk, Ledger},
    pallet::{Call, Config, DoubleSigns, HoldReason, Ledgers, Pallet},
    DoubleSign, MAX_CHUNKS, MAX_DOUBLE_SIGNS,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    sequencers::{Offence, OffenceKind, OnOffence, StakeProvider},
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::fungible::{Inspect, InspectHold, Mutate, MutateHold},
    BoundedVec,
};
use frame_system::RawOrigin;

const AMOUNT: Balance = 1_000_000_000;

/// An account with stake and `chunks` chunks that are free at block 5.
fn bonded<T: Config>(chunks: u32) -> AccountId
where
    T::Currency: Mutate<AccountId>,
{
    let account: AccountId = whitelisted_caller();
    let total = AMOUNT.saturating_mul(Balance::from(chunks).saturating_add(1));
    T::Currency::set_balance(&account, total.saturating_mul(10));
    T::Currency::hold(&HoldReason::Stake.into(), &account, total).expect("it has ten times that");
    let chunk = Chunk { amount: AMOUNT, free_at: 5 };
    let unbonding = core::iter::repeat_n(chunk, chunks as usize).collect();
    let ledger = Ledger { bonded: AMOUNT, unbonding: BoundedVec::truncate_from(unbonding) };
    Ledgers::<T>::insert(&account, ledger);
    account
}

/// The second double sign of its set, so that all is taken, where as many are known as
/// there can be. The first one's stake is gone already.
fn double_sign(offender: &AccountId) -> Offence {
    Offence {
        kind: OffenceKind::DoubleSign,
        offender: offender.clone(),
        set_id: MAX_DOUBLE_SIGNS.into(),
        height: 1,
    }
}

fn fill_double_signs<T: Config>() {
    let known = (1..=MAX_DOUBLE_SIGNS).map(|set_id| DoubleSign {
        account: AccountId::new([8; 32]),
        set_id: set_id.into(),
        height: 1,
        together: true,
    });
    DoubleSigns::<T>::put(BoundedVec::truncate_from(known.collect()));
}

#[benchmarks(where T::Currency: Mutate<AccountId>, frame_system::pallet_prelude::BlockNumberFor<T>: From<u32>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn bond() {
        let account = bonded::<T>(MAX_CHUNKS);
        #[extrinsic_call]
        bond(RawOrigin::Signed(account.clone()), AMOUNT);
        assert_eq!(Pallet::<T>::stake(&account), 2 * AMOUNT);
    }

    #[benchmark]
    fn unbond() {
        let account = bonded::<T>(MAX_CHUNKS - 1);
        #[extrinsic_call]
        unbond(RawOrigin::Signed(account.clone()), AMOUNT);
        assert_eq!(Pallet::<T>::stake(&account), 0);
    }

    #[benchmark]
    fn withdraw() {
        let account = bonded::<T>(MAX_CHUNKS);
        frame_system::Pallet::<T>::set_block_number(5u32.into());
        #[extrinsic_call]
        withdraw(RawOrigin::Signed(account.clone()));
        assert_eq!(T::Currency::balance_on_hold(&HoldReason::Stake.into(), &account), AMOUNT);
    }

    /// What it adds to `slash`, with a slash.
    #[benchmark]
    fn reward() {
        let account = bonded::<T>(MAX_CHUNKS);
        let reporter = AccountId::new([9; 32]);
        let offence = double_sign(&account);
        fill_double_signs::<T>();
        #[block]
        {
            Pallet::<T>::on_reported_offence(&offence, &reporter);
        }
        assert!(!Ledgers::<T>::contains_key(&account));
        assert!(T::Currency::balance(&reporter) > 0);
    }

    #[benchmark]
    fn slash() {
        let account = bonded::<T>(MAX_CHUNKS);
        let offence = double_sign(&account);
        fill_double_signs::<T>();
        #[block]
        {
            Pallet::<T>::on_offence(&offence);
        }
        assert!(!Ledgers::<T>::contains_key(&account));
    }
}
