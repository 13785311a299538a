//! The revocation of a sequencer's session keys (R30.5): a message of the
//! [envelope](super::envelope).
//!
//! ```text
//! script   6a 2b ‖ message of 43 bytes
//! message  "CASL2" ‖ 01 version ‖ 05 kind ‖ chain id u32 LE ‖ account 32
//! ```
//! The body is the account and nothing else; of any other length it is no revocation.
//! Who says it is what the transaction's first input proves. Whether that is the key
//! that the account named for it is L2's to judge.

use super::envelope::{Message, MessageKind, MAX_BODY};
use crate::chain::AccountId;
use alloc::vec::Vec;

/// Length of a body.
pub const BODY_LEN: usize = 32;

const _: () = assert!(BODY_LEN <= MAX_BODY);

/// That all session keys of a sequencer are void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The layer 2 on which it sequences; never 0.
    pub chain_id: u32,
    /// Whose keys.
    pub account: AccountId,
}

impl Revocation {
    /// Reads an output script. `None` for any that is no revocation of this form.
    pub fn read(script: &[u8]) -> Option<Self> {
        let Message { kind: MessageKind::KeyRevocation, chain_id, body } =
            Message::read(script)?.ok()?
        else {
            return None;
        };
        let account: [u8; BODY_LEN] = body.try_into().ok()?;
        Some(Self { chain_id, account: account.into() })
    }

    /// The output script that says it.
    pub fn script(&self) -> Vec<u8> {
        let kind = MessageKind::KeyRevocation;
        let message = Message { kind, chain_id: self.chain_id, body: self.account.as_ref() };
        // A body of this length always fits.
        message.script().unwrap_or_default()
    }

    /// What the script pushes: the data that wallets put behind `OP_RETURN` by
    /// themselves.
    pub fn data(&self) -> Vec<u8> {
        // Behind OP_RETURN and a push of one byte: it is short.
        self.script().into_iter().skip(2).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Byte by byte, as docs/l1-formats.md shows it.
    #[test]
    fn r30_5_a_revocation_has_the_bytes_that_are_documented() {
        let revocation = Revocation { chain_id: 3, account: [0x11; 32].into() };
        let script = revocation.script();
        let expected = "6a2b4341534c32010503000000\
                        1111111111111111111111111111111111111111111111111111111111111111";
        assert_eq!(hex::encode(&script), expected);
        assert_eq!(hex::encode(revocation.data()), expected[4..]);
        assert_eq!(Revocation::read(&script), Some(revocation));
    }

    #[test]
    fn what_has_another_length_or_kind_is_none() {
        let read = |kind, body: &[u8]| {
            let script = Message { kind, chain_id: 3, body }.script().expect("it fits");
            Revocation::read(&script)
        };
        assert!(read(MessageKind::KeyRevocation, &[7; 32]).is_some());
        assert_eq!(read(MessageKind::KeyRevocation, &[7; 31]), None);
        assert_eq!(read(MessageKind::KeyRevocation, &[7; 33]), None);
        assert_eq!(read(MessageKind::KeyRevocation, &[]), None);
        assert_eq!(read(MessageKind::Stake, &[7; 32]), None);
        assert_eq!(Revocation::read(b"\x6a\x05CASL2"), None);
        assert_eq!(Revocation::read(&[]), None);
    }

    proptest! {
        #[test]
        fn r30_5_every_revocation_reads_as_it_was_written(chain_id in 1u32.., account: [u8; 32]) {
            let revocation = Revocation { chain_id, account: account.into() };
            prop_assert_eq!(Revocation::read(&revocation.script()), Some(revocation));
        }
    }
}
