//! Measures what `weights.rs` estimates, with as many votes and addresses as there can be.
//! Linked addresses are another pallet's, so asking for the next ones finds few here: a read
//! for each is what is missing.

use crate::{
    pallet::{Call, Cast, Config, Medians, Pallet, Round},
    types::{AgreedScores, Vote, Votes},
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{key_types, quorum, MAX_SEQUENCERS},
    reputation::{
        attestation::{
            score_message, L1Scores, ScoreRound, ScoreVote, ScoredAddresses, MAX_SCORED,
        },
        Score,
    },
    sequencers::SequencerSetProvider,
};
use frame_benchmarking::v2::*;
use frame_support::{traits::Hooks, weights::Weight, BoundedVec};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{ed25519, H160, H256};

fn address(n: u32) -> H160 {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&n.to_le_bytes());
    H160(bytes)
}

fn scores(seed: u32) -> L1Scores {
    let one =
        |n: u32| Some(Score::saturating(u64::from(n.wrapping_mul(37).wrapping_add(seed) % 101)));
    BoundedVec::truncate_from((0..MAX_SCORED).map(one).collect::<Vec<_>>())
}

/// A round of as many addresses as there can be, with these votes.
fn open<T: Config>(signers: core::ops::Range<u32>) {
    let addresses = (0..MAX_SCORED).map(address).collect::<Vec<_>>();
    let addresses = ScoredAddresses::truncate_from(addresses);
    Round::<T>::put(ScoreRound { number: 1, addresses });
    let vote = |n: u32| Vote { signer: n as u16, scores: scores(n) };
    Cast::<T>::put(Votes {
        set_id: T::Sequencers::set_id(),
        quorum: T::Sequencers::quorum() as u32,
        votes: BoundedVec::truncate_from(signers.map(vote).collect::<Vec<_>>()),
    });
}

#[benchmarks(where BlockNumberFor<T>: From<u32>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn block() {
        #[block]
        {
            // A round begins one block later.
            Pallet::<T>::on_initialize(0u32.into());
        }
        assert_eq!(Round::<T>::get().number, 0);
    }

    #[benchmark]
    fn next_round() {
        open::<T>(0..MAX_SEQUENCERS);
        Cast::<T>::mutate(|cast| cast.quorum = quorum(MAX_SEQUENCERS as usize) as u32);
        #[block]
        {
            Pallet::<T>::next_round();
        }
        assert_eq!(Round::<T>::get().number, 2);
        assert_eq!(Medians::<T>::decode_len(), Some(MAX_SCORED as usize));
    }

    /// Nobody is told, since there is no weight left for that.
    #[benchmark]
    fn tell() {
        let all = (0..MAX_SCORED).map(|n| (address(n), Score::MAX)).collect::<Vec<_>>();
        Medians::<T>::put(AgreedScores::truncate_from(all));
        let left = <T::WeightInfo as crate::WeightInfo>::tell();
        #[block]
        {
            Pallet::<T>::tell(left);
        }
        assert!(Medians::<T>::decode_len() > Some(0) || left == Weight::zero());
    }

    /// All but the look-up of the sequencer's key, which is another pallet's.
    #[benchmark]
    fn authorize_vote() {
        open::<T>(1..MAX_SEQUENCERS);
        let message = score_message(&H256::zero(), 0, 1, &scores(0));
        let key = sp_io::crypto::ed25519_generate(key_types::RELAY, None);
        let signature = sp_io::crypto::ed25519_sign(key_types::RELAY, &key, &message)
            .expect("the key was just made; qed");
        let has_voted;
        #[block]
        {
            assert!(sp_io::crypto::ed25519_verify(&signature, &message, &key));
            assert_eq!(Round::<T>::get().addresses.len(), MAX_SCORED as usize);
            has_voted = Cast::<T>::get().in_force::<T::Sequencers>().has(0);
        }
        assert!(!has_voted);
    }

    #[benchmark]
    fn attest() {
        open::<T>(1..MAX_SEQUENCERS);
        let signature = ed25519::Signature::default();
        let set_id = T::Sequencers::set_id();
        let vote = ScoreVote { set_id, round: 1, signer: 0, scores: scores(0), signature };
        #[extrinsic_call]
        attest(RawOrigin::Authorized, vote);
        assert!(Cast::<T>::get().has(0));
    }
}
