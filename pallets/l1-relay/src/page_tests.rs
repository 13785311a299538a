//! How events are delivered: in order, once, and only what was voted for.

use crate::{
    mock::*,
    pallet::{
        AppliedHashes, AttestedQueue, Call, Error, Event, EventCountMismatches, PageProgress,
    },
    types::{APPLIED_HASHES_KEPT, PAGE_LOOKAHEAD},
};
use cascoin_l2_primitives::{
    l1::L1Hash,
    relay::{
        local::LocalBlock, pages_root, EventPage, L1BlockDigest, PageProof, MAX_EVENTS_PER_PAGE,
    },
};
use codec::Encode;
use frame_support::weights::Weight;
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, UnknownTransaction},
    DispatchError,
};

/// Blocks with these numbers of events, attested by three of four.
fn attested(events: &[u32]) -> Vec<LocalBlock> {
    let blocks = l1_chain(0, events);
    for part in digests(&blocks).chunks(64) {
        all_vote(0..3, part, 10);
    }
    blocks
}

fn delivered_numbers() -> Vec<u32> {
    Delivered::get()
        .into_iter()
        .map(|(_, event)| match event {
            cascoin_l2_primitives::relay::L1Event::Burn { outpoint, .. } => outpoint.vout,
            other => unreachable!("the mock makes burns, not {other:?}"),
        })
        .collect()
}

fn failure(call: Call<Test>) -> Result<(), DispatchError> {
    dispatch(call).map(drop).map_err(|error| error.error)
}

#[test]
fn pages_are_applied_in_order_and_a_block_after_its_last() {
    new_test_ext(4).execute_with(|| {
        let many = 2 * MAX_EVENTS_PER_PAGE + 44;
        let blocks = attested(&[0, many, 0, 0, 5, 0]);
        assert_eq!(heights(), (START + 6, START + 1), "empty blocks need no page");
        assert_eq!(blocks[1].pages.len(), 3);
        for page in 0..3 {
            assert_eq!(Relay::next_page().map(|cursor| cursor.page), Some(page));
            deliver(&blocks[1], page).expect("due");
        }
        assert_eq!(heights().1, START + 4, "the empty ones behind it at once");
        run(1);
        deliver(&blocks[4], 0).expect("due");
        assert_eq!(heights().1, START + 6);
        assert_eq!(delivered_numbers(), (0..many + 5).collect::<Vec<_>>());
        assert_eq!(AppliedHeights::get(), (START + 1..=START + 6).collect::<Vec<_>>());
        let last = L1BlockAt(START + 6).applied(&blocks);
        assert!(relay_events().contains(&last));
        assert_eq!(Relay::next_page(), None);
        run(1);
    });
}

struct L1BlockAt(u32);
impl L1BlockAt {
    fn applied(&self, blocks: &[LocalBlock]) -> Event<Test> {
        let digest = blocks[(self.0 - START - 1) as usize].digest;
        Event::BlockApplied { height: self.0, hash: digest.hash, events: digest.event_count }
    }
}

#[test]
fn the_context_of_an_event_is_its_block() {
    new_test_ext(4).execute_with(|| {
        let blocks = attested(&[1, 1]);
        deliver(&blocks[0], 0).expect("due");
        run(1);
        deliver(&blocks[1], 0).expect("due");
        assert_eq!(Delivered::get(), vec![(START + 1, event(0)), (START + 2, event(1))]);
        let applied = Relay::applied();
        assert_eq!(
            (applied.hash, applied.time, applied.median_time),
            (blocks[1].digest.hash, blocks[1].digest.time, blocks[1].digest.median_time)
        );
    });
}

#[test]
fn p20_a_block_has_pages_of_one_l1_block_only() {
    new_test_ext(4).execute_with(|| {
        let blocks = attested(&[MAX_EVENTS_PER_PAGE + 1, 0, 1]);
        deliver(&blocks[0], 0).expect("due");
        deliver(&blocks[0], 1).expect("of the same block");
        assert_eq!(heights().1, START + 2, "one without events needs no page");
        assert!(pool(&page_call(&blocks[2], 0)).is_ok(), "the next block has room for it");
        let full = InvalidTransaction::ExhaustsResources;
        assert_eq!(deliver(&blocks[2], 0), Err(full.into()));
        assert_eq!(failure(page_call(&blocks[2], 0)), Err(Error::<Test>::OneL1BlockABlock.into()));
        assert_eq!(heights().1, START + 2);
        run(1);
        deliver(&blocks[2], 0).expect("due");
        assert_eq!(heights().1, START + 3);
    });
}

#[test]
fn no_page_is_applied_twice() {
    new_test_ext(4).execute_with(|| {
        let many = MAX_EVENTS_PER_PAGE + 7;
        let blocks = attested(&[many, 1]);
        deliver(&blocks[0], 0).expect("due");
        assert_eq!(deliver(&blocks[0], 0), Err(InvalidTransaction::Stale.into()));
        assert_eq!(failure(page_call(&blocks[0], 0)), Err(Error::<Test>::WrongPage.into()));
        deliver(&blocks[0], 1).expect("due");
        assert_eq!(deliver(&blocks[0], 1), Err(InvalidTransaction::Stale.into()));
        assert_eq!(delivered_numbers(), (0..many).collect::<Vec<_>>());
    });
}

#[test]
fn only_the_due_page_of_the_due_block_is_applied() {
    new_test_ext(4).execute_with(|| {
        let blocks = attested(&[200, 1]);
        for (block, page) in [(0, 1), (1, 0)] {
            let call = page_call(&blocks[block], page);
            assert_eq!(submit(call.clone()), Err(UnknownTransaction::CannotLookup.into()));
            assert_eq!(failure(call), Err(Error::<Test>::WrongPage.into()));
        }
        assert!(Delivered::get().is_empty());
    });
}

#[test]
fn no_page_is_due_before_a_block_is_attested() {
    new_test_ext(4).execute_with(|| {
        let blocks = l1_chain(0, &[1]);
        assert_eq!(deliver(&blocks[0], 0), Err(UnknownTransaction::CannotLookup.into()));
        assert_eq!(failure(page_call(&blocks[0], 0)), Err(Error::<Test>::NoPageDue.into()));
        all_vote(0..2, &digests(&blocks), 10);
        assert_eq!(failure(page_call(&blocks[0], 0)), Err(Error::<Test>::NoPageDue.into()));
    });
}

#[test]
fn a_page_that_nobody_voted_for_is_refused() {
    new_test_ext(4).execute_with(|| {
        let blocks = attested(&[300]);
        let (pages, height) = (&blocks[0].pages, blocks[0].digest.height);
        let proof = PageProof::of(pages, 0).expect("the page is there");

        let mut changed = pages[0].clone();
        changed.events[0] = event(999);
        let mut longer = pages[0].clone();
        longer.count = 4;
        let mut shorter = pages[0].clone();
        shorter.count = 1;
        let mut another = pages[1].clone();
        another.index = 0;
        let empty = EventPage { index: 0, count: 3, ..Default::default() };
        let no_pages = EventPage::default();
        for page in [changed, longer, shorter, another, empty, no_pages] {
            let call = Call::apply_page { height, page, proof: proof.clone() };
            assert_eq!(submit(call.clone()), Err(InvalidTransaction::BadProof.into()));
            assert_eq!(failure(call), Err(Error::<Test>::WrongProof.into()));
        }
        let mut long = proof.clone();
        long.0.try_push(Default::default()).expect("16 fit");
        let mut short = proof;
        short.0.pop();
        for proof in [long, short, PageProof::of(pages, 1).expect("there"), PageProof::default()] {
            let call = Call::apply_page { height, page: pages[0].clone(), proof };
            assert_eq!(submit(call), Err(InvalidTransaction::BadProof.into()));
        }
        assert!(Delivered::get().is_empty());
        assert_eq!(PageProgress::<Test>::get(), Default::default());
        deliver(&blocks[0], 0).expect("the true page is still due");
    });
}

#[test]
fn a_digest_that_contradicts_itself_is_shown_and_the_relay_goes_on() {
    new_test_ext(4).execute_with(|| {
        let mut blocks = l1_chain(0, &[3, 0]);
        blocks[0].digest.event_count = 4;
        all_vote(0..3, &digests(&blocks), 10);
        deliver(&blocks[0], 0).expect("due");
        assert_eq!(heights().1, START + 2);
        assert_eq!(EventCountMismatches::<Test>::get(), 1);
        assert!(relay_events().contains(&Event::EventCountMismatch {
            height: START + 1,
            expected: 4,
            seen: 3
        }));
        assert_eq!(delivered_numbers(), vec![0, 1, 2], "once, what was there");
    });
}

#[test]
fn pages_of_different_counts_under_one_root_do_not_mix() {
    new_test_ext(4).execute_with(|| {
        // A root that honest sequencers never sign: its two leaves name different
        // numbers of pages.
        let (first, second) = (
            EventPage { index: 0, count: 2, events: vec![event(0)].try_into().expect("fits") },
            EventPage { index: 1, count: 3, events: vec![event(1)].try_into().expect("fits") },
        );
        let pages = vec![first, second];
        let mut blocks = l1_chain(0, &[2]);
        blocks[0].digest.pages_root = pages_root(&pages);
        all_vote(0..3, &digests(&blocks), 10);
        let block = LocalBlock { digest: blocks[0].digest, pages };
        deliver(&block, 0).expect("due");
        assert_eq!(deliver(&block, 1), Err(InvalidTransaction::BadProof.into()));
        assert_eq!(failure(page_call(&block, 1)), Err(Error::<Test>::WrongPage.into()));
    });
}

#[test]
fn the_pool_holds_a_few_pages_ahead_in_order() {
    new_test_ext(4).execute_with(|| {
        let blocks = attested(&[MAX_EVENTS_PER_PAGE * (PAGE_LOOKAHEAD + 2)]);
        let tag = |page: u32| (b"rlpg", START + 1, page).encode();
        for page in 0..PAGE_LOOKAHEAD {
            let validity = pool(&page_call(&blocks[0], page)).expect("held");
            assert_eq!(validity.provides, vec![tag(page)]);
            let requires = page.checked_sub(1).map(tag).into_iter().collect::<Vec<_>>();
            assert_eq!(validity.requires, requires);
        }
        assert_eq!(
            pool(&page_call(&blocks[0], PAGE_LOOKAHEAD)),
            Err(UnknownTransaction::CannotLookup.into())
        );
        deliver(&blocks[0], 0).expect("due");
        let validity = pool(&page_call(&blocks[0], 1)).expect("due");
        assert!(validity.requires.is_empty(), "the page before is done");
    });
}

#[test]
fn pages_keep_to_a_quarter_of_a_block_but_one_always_fits() {
    new_test_ext(4).execute_with(|| {
        let full = MAX_EVENTS_PER_PAGE;
        let blocks = attested(&[3 * full + 2]);
        // The block's limit is 1,000,000, so a full page is 128,000.
        EventWeight::set(Weight::from_parts(2_000, 0));
        run(1);
        deliver(&blocks[0], 0).expect("fits");
        assert_eq!(
            deliver(&blocks[0], 1),
            Err(InvalidTransaction::ExhaustsResources.into()),
            "256,000 is more than 250,000"
        );
        run(1);
        deliver(&blocks[0], 1).expect("a new block");
        EventWeight::set(Weight::from_parts(6_000, 0));
        run(1);
        deliver(&blocks[0], 2).expect("too heavy for the share, but the first of its block");
        assert_eq!(deliver(&blocks[0], 3), Err(InvalidTransaction::ExhaustsResources.into()));
    });
}

#[test]
fn the_ring_of_applied_hashes_is_bounded() {
    new_test_ext(4).execute_with(|| {
        let count = APPLIED_HASHES_KEPT + 100;
        let named = |index: u32| {
            let mut hash = [0xee; 32];
            hash[..4].copy_from_slice(&index.to_le_bytes());
            L1Hash(hash)
        };
        // As if all had been attested, which would take the test minutes.
        for index in 0..count {
            let (height, hash) = (START + 1 + index, named(index));
            Relay::block_applied(&L1BlockDigest { height, hash, ..Default::default() }, 0);
        }
        assert_eq!(AppliedHashes::<Test>::iter().count(), APPLIED_HASHES_KEPT as usize);
        let hash = |index: u32| AppliedHashes::<Test>::get(START + 1 + index);
        assert_eq!(hash(99), None);
        assert_eq!(hash(100), Some(named(100)));
        assert_eq!(hash(count - 1), Some(named(count - 1)));
    });
}

#[test]
fn a_page_needs_the_authorised_origin() {
    new_test_ext(4).execute_with(|| {
        let blocks = attested(&[1]);
        let call = RuntimeCall::from(page_call(&blocks[0], 0));
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::signed(1), RuntimeOrigin::root()] {
            assert_eq!(
                call.clone().dispatch(origin).map_err(|error| error.error),
                Err(DispatchError::BadOrigin)
            );
        }
        assert_eq!(AttestedQueue::<Test>::get().len(), 1);
    });
}

#[test]
fn the_largest_l1_block_is_delivered() {
    new_test_ext(4).execute_with(|| {
        // About as many burn outputs as an L1 block can hold.
        let blocks = attested(&[16_000]);
        for page in 0..blocks[0].pages.len() as u32 {
            deliver(&blocks[0], page).expect("due");
        }
        assert_eq!(delivered_numbers(), (0..16_000).collect::<Vec<_>>());
        assert_eq!(heights().1, START + 1);
    });
}
