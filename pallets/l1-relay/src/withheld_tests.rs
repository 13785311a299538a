//! Who withholds its votes is found, and nobody else.

use crate::{
    mock::*,
    withheld::{LOOK_BLOCKS, MAX_WITHHOLDERS},
    Event, WithheldTimes,
};
use cascoin_l2_primitives::{
    apis::Withheld,
    chain::{AccountId, Moment},
    l1::L1Hash,
    relay::L1BlockDigest,
    sequencers::{Offence, OffenceKind},
};
use frame_support::BoundedVec;

/// What a look counts.
const LOOK_MS: Moment = LOOK_BLOCKS as Moment * 500;
/// The deadline: ten looks.
const LOOKS: u32 = 10;
/// Set in [`run_with`].
const SET: u64 = 7;

fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

/// Runs blocks with so many looks. The first one is in block 10, and this begins in block 1.
fn looks(count: u32) {
    run(count * LOOK_BLOCKS);
}

/// Seeds of who has withheld votes, and for how many looks.
fn withheld() -> Vec<(u8, Moment)> {
    let times = WithheldTimes::<Test>::get().into_iter();
    times
        .map(|one| (<AccountId as AsRef<[u8]>>::as_ref(&one.account)[0], one.ms / LOOK_MS))
        .collect()
}

fn punished() -> Vec<AccountId> {
    Punished::get().into_iter().map(|offence| offence.offender).collect()
}

/// As many L1 blocks, without events.
fn empty_blocks(count: usize) -> Vec<L1BlockDigest> {
    digests(&l1_chain(0, &vec![0; count]))
}

/// A set of so many, with seeds from 1 on, and a deadline of [`LOOKS`].
fn run_with(sequencers: u8, test: impl FnOnce()) {
    new_test_ext(sequencers).execute_with(|| {
        WithholdingS::set(u64::from(LOOKS) * LOOK_MS / 1_000);
        test();
        Relay::do_try_state().expect("sound at the end");
    });
}

#[test]
fn r17_6_who_withholds_its_votes_is_punished_at_the_deadline() {
    run_with(5, || {
        all_vote(0..3, &empty_blocks(3), 10);
        assert_eq!(heights(), (START, START), "four of five are a quorum");
        looks(LOOKS - 1);
        assert_eq!(withheld(), [(4, 9), (5, 9)]);
        assert_eq!(Relay::status().withheld, WithheldTimes::<Test>::get().into_inner());
        assert!(Punished::get().is_empty());
        looks(1);
        let offence = |seed| Offence {
            kind: OffenceKind::Withholding,
            offender: account(seed),
            set_id: SET,
            height: LOOKS * LOOK_BLOCKS - LOOK_BLOCKS / 2,
        };
        assert_eq!(Punished::get(), [offence(4), offence(5)]);
        let told = relay_events();
        for seed in [4, 5] {
            let event = Event::VotesWithheld { sequencer: account(seed) };
            assert_eq!(told.iter().filter(|one| **one == event).count(), 1);
        }
        // Who goes on withholding is punished again, an eighth of the deadline later.
        looks(1);
        assert_eq!(Punished::get().len(), 2);
        looks(1);
        assert_eq!(punished(), [4, 5, 4, 5].map(account));
    });
}

#[test]
fn r17_6_who_votes_again_pays_back_what_it_withheld() {
    run_with(5, || {
        let blocks = empty_blocks(3);
        all_vote(0..3, &blocks, 10);
        looks(6);
        assert_eq!(withheld(), [(4, 6), (5, 6)]);
        // The fourth vote is a quorum's: nothing is held up.
        all_vote(3..4, &blocks, 10);
        assert_eq!(heights().0, START + 3);
        looks(4);
        assert_eq!(withheld(), [(4, 2), (5, 2)]);
        looks(2);
        assert!(WithheldTimes::<Test>::get().is_empty());
        looks(LOOKS);
        assert!(Punished::get().is_empty());
    });
}

#[test]
fn r17_6_one_block_now_and_then_holds_l1_up_as_well() {
    run_with(5, || {
        let blocks = empty_blocks(6);
        all_vote(0..3, &blocks, 10);
        for block in &blocks[..3] {
            looks(4);
            all_vote(3..4, &[*block], 10);
        }
        assert_eq!(heights().0, START + 3);
        // By the tenth look, and by the twelfth again.
        assert_eq!(punished(), [4, 5, 4, 5].map(account));
    });
}

/// Nobody is blamed after `prepare`, in twice the deadline.
fn nobody_is_blamed(what: &str, prepare: impl FnOnce()) {
    run_with(5, || {
        prepare();
        looks(2 * LOOKS);
        assert!(Punished::get().is_empty(), "{what}");
        assert!(WithheldTimes::<Test>::get().is_empty(), "{what}");
    });
}

#[test]
fn r17_6_nobody_is_blamed_for_what_may_be_l1s() {
    let blocks = empty_blocks(3);
    let other = digests(&l1_chain(9, &[0, 0, 0]));
    nobody_is_blamed("L1 is down: nobody votes", || ());
    nobody_is_blamed("votes part", || {
        all_vote(0..2, &blocks, 10);
        all_vote(2..4, &other, 10);
    });
    nobody_is_blamed("L1 forked below what is attested", || {
        let below = L1BlockDigest { hash: L1Hash([99; 32]), ..start() };
        let above = block_above(&below, 0, vec![]).digest;
        all_vote(0..3, &[above], 10);
    });
    nobody_is_blamed("who sees another L1 votes, too", || {
        all_vote(0..3, &blocks, 10);
        all_vote(3..5, &other, 10);
    });
    nobody_is_blamed("the block is young still", || {
        let in_a_day = (Now::get() / 1_000) as u32 + 86_400;
        let young = L1BlockDigest { median_time: in_a_day, ..blocks[0] };
        all_vote(0..3, &[young], 10);
    });
    nobody_is_blamed("a quorum agrees, and the set is too small", || {
        MinSequencers::set(6);
        all_vote(0..4, &blocks, 10);
        assert_eq!(heights().0, START);
    });
}

#[test]
fn r17_6_nobody_is_looked_at_while_it_is_said_so() {
    let blocks = empty_blocks(3);
    nobody_is_blamed("what they would lose is not what it will be", || {
        Unjudged::set(true);
        all_vote(0..3, &blocks, 10);
    });
    nobody_is_blamed("the chain has no deadline", || {
        WithholdingS::set(0);
        all_vote(0..3, &blocks, 10);
    });
}

/// Else one fork of L1 would be an excuse for ever: following it ends when L1's blocks are
/// applied, which is what is held up.
#[test]
fn r17_6_a_fork_that_is_followed_excuses_nobody() {
    let blocks = empty_blocks(3);
    run_with(5, || {
        crate::Recovery::<Test>::put(START + 100);
        all_vote(0..3, &blocks, 10);
        looks(LOOKS);
        assert_eq!(punished(), [4, 5].map(account));
    });
    run_with(5, || {
        let seen = cascoin_l2_primitives::apis::ParentMismatch {
            height: START + 1,
            expected: start().hash,
            attested: L1Hash([99; 32]),
        };
        crate::Mismatch::<Test>::put(seen);
        all_vote(0..3, &blocks, 10);
        looks(LOOKS);
        assert_eq!(punished(), [4, 5].map(account));
    });
}

/// Who withholds relay votes may hold up blocks as well: time is the blocks' own.
#[test]
fn r17_6_slow_blocks_put_the_deadline_off_by_nothing() {
    // Besides the ten seconds of a look's blocks, and at most 12.5 with them.
    for (more, found_at) in [(2_000, 9), (3_600_000, 9), (1_000, 10), (0, 10)] {
        run_with(5, || {
            all_vote(0..3, &empty_blocks(3), 10);
            for _ in 1..found_at {
                looks(1);
                Now::mutate(|now| *now += more);
                assert!(Punished::get().is_empty(), "{more} ms more");
            }
            looks(1);
            assert_eq!(punished(), [4, 5].map(account), "{more} ms more");
        });
    }
}

/// A halt, in which nobody can vote, is charged to nobody who votes right before it.
#[test]
fn r17_6_time_is_charged_to_who_was_silent_before_and_after_it() {
    run_with(5, || {
        let blocks = empty_blocks(3);
        all_vote(0..4, &blocks[..1], 10);
        looks(1);
        Now::mutate(|now| *now += 3_600_000);
        all_vote(0..3, &blocks[1..], 20);
        looks(1);
        assert_eq!(withheld(), [(4, 1), (5, 1)]);
    });
}

#[test]
fn r17_6_a_block_is_overdue_after_an_eighth_of_the_deadline() {
    // Of a deadline of 100 seconds 12.5, of which five are over at the first look.
    for (age_s, silent) in [(7, vec![]), (8, vec![(4, 1), (5, 1)])] {
        run_with(5, || {
            let median_time = (Now::get() / 1_000) as u32 - age_s;
            all_vote(0..3, &[L1BlockDigest { median_time, ..empty_blocks(1)[0] }], 10);
            looks(1);
            assert_eq!(withheld(), silent, "{age_s} s old");
        });
    }
}

/// Where too few are left to agree, nothing is charged, and nothing is paid back to who does
/// not vote.
#[test]
fn r17_6_without_a_majority_only_votes_pay_back() {
    run_with(7, || {
        let blocks = empty_blocks(1);
        all_vote(0..4, &blocks, 10);
        looks(4);
        assert_eq!(withheld(), [(5, 4), (6, 4), (7, 4)]);
        SetId::set(SET + 1);
        all_vote(0..3, &blocks, 10);
        looks(3);
        assert_eq!(withheld(), [(5, 4), (6, 4), (7, 4)]);
        let other = digests(&l1_chain(9, &[0]));
        all_vote(4..5, &other, 10);
        looks(2);
        assert_eq!(withheld(), [(5, 2), (6, 4), (7, 4)]);
    });
}

/// Time is an account's, wherever it stands in the set.
#[test]
fn r17_6_another_order_of_the_set_changes_nothing() {
    run_with(5, || {
        let blocks = empty_blocks(1);
        all_vote(0..3, &blocks, 10);
        looks(4);
        Members::set(vec![5, 1, 4, 2, 3]);
        SetId::set(SET + 1);
        for voter in [1, 3, 4] {
            all_vote(voter..voter + 1, &blocks, 10);
        }
        looks(LOOKS - 4);
        assert_eq!(punished(), [5, 4].map(account));
        assert!(Punished::get().iter().all(|offence| offence.set_id == SET + 1));
    });
}

#[test]
fn r17_6_punishment_waits_while_nobody_is_judged() {
    run_with(5, || {
        all_vote(0..3, &empty_blocks(3), 10);
        run_to(LOOKS * LOOK_BLOCKS - LOOK_BLOCKS / 2);
        Unjudged::set(true);
        looks(3);
        assert!(Punished::get().is_empty());
        Unjudged::set(false);
        run(1);
        assert_eq!(punished(), [4, 5].map(account));
    });
}

#[test]
fn r17_6_whose_keys_are_barred_cannot_vote_and_is_not_blamed() {
    run_with(5, || {
        Barred::set(vec![4]);
        all_vote(0..3, &empty_blocks(3), 10);
        looks(LOOKS);
        assert_eq!(punished(), [account(4)]);
        assert!(withheld().iter().all(|(seed, _)| *seed == 4));
    });
}

#[test]
fn r17_6_another_set_does_not_begin_it_anew() {
    run_with(5, || {
        let blocks = empty_blocks(6);
        all_vote(0..3, &blocks[..3], 10);
        looks(4);
        // New keys of anybody make a new set, and void all votes.
        SetId::set(SET + 1);
        all_vote(0..3, &blocks[..3], 10);
        looks(1);
        assert_eq!(withheld(), [(4, 5), (5, 5)]);

        // Out of the set nobody votes, and nothing is paid back.
        Members::set(vec![1, 2, 3, 6, 7]);
        SetId::set(SET + 2);
        all_vote(0..4, &blocks[..3], 10);
        assert_eq!(heights().0, START + 3);
        looks(LOOKS);
        assert_eq!(withheld(), [(4, 5), (5, 5)]);

        // Back in it, it goes on.
        Members::set((1..=5).collect());
        SetId::set(SET + 3);
        all_vote(0..3, &blocks[3..], 10);
        looks(5);
        assert_eq!(punished(), [4, 5].map(account));
        assert!(Punished::get().iter().all(|offence| offence.set_id == SET + 3));
    });
}

#[test]
fn r17_6_a_block_punishes_a_few() {
    run_with(21, || {
        all_vote(0..12, &empty_blocks(1), 10);
        run_to(LOOKS * LOOK_BLOCKS - LOOK_BLOCKS / 2);
        assert!(Punished::get().is_empty());
        for count in [4, 8, 9, 9] {
            run(1);
            assert_eq!(Punished::get().len(), count);
        }
        assert_eq!(punished(), (13..=21).map(account).collect::<Vec<_>>());
    });
}

#[test]
fn r17_6_of_those_that_left_the_one_that_withheld_least_is_forgotten() {
    run_with(5, || {
        let outside = |seed: u8| Withheld { account: account(seed), ms: u64::from(seed) * LOOK_MS };
        let times: Vec<_> = (10..10 + MAX_WITHHOLDERS as u8).map(outside).collect();
        WithheldTimes::<Test>::put(BoundedVec::truncate_from(times));
        all_vote(0..3, &empty_blocks(1), 10);
        looks(1);
        let now = withheld();
        assert_eq!(now.len(), MAX_WITHHOLDERS as usize);
        assert_eq!(now[now.len() - 2..], [(4, 1), (5, 1)]);
        assert!(now.iter().all(|(seed, _)| ![10, 11].contains(seed)));
    });
}
