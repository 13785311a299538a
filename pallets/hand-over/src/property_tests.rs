//! What holds for every header.

use crate::{mock::*, pallet::Last};
use cascoin_l2_primitives::{
    chain::BlockHash,
    hand_over::{HandOver, HandOverBase, HAND_OVER_ENGINE_ID},
};
use codec::Encode;
use frame_support::BoundedVec;
use proptest::prelude::*;
use sp_core::ed25519::Signature;
use sp_runtime::DigestItem;

/// How one of a hand-over's parts is wrong, if it is.
#[derive(Clone, Debug)]
struct Faults {
    /// Added to the height of the base.
    height: u32,
    /// Whether the hash is another block's.
    hash: bool,
    /// By how much the set id is above that in force.
    rise: u64,
    /// Index of a consent whose signature is void, if there is one.
    void: Option<usize>,
}

fn faults() -> impl Strategy<Value = Faults> {
    let height = prop_oneof![6 => Just(0u32), 1 => 1..3u32, 1 => Just(u32::MAX - PARENT)];
    let rise = prop_oneof![6 => 1..=3u64, 1 => Just(0u64), 1 => 60..70u64];
    let void = prop_oneof![4 => Just(None), 1 => (0..6usize).prop_map(Some)];
    (height, prop::bool::weighted(0.1), rise, void).prop_map(|(height, hash, rise, void)| Faults {
        height,
        hash,
        rise,
        void,
    })
}

fn seeds() -> impl Strategy<Value = Vec<u8>> {
    // Mostly some who may go on, in order.
    prop_oneof![
        4 => prop::sample::subsequence((1..=6u8).collect::<Vec<_>>(), 0..=6),
        1 => prop::collection::vec(1..9u8, 0..7),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// R17.6: exactly a hand-over without any fault puts a set into force, and that set; a
    /// block with any other one is invalid.
    #[test]
    fn r17_6_a_hand_over_holds_if_and_only_if_all_of_it_does(
        seeds in seeds(),
        faults in faults(),
    ) {
        new_test_ext().execute_with(|| {
            let good = base();
            let hash = if faults.hash { BlockHash::repeat_byte(9) } else { good.hash };
            let number = good.number.saturating_add(faults.height);
            let set_id = FIRST_SET + faults.rise;
            let base = HandOverBase { number, hash, set_id, ..good };
            let mut hand_over = signed(base, &seeds);
            let void = faults.void.filter(|index| *index < seeds.len());
            if let Some(index) = void {
                hand_over.consents[index].signature = Signature::from_raw([7; 64]);
            }
            let holds = faults.height == 0
                && !faults.hash
                && (1..=crate::MAX_ATTEMPTS).contains(&faults.rise)
                && void.is_none()
                && seeds.windows(2).all(|two| two[0] < two[1])
                && (SIZE.0 as usize..=SIZE.1 as usize).contains(&seeds.len())
                && seeds.iter().all(|seed| (1..=6).contains(seed));
            let accounts: Vec<_> = seeds.iter().map(|seed| account(*seed)).collect();
            if holds {
                block(vec![hand_over.item()]);
                prop_assert_eq!(Succeeded::get(), vec![(set_id, accounts)]);
                prop_assert_eq!(Last::<Test>::get().map(|last| last.id), Some(hand_over.id()));
            } else {
                prop_assert!(is_invalid(vec![hand_over.item()]));
                prop_assert!(Succeeded::get().is_empty());
            }
            Ok(())
        })?;
    }

    /// R17.6: a block with whatever bytes for a hand-over is invalid.
    #[test]
    fn r17_6_bytes_that_are_no_hand_over_are_in_no_block(
        items in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..3),
    ) {
        new_test_ext().execute_with(|| {
            let logs = items.iter().cloned();
            let logs = logs.map(|data| DigestItem::PreRuntime(HAND_OVER_ENGINE_ID, data));
            prop_assert!(is_invalid(logs.collect()));
            prop_assert!(Succeeded::get().is_empty());
            Ok(())
        })?;
    }

    /// R17.6: with a single other byte anywhere in it, or cut off, a block is invalid.
    #[test]
    fn r17_6_no_byte_of_it_can_be_changed(
        place in any::<prop::sample::Index>(),
        flip in 1..=255u8,
        cut in any::<bool>(),
    ) {
        new_test_ext().execute_with(|| {
            let mut bytes = signed(base(), &[1, 2, 3]).encode();
            let place = place.index(bytes.len());
            if cut {
                bytes.truncate(place);
            } else {
                bytes[place] ^= flip;
            }
            prop_assert!(is_invalid(vec![DigestItem::PreRuntime(HAND_OVER_ENGINE_ID, bytes)]));
            prop_assert!(Succeeded::get().is_empty());
            Ok(())
        })?;
    }
}

/// As many consents as a hand-over can have are looked at, and refused for their number.
#[test]
fn the_largest_one_is_read() {
    new_test_ext().execute_with(|| {
        let one = signed(base(), &[1]).consents[0].clone();
        let consents = BoundedVec::truncate_from(vec![one; 64]);
        assert!(is_invalid(vec![HandOver { base: base(), consents }.item()]));
        assert!(Succeeded::get().is_empty());
    });
}
