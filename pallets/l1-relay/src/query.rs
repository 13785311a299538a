//! What others read: the runtime API's answers and the state check.

use crate::pallet::{
    Applied, AppliedHashes, Attested, AttestedQueue, Config, Mismatch, PageProgress, Pallet,
    RankingHash, Recovery, WithheldTimes,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::{OpenVote, PageCursor, RelayStatus},
    l1::L1Hash,
    relay::{L1BlockContext, L1Chance},
    time::L1Clock as _,
};
use frame_support::traits::{Get, Time as _};
use sp_core::H256;

impl<T: Config> Pallet<T> {
    /// Where the relay stands.
    ///
    /// Whether an open vote has *failed* is for the reader to say: it has when it
    /// is open longer than the chain's `mint_timeout_ms`. A renewed vote opens it
    /// again, with a new `since`.
    pub fn status() -> RelayStatus {
        let applied = Applied::<T>::get();
        RelayStatus {
            attested: Attested::<T>::get(),
            applied_height: applied.height,
            applied_hash: applied.hash,
            next_page: Self::next_page(),
            open_votes: Self::window().flat_map(Self::open_votes_at).collect(),
            parent_mismatch: Mismatch::<T>::get(),
            fork_votes: Self::most_fork_votes(),
            recovers_until: Recovery::<T>::get(),
            time: Self::l1_time(T::Time::now()),
            withheld: WithheldTimes::<T>::get().into_inner(),
        }
    }

    /// The page that is due, if one is.
    pub fn next_page() -> Option<PageCursor> {
        let block = *AttestedQueue::<T>::get().first()?;
        Some(PageCursor {
            height: block.height,
            hash: block.hash,
            page: PageProgress::<T>::get().page,
            pages_root: block.pages_root,
        })
    }

    fn open_votes_at(height: u32) -> Vec<OpenVote> {
        let open = |candidate: crate::tally::Candidate| OpenVote {
            digest: candidate.digest,
            voters: candidate.votes.iter().map(|vote| vote.voter).collect(),
            since: candidate.since,
        };
        Self::votes_at(height).0.into_iter().map(open).collect()
    }

    /// Whether `voter` has a vote on record for exactly this digest.
    pub fn has_voted(voter: u16, height: u32, digest_id: H256) -> bool {
        Self::votes_at(height)
            .of(voter)
            .is_some_and(|(candidate, _)| candidate.digest.id() == digest_id)
    }

    /// The last L1 block all of whose events are applied.
    pub fn applied() -> L1BlockContext {
        Applied::<T>::get()
    }

    /// Hash of the L1 block that seeds the ranking of `term`: the last one applied
    /// by the end of `term` − 2. The zero hash for the first two terms and for
    /// terms that are not near the current one.
    pub fn ranking_l1_hash(term: u32) -> L1Hash {
        RankingHash::<T>::get(term).unwrap_or_default()
    }

    /// Checks what must hold between blocks.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(feature = "try-runtime", test))]
    pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
        use crate::{types::APPLIED_HASHES_KEPT, Votes};
        use frame_support::ensure;

        let (attested, applied) = (Attested::<T>::get(), Applied::<T>::get());
        let queue = AttestedQueue::<T>::get();
        ensure!(
            queue.iter().zip(applied.height + 1..).all(|(block, height)| block.height == height),
            "the queue continues the applied blocks without a gap"
        );
        ensure!(
            queue.iter().try_fold(applied.hash, |previous, block| {
                (previous == block.previous).then_some(block.hash)
            }) == Some(attested.hash),
            "the queue links the applied block to the attested one"
        );
        ensure!(
            attested.height == applied.height + queue.len() as u32,
            "every attested block is applied or waits"
        );
        ensure!(
            queue.first().is_none_or(|block| block.event_count > 0),
            "the first waiting block has events"
        );
        ensure!(
            !queue.is_empty() || PageProgress::<T>::get() == Default::default(),
            "there is progress only in a waiting block"
        );
        ensure!(
            AppliedHashes::<T>::get(applied.height) == Some(applied.hash),
            "the applied hash is on record"
        );
        ensure!(
            AppliedHashes::<T>::iter_keys().count() <= APPLIED_HASHES_KEPT as usize,
            "the ring of applied hashes is bounded"
        );
        ensure!(
            Recovery::<T>::get().is_none_or(|until| until > applied.height),
            "a recovery ends at its height"
        );
        let mut fork_voters: Vec<_> =
            crate::ForkVotes::<T>::get().into_iter().map(|vote| vote.voter).collect();
        let fork_votes = fork_voters.len();
        fork_voters.sort_unstable();
        fork_voters.dedup();
        ensure!(fork_voters.len() == fork_votes, "a voter has one fork vote");
        let window = Self::window();
        for (height, votes) in Votes::<T>::iter() {
            ensure!(window.contains(&height), "votes are for heights of the window");
            let mut voters: Vec<_> =
                votes.0.iter().flat_map(|candidate| &candidate.votes).map(|v| v.voter).collect();
            let count = voters.len();
            voters.sort_unstable();
            voters.dedup();
            ensure!(voters.len() == count, "a voter has one vote a height");
            ensure!(
                votes.0.iter().all(|candidate| {
                    !candidate.votes.is_empty() && candidate.digest.height == height
                }),
                "a candidate has votes and its height"
            );
        }
        Self::check_withheld()
    }
}

impl<T: Config> L1Chance for Pallet<T> {
    fn unknown_height() -> u32 {
        // What is attested has `l1_confirmations` blocks with its own on it; one more
        // for what was mined since.
        let ahead = T::Parameters::get().l1_confirmations.saturating_add(1);
        // A branch that replaces another is longer than it, whatever is attested of it.
        let known = Attested::<T>::get().height.max(Recovery::<T>::get().unwrap_or(0));
        known.saturating_add(ahead)
    }

    fn hash_at(height: u32) -> Option<L1Hash> {
        // What is above is replaced.
        let replaced = Recovery::<T>::exists() && height > Applied::<T>::get().height;
        (!replaced).then(|| AppliedHashes::<T>::get(height))?
    }
}
