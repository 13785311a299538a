//! A message from L1 to L2 (R9.1): a call that L2 executes as the sender's own, in the
//! [envelope](super::envelope).
//!
//! ```text
//! message  envelope of kind 4 with a body of 6 to 69 bytes:
//!          origin 00 ‖ gas u32 LE ‖ call
//! ```
//! The call is a runtime call of this layer 2 in its SCALE encoding. Origin `00` is the
//! account of the key that signed the transaction's first input; other origins are for
//! later. The value of the output is what the message brings along.
//!
//! L1 tells who sends and what; what the call means is L2's to judge.

use super::{
    burn::return_payload,
    envelope::{Message, MessageKind, MAX_BODY},
};
use alloc::vec::Vec;

/// The origin that there is: the account of the sender's key.
pub const ORIGIN_ACCOUNT: u8 = 0;
/// Origin and gas.
const HEAD: usize = 1 + 4;
/// Most bytes of a call.
pub const MAX_CALL: usize = MAX_BODY - HEAD;

/// What a message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossLayerPayload {
    /// The most gas that its call may be worth. A heavier call is not executed.
    pub gas: u32,
    /// The call, 1 to [`MAX_CALL`] bytes.
    pub call: Vec<u8>,
}

impl CrossLayerPayload {
    /// Reads a body. `None` for one without a call, that is too long, or with another
    /// origin.
    pub fn read(body: &[u8]) -> Option<Self> {
        let (&origin, rest) = body.split_first()?;
        let (gas, call) = rest.split_first_chunk::<4>()?;
        let fits = (1..=MAX_CALL).contains(&call.len());
        (origin == ORIGIN_ACCOUNT && fits)
            .then(|| Self { gas: u32::from_le_bytes(*gas), call: call.to_vec() })
    }

    /// The body of the message.
    pub fn body(&self) -> Vec<u8> {
        [&[ORIGIN_ACCOUNT][..], &self.gas.to_le_bytes(), &self.call].concat()
    }

    /// The output script that says it to the layer 2 `chain_id`. `None` if the call is
    /// too long.
    pub fn script(&self, chain_id: u32) -> Option<Vec<u8>> {
        Message { kind: MessageKind::CrossLayer, chain_id, body: &self.body() }.script()
    }

    /// What that script pushes: the data that wallets put behind `OP_RETURN` by themselves.
    pub fn data(&self, chain_id: u32) -> Option<Vec<u8>> {
        let script = self.script(chain_id)?;
        return_payload(&script).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Byte by byte, as docs/l1-formats.md shows it.
    #[test]
    fn r9_1_a_message_has_the_bytes_that_are_documented() {
        let payload = CrossLayerPayload { gas: 50_000, call: vec![0x00, 0x00, 0x04, 0xaa] };
        let script = payload.script(3).expect("it fits");
        assert_eq!(hex::encode(&script), "6a144341534c320104030000000050c30000000004aa");
        assert_eq!(payload.data(3).as_deref(), Some(&script[2..]));
        let read = Message::read(&script).expect("marked").expect("readable");
        assert_eq!((read.kind, read.chain_id), (MessageKind::CrossLayer, 3));
        assert_eq!(CrossLayerPayload::read(read.body), Some(payload));
    }

    #[test]
    fn what_has_no_call_or_another_origin_is_none() {
        assert_eq!(CrossLayerPayload::read(&[]), None);
        assert_eq!(CrossLayerPayload::read(&[0, 1, 0, 0, 0]), None);
        assert!(CrossLayerPayload::read(&[0, 1, 0, 0, 0, 7]).is_some());
        assert_eq!(CrossLayerPayload::read(&[1, 1, 0, 0, 0, 7]), None);
        assert!(CrossLayerPayload::read(&[0; MAX_BODY]).is_some());
        assert_eq!(CrossLayerPayload::read(&[0; MAX_BODY + 1]), None);
        let long = CrossLayerPayload { gas: 1, call: vec![0; MAX_CALL + 1] };
        assert_eq!(long.script(3), None);
    }

    proptest! {
        #[test]
        fn p9_every_message_is_read_as_it_was_written(
            chain_id in 1u32..,
            gas: u32,
            call in proptest::collection::vec(any::<u8>(), 1..=MAX_CALL),
        ) {
            let payload = CrossLayerPayload { gas, call };
            let script = payload.script(chain_id).expect("it fits");
            let read = Message::read(&script).expect("marked").expect("readable");
            prop_assert_eq!((read.kind, read.chain_id), (MessageKind::CrossLayer, chain_id));
            prop_assert_eq!(CrossLayerPayload::read(read.body), Some(payload));
        }

        #[test]
        fn any_body_is_read_without_a_panic(
            body in proptest::collection::vec(any::<u8>(), 0..90),
        ) {
            if let Some(payload) = CrossLayerPayload::read(&body) {
                prop_assert_eq!(payload.body(), body);
            }
        }
    }
}
