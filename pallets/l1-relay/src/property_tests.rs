//! What must hold for every order in which votes and pages arrive.

use crate::mock::*;
use cascoin_l2_primitives::{
    chain::quorum,
    recovery::{Effect, PointLog, RecoveryPoint},
    relay::{local::LocalBlock, L1Event},
};
use proptest::prelude::*;
use sp_runtime::StateVersion;

/// Something that arrives at the relay.
#[derive(Clone, Debug)]
enum Arrival {
    /// Sequencer `voter` votes for `len` blocks from `first` of its branch.
    Vote { voter: u16, first: usize, len: usize, tip_time: u32 },
    /// Somebody delivers a page of a block of a branch.
    Page { branch: usize, block: usize, page: u32 },
    /// L2 blocks pass.
    Blocks(u32),
}

fn arrivals(blocks: usize) -> impl Strategy<Value = Vec<Arrival>> {
    let vote = (0..7u16, 0..blocks, 1..=blocks, 1..50u32)
        .prop_map(|(voter, first, len, tip_time)| Arrival::Vote { voter, first, len, tip_time });
    let page = (0..2usize, 0..blocks, 0..3u32).prop_map(|(branch, block, page)| Arrival::Page {
        branch,
        block,
        page,
    });
    let arrival = prop_oneof![6 => vote, 6 => page, 1 => (1..25u32).prop_map(Arrival::Blocks)];
    prop::collection::vec(arrival, 0..120)
}

fn event_counts() -> impl Strategy<Value = Vec<u32>> {
    let count = prop_oneof![3 => Just(0u32), 3 => 1..5u32, 1 => 100..300u32];
    prop::collection::vec(count, 1..8)
}

// Sequencers are honest (they vote for branch 0 only) or, the last `liars`, vote
// for branch 1 only. Returns the root of the state.
fn play(sequencers: u8, liars: u8, branches: &[Vec<LocalBlock>], all: &[Arrival]) -> Vec<u8> {
    let mut ext = new_test_ext(sequencers);
    ext.execute_with(|| {
        for arrival in all {
            match *arrival {
                Arrival::Vote { voter, first, len, tip_time } => {
                    let voter = voter % u16::from(sequencers);
                    let lies = voter >= u16::from(sequencers - liars);
                    let blocks = &branches[usize::from(lies)];
                    let last = (first + len).min(blocks.len());
                    if first < last {
                        let digests = digests(&blocks[first..last]);
                        let _ = cast(vote_for(voter, &digests, tip_time));
                    }
                }
                Arrival::Page { branch, block, page } => {
                    let block = &branches[branch][block % branches[branch].len()];
                    if (page as usize) < block.pages.len() {
                        let _ = deliver(block, page);
                    }
                }
                Arrival::Blocks(count) => run(count),
            }
            Relay::do_try_state().expect("the state is sound after every call");
        }
        sp_io::storage::root(StateVersion::V1)
    })
}

fn all_events(blocks: &[LocalBlock]) -> Vec<(u32, L1Event)> {
    blocks
        .iter()
        .flat_map(|block| {
            let events = block.pages.iter().flat_map(|page| page.events.clone());
            events.map(|event| (block.digest.height, event))
        })
        .collect()
}

// After any arrivals, honest sequencers that go on end with all of the honest
// branch applied.
fn finish(sequencers: u8, liars: u8, blocks: &[LocalBlock]) {
    let digests = digests(blocks);
    for voter in 0..u16::from(sequencers - liars) {
        let _ = cast(vote_for(voter, &digests, u32::MAX));
    }
    for block in blocks {
        run(1);
        for page in 0..block.pages.len() as u32 {
            let _ = deliver(block, page);
        }
    }
}

fn most_liars(sequencers: u8) -> u8 {
    sequencers - quorum(usize::from(sequencers)) as u8
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn p1_the_same_arrivals_give_the_same_state(
        counts in event_counts(),
        all in arrivals(8),
        sequencers in 1..=7u8,
    ) {
        let branches = [l1_chain(0, &counts), l1_chain(9, &counts)];
        let liars = most_liars(sequencers);
        let first = play(sequencers, liars, &branches, &all);
        prop_assert_eq!(first, play(sequencers, liars, &branches, &all));
    }

    #[test]
    fn events_are_delivered_in_order_and_once_whatever_order_votes_and_pages_come_in(
        counts in event_counts(),
        all in arrivals(8),
        sequencers in 1..=7u8,
    ) {
        let branches = [l1_chain(0, &counts), l1_chain(9, &counts)];
        let liars = most_liars(sequencers);
        play(sequencers, liars, &branches, &all);
        let expected = all_events(&branches[0]);
        let delivered = Delivered::get();
        prop_assert!(delivered.len() <= expected.len());
        prop_assert_eq!(&delivered[..], &expected[..delivered.len()], "a prefix, nothing else");
        let heights = AppliedHeights::get();
        let in_order: Vec<_> = (START + 1..).take(heights.len()).collect();
        prop_assert_eq!(heights, in_order);
    }

    /// Whatever is offered in whichever blocks: where a recovery would go back to after a
    /// fork, the state has all that L1 kept, in full, and nothing that it dropped.
    #[test]
    fn p20_before_a_blocks_first_event_all_below_it_is_delivered_and_nothing_else(
        counts in event_counts(),
        offers in prop::collection::vec(0..4u32, 0..60),
    ) {
        let blocks = l1_chain(0, &counts);
        new_test_ext(4).execute_with(|| {
            all_vote(0..3, &digests(&blocks), 10);
            // The L2 block of each event that was heard, and what is noted of it.
            let (mut heard_in, mut log) = (Vec::new(), PointLog::default());
            // So many due pages are offered in each L2 block; at last, until all is delivered.
            for offer in offers.into_iter().chain(core::iter::repeat_n(1, 100)) {
                run(1);
                let now = System::block_number();
                for _ in 0..offer {
                    let Some(due) = Relay::next_page() else { break };
                    let block = &blocks[(due.height - START - 1) as usize];
                    let _ = deliver(block, due.page);
                }
                for (l1_height, _) in Delivered::get().split_off(heard_in.len()) {
                    let hash = Default::default();
                    log.note(RecoveryPoint { l1_height, number: now - 1, hash });
                    heard_in.push(now);
                }
            }
            let all = all_events(&blocks);
            assert_eq!(Delivered::get(), all);
            for (kept, common) in (START..=START + blocks.len() as u32).enumerate() {
                let below = all_events(&blocks[..kept]);
                match log.clone().drop_above(common) {
                    Effect::Since(point) => {
                        let before = heard_in.iter().filter(|block| **block <= point.number);
                        assert_eq!(below, all[..before.count()]);
                    }
                    Effect::None => assert_eq!(below, all),
                    Effect::Forgotten => panic!("the log has room for all of them"),
                }
            }
        });
    }

    #[test]
    fn liars_below_a_third_keep_nothing_from_being_applied(
        counts in event_counts(),
        all in arrivals(8),
        sequencers in 1..=7u8,
    ) {
        let liars = most_liars(sequencers);
        let branches = [l1_chain(0, &counts), l1_chain(9, &counts)];
        let mut ext = new_test_ext(sequencers);
        ext.execute_with(|| {
            let lies = digests(&branches[1]);
            for voter in u16::from(sequencers - liars)..u16::from(sequencers) {
                let _ = cast(vote_for(voter, &lies, u32::MAX));
            }
            for arrival in &all {
                if let Arrival::Page { block, page, .. } = *arrival {
                    let block = &branches[1][block % branches[1].len()];
                    if (page as usize) < block.pages.len() {
                        let _ = deliver(block, page);
                    }
                }
            }
            finish(sequencers, liars, &branches[0]);
            assert_eq!(heights(), (START + counts.len() as u32, START + counts.len() as u32));
            assert_eq!(Delivered::get(), all_events(&branches[0]));
            Relay::do_try_state().expect("sound");
        });
    }

    #[test]
    fn a_vote_counts_the_same_cut_into_any_ranges(
        blocks in 1..20usize,
        cuts in prop::collection::vec((0..4u16, 0..20usize, 1..20usize), 0..60),
    ) {
        // Three of four voted for a height exactly if it is attested, given that
        // all below are.
        let chain = digests(&l1_chain(0, &vec![0; blocks]));
        new_test_ext(4).execute_with(|| {
            let mut voted = vec![std::collections::BTreeSet::new(); blocks];
            for (voter, first, len) in cuts {
                let last = (first + len).min(blocks);
                if first >= last {
                    continue;
                }
                let _ = cast(vote_for(voter, &chain[first..last], 10));
                for voters in &mut voted[first..last] {
                    voters.insert(voter);
                }
            }
            let expected = voted.iter().take_while(|voters| voters.len() >= 3).count() as u32;
            assert_eq!(heights().0, START + expected);
        });
    }
}
