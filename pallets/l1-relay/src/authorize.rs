//! When the pool and the block take a relay transaction.
//!
//! Both are free, so each must prove by itself that it moves the relay forward.
//! A node's state may lag behind or run ahead of the sender's, therefore:
//! what can become valid by waiting answers *unknown* (the pool forgets it but
//! does not ban it), what cannot answers *invalid*.

use crate::{
    fork::ForkStanding,
    pallet::{
        AttestedQueue, Call, Config, Error, PageProgress, PagesInBlock, Pallet, TipTimes, Votes,
    },
    tally::{HeightVotes, Standing},
    types::PAGE_LOOKAHEAD,
};
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    relay::{EventPage, ForkVote, PageProof, RelayVote},
    sequencers::SequencerSetProvider,
};
use codec::Encode;
use core::cmp::Ordering;
use frame_support::{
    pallet_prelude::{InvalidTransaction, Weight},
    traits::Get,
};
use sp_runtime::{
    transaction_validity::{
        TransactionPriority, TransactionSource, TransactionValidityError,
        TransactionValidityWithRefund, UnknownTransaction, ValidTransaction,
    },
    Perbill,
};

/// L2 blocks for which the pool keeps a vote.
pub(crate) const VOTE_LONGEVITY: u64 = 120;
/// L2 blocks for which the pool keeps a page; its turn comes soon or never.
pub(crate) const PAGE_LONGEVITY: u64 = 20;
/// Above all that users send: without the relay no burn arrives.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;
/// Share of a block that pages may fill, beyond its first page.
const PAGES_SHARE: Perbill = Perbill::from_percent(25);

type Refusal = TransactionValidityError;

fn not_yet() -> Refusal {
    UnknownTransaction::CannotLookup.into()
}

impl<T: Config> Pallet<T> {
    /// Votes at `height`, unless they belong to a set that is gone.
    pub(crate) fn votes_at(height: u32) -> HeightVotes {
        if crate::VotesSetId::<T>::get() == T::Sequencers::set_id() {
            Votes::<T>::get(height)
        } else {
            HeightVotes::default()
        }
    }

    /// The latest L1 tip time that `voter` named in the set in force.
    pub(crate) fn tip_time_of(voter: u16) -> u32 {
        if crate::VotesSetId::<T>::get() == T::Sequencers::set_id() {
            TipTimes::<T>::get().of(voter)
        } else {
            0
        }
    }

    /// What the vote would change at the best of its heights.
    pub(crate) fn vote_standing(vote: &RelayVote) -> Standing {
        if vote.tip_time < Self::tip_time_of(vote.voter) {
            return Standing::Nothing;
        }
        let (window, clock) = (Self::window(), Self::clock());
        let mut too_soon = false;
        for digest in vote.range.0.iter().filter(|digest| window.contains(&digest.height)) {
            let votes = Self::votes_at(digest.height);
            match votes.standing(vote.voter, digest, vote.tip_time, clock) {
                Standing::Nothing => (),
                Standing::TooSoon => too_soon = true,
                taken => return taken,
            }
        }
        if too_soon {
            Standing::TooSoon
        } else {
            Standing::Nothing
        }
    }

    pub(crate) fn authorize_vote(
        _: TransactionSource,
        vote: &RelayVote,
    ) -> TransactionValidityWithRefund {
        match vote.set_id.cmp(&T::Sequencers::set_id()) {
            Ordering::Less => return Err(InvalidTransaction::Stale.into()),
            Ordering::Greater => return Err(not_yet()),
            Ordering::Equal => (),
        }
        if !vote.range.is_well_formed() {
            return Err(InvalidTransaction::Call.into());
        }
        let last = vote.range.0.last().map_or(0, |digest| digest.height);
        if last < *Self::window().start() {
            return Err(InvalidTransaction::Stale.into());
        }
        if vote.range.first() > *Self::window().end() {
            return Err(not_yet());
        }
        let key = T::Sequencers::relay_key(vote.voter).ok_or(InvalidTransaction::BadSigner)?;
        let genesis = genesis_hash::<T>();
        let message = RelayVote::message(&genesis, vote.set_id, &vote.range, vote.tip_time);
        if !sp_io::crypto::ed25519_verify(&vote.signature, &message, &key) {
            return Err(InvalidTransaction::BadProof.into());
        }
        match Self::vote_standing(vote) {
            Standing::Nothing => return Err(InvalidTransaction::Stale.into()),
            Standing::TooSoon => return Err(not_yet()),
            _ => (),
        }
        // A vote that says more takes the place of an earlier one in the pool.
        let later = u64::from(last) << 32 | u64::from(vote.tip_time);
        let validity = ValidTransaction {
            priority: PRIORITY.saturating_add(later),
            requires: Default::default(),
            provides: alloc::vec![(b"rlay", vote.range.first(), key).encode()],
            longevity: VOTE_LONGEVITY,
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }

    pub(crate) fn authorize_vote_fork(
        _: TransactionSource,
        vote: &ForkVote,
    ) -> TransactionValidityWithRefund {
        match vote.set_id.cmp(&T::Sequencers::set_id()) {
            Ordering::Less => return Err(InvalidTransaction::Stale.into()),
            Ordering::Greater => return Err(not_yet()),
            Ordering::Equal => (),
        }
        match Self::check_fork(&vote.fork) {
            Ok(()) => (),
            // What is attested may have moved here or there.
            Err(Error::<T>::StaleFork) => return Err(not_yet()),
            Err(_) => return Err(Self::stale()),
        }
        let key = T::Sequencers::relay_key(vote.voter).ok_or(InvalidTransaction::BadSigner)?;
        let genesis = genesis_hash::<T>();
        let message = ForkVote::message(&genesis, vote.set_id, &vote.fork, vote.tip_time);
        if !sp_io::crypto::ed25519_verify(&vote.signature, &message, &key) {
            return Err(InvalidTransaction::BadProof.into());
        }
        match Self::fork_standing(vote.voter, &vote.fork, vote.tip_time) {
            ForkStanding::Nothing => return Err(Self::stale()),
            ForkStanding::TooSoon => return Err(not_yet()),
            ForkStanding::Taken => (),
        }
        let validity = ValidTransaction {
            // The later of two of one voter takes the other's place in the pool.
            priority: PRIORITY.saturating_add(u64::from(vote.tip_time)),
            requires: Default::default(),
            provides: alloc::vec![(b"rlfk", key).encode()],
            longevity: VOTE_LONGEVITY,
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }

    pub(crate) fn authorize_apply_page(
        source: TransactionSource,
        height: &u32,
        page: &EventPage,
        proof: &PageProof,
    ) -> TransactionValidityWithRefund {
        let queue = AttestedQueue::<T>::get();
        let attested = crate::Attested::<T>::get().height;
        let Some(block) = queue.first() else {
            return Err(if *height > attested { not_yet() } else { Self::stale() });
        };
        let progress = PageProgress::<T>::get();
        match (*height, page.index).cmp(&(block.height, progress.page)) {
            Ordering::Less => return Err(Self::stale()),
            Ordering::Equal => (),
            Ordering::Greater => {
                let ahead = page.index.saturating_sub(progress.page);
                // In a block only the due page counts; the pool may hold the next.
                let pool = !matches!(source, TransactionSource::InBlock);
                if *height != block.height || ahead >= PAGE_LOOKAHEAD || !pool {
                    return Err(not_yet());
                }
            }
        }
        if progress.page > 0 && page.count != progress.count {
            return Err(InvalidTransaction::BadProof.into());
        }
        proof.verify(page, &block.pages_root).map_err(|_| InvalidTransaction::BadProof)?;
        if matches!(source, TransactionSource::InBlock) {
            Self::check_page_budget(*height, page.events.len() as u32)?;
        }
        let tag = |index: u32| (b"rlpg", *height, index).encode();
        let requires = match page.index.checked_sub(1) {
            Some(before) if page.index > progress.page => alloc::vec![tag(before)],
            _ => Default::default(),
        };
        let validity = ValidTransaction {
            priority: PRIORITY,
            requires,
            provides: alloc::vec![tag(page.index)],
            longevity: PAGE_LONGEVITY,
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }

    // A block always has room for one page, so the relay cannot stand still, and
    // for more of the same L1 block while they stay within their share.
    fn check_page_budget(height: u32, events: u32) -> Result<(), Refusal> {
        let Some(pages) = PagesInBlock::<T>::get() else { return Ok(()) };
        let after = pages.weight.saturating_add(Self::page_weight(events));
        let budget = PAGES_SHARE * T::BlockWeights::get().max_block;
        if pages.height == height && after.all_lte(budget) {
            Ok(())
        } else {
            Err(InvalidTransaction::ExhaustsResources.into())
        }
    }

    fn stale() -> Refusal {
        InvalidTransaction::Stale.into()
    }

    /// The transaction that casts `vote`.
    pub fn vote_extrinsic(vote: RelayVote) -> T::Extrinsic {
        T::create_authorized_transaction(Call::<T>::vote { vote }.into())
    }

    /// The transaction that casts a fork vote.
    pub fn fork_extrinsic(vote: ForkVote) -> T::Extrinsic {
        T::create_authorized_transaction(Call::<T>::vote_fork { vote }.into())
    }

    /// The transaction that delivers `page` of the L1 block at `height`.
    pub fn page_extrinsic(height: u32, page: EventPage, proof: PageProof) -> T::Extrinsic {
        T::create_authorized_transaction(Call::<T>::apply_page { height, page, proof }.into())
    }
}
