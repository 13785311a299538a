//! Measures what `weights.rs` estimates.

use crate::pallet::{Burns, Call, Config, DeferredRange, Halted, LastIssuance, Pallet};
use cascoin_l2_primitives::{
    apis::BurnOutcome,
    l1::{
        burn::{BurnPayload, Recipient},
        L1Hash, OutPoint,
    },
    relay::{L1BlockContext, L1Event, OnL1Event},
};
use frame_benchmarking::v2::*;
use frame_support::{traits::Get, weights::Weight};
use frame_system::RawOrigin;

fn burn<T: Config>() -> (OutPoint, L1Event) {
    let outpoint = OutPoint { txid: L1Hash([1; 32]), vout: 0 };
    // A key costs more than an account: it is checked to be on the curve.
    let mut generator = [0; 33];
    let x = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    generator[0] = 2;
    for (at, byte) in generator[1..].iter_mut().enumerate() {
        *byte = u8::from_str_radix(&x[2 * at..2 * at + 2], 16).unwrap_or_default();
    }
    let payload = BurnPayload {
        chain_id: T::Parameters::get().chain_id,
        recipient: Recipient::Key(sp_core::ecdsa::Public::from_raw(generator)),
        amount: 1,
    };
    let payload = payload.encode().to_vec().try_into().unwrap_or_default();
    (outpoint, L1Event::Burn { outpoint, value: 1_000_000, payload })
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// A burn to a new account, of which the payload claims too much.
    #[benchmark]
    fn process_burn() {
        let (outpoint, event) = burn::<T>();
        #[block]
        {
            Pallet::<T>::on_event(&event, &L1BlockContext::default());
        }
        let outcome = Burns::<T>::get(outpoint.txid, outpoint.vout).map(|record| record.outcome);
        assert_eq!(outcome, Some(BurnOutcome::Minted));
    }

    /// One waits, and minting is halted.
    #[benchmark]
    fn retry_base() {
        DeferredRange::<T>::put((0, 1));
        Halted::<T>::put(true);
        #[block]
        {
            Pallet::<T>::retry_deferred(Weight::MAX);
        }
        assert_eq!(DeferredRange::<T>::get(), (0, 1));
    }

    /// What `retry_base` does, too.
    #[benchmark]
    fn retry_burn() {
        let (outpoint, event) = burn::<T>();
        Halted::<T>::put(true);
        Pallet::<T>::on_event(&event, &L1BlockContext::default());
        Halted::<T>::kill();
        #[block]
        {
            Pallet::<T>::retry_deferred(Weight::MAX);
        }
        let outcome = Burns::<T>::get(outpoint.txid, outpoint.vout).map(|record| record.outcome);
        assert_eq!(outcome, Some(BurnOutcome::Minted));
    }

    /// More is issued than was.
    #[benchmark]
    fn check_supply() {
        LastIssuance::<T>::put(0);
        #[block]
        {
            Pallet::<T>::check_supply();
        }
        assert!(Halted::<T>::get());
    }

    #[benchmark]
    fn resume() {
        Halted::<T>::put(true);
        #[extrinsic_call]
        resume(RawOrigin::Root);
        assert!(!Halted::<T>::get());
    }
}
