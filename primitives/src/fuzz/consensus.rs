//! What sequencers and candidates sign, as strangers may bring it: certificates, evidence,
//! headers, announcements, attestations.

use super::scale;
use crate::{
    chain::{AccountId, BlockHash, Header, MAX_SEQUENCERS},
    consensus::{
        precommit_payload, verify_certificate, Certificate, DoubleSignEvidence, GrandpaRound,
        LeaderDigest, SignedStatement, Statement,
    },
    hand_over::{
        consent_message, Consent, HandOver, HandOverBase, MalformedHandOver, HAND_OVER_ENGINE_ID,
    },
    l1::L1Hash,
    sequencers::{
        Announcement, NodeAttestation, SignedAnnouncement, MAX_ADDRESSES, MAX_ADDRESS_BYTES,
        MAX_PEER_BYTES,
    },
};
use cascoin_fuzz::fuzz;
use codec::{Decode, Encode, MaxEncodedLen};
use sp_consensus_grandpa::AuthorityId;
use sp_core::{bounded::BoundedVec, ed25519, ConstU32, Pair};
use sp_runtime::{generic::DigestItem, traits::Header as _};

const GENESIS: BlockHash = BlockHash::repeat_byte(1);
const BLOCK: BlockHash = BlockHash::repeat_byte(2);
const NUMBER: u32 = 77;
const SET_ID: u64 = 5;
const ROUND: GrandpaRound = GrandpaRound { epoch: 0, height: NUMBER, round: 4 };

fn pair(seed: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[seed; 32])
}

/// Its signers ascend by key, as they must.
fn certificate(signers: &[ed25519::Pair]) -> Vec<u8> {
    let payload = precommit_payload(BLOCK, NUMBER, ROUND, SET_ID);
    let precommits: Vec<_> =
        signers.iter().map(|pair| ((BLOCK, NUMBER), pair.sign(&payload), pair.public())).collect();
    (u64::from(ROUND), (BLOCK, NUMBER, precommits), Vec::<Header>::new()).encode()
}

#[test]
fn certificate_of_a_block() {
    let mut keys: Vec<_> = (1..=4).map(pair).collect();
    keys.sort_by_key(|pair| pair.public());
    let set: Vec<AuthorityId> = keys.iter().map(|pair| pair.public().into()).collect();
    let all = certificate(&keys);
    let signed: Vec<Vec<u8>> = Certificate::decode(&mut &all[..])
        .expect("GRANDPA's own layout")
        .commit
        .precommits
        .iter()
        .map(Encode::encode)
        .collect();
    // By all and by just enough.
    fuzz(&[all, certificate(&keys[..3])], |bytes| {
        let Some(read) = scale::<Certificate>(bytes) else { return false };
        let verified = verify_certificate(&read, BLOCK, NUMBER, SET_ID, set.iter());
        if let Ok(round) = verified {
            // The round is signed too, and so is all that a signer says.
            assert_eq!(round, ROUND);
            let precommits = &read.commit.precommits;
            assert!(precommits.len() >= 3);
            assert!(precommits.iter().all(|precommit| signed.contains(&precommit.encode())));
        }
        verified.is_ok()
    });
}

#[test]
fn evidence() {
    let key = pair(7);
    let signed = |statement: Statement| {
        let signature = key.sign(&statement.payload(&GENESIS, SET_ID, ROUND));
        SignedStatement { statement, signature }
    };
    let evidence = |one, other| {
        DoubleSignEvidence::new(SET_ID, key.public(), ROUND, signed(one), signed(other))
            .expect("they contradict each other")
            .encode()
    };
    let block = BlockHash::repeat_byte;
    let cases = [
        evidence(
            Statement::Proposal { block: block(2), valid_round: None },
            Statement::Proposal { block: block(3), valid_round: Some(1) },
        ),
        evidence(Statement::Prevote { block: Some(block(2)) }, Statement::Prevote { block: None }),
        evidence(
            Statement::Precommit { block: Some(block(2)) },
            Statement::Precommit { block: None },
        ),
    ];
    fuzz(&cases, |bytes| {
        let Some(read) = scale::<DoubleSignEvidence>(bytes) else { return false };
        assert!(bytes.len() <= DoubleSignEvidence::max_encoded_len());
        let proves = read.verify(&GENESIS, |signature, message, key| {
            ed25519::Pair::verify(signature, message, key)
        });
        // Nobody is accused of what it did not sign, and no offence has two proofs.
        if proves {
            assert!(cases.iter().any(|case| case == bytes));
        }
        proves
    });
}

#[test]
fn header() {
    let leader = LeaderDigest { term: 9, round: 1, leader: 3 };
    let logs =
        vec![leader.item(), DigestItem::Other(vec![1, 2]), DigestItem::Seal(*b"CASL", vec![])];
    let (zero, state) = (BlockHash::zero(), BlockHash::repeat_byte(3));
    let digest = sp_runtime::Digest { logs };
    let with_logs = Header::new(NUMBER, zero, state, GENESIS, digest);
    let plain = Header::new(1, zero, state, GENESIS, Default::default());
    let expected = with_logs.hash();
    fuzz(&[with_logs.encode(), plain.encode()], |bytes| {
        let Some(read) = scale::<Header>(bytes) else { return false };
        let found = LeaderDigest::find(&read.digest.logs);
        if read.hash() == expected {
            assert_eq!(found, Some(leader));
        }
        // Who is found is named by one item, and by no other.
        if found.is_some() {
            let twice: Vec<_> = read.digest.logs.iter().cloned().chain([leader.item()]).collect();
            assert_eq!(LeaderDigest::find(&twice), None);
        }
        true
    });
}

#[test]
fn hand_over() {
    let base = HandOverBase {
        number: NUMBER,
        hash: BlockHash::repeat_byte(3),
        set_id: SET_ID,
        l1_block: L1Hash([4; 32]),
        txid: L1Hash([5; 32]),
    };
    let seeds = [1, 2, 3];
    let message = consent_message(&GENESIS, &base);
    let consent = |seed: &u8| Consent {
        account: AccountId::new([*seed; 32]),
        signature: pair(*seed).sign(&message),
    };
    let of = |seeds: &[u8]| HandOver {
        base,
        consents: BoundedVec::truncate_from(seeds.iter().map(consent).collect::<Vec<_>>()),
    };
    let keys = seeds.map(|seed| pair(seed).public());
    let expected = of(&seeds);
    fuzz(&[expected.encode(), of(&[]).encode()], |bytes| {
        let Some(read) = scale::<HandOver>(bytes) else { return false };
        assert!(read.consents.len() <= MAX_SEQUENCERS as usize);
        // A consent holds for nothing but what was signed.
        if read.base != base {
            let message = consent_message(&GENESIS, &read.base);
            let holds = |consent: &Consent| {
                keys.iter().any(|key| ed25519::Pair::verify(&consent.signature, &message, key))
            };
            assert!(!read.consents.iter().any(holds));
        }
        // Where and who have one name, and a header that carries it carries nothing else.
        let is_same = read.base == base && read.accounts().eq(expected.accounts());
        assert_eq!(read.id() == expected.id(), is_same);
        assert_eq!(HandOver::find(&[read.item()]), Ok(Some(read.clone())));
        let mut longer = read.encode();
        longer.push(0);
        let longer = DigestItem::PreRuntime(HAND_OVER_ENGINE_ID, longer);
        assert_eq!(HandOver::find(&[longer]), Err(MalformedHandOver));
        true
    });
}

#[test]
fn announcement() {
    let key = pair(7);
    let announced = |addresses: &[&str]| {
        let addresses: Vec<BoundedVec<u8, ConstU32<MAX_ADDRESS_BYTES>>> = addresses
            .iter()
            .map(|address| address.as_bytes().to_vec().try_into().expect("it fits"))
            .collect();
        let announcement = Announcement {
            account: AccountId::new([7; 32]),
            peer: vec![8; 38].try_into().expect("it fits"),
            addresses: addresses.try_into().expect("they fit"),
            height: NUMBER,
            hash: BLOCK,
        };
        let signature = key.sign(&announcement.message(&GENESIS));
        SignedAnnouncement { announcement, signature }.encode()
    };
    let cases = [
        announced(&[]),
        announced(&["/ip4/127.0.0.1/tcp/30333"]),
        announced(&["/dns/a.example/tcp/1", "/ip6/::1/tcp/2", "/ip4/1.2.3.4/tcp/3", "x"]),
    ];
    let public = key.public();
    fuzz(&cases, |bytes| {
        let Some(read) = scale::<SignedAnnouncement>(bytes) else { return false };
        let Announcement { peer, addresses, .. } = &read.announcement;
        assert!(peer.len() <= MAX_PEER_BYTES as usize);
        assert!(addresses.len() <= MAX_ADDRESSES as usize);
        assert!(addresses.iter().all(|address| address.len() <= MAX_ADDRESS_BYTES as usize));
        let message = read.announcement.message(&GENESIS);
        let signed = ed25519::Pair::verify(&read.signature, &message, &public);
        if signed {
            assert!(cases.iter().any(|case| case == bytes));
        }
        signed
    });
}

#[test]
fn node_attestation() {
    let attestation = |approves| NodeAttestation {
        set_id: SET_ID,
        voter: 3,
        candidate: AccountId::new([7; 32]),
        opened: 9,
        approves,
    };
    fuzz(&[attestation(true).encode(), attestation(false).encode()], |bytes| {
        let Some(read) = scale::<NodeAttestation>(bytes) else { return false };
        assert_eq!(bytes.len(), NodeAttestation::max_encoded_len());
        // What is signed says all of it.
        assert!(read.message(&GENESIS).ends_with(bytes));
        true
    });
}
