//! Measures what `weights.rs` estimates. `remove_member` needs members with
//! session keys, which a pallet that knows sessions only through traits cannot
//! make: it measures the refusal, which looks at every member as well.

use crate::{
    pallet::{Call, Config, Members, Pallet},
    Member,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::chain::{AccountId, MAX_SEQUENCERS};
use frame_benchmarking::v2::*;
use frame_support::BoundedVec;
use frame_system::RawOrigin;

/// As many members as a chain can have, but for `free` seats.
fn fill<T: Config>(free: u32) -> AccountId {
    let members: Vec<Member> = (free..MAX_SEQUENCERS)
        .map(|n| Member { account: AccountId::new([n as u8; 32]), weight: 1 })
        .collect();
    Members::<T>::put(BoundedVec::truncate_from(members));
    AccountId::new([MAX_SEQUENCERS as u8 - 1; 32])
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn add_member() {
        fill::<T>(1);
        let account = AccountId::new([0; 32]);
        #[extrinsic_call]
        add_member(RawOrigin::Root, Member { account, weight: 1 });
        assert_eq!(Members::<T>::get().len() as u32, MAX_SEQUENCERS);
    }

    #[benchmark]
    fn remove_member() {
        let account = fill::<T>(0);
        #[block]
        {
            let refused = Pallet::<T>::remove_member(RawOrigin::Root.into(), account);
            assert!(refused.is_err());
        }
    }

    #[benchmark]
    fn set_weight() {
        let account = fill::<T>(0);
        #[extrinsic_call]
        set_weight(RawOrigin::Root, account, 7);
        assert_eq!(Members::<T>::get().last().map(|member| member.weight), Some(7));
    }
}
