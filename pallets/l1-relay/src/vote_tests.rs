//! Who may vote, what a vote changes, and when a block is attested.

use crate::{
    mock::*,
    pallet::{Attested, Call, Error, Event, Mismatch, Votes, VotesSetId},
    tally::REVOTE_BLOCKS,
    types::MAX_QUEUE,
};
use cascoin_l2_primitives::{
    chain::quorum,
    relay::{L1BlockDigest, RelayRange, RelayVote, MAX_RANGE},
};
use codec::Encode;
use sp_core::{Pair, H256};
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, UnknownTransaction},
    DispatchError,
};

fn empty_blocks(count: usize) -> Vec<L1BlockDigest> {
    digests(&l1_chain(0, &vec![0; count]))
}

#[test]
fn the_relay_starts_at_the_l1_block_of_genesis() {
    new_test_ext(4).execute_with(|| {
        assert_eq!(Attested::<Test>::get(), start());
        assert_eq!(heights(), (START, START));
        assert_eq!(Relay::status().applied_hash, start().hash);
    });
}

#[test]
fn a_block_is_attested_by_exactly_a_quorum_of_one_to_seven_sequencers() {
    for sequencers in 1..=7u8 {
        new_test_ext(sequencers).execute_with(|| {
            let blocks = empty_blocks(1);
            let quorum = quorum(usize::from(sequencers)) as u16;
            assert!(3 * quorum > 2 * u16::from(sequencers), "more than two thirds");
            all_vote(0..quorum - 1, &blocks, 10);
            assert_eq!(heights(), (START, START), "{sequencers}: one vote less");
            all_vote(quorum - 1..quorum, &blocks, 10);
            assert_eq!(heights(), (START + 1, START + 1), "{sequencers}: the quorum");
        });
    }
}

#[test]
fn one_voter_does_not_count_twice() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(3);
        all_vote(0..2, &blocks, 10);
        assert_eq!(cast(vote_for(0, &blocks, 10)), Err(InvalidTransaction::Stale.into()));
        run(REVOTE_BLOCKS);
        assert_eq!(cast(vote_for(0, &blocks, 11)), Err(InvalidTransaction::Stale.into()));
        assert_eq!(heights(), (START, START));
    });
}

#[test]
fn voters_with_different_tips_agree_on_what_they_share() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(5);
        all_vote(0..1, &blocks[..2], 10);
        all_vote(1..2, &blocks[..5], 10);
        all_vote(2..3, &blocks[..3], 10);
        assert_eq!(heights().0, START + 2);
        // A range need not begin at the next height.
        all_vote(3..4, &blocks[2..4], 10);
        assert_eq!(heights().0, START + 3);
        assert_eq!(Relay::status().open_votes.len(), 2);
    });
}

#[test]
fn a_quorum_decides_many_blocks_at_once() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(64);
        all_vote(0..3, &blocks, 10);
        assert_eq!(heights(), (START + 64, START + 64));
        assert_eq!(AppliedHeights::get(), (START + 1..=START + 64).collect::<Vec<_>>());
        assert_eq!(Votes::<Test>::iter().count(), 0);
    });
}

#[test]
fn fewer_than_a_third_change_nothing() {
    new_test_ext(4).execute_with(|| {
        let (truth, lie) = (digests(&l1_chain(0, &[0, 2])), digests(&l1_chain(9, &[5, 1])));
        all_vote(3..4, &lie, u32::MAX);
        all_vote(0..3, &truth, 10);
        assert_eq!(heights(), (START + 2, START + 1));
        assert_eq!(Attested::<Test>::get(), truth[1]);
        assert_eq!(Mismatch::<Test>::get(), None);
    });
}

#[test]
fn digests_that_differ_in_any_field_are_different_votes() {
    new_test_ext(4).execute_with(|| {
        let truth = empty_blocks(1)[0];
        for (voter, digest) in [
            L1BlockDigest { time: truth.time + 1, ..truth },
            L1BlockDigest { median_time: truth.median_time + 1, ..truth },
            L1BlockDigest { event_count: 1, ..truth },
            L1BlockDigest { pages_root: H256::repeat_byte(1), ..truth },
        ]
        .into_iter()
        .enumerate()
        {
            all_vote(voter as u16..voter as u16 + 1, &[digest], 10);
        }
        assert_eq!(heights().0, START);
        assert_eq!(Relay::status().open_votes.len(), 4);
    });
}

#[test]
fn a_vote_for_another_chain_is_refused() {
    new_test_ext(4).execute_with(|| {
        let mut vote = vote_for(0, &empty_blocks(1), 10);
        let message =
            RelayVote::message(&H256::repeat_byte(3), vote.set_id, &vote.range, vote.tip_time);
        vote.signature = pair(1).sign(&message);
        assert_eq!(cast(vote), Err(InvalidTransaction::BadProof.into()));
    });
}

#[test]
fn a_vote_with_a_wrong_signature_is_refused() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(2);
        let by_another = RelayVote { voter: 1, ..vote_for(0, &blocks, 10) };
        let changed_time = RelayVote { tip_time: 11, ..vote_for(0, &blocks, 10) };
        let changed_range =
            RelayVote { range: vote_for(0, &blocks[..1], 10).range, ..vote_for(0, &blocks, 10) };
        for vote in [by_another, changed_time, changed_range] {
            assert_eq!(cast(vote), Err(InvalidTransaction::BadProof.into()));
        }
        let by_nobody = RelayVote { voter: 4, ..vote_for(0, &blocks, 10) };
        assert_eq!(cast(by_nobody), Err(InvalidTransaction::BadSigner.into()));
    });
}

#[test]
fn a_vote_of_another_set_is_refused() {
    new_test_ext(4).execute_with(|| {
        let old = vote_for(0, &empty_blocks(1), 10);
        SetId::set(8);
        assert_eq!(cast(old.clone()), Err(InvalidTransaction::Stale.into()));
        assert_eq!(
            dispatch(Call::vote { vote: old }).map_err(|error| error.error),
            Err(Error::<Test>::WrongSet.into())
        );
        let young = vote_for(0, &empty_blocks(1), 10);
        SetId::set(7);
        // This node may only be behind: not a reason to ban it.
        assert_eq!(pool(&Call::vote { vote: young }), Err(UnknownTransaction::CannotLookup.into()));
    });
}

#[test]
fn votes_of_an_old_set_do_not_count_in_a_new_one() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(64);
        all_vote(0..2, &blocks, 10);
        SetId::set(8);
        // Before the next block begins and within it.
        assert_eq!(Relay::status().open_votes, vec![]);
        all_vote(2..3, &blocks, 10);
        assert_eq!(heights().0, START);
        assert_eq!(VotesSetId::<Test>::get(), 8);
        assert!(relay_events().contains(&Event::VotesDropped { set_id: 8 }));
        SetId::set(9);
        run(1);
        assert_eq!(Votes::<Test>::iter().count(), 0);
        all_vote(0..3, &blocks, 10);
        assert_eq!(heights().0, START + 64);
    });
}

#[test]
fn a_range_must_be_a_chain() {
    new_test_ext(4).execute_with(|| {
        let (ours, other) = (empty_blocks(3), digests(&l1_chain(9, &[0, 0, 0])));
        let gap = [ours[0], ours[2]];
        let unlinked = [ours[0], other[1]];
        let backwards = [ours[1], ours[0]];
        for range in [&[][..], &gap, &unlinked, &backwards] {
            let vote = vote_for(0, range, 10);
            assert_eq!(cast(vote.clone()), Err(InvalidTransaction::Call.into()));
            assert_eq!(
                dispatch(Call::vote { vote }).map_err(|error| error.error),
                Err(Error::<Test>::MalformedRange.into())
            );
        }
    });
}

#[test]
fn only_the_next_64_heights_are_taken() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(70);
        assert_eq!(
            pool(&Call::vote { vote: vote_for(0, &blocks[64..], 10) }),
            Err(UnknownTransaction::CannotLookup.into()),
            "too far ahead now, not for ever"
        );
        // The part inside the window counts, the rest is left out.
        all_vote(0..3, &blocks[60..], 10);
        assert_eq!(Votes::<Test>::iter().count(), 4);
        all_vote(0..3, &blocks[..60], 10);
        assert_eq!(heights().0, START + 64);
        assert_eq!(
            cast(vote_for(3, &blocks[..64], 10)),
            Err(InvalidTransaction::Stale.into()),
            "all decided"
        );
        // Begins below the window and reaches into it.
        all_vote(0..3, &blocks[50..], 10);
        assert_eq!(heights().0, START + 70);
    });
}

#[test]
fn a_vote_replaces_an_older_one_only_by_a_later_tip_and_after_a_rest() {
    new_test_ext(4).execute_with(|| {
        let (old, new) = (empty_blocks(1), digests(&l1_chain(9, &[0])));
        all_vote(0..1, &old, 10);
        assert_eq!(
            cast(vote_for(0, &new, 11)),
            Err(UnknownTransaction::CannotLookup.into()),
            "too soon"
        );
        run(REVOTE_BLOCKS);
        assert_eq!(cast(vote_for(0, &new, 10)), Err(InvalidTransaction::Stale.into()));
        all_vote(0..1, &new, 11);
        assert!(Relay::has_voted(0, START + 1, new[0].id()));
        assert!(!Relay::has_voted(0, START + 1, old[0].id()));
        assert_eq!(Votes::<Test>::get(START + 1).0.len(), 1, "no candidate without votes");
    });
}

#[test]
fn a_replayed_old_vote_changes_nothing() {
    new_test_ext(4).execute_with(|| {
        let (old, new) = (empty_blocks(1), digests(&l1_chain(9, &[0])));
        let replayed = vote_for(0, &old, 10);
        cast(replayed.clone()).expect("new");
        run(REVOTE_BLOCKS);
        all_vote(0..1, &new, 11);
        for _ in 0..3 {
            run(REVOTE_BLOCKS);
            assert_eq!(cast(replayed.clone()), Err(InvalidTransaction::Stale.into()));
            assert_eq!(
                dispatch(Call::vote { vote: replayed.clone() }).map_err(|error| error.error),
                Err(Error::<Test>::NothingNew.into())
            );
        }
        assert!(Relay::has_voted(0, START + 1, new[0].id()));
    });
}

#[test]
fn who_changes_branch_leaves_the_old_one_above_too() {
    new_test_ext(4).execute_with(|| {
        let (old, new) = (empty_blocks(3), digests(&l1_chain(9, &[0])));
        all_vote(0..1, &old, 10);
        run(REVOTE_BLOCKS);
        all_vote(0..1, &new, 11);
        assert_eq!(Votes::<Test>::iter().count(), 1);
        assert!(!Relay::has_voted(0, START + 2, old[1].id()));
    });
}

#[test]
fn a_replayed_vote_does_not_come_back_where_it_was_withdrawn() {
    new_test_ext(4).execute_with(|| {
        let (old, new) = (empty_blocks(3), digests(&l1_chain(9, &[0])));
        let replayed = vote_for(0, &old, 10);
        cast(replayed.clone()).expect("new");
        run(REVOTE_BLOCKS);
        all_vote(0..1, &new, 11);
        run(REVOTE_BLOCKS);
        assert_eq!(cast(replayed.clone()), Err(InvalidTransaction::Stale.into()));
        assert_eq!(
            dispatch(Call::vote { vote: replayed }).map_err(|error| error.error),
            Err(Error::<Test>::NothingNew.into())
        );
        assert_eq!(Votes::<Test>::iter().count(), 1);
    });
}

#[test]
fn tip_times_are_forgotten_with_the_set() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(2);
        all_vote(0..1, &blocks, u32::MAX);
        SetId::set(8);
        all_vote(0..3, &blocks, 10);
        assert_eq!(heights().0, START + 2);
    });
}

#[test]
fn a_vote_that_says_more_takes_the_place_of_an_earlier_one_in_the_pool() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(3);
        let priority = |digests: &[_], tip_time| {
            pool(&Call::vote { vote: vote_for(0, digests, tip_time) }).expect("valid").priority
        };
        assert!(priority(&blocks, 10) > priority(&blocks[..2], 10));
        assert!(priority(&blocks, 9) > priority(&blocks[..2], 10));
        assert!(priority(&blocks, 11) > priority(&blocks, 10));
    });
}

#[test]
fn a_vote_open_too_long_is_opened_again_by_a_renewed_one() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(1);
        let begun = Now::get();
        all_vote(0..1, &blocks, 10);
        run(REVOTE_BLOCKS);
        all_vote(1..2, &blocks, 10);
        assert_eq!(Relay::status().open_votes[0].since, begun, "the first vote counts");
        assert_eq!(
            cast(vote_for(0, &blocks, 11)),
            Err(InvalidTransaction::Stale.into()),
            "not timed out yet"
        );
        Now::set(begun + TIMEOUT_MS);
        assert_eq!(cast(vote_for(0, &blocks, 10)), Err(InvalidTransaction::Stale.into()));
        all_vote(0..1, &blocks, 11);
        let open = &Relay::status().open_votes[0];
        assert_eq!((open.since, open.voters.len()), (Now::get(), 2));
        all_vote(2..3, &blocks, 10);
        assert_eq!(heights().0, START + 1, "nothing was lost by the time-out");
    });
}

#[test]
fn too_few_sequencers_attest_nothing() {
    new_test_ext(2).execute_with(|| {
        MinSequencers::set(3);
        let blocks = empty_blocks(2);
        all_vote(0..2, &blocks[..1], 10);
        assert_eq!(heights().0, START);
        Members::set(vec![1, 2, 3]);
        SetId::set(8);
        all_vote(0..3, &blocks, 10);
        assert_eq!(heights().0, START + 2);
    });
}

#[test]
fn another_history_below_stops_the_relay_until_votes_fit_again() {
    new_test_ext(4).execute_with(|| {
        let ours = empty_blocks(3);
        all_vote(0..3, &ours[..1], 10);
        let theirs = digests(&l1_chain(9, &[0, 0]));
        all_vote(0..3, &theirs[1..], 20);
        let mismatch = Relay::status().parent_mismatch.expect("a mismatch");
        assert_eq!(
            (mismatch.height, mismatch.expected, mismatch.attested),
            (START + 2, ours[0].hash, theirs[0].hash)
        );
        assert_eq!(heights(), (START + 1, START + 1));
        let events = relay_events();
        let count = events.iter().filter(|e| matches!(e, Event::ParentMismatch { .. })).count();
        assert_eq!(count, 1);
        // The chain goes on and says it once.
        all_vote(3..4, &theirs[1..], 20);
        run(REVOTE_BLOCKS);
        assert_eq!(relay_events().len(), events.len() + 1, "one more vote, no more mismatches");

        all_vote(0..3, &ours[1..], 30);
        assert_eq!(heights().0, START + 3);
        assert_eq!(Relay::status().parent_mismatch, None);
        assert!(relay_events().contains(&Event::ParentMismatchResolved { height: START + 2 }));
    });
}

/// As long as it is not seen, what waits is minted.
#[test]
fn another_history_is_seen_while_the_queue_is_full() {
    new_test_ext(4).execute_with(|| {
        let ours = l1_chain(0, &[1; MAX_QUEUE as usize]);
        all_vote(0..3, &digests(&ours), 10);
        assert_eq!(heights(), (START + MAX_QUEUE, START), "the queue is full");
        assert_eq!(Relay::status().parent_mismatch, None);
        let theirs = digests(&l1_chain(9, &[0; MAX_QUEUE as usize + 2]));
        all_vote(0..3, &theirs[MAX_QUEUE as usize..], 20);
        let mismatch = Relay::status().parent_mismatch.expect("a mismatch");
        assert_eq!(mismatch.height, START + MAX_QUEUE + 1);
        assert_eq!(heights(), (START + MAX_QUEUE, START));
    });
}

#[test]
fn a_full_queue_stops_attesting_and_an_emptier_one_goes_on() {
    new_test_ext(4).execute_with(|| {
        let blocks = l1_chain(0, &[1; MAX_QUEUE as usize + 10]);
        let all = digests(&blocks);
        all_vote(0..3, &all[..MAX_RANGE as usize], 10);
        assert_eq!(heights(), (START + MAX_QUEUE, START));
        all_vote(0..3, &all[MAX_RANGE as usize..], 10);
        assert_eq!(heights(), (START + MAX_QUEUE, START), "waits");
        deliver(&blocks[0], 0).expect("due");
        assert_eq!(heights(), (START + MAX_QUEUE + 1, START + 1), "one out, one in");
        for block in &blocks[1..] {
            run(1);
            deliver(block, 0).expect("due");
        }
        assert_eq!(heights(), (START + MAX_QUEUE + 10, START + MAX_QUEUE + 10));
    });
}

#[test]
fn votes_are_told_apart_in_the_pool_by_first_height_and_voter() {
    new_test_ext(4).execute_with(|| {
        let blocks = empty_blocks(2);
        let validity = pool(&Call::vote { vote: vote_for(0, &blocks, 10) }).expect("valid");
        assert_eq!(validity.provides, vec![(b"rlay", START + 1, pair(1).public()).encode()]);
        assert_eq!((validity.longevity, validity.propagate), (120, true));
        assert!(validity.requires.is_empty());
    });
}

#[test]
fn a_vote_needs_the_authorised_origin() {
    new_test_ext(4).execute_with(|| {
        let call =
            RuntimeCall::from(Call::<Test>::vote { vote: vote_for(0, &empty_blocks(1), 10) });
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::signed(1), RuntimeOrigin::root()] {
            assert_eq!(
                call.clone().dispatch(origin).map_err(|error| error.error),
                Err(DispatchError::BadOrigin)
            );
        }
    });
}

#[test]
fn heights_at_the_end_of_their_type_are_no_trouble() {
    new_test_ext(1).execute_with(|| {
        let top = L1BlockDigest { height: u32::MAX, ..start() };
        Attested::<Test>::put(top);
        assert!(cast(vote_for(0, &[top], 10)).is_err());
        let range = RelayRange(vec![top, top].try_into().expect("two fit"));
        assert!(!range.is_well_formed());
    });
}
