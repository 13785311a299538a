//! Feeds damaged messages to whatever reads bytes that strangers write (R43.5).
//!
//! A target is a test named `fuzz::…` in the crate of what it tests, which calls [`fuzz`]
//! with messages that are right and a check. Bolero's own random engine, under the stable
//! compiler, makes bytes; [`damaged`] takes them for a choice of a message and of damage to
//! it, since bytes that are only random get past no marker.
//!
//! Each run of the tests tries [`CASES`] of a target. `scripts/fuzz` tries as many as it is
//! told (`BOLERO_RANDOM_ITERATIONS`). A case that fails is printed with its bytes and its
//! seed; `BOLERO_RANDOM_SEED` tries that one again.

use std::panic::RefUnwindSafe;

/// Cases of a target where nobody says another number.
pub const CASES: usize = 4_096;
/// Most damages of one message.
const MAX_DAMAGES: u8 = 4;
/// A choice from here on is no message but the bytes themselves.
const RAW: u8 = 0xf0;
/// Lengths and flags are often read from such bytes.
const TELLING: [u8; 8] = [0x00, 0x01, 0x7f, 0x80, 0xfc, 0xfd, 0xfe, 0xff];

/// Checks every message of `messages` as it is, and then damaged ones. `check` panics where
/// something is wrong, and says whether it could read what it got.
///
/// # Panics
/// If `check` does, if it cannot read one of `messages`, or none in all cases.
pub fn fuzz(messages: &[Vec<u8>], check: impl Fn(&[u8]) -> bool + RefUnwindSafe) {
    for (number, message) in messages.iter().enumerate() {
        assert!(check(message), "message {number} cannot be read: {message:02x?}");
    }
    let (mut cases, mut readable) = (0u64, 0u64);
    bolero::check!().with_iterations(CASES).for_each(|input: &[u8]| {
        cases += 1;
        readable += u64::from(check(&damaged(messages, input)));
    });
    // What scripts/fuzz reads.
    println!("fuzzed: {cases} cases, {readable} readable");
    assert!(readable > 0, "nothing could be read");
}

/// One of the messages, damaged as the input says; now and then the input itself.
pub fn damaged(messages: &[Vec<u8>], input: &[u8]) -> Vec<u8> {
    let [choice, count, damages @ ..] = input else { return input.to_vec() };
    if *count >= RAW || messages.is_empty() {
        return damages.to_vec();
    }
    let chosen = |byte: u8| &messages[usize::from(byte) % messages.len()];
    let mut bytes = chosen(*choice).clone();
    let mut left = damages;
    for _ in 0..*count % (MAX_DAMAGES + 1) {
        let Some((&[kind, low, high, value], behind)) = left.split_first_chunk() else { break };
        left = behind;
        let place = usize::from(u16::from_le_bytes([low, high])) % (bytes.len() + 1);
        let span = usize::from(value % 64);
        match kind % 9 {
            0 => set(&mut bytes, place, |_| value),
            1 => set(&mut bytes, place, |byte| byte ^ (1u8 << (value % 8))),
            2 => set(&mut bytes, place, |_| TELLING[usize::from(value % 8)]),
            3 => bytes.insert(place, value),
            4 => drop(bytes.drain(place..(place + span).min(bytes.len()))),
            5 => bytes.truncate(place),
            // A piece is there twice.
            6 => {
                let piece = bytes[place..(place + span).min(bytes.len())].to_vec();
                drop(bytes.splice(place..place, piece));
            }
            // It goes on as another message does.
            7 => {
                let other = chosen(value);
                bytes.truncate(place);
                bytes.extend(other.iter().skip(place));
            }
            // It goes on at random.
            _ => {
                bytes.truncate(place);
                bytes.extend(left);
            }
        }
    }
    bytes
}

fn set(bytes: &mut [u8], place: usize, change: impl FnOnce(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(place) {
        *byte = change(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Vec<Vec<u8>> {
        vec![vec![1, 2, 3, 4], vec![9; 6]]
    }

    #[test]
    fn damages_are_what_the_input_says() {
        let damaged = |input: &[u8]| damaged(&messages(), input);
        assert_eq!(damaged(&[0, 0]), [1, 2, 3, 4]);
        assert_eq!(damaged(&[3, 0]), [9; 6]);
        assert_eq!(damaged(&[0, 1, 0, 1, 0, 7]), [1, 7, 3, 4]);
        assert_eq!(damaged(&[0, 1, 1, 0, 0, 9]), [3, 2, 3, 4]);
        assert_eq!(damaged(&[0, 1, 2, 3, 0, 7]), [1, 2, 3, 0xff]);
        assert_eq!(damaged(&[0, 1, 3, 4, 0, 7]), [1, 2, 3, 4, 7]);
        assert_eq!(damaged(&[0, 1, 4, 1, 0, 2]), [1, 4]);
        assert_eq!(damaged(&[0, 1, 5, 1, 0, 0]), [1]);
        assert_eq!(damaged(&[0, 1, 6, 2, 0, 9]), [1, 2, 3, 4, 3, 4]);
        assert_eq!(damaged(&[0, 1, 7, 3, 0, 1]), [1, 2, 3, 9, 9, 9]);
        assert_eq!(damaged(&[0, 1, 8, 2, 0, 0, 77, 78]), [1, 2, 77, 78]);
        // Two of them; a third that is not there; a place behind the end.
        assert_eq!(damaged(&[0, 3, 0, 0, 0, 7, 5, 2, 0, 0, 1]), [7, 2]);
        assert_eq!(damaged(&[0, 1, 0, 4, 0, 7]), [1, 2, 3, 4]);
        // Raw.
        assert_eq!(damaged(&[0, RAW, 5, 6]), [5, 6]);
        assert_eq!(damaged(&[5]), [5]);
        assert!(damaged(&[]).is_empty());
    }

    #[test]
    fn no_input_makes_damage_impossible() {
        fuzz(&messages(), |bytes| {
            // As input: it chooses, and is damaged.
            damaged(&messages(), bytes);
            damaged(&[], bytes);
            damaged(&[Vec::new()], bytes);
            true
        });
    }

    #[test]
    #[should_panic]
    fn what_is_wrong_in_some_case_is_found() {
        fuzz(&messages(), |bytes| {
            assert_ne!(bytes.first(), Some(&0xff), "as told to be wrong");
            true
        });
    }

    #[test]
    #[should_panic(expected = "message 1 cannot be read")]
    fn a_message_that_is_not_right_is_found() {
        fuzz(&messages(), |bytes| bytes.first() == Some(&1));
    }

    #[test]
    #[should_panic(expected = "nothing could be read")]
    fn a_target_that_reads_nothing_is_found() {
        fuzz(&[], |_| false);
    }
}
