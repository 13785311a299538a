//! The check of a candidate by a random sample of sequencers (R2.4). Pure.
//!
//! Nobody is asked about itself, and nobody chooses who is asked: the sample follows
//! from a seed that is fixed before the announcement. More than two thirds of it must
//! approve, so a third that lies can neither let anybody in nor, with a full sample,
//! keep anybody out.

use crate::candidates::{Outcome, Poll};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{quorum, AccountId},
    sequencers::SequencerBits,
};
use codec::Encode;
use sp_core::hashing::sha2_256;

/// Sequencers that are asked; all of a smaller set.
pub const SAMPLE: usize = 7;

/// Asks a sample of a set of `members`.
pub fn open(set_id: u64, members: usize, candidate: &AccountId, seed: &[u8; 32]) -> Poll {
    // The smallest hashes win: everybody's chance is the same.
    let mut order: Vec<([u8; 32], u16)> = (0..u16::try_from(members).unwrap_or(u16::MAX))
        .map(|index| (sha2_256(&(b"CASL2ATST1", seed, candidate, index).encode()), index))
        .collect();
    order.sort_unstable();
    let sample: SequencerBits = order.iter().take(SAMPLE).map(|(_, index)| *index).collect();
    Poll { set_id, sample, ..Poll::default() }
}

impl Poll {
    /// Notes an answer; `false` if the sequencer is not asked or has answered.
    pub fn answer(&mut self, index: u16, approves: bool) -> bool {
        let place = usize::from(index);
        let answered = self.approved.contains(place) || self.refused.contains(place);
        if !self.sample.contains(place) || answered {
            return false;
        }
        let side = if approves { &mut self.approved } else { &mut self.refused };
        *side = side.with(index);
        true
    }

    /// What the answers come to.
    pub fn outcome(&self) -> Outcome {
        let (asked, needed) = (self.sample.count(), quorum(self.sample.count()));
        if self.approved.count() >= needed {
            return Outcome::Given;
        }
        let possible = asked.saturating_sub(self.refused.count());
        if possible < needed {
            Outcome::Refused
        } else {
            Outcome::Open
        }
    }
}
