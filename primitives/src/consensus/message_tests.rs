//! What is signed: lengths, layout, and that no signature serves as another.

use super::*;
use crate::chain::BlockHash;
use proptest::prelude::*;
use std::collections::BTreeSet;

const GENESIS: BlockHash = BlockHash::repeat_byte(1);
const BLOCK: BlockHash = BlockHash::repeat_byte(2);

fn round(epoch: u8, height: u32, round: u16) -> GrandpaRound {
    GrandpaRound { epoch, height, round }
}

#[test]
fn messages_have_their_documented_lengths() {
    let step = |step| bft_message(&GENESIS, 1, round(0, 2, 3), step, Some(&BLOCK), None);
    for kind in [Step::Proposal, Step::Prevote, Step::NilPrecommit] {
        assert_eq!(step(kind).len(), 93);
    }
    assert_eq!(precommit_payload(BLOCK, 2, round(0, 2, 3), 1).len(), 53);
}

#[test]
fn a_bft_message_has_the_documented_layout() {
    let message =
        bft_message(&GENESIS, 0x0102, round(9, 0x0304, 0x0506), Step::Prevote, None, Some(7));
    let expected = [
        &b"CASL2BFT1"[..],
        GENESIS.as_bytes(),
        &[9],
        &[2, 1, 0, 0, 0, 0, 0, 0],
        &[4, 3, 0, 0],
        &[6, 5],
        &[1],
        &[0; 32],
        &[7, 0, 0, 0],
    ]
    .concat();
    assert_eq!(message, expected);
    let none = bft_message(&GENESIS, 0, round(0, 0, 0), Step::Proposal, Some(&BLOCK), None);
    assert_eq!(&none[89..], &[0xff; 4], "no valid round is −1");
}

#[test]
fn a_precommit_signs_grandpa_s_own_payload() {
    // SCALE of (Message::Precommit, round u64, set_id u64).
    let payload = precommit_payload(BLOCK, 0x0203, round(1, 0x0203, 5), 6);
    let expected = [
        &[1][..],
        BLOCK.as_bytes(),
        &[3, 2, 0, 0],
        &[5, 0, 3, 2, 0, 0, 0, 1],
        &[6, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    assert_eq!(payload, expected);
}

#[test]
fn a_round_number_with_reserved_bits_is_refused() {
    for bit in 48..56 {
        assert_eq!(GrandpaRound::try_from(1u64 << bit), Err(RoundError));
    }
}

#[test]
fn a_hello_binds_the_connection_s_two_ends_in_order() {
    let hello = |own: &[u8], other: &[u8]| hello_message(&GENESIS, 1, own, other, 2);
    assert_ne!(hello(b"a", b"b"), hello(b"b", b"a"));
    assert_ne!(hello(b"ab", b"c"), hello(b"a", b"bc"), "the lengths are signed");
}

#[test]
fn a_leader_digest_is_found_once_or_not_at_all() {
    use sp_runtime::DigestItem;
    let digest = LeaderDigest { term: 1, round: 2, leader: 3 };
    let other = DigestItem::PreRuntime(*b"aura", vec![1; 8]);
    assert_eq!(LeaderDigest::find(&[other.clone(), digest.item()]), Some(digest));
    assert_eq!(LeaderDigest::find(&[other]), None);
    assert_eq!(LeaderDigest::find(&[digest.item(), digest.item()]), None);
    let malformed = DigestItem::PreRuntime(LEADER_ENGINE_ID, vec![1, 2]);
    assert_eq!(LeaderDigest::find(&[malformed]), None);
    let elsewhere = DigestItem::Consensus(LEADER_ENGINE_ID, vec![0; 8]);
    assert_eq!(LeaderDigest::find(&[elsewhere]), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_round_number_survives_the_round_trip(epoch: u8, height: u32, number: u16) {
        let one = round(epoch, height, number);
        let encoded = u64::from(one);
        prop_assert_eq!(encoded >> 48 & 0xff, 0);
        prop_assert_eq!(GrandpaRound::try_from(encoded), Ok(one));
    }

    #[test]
    fn round_numbers_order_as_epoch_height_round(a: (u8, u32, u16), b: (u8, u32, u16)) {
        let number = |(epoch, height, r)| u64::from(round(epoch, height, r));
        prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
    }

    #[test]
    fn every_part_of_a_bft_message_is_signed(
        set_id: u64, epoch: u8, height: u32, number in 0..u16::MAX, valid in 0..u16::MAX,
    ) {
        let at = round(epoch, height, number);
        let message = |genesis, set_id, at, step, block, valid| {
            bft_message(genesis, set_id, at, step, block, valid)
        };
        let other = GrandpaRound { height: height ^ 1, ..at };
        let messages = [
            message(&GENESIS, set_id, at, Step::Prevote, Some(&BLOCK), Some(valid)),
            message(&BLOCK, set_id, at, Step::Prevote, Some(&BLOCK), Some(valid)),
            message(&GENESIS, set_id ^ 1, at, Step::Prevote, Some(&BLOCK), Some(valid)),
            message(&GENESIS, set_id, other, Step::Prevote, Some(&BLOCK), Some(valid)),
            message(&GENESIS, set_id, GrandpaRound { epoch: epoch ^ 1, ..at }, Step::Prevote, Some(&BLOCK), Some(valid)),
            message(&GENESIS, set_id, GrandpaRound { round: number + 1, ..at }, Step::Prevote, Some(&BLOCK), Some(valid)),
            message(&GENESIS, set_id, at, Step::Proposal, Some(&BLOCK), Some(valid)),
            message(&GENESIS, set_id, at, Step::NilPrecommit, Some(&BLOCK), Some(valid)),
            message(&GENESIS, set_id, at, Step::Prevote, None, Some(valid)),
            message(&GENESIS, set_id, at, Step::Prevote, Some(&BLOCK), None),
            message(&GENESIS, set_id, at, Step::Prevote, Some(&BLOCK), Some(valid + 1)),
        ];
        let different: BTreeSet<_> = messages.iter().collect();
        prop_assert_eq!(different.len(), messages.len());
    }
}
