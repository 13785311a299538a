//! What is stored.

use cascoin_l2_primitives::{
    chain::MAX_SEQUENCERS,
    reputation::{
        attestation::{L1Scores, MAX_SCORED},
        Score,
    },
    sequencers::SequencerSetProvider,
};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32, H160};

/// Medians, with the addresses that they are of.
pub type AgreedScores = BoundedVec<(H160, Score), ConstU32<MAX_SCORED>>;

/// What a sequencer's L1 node says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Vote {
    /// The sequencer's index in the set.
    pub signer: u16,
    /// As many as the round has addresses.
    pub scores: L1Scores,
}

/// The votes of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Votes {
    /// The set that votes.
    pub set_id: u64,
    /// How many votes are more than two thirds of it. It stands here since the set may have
    /// changed by the time the votes are counted.
    pub quorum: u32,
    /// Strictly ascending by signer.
    pub votes: BoundedVec<Vote, ConstU32<MAX_SEQUENCERS>>,
}

impl Votes {
    /// What there is of votes of the set in force: those of another are void.
    #[must_use]
    pub fn in_force<S: SequencerSetProvider>(self) -> Self {
        let set_id = S::set_id();
        let quorum = u32::try_from(S::quorum()).unwrap_or(u32::MAX);
        if (self.set_id, self.quorum) == (set_id, quorum) {
            self
        } else {
            Self { set_id, quorum, ..Self::default() }
        }
    }

    /// Whether a sequencer has voted.
    pub fn has(&self, signer: u16) -> bool {
        self.place(signer).is_ok()
    }

    /// Adds a vote; whether it was new.
    pub fn add(&mut self, vote: Vote) -> bool {
        match self.place(vote.signer) {
            Ok(_) => false,
            Err(place) => self.votes.try_insert(place, vote).is_ok(),
        }
    }

    fn place(&self, signer: u16) -> Result<usize, usize> {
        self.votes.binary_search_by_key(&signer, |known| known.signer)
    }
}
