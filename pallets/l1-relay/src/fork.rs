//! L1 left the attested branch: the quorum says where, and the relay goes on from there
//! (R19.1, ADR 0026).
//!
//! The relay's own state is all that is rolled back. What acted on the removed blocks'
//! events is told ([`OnL1Fork`]) and keeps its books by itself: no L2 block is undone.
//! Hashes of removed blocks stay in [`AppliedHashes`] until the new branch overwrites
//! them, which it does, being longer; until then nobody is shown one
//! ([`Pallet::attested_hash`]).

use crate::{
    pallet::{
        Applied, AppliedHashes, Attested, AttestedQueue, Config, Error, Event, ForkVotes, Mismatch,
        PageProgress, Pallet, Recovery, TipTimes, Votes,
    },
    tally::REVOTE_BLOCKS,
};
use alloc::collections::BTreeMap;
use cascoin_l2_primitives::{
    chain::{BlockNumber, MAX_SEQUENCERS},
    l1::L1Hash,
    relay::{
        ForkPoint, ForkVote, L1BlockContext, L1BlockDigest, L1Branch, OnL1Fork, MAX_FORK_DEPTH,
        RECOVERY_WINDOW,
    },
    sequencers::SequencerSetProvider,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::ConstU32,
    traits::{Get, Time as _},
    BoundedVec,
};
use scale_info::TypeInfo;
use sp_runtime::SaturatedConversion;

/// One voter's vote for a fork point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct CastForkVote {
    /// Index of the voter in the sequencer set.
    pub voter: u16,
    /// What it says.
    pub fork: ForkPoint,
    /// L2 block that took the vote.
    pub at: BlockNumber,
}

/// All votes for fork points; one a voter.
pub type CastForkVotes = BoundedVec<CastForkVote, ConstU32<MAX_SEQUENCERS>>;

/// What a fork vote would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkStanding {
    /// It is taken.
    Taken,
    /// It may count later: [`REVOTE_BLOCKS`] are not over.
    TooSoon,
    /// Nothing: the same is on record, or it is no later than the voter's last vote.
    Nothing,
}

impl<T: Config> Pallet<T> {
    /// Hash of the attested block at a height; `None` above the attested ones and where it
    /// is forgotten.
    pub fn attested_hash(height: u32) -> Option<L1Hash> {
        if height <= Applied::<T>::get().height {
            return AppliedHashes::<T>::get(height);
        }
        let queue = AttestedQueue::<T>::get();
        queue.iter().find(|block| block.height == height).map(|block| block.hash)
    }

    /// Whether the relay could go on from `fork` now.
    ///
    /// # Errors
    /// [`Error::StaleFork`] if it was named for another state of the relay,
    /// [`Error::ForkTooDeep`], and [`Error::NoFork`] if it does not stand on what is
    /// attested or does not leave it.
    pub(crate) fn check_fork(fork: &ForkPoint) -> Result<(), Error<T>> {
        let attested = Attested::<T>::get();
        if fork.replaced != attested.hash {
            return Err(Error::<T>::StaleFork);
        }
        if fork.common.height > attested.height {
            return Err(Error::<T>::NoFork);
        }
        // Until the relay is beyond all that was replaced, forks go together no deeper than
        // one may: what acts on events remembers them that far down from the highest.
        let replaced = Recovery::<T>::get().unwrap_or(0).saturating_sub(RECOVERY_WINDOW);
        let highest = attested.height.max(replaced);
        if highest.saturating_sub(fork.common.height) > MAX_FORK_DEPTH {
            return Err(Error::<T>::ForkTooDeep);
        }
        let stands = Self::attested_hash(fork.common.height) == Some(fork.common.hash);
        let above = fork.common.height.checked_add(1).and_then(Self::attested_hash);
        // Above the attested block there is nothing to leave.
        let leaves = above.is_some_and(|hash| hash != fork.branch);
        if stands && leaves {
            Ok(())
        } else {
            Err(Error::<T>::NoFork)
        }
    }

    /// What the vote would change.
    pub(crate) fn fork_standing(voter: u16, fork: &ForkPoint, tip_time: u32) -> ForkStanding {
        // Strictly later than every vote before: after the fork none of them can be
        // replayed at the heights that become free again.
        if tip_time <= Self::tip_time_of(voter) {
            return ForkStanding::Nothing;
        }
        let block: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
        match Self::fork_votes().iter().find(|vote| vote.voter == voter) {
            None => ForkStanding::Taken,
            Some(vote) if vote.fork == *fork => ForkStanding::Nothing,
            Some(vote) if vote.at.saturating_add(REVOTE_BLOCKS) <= block => ForkStanding::Taken,
            Some(_) => ForkStanding::TooSoon,
        }
    }

    /// The votes for fork points, unless they belong to a set that is gone.
    pub(crate) fn fork_votes() -> CastForkVotes {
        if crate::VotesSetId::<T>::get() == T::Sequencers::set_id() {
            ForkVotes::<T>::get()
        } else {
            CastForkVotes::default()
        }
    }

    /// Votes of the fork point that most agree on.
    pub(crate) fn most_fork_votes() -> u32 {
        let mut counts = BTreeMap::<_, u32>::new();
        for vote in Self::fork_votes() {
            let count = counts.entry(vote.fork.encode()).or_default();
            *count = count.saturating_add(1);
        }
        counts.into_values().max().unwrap_or(0)
    }

    /// Casts a vote that was judged ([`Self::check_fork`], [`Self::fork_standing`]), and
    /// follows L1 if it is the quorum's last. Returns whether the relay went back.
    pub(crate) fn cast_fork(vote: &ForkVote) -> bool {
        let mut votes = ForkVotes::<T>::get();
        votes.retain(|known| known.voter != vote.voter);
        let at = frame_system::Pallet::<T>::block_number().saturated_into();
        // Full only with more voters than a set has.
        let _ = votes.try_push(CastForkVote { voter: vote.voter, fork: vote.fork, at });
        let agreeing = votes.iter().filter(|known| known.fork == vote.fork).count();
        ForkVotes::<T>::put(votes);
        TipTimes::<T>::mutate(|tips| tips.note(vote.voter, vote.tip_time, T::Time::now()));
        Self::deposit_event(Event::ForkVoted {
            voter: vote.voter,
            height: vote.fork.common.height,
            branch: vote.fork.branch,
        });
        let needed = T::Parameters::get().min_sequencers.max(1) as usize;
        if T::Sequencers::members() < needed || agreeing < T::Sequencers::quorum() {
            return false;
        }
        Self::go_back(&vote.fork);
        true
    }

    // Attested and applied blocks above the fork point are not L1's any more.
    fn go_back(fork: &ForkPoint) {
        let (common, replaced) = (fork.common, Attested::<T>::get());
        let applied = Applied::<T>::get();
        let part_applied = PageProgress::<T>::get().page > 0;
        let mut queue = AttestedQueue::<T>::get();
        // Votes for heights above the replaced blocks.
        for height in Self::window() {
            Votes::<T>::remove(height);
        }
        ForkVotes::<T>::kill();
        Mismatch::<T>::kill();

        let kept = queue.iter().find(|block| block.height == common.height).copied();
        Attested::<T>::put(kept.unwrap_or_else(|| Self::digest_of(&common)));
        queue.retain(|block| block.height <= common.height);
        let first_goes = queue.is_empty();
        if first_goes {
            PageProgress::<T>::kill();
        }
        AttestedQueue::<T>::put(queue);
        Self::deposit_event(Event::ForkAttested {
            height: common.height,
            hash: common.hash,
            branch: fork.branch,
            replaced_height: replaced.height,
            replaced: replaced.hash,
        });
        log::warn!(
            target: "l1-relay",
            "L1 forked above block {}: {} attested blocks are replaced",
            common.height, replaced.height.saturating_sub(common.height),
        );
        let acted_on = common.height < applied.height || (first_goes && part_applied);
        if common.height < applied.height {
            Applied::<T>::put(common);
        }
        if acted_on {
            let until = replaced.height.saturating_add(RECOVERY_WINDOW);
            Recovery::<T>::mutate(|known| *known = Some(known.unwrap_or(0).max(until)));
            T::OnFork::on_fork(&common);
        }
    }

    /// The state that L1's events had changed went back to one of before `common`'s next block
    /// (ADR 0033): L1 is attested and delivered again from there on. Until it is applied as far
    /// as it was, the relay recovers: nothing is minted, and then all is judged.
    ///
    /// Nobody is told of a fork, as there is none. Hashes of blocks above stay until they are
    /// overwritten. Votes for the heights that are free again are taken at once, also with the
    /// tip that their voter named last; of what a voter signed before that, nothing can be
    /// replayed. So a vote of a branch that L1 left counts only from a voter that has said
    /// nothing since, which was no voter for that fork either.
    pub fn rewind(common: &L1BlockContext) {
        let applied = Applied::<T>::get();
        if common.height >= applied.height {
            return;
        }
        for height in Self::window() {
            Votes::<T>::remove(height);
        }
        ForkVotes::<T>::kill();
        Mismatch::<T>::kill();
        AttestedQueue::<T>::kill();
        PageProgress::<T>::kill();
        Attested::<T>::put(Self::digest_of(common));
        Applied::<T>::put(*common);
        Recovery::<T>::mutate(|known| *known = Some(known.unwrap_or(0).max(applied.height)));
        Self::deposit_event(Event::Rewound { height: common.height, applied: applied.height });
        log::warn!(
            target: "l1-relay",
            "L1 is delivered again from block {} on, as far as {}",
            common.height, applied.height,
        );
    }

    fn digest_of(common: &L1BlockContext) -> L1BlockDigest {
        L1BlockDigest {
            height: common.height,
            hash: common.hash,
            time: common.time,
            median_time: common.median_time,
            ..Default::default()
        }
    }

    /// A block at `height` was applied: ends a recovery that reached its height.
    pub(crate) fn recover(height: u32) {
        let Some(until) = Recovery::<T>::get() else { return };
        if height >= until {
            Recovery::<T>::kill();
            Self::deposit_event(Event::Recovered { height });
            T::OnFork::on_recovered();
        }
    }

    /// Whether the new branch is not yet applied beyond what it replaced.
    pub fn is_recovering() -> bool {
        Recovery::<T>::exists()
    }
}

impl<T: Config> L1Branch for Pallet<T> {
    fn has_block(height: u32, hash: &L1Hash) -> bool {
        match Self::attested_hash(height) {
            Some(attested) => attested == *hash,
            None => height <= Applied::<T>::get().height,
        }
    }
}
