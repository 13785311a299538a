//! The L1 clock follows applied blocks and fresh votes (R27.5).

use crate::mock::*;
use cascoin_l2_primitives::time::{L1Clock, L1Time, FRESH_MS};

fn l1_time() -> L1Time {
    Relay::l1_time(Now::get())
}

#[test]
fn r27_5_before_a_block_is_applied_there_is_no_l1_time() {
    new_test_ext(4).execute_with(|| assert_eq!(l1_time(), L1Time::default()));
}

#[test]
fn r27_5_the_median_time_past_is_that_of_the_last_applied_block() {
    new_test_ext(4).execute_with(|| {
        let blocks = digests(&l1_chain(0, &[0, 0]));
        all_vote(0..3, &blocks, 10);
        assert_eq!(heights().1, blocks[1].height);
        let expected = u64::from(blocks[1].median_time) * 1_000;
        assert_eq!(l1_time().median_time_past, Some(expected));
        assert_eq!(Relay::status().time, l1_time());
    });
}

#[test]
fn r27_5_the_tip_median_needs_a_quorum_of_fresh_votes() {
    new_test_ext(4).execute_with(|| {
        let blocks = digests(&l1_chain(0, &[0]));
        for (voter, tip) in [(0, 50), (1, 10)] {
            cast(vote_for(voter, &blocks, tip)).expect("the vote is taken");
        }
        assert_eq!(l1_time().fresh_tip_median, None, "two of four are no quorum");
        cast(vote_for(2, &blocks, 30)).expect("the vote is taken");
        assert_eq!(l1_time().fresh_tip_median, Some(30_000));
        Now::mutate(|now| *now += FRESH_MS);
        assert_eq!(l1_time().fresh_tip_median, Some(30_000));
        Now::mutate(|now| *now += 1);
        assert_eq!(l1_time().fresh_tip_median, None, "they are stale now");
    });
}

#[test]
fn r27_5_another_set_begins_without_tips() {
    new_test_ext(4).execute_with(|| {
        all_vote(0..3, &digests(&l1_chain(0, &[0])), 30);
        SetId::set(8);
        assert_eq!(l1_time().fresh_tip_median, None, "before the first block of the set");
        run(1);
        assert_eq!(l1_time().fresh_tip_median, None);
        assert!(crate::TipTimes::<Test>::get().0.is_empty());
    });
}
