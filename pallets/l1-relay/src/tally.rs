//! The votes for one L1 height: pure, no storage.
//!
//! Each voter has one vote. A vote can be replaced only by a strictly later one
//! (by the time of the voter's L1 tip), so an old vote that somebody replays
//! changes nothing, and only after [`REVOTE_BLOCKS`], so that nobody fills
//! blocks by changing its mind. Candidates without votes vanish, so there are
//! never more candidates than voters.

use cascoin_l2_primitives::{
    chain::{BlockNumber, Moment, MAX_SEQUENCERS},
    relay::L1BlockDigest,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// L2 blocks before a voter may replace or renew its vote for a height. The
/// off-chain worker re-sends what is not on chain yet at the same pace.
pub const REVOTE_BLOCKS: BlockNumber = 20;

/// One voter's vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct CastVote {
    /// Index of the voter in the sequencer set.
    pub voter: u16,
    /// Time of the voter's L1 tip, seconds since 1970.
    pub tip_time: u32,
    /// L2 block that took the vote.
    pub at: BlockNumber,
}

/// A digest and who voted for it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Candidate {
    /// The digest.
    pub digest: L1BlockDigest,
    /// L2 time of its first vote, or of the first vote after it timed out.
    pub since: Moment,
    /// Its votes, in the order they came; never empty.
    pub votes: BoundedVec<CastVote, ConstU32<MAX_SEQUENCERS>>,
}

/// What a vote would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The voter's first vote for this height.
    New,
    /// Takes the place of the voter's vote for another digest.
    Replaces,
    /// Says the same again after the vote timed out, which re-opens it.
    Renews,
    /// It may count later: [`REVOTE_BLOCKS`] are not over.
    TooSoon,
    /// Nothing: the same is on record, or it is no later than what is.
    Nothing,
}

impl Standing {
    /// Whether the vote is taken.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::New | Self::Replaces | Self::Renews)
    }
}

/// When a vote arrives and how long votes may stay open.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The L2 block.
    pub block: BlockNumber,
    /// Its time.
    pub now: Moment,
    /// Time after which an open vote has failed and can be re-opened.
    pub timeout_ms: u64,
}

/// All votes for one height.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct HeightVotes(pub BoundedVec<Candidate, ConstU32<MAX_SEQUENCERS>>);

impl HeightVotes {
    /// What `voter` voted for, and its vote.
    pub fn of(&self, voter: u16) -> Option<(&Candidate, &CastVote)> {
        self.0.iter().find_map(|candidate| {
            let vote = candidate.votes.iter().find(|vote| vote.voter == voter)?;
            Some((candidate, vote))
        })
    }

    /// What `voter`'s vote for `digest` would change.
    pub fn standing(
        &self,
        voter: u16,
        digest: &L1BlockDigest,
        tip_time: u32,
        clock: Clock,
    ) -> Standing {
        let Some((candidate, vote)) = self.of(voter) else { return Standing::New };
        if tip_time <= vote.tip_time {
            return Standing::Nothing;
        }
        let rested = vote.at.saturating_add(REVOTE_BLOCKS) <= clock.block;
        if candidate.digest != *digest {
            return if rested { Standing::Replaces } else { Standing::TooSoon };
        }
        let timed_out = candidate.since.saturating_add(clock.timeout_ms) <= clock.now;
        match (timed_out, rested) {
            (true, true) => Standing::Renews,
            (true, false) => Standing::TooSoon,
            (false, _) => Standing::Nothing,
        }
    }

    /// Takes a vote if its [`Standing`] allows and returns that.
    pub fn cast(
        &mut self,
        voter: u16,
        digest: &L1BlockDigest,
        tip_time: u32,
        clock: Clock,
    ) -> Standing {
        let standing = self.standing(voter, digest, tip_time, clock);
        if !standing.is_taken() {
            return standing;
        }
        self.withdraw_for(voter, Some(digest));
        let vote = CastVote { voter, tip_time, at: clock.block };
        let taken = match self.0.iter_mut().find(|candidate| candidate.digest == *digest) {
            Some(candidate) => {
                if candidate.since.saturating_add(clock.timeout_ms) <= clock.now {
                    candidate.since = clock.now;
                }
                candidate.votes.try_push(vote).is_ok()
            }
            None => BoundedVec::try_from(alloc::vec![vote]).is_ok_and(|votes| {
                let digest = *digest;
                self.0.try_push(Candidate { digest, since: clock.now, votes }).is_ok()
            }),
        };
        // Only with more voters than MAX_SEQUENCERS, which no set has.
        if taken {
            standing
        } else {
            Standing::Nothing
        }
    }

    /// Takes `voter`'s vote back, if there is one. Returns whether there was.
    pub fn withdraw(&mut self, voter: u16) -> bool {
        self.withdraw_for(voter, None)
    }

    // `keep` stays as a candidate even without votes: the caller is about to
    // vote for it, and its age must survive.
    fn withdraw_for(&mut self, voter: u16, keep: Option<&L1BlockDigest>) -> bool {
        let mut had = false;
        for candidate in self.0.iter_mut() {
            let before = candidate.votes.len();
            candidate.votes.retain(|vote| vote.voter != voter);
            had |= candidate.votes.len() != before;
        }
        self.0.retain(|candidate| !candidate.votes.is_empty() || keep == Some(&candidate.digest));
        had
    }

    /// The digest that at least `quorum` voters agree on. With a quorum of more
    /// than half there is never a second one.
    pub fn winner(&self, quorum: usize) -> Option<&L1BlockDigest> {
        self.0
            .iter()
            .find(|candidate| candidate.votes.len() >= quorum)
            .map(|candidate| &candidate.digest)
    }
}
