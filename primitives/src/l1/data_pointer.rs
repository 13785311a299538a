//! Data pointers: where a batch's data stands on L1 (R7.1), in the
//! [envelope](super::envelope).
//!
//! ```text
//! message  envelope of kind 8 with a body of 68 bytes:
//!          previous 32 ‖ part 32 ‖ index u16 LE ‖ count u16 LE
//! link     SHA-256("CASL2DATA1" ‖ the body)
//! ```
//! A batch's data is more than one transaction holds, so it is cut into parts. Each part's
//! pointer has the part's SHA-256 and the link of the pointer before it, zero for the first.
//! The link of the last one is the data's hash, which the batch commits to: who knows that
//! finds the last pointer by it, and each other one by the next. Anybody can write pointers,
//! and none but the right ones has these links, so that no reader ever has to choose.
//!
//! How a transaction shows the part that its pointer names, and batches themselves, do not
//! exist yet: the format is fixed, and nothing acts on it.

use super::envelope::{Message, MessageKind, MAX_BODY};
use alloc::{collections::BTreeMap, vec::Vec};
use sha2::{Digest, Sha256};
use sp_core::H256;

/// Length of a body.
pub const BODY_LEN: usize = 32 + 32 + 2 + 2;
/// Most parts of a batch's data.
pub const MAX_PARTS: u16 = 1_024;
/// Domain of a link.
pub const LINK_DOMAIN: &[u8; 10] = b"CASL2DATA1";

const _: () = assert!(BODY_LEN <= MAX_BODY);

/// What a data pointer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataPointer {
    /// Link of the pointer to the part before; zero for the first part.
    pub previous: H256,
    /// SHA-256 of the part.
    pub part: H256,
    /// Position of the part, from 0; below `count`.
    pub index: u16,
    /// How many parts the data has, from 1 to [`MAX_PARTS`].
    pub count: u16,
}

impl DataPointer {
    /// Reads a body. `None` for one of another length, of a part that cannot be, or with a
    /// first part that has one before it.
    pub fn read(body: &[u8]) -> Option<Self> {
        let body: &[u8; BODY_LEN] = body.try_into().ok()?;
        let (previous, body) = body.split_first_chunk::<32>()?;
        let (part, body) = body.split_first_chunk::<32>()?;
        let (index, count) = body.split_first_chunk::<2>()?;
        let pointer = Self {
            previous: H256(*previous),
            part: H256(*part),
            index: u16::from_le_bytes(*index),
            count: u16::from_le_bytes(count.try_into().ok()?),
        };
        pointer.is_sound().then_some(pointer)
    }

    fn is_sound(&self) -> bool {
        self.count <= MAX_PARTS
            && self.index < self.count
            && (self.index == 0) == self.previous.is_zero()
    }

    /// The pointers to all parts of data, in their order. `None` if there are none or more
    /// than [`MAX_PARTS`].
    pub fn to_parts(parts: &[&[u8]]) -> Option<Vec<Self>> {
        let count = u16::try_from(parts.len()).ok()?;
        if !(1..=MAX_PARTS).contains(&count) {
            return None;
        }
        let mut previous = H256::zero();
        let mut pointers = Vec::with_capacity(parts.len());
        for (index, part) in (0u16..).zip(parts) {
            let part = H256(Sha256::digest(part).into());
            let pointer = Self { previous, part, index, count };
            previous = pointer.link();
            pointers.push(pointer);
        }
        Some(pointers)
    }

    /// Whether this is the part.
    pub fn names(&self, part: &[u8]) -> bool {
        self.part.0 == <[u8; 32]>::from(Sha256::digest(part))
    }

    /// What the next pointer names this one by; of the last one, the hash of all data.
    pub fn link(&self) -> H256 {
        let hasher = Sha256::new_with_prefix(LINK_DOMAIN).chain_update(self.body());
        H256(hasher.finalize().into())
    }

    /// The body of the message.
    pub fn body(&self) -> Vec<u8> {
        [
            self.previous.as_bytes(),
            self.part.as_bytes(),
            &self.index.to_le_bytes(),
            &self.count.to_le_bytes(),
        ]
        .concat()
    }

    /// The output script that says it of the layer 2 `chain_id`.
    pub fn script(&self, chain_id: u32) -> Vec<u8> {
        let message = Message { kind: MessageKind::DataPointer, chain_id, body: &self.body() };
        // A body of this length always fits.
        message.script().unwrap_or_default()
    }
}

/// The pointers to the data with the hash `data`, in the order of its parts, among any
/// pointers in any order; `None` while one is missing.
pub fn follow(pointers: &[DataPointer], data: &H256) -> Option<Vec<DataPointer>> {
    let by_link: BTreeMap<_, _> =
        pointers.iter().map(|pointer| (pointer.link(), *pointer)).collect();
    let last = by_link.get(data)?;
    let mut next = *last;
    let mut found = Vec::from([next]);
    // As many steps as there are parts before it.
    for index in (0..last.index).rev() {
        next = *by_link.get(&next.previous)?;
        if (next.index, next.count) != (index, last.count) {
            return None;
        }
        found.push(next);
    }
    found.reverse();
    (last.index.checked_add(1)? == last.count).then_some(found)
}

#[cfg(test)]
#[path = "data_pointer_tests.rs"]
mod tests;
