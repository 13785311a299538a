//! An anchor: what a layer 2 commits to of its blocks up to one (R3.2), in the
//! [envelope](super::envelope).
//!
//! ```text
//! message  envelope of kind 7 with a body of 69 bytes:
//!          data u8 ‖ last block u32 LE ‖ batch 32 ‖ settlement root 32
//! ```
//! The batch's hash binds everything that is not here: the blocks, the roots before and
//! after them, the data and who signed. The settlement root stands here besides, since
//! light clients and exits prove against it and need nothing else of the batch.
//!
//! Anybody can write this message. Which of them is an anchor, and that none is left out,
//! follows from the output that its transaction spends, one anchor's from the one before.
//! Neither batches nor these outputs exist yet: the format is fixed, and nothing acts on it.

use super::envelope::{Message, MessageKind, MAX_BODY};
use crate::chain::BlockNumber;
use alloc::vec::Vec;
use sp_core::H256;

/// Length of a body: all that a message has room for.
pub const BODY_LEN: usize = 1 + 4 + 32 + 32;

const _: () = assert!(BODY_LEN <= MAX_BODY);

/// Where the data of an anchored batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum DataPlace {
    /// On L1, where [data pointers](super::data_pointer) say.
    L1 = 1,
    /// In shares with the sequencers.
    Shares = 2,
}

impl DataPlace {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::L1, Self::Shares];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|place| *place as u8 == byte)
    }
}

/// What an anchor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Where the batch's data is.
    pub data: DataPlace,
    /// The last block of the batch; never 0, the genesis.
    pub last_block: BlockNumber,
    /// Hash of the batch.
    pub batch: H256,
    /// Settlement root behind the last block.
    pub settlement_root: H256,
}

impl Anchor {
    /// Reads a body. `None` for one of another length, with data in an unknown place or
    /// without a block.
    pub fn read(body: &[u8]) -> Option<Self> {
        let body: &[u8; BODY_LEN] = body.try_into().ok()?;
        let (&[data], body) = body.split_first_chunk::<1>()?;
        let (last_block, body) = body.split_first_chunk::<4>()?;
        let (batch, root) = body.split_first_chunk::<32>()?;
        let root: [u8; 32] = root.try_into().ok()?;
        let last_block = BlockNumber::from_le_bytes(*last_block);
        let data = DataPlace::of(data)?;
        (last_block > 0).then_some(Self {
            data,
            last_block,
            batch: H256(*batch),
            settlement_root: H256(root),
        })
    }

    /// The body of the message.
    pub fn body(&self) -> Vec<u8> {
        [
            &[self.data as u8][..],
            &self.last_block.to_le_bytes(),
            self.batch.as_bytes(),
            self.settlement_root.as_bytes(),
        ]
        .concat()
    }

    /// The output script that says it of the layer 2 `chain_id`.
    pub fn script(&self, chain_id: u32) -> Vec<u8> {
        let message = Message { kind: MessageKind::Anchor, chain_id, body: &self.body() };
        // A body of this length always fits.
        message.script().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn anchor() -> Anchor {
        Anchor {
            data: DataPlace::L1,
            last_block: 1_000_000,
            batch: H256([0x22; 32]),
            settlement_root: H256([0x33; 32]),
        }
    }

    /// Byte by byte, as docs/l1-formats.md shows it.
    #[test]
    fn r3_2_an_anchor_has_the_bytes_that_are_documented() {
        let script = anchor().script(3);
        let (batch, root) = ("22".repeat(32), "33".repeat(32));
        let expected = format!("6a4c504341534c320107030000000140420f00{batch}{root}");
        assert_eq!(hex::encode(&script), expected);
        let message = Message::read(&script).expect("marked").expect("readable");
        assert_eq!((message.kind, message.chain_id), (MessageKind::Anchor, 3));
        assert_eq!(Anchor::read(message.body), Some(anchor()));
    }

    #[test]
    fn what_has_another_length_place_or_no_block_is_none() {
        let good = anchor().body();
        assert_eq!(Anchor::read(&good), Some(anchor()));
        assert_eq!(Anchor::read(&good[1..]), None);
        assert_eq!(Anchor::read(&[&good[..], &[0]].concat()), None);
        assert_eq!(Anchor::read(&[]), None);
        for place in [0, 3, 0xff] {
            let mut other = good.clone();
            other[0] = place;
            assert_eq!(Anchor::read(&other), None, "{place}");
        }
        let genesis = Anchor { last_block: 0, ..anchor() };
        assert_eq!(Anchor::read(&genesis.body()), None);
    }

    proptest! {
        #[test]
        fn p9_every_anchor_reads_as_it_was_written(
            shares: bool, last_block in 1u32.., batch: [u8; 32], root: [u8; 32],
            chain_id in 1u32..,
        ) {
            let anchor = Anchor {
                data: if shares { DataPlace::Shares } else { DataPlace::L1 },
                last_block,
                batch: H256(batch),
                settlement_root: H256(root),
            };
            let script = anchor.script(chain_id);
            let message = Message::read(&script).expect("marked").expect("readable");
            prop_assert_eq!((message.kind, message.chain_id), (MessageKind::Anchor, chain_id));
            prop_assert_eq!(Anchor::read(message.body), Some(anchor));
        }

        #[test]
        fn any_body_is_read_without_a_panic(
            mut body in proptest::collection::vec(any::<u8>(), 0..90), place in 0u8..4, fits: bool,
        ) {
            if fits {
                body.resize(BODY_LEN, 7);
                body[0] = place;
            }
            if let Some(anchor) = Anchor::read(&body) {
                prop_assert_eq!(anchor.body(), body);
            }
        }
    }
}
