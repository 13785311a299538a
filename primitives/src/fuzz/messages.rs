//! What users write on L1: burns, trust, and every kind of the envelope.

use crate::l1::{
    anchor::Anchor,
    burn::{judge, marked_payload, BurnPayload, Recipient, MARKER, PAYLOAD_LEN},
    cross_layer::CrossLayerPayload,
    cvm::{is_container, TrustKind, TrustPayload, MAX_WEIGHT},
    data_pointer::{follow, DataPointer, MAX_PARTS},
    deposit,
    envelope::{Message, MessageKind, MAX_BODY},
    forced::{data_script, shown_data, ForcedPayload, MAX_FORCED_BYTES},
    formats_tests::longest,
    registration::Registration,
    revocation::Revocation,
    stake::{pays_to_script_hash, StakePayload},
};
use cascoin_fuzz::fuzz;
use sp_core::ecdsa;
use std::panic::RefUnwindSafe;

/// Messages of a kind, also in other forms of the push and with bytes behind it.
fn messages(kind: MessageKind) -> Vec<Vec<u8>> {
    let script = longest(kind, 3);
    let payload = script.iter().skip(if script[1] > 75 { 3 } else { 2 }).copied();
    let payload: Vec<u8> = payload.collect();
    let long = [&[0x6a, 0x4d, payload.len() as u8, 0][..], &payload].concat();
    let behind = [&script[..], &[0x51, 0xff]].concat();
    vec![script, longest(kind, u32::MAX), long, behind]
}

/// Scripts with a message of a kind: `written` reads a body and writes what it read.
fn envelope(kind: MessageKind, written: impl Fn(&[u8]) -> Option<Vec<u8>> + RefUnwindSafe) {
    fuzz(&messages(kind), |script| {
        let Some(Ok(message)) = Message::read(script) else { return false };
        assert!(message.chain_id != 0 && message.body.len() <= MAX_BODY);
        let again = message.script().expect("a body of this length fits");
        assert!(again.len() <= script.len(), "it is written in the shortest form");
        assert_eq!(Message::read(&again), Some(Ok(message)));
        let body = (message.kind == kind).then(|| written(message.body)).flatten();
        body.is_some_and(|body| {
            assert_eq!(body, message.body, "read in another form than it is written in");
            true
        })
    });
}

#[test]
fn registration() {
    envelope(MessageKind::ChainRegistration, |body| {
        let read = Registration::read(body)?;
        assert!(pays_to_script_hash(&read.lock.script()));
        assert!(!read.name.is_empty());
        Some(read.body())
    });
}

#[test]
fn vault_deposit() {
    envelope(MessageKind::VaultDeposit, |body| {
        let recipient = deposit::read(body).ok()?;
        Some(deposit::body(&recipient).to_vec())
    });
}

#[test]
fn forced_transaction() {
    envelope(MessageKind::ForcedTransaction, |body| {
        let ForcedPayload { digest, length } = ForcedPayload::read(body)?;
        assert!((1..=MAX_FORCED_BYTES).contains(&usize::from(length)));
        Some([&digest[..], &length.to_le_bytes()].concat())
    });
}

#[test]
fn cross_layer_message() {
    envelope(MessageKind::CrossLayer, |body| {
        let read = CrossLayerPayload::read(body)?;
        assert!(!read.call.is_empty());
        Some(read.body())
    });
}

#[test]
fn key_revocation() {
    envelope(MessageKind::KeyRevocation, |body| {
        let kind = MessageKind::KeyRevocation;
        let script = Message { kind, chain_id: 3, body }.script().expect("it fits");
        Revocation::read(&script).map(|read| {
            assert_eq!(read.script(), script);
            AsRef::<[u8]>::as_ref(&read.account).to_vec()
        })
    });
}

#[test]
fn stake() {
    envelope(MessageKind::Stake, |body| {
        let read = StakePayload::read(body)?;
        assert!(pays_to_script_hash(&read.lock_script()));
        Some(read.body())
    });
}

#[test]
fn anchor() {
    envelope(MessageKind::Anchor, |body| {
        let read = Anchor::read(body)?;
        assert_ne!(read.last_block, 0);
        Some(read.body())
    });
}

#[test]
fn data_pointer() {
    envelope(MessageKind::DataPointer, |body| {
        let read = DataPointer::read(body)?;
        assert!(read.index < read.count && read.count <= MAX_PARTS);
        // Alone it leads to all data only if that has one part.
        let found = follow(&[read], &read.link());
        assert_eq!(found, (read.count == 1).then(|| vec![read]));
        Some(read.body())
    });
}

#[test]
fn burn() {
    let burn = |recipient| BurnPayload { chain_id: 3, recipient, amount: 7 };
    let generator = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    let key: [u8; 33] = hex::decode(generator).expect("hex").try_into().expect("33 bytes");
    let to_key = burn(Recipient::Key(ecdsa::Public::from_raw(key)));
    let to_account = burn(Recipient::Account([7; 32].into()));
    let long = [&[0x6a, 0x4c, PAYLOAD_LEN as u8][..], &to_key.encode(), &[0x51]].concat();
    fuzz(&[to_key.script(), to_account.script(), long], |script| {
        let Some(payload) = marked_payload(script) else { return false };
        assert!(payload.starts_with(&MARKER));
        let Ok(read) = BurnPayload::decode(payload) else {
            assert!(judge(payload, 1, 3).is_err());
            return false;
        };
        assert_ne!(read.chain_id, 0);
        assert_eq!(&read.encode()[..], payload);
        assert!(read.script().len() <= script.len());
        assert_eq!(judge(payload, 1, read.chain_id), Ok(read));
        assert!(judge(payload, 0, 3).is_err(), "nothing is destroyed");
        true
    });
}

#[test]
fn trust() {
    let said = |kind, weight| TrustPayload {
        kind,
        from: [0x11; 20],
        to: [0x22; 20],
        weight,
        bond: 10_200_000,
        timestamp: 1_700_000_000,
    };
    let scripts = [said(TrustKind::Edge, -2).script(), said(TrustKind::Vote, 100).script()];
    fuzz(&scripts, |script| {
        let Some(read) = TrustPayload::read(script) else { return false };
        assert!(is_container(script));
        assert_eq!(read.script(), script, "there is one form only");
        assert!(i16::from(read.weight).abs() <= MAX_WEIGHT);
        assert!(i64::try_from(read.bond).is_ok());
        true
    });
}

/// The script in whose pushes a forced transaction stands.
#[test]
fn data_in_a_witness() {
    let of = |length: usize| data_script(&vec![7; length], &[2; 33]).expect("it fits");
    let joined = [0x00, 0x63, 2, 7, 8, 0x4c, 1, 9, 0x4d, 1, 0, 8, 0x68, 0xff].to_vec();
    fuzz(&[of(1), of(75), of(80), of(600), of(MAX_FORCED_BYTES), joined], |script| {
        let Some(data) = shown_data(script) else { return false };
        assert!(data.len() <= MAX_FORCED_BYTES && data.len() < script.len());
        // What can be named can be shown, and is shown as what was named.
        assert_eq!(ForcedPayload::of(&data).is_some(), !data.is_empty());
        if let Some(named) = ForcedPayload::of(&data) {
            assert!(named.names(&data));
            let shown = data_script(&data, &[2; 33]).expect("it can be named");
            assert_eq!(shown_data(&shown), Some(data));
        }
        true
    });
}
