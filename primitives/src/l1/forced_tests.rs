//! The bytes of a transaction that stands on L1.

use super::*;
use proptest::prelude::*;

const KEY: [u8; 33] = [2; 33];

/// Byte by byte, as docs/l1-formats.md shows it.
#[test]
fn r17_1_a_forced_transaction_has_the_bytes_that_are_documented() {
    let payload = ForcedPayload::of(b"abc").expect("short");
    let expected = "6a2d4341534c32010303000000\
                    ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\
                    0300";
    assert_eq!(hex::encode(payload.script(3)), expected);
    let script = data_script(b"abc", &KEY).expect("short");
    let expected = format!("0063036162636821{}ac", "02".repeat(33));
    assert_eq!(hex::encode(&script), expected);
    assert_eq!(shown_data(&script).as_deref(), Some(&b"abc"[..]));
    let output = script_address(&script).script();
    assert_eq!((output.len(), &output[..2]), (34, &[0x00, 0x20][..]));
}

#[test]
fn r17_1_the_longest_is_a_standard_script_and_a_longer_one_is_none() {
    let longest = [7; MAX_FORCED_BYTES];
    let script = data_script(&longest, &KEY).expect("it fits");
    assert!(script.len() <= MAX_STANDARD_SCRIPT);
    assert_eq!(shown_data(&script).as_deref(), Some(&longest[..]));
    let longer = [7; MAX_FORCED_BYTES + 1];
    assert_eq!(data_script(&longer, &KEY), None);
    assert_eq!(ForcedPayload::of(&longer), None);
    assert_eq!(data_script(&[], &KEY), None);
    assert_eq!(ForcedPayload::of(&[]), None);
    // Whoever writes a longer one by hand shows nothing.
    let pushes: Vec<u8> = longer.chunks(75).fold(vec![0x00, 0x63], |mut script, push| {
        script.push(push.len() as u8);
        script.extend(push);
        script
    });
    assert_eq!(shown_data(&[&pushes[..], &[0x68]].concat()), None);
}

#[test]
fn what_has_another_form_shows_nothing() {
    let good = [0x00, 0x63, 2, 7, 8, 0x68];
    assert_eq!(shown_data(&good), Some(vec![7, 8]));
    assert_eq!(shown_data(&good[..5]), None, "no end");
    assert_eq!(shown_data(&good[..4]), None, "a push that ends too early");
    assert_eq!(shown_data(&[0x51, 0x63, 2, 7, 8, 0x68]), None, "it is executed");
    assert_eq!(shown_data(&[0x00, 0x63, 0x51, 0x68]), None, "no push");
    assert_eq!(shown_data(&[0x00, 0x63, 0x4d, 1]), None, "half a length");
    assert_eq!(shown_data(&[]), None);
    // Other forms of a push are read, too.
    assert_eq!(shown_data(&[0x00, 0x63, 0x4c, 1, 7, 0x4d, 1, 0, 8, 0x68]), Some(vec![7, 8]));
}

#[test]
fn a_body_of_another_length_or_for_impossible_data_names_nothing() {
    let body = |length: u16| [&[9; 32][..], &length.to_le_bytes()].concat();
    assert!(ForcedPayload::read(&body(1)).is_some());
    assert!(ForcedPayload::read(&body(MAX_FORCED_BYTES as u16)).is_some());
    assert_eq!(ForcedPayload::read(&body(0)), None);
    assert_eq!(ForcedPayload::read(&body(MAX_FORCED_BYTES as u16 + 1)), None);
    assert_eq!(ForcedPayload::read(&body(1)[..33]), None);
    assert_eq!(ForcedPayload::read(&[&body(1)[..], &[0]].concat()), None);
}

proptest! {
    #[test]
    fn r17_1_all_data_is_read_as_it_was_written(
        chain_id in 1u32..,
        data in proptest::collection::vec(any::<u8>(), 1..=MAX_FORCED_BYTES),
    ) {
        let payload = ForcedPayload::of(&data).expect("it fits");
        let script = payload.script(chain_id);
        let message = Message::read(&script).expect("marked").expect("readable");
        prop_assert_eq!((message.kind, message.chain_id), (MessageKind::ForcedTransaction, chain_id));
        prop_assert_eq!(ForcedPayload::read(message.body), Some(payload));
        let shown = shown_data(&data_script(&data, &KEY).expect("it fits"));
        prop_assert!(payload.names(&data));
        prop_assert_eq!(shown, Some(data));
    }

    #[test]
    fn any_script_is_read_without_a_panic(
        script in proptest::collection::vec(any::<u8>(), 0..200), marked in any::<bool>(),
    ) {
        let script = if marked { [&[0x00, 0x63][..], &script].concat() } else { script };
        if let Some(data) = shown_data(&script) {
            prop_assert!(data.len() <= script.len());
        }
    }
}
