//! Measures what `weights.rs` estimates, each with as many sequencers and candidates as
//! there can be.
//!
//! A pallet that knows sessions, reputations and stakes only through traits can make
//! none. So these benchmarks need the genesis to measure with, where account `n` has an
//! id of the byte `n`, the first 64 have session keys, and neither reputation nor stake
//! is asked for. Of a report of common inputs the block of L1 is others', so what is
//! measured is the rest: the proof, the keys and the clusters.

use crate::{
    attestation,
    candidates::{Attestation, Candidate, Endpoint, Wait, MAX_CANDIDATES, MAX_ENDPOINT_BYTES},
    clusters::{join, ClusterList, Clustered, MAX_CLUSTERED, MAX_LIFTED},
    links::MAX_LINKS,
    pallet::{
        ActiveSequencers, Banned, BarredKeys, Call, Candidates, Clusters, Config, Elected,
        LiftedTransactions, Links, Members, Pallet, PendingDraw, RefusedUntil, RevocationKeys,
    },
    ActiveSequencer, Member,
};
use alloc::{vec, vec::Vec};
use cascoin_l2_pallet_support::genesis_hash;
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
    sequencers::{
        Entities, NodeAttestation, Offence, OffenceKind, OnCorrelation, OnLowLiveness, OnOffence,
        RevocationKey,
    },
};
use core::ops::Range;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{ConstU32, Get},
    BoundedVec,
};
use frame_system::RawOrigin;
use sp_core::{crypto::KeyTypeId, ecdsa, ed25519, H160};
use sp_io::crypto::{ecdsa_generate, ecdsa_sign_prehashed, secp256k1_ecdsa_recover_compressed};
use sp_runtime::{traits::IdentifyAccount, transaction_validity::TransactionSource, MultiSigner};

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

/// A candidate that waits, with the signer's account.
fn candidate<T: Config>() -> AccountId {
    let account: AccountId = whitelisted_caller();
    let waiting = Attestation::Waiting(Wait { l1_height: 0, since: 0 });
    Candidates::<T>::insert(&account, announced(&account, waiting));
    account
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
    let active = |number| ActiveSequencer {
        entity: account(number),
        account: account(number),
        relay: relay(number),
    };
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

/// So many links in a chain that begins with account 0; the two of the last one.
fn linked<T: Config>(count: u32) -> (AccountId, AccountId) {
    for number in 0..count {
        Pallet::<T>::on_correlation(&account(number), &account(number + 1));
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
        let genesis: BlockHash = genesis_hash::<T>();
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

    /// Of a sequencer in force that has registered other keys since. To unregister keys takes pallet-session, and is not
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
        assert_eq!(BarredKeys::<T>::decode_len(), Some(2));
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

    /// Everybody led in vain, and all seats are candidates': all but one go. There are as many
    /// links and clusters as can be.
    #[benchmark]
    fn on_low_liveness() {
        elect::<T>();
        Clusters::<T>::put(crowd());
        linked::<T>(MAX_LINKS);
        // Genesis announces one, of nobody.
        PendingDraw::<T>::kill();
        let failed: Vec<_> = (0..MAX_SEQUENCERS).map(account).collect();
        #[block]
        {
            <Pallet<T> as OnLowLiveness>::on_low_liveness(&failed);
        }
        let standing = PendingDraw::<T>::get().map(|draw| draw.standing.len() as u32);
        assert_eq!(standing, Some(MAX_CANDIDATES - MAX_SEQUENCERS));
        assert_eq!(Elected::<T>::get().len(), 1);
    }
}
