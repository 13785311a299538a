//! Ranges, digests and what a vote signs.

use super::*;
use crate::l1::L1Hash;
use proptest::prelude::*;
use sp_core::H256;
use std::collections::BTreeSet;

fn chain(first: u32, length: u32) -> Vec<L1BlockDigest> {
    (first..first + length)
        .map(|height| L1BlockDigest {
            height,
            hash: L1Hash::of(&height.to_le_bytes()),
            previous: L1Hash::of(&(height - 1).to_le_bytes()),
            time: height * 150,
            ..Default::default()
        })
        .collect()
}

fn range(digests: &[L1BlockDigest]) -> RelayRange {
    RelayRange(digests.to_vec().try_into().expect("at most 64"))
}

#[test]
fn a_range_is_well_formed_if_it_is_a_chain() {
    let blocks = chain(10, 5);
    assert!(range(&blocks).is_well_formed());
    assert!(range(&blocks[..1]).is_well_formed());
    assert!(!range(&[]).is_well_formed());
    assert!(!range(&[blocks[0], blocks[2]]).is_well_formed());
    assert!(!range(&[blocks[1], blocks[0]]).is_well_formed());
    assert!(!range(&[blocks[0], blocks[0]]).is_well_formed());
    let unlinked = L1BlockDigest { previous: L1Hash::default(), ..blocks[1] };
    assert!(!range(&[blocks[0], unlinked]).is_well_formed());
    let top = L1BlockDigest { height: u32::MAX, ..blocks[0] };
    let wrapped = L1BlockDigest { height: 0, previous: top.hash, ..blocks[1] };
    assert!(!range(&[top, wrapped]).is_well_formed(), "heights do not wrap");
}

#[test]
fn a_range_names_where_it_stands() {
    let blocks = chain(10, 3);
    assert_eq!((range(&blocks).first(), range(&blocks).previous()), (10, blocks[0].previous));
    assert_eq!((range(&[]).first(), range(&[]).previous()), (0, L1Hash::default()));
}

#[test]
fn the_signed_message_has_the_documented_layout() {
    let range = range(&chain(10, 2));
    let genesis = H256::repeat_byte(7);
    let message = RelayVote::message(&genesis, 0x0102, &range, 0x0a0b_0c0d);
    assert_eq!(message.len(), 9 + 32 + 8 + 4 + 4 + 32 + 32 + 4);
    assert_eq!(&message[..9], b"CASL2RLY1");
    assert_eq!(&message[9..41], genesis.as_bytes());
    assert_eq!(&message[41..49], &[2, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(&message[49..57], &[10, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(&message[57..89], &range.previous().0);
    assert_eq!(&message[121..], &[0x0d, 0x0c, 0x0b, 0x0a]);
}

#[test]
fn a_digest_s_id_binds_every_field() {
    let one = chain(10, 1)[0];
    let others = [
        one,
        L1BlockDigest { height: 11, ..one },
        L1BlockDigest { hash: L1Hash([1; 32]), ..one },
        L1BlockDigest { previous: L1Hash([1; 32]), ..one },
        L1BlockDigest { time: 1, ..one },
        L1BlockDigest { median_time: 1, ..one },
        L1BlockDigest { event_count: 1, ..one },
        L1BlockDigest { pages_root: H256::repeat_byte(1), ..one },
    ];
    let ids: BTreeSet<_> = others.iter().map(L1BlockDigest::id).collect();
    assert_eq!(ids.len(), others.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_part_of_a_vote_is_signed(
        first in 1..1_000u32, length in 1..64u32, set_id: u64, tip_time: u32, genesis: [u8; 32],
        at in any::<prop::sample::Index>(),
    ) {
        let blocks = chain(first, length);
        let genesis = H256(genesis);
        let message =
            |genesis: &H256, set_id, blocks: &[_], time| RelayVote::message(genesis, set_id, &range(blocks), time);
        let signed = message(&genesis, set_id, &blocks, tip_time);
        let mut changed = blocks.clone();
        let at = at.index(changed.len());
        changed[at].median_time ^= 1;
        let mut other = genesis;
        other.0[0] ^= 1;
        for different in [
            message(&other, set_id, &blocks, tip_time),
            message(&genesis, set_id ^ 1, &blocks, tip_time),
            message(&genesis, set_id, &changed, tip_time),
            message(&genesis, set_id, &blocks[..blocks.len() - 1], tip_time),
            message(&genesis, set_id, &blocks, tip_time ^ 1),
        ] {
            prop_assert_ne!(&different, &signed);
            prop_assert_eq!(different.len(), signed.len());
        }
    }
}
