//! The check of a candidate by a random sample of sequencers (R2.4). Pure.
//!
//! Nobody is asked about itself, and nobody chooses who is asked: the sample follows
//! from chance that comes after the announcement. More than two thirds of it must
//! approve.

use crate::candidates::{Outcome, Poll};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{quorum, AccountId},
    sequencers::SequencerBits,
};
use codec::Encode;
use frame_support::BoundedVec;
use sp_io::hashing::sha2_256;
use sp_staking::SessionIndex;

/// Sequencers that are asked; all of a smaller set.
pub const SAMPLE: u32 = 7;

/// Asks a sample of `sequencers`, but for the candidate and whoever controls it.
pub fn open(
    opened: SessionIndex,
    sequencers: &[AccountId],
    candidate: &AccountId,
    controller: &AccountId,
    seed: &[u8; 32],
) -> Poll {
    // The smallest hashes win: everybody's chance is the same.
    let mut order: Vec<([u8; 32], &AccountId)> = sequencers
        .iter()
        .filter(|sequencer| *sequencer != candidate && *sequencer != controller)
        .map(|sequencer| {
            (sha2_256(&(b"CASL2ATST1", seed, candidate, sequencer).encode()), sequencer)
        })
        .collect();
    order.sort_unstable();
    let sample = order.into_iter().take(SAMPLE as usize).map(|(_, sequencer)| sequencer.clone());
    Poll {
        opened,
        sample: BoundedVec::truncate_from(sample.collect()),
        approved: SequencerBits::NOBODY,
        refused: SequencerBits::NOBODY,
    }
}

impl Poll {
    /// Whether the sequencer is asked and has not answered.
    pub fn waits_for(&self, sequencer: &AccountId) -> bool {
        let place = self.sample.iter().position(|asked| asked == sequencer);
        place.is_some_and(|place| !self.approved.contains(place) && !self.refused.contains(place))
    }

    /// Notes an answer; `false` if the sequencer is not asked or has answered.
    pub fn answer(&mut self, sequencer: &AccountId, approves: bool) -> bool {
        let Some(place) = self.sample.iter().position(|asked| asked == sequencer) else {
            return false;
        };
        if self.approved.contains(place) || self.refused.contains(place) {
            return false;
        }
        let side = if approves { &mut self.approved } else { &mut self.refused };
        *side = u16::try_from(place).map_or(*side, |place| side.with(place));
        true
    }

    /// What the answers come to, where a candidate needs `min_peers` peers (O4): who
    /// vouches has reached its node, so each that does is one. A sample that is too small
    /// for that lets nobody in, and refuses nobody for it either: it is drawn anew.
    pub fn outcome(&self, min_peers: u32) -> Outcome {
        let (asked, needed) = (self.sample.len(), quorum(self.sample.len()));
        let approved = self.approved.count();
        if approved >= needed && approved >= min_peers as usize {
            return Outcome::Given;
        }
        let possible = asked.saturating_sub(self.refused.count());
        if possible < needed.max(min_peers as usize).min(asked) {
            Outcome::Refused
        } else {
            Outcome::Open
        }
    }
}
