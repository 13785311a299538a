//! What is in doubt, since when, and until when.

use crate::{mock::*, Common, Event, InDoubt, Newest, Points};
use cascoin_l2_primitives::{
    recovery::{Doubt, DoubtProvider, RecoveryPoint, RecoveryStatus, StandingDoubt},
    relay::{L1BlockContext, MAX_FORK_DEPTH},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn point(l1_height: u32, number: u32) -> RecoveryPoint {
    RecoveryPoint { l1_height, number, hash: hash_of(number) }
}

fn status(since: Option<RecoveryPoint>, stands: bool, deficit: u128) -> RecoveryStatus {
    RecoveryStatus { doubt: Some(Doubt { since, stands }), deficit }
}

#[test]
fn r19_2_a_point_is_the_block_before_the_first_effect() {
    chain().execute_with(|| {
        block();
        // Two blocks of L1 in block 2 of L2, of which the second goes on in block 3.
        effect(7);
        effect(9);
        effect(9);
        block();
        effect(9);
        effect(12);
        assert_eq!(Points::<Test>::get().points(), [point(7, 1), point(9, 1), point(12, 2)]);
        assert_eq!(Newest::<Test>::get(), 12);
        assert_eq!(Recovery::status(), RecoveryStatus::default());
    });
}

#[test]
fn r19_4_a_fork_is_told_with_the_block_since_which_all_is_in_doubt() {
    chain().execute_with(|| {
        effect(7);
        block();
        effect(8);
        block();
        fork(7);
        let since = Some(point(8, 1));
        assert_eq!(told(), [Event::Doubted { since }]);
        assert_eq!(Recovery::status(), status(since, false, 0));
        // It is open as long as the relay has not caught up.
        block();
        assert!(told().is_empty());
        settle(0);
        assert_eq!(Recovery::status(), status(since, false, 0));
        block();
        assert_eq!(told(), [Event::Cleared { since }]);
        assert_eq!(Recovery::status(), RecoveryStatus::default());
    });
}

#[test]
fn r19_4_what_cannot_be_taken_back_leaves_a_doubt_that_stands_until_it_can() {
    chain().execute_with(|| {
        effect(7);
        fork(6);
        settle(30);
        block();
        let since = Some(point(7, 0));
        assert_eq!(told(), [Event::DoubtStands { since, deficit: 30 }]);
        Unbacked::set(10);
        block();
        assert!(told().is_empty(), "it is told once");
        assert_eq!(Recovery::status(), status(since, true, 10));
        Unbacked::set(0);
        block();
        assert_eq!(told(), [Event::Cleared { since }]);
        assert_eq!(InDoubt::<Test>::get(), None);
    });
}

#[test]
fn a_fork_of_blocks_without_effect_puts_nothing_in_doubt() {
    chain().execute_with(|| {
        effect(7);
        fork(7);
        assert!(told().is_empty());
        assert_eq!(Recovery::status(), RecoveryStatus::default());
    });
}

#[test]
fn a_doubt_reaches_as_far_back_as_the_oldest_effect_of_all_forks() {
    chain().execute_with(|| {
        effect(7);
        block();
        effect(8);
        fork(7);
        block();
        // The new branch's block 8 goes again: what it did is younger.
        effect(8);
        fork(7);
        assert_eq!(told(), [Event::Doubted { since: Some(point(8, 1)) }]);
        fork(5);
        let since = Some(point(7, 0));
        assert_eq!(Recovery::status(), status(since, false, 0));
        settle(5);
        block();
        // Another fork opens the question again.
        effect(6);
        fork(5);
        assert_eq!(Recovery::status(), status(since, false, 5));
    });
}

#[test]
fn a_fork_below_what_is_remembered_says_so() {
    chain().execute_with(|| {
        effect(7);
        effect(8 + MAX_FORK_DEPTH);
        fork(6);
        assert_eq!(told(), [Event::Doubted { since: None }]);
        // No younger fork makes it known again.
        effect(7);
        fork(6);
        assert_eq!(Recovery::status(), status(None, false, 0));
    });
}

fn common(height: u32) -> L1BlockContext {
    L1BlockContext { height, ..Default::default() }
}

#[test]
fn r19_2_a_recovery_is_told_of_the_lowest_fork_since_the_doubt_began() {
    chain().execute_with(|| {
        // Nothing is in doubt: this fork is of no account.
        fork(2);
        assert_eq!(Common::<Test>::get(), None);
        effect(8);
        fork(7);
        // What stands in 6 and 7 now had no effect before, and may have one on the new
        // branch.
        fork(5);
        fork(6);
        assert_eq!(Common::<Test>::get(), Some(common(5)));
        assert_eq!(Recovery::standing(), None, "it may all come again");
        settle(30);
        assert_eq!(Recovery::standing(), None, "the chain has not settled it yet");
        block();
        let since = Some(point(8, 0));
        let standing = StandingDoubt { since, common: common(5), deficit: 30 };
        assert_eq!(Recovery::standing(), Some(standing));
        Unbacked::set(0);
        block();
        assert_eq!((Recovery::standing(), Common::<Test>::get()), (None, None));
    });
}

#[test]
fn r19_2_after_a_recovery_nothing_is_in_doubt_and_effects_are_noted_anew() {
    chain().execute_with(|| {
        effect(6);
        effect(8);
        fork(7);
        effect(8);
        effect(9);
        settle(30);
        block();
        assert!(Recovery::standing().is_some());
        Recovery::recovered(&common(7));
        Unbacked::set(0);
        assert_eq!(Recovery::status(), RecoveryStatus::default());
        assert_eq!(told().last(), Some(&Event::Cleared { since: Some(point(8, 0)) }));
        assert_eq!(Points::<Test>::get().points(), [point(6, 0)]);
        block();
        effect(8);
        assert_eq!(Points::<Test>::get().points(), [point(6, 0), point(8, 2)]);
        assert_eq!(Newest::<Test>::get(), 8);
        assert_eq!(Recovery::standing(), None);
    });
}

/// Something that happens in a block.
#[derive(Clone, Debug)]
enum Action {
    /// So many L1 blocks, with or without an event.
    L1(Vec<bool>),
    /// L1 drops its last blocks.
    Fork(u32),
    /// What came again is known: all of it, or not.
    Settle(bool),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        4 => prop::collection::vec(any::<bool>(), 0..4).prop_map(Action::L1),
        2 => (1..6u32).prop_map(Action::Fork),
        1 => any::<bool>().prop_map(Action::Settle),
    ];
    prop::collection::vec(action, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn p20_in_doubt_is_all_since_the_first_effect_of_what_l1_dropped(all in actions()) {
        chain().execute_with(|| {
            // First effects on L1's branch, by height.
            let mut effects = BTreeMap::new();
            let mut top = 1_000;
            let mut doubt: Option<u32> = None;
            for action in all {
                match action {
                    Action::L1(blocks) => {
                        for has_event in blocks {
                            top += 1;
                            if has_event {
                                effects.insert(top, System::block_number() - 1);
                                effect(top);
                                effect(top);
                            }
                        }
                    }
                    Action::Fork(depth) => {
                        top -= depth;
                        let gone = effects.split_off(&(top + 1));
                        if let Some(first) = gone.values().next() {
                            doubt = Some(doubt.map_or(*first, |known| known.min(*first)));
                        }
                        fork(top);
                    }
                    Action::Settle(backed) => {
                        settle(if backed { 0 } else { 3 });
                        block();
                        if backed {
                            doubt = None;
                        }
                    }
                }
                let status = Recovery::status();
                let since = status.doubt.map(|doubt| doubt.since.map(|point| point.number));
                assert_eq!(since, doubt.map(Some));
                // Stands only what nothing backs.
                assert!(status.doubt.is_none_or(|doubt| !doubt.stands || status.deficit > 0));
                block();
            }
        });
    }
}
