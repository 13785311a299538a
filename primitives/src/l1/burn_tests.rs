//! The burn format: the test vector, every push form, and what is refused.

use super::burn::*;
use crate::chain::AccountId;
use proptest::prelude::*;
use sp_core::{ecdsa, Pair};
use sp_runtime::{traits::IdentifyAccount, MultiSigner};

/// cascoin-l1.md 2.1: the generator point's key, chain 1, 10^9 units.
const VECTOR: &str = "6a334c324255524e010000000279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28\
                      d959f2815b16f8179800ca9a3b00000000";

fn vector() -> Vec<u8> {
    hex::decode(VECTOR).expect("hex")
}

fn vector_burn() -> BurnPayload {
    let key = hex::decode("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
        .expect("hex");
    BurnPayload {
        chain_id: 1,
        recipient: Recipient::Key(ecdsa::Public::from_raw(key.try_into().expect("33 bytes"))),
        amount: 1_000_000_000,
    }
}

/// The payload behind the push forms that can hold its length.
fn scripts(payload: &[u8]) -> Vec<Vec<u8>> {
    let length = payload.len();
    let mut heads = vec![
        [&[0x6a, 0x4d][..], &(length as u16).to_le_bytes()].concat(),
        [&[0x6a, 0x4e][..], &(length as u32).to_le_bytes()].concat(),
    ];
    if length <= 255 {
        heads.push(vec![0x6a, 0x4c, length as u8]);
    }
    if (1..=75).contains(&length) {
        heads.push(vec![0x6a, length as u8]);
    }
    heads.into_iter().map(|head| [&head, payload].concat()).collect()
}

#[test]
fn the_test_vector_is_read_and_written() {
    assert_eq!(vector_burn().script(), vector());
    let payload = marked_payload(&vector()).expect("marked").to_vec();
    assert_eq!(payload.len(), PAYLOAD_LEN);
    assert_eq!(judge(&payload, 5, 1), Ok(vector_burn()));
}

#[test]
fn a_key_s_account_is_its_ecdsa_account() {
    let Recipient::Key(key) = vector_burn().recipient else { panic!("a key") };
    assert_eq!(vector_burn().recipient.account(), MultiSigner::Ecdsa(key).into_account());
}

#[test]
fn every_push_form_is_read_and_what_follows_is_ignored() {
    let payload = vector_burn().encode();
    for mut script in scripts(&payload) {
        assert_eq!(marked_payload(&script), Some(&payload[..]));
        script.extend([0x6a, 0xff, 0x01]);
        assert_eq!(marked_payload(&script), Some(&payload[..]));
    }
}

#[test]
fn scripts_that_are_no_marked_output_are_none() {
    let payload = vector_burn().encode();
    let good = vector();
    let no_return = [&[0x00], &good[1..]].concat();
    let opcode_before = [&[0x6a, 0x51], &good[1..]].concat();
    let op_number = [&[0x6a, 0x5f], &payload[..]].concat();
    let negative_one = [&[0x6a, 0x4f], &payload[..]].concat();
    let other_marker = [&good[..2], b"L2BURM", &good[8..]].concat();
    let short_marker = vec![0x6a, 5, b'L', b'2', b'B', b'U', b'R'];
    let nothing = [vec![], vec![0x6a], vec![0x6a, 0x00]];
    let cases = [no_return, opcode_before, op_number, negative_one, other_marker, short_marker];
    for script in cases.iter().chain(&nothing) {
        assert_eq!(marked_payload(script), None, "{script:02x?}");
    }
    // Cut anywhere, it ends before its push does.
    for script in scripts(&payload) {
        for length in 0..script.len() {
            assert_eq!(marked_payload(&script[..length]), None, "cut after {length}");
        }
    }
    // A length that no memory holds.
    let huge = [&[0x6a, 0x4e, 0xff, 0xff, 0xff, 0xff], &payload[..]].concat();
    assert_eq!(marked_payload(&huge), None);
}

#[test]
fn a_marked_output_of_another_length_is_marked_and_malformed() {
    for length in [6, 7, 50, 52, 75, 76, 80, 255, 256, 520] {
        let mut payload = vector_burn().encode().to_vec();
        payload.resize(length, 0);
        for script in scripts(&payload) {
            let read = marked_payload(&script).expect("marked");
            assert_eq!(read, &payload[..]);
            assert_eq!(judge(read, 5, 1), Err(BurnRejection::Malformed), "{length}");
        }
    }
}

#[test]
fn the_first_reason_in_the_fixed_order_is_given() {
    let payload = |chain_id: u32, prefix: u8| {
        let mut bytes = vector_burn().encode();
        bytes[6..10].copy_from_slice(&chain_id.to_le_bytes());
        bytes[10] = prefix;
        bytes
    };
    assert_eq!(judge(&payload(0, 9), 0, 1), Err(BurnRejection::Malformed));
    assert_eq!(judge(&payload(2, 9), 0, 1), Err(BurnRejection::BadKey));
    assert_eq!(judge(&payload(2, 2), 0, 1), Err(BurnRejection::WrongChain));
    assert_eq!(judge(&payload(1, 2), 0, 1), Err(BurnRejection::ZeroValue));
    assert!(judge(&payload(1, 2), 1, 1).is_ok());
}

#[test]
fn only_recipients_that_can_spend_are_taken() {
    let with = |recipient: [u8; 33]| {
        let mut bytes = vector_burn().encode();
        bytes[10..43].copy_from_slice(&recipient);
        BurnPayload::decode(&bytes)
    };
    let point = |prefix: u8, last: u8| {
        let mut key = [0; 33];
        (key[0], key[32]) = (prefix, last);
        key
    };
    for prefix in [1, 4, 5, 6, 7, 0x80, 0xff] {
        assert_eq!(with(point(prefix, 1)), Err(BurnRejection::BadKey), "{prefix}");
    }
    // On secp256k1 there is a point with x = 1, 2, 3, 4, 6 and none with x = 0, 5.
    for (x, on_curve) in
        [(0, false), (1, true), (2, true), (3, true), (4, true), (5, false), (6, true)]
    {
        for prefix in [2, 3] {
            assert_eq!(with(point(prefix, x)).is_ok(), on_curve, "x = {x}");
        }
    }
    // x beyond the field.
    assert_eq!(with([0xff; 33].map(|_| 0xff)), Err(BurnRejection::BadKey));
    let mut beyond = [0xff; 33];
    beyond[0] = 2;
    assert_eq!(with(beyond), Err(BurnRejection::BadKey));
    // An account is 32 bytes of any kind.
    assert!(with(point(0, 5)).is_ok());
}

fn recipients() -> impl Strategy<Value = Recipient> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(|account| Recipient::Account(AccountId::new(account))),
        any::<[u8; 32]>().prop_filter_map("a secret key", |seed| {
            Some(Recipient::Key(ecdsa::Pair::from_seed_slice(&seed).ok()?.public()))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_burn_survives_the_round_trip(
        chain_id in 1..=u32::MAX, recipient in recipients(), amount: u64, value in 1..=u64::MAX,
    ) {
        let burn = BurnPayload { chain_id, recipient, amount };
        let script = burn.script();
        let payload = marked_payload(&script).expect("marked");
        prop_assert_eq!(judge(payload, value, chain_id), Ok(burn));
    }

    #[test]
    fn no_script_and_no_payload_makes_the_reader_panic(
        script in prop::collection::vec(any::<u8>(), 0..700), value: u64, chain_id: u32,
    ) {
        for bytes in [script.clone(), [&[0x6a], &script[..]].concat()] {
            if let Some(payload) = marked_payload(&bytes) {
                prop_assert!(payload.starts_with(&MARKER));
            }
        }
        let marked = [&MARKER[..], &script].concat();
        let _ = judge(&marked, value, chain_id);
        let cut = &marked[..marked.len().min(PAYLOAD_LEN)];
        if let Ok(burn) = judge(cut, value, chain_id) {
            prop_assert_eq!(&burn.encode()[..], cut);
        }
    }
}
