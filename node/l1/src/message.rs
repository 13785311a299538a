//! The messages to L2 that a transaction sends
//! ([`cascoin_l2_primitives::l1::cross_layer`], R9.1).
//!
//! Who signed the first input over all outputs sends them ([`signer`](crate::signer)):
//! nobody else speaks for that key, and nobody can change what is said. Where no key is
//! proven nobody can be told to have sent them, so they are no events, and what they
//! destroy is lost: wallets MUST give such outputs no value. Everything else is L2's to
//! judge, so that the value of a message that makes no sense comes back to its sender.
//!
//! A transaction's identifier covers the scripts of its inputs, which strangers can rewrite;
//! so each message also tells what the transaction would be called without them.

use crate::{block::BlockTransaction, inclusion::without_witnesses, signer::first_signing_key};
use bitcoin::consensus::deserialize;
use cascoin_l2_primitives::{
    l1::{
        envelope::{Message, MessageKind},
        transaction::StrippedTransaction,
        L1Hash,
    },
    relay::L1Event,
};
use sp_core::{bounded::BoundedVec, ecdsa};

/// The messages of a transaction with the positions of their outputs, in that order.
///
/// The costly part, a signature, is only looked at where there is a message, and once.
pub fn messages(transaction: &BlockTransaction<'_>) -> Vec<(u32, L1Event)> {
    let mut sender = None;
    let mut all = Vec::new();
    if transaction.is_coinbase() {
        return all;
    }
    for (outpoint, output) in transaction.outputs() {
        let Some(Ok(Message { kind: MessageKind::CrossLayer, chain_id, body })) =
            Message::read(output.script)
        else {
            continue;
        };
        if sender.is_none() {
            let raw = transaction.raw();
            // Without it, which no signed transaction is, a message is known by its output.
            let named = |key| (key, unsigned_txid(raw).unwrap_or(outpoint.txid));
            sender = first_signing_key(raw).map(named);
        }
        let Some((key, unsigned_txid)) = sender else { return all };
        let event = L1Event::Message {
            outpoint,
            unsigned_txid,
            chain_id,
            sender: ecdsa::Public::from_raw(key),
            value: output.value,
            // The envelope holds no more than fits.
            body: BoundedVec::truncate_from(body.to_vec()),
        };
        all.push((outpoint.vout, event));
    }
    all
}

/// What the transaction would be called without scripts and witnesses of its inputs.
fn unsigned_txid(raw: &[u8]) -> Option<L1Hash> {
    let stripped = without_witnesses(deserialize(raw).ok()?);
    Some(StrippedTransaction::read(&stripped)?.unsigned_txid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        block::{
            builder::{block, signer, trust, Form, Trust},
            Transaction,
        },
        events::events,
    };
    use bitcoin::secp256k1::Secp256k1;
    use cascoin_l2_primitives::l1::{
        burn::{BurnPayload, Recipient},
        cross_layer::CrossLayerPayload,
        OutPoint,
    };
    use proptest::prelude::*;

    fn payload(seed: u8) -> CrossLayerPayload {
        CrossLayerPayload { gas: 9, call: vec![seed; 3] }
    }

    fn script(seed: u8) -> Vec<u8> {
        payload(seed).script(3).expect("it fits")
    }

    /// A transaction that sends one in output 0, of no value, and one in output 3, of 7.
    fn transaction() -> Trust {
        Trust { before: Some(script(1)), burn: Some(script(2)), ..trust(1, 5, &signer()) }
    }

    fn read(raw: &[u8]) -> Vec<L1Event> {
        let mut events = events(&block(&[raw.to_vec()]), 1);
        events.retain(|event| matches!(event, L1Event::Message { .. }));
        events
    }

    /// As the library makes it.
    fn by_the_library(raw: &[u8]) -> L1Hash {
        let mut transaction: bitcoin::Transaction = deserialize(raw).expect("built right");
        for input in &mut transaction.input {
            input.script_sig = bitcoin::ScriptBuf::new();
            input.witness.clear();
        }
        L1Hash(bitcoin::hashes::Hash::to_byte_array(transaction.compute_txid()))
    }

    fn expected(raw: &[u8], vout: u32, value: u64, seed: u8) -> L1Event {
        let key = signer().public_key(&Secp256k1::new()).serialize();
        L1Event::Message {
            outpoint: OutPoint { txid: Transaction::read(raw).expect("built right").txid, vout },
            unsigned_txid: by_the_library(raw),
            chain_id: 3,
            sender: ecdsa::Public::from_raw(key),
            value,
            body: payload(seed).body().try_into().expect("it fits"),
        }
    }

    #[test]
    fn r9_1_who_signed_the_first_input_sends_every_message_of_a_transaction() {
        let raw = transaction().signed_as(Form::Legacy, 1);
        assert_eq!(read(&raw), [expected(&raw, 0, 0, 1), expected(&raw, 3, 7, 2)]);
        // Also by the other form of proof.
        let raw = transaction().signed_as(Form::Nested, 1);
        assert_eq!(read(&raw), [expected(&raw, 0, 0, 1), expected(&raw, 3, 7, 2)]);
    }

    /// Scripts and witnesses differ, as they do where a stranger rewrites them.
    #[test]
    fn r19_a_message_is_known_by_what_was_signed_under_any_txid() {
        let named = |raw: &[u8]| {
            let id = |event: &L1Event| match event {
                L1Event::Message { outpoint, unsigned_txid, .. } => {
                    Some((outpoint.txid, *unsigned_txid))
                }
                _ => None,
            };
            read(raw).first().and_then(id).expect("it has a message")
        };
        let legacy = named(&transaction().signed_as(Form::Legacy, 1));
        let other = named(&transaction().signed_as(Form::Legacy, 0x41));
        assert_ne!(legacy.0, other.0, "another script, so another txid");
        assert_eq!(legacy.1, other.1);
        assert_eq!(legacy.1, named(&transaction().signed_as(Form::Nested, 1)).1);
    }

    #[test]
    fn nobody_sends_what_nobody_signed() {
        assert!(read(&transaction().unsigned()).is_empty());
        assert!(read(&transaction().signed_as(Form::Native, 1)).is_empty());
        assert!(read(&transaction().signed_as(Form::Legacy, 0x81)).is_empty());
        assert!(read(&trust(1, 5, &signer()).signed()).is_empty());
    }

    /// Its value is its sender's, so that L2 must hear of it.
    #[test]
    fn a_body_that_makes_no_sense_is_delivered_all_the_same() {
        let body = [9, 9];
        let message = Message { kind: MessageKind::CrossLayer, chain_id: 3, body: &body };
        let odd = Trust { burn: message.script(), ..trust(1, 5, &signer()) };
        let events = read(&odd.signed());
        assert!(
            matches!(&events[..], [L1Event::Message { value: 7, body, .. }] if body[..] == [9, 9]),
            "{events:?}"
        );
    }

    #[test]
    fn messages_stand_among_burns_in_the_order_of_outputs() {
        let recipient = Recipient::Account([7; 32].into());
        let burn = BurnPayload { chain_id: 3, recipient, amount: 7 }.script();
        let both = Trust { burn: Some(burn), ..transaction() };
        let events = events(&block(&[both.signed()]), 1);
        assert!(
            matches!(&events[..], [L1Event::Message { value: 0, .. }, .., L1Event::Burn { .. }]),
            "{events:?}"
        );
    }

    proptest! {
        /// P9: what is delivered is what was signed, or nothing.
        #[test]
        fn p9_damage_on_the_way_never_changes_what_a_key_says(
            behind in 1usize..=35, bit in 0u8..8,
        ) {
            let mut raw = transaction().signed_as(Form::Legacy, 1);
            let honest = read(&raw);
            // The last output, which is a message, and the lock time.
            let at = raw.len() - behind;
            raw[at] ^= 1 << bit;
            if Transaction::read(&raw).is_err() {
                return Ok(());
            }
            let said = |events: &[L1Event]| -> Vec<_> {
                let of = |event: &L1Event| match event {
                    L1Event::Message { sender, value, body, chain_id, .. } => {
                        Some((*sender, *value, body.clone(), *chain_id))
                    }
                    _ => None,
                };
                events.iter().filter_map(of).collect()
            };
            let read = read(&raw);
            prop_assert!(read.is_empty() || said(&read) == said(&honest));
        }
    }
}
