//! Measures what `weights.rs` estimates. `remove_member` needs members with
//! session keys, which a pallet that knows sessions only through traits cannot
//! make: it measures the refusal, which looks at every member as well. `announce` and
//! what follows from an offence need reputations and stakes, which are others' too:
//! they are not measured.

use crate::{
    attestation,
    candidates::{Attestation, Candidate, Wait},
    links::MAX_LINKS,
    pallet::{ActiveSequencers, Banned, Call, Candidates, Config, Links, Members, Pallet},
    ActiveSequencer, Member,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, MAX_SEQUENCERS},
    sequencers::{Entities, NodeAttestation, OnCorrelation},
};
use frame_benchmarking::v2::*;
use frame_support::{traits::Get, BoundedVec};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{crypto::KeyTypeId, ed25519};
use sp_runtime::{traits::Zero, transaction_validity::TransactionSource};

/// As many members as a chain can have, but for `free` seats.
fn fill<T: Config>(free: u32) -> AccountId {
    let members: Vec<Member> = (free..MAX_SEQUENCERS)
        .map(|n| Member { account: AccountId::new([n as u8; 32]), weight: 1 })
        .collect();
    Members::<T>::put(BoundedVec::truncate_from(members));
    AccountId::new([MAX_SEQUENCERS as u8 - 1; 32])
}

fn candidate<T: Config>() -> AccountId {
    let account: AccountId = whitelisted_caller();
    let candidate = Candidate {
        announced_at: 1,
        controller: account.clone(),
        confirmed: true,
        endpoint: Default::default(),
        weight: 0,
        attestation: Attestation::Waiting(Wait { l1_height: 0, since: 0 }),
    };
    Candidates::<T>::insert(&account, candidate);
    account
}

/// Opens a poll about a candidate, in which the one sequencer there is is asked.
fn asked<T: Config>(candidate: &AccountId, relay: ed25519::Public) -> AccountId {
    let sequencer = AccountId::new([1; 32]);
    let active = ActiveSequencer { entity: sequencer.clone(), account: sequencer.clone(), relay };
    ActiveSequencers::<T>::put(BoundedVec::truncate_from(alloc::vec![active]));
    let poll = attestation::open(1, &[sequencer.clone()], candidate, candidate, &[0; 32]);
    Candidates::<T>::mutate(candidate, |candidate| {
        let candidate = candidate.as_mut().expect("it was just made");
        candidate.attestation = Attestation::Open(poll.clone());
    });
    sequencer
}

/// So many links in a chain that begins with account 0; its end.
fn linked<T: Config>(count: u32) -> AccountId {
    let account = |n: u32| AccountId::new([n as u8; 32]);
    for n in 0..count {
        Pallet::<T>::on_correlation(&account(n), &account(n + 1));
    }
    account(count)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn add_member() {
        fill::<T>(1);
        let account = AccountId::new([0; 32]);
        #[extrinsic_call]
        add_member(RawOrigin::Root, Member { account, weight: 1 });
        assert_eq!(Members::<T>::get().len() as u32, MAX_SEQUENCERS);
    }

    #[benchmark]
    fn remove_member() {
        let account = fill::<T>(0);
        #[block]
        {
            let refused = Pallet::<T>::remove_member(RawOrigin::Root.into(), account);
            assert!(refused.is_err());
        }
    }

    #[benchmark]
    fn set_weight() {
        let account = fill::<T>(0);
        #[extrinsic_call]
        set_weight(RawOrigin::Root, account, 7);
        assert_eq!(Members::<T>::get().last().map(|member| member.weight), Some(7));
    }

    /// A candidate without a seat; taking one is measured with `remove_member`.
    #[benchmark]
    fn resign() {
        let account = candidate::<T>();
        #[extrinsic_call]
        resign(RawOrigin::Signed(account.clone()));
        assert!(!Candidates::<T>::contains_key(account));
    }

    #[benchmark]
    fn attest() {
        let account = candidate::<T>();
        let sequencer = asked::<T>(&account, [1; 32].into());
        #[extrinsic_call]
        attest(RawOrigin::Signed(sequencer), account.clone(), true);
        let attestation = Candidates::<T>::get(account).map(|candidate| candidate.attestation);
        assert!(matches!(attestation, Some(Attestation::Given { .. })));
    }

    /// Everybody stands in a chain of links, as long as there can be.
    #[benchmark]
    fn are_one() {
        let end = linked::<T>(MAX_LINKS);
        let one;
        #[block]
        {
            one = Pallet::<T>::are_one(&AccountId::new([0; 32]), &end);
        }
        assert!(one);
    }

    #[benchmark]
    fn on_correlation() {
        let end = linked::<T>(MAX_LINKS);
        #[block]
        {
            Pallet::<T>::on_correlation(&end, &AccountId::new([200; 32]));
        }
        assert_eq!(Links::<T>::decode_len(), Some(MAX_LINKS as usize));
    }

    #[benchmark]
    fn authorize_attestation() {
        let account = candidate::<T>();
        let key_type = KeyTypeId(*b"rlay");
        let key = sp_io::crypto::ed25519_generate(key_type, None);
        asked::<T>(&account, key);
        let attestation = NodeAttestation {
            set_id: T::SetId::get(),
            voter: 0,
            candidate: account,
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
        let account = AccountId::new([9; 32]);
        Banned::<T>::insert(&account, ());
        #[extrinsic_call]
        pardon(RawOrigin::Root, account.clone());
        assert!(!Banned::<T>::contains_key(account));
    }
}
