//! A transaction is in a block if its path says so, and only then.

use super::{
    inclusion::{path_to, root_of, MAX_PATH},
    testing::{merkle_root, mined, pays, Spend},
    L1Hash,
};
use proptest::prelude::*;

fn txids(count: usize) -> Vec<L1Hash> {
    (0..count).map(|n| L1Hash::of(&(n as u64).to_le_bytes())).collect()
}

/// A transaction of 64 bytes: one input with an empty script, one output with a script
/// of four bytes. Valid on L1 but for its meaning.
fn short_transaction() -> Vec<u8> {
    let raw = [
        &[2, 0, 0, 0, 1][..],
        &[7; 36],
        &[0],
        &[0xff; 4],
        &[1],
        &5u64.to_le_bytes(),
        &[4, 0x51, 0x51, 0x51, 0x51],
        &[0; 4],
    ]
    .concat();
    assert_eq!(raw.len(), 64);
    raw
}

#[test]
fn every_transaction_of_a_block_has_its_path_and_no_other() {
    for count in 1..=40 {
        let all = txids(count);
        let root = Some(merkle_root(&all));
        for position in 0..count {
            let path = path_to(&all, position).expect("it is there");
            for claimed in 0..64u32 {
                let here = root_of(all[position], claimed, &path) == root;
                assert_eq!(here, claimed == position as u32, "{claimed}: {position} of {count}");
            }
        }
        assert_eq!(path_to(&all, count), None);
    }
}

/// Block 170 of Bitcoin, the first with a payment.
#[test]
fn the_root_is_that_of_real_blocks() {
    let hash = |text: &str| text.parse::<L1Hash>().expect("a hash");
    let all = [
        hash("b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082"),
        hash("f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"),
    ];
    let root = hash("7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff");
    assert_eq!(merkle_root(&all), root);
    assert_eq!(root_of(all[1], 1, &all[..1]), Some(root));
}

/// Attack (CVE-2012-2459): the last one of an odd level, at the place of its repetition.
#[test]
fn a_repetition_is_no_second_transaction() {
    let all = txids(3);
    let path = path_to(&all, 2).expect("it is there");
    assert_eq!(path[0], all[2]);
    assert_eq!(root_of(all[2], 2, &path), Some(merkle_root(&all)));
    assert_eq!(root_of(all[2], 3, &path), None);
    // Repeated on a higher level.
    let all = txids(5);
    let path = path_to(&all, 4).expect("it is there");
    for position in [5, 6, 7] {
        assert_ne!(root_of(all[4], position, &path), Some(merkle_root(&all)));
    }
}

/// Attack: a mined transaction of 64 bytes is passed off as an inner node, below which
/// anything could hang whose identifier stands in it.
#[test]
fn nothing_hangs_below_a_transaction() {
    let short = short_transaction();
    let halves = [&short[..32], &short[32..]].map(|half| L1Hash(half.try_into().expect("32")));
    let all = [txids(1)[0], L1Hash::of(&short)];
    let above = path_to(&all, 1).expect("it is there");
    assert_eq!(root_of(all[1], 1, &above), Some(merkle_root(&all)), "it is in the block itself");
    for (side, position) in [(0, 2), (1, 3)] {
        let path = [&[halves[1 - side]][..], &above].concat();
        assert_eq!(root_of(halves[side], position, &path), None);
        // Bytes that are no transaction would do.
        let mut harmless = path.clone();
        // The length of the input's script, or the number of inputs.
        harmless[0].0[if side == 0 { 9 } else { 4 }] = 32;
        assert!(root_of(halves[side], position, &harmless).is_some());
    }
}

/// Attack: an inner node is passed off as a transaction.
#[test]
fn nothing_of_64_bytes_is_a_transaction_in_a_block() {
    assert!(mined(short_transaction(), 9, 1, 4).included().is_none());
    let mut longer = Spend::of(&[1]);
    longer.outputs = vec![(1, pays(2))];
    assert!(mined(longer.with_scripts(&[vec![]]), 9, 1, 4).included().is_some());
}

#[test]
fn paths_are_as_long_as_blocks_can_be() {
    let proof = mined(Spend::of(&[1]).signed(), 9, 16_665, 16_666);
    assert_eq!(proof.path.len() as u32, MAX_PATH);
    assert!(proof.included().is_some());
    let mut longer = proof.path.into_inner();
    longer.push(L1Hash::default());
    assert!(
        sp_core::bounded::BoundedVec::<_, sp_core::ConstU32<MAX_PATH>>::try_from(longer).is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_transaction_that_is_not_there_has_no_path(
        count in 1usize..40, position in any::<prop::sample::Index>(),
        path in prop::collection::vec(any::<[u8; 32]>(), 0..6), claimed in 0u32..64,
    ) {
        let all = txids(count);
        let stranger = L1Hash::of(b"not there");
        let foreign: Vec<_> = path.into_iter().map(L1Hash).collect();
        prop_assert_ne!(root_of(stranger, claimed, &foreign), Some(merkle_root(&all)));
        let position = position.index(count);
        let path = path_to(&all, position).expect("it is there");
        prop_assert_ne!(root_of(stranger, position as u32, &path), Some(merkle_root(&all)));
        // Part of a path, and more than it.
        for cut in 0..path.len() {
            prop_assert_ne!(root_of(all[position], position as u32, &path[..cut]),
                Some(merkle_root(&all)));
        }
        let more = [&path[..], &[stranger]].concat();
        prop_assert_ne!(root_of(all[position], position as u32, &more), Some(merkle_root(&all)));
    }
}
