//! Measures what `weights.rs` estimates. A message's own call is a remark here: calls have
//! weights of their own.

use crate::{
    pallet::{Call, Config, DoneRange, ExecutedAs, Lanes, Messages, Pallet},
    types::{Lane, Turn},
    MAX_REMOVED, MAX_WOKEN,
};
use alloc::vec;
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{cross_layer::CrossLayerPayload, L1Hash, OutPoint},
    messages::{MessageBody, MessageFailure, MessageRecord, MessageState},
    relay::{L1BlockContext, L1Event, OnL1Event},
};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
    storage::{storage_prefix, unhashed},
    traits::Get,
};
use frame_system::RawOrigin;
use sp_core::ecdsa;

/// More than a fee, less than a deposit's limit.
const VALUE: u64 = 1 << 30;

fn outpoint(seed: u8) -> OutPoint {
    OutPoint { txid: L1Hash([seed; 32]), vout: 0 }
}

fn body<T: Config>() -> MessageBody {
    let remark = frame_system::Call::<T>::remark { remark: vec![7; 32] };
    let call = <T as frame_system::Config>::RuntimeCall::from(remark).encode();
    CrossLayerPayload { gas: u32::MAX, call }.body().try_into().unwrap_or_default()
}

/// Has the relay remember no L1 block: then the one of events here, at the height of genesis,
/// is too old to be doubted. The pallet has no name for the relay's storage; where a runtime
/// gives that another one, the benchmarks say so by failing.
fn forget_l1_blocks() {
    let prefix = storage_prefix(b"L1Relay", b"AppliedHashes");
    let _ = unhashed::clear_prefix(&prefix, None, None);
}

fn event<T: Config>(value: u64) -> L1Event {
    event_of::<T>(1, ecdsa::Public::from_raw([2; 33]), value)
}

fn event_of<T: Config>(seed: u8, sender: ecdsa::Public, value: u64) -> L1Event {
    L1Event::Message {
        outpoint: outpoint(seed),
        unsigned_txid: L1Hash([seed; 32]),
        chain_id: T::ChainId::get(),
        sender,
        value,
        body: body::<T>(),
    }
}

fn failed<T: Config>(seed: u8, sender: AccountId) {
    let record = MessageRecord {
        outpoint: outpoint(seed),
        unsigned_txid: L1Hash([seed; 32]),
        sender,
        value: 0,
        body: body::<T>(),
        // Of a block that stands: the one of events here.
        l1_height: L1BlockContext::default().height,
        l1_hash: L1BlockContext::default().hash,
        applied: 1,
        tries: 1,
        state: MessageState::Failed { block: 1, reason: MessageFailure::FeeUnpaid },
    };
    Messages::<T>::insert(record.outpoint.txid, record.outpoint.vout, record);
    Pallet::<T>::note_done(outpoint(seed), 1);
}

fn state<T: Config>(seed: u8) -> Option<MessageState> {
    Messages::<T>::get(outpoint(seed).txid, 0).map(|record| record.state)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// With a value, by which its sender can pay: what that takes is measured too.
    #[benchmark]
    fn hear() {
        let event = event::<T>(VALUE);
        #[block]
        {
            Pallet::<T>::on_event(&event, &L1BlockContext::default());
        }
        assert_eq!(state::<T>(1), Some(MessageState::Queued(None)));
    }

    #[benchmark]
    fn block() {
        #[block]
        {
            Pallet::<T>::begin_block(2);
        }
        assert!(Lanes::<T>::get(Lane::Ready).is_empty());
    }

    /// Senders with a message whose value is looked for.
    #[benchmark]
    fn wake(n: Linear<0, { MAX_WOKEN }>) {
        for seed in 0..n {
            let mut key = [seed as u8; 33];
            key[0] = 2;
            let event = event_of::<T>(seed as u8, ecdsa::Public::from_raw(key), VALUE);
            Pallet::<T>::on_event(&event, &L1BlockContext::default());
            if let Some(Turn { sender, .. }) = Pallet::<T>::next_turn(Lane::Ready) {
                Pallet::<T>::line_up(Lane::Paused, sender, 1);
            }
        }
        assert_eq!(Lanes::<T>::get(Lane::Paused).len(), u64::from(n));
        #[block]
        {
            Pallet::<T>::wake(2);
        }
        assert_eq!(Lanes::<T>::get(Lane::Ready).len(), u64::from(n));
    }

    #[benchmark]
    fn remove(n: Linear<0, { MAX_REMOVED }>) {
        for seed in 0..n {
            failed::<T>(seed as u8, AccountId::new([1; 32]));
            ExecutedAs::<T>::insert(L1Hash([seed as u8; 32]), 0, outpoint(seed as u8));
        }
        #[block]
        {
            Pallet::<T>::remove_old(u32::MAX);
        }
        assert!(DoneRange::<T>::get().is_empty());
    }

    /// The turn of a sender who has what the message brought. What each block does, too.
    #[benchmark]
    fn turn() {
        forget_l1_blocks();
        Pallet::<T>::on_event(&event::<T>(VALUE), &L1BlockContext::default());
        #[block]
        {
            Pallet::<T>::begin_block(u32::MAX - 1);
        }
        assert_eq!(state::<T>(1), Some(MessageState::Executed { block: u32::MAX - 1 }));
    }

    #[benchmark]
    fn claim() {
        forget_l1_blocks();
        let sender: AccountId = whitelisted_caller();
        failed::<T>(1, sender.clone());
        #[extrinsic_call]
        claim(RawOrigin::Signed(sender), outpoint(1));
        assert!(matches!(state::<T>(1), Some(MessageState::Executed { .. })));
    }
}
