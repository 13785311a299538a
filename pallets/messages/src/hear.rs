//! What the relay brings: a message is noted and its value credited. Nothing is executed
//! here (R28.2).

use crate::pallet::{Config, Event, Messages, Pallet, Queues};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{cross_layer::CrossLayerPayload, L1Hash, OutPoint},
    messages::{
        ChargeMessage as _, MessageBody, MessageFailure, MessageRecord, MessageState,
        MessageValue as _, ValueStanding,
    },
    relay::{L1BlockContext, L1Branch as _},
};
use sp_core::ecdsa;
use sp_runtime::{traits::IdentifyAccount, MultiSigner, SaturatedConversion};

impl<T: Config> Pallet<T> {
    /// Takes note of a message to this chain.
    pub(crate) fn hear(
        (outpoint, unsigned_txid): (OutPoint, L1Hash),
        key: &ecdsa::Public,
        value: u64,
        body: &MessageBody,
        block: &L1BlockContext,
    ) {
        let sender: AccountId = MultiSigner::Ecdsa(*key).into_account();
        let known = Messages::<T>::get(outpoint.txid, outpoint.vout);
        // A value is on record for ever, also where its message is not any more. One that
        // comes again after a fork of L1 is told of that, so it is asked in any case.
        let new_value = value > 0 && T::Value::credit(outpoint, value, &sender, block);
        if let Some(record) = known {
            return Self::see_again(record, block);
        }
        if value > 0 && !new_value {
            Self::deposit_event(Event::MessageAlreadyKnown { outpoint });
            return;
        }
        if CrossLayerPayload::read(body).is_none() {
            let reason = MessageFailure::Malformed;
            Self::deposit_event(Event::MessageFailed { outpoint, sender, reason });
            return;
        }
        if Self::will_not_pay(&outpoint, value, &sender) {
            let reason = MessageFailure::FeeUnpaid;
            Self::deposit_event(Event::MessageFailed { outpoint, sender, reason });
            return;
        }
        let record = MessageRecord {
            outpoint,
            unsigned_txid,
            sender: sender.clone(),
            value,
            body: body.clone(),
            l1_height: block.height,
            l1_hash: block.hash,
            applied: frame_system::Pallet::<T>::block_number().saturated_into(),
            tries: 0,
            state: MessageState::Queued(None),
        };
        Messages::<T>::insert(outpoint.txid, outpoint.vout, record);
        Self::enqueue(&sender, outpoint);
        Self::deposit_event(Event::MessageQueued { outpoint, sender, value });
    }

    // L1 brings a message that is on record. After a fork it may stand in another block.
    fn see_again(mut record: MessageRecord, block: &L1BlockContext) {
        let outpoint = record.outpoint;
        if record.l1_hash == block.hash || !Self::is_dropped(&record) {
            Self::deposit_event(Event::MessageAlreadyKnown { outpoint });
            return;
        }
        let (l1_height, l1_hash) = (block.height, block.hash);
        (record.l1_height, record.l1_hash) = (l1_height, l1_hash);
        Messages::<T>::insert(outpoint.txid, outpoint.vout, record);
        Self::deposit_event(Event::MessageConfirmedAgain { outpoint, l1_height, l1_hash });
    }

    /// Whether the block that the record names was replaced on L1.
    pub(crate) fn is_dropped(record: &MessageRecord) -> bool {
        !T::L1Blocks::has_block(record.l1_height, &record.l1_hash)
    }

    // Whether a message would only keep others waiting: its sender cannot pay, and neither
    // this message nor one before it has anything on the way.
    fn will_not_pay(outpoint: &OutPoint, value: u64, sender: &AccountId) -> bool {
        let comes = value > 0 && T::Value::standing(outpoint) == ValueStanding::Waits;
        !comes && !Queues::<T>::contains_key(sender) && !T::Fees::can_pay(sender)
    }
}
