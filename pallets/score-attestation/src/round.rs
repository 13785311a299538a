//! Rounds: begun, voted in, counted.

use crate::{
    pallet::{Cast, Config, Cursor, Error, Event, Medians, Pallet, Round},
    types::{AgreedScores, Vote, Votes},
    WeightInfo, MAX_TOLD,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    reputation::{
        attestation::{
            median, LinkedAddresses, OnAttestedScore, ScoreRound, ScoreVote, ScoredAddresses,
            MAX_SCORED,
        },
        Score,
    },
    sequencers::SequencerSetProvider,
};
use frame_support::{ensure, weights::Weight};
use sp_core::H160;

impl<T: Config> Pallet<T> {
    /// Counts the votes and asks for the next addresses.
    pub(crate) fn next_round() {
        // Full blocks left no time to tell what the last round found: this one goes on.
        if Medians::<T>::decode_len().unwrap_or(0) > 0 {
            return;
        }
        let round = Round::<T>::get();
        Self::count(&round, &Cast::<T>::take());
        let (number, addresses) = (round.number.saturating_add(1), Self::next_addresses());
        Round::<T>::put(ScoreRound { number, addresses });
    }

    fn count(round: &ScoreRound, cast: &Votes) {
        let quorum = cast.quorum as usize;
        if cast.votes.is_empty() || cast.votes.len() < quorum {
            return;
        }
        let of = |(place, address): (usize, &H160)| {
            let given = cast.votes.iter().filter_map(|vote| *vote.scores.get(place)?);
            let given: Vec<Score> = given.collect();
            let agreed = if given.len() < quorum { None } else { median(given) };
            agreed.map(|score| (*address, score))
        };
        let medians: Vec<(H160, Score)> =
            round.addresses.iter().enumerate().filter_map(of).collect();
        let scores = u32::try_from(medians.len()).unwrap_or(MAX_SCORED);
        if scores == 0 {
            return;
        }
        // As many as there are addresses at most.
        Medians::<T>::put(AgreedScores::truncate_from(medians));
        Self::deposit_event(Event::ScoresAgreed { round: round.number, scores });
    }

    fn next_addresses() -> ScoredAddresses {
        let last = Cursor::<T>::get();
        let mut next = T::Addresses::following(last, MAX_SCORED);
        if next.is_empty() && last.is_some() {
            // The turn was over, and nobody knew.
            next = T::Addresses::following(None, MAX_SCORED);
        }
        let is_full = next.len() >= MAX_SCORED as usize;
        Cursor::<T>::set(next.last().copied().filter(|_| is_full));
        ScoredAddresses::truncate_from(next)
    }

    pub(crate) fn do_attest(vote: ScoreVote) -> Result<(), Error<T>> {
        let ScoreVote { set_id, round, signer, scores, .. } = vote;
        ensure!(set_id == T::Sequencers::set_id(), Error::<T>::WrongSet);
        let asked = Round::<T>::get();
        ensure!(round == asked.number, Error::<T>::WrongRound);
        ensure!(scores.len() == asked.addresses.len(), Error::<T>::WrongCount);
        ensure!(usize::from(signer) < T::Sequencers::members(), Error::<T>::NotAMember);
        let mut cast = Cast::<T>::get().in_force::<T::Sequencers>();
        ensure!(cast.add(Vote { signer, scores }), Error::<T>::AlreadyVoted);
        Cast::<T>::put(cast);
        Ok(())
    }

    /// Tells the next medians; returns the weight of that.
    pub(crate) fn tell(left: Weight) -> Weight {
        let mut used = T::WeightInfo::tell();
        if !used.all_lte(left) || Medians::<T>::decode_len().unwrap_or(0) == 0 {
            return used.min(left);
        }
        let mut medians = Medians::<T>::get();
        for _ in 0..MAX_TOLD {
            let after = used.saturating_add(T::OnScore::weight());
            if !after.all_lte(left) {
                break;
            }
            let Some((address, score)) = medians.pop() else { break };
            used = after;
            T::OnScore::on_attested_score(&address, score);
        }
        Medians::<T>::put(medians);
        used
    }

    /// What is asked for now.
    pub fn score_round() -> ScoreRound {
        Round::<T>::get()
    }

    /// Checks what must hold between blocks.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        let round = Round::<T>::get();
        let mut addresses = round.addresses.to_vec();
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.len() != round.addresses.len() {
            return Err("a round asks for an address twice");
        }
        let cast = Cast::<T>::get();
        if !cast.votes.windows(2).all(|pair| pair[0].signer < pair[1].signer) {
            return Err("the votes are not in the order of their signers");
        }
        if cast.votes.iter().any(|vote| vote.scores.len() != round.addresses.len()) {
            return Err("a vote has not a score for each address");
        }
        if !cast.votes.is_empty() && cast.quorum == 0 {
            return Err("no votes at all would be enough");
        }
        Ok(())
    }
}
