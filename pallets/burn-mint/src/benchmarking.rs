//! Measures what `weights.rs` estimates.

use crate::pallet::{
    Burns, Call, ClawedBackTotal, Config, DeferredRange, DeferredTotal, Deficit, Halted,
    LastIssuance, Pallet, RevertedCount, Stopped, Sweep,
};
use cascoin_l2_primitives::{
    apis::BurnOutcome,
    chain::{AccountId, Balance},
    l1::{
        burn::{BurnPayload, Recipient},
        L1Hash, OutPoint,
    },
    relay::{L1BlockContext, L1Event, OnL1Event, OnL1Fork},
};
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use frame_system::RawOrigin;
use sp_runtime::SaturatedConversion;

/// A burn to a new account, of a little more than one burn may bring in a day: a part is
/// minted and the rest is queued, which is the most work.
fn burn<T: Config>() -> (OutPoint, L1Event) {
    burn_at::<T>(OutPoint { txid: L1Hash([1; 32]), vout: 0 })
}

fn burn_at<T: Config>(outpoint: OutPoint) -> (OutPoint, L1Event) {
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
    let value = T::Parameters::get().max_deposit.saturated_into::<u64>().saturating_add(1);
    (outpoint, L1Event::Burn { outpoint, value, payload })
}

/// An L1 block that is not attested: above all that is.
fn replaced_block() -> L1BlockContext {
    L1BlockContext { height: u32::MAX / 2, hash: L1Hash([9; 32]), ..Default::default() }
}

fn expect_a_part_of<T: Config>(outpoint: OutPoint) {
    let record = Burns::<T>::get(outpoint.txid, outpoint.vout);
    assert!(record.is_some_and(|burn| burn.minted > 0 && burn.outcome == BurnOutcome::Deferred));
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// A burn of which a part is minted.
    #[benchmark]
    fn process_burn() {
        let (outpoint, event) = burn::<T>();
        #[block]
        {
            Pallet::<T>::on_event(&event, &L1BlockContext::default());
        }
        expect_a_part_of::<T>(outpoint);
    }

    /// A burn that waited for minting to go on.
    #[benchmark]
    fn retry_burn() {
        let (outpoint, event) = burn::<T>();
        Halted::<T>::put(true);
        Pallet::<T>::on_event(&event, &L1BlockContext::default());
        Halted::<T>::kill();
        #[block]
        {
            Pallet::<T>::retry_deferred(frame_support::weights::Weight::MAX);
        }
        expect_a_part_of::<T>(outpoint);
    }

    /// Somebody waits, and everybody had a turn: all is read, and nobody gets anything.
    #[benchmark]
    fn retry_base() {
        let (outpoint, event) = burn::<T>();
        Pallet::<T>::on_event(&event, &L1BlockContext::default());
        expect_a_part_of::<T>(outpoint);
        let minted = Burns::<T>::get(outpoint.txid, outpoint.vout).map(|burn| burn.minted);
        let queue = DeferredRange::<T>::get();
        assert!(queue.0 < queue.1);
        #[block]
        {
            Pallet::<T>::retry_deferred(frame_support::weights::Weight::MAX);
        }
        assert_eq!(DeferredRange::<T>::get(), queue);
        let after = Burns::<T>::get(outpoint.txid, outpoint.vout).map(|burn| burn.minted);
        assert_eq!(after, minted);
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

    #[benchmark]
    fn stop() {
        #[extrinsic_call]
        stop(RawOrigin::Root);
        assert!(Stopped::<T>::get());
    }

    #[benchmark]
    fn lift_stop() {
        Stopped::<T>::put(true);
        #[extrinsic_call]
        lift_stop(RawOrigin::Root);
        assert!(!Stopped::<T>::get());
    }

    /// Nothing is to be judged.
    #[benchmark]
    fn judge_base() {
        #[block]
        {
            Pallet::<T>::judge_orphans(frame_support::weights::Weight::MAX);
        }
        assert!(!Sweep::<T>::exists());
    }

    /// A burn of which a part is minted and taken back, and whose place the last one gets.
    #[benchmark]
    fn judge_orphan() {
        let (_, event) = burn::<T>();
        Pallet::<T>::on_event(&event, &replaced_block());
        Pallet::<T>::on_recovered();
        let (_, other) = burn_at::<T>(OutPoint { txid: L1Hash([2; 32]), vout: 0 });
        Pallet::<T>::on_event(&other, &L1BlockContext::default());
        #[block]
        {
            Pallet::<T>::judge_orphans(frame_support::weights::Weight::MAX);
        }
        assert_eq!(RevertedCount::<T>::get(), 1);
        assert!(ClawedBackTotal::<T>::get() > 0 && Deficit::<T>::get() == 0);
    }

    /// The recipient has again what it owes.
    #[benchmark]
    fn claw_back() {
        let (outpoint, event) = burn::<T>();
        Pallet::<T>::on_event(&event, &L1BlockContext::default());
        Burns::<T>::mutate(outpoint.txid, outpoint.vout, |burn| {
            if let Some(burn) = burn {
                burn.outcome = BurnOutcome::Reverted;
                Deficit::<T>::put(Balance::from(burn.minted));
            }
        });
        let caller: AccountId = whitelisted_caller();
        #[extrinsic_call]
        claw_back(RawOrigin::Signed(caller), outpoint);
        assert_eq!(Deficit::<T>::get(), 0);
    }

    #[benchmark]
    fn on_fork() {
        let (_, event) = burn::<T>();
        Pallet::<T>::on_event(&event, &replaced_block());
        #[block]
        {
            Pallet::<T>::on_recovered();
        }
        assert!(Sweep::<T>::exists());
    }

    /// The first of three, whose place the last one gets.
    #[benchmark]
    fn reject_waiting() {
        Stopped::<T>::put(true);
        let outpoints = [1, 2, 3].map(|byte| OutPoint { txid: L1Hash([byte; 32]), vout: 0 });
        for outpoint in outpoints {
            let (_, event) = burn_at::<T>(outpoint);
            Pallet::<T>::on_event(&event, &L1BlockContext::default());
        }
        let (start, end) = DeferredRange::<T>::get();
        let total = DeferredTotal::<T>::get();
        assert_eq!(end - start, 3);
        #[extrinsic_call]
        reject_waiting(RawOrigin::Root, outpoints[0]);
        assert_eq!(DeferredRange::<T>::get(), (start, end - 1));
        assert!(DeferredTotal::<T>::get() < total);
    }
}
