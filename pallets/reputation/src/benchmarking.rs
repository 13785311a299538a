//! Measures what `weights.rs` estimates.

use crate::{
    pallet::{Call, Config, L1Accounts, L1Addresses, Pallet, Standings},
    record::{Noted, RecordActivity},
    types::Transfer,
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
use sp_runtime::traits::{AsSystemOriginSigner, Dispatchable, TransactionExtension};

/// r is the generator's x, s is 1: a key comes out of that, whatever was signed.
const SIGNATURE: [u8; 65] = {
    let x = sp_core::hex2array!("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    let mut signature = [0; 65];
    signature[0] = 31;
    let mut place = 0;
    while place < 32 {
        signature[1 + place] = x[place];
        place += 1;
    }
    signature[64] = 1;
    signature
};

#[benchmarks(where
    T: Send + Sync,
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>
        + From<frame_system::Call<T>>,
    T::RuntimeOrigin: AsSystemOriginSigner<AccountId> + Clone,
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

    /// The signature is of some message of some wallet: any recovers some key.
    #[benchmark]
    fn link() {
        let caller: AccountId = whitelisted_caller();
        let old = sp_core::H160([9; 20]);
        L1Addresses::<T>::insert(&caller, old);
        L1Accounts::<T>::insert(old, &caller);
        #[extrinsic_call]
        link_l1_address(RawOrigin::Signed(caller.clone()), SIGNATURE);
        assert!(L1Addresses::<T>::get(&caller).is_some_and(|address| address != old));
    }

    #[benchmark]
    fn unlink() {
        let caller: AccountId = whitelisted_caller();
        let address = sp_core::H160([9; 20]);
        L1Addresses::<T>::insert(&caller, address);
        L1Accounts::<T>::insert(address, &caller);
        #[extrinsic_call]
        unlink_l1_address(RawOrigin::Signed(caller.clone()));
        assert!(!L1Accounts::<T>::contains_key(address));
    }

    /// In a block, where validation does nothing. That the call was a transfer is added
    /// afterwards, since this pallet can make none.
    #[benchmark]
    fn record() {
        let caller: AccountId = whitelisted_caller();
        frame_system::Pallet::<T>::inc_providers(&caller);
        let call: T::RuntimeCall = frame_system::Call::remark { remark: alloc::vec![] }.into();
        let info = DispatchInfo::default();
        let origin: T::RuntimeOrigin = RawOrigin::Signed(caller.clone()).into();
        let transfer = Transfer { recipient: AccountId::new([9; 32]), amount: 1 << 40 };
        #[block]
        {
            let noted = RecordActivity::<T>::new().prepare((), &origin, &call, &info, 0);
            let noted = noted.expect("it refuses nothing").expect("a remark is noted");
            Pallet::<T>::note(Noted { transfer: Some(transfer), ..noted }, true);
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
