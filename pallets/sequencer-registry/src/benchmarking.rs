//! Measures what `weights.rs` estimates. `remove_member` needs members with
//! session keys, which a pallet that knows sessions only through traits cannot
//! make: it measures the refusal, which looks at every member as well. `announce` and
//! what follows from an offence need reputations and stakes, which are others' too:
//! they are not measured. Of a report of common inputs the block of L1 is others', so what
//! is measured is the rest: the proof, the keys and the clusters.

use crate::{
    attestation,
    candidates::{Attestation, Candidate, Wait},
    clusters::{join, ClusterList, Clustered, MAX_CLUSTERED, MAX_LIFTED},
    links::MAX_LINKS,
    pallet::{
        ActiveSequencers, Banned, BarredKeys, Call, Candidates, Clusters, Config,
        LiftedTransactions, Links, Members, Pallet, RevocationKeys,
    },
    ActiveSequencer, Member,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, MAX_SEQUENCERS},
    l1::{
        address::L1Address,
        common_inputs::CommonInputsProof,
        inclusion::{InclusionProof, HEADER_LEN, MAX_TRANSACTION_BYTES},
        signed_message::key_hash,
        transaction::StrippedTransaction,
        L1Hash,
    },
    relay::{L1BlockContext, L1Event, OnL1Event},
    sequencers::{Entities, NodeAttestation, OnCorrelation, RevocationKey},
};
use frame_benchmarking::v2::*;
use frame_support::{traits::Get, BoundedVec};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{crypto::KeyTypeId, ecdsa, ed25519, H160};
use sp_io::crypto::{ecdsa_generate, ecdsa_sign_prehashed, secp256k1_ecdsa_recover_compressed};
use sp_runtime::{
    traits::{IdentifyAccount, Zero},
    transaction_validity::TransactionSource,
    MultiSigner,
};

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

/// So many links in a chain that begins with account 0; the two of the last one.
fn linked<T: Config>(count: u32) -> (AccountId, AccountId) {
    let account = |n: u32| AccountId::new([n as u8; 32]);
    for n in 0..count {
        Pallet::<T>::on_correlation(&account(n), &account(n + 1));
    }
    (account(count - 1), account(count))
}

/// As many accounts in clusters as can be, two in each.
fn crowd() -> ClusterList {
    let named = |n: u32| {
        let mut bytes = [0xcc; 32];
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        AccountId::new(bytes)
    };
    let all = (0..MAX_CLUSTERED).map(|n| Clustered { account: named(n), cluster: n / 2 });
    BoundedVec::truncate_from(all.collect())
}

/// Fewest bytes of a transaction as [`common_inputs`] makes it, and some more.
const LEAST_TRANSACTION: u32 = 700;

/// A proof with a transaction of about `bytes` bytes, alone in its block, that two keys
/// signed; and the keys.
fn common_inputs(bytes: u32) -> (CommonInputsProof, [ecdsa::Public; 2]) {
    let key_type = KeyTypeId(*b"benc");
    let keys = [ecdsa_generate(key_type, None), ecdsa_generate(key_type, None)];
    // All but what its output says are 325 bytes at most.
    let said = bytes.max(LEAST_TRANSACTION) as u16 - 325;
    let raw = |scripts: &[Vec<u8>; 2]| {
        let mut raw = alloc::vec![2u8, 0, 0, 0, 2];
        for (n, script) in (1u8..).zip(scripts) {
            raw.extend([n; 36]);
            raw.push(script.len() as u8);
            raw.extend(script);
            raw.extend([0xff; 4]);
        }
        raw.extend([1, 5, 0, 0, 0, 0, 0, 0, 0, 0xfd]);
        raw.extend(said.to_le_bytes());
        raw.push(0x6a);
        raw.resize(raw.len() + usize::from(said) - 1, 0);
        raw.extend([0; 4]);
        raw
    };
    let unsigned = raw(&[Vec::new(), Vec::new()]);
    let transaction = StrippedTransaction::read(&unsigned).expect("it was just made; qed");
    let script = |index: usize| {
        let key = keys[index];
        let spent = L1Address::PublicKeyHash(key_hash(&key.0)).script();
        let digest = transaction.legacy_digest(index, &spent, 1).expect("it has two inputs; qed");
        let signature =
            ecdsa_sign_prehashed(key_type, &key, &digest).expect("the key was just made; qed");
        let mut script = der(&signature.0[..64]);
        script.push(1);
        script.insert(0, script.len() as u8);
        script.push(33);
        script.extend(key.0);
        script
    };
    let signed = raw(&[script(0), script(1)]);
    let mut header = [0; HEADER_LEN];
    header[36..68].copy_from_slice(&L1Hash::of(&signed).0);
    let inclusion = InclusionProof {
        height: 1,
        header,
        transaction: BoundedVec::truncate_from(signed),
        position: 0,
        path: Default::default(),
    };
    (CommonInputsProof { inclusion, first: 0, second: 1 }, keys)
}

/// `r ‖ s` as it stands in scripts.
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let mut digits: Vec<u8> = number.iter().copied().skip_while(|digit| *digit == 0).collect();
        if digits.first().is_some_and(|first| *first >= 0x80) {
            digits.insert(0, 0);
        }
        [&[2, digits.len() as u8][..], &digits].concat()
    };
    let (r, s) = signature.split_at(32);
    let both = [integer(r), integer(s)].concat();
    [&[0x30, both.len() as u8][..], &both].concat()
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

    /// As many links as there can be; the last one is between the two.
    #[benchmark]
    fn are_one() {
        Clusters::<T>::put(crowd());
        let (first, second) = linked::<T>(MAX_LINKS);
        let one;
        #[block]
        {
            one = Pallet::<T>::are_one(&second, &first);
        }
        assert!(one);
    }

    #[benchmark]
    fn is_known() {
        let (first, second) = linked::<T>(MAX_LINKS);
        let known;
        #[block]
        {
            known = Pallet::<T>::is_known(&second, &first);
        }
        assert!(known);
    }

    #[benchmark]
    fn on_correlation() {
        let (_, end) = linked::<T>(MAX_LINKS);
        #[block]
        {
            Pallet::<T>::on_correlation(&end, &AccountId::new([200; 32]));
        }
        assert_eq!(Links::<T>::decode_len(), Some(MAX_LINKS as usize));
    }

    #[benchmark]
    fn report_common_inputs(n: Linear<LEAST_TRANSACTION, MAX_TRANSACTION_BYTES>) {
        Clusters::<T>::put(crowd());
        let (proof, keys) = common_inputs(n);
        let accounts = keys.map(|key| MultiSigner::Ecdsa(key).into_account());
        let theirs;
        #[block]
        {
            let recover = |signature: &[u8; 65], digest: &[u8; 32]| {
                secp256k1_ecdsa_recover_compressed(signature, digest).ok()
            };
            let spends = proof.check(recover).expect("both signed; qed");
            let mut pairs = accounts.iter().zip(&spends);
            theirs = pairs.all(|(account, spend)| Pallet::<T>::holds_key(account, &spend.key));
            let [first, second] = &accounts;
            Clusters::<T>::mutate(|list| {
                join(list, first, second, |account| Candidates::<T>::contains_key(account))
            });
        }
        assert!(theirs);
        let clusters = Clusters::<T>::get();
        assert_eq!(clusters.len() as u32, MAX_CLUSTERED);
        assert_eq!(clusters.last().map(|one| &one.account), Some(&accounts[1]));
    }

    #[benchmark]
    fn lift_common_inputs() {
        Clusters::<T>::put(crowd());
        let lifted: Vec<L1Hash> = (0..MAX_LIFTED).map(|n| L1Hash([n as u8; 32])).collect();
        LiftedTransactions::<T>::put(BoundedVec::truncate_from(lifted));
        let account = crowd()[MAX_CLUSTERED as usize - 1].account.clone();
        let txid = L1Hash([0xff; 32]);
        #[extrinsic_call]
        lift_common_inputs(RawOrigin::Root, account.clone(), txid);
        assert_eq!(Clusters::<T>::decode_len(), Some(MAX_CLUSTERED as usize - 2));
        assert!(LiftedTransactions::<T>::get().contains(&txid));
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
    fn set_revocation_key() {
        let account = candidate::<T>();
        let key = H160([7; 20]);
        #[extrinsic_call]
        set_revocation_key(RawOrigin::Signed(account.clone()), Some(key));
        assert_eq!(Pallet::<T>::revocation_key(&account).key, Some(key));
    }

    /// Of a sequencer in force. To unregister keys takes pallet-session, and is not
    /// measured.
    #[benchmark]
    fn on_revocation() {
        let sequencer = asked::<T>(&candidate::<T>(), [1; 32].into());
        let signer = H160([7; 20]);
        RevocationKeys::<T>::insert(&sequencer, RevocationKey { key: Some(signer), change: None });
        let chain_id = T::Parameters::get().chain_id;
        let event = L1Event::KeyRevocation { chain_id, signer, account: sequencer };
        #[block]
        {
            Pallet::<T>::on_event(&event, &L1BlockContext::default());
        }
        assert_eq!(BarredKeys::<T>::decode_len(), Some(1));
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
