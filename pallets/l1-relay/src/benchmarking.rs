//! Measures what `weights.rs` estimates.
//!
//! The dispatch of a vote does not look at its signature (its authorisation did),
//! so these votes carry none; what the authorisation costs is measured as its
//! two parts that cost something, the signature and the look-up of each height.
//! Settling is measured over many blocks at once, as one call may do it.

use crate::{
    pallet::{
        Applied, Attested, AttestedQueue, Call, Config, PageProgress, Pallet, RankingHash, Votes,
        VotesSetId,
    },
    tally::REVOTE_BLOCKS,
    types::MAX_QUEUE,
};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::{
    l1::{L1Hash, OutPoint},
    relay::{
        pages_root, paginate, EventPage, L1BlockDigest, L1Event, PageProof, RelayRange, RelayVote,
        MAX_EVENTS_PER_PAGE, MAX_RANGE,
    },
    sequencers::SequencerSetProvider,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{Get, Hooks};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{crypto::KeyTypeId, ed25519, H256};
use sp_runtime::transaction_validity::TransactionSource;

fn hash(branch: u8, height: u32) -> L1Hash {
    let mut hash = [branch; 32];
    hash[..4].copy_from_slice(&height.to_le_bytes());
    L1Hash(hash)
}

fn range<T: Config>(branch: u8, blocks: u32, event_count: u32, root: H256) -> RelayRange {
    let attested = Attested::<T>::get();
    let mut previous = attested.hash;
    let digests: Vec<_> = (1..=blocks)
        .map(|above| {
            let height = attested.height + above;
            let digest = L1BlockDigest {
                height,
                hash: hash(branch, height),
                previous,
                event_count,
                pages_root: root,
                ..Default::default()
            };
            previous = digest.hash;
            digest
        })
        .collect();
    RelayRange(digests.try_into().unwrap_or_default())
}

fn vote_of<T: Config>(voter: u16, range: RelayRange, tip_time: u32) -> RelayVote {
    RelayVote {
        set_id: T::Sequencers::set_id(),
        voter,
        range,
        tip_time,
        signature: ed25519::Signature::default(),
    }
}

fn pages(events: u32) -> Vec<EventPage> {
    let event = |vout| L1Event::Burn {
        outpoint: OutPoint { txid: hash(3, vout), vout },
        value: 0,
        payload: vec![0; 80].try_into().unwrap_or_default(),
    };
    paginate((0..events).map(event).collect())
}

/// A page that is due, with `events` events, and two more behind it, so that no
/// block is finished with it.
fn due_page<T: Config>(events: u32) -> (u32, EventPage, PageProof) {
    let mut pages = pages(3 * MAX_EVENTS_PER_PAGE);
    let wanted: Vec<_> = pages[0].events.iter().take(events as usize).cloned().collect();
    pages[0].events = wanted.try_into().unwrap_or_default();
    let range = range::<T>(1, 1, u32::MAX, pages_root(&pages));
    AttestedQueue::<T>::mutate(|queue| {
        let _ = queue.try_push(range.0[0]);
    });
    let proof = PageProof::of(&pages, 0).unwrap_or_default();
    (range.first(), pages[0].clone(), proof)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn authorize_vote(b: Linear<1, MAX_RANGE>) {
        let ballot = vote_of::<T>(0, range::<T>(1, b, 0, H256::zero()), 1);
        let message =
            RelayVote::message(&H256::zero(), ballot.set_id, &ballot.range, ballot.tip_time);
        let kind = KeyTypeId(*b"rlay");
        let key = sp_io::crypto::ed25519_generate(kind, None);
        let signature =
            sp_io::crypto::ed25519_sign(kind, &key, &message).expect("the key was just made; qed");
        let standing;
        #[block]
        {
            assert!(sp_io::crypto::ed25519_verify(&signature, &message, &key));
            standing = Pallet::<T>::vote_standing(&ballot);
        }
        assert!(standing.is_taken());
    }

    /// Replaces a vote at `h` heights.
    #[benchmark]
    fn vote(h: Linear<1, MAX_RANGE>) -> Result<(), BenchmarkError> {
        let first = vote_of::<T>(u16::MAX, range::<T>(1, h, 0, H256::zero()), 1);
        Pallet::<T>::vote(RawOrigin::Authorized.into(), first).map_err(|error| error.error)?;
        frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::from(REVOTE_BLOCKS + 1));
        let second = vote_of::<T>(u16::MAX, range::<T>(2, h, 0, H256::zero()), 2);
        let range = second.range.clone();
        #[extrinsic_call]
        vote(RawOrigin::Authorized, second);
        for digest in &range.0 {
            let votes = Votes::<T>::get(digest.height);
            assert_eq!(votes.of(u16::MAX).map(|(candidate, _)| candidate.digest), Some(*digest));
        }
        Ok(())
    }

    #[benchmark]
    fn apply_page(e: Linear<1, MAX_EVENTS_PER_PAGE>) {
        let (height, page, proof) = due_page::<T>(e);
        #[extrinsic_call]
        apply_page(RawOrigin::Authorized, height, page, proof);
        assert_eq!(PageProgress::<T>::get().events, e);
    }

    /// Validation of a page of `e` events: look-ups, and its proof.
    #[benchmark]
    fn authorize_apply_page(e: Linear<1, MAX_EVENTS_PER_PAGE>) {
        let (height, page, proof) = due_page::<T>(e);
        let judged;
        #[block]
        {
            judged = Pallet::<T>::authorize_apply_page(
                TransactionSource::External,
                &height,
                &page,
                &proof,
            );
        }
        assert!(judged.is_ok());
    }

    /// One page that ends `b` blocks: the first with an event, the others without.
    #[benchmark]
    fn settle_block(b: Linear<1, MAX_QUEUE>) {
        let pages = pages(1);
        let mut range = range::<T>(1, b, 0, H256::zero());
        range.0[0].event_count = 1;
        range.0[0].pages_root = pages_root(&pages);
        AttestedQueue::<T>::mutate(|queue| {
            range.0.iter().for_each(|digest| {
                let _ = queue.try_push(*digest);
            });
        });
        let (height, first) = (range.first(), range.0[0]);
        #[block]
        {
            Pallet::<T>::finish_block(&first, 1);
        }
        assert_eq!(Applied::<T>::get().height, height + b - 1);
    }

    /// The first block of a term: its record is made, and an old one goes.
    #[benchmark]
    fn on_initialize() {
        let length = T::Parameters::get().blocks_per_leader.max(1);
        let block = BlockNumberFor::<T>::from(3 * length + 1);
        #[block]
        {
            Pallet::<T>::on_initialize(block);
        }
        assert!(RankingHash::<T>::contains_key(4));
    }

    #[benchmark]
    fn drop_votes() -> Result<(), BenchmarkError> {
        let ballot = vote_of::<T>(u16::MAX, range::<T>(1, MAX_RANGE, 0, H256::zero()), 1);
        Pallet::<T>::vote(RawOrigin::Authorized.into(), ballot).map_err(|error| error.error)?;
        VotesSetId::<T>::put(u64::MAX);
        #[block]
        {
            Pallet::<T>::drop_votes_of_old_set();
        }
        assert_eq!(Votes::<T>::iter().count(), 0);
        Ok(())
    }
}
