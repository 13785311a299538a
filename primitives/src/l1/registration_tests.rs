//! A registration, byte by byte.

use super::*;
use proptest::prelude::*;

fn registration(name: &[u8]) -> Registration {
    Registration {
        lock: TimeLock { unlock: 1_000_000, owner: [0x22; 20] },
        definition: L1Hash([0x33; 32]),
        name: chain_name(name).expect("a name"),
    }
}

/// Byte by byte, as docs/l1-formats.md shows it.
#[test]
fn r1_5_a_registration_has_the_bytes_that_are_documented() {
    let script = registration(b"demo-1").script(1);
    let expected = format!(
        "6a494341534c32010101000000{}{}{}{}",
        "40420f00",
        "22".repeat(20),
        "33".repeat(32),
        "64656d6f2d31"
    );
    assert_eq!(hex::encode(&script), expected);
    let read = Message::read(&script).expect("marked").expect("well-formed");
    assert_eq!((read.kind, read.chain_id), (MessageKind::ChainRegistration, 1));
    assert_eq!(Registration::read(read.body), Some(registration(b"demo-1")));
}

#[test]
fn the_longest_name_fills_a_message_and_a_longer_one_is_none() {
    assert_eq!(MAX_NAME, 13);
    let longest = registration(b"abcdefghijklm");
    assert_eq!(longest.body().len(), MAX_BODY);
    let script = longest.script(1);
    // OP_RETURN, OP_PUSHDATA1 and the length stand before 80 bytes.
    assert_eq!(script.len(), 83);
    assert_eq!(chain_name(b"abcdefghijklmn"), None);
}

#[test]
fn names_are_letters_digits_and_two_marks_and_begin_with_a_letter() {
    for good in [&b"a"[..], b"Z9", b"a_b-C"] {
        assert_eq!(chain_name(good).map(BoundedVec::into_inner), Some(good.to_vec()));
    }
    for bad in [&b""[..], b"1a", b"-a", b"_a", b"a b", b"a.b", b"a\0", "ä".as_bytes()] {
        assert_eq!(chain_name(bad), None, "{bad:?}");
    }
}

#[test]
fn what_is_malformed_is_no_registration() {
    let good = registration(b"demo").body();
    assert!(Registration::read(&good).is_some());
    // Without a name, with a bad one, with a lock that is no height.
    assert_eq!(Registration::read(&good[..FIXED_LEN]), None);
    assert_eq!(Registration::read(&good[..FIXED_LEN - 1]), None);
    assert_eq!(Registration::read(&[&good[..], b"!"].concat()), None);
    let unlock_at = |unlock: u32| [&unlock.to_le_bytes()[..], &good[4..]].concat();
    assert_eq!(Registration::read(&unlock_at(0)), None);
    assert_eq!(Registration::read(&unlock_at(MAX_UNLOCK + 1)), None);
    assert!(Registration::read(&unlock_at(MAX_UNLOCK)).is_some());
}

#[test]
fn r1_3_an_id_depends_on_all_of_the_outpoint() {
    let seed = OutPoint { txid: L1Hash([7; 32]), vout: 0 };
    let id = chain_id_of(&seed);
    assert_eq!(chain_id_of(&seed), id);
    assert_ne!(chain_id_of(&OutPoint { vout: 1, ..seed }), id);
    assert_ne!(chain_id_of(&OutPoint { txid: L1Hash([8; 32]), ..seed }), id);
}

proptest! {
    #[test]
    fn p9_every_registration_reads_as_it_was_written(
        name in "[a-zA-Z][a-zA-Z0-9_-]{0,12}", unlock in 1..=MAX_UNLOCK, owner: [u8; 20],
        definition: [u8; 32], chain_id in 1u32..,
    ) {
        let said = Registration {
            lock: TimeLock { unlock, owner },
            definition: L1Hash(definition),
            name: chain_name(name.as_bytes()).expect("a name"),
        };
        let script = said.script(chain_id);
        let read = Message::read(&script).expect("marked").expect("well-formed");
        prop_assert_eq!(read.chain_id, chain_id);
        prop_assert_eq!(Registration::read(read.body), Some(said));
    }

    #[test]
    fn r1_3_ids_of_registered_chains_are_none_of_the_presets(txid: [u8; 32], vout: u32) {
        let id = chain_id_of(&OutPoint { txid: L1Hash(txid), vout });
        prop_assert!((FIRST_CHAIN_ID..999_999_999).contains(&id));
    }
}
