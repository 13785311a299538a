//! Measures what `weights.rs` estimates.

use crate::{
    pallet::{Call, Config, Pallet, Standings},
    record::RecordActivity,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    reputation::Score,
    sequencers::{Offence, OffenceKind, OnOffence},
};
use frame_benchmarking::v2::*;
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    traits::StoredMap,
};
use frame_system::RawOrigin;
use sp_runtime::traits::{AsSystemOriginSigner, DispatchTransaction, Dispatchable};

#[benchmarks(where
    T: Send + Sync,
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>
        + From<frame_system::Call<T>>,
    T::RuntimeOrigin: AsSystemOriginSigner<AccountId> + Clone,
    <T::RuntimeCall as Dispatchable>::RuntimeOrigin: sp_runtime::traits::AsTransactionAuthorizedOrigin,
)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_l1_score() {
        let account = AccountId::new([7; 32]);
        #[extrinsic_call]
        _(RawOrigin::Root, account.clone(), Score::MAX);
        assert!(Standings::<T>::contains_key(account));
    }

    #[benchmark]
    fn record() {
        let caller: AccountId = whitelisted_caller();
        frame_system::Pallet::<T>::inc_providers(&caller);
        let call: T::RuntimeCall = frame_system::Call::remark { remark: alloc::vec![] }.into();
        let info = DispatchInfo::default();
        #[block]
        {
            RecordActivity::<T>::new()
                .test_run(RawOrigin::Signed(caller.clone()).into(), &call, &info, 0, 0, |_| {
                    Ok(Default::default())
                })
                .expect("it refuses nothing")
                .expect("the call succeeded");
        }
        assert_eq!(T::Activities::get(&caller).transactions(), 1);
    }

    #[benchmark]
    fn on_offence() {
        let offender = AccountId::new([7; 32]);
        let offence = Offence {
            kind: OffenceKind::DoubleSign,
            offender: offender.clone(),
            set_id: 1,
            height: 1,
        };
        #[block]
        {
            Pallet::<T>::on_offence(&offence);
        }
        assert!(Standings::<T>::contains_key(offender));
    }
}
