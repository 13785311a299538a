//! What the pallet stores besides the records that others read.

use cascoin_l2_primitives::chain::{AccountId, BlockNumber};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The places of a queue that are taken: `first..next`, without gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Queue {
    /// The place at the head.
    pub first: u64,
    /// The first place behind the end.
    pub next: u64,
}

impl Queue {
    /// How many there are.
    pub fn len(&self) -> u64 {
        self.next.saturating_sub(self.first)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the place behind the end.
    pub fn push(&mut self) -> u64 {
        let place = self.next;
        self.next = place.saturating_add(1);
        place
    }

    /// Frees the place at the head, if one is taken.
    pub fn pop(&mut self) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        let place = self.first;
        self.first = place.saturating_add(1);
        Some(place)
    }
}

/// Where a sender waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Lane {
    /// For its turn.
    Ready,
    /// Until a block, and then for its turn.
    Paused,
}

/// A sender's turn.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Turn {
    /// Whose.
    pub sender: AccountId,
    /// The first block in which it may come.
    pub from: BlockNumber,
}
