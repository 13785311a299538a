//! Measures what `weights.rs` estimates, with all the votes that a full set can have cast.
//!
//! The dispatch of a vote does not look at its signature (its authorisation did),
//! so these votes carry none; the authorisation is measured as its parts, with a
//! signature of a key that is nobody's. Settling is measured over many blocks at
//! once, as one call may do it.

use crate::{
    fork::CastForkVote,
    pallet::{
        Applied, AppliedHashes, Attested, AttestedQueue, Call, Config, ForkVotes, LastSight,
        PageProgress, Pallet, RankingHash, Recovery, TipTimes, Unpunished, Votes, VotesSetId,
        WithheldTimes,
    },
    tally::{Candidate, CastVote, HeightVotes},
    types::{Tips, VoterTip, MAX_QUEUE},
    withheld::{Sight, MAX_WITHHOLDERS, PUNISHED},
};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::{
    apis::Withheld,
    chain::{AccountId, BlockNumber, Moment, MAX_SEQUENCERS},
    l1::{burn::MAX_KEPT_PAYLOAD, L1Hash, OutPoint},
    relay::{
        EventPage, ForkPoint, ForkVote, L1BlockContext, L1BlockDigest, L1Event, OnL1Event,
        PageProof, RelayRange, RelayVote, MAX_EVENTS_PER_PAGE, MAX_FORK_DEPTH, MAX_PROOF_DEPTH,
        MAX_RANGE,
    },
    sequencers::{Offence, OffenceKind, SequencerSetProvider},
};
use core::ops::Range;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{Get, Hooks},
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{crypto::KeyTypeId, ed25519, H256};
use sp_runtime::transaction_validity::TransactionSource;

/// Everybody's index.
const ALL: Range<u16> = 0..MAX_SEQUENCERS as u16;
/// Who votes.
const VOTER: u16 = 0;
/// Everybody else.
const OTHERS: Range<u16> = 1..MAX_SEQUENCERS as u16;
/// An L1 block that has so many below it that hashes are forgotten.
const ATTESTED_HEIGHT: u32 = 1_000_000;

fn hash(branch: u8, height: u32) -> L1Hash {
    let mut hash = [branch; 32];
    hash[..4].copy_from_slice(&height.to_le_bytes());
    L1Hash(hash)
}

/// So many blocks on top of the attested one, which it sets.
fn range<T: Config>(blocks: u32, event_count: u32, root: H256) -> RelayRange {
    let attested = L1BlockDigest {
        height: ATTESTED_HEIGHT,
        hash: hash(0, ATTESTED_HEIGHT),
        ..Default::default()
    };
    Attested::<T>::put(attested);
    let mut previous = attested.hash;
    let digests: Vec<_> = (1..=blocks)
        .map(|above| {
            let height = attested.height + above;
            let digest = L1BlockDigest {
                height,
                hash: hash(1, height),
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

fn vote_of<T: Config>(range: RelayRange) -> RelayVote {
    RelayVote {
        set_id: T::Sequencers::set_id(),
        voter: VOTER,
        range,
        tip_time: 1,
        signature: ed25519::Signature::default(),
    }
}

fn candidate(digest: L1BlockDigest, voters: Range<u16>) -> Candidate {
    let votes = voters.map(|voter| CastVote { voter, tip_time: 1, at: 0 });
    Candidate { digest, since: 0, votes: BoundedVec::truncate_from(votes.collect()) }
}

/// Votes of these voters, each for a block of its own.
fn scattered(height: u32, voters: Range<u16>) -> Vec<Candidate> {
    let block = |voter: u16| L1BlockDigest {
        height,
        hash: hash(100 + voter as u8, height),
        ..Default::default()
    };
    voters.map(|voter| candidate(block(voter), voter..voter + 1)).collect()
}

fn put_votes<T: Config>(height: u32, candidates: Vec<Candidate>) {
    Votes::<T>::insert(height, HeightVotes(BoundedVec::truncate_from(candidates)));
}

/// Everybody has named its tip.
fn name_tips<T: Config>() {
    let tips = ALL.map(|voter| VoterTip { voter, time: 1, taken: 0 });
    TipTimes::<T>::put(Tips(BoundedVec::truncate_from(tips.collect())));
}

/// The first of as many pages as there can be, with `events` events, which is due in a
/// full queue. Its events have been delivered before: what new ones cause is measured
/// where it is done.
fn due_page<T: Config>(events: u32) -> (u32, EventPage, PageProof) {
    let event = |vout| L1Event::Burn {
        outpoint: OutPoint { txid: hash(3, vout), vout },
        value: 0,
        payload: BoundedVec::truncate_from(vec![0; MAX_KEPT_PAYLOAD as usize]),
    };
    let events: Vec<_> = (0..events).map(event).collect();
    for event in &events {
        T::OnEvent::on_event(event, &L1BlockContext::default());
    }
    let events = BoundedVec::truncate_from(events);
    let page = EventPage { index: 0, count: 1 << MAX_PROOF_DEPTH, events };
    let siblings = vec![H256::repeat_byte(1); MAX_PROOF_DEPTH as usize];
    let proof = PageProof(BoundedVec::truncate_from(siblings));
    let root = proof.root(&page).expect("it is as deep as the tree; qed");
    let range = range::<T>(MAX_QUEUE, u32::MAX, root);
    let first = range.first();
    AttestedQueue::<T>::put(BoundedVec::truncate_from(range.0.into_inner()));
    (first, page, proof)
}

/// The deepest fork of applied blocks, with everybody's vote for it but one, votes at all
/// heights above, and that last vote.
fn last_fork_vote<T: Config>() -> ForkVote {
    name_tips::<T>();
    let ahead = range::<T>(MAX_RANGE, 0, H256::zero());
    for digest in &ahead.0 {
        put_votes::<T>(digest.height, scattered(digest.height, ALL));
    }
    let attested = Attested::<T>::get();
    let height = ATTESTED_HEIGHT - MAX_FORK_DEPTH;
    let common = L1BlockContext { height, hash: hash(0, height), ..Default::default() };
    for at in [height, height + 1] {
        AppliedHashes::<T>::insert(at, hash(0, at));
    }
    Applied::<T>::put(L1BlockContext::from(&attested));
    let fork = ForkPoint { common, branch: hash(2, height + 1), replaced: attested.hash };
    let votes = OTHERS.map(|voter| CastForkVote { voter, fork, at: 0 });
    ForkVotes::<T>::put(BoundedVec::truncate_from(votes.collect::<Vec<_>>()));
    VotesSetId::<T>::put(T::Sequencers::set_id());
    ForkVote {
        set_id: T::Sequencers::set_id(),
        voter: VOTER,
        fork,
        tip_time: 2,
        signature: ed25519::Signature::default(),
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// A vote that says something new of its last height only.
    #[benchmark]
    fn authorize_vote(b: Linear<1, MAX_RANGE>) {
        name_tips::<T>();
        let ballot = vote_of::<T>(range::<T>(b, 0, H256::zero()));
        for (above, digest) in ballot.range.0.iter().enumerate() {
            let mut votes = scattered(digest.height, OTHERS);
            if above + 1 < b as usize {
                votes.push(candidate(*digest, VOTER..VOTER + 1));
            }
            put_votes::<T>(digest.height, votes);
        }
        let message =
            || RelayVote::message(&H256::zero(), ballot.set_id, &ballot.range, ballot.tip_time);
        let kind = KeyTypeId(*b"rlay");
        let key = sp_io::crypto::ed25519_generate(kind, None);
        let signature = sp_io::crypto::ed25519_sign(kind, &key, &message())
            .expect("the key was just made; qed");
        let standing;
        #[block]
        {
            assert!(ballot.range.is_well_formed());
            assert!(T::Sequencers::relay_key(VOTER).is_some());
            assert!(sp_io::crypto::ed25519_verify(&signature, &message(), &key));
            standing = Pallet::<T>::vote_standing(&ballot);
        }
        assert!(standing.is_taken());
    }

    /// The last vote at `h` heights.
    #[benchmark]
    fn vote(h: Linear<1, MAX_RANGE>) {
        name_tips::<T>();
        let ballot = vote_of::<T>(range::<T>(h, 0, H256::zero()));
        let range = ballot.range.clone();
        for digest in &range.0 {
            put_votes::<T>(digest.height, scattered(digest.height, OTHERS));
        }
        #[extrinsic_call]
        vote(RawOrigin::Authorized, ballot);
        for digest in &range.0 {
            let votes = Votes::<T>::get(digest.height);
            assert_eq!(votes.of(VOTER).map(|(candidate, _)| candidate.digest), Some(*digest));
        }
    }

    #[benchmark]
    fn apply_page(e: Linear<1, MAX_EVENTS_PER_PAGE>) {
        let (height, page, proof) = due_page::<T>(e);
        #[extrinsic_call]
        apply_page(RawOrigin::Authorized, height, page, proof);
        assert_eq!(PageProgress::<T>::get().events, e);
    }

    #[benchmark]
    fn authorize_apply_page(e: Linear<1, MAX_EVENTS_PER_PAGE>) {
        let (height, page, proof) = due_page::<T>(e);
        let judged;
        #[block]
        {
            let source = TransactionSource::InBlock;
            judged = Pallet::<T>::authorize_apply_page(source, &height, &page, &proof);
        }
        assert!(judged.is_ok());
    }

    /// A quorum agrees on `b` blocks without events, and everybody else saw another: they
    /// are attested and applied.
    #[benchmark]
    fn settle(b: Linear<1, MAX_RANGE>) {
        let range = range::<T>(b, 0, H256::zero());
        let quorum = T::Sequencers::quorum() as u16;
        for digest in &range.0 {
            let mut votes = scattered(digest.height, quorum..ALL.end);
            votes.push(candidate(*digest, 0..quorum));
            put_votes::<T>(digest.height, votes);
        }
        #[block]
        {
            Pallet::<T>::attest();
        }
        assert_eq!(Applied::<T>::get().height, ATTESTED_HEIGHT + b);
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

    /// The quorum's last vote: the relay goes back as far as it can.
    #[benchmark]
    fn vote_fork() {
        let ballot = last_fork_vote::<T>();
        #[extrinsic_call]
        vote_fork(RawOrigin::Authorized, ballot);
        assert_eq!(Attested::<T>::get().height, ATTESTED_HEIGHT - MAX_FORK_DEPTH);
        assert!(Recovery::<T>::exists());
    }

    #[benchmark]
    fn authorize_vote_fork() {
        let ballot = last_fork_vote::<T>();
        let message =
            || ForkVote::message(&H256::zero(), ballot.set_id, &ballot.fork, ballot.tip_time);
        let key = sp_io::crypto::ed25519_generate(KeyTypeId(*b"rlay"), None);
        let signature = sp_io::crypto::ed25519_sign(KeyTypeId(*b"rlay"), &key, &message())
            .expect("the key was just made; qed");
        let standing;
        #[block]
        {
            assert!(Pallet::<T>::check_fork(&ballot.fork).is_ok());
            assert!(T::Sequencers::relay_key(VOTER).is_some());
            assert!(sp_io::crypto::ed25519_verify(&signature, &message(), &key));
            standing = Pallet::<T>::fork_standing(VOTER, &ballot.fork, ballot.tip_time);
        }
        assert_eq!(standing, crate::fork::ForkStanding::Taken);
    }

    /// Just more than half agree on the next L1 block, all others come to the deadline with
    /// this look, and as many accounts are kept as there is room for.
    #[benchmark]
    fn look() {
        let members = T::Sequencers::members() as u16;
        let agree = members / 2 + 1;
        let next = range::<T>(1, 0, H256::zero()).0[0];
        put_votes::<T>(next.height, vec![candidate(next, 0..agree)]);
        VotesSetId::<T>::put(T::Sequencers::set_id());
        let deadline = T::Parameters::get().relay_withholding_s * 1_000;
        let silent = (agree..members).filter_map(T::Sequencers::account);
        let silent: Vec<AccountId> = silent.collect();
        let before = BoundedVec::truncate_from(silent.clone());
        LastSight::<T>::put(Sight { time: 0, silent: before });
        let mut times: Vec<_> =
            silent.into_iter().map(|account| Withheld { account, ms: deadline - 1 }).collect();
        let silent = times.len();
        // Accounts that are in no set.
        let others = (0..MAX_WITHHOLDERS as usize - silent)
            .map(|number| Withheld { account: AccountId::new(hash(4, number as u32).0), ms: 1 });
        times.extend(others);
        WithheldTimes::<T>::put(BoundedVec::truncate_from(times));
        #[block]
        {
            // Long behind the last change of the set.
            Pallet::<T>::look(BlockNumber::MAX, Moment::MAX);
        }
        assert_eq!(Unpunished::<T>::get().len(), silent);
        assert!(silent > 0);
    }

    /// The first of a full set.
    #[benchmark]
    fn punish() {
        let offence = |number: u32| Offence {
            kind: OffenceKind::Withholding,
            offender: AccountId::new([number as u8; 32]),
            set_id: 0,
            height: 1,
        };
        let all: Vec<_> = (0..MAX_SEQUENCERS).map(offence).collect();
        Unpunished::<T>::put(BoundedVec::truncate_from(all));
        #[block]
        {
            Pallet::<T>::punish();
        }
        assert_eq!(Unpunished::<T>::get().len() as u32, MAX_SEQUENCERS - PUNISHED);
    }

    #[benchmark]
    fn drop_votes() {
        name_tips::<T>();
        for digest in &range::<T>(MAX_RANGE, 0, H256::zero()).0 {
            put_votes::<T>(digest.height, scattered(digest.height, ALL));
        }
        VotesSetId::<T>::put(u64::MAX);
        #[block]
        {
            Pallet::<T>::drop_votes_of_old_set();
        }
        assert_eq!(Votes::<T>::iter().count(), 0);
    }
}
