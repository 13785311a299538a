//! Measures what `weights.rs` estimates. The hand-over needs the runtime's own sets, so the
//! runtime makes the worst of them.

use crate::{
    pallet::{Config, Last, Pallet},
    succession::Succession,
};
use alloc::vec::Vec;
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    chain::key_types,
    hand_over::{consent_message, Consent, HandOver, HandOverBase},
    l1::L1Hash,
};
use frame_benchmarking::v2::*;
use frame_support::{traits::Hooks, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{traits::One, Digest, SaturatedConversion};

/// Begins the block behind the one that the state is of.
fn begin_block<T: Config>(digest: &Digest) -> BlockNumberFor<T> {
    let now = frame_system::Pallet::<T>::block_number() + One::one();
    let parent = frame_system::Pallet::<T>::parent_hash();
    frame_system::Pallet::<T>::initialize(&now, &parent, digest);
    now
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn idle() {
        let now = begin_block::<T>(&Digest::default());
        #[block]
        {
            Pallet::<T>::on_initialize(now);
        }
        assert!(!Last::<T>::exists());
    }

    #[benchmark]
    fn hand_over() {
        let relay = sp_io::crypto::ed25519_generate(key_types::RELAY, None);
        let accounts = T::Succession::worst_case(relay);
        // So that the hash of genesis does not change any more.
        begin_block::<T>(&Digest::default());
        let number = frame_system::Pallet::<T>::block_number().saturated_into();
        let base = HandOverBase {
            number,
            hash: frame_system::Pallet::<T>::parent_hash(),
            set_id: T::Succession::set_id().saturating_add(1),
            l1_block: L1Hash([1; 32]),
            txid: L1Hash([2; 32]),
        };
        let message = consent_message(&genesis_hash::<T>(), &base);
        let signature = sp_io::crypto::ed25519_sign(key_types::RELAY, &relay, &message)
            .expect("the key was just made; qed");
        let consents = accounts.into_iter().map(|account| Consent { account, signature });
        let consents = BoundedVec::truncate_from(consents.collect::<Vec<_>>());
        let item = HandOver { base, consents }.item();
        let now = begin_block::<T>(&Digest { logs: alloc::vec![item] });
        #[block]
        {
            Pallet::<T>::on_initialize(now);
        }
        assert_eq!(Last::<T>::get().map(|last| last.base), Some(base));
    }
}
