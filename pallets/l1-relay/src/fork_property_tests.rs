//! However often and deeply L1 forks, the relay ends on L1's branch.

use crate::mock::*;
use cascoin_l2_primitives::relay::{local::LocalBlock, L1Chance};
use proptest::prelude::*;

/// L1 replaces its last `depth` blocks by as many and `more` others, with `events` events
/// each.
#[derive(Clone, Debug)]
struct Fork {
    depth: usize,
    more: usize,
    events: u32,
}

fn forks() -> impl Strategy<Value = Vec<Fork>> {
    let fork = (1..20usize, 1..8usize, 0..2u32).prop_map(|(depth, more, events)| Fork {
        depth,
        more,
        events,
    });
    // As few as keep the queue from filling up when nothing is delivered.
    prop::collection::vec(fork, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn p20_the_relay_ends_on_l1s_branch_however_often_it_forks(
        counts in prop::collection::vec(0..2u32, 20..30),
        all in forks(),
        delivered_share in 0..=100usize,
    ) {
        new_test_ext(4).execute_with(|| {
            let mut l1: Vec<LocalBlock> = l1_chain(0, &counts);
            let mut tip_time = 10;
            let mut number = 10_000;
            all_vote(0..3, &digests(&l1), tip_time);
            // Pages of some blocks have come when L1 forks.
            for block in &l1[..l1.len() * delivered_share / 100] {
                run(1);
                for page in 0..block.pages.len() as u32 {
                    let _ = deliver(block, page);
                }
            }
            // What was heard, and up to which height all was, right after the last fork.
            let mut since = (0, START);
            for (round, fork) in all.iter().enumerate() {
                let common = l1.len() - fork.depth;
                l1.truncate(common);
                for _ in 0..fork.depth + fork.more {
                    let below = l1.last().map_or_else(start, |block| block.digest);
                    let events = (number..number + fork.events).map(event).collect();
                    number += fork.events;
                    l1.push(block_above(&below, 100 + round as u8, events));
                }
                let below = common.checked_sub(1).map_or_else(start, |at| l1[at].digest);
                let point = fork_at(&below, &l1[common].digest);
                tip_time += 10;
                for voter in 0..3 {
                    cast_fork(fork_vote(voter, point, tip_time)).expect("taken");
                }
                assert_eq!(heights().0, below.height);
                since = (Delivered::get().len(), heights().1);
                Relay::do_try_state().expect("sound after the fork");
                for part in digests(&l1[common..]).chunks(64) {
                    for voter in 0..3 {
                        let _ = cast(vote_for(voter, part, tip_time + 1));
                    }
                }
                // Some of its pages have come when L1 forks again.
                for block in &l1[..l1.len() * delivered_share / 100] {
                    run(1);
                    for page in 0..block.pages.len() as u32 {
                        let _ = deliver(block, page);
                    }
                }
                Relay::do_try_state().expect("sound on the new branch");
            }
            for block in &l1 {
                run(1);
                for page in 0..block.pages.len() as u32 {
                    let _ = deliver(block, page);
                }
            }
            let top = START + l1.len() as u32;
            assert_eq!(heights(), (top, top));
            for block in &l1 {
                assert_eq!(Relay::hash_at(block.digest.height), Some(block.digest.hash));
            }
            // Of the branch that stands every event came: since the last fork those of all
            // blocks that were not applied by then, once and in order, and nothing else.
            let heard = Delivered::get();
            let events: Vec<_> = l1
                .iter()
                .flat_map(|block| {
                    let events = block.pages.iter().flat_map(|page| page.events.iter().cloned());
                    events.map(|event| (block.digest.height, event))
                })
                .collect();
            let (before, after) = heard.split_at(since.0);
            let (below, above): (Vec<_>, Vec<_>) =
                events.into_iter().partition(|(height, _)| *height <= since.1);
            assert_eq!(after, above);
            assert!(below.iter().all(|known| before.contains(known)), "and the others before");
            Relay::do_try_state().expect("sound at the end");
        });
    }
}
