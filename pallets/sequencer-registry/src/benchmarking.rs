//! Measures what `weights.rs` estimates, each with as many sequencers and candidates as
//! there can be.
//!
//! A pallet that knows sessions, reputations and stakes only through traits can make
//! none. So these benchmarks need the genesis to measure with, where account `n` has an
//! id of the byte `n`, the first 64 have session keys, and neither reputation nor stake
//! is asked for.

use crate::{
    attestation,
    candidates::{Attestation, Candidate, Endpoint, Wait, MAX_CANDIDATES, MAX_ENDPOINT_BYTES},
    links::MAX_LINKS,
    pallet::{
        ActiveSequencers, Banned, Call, Candidates, Config, Elected, Links, Members, Pallet,
        PendingDraw, RefusedUntil,
    },
    ActiveSequencer, Member,
};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, MAX_SEQUENCERS},
    sequencers::{
        Entities, NodeAttestation, Offence, OffenceKind, OnCorrelation, OnLowLiveness, OnOffence,
    },
};
use core::ops::Range;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{ConstU32, Get},
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{crypto::KeyTypeId, ed25519};
use sp_runtime::{traits::Zero, transaction_validity::TransactionSource};

/// The last one of a full set.
const LAST: u32 = MAX_SEQUENCERS - 1;

fn account(number: u32) -> AccountId {
    AccountId::new([number as u8; 32])
}

fn seats(numbers: Range<u32>) -> BoundedVec<Member, ConstU32<MAX_SEQUENCERS>> {
    let seats = numbers.map(|number| Member { account: account(number), weight: 1 });
    BoundedVec::truncate_from(seats.collect())
}

fn endpoint() -> Endpoint {
    BoundedVec::truncate_from(vec![b'/'; MAX_ENDPOINT_BYTES as usize])
}

fn announced(account: &AccountId, attestation: Attestation) -> Candidate {
    Candidate {
        announced_at: 1,
        controller: account.clone(),
        confirmed: true,
        endpoint: endpoint(),
        weight: 0,
        attestation,
    }
}

/// As many candidates as there can be, with attestations.
fn fill_candidates<T: Config>() {
    for account in (0..MAX_CANDIDATES).map(account) {
        let candidate = announced(&account, Attestation::Given { since: 0 });
        Candidates::<T>::insert(&account, candidate);
    }
}

/// All seats are candidates'.
fn elect<T: Config>() {
    fill_candidates::<T>();
    Members::<T>::put(seats(0..0));
    Elected::<T>::put(seats(0..MAX_SEQUENCERS));
}

/// Opens a poll about a candidate, in a full set. The last sequencer, whose relay key is
/// given, is asked; two that are asked have refused.
fn asked<T: Config>(candidate: &AccountId, relay: ed25519::Public) -> AccountId {
    let key = |number| ed25519::Public::from_raw([number as u8; 32]);
    let relay = |number| if number == LAST { relay } else { key(number) };
    let active = |number| ActiveSequencer { account: account(number), relay: relay(number) };
    let all = (0..MAX_SEQUENCERS).map(active).collect();
    ActiveSequencers::<T>::put(BoundedVec::truncate_from(all));
    let few: Vec<_> = (MAX_SEQUENCERS - attestation::SAMPLE..MAX_SEQUENCERS).map(account).collect();
    let mut poll = attestation::open(1, &few, candidate, candidate, &[0; 32]);
    for sequencer in &few[..2] {
        assert!(poll.answer(sequencer, false));
    }
    Candidates::<T>::insert(candidate, announced(candidate, Attestation::Open(poll)));
    account(LAST)
}

/// So many links in a chain that begins with account 0; its end.
fn linked<T: Config>(count: u32) -> AccountId {
    for number in 0..count {
        Pallet::<T>::on_correlation(&account(number), &account(number + 1));
    }
    account(count)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn add_member() {
        Members::<T>::put(seats(1..MAX_SEQUENCERS));
        #[extrinsic_call]
        add_member(RawOrigin::Root, Member { account: account(0), weight: 1 });
        assert_eq!(Members::<T>::get().len() as u32, MAX_SEQUENCERS);
    }

    #[benchmark]
    fn remove_member() {
        Members::<T>::put(seats(0..MAX_SEQUENCERS));
        #[extrinsic_call]
        remove_member(RawOrigin::Root, account(LAST));
        assert_eq!(Members::<T>::get().len() as u32, LAST);
    }

    #[benchmark]
    fn set_weight() {
        Members::<T>::put(seats(0..MAX_SEQUENCERS));
        #[extrinsic_call]
        set_weight(RawOrigin::Root, account(LAST), 7);
        assert_eq!(Members::<T>::get().last().map(|member| member.weight), Some(7));
    }

    /// After a refusal that has lapsed.
    #[benchmark]
    fn announce() {
        let caller: AccountId = whitelisted_caller();
        RefusedUntil::<T>::insert(&caller, 0);
        #[extrinsic_call]
        announce(RawOrigin::Signed(caller.clone()), endpoint(), Some(account(200)));
        assert!(Candidates::<T>::contains_key(caller));
    }

    #[benchmark]
    fn displace() {
        fill_candidates::<T>();
        #[block]
        {
            assert!(Pallet::<T>::displace(u64::MAX).is_ok());
        }
        assert_eq!(Candidates::<T>::count(), MAX_CANDIDATES - 1);
    }

    /// A seat goes, too.
    #[benchmark]
    fn resign() {
        elect::<T>();
        #[extrinsic_call]
        resign(RawOrigin::Signed(account(LAST)));
        assert_eq!(Elected::<T>::get().len() as u32, LAST);
    }

    /// The answer that makes it a refusal.
    #[benchmark]
    fn attest() {
        let candidate = account(200);
        let sequencer = asked::<T>(&candidate, ed25519::Public::from_raw([200; 32]));
        #[extrinsic_call]
        attest(RawOrigin::Signed(sequencer), candidate.clone(), false);
        assert!(RefusedUntil::<T>::contains_key(candidate));
    }

    #[benchmark]
    fn authorize_attestation() {
        let candidate = account(200);
        let key_type = KeyTypeId(*b"rlay");
        let key = sp_io::crypto::ed25519_generate(key_type, None);
        asked::<T>(&candidate, key);
        let attestation = NodeAttestation {
            set_id: T::SetId::get(),
            voter: LAST as u16,
            candidate,
            opened: 1,
            approves: true,
        };
        let genesis: BlockHash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        let signature = sp_io::crypto::ed25519_sign(key_type, &key, &attestation.message(&genesis))
            .expect("the key was just made; qed");
        let answer;
        #[block]
        {
            let source = TransactionSource::External;
            answer = Pallet::<T>::authorize_attestation(source, &attestation, &signature);
        }
        assert!(answer.is_ok());
    }

    #[benchmark]
    fn pardon() {
        Banned::<T>::insert(account(200), ());
        #[extrinsic_call]
        pardon(RawOrigin::Root, account(200));
        assert!(!Banned::<T>::contains_key(account(200)));
    }

    #[benchmark]
    fn accept() {
        let controller: AccountId = whitelisted_caller();
        let waiting = Attestation::Waiting(Wait { l1_height: 0, since: 0 });
        let candidate = announced(&controller, waiting);
        Candidates::<T>::insert(account(200), Candidate { confirmed: false, ..candidate });
        #[extrinsic_call]
        accept(RawOrigin::Signed(controller), account(200));
        assert!(Candidates::<T>::get(account(200)).is_some_and(|candidate| candidate.confirmed));
    }

    /// Somebody with a seat signed twice.
    #[benchmark]
    fn on_offence() {
        elect::<T>();
        let offence = Offence {
            kind: OffenceKind::DoubleSign,
            offender: account(LAST),
            set_id: 0,
            height: 1,
        };
        #[block]
        {
            <Pallet<T> as OnOffence>::on_offence(&offence);
        }
        assert!(Banned::<T>::contains_key(account(LAST)));
        assert_eq!(Elected::<T>::get().len() as u32, LAST);
    }

    /// Everybody led in vain, and all seats are candidates': all but one go.
    #[benchmark]
    fn on_low_liveness() {
        elect::<T>();
        let failed: Vec<_> = (0..MAX_SEQUENCERS).map(account).collect();
        #[block]
        {
            <Pallet<T> as OnLowLiveness>::on_low_liveness(&failed);
        }
        let contenders = PendingDraw::<T>::get().map(|draw| draw.contenders.len() as u32);
        assert_eq!(contenders, Some(MAX_CANDIDATES - MAX_SEQUENCERS));
        assert_eq!(Elected::<T>::get().len(), 1);
    }

    /// Everybody stands in a chain of links, as long as there can be.
    #[benchmark]
    fn are_one() {
        fill_candidates::<T>();
        let end = linked::<T>(MAX_LINKS);
        let one;
        #[block]
        {
            one = Pallet::<T>::are_one(&account(0), &end);
        }
        assert!(one);
    }

    #[benchmark]
    fn on_correlation() {
        let end = linked::<T>(MAX_LINKS);
        #[block]
        {
            Pallet::<T>::on_correlation(&end, &account(200));
        }
        assert_eq!(Links::<T>::decode_len(), Some(MAX_LINKS as usize));
    }
}
