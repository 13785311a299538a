//! What makes a block final, and every single thing that does not.

use super::*;
use crate::chain::{quorum, BlockHash, Header};
use codec::{Decode, Encode};
use proptest::prelude::*;
use sp_consensus_grandpa::AuthorityId;
use sp_core::{ed25519, Pair};
use sp_runtime::traits::Header as _;

const BLOCK: BlockHash = BlockHash::repeat_byte(2);
const OTHER: BlockHash = BlockHash::repeat_byte(3);
const NUMBER: u32 = 77;
const SET_ID: u64 = 5;
const ROUND: GrandpaRound = GrandpaRound { epoch: 1, height: NUMBER, round: 4 };

/// Sequencers' keys, ascending by public key.
fn keys(count: u8) -> Vec<ed25519::Pair> {
    let mut keys: Vec<_> = (1..=count).map(|seed| ed25519::Pair::from_seed(&[seed; 32])).collect();
    keys.sort_by_key(|pair| pair.public());
    keys
}

fn set(keys: &[ed25519::Pair]) -> Vec<AuthorityId> {
    keys.iter().map(|pair| pair.public().into()).collect()
}

/// A certificate as it comes over the wire, each signer with what it signed.
fn certificate_of(votes: &[(&ed25519::Pair, BlockHash, u32)]) -> Certificate {
    let precommits: Vec<_> = votes
        .iter()
        .map(|(pair, block, number)| {
            let signature = pair.sign(&precommit_payload(*block, *number, ROUND, SET_ID));
            ((*block, *number), signature, pair.public())
        })
        .collect();
    let wire = (u64::from(ROUND), (BLOCK, NUMBER, precommits), Vec::<Header>::new()).encode();
    Certificate::decode(&mut &wire[..]).expect("GRANDPA's own layout")
}

fn certificate(signers: &[ed25519::Pair]) -> Certificate {
    let votes: Vec<_> = signers.iter().map(|pair| (pair, BLOCK, NUMBER)).collect();
    certificate_of(&votes)
}

fn verify(
    certificate: &Certificate,
    set: &[AuthorityId],
) -> Result<GrandpaRound, CertificateError> {
    verify_certificate(certificate, BLOCK, NUMBER, SET_ID, set.iter())
}

#[test]
fn exactly_a_quorum_of_one_to_seven_makes_a_block_final() {
    for count in 1..=7u8 {
        let keys = keys(count);
        let quorum = quorum(usize::from(count));
        for signers in 0..=usize::from(count) {
            let expected =
                if signers >= quorum { Ok(ROUND) } else { Err(CertificateError::NoQuorum) };
            assert_eq!(verify(&certificate(&keys[..signers]), &set(&keys)), expected, "{count}");
        }
    }
}

#[test]
fn any_quorum_will_do_and_the_set_s_order_does_not_matter() {
    let keys = keys(4);
    let mut set = set(&keys);
    set.reverse();
    for left_out in 0..4 {
        let signers: Vec<_> = (0..4).filter(|i| *i != left_out).map(|i| keys[i]).collect();
        assert_eq!(verify(&certificate(&signers), &set), Ok(ROUND));
    }
}

#[test]
fn a_certificate_of_another_block_is_refused() {
    let keys = keys(4);
    let good = certificate(&keys);
    let verdict = |hash, number| verify_certificate(&good, hash, number, SET_ID, set(&keys).iter());
    assert_eq!(verdict(OTHER, NUMBER), Err(CertificateError::WrongTarget));
    assert_eq!(verdict(BLOCK, NUMBER + 1), Err(CertificateError::WrongTarget));
}

#[test]
fn a_round_of_another_height_or_with_reserved_bits_is_refused() {
    let keys = keys(4);
    for number in
        [u64::from(GrandpaRound { height: NUMBER + 1, ..ROUND }), u64::from(ROUND) | 1 << 48, 0]
    {
        let wrong = Certificate { round: number, ..certificate(&keys) };
        assert_eq!(verify(&wrong, &set(&keys)), Err(CertificateError::WrongRound));
    }
    // The right height, but not the round that was signed.
    let other =
        Certificate { round: GrandpaRound { round: 5, ..ROUND }.into(), ..certificate(&keys) };
    assert_eq!(verify(&other, &set(&keys)), Err(CertificateError::BadSignature));
}

#[test]
fn ancestry_headers_are_refused() {
    let keys = keys(4);
    let mut wrong = certificate(&keys);
    wrong.votes_ancestries.push(Header::new(
        NUMBER,
        Default::default(),
        Default::default(),
        BLOCK,
        Default::default(),
    ));
    assert_eq!(verify(&wrong, &set(&keys)), Err(CertificateError::Ancestry));
}

#[test]
fn a_precommit_for_another_block_is_refused_even_beyond_the_quorum() {
    let keys = keys(4);
    for (block, number) in [(OTHER, NUMBER), (BLOCK, NUMBER + 1)] {
        let mut votes: Vec<_> = keys.iter().map(|pair| (pair, BLOCK, NUMBER)).collect();
        votes[3] = (&keys[3], block, number);
        let wrong = certificate_of(&votes);
        assert_eq!(verify(&wrong, &set(&keys)), Err(CertificateError::WrongPrecommit));
    }
}

#[test]
fn a_signer_outside_the_set_is_refused_even_beyond_the_quorum() {
    let keys = keys(5);
    let members = set(&keys[..4]);
    assert_eq!(verify(&certificate(&keys), &members), Err(CertificateError::NotAMember));
}

#[test]
fn signers_must_be_strictly_ascending() {
    let keys = keys(4);
    let mut swapped = certificate(&keys);
    swapped.commit.precommits.swap(0, 1);
    let mut doubled = certificate(&keys[..3]);
    doubled.commit.precommits[1] = doubled.commit.precommits[0].clone();
    for wrong in [swapped, doubled] {
        assert_eq!(verify(&wrong, &set(&keys)), Err(CertificateError::NotSorted));
    }
}

#[test]
fn one_wrong_signature_spoils_a_certificate() {
    let keys = keys(4);
    for at in 0..4 {
        let mut wrong = certificate(&keys);
        wrong.commit.precommits[at].signature =
            keys[at].sign(&precommit_payload(OTHER, NUMBER, ROUND, SET_ID)).into();
        assert_eq!(verify(&wrong, &set(&keys)), Err(CertificateError::BadSignature), "{at}");
    }
    let verdict =
        verify_certificate(&certificate(&keys), BLOCK, NUMBER, SET_ID + 1, set(&keys).iter());
    assert_eq!(verdict, Err(CertificateError::BadSignature), "signed in another set");
}

#[test]
fn an_empty_set_makes_nothing_final() {
    assert_eq!(verify(&certificate(&[]), &[]), Err(CertificateError::NoQuorum));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    // P11, as far as certificates go: with an honest majority that signs once,
    // two blocks of one height and round cannot both have one.
    #[test]
    fn p11_two_certificates_of_a_height_share_more_than_a_third(count in 1..=10u8, a: u16, b: u16) {
        let keys = keys(count);
        let chosen = |mask: u16| -> Vec<_> {
            (0..keys.len()).filter(|i| mask >> i & 1 == 1).map(|i| keys[i]).collect()
        };
        let (first, second) = (chosen(a), chosen(b));
        let set = set(&keys);
        if verify(&certificate(&first), &set).is_ok() && verify(&certificate(&second), &set).is_ok() {
            let shared = first.iter().filter(|key| {
                second.iter().any(|other| other.public() == key.public())
            });
            prop_assert!(3 * shared.count() > usize::from(count));
        }
    }
}
