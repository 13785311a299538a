//! Who took part in the last block: what a leader tells the runtime, and what those
//! who check a block know of it.
//!
//! A block's certificate stands beside it, outside its hash, and nodes may hold
//! different ones of the same block. So the leader of the next block writes down
//! whose precommits it has ([`Commit`]), and who votes for that block checks that
//! it knows these precommits too.

use crate::chain::{AccountId, MAX_SEQUENCERS};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_inherents::{InherentIdentifier, IsFatalError};
use sp_runtime::Weight;

/// Names the inherent and its data.
pub const PARTICIPATION_IDENTIFIER: InherentIdentifier = *b"particip";

/// Some sequencers of one set, by index: bit `i` stands for index `i`.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct SequencerBits(pub u64);

// One bit for each index there can be.
const _: () = assert!(MAX_SEQUENCERS <= u64::BITS);

impl SequencerBits {
    /// Nobody.
    pub const NOBODY: Self = Self(0);

    /// These with one more; an index that no set has changes nothing.
    pub fn with(self, index: u16) -> Self {
        Self(self.0 | 1u64.checked_shl(u32::from(index)).unwrap_or(0))
    }

    /// Whether the sequencer at `index` is among them.
    pub fn contains(self, index: usize) -> bool {
        u32::try_from(index)
            .ok()
            .and_then(|index| self.0.checked_shr(index))
            .is_some_and(|bits| bits & 1 == 1)
    }

    /// How many they are.
    pub fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether all of them are among `others`.
    pub fn is_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Whether all of them are members of a set of this size.
    pub fn fits(self, members: usize) -> bool {
        (u64::BITS - self.0.leading_zeros()) as usize <= members
    }
}

/// Told when blocks come late too often (R25.5).
pub trait OnLowLiveness {
    /// A session has ended in which it was so, because of these leaders.
    fn on_low_liveness(failed: &[AccountId]);

    /// Upper bound of its weight.
    fn max_low_liveness_weight() -> Weight;
}

/// Nobody minds.
impl OnLowLiveness for () {
    fn on_low_liveness(_: &[AccountId]) {}

    fn max_low_liveness_weight() -> Weight {
        Weight::zero()
    }
}

impl FromIterator<u16> for SequencerBits {
    fn from_iter<I: IntoIterator<Item = u16>>(indices: I) -> Self {
        indices.into_iter().fold(Self::NOBODY, Self::with)
    }
}

/// Precommits of one round for one block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Commit {
    /// The round.
    pub round: u16,
    /// Whose they are.
    pub signers: SequencerBits,
}

/// What a node knows of a block's parent and of its round: what a leader makes its
/// inherent of, and what others check it against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ParticipationData {
    /// Quorums of precommits for the parent, at most one of each round. Empty for
    /// the child of genesis, which nobody signs.
    pub commits: Vec<Commit>,
    /// Who voted for anything at the parent's height, as far as this node heard. Others
    /// heard others, so it is not checked, and only speaks for who is named.
    pub heard: SequencerBits,
    /// Who led the rounds of the block's height before the one it was proposed in.
    pub failed_leaders: SequencerBits,
}

impl ParticipationData {
    /// The round with the most signers, the first of several; none after genesis.
    pub fn best(&self) -> Commit {
        let mut best = Commit::default();
        for commit in &self.commits {
            let order = commit.signers.count().cmp(&best.signers.count());
            if order.is_gt() || order.is_eq() && commit.round < best.round {
                best = *commit;
            }
        }
        best
    }

    /// Checks what a leader wrote down.
    ///
    /// # Errors
    /// [`ParticipationError`].
    pub fn check(
        &self,
        claimed: Commit,
        failed_leaders: SequencerBits,
    ) -> Result<(), ParticipationError> {
        if failed_leaders != self.failed_leaders {
            return Err(ParticipationError::WrongLeaders);
        }
        let proves = |known: &Commit| {
            known.round == claimed.round && claimed.signers.is_within(known.signers)
        };
        // That nobody is claimed where somebody must be is the runtime's to refuse.
        if claimed.signers != SequencerBits::NOBODY && !self.commits.iter().any(proves) {
            return Err(ParticipationError::NotProven);
        }
        Ok(())
    }
}

/// Why an inherent is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ParticipationError {
    /// It names a signer whose precommit is not known here. It may be known to
    /// others: this says nothing of the block itself.
    #[codec(index = 0)]
    NotProven,
    /// It names other leaders of failed rounds than the schedule does.
    #[codec(index = 1)]
    WrongLeaders,
    /// There is nothing to check it against.
    #[codec(index = 2)]
    NoData,
}

impl IsFatalError for ParticipationError {
    fn is_fatal_error(&self) -> bool {
        true
    }
}

impl fmt::Display for ParticipationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotProven => "it names a signer of the parent whose signature is not known here",
            Self::WrongLeaders => "it names the wrong leaders of failed rounds",
            Self::NoData => "there is nothing to check it against",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(indices: &[u16]) -> SequencerBits {
        indices.iter().copied().collect()
    }

    #[test]
    fn an_index_is_a_bit() {
        let some = bits(&[0, 3, 63]);
        assert_eq!(some.0, 1 | 8 | 1 << 63);
        let members: Vec<usize> = (0..100).filter(|index| some.contains(*index)).collect();
        assert_eq!(members, [0, 3, 63]);
        assert_eq!(some.with(64), some, "no set has one");
        assert!(SequencerBits::NOBODY.fits(0) && bits(&[3]).fits(4) && !bits(&[4]).fits(4));
        assert!(some.fits(64) && !some.fits(63));
    }

    #[test]
    fn the_best_commit_has_the_most_signers_and_then_the_lowest_round() {
        let commit = |round, signers: &[u16]| Commit { round, signers: bits(signers) };
        let best = |commits: &[Commit]| {
            ParticipationData { commits: commits.to_vec(), ..Default::default() }.best()
        };
        assert_eq!(best(&[]), Commit::default());
        let (few, many, late) =
            (commit(0, &[0, 1, 2]), commit(2, &[0, 1, 2, 3]), commit(4, &[0, 1, 2, 3]));
        assert_eq!(best(&[few, many, late]), many);
        assert_eq!(best(&[late, many, few]), many);
    }

    #[test]
    fn what_is_not_known_or_not_scheduled_is_refused() {
        let known = Commit { round: 1, signers: bits(&[0, 1, 2]) };
        let data = ParticipationData {
            commits: vec![known],
            failed_leaders: bits(&[3]),
            ..Default::default()
        };
        assert_eq!(data.check(known, bits(&[3])), Ok(()));
        let fewer = Commit { signers: bits(&[0, 2]), ..known };
        assert_eq!(data.check(fewer, bits(&[3])), Ok(()), "the runtime wants a quorum");
        let more = Commit { signers: bits(&[0, 1, 2, 3]), ..known };
        assert_eq!(data.check(more, bits(&[3])), Err(ParticipationError::NotProven));
        let other = Commit { round: 0, ..known };
        assert_eq!(data.check(other, bits(&[3])), Err(ParticipationError::NotProven));
        assert_eq!(data.check(known, bits(&[])), Err(ParticipationError::WrongLeaders));
        assert_eq!(data.check(Commit::default(), bits(&[3])), Ok(()));
    }

    proptest! {
        #[test]
        fn a_leader_passes_its_own_check(
            commits in prop::collection::vec((any::<u16>(), any::<u64>()), 0..4),
            heard: u64,
            failed: u64,
        ) {
            let commit = |(round, signers)| Commit { round, signers: SequencerBits(signers) };
            let data = ParticipationData {
                commits: commits.into_iter().map(commit).collect(),
                heard: SequencerBits(heard),
                failed_leaders: SequencerBits(failed),
            };
            prop_assert_eq!(data.check(data.best(), data.failed_leaders), Ok(()));
        }
    }
}
