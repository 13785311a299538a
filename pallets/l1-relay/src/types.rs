//! What the relay keeps in state, besides votes.

use cascoin_l2_primitives::{
    chain::{Moment, MAX_SEQUENCERS},
    relay::L1BlockDigest,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, weights::Weight, BoundedVec};
use scale_info::TypeInfo;

/// Most attested blocks that wait for their pages. The relay stops attesting
/// while as many wait.
pub const MAX_QUEUE: u32 = 64;
/// Hashes of applied L1 blocks that are kept: of about a month at the pace of 88 s that
/// Cascoin has shown, two at its target. Transactions of these blocks can be proven on L2;
/// it costs about 4 MB of state.
pub const APPLIED_HASHES_KEPT: u32 = 32_768;
/// Pages ahead of the due one that the pool takes, so that the next block need
/// not wait for the next off-chain worker.
pub const PAGE_LOOKAHEAD: u32 = 4;

/// Attested blocks that are not applied yet, lowest first.
pub type Queue = BoundedVec<L1BlockDigest, ConstU32<MAX_QUEUE>>;

/// How far the first block of the queue is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Progress {
    /// The page that is due.
    pub page: u32,
    /// Pages of the block, as its first page said; 0 before that page.
    pub count: u32,
    /// Events applied.
    pub events: u32,
}

/// Pages that an L2 block has applied so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct BlockPages {
    /// The L1 block that they are of. A block has pages of one only.
    pub height: u32,
    /// What they weighed.
    pub weight: Weight,
}

/// What a voter last said of its L1 tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct VoterTip {
    /// Index of the voter in the sequencer set.
    pub voter: u16,
    /// Time of its L1 tip, seconds since 1970.
    pub time: u32,
    /// L2 time at which the vote was taken, milliseconds.
    pub taken: Moment,
}

/// The last tip of each voter; one entry a voter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Tips(pub BoundedVec<VoterTip, ConstU32<MAX_SEQUENCERS>>);

impl Tips {
    /// The tip time that a voter named; 0 if none.
    pub fn of(&self, voter: u16) -> u32 {
        self.0.iter().find(|tip| tip.voter == voter).map_or(0, |tip| tip.time)
    }

    /// Notes what a voter named.
    pub fn note(&mut self, voter: u16, time: u32, taken: Moment) {
        let tip = VoterTip { voter, time, taken };
        match self.0.iter_mut().find(|known| known.voter == voter) {
            Some(known) => *known = tip,
            // Full only with more voters than a set has.
            None => drop(self.0.try_push(tip)),
        }
    }
}
