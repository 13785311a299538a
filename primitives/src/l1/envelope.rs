//! The envelope of all that L1 users tell a layer 2 besides burns and trust.
//!
//! ```text
//! script   6a ‖ push of the message
//! message  "CASL2" ‖ version u8 ‖ kind u8 ‖ chain id u32 LE ‖ body of at most 69 bytes
//! ```
//! [`Message::script`] makes the push in its shortest form; any other form is read too, and
//! bytes behind it are ignored.
//!
//! A message is at most 80 bytes, which every L1 node relays. It begins with none of the
//! words that L1's own rules look for (spec: cascoin-l1.md 1.5, 2.2). What another version
//! or an unknown kind means nobody knows today, so a reader skips it and counts it
//! ([`Unread`]): L1 can hold messages of later programs.
//!
//! The chain id is that of the layer 2 which the message is for; readers of other chains
//! skip it. Each kind defines its own body beside this file.

use super::burn::return_payload;
use alloc::vec::Vec;

/// The bytes that every message begins with.
pub const MARKER: [u8; 5] = *b"CASL2";
/// The only version there is.
pub const VERSION: u8 = 1;
/// Most bytes of a message: what standard relay policy lets through in one output.
pub const MAX_MESSAGE: usize = 80;
/// Marker, version, kind and chain id.
const HEADER: usize = MARKER.len() + 1 + 1 + 4;
/// Most bytes of a body.
pub const MAX_BODY: usize = MAX_MESSAGE - HEADER;

const OP_RETURN: u8 = 0x6a;
const OP_PUSHDATA1: u8 = 0x4c;

/// What a message is. Its number is its byte on L1, and is never given to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum MessageKind {
    /// A layer 2 chain is registered (R1.5).
    ChainRegistration = 1,
    /// Coins are deposited in the vault (R4.1).
    VaultDeposit = 2,
    /// A transaction of the layer 2 that no sequencer can leave out (R17).
    ForcedTransaction = 3,
    /// A call that L2 executes as the sender's own (R9.1).
    CrossLayer = 4,
    /// A sequencer's keys are revoked (R30.5).
    KeyRevocation = 5,
    /// Coins are locked on L1 as a sequencer's stake (R2.3).
    Stake = 6,
    /// A layer 2 commits to its blocks up to one (R3.2).
    Anchor = 7,
    /// Where a part of a batch's data stands (R7.1).
    DataPointer = 8,
}

impl MessageKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::ChainRegistration,
        Self::VaultDeposit,
        Self::ForcedTransaction,
        Self::CrossLayer,
        Self::KeyRevocation,
        Self::Stake,
        Self::Anchor,
        Self::DataPointer,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A message of this version and of a known kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is.
    pub kind: MessageKind,
    /// The layer 2 it is for; never 0.
    pub chain_id: u32,
    /// What it says, at most [`MAX_BODY`] bytes.
    pub body: &'a [u8],
}

/// Why a marked output is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is too short for its header, longer than [`MAX_MESSAGE`], or for chain 0.
    Malformed,
    /// Its version is not [`VERSION`].
    Version(u8),
    /// Its kind is none of [`MessageKind`].
    Kind(u8),
}

impl<'a> Message<'a> {
    /// Reads an output script. `None` for one that is not marked.
    ///
    /// # Errors
    /// [`Unread`], for what is marked and cannot be read.
    pub fn read(script: &'a [u8]) -> Option<Result<Self, Unread>> {
        let message = return_payload(script)?;
        let rest = message.strip_prefix(&MARKER)?;
        Some(Self::read_marked(message.len(), rest))
    }

    fn read_marked(length: usize, rest: &'a [u8]) -> Result<Self, Unread> {
        if length > MAX_MESSAGE {
            return Err(Unread::Malformed);
        }
        let (&[version, kind], rest) = rest.split_first_chunk().ok_or(Unread::Malformed)?;
        if version != VERSION {
            return Err(Unread::Version(version));
        }
        let (chain_id, body) = rest.split_first_chunk().ok_or(Unread::Malformed)?;
        let kind = MessageKind::of(kind).ok_or(Unread::Kind(kind))?;
        match u32::from_le_bytes(*chain_id) {
            0 => Err(Unread::Malformed),
            chain_id => Ok(Self { kind, chain_id, body }),
        }
    }

    /// The output script that carries the message. `None` if the body is longer than
    /// [`MAX_BODY`].
    pub fn script(&self) -> Option<Vec<u8>> {
        if self.body.len() > MAX_BODY {
            return None;
        }
        let length = HEADER.saturating_add(self.body.len()) as u8;
        let mut script = Vec::with_capacity(3 + MAX_MESSAGE);
        script.push(OP_RETURN);
        if length > 75 {
            script.push(OP_PUSHDATA1);
        }
        script.push(length);
        script.extend(MARKER);
        script.extend([VERSION, self.kind as u8]);
        script.extend(self.chain_id.to_le_bytes());
        script.extend(self.body);
        Some(script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Byte by byte, as docs/l1-formats.md shows it.
    #[test]
    fn a_message_has_the_bytes_that_are_documented() {
        let message =
            Message { kind: MessageKind::KeyRevocation, chain_id: 3, body: &[0xaa, 0xbb] };
        let script = message.script().expect("short");
        let expected = hex::decode("6a0d4341534c32010503000000aabb").expect("hex");
        assert_eq!(script, expected);
        assert_eq!(Message::read(&script), Some(Ok(message)));
    }

    /// As the formats say: the form of the push is no part of the message.
    #[test]
    fn any_push_is_read_and_bytes_behind_it_are_ignored() {
        let body = [0xaa, 0xbb];
        let message = Message { kind: MessageKind::KeyRevocation, chain_id: 3, body: &body };
        let payload = b"CASL2\x01\x05\x03\0\0\0\xaa\xbb";
        for push in [&[13][..], &[0x4c, 13], &[0x4d, 13, 0], &[0x4e, 13, 0, 0, 0]] {
            for behind in [&[][..], &[0x51, 0xff]] {
                let script = [&[OP_RETURN][..], push, payload, behind].concat();
                assert_eq!(Message::read(&script), Some(Ok(message)), "{push:x?}");
            }
        }
    }

    #[test]
    fn what_is_unknown_is_told_apart_from_what_is_not_ours() {
        let script = |payload: &[u8]| [&[OP_RETURN, payload.len() as u8], payload].concat();
        assert_eq!(Message::read(&script(b"L2BURN\x01\x05\x03\0\0\0")), None);
        assert_eq!(Message::read(&[OP_RETURN]), None);
        assert_eq!(Message::read(&[]), None);
        let read = |payload: &[u8]| {
            Message::read(&script(payload)).expect("marked").map(|message| message.kind)
        };
        assert_eq!(read(b"CASL2"), Err(Unread::Malformed));
        assert_eq!(read(b"CASL2\x01\x05\x03\0\0"), Err(Unread::Malformed));
        assert_eq!(read(b"CASL2\x01\x05\0\0\0\0"), Err(Unread::Malformed));
        assert_eq!(read(b"CASL2\x02\x05\x03\0\0\0"), Err(Unread::Version(2)));
        assert_eq!(read(b"CASL2\x01\xfe\x03\0\0\0"), Err(Unread::Kind(0xfe)));
        let long = [&b"CASL2\x01\x05\x03\0\0\0"[..], &[0; 70]].concat();
        let script = [&[OP_RETURN, OP_PUSHDATA1, 81], &long[..]].concat();
        assert_eq!(Message::read(&script), Some(Err(Unread::Malformed)));
    }

    proptest! {
        #[test]
        fn p9_every_message_reads_as_it_was_written(
            kind in 0usize..MessageKind::ALL.len(),
            chain_id in 1u32..,
            body in proptest::collection::vec(any::<u8>(), 0..=MAX_BODY),
        ) {
            let message = Message { kind: MessageKind::ALL[kind], chain_id, body: &body };
            let script = message.script().expect("short enough");
            prop_assert!(script.len() <= MAX_MESSAGE + 3);
            prop_assert_eq!(Message::read(&script), Some(Ok(message)));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(
            script in proptest::collection::vec(any::<u8>(), 0..120),
            marked in any::<bool>(),
        ) {
            let marked_script = [&[OP_RETURN, 80][..], &MARKER, &script].concat();
            let script = if marked { marked_script } else { script };
            if let Some(Ok(message)) = Message::read(&script) {
                prop_assert!(message.body.len() <= MAX_BODY && message.chain_id != 0);
            }
        }
    }
}
