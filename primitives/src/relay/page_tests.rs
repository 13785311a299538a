//! Pages and their proofs: everything verifies in its place and nowhere else.

use super::*;
use crate::l1::{L1Hash, OutPoint};
use codec::Encode;
use proptest::prelude::*;
use sp_core::H256;

fn event(number: u32, payload: usize) -> L1Event {
    L1Event::Burn {
        outpoint: OutPoint { txid: L1Hash::of(&number.to_le_bytes()), vout: number },
        value: u64::from(number),
        payload: vec![7; payload].try_into().expect("at most 80 bytes"),
    }
}

fn events(count: u32) -> Vec<L1Event> {
    (0..count).map(|number| event(number, 51)).collect()
}

/// `count` pages of one event each, for tests of the tree's shape.
fn small_pages(count: u32) -> Vec<EventPage> {
    (0..count)
        .map(|index| EventPage {
            index,
            count,
            events: vec![event(index, 6)].try_into().expect("one fits"),
        })
        .collect()
}

fn proofs(pages: &[EventPage]) -> Vec<PageProof> {
    (0..pages.len() as u32).map(|index| PageProof::of(pages, index).expect("there")).collect()
}

#[test]
fn no_events_make_no_pages_and_the_zero_root() {
    assert!(paginate(Vec::new()).is_empty());
    assert_eq!(pages_root(&[]), H256::zero());
    assert_eq!(PageProof::of(&[], 0), None);
}

#[test]
fn every_page_of_every_count_verifies_in_its_place_only() {
    for count in (1..=40).chain([63, 64, 65, 127, 128, 129, 300]) {
        let pages = small_pages(count);
        let (root, proofs) = (pages_root(&pages), proofs(&pages));
        for (page, proof) in pages.iter().zip(&proofs) {
            assert_eq!(proof.verify(page, &root), Ok(()), "page {} of {count}", page.index);
        }
        let some = pages.len().min(12);
        for (index, proof) in proofs.iter().take(some).enumerate() {
            for other in pages.iter().take(some).filter(|page| page.index as usize != index) {
                // A lone sibling's proof can be empty too, but leads elsewhere.
                assert_eq!(proof.verify(other, &root), Err(PageError::WrongProof));
            }
        }
    }
}

#[test]
fn a_page_does_not_verify_under_another_index_count_or_root() {
    for count in [1, 2, 3, 5, 8, 13] {
        let pages = small_pages(count);
        let root = pages_root(&pages);
        for (page, proof) in pages.iter().zip(proofs(&pages)) {
            for index in (0..count + 2).filter(|index| *index != page.index) {
                let moved = EventPage { index, ..page.clone() };
                assert!(proof.verify(&moved, &root).is_err(), "{index} of {count}");
            }
            for other in (0..2 * count + 2).filter(|other| *other != count) {
                let recounted = EventPage { count: other, ..page.clone() };
                assert!(proof.verify(&recounted, &root).is_err(), "{other} for {count}");
            }
            assert_eq!(proof.verify(page, &H256::zero()), Err(PageError::WrongProof));
        }
    }
}

#[test]
fn a_proof_with_a_hash_too_many_or_too_few_does_not_verify() {
    let pages = small_pages(7);
    let root = pages_root(&pages);
    for (page, proof) in pages.iter().zip(proofs(&pages)) {
        let mut long = proof.clone();
        long.0.try_push(H256::zero()).expect("16 fit");
        assert_eq!(long.verify(page, &root), Err(PageError::WrongProof));
        let mut short = proof.clone();
        short.0.pop();
        assert_eq!(short.verify(page, &root), Err(PageError::WrongProof));
        for position in 0..proof.0.len() {
            let mut wrong = proof.clone();
            wrong.0[position].0[0] ^= 1;
            assert_eq!(wrong.verify(page, &root), Err(PageError::WrongProof));
        }
    }
}

#[test]
fn an_index_out_of_range_is_told() {
    let page = EventPage { index: 3, count: 3, ..Default::default() };
    let verdict = PageProof::default().verify(&page, &H256::zero());
    assert_eq!(verdict, Err(PageError::IndexOutOfRange));
}

#[test]
fn an_inner_node_is_no_page() {
    // Leaves and nodes are hashed under different domains, so a tree of two pages
    // cannot pass as one page whose bytes are the two leaves.
    let pages = small_pages(2);
    let root = pages_root(&pages);
    let forged = EventPage { index: 0, count: 1, ..pages[0].clone() };
    assert_eq!(PageProof::default().verify(&forged, &root), Err(PageError::WrongProof));
}

#[test]
fn an_l1_block_full_of_burns_makes_provable_pages() {
    let pages = paginate(events(125 * MAX_EVENTS_PER_PAGE));
    assert_eq!(pages.len(), 125);
    let root = pages_root(&pages);
    for index in [0, 1, 62, 63, 64, 123, 124] {
        let proof = PageProof::of(&pages, index).expect("there");
        assert_eq!(proof.verify(&pages[index as usize], &root), Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn pages_hold_all_events_in_order_within_the_limits(
        payloads in prop::collection::vec(0..=80usize, 0..700),
    ) {
        let events: Vec<_> =
            payloads.iter().enumerate().map(|(n, len)| event(n as u32, *len)).collect();
        let pages = paginate(events.clone());
        let count = pages.len() as u32;
        for (index, page) in pages.iter().enumerate() {
            prop_assert_eq!((page.index, page.count), (index as u32, count));
            prop_assert!(!page.events.is_empty());
            prop_assert!(page.events.len() <= MAX_EVENTS_PER_PAGE as usize);
            prop_assert!(page.encoded_size() <= MAX_PAGE_BYTES);
        }
        let joined: Vec<_> = pages.iter().flat_map(|page| page.events.to_vec()).collect();
        prop_assert_eq!(joined, events);
        let root = pages_root(&pages);
        for page in &pages {
            let proof = PageProof::of(&pages, page.index).expect("there");
            prop_assert_eq!(proof.verify(page, &root), Ok(()));
        }
    }

    #[test]
    fn any_change_of_an_event_changes_the_root(count in 1..300u32, at in any::<prop::sample::Index>()) {
        let before = events(count);
        let mut after = before.clone();
        let at = at.index(after.len());
        after[at] = event(at as u32 + 1_000_000, 51);
        let (before, after) = (paginate(before), paginate(after));
        prop_assert_ne!(pages_root(&before), pages_root(&after));
        let page = at as u32 / MAX_EVENTS_PER_PAGE;
        let proof = PageProof::of(&before, page).expect("there");
        let verdict = proof.verify(&after[page as usize], &pages_root(&before));
        prop_assert_eq!(verdict, Err(PageError::WrongProof));
    }
}
