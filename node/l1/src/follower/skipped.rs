//! Messages on L1 that nobody can read today: of a later version, of an unknown kind, or
//! malformed. They are skipped, and counted, so that an operator whose program is older than
//! what people write on L1 can see it.

use crate::block::Block;
use cascoin_l2_primitives::l1::envelope::{Message, Unread};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many were skipped since the node started, for whichever layer 2 they are. Those of a
/// block that is read again count again.
#[derive(Debug, Default)]
pub struct SkippedMessages {
    malformed: AtomicU64,
    version: AtomicU64,
    kind: AtomicU64,
}

impl SkippedMessages {
    /// Counts those of a block.
    pub(super) fn count(&self, block: &Block) {
        for (_, output) in block.outputs() {
            let Some(Err(unread)) = Message::read(output.script) else { continue };
            let counter = match unread {
                Unread::Malformed => &self.malformed,
                Unread::Version(_) => &self.version,
                Unread::Kind(_) => &self.kind,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each reason with its number.
    pub fn totals(&self) -> [(&'static str, u64); 3] {
        [("malformed", &self.malformed), ("version", &self.version), ("kind", &self.kind)]
            .map(|(reason, counter)| (reason, counter.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::builder;
    use cascoin_l2_primitives::l1::{envelope::MessageKind, revocation::Revocation};

    fn output(payload: &[u8]) -> (u64, Vec<u8>) {
        let length = u8::try_from(payload.len()).expect("a short one");
        (0, [&[0x6a, length][..], payload].concat())
    }

    #[test]
    fn what_cannot_be_read_is_counted_by_its_reason_and_nothing_else_is() {
        let readable = Revocation { chain_id: 3, account: [7; 32].into() }.script();
        // Its kind is known; what its body means is not the envelope's business.
        let odd = Message { kind: MessageKind::Anchor, chain_id: 3, body: &[1] };
        let block = builder::block(&[
            builder::transaction(
                1,
                &[
                    (0, readable),
                    (0, odd.script().expect("it fits")),
                    output(b"CASL2\x02\x05\x03\0\0\0"),
                    output(b"CASL2\x01\xfe\x03\0\0\0"),
                    output(b"CASL2\x01\xff\x03\0\0\0"),
                ],
            ),
            builder::transaction(
                2,
                &[
                    output(b"CASL2"),
                    output(b"CASL2\x01\x05\0\0\0\0"),
                    output(b"L2BURN"),
                    output(b"CASL3\x01"),
                    output(b"CASL2\x01\xfd\x03\0\0\0"),
                    (5, vec![0x51]),
                ],
            ),
        ]);
        let skipped = SkippedMessages::default();
        assert_eq!(skipped.totals(), [("malformed", 0), ("version", 0), ("kind", 0)]);
        skipped.count(&block);
        assert_eq!(skipped.totals(), [("malformed", 2), ("version", 1), ("kind", 3)]);
        skipped.count(&block);
        assert_eq!(skipped.totals(), [("malformed", 4), ("version", 2), ("kind", 6)]);
    }
}
