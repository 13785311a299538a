//! L1 leaves what is attested, and the relay follows it from where both agree.

use crate::{
    mock::*,
    pallet::{
        Applied, Attested, AttestedQueue, Call, Error, Event, ForkVotes, Mismatch, PageProgress,
        Recovery, Votes,
    },
    tally::REVOTE_BLOCKS,
};
use cascoin_l2_primitives::{
    l1::L1Hash,
    relay::{
        local::LocalBlock, ForkPoint, L1BlockContext, L1Branch, L1Chance, MAX_EVENTS_PER_PAGE,
        MAX_FORK_DEPTH, RECOVERY_WINDOW,
    },
};
use codec::Encode;
use sp_core::Pair;
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, UnknownTransaction},
    DispatchError,
};

/// A branch of `counts.len()` blocks above the `common`-th of `blocks`; its events are
/// told apart by `number` upwards.
fn branch(
    blocks: &[LocalBlock],
    common: usize,
    counts: &[u32],
    mut number: u32,
) -> Vec<LocalBlock> {
    let mut below = common.checked_sub(1).map_or_else(start, |index| blocks[index].digest);
    counts
        .iter()
        .map(|&count| {
            let block = block_above(&below, 9, (number..number + count).map(event).collect());
            number += count;
            below = block.digest;
            block
        })
        .collect()
}

/// Where `new` leaves the attested branch, at the `common`-th of `old`.
fn fork_of(old: &[LocalBlock], common: usize, new: &[LocalBlock]) -> ForkPoint {
    let common = common.checked_sub(1).map_or_else(start, |index| old[index].digest);
    fork_at(&common, &new[0].digest)
}

fn all_vote_fork(voters: core::ops::Range<u16>, fork: ForkPoint, tip_time: u32) {
    for voter in voters {
        cast_fork(fork_vote(voter, fork, tip_time)).expect("the vote is taken");
    }
}

#[test]
fn a_quorum_has_the_relay_go_on_from_the_fork_point() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 5]);
        all_vote(0..3, &digests(&old), 10);
        assert_eq!(heights(), (START + 5, START + 5));
        let new = branch(&old, 2, &[0, 1, 0, 0, 0, 0], 50);
        let fork = fork_of(&old, 2, &new);
        all_vote_fork(0..2, fork, 20);
        assert_eq!(heights(), (START + 5, START + 5), "one vote is missing");
        assert_eq!(Relay::status().fork_votes, 2);
        assert!(Forks::get().is_empty());

        all_vote_fork(2..3, fork, 20);
        assert_eq!(heights(), (START + 2, START + 2));
        assert_eq!(Attested::<Test>::get().hash, old[1].digest.hash);
        assert_eq!(Applied::<Test>::get().hash, old[1].digest.hash);
        assert_eq!(Forks::get(), [START + 2]);
        assert_eq!(Relay::status().recovers_until, Some(START + 5 + RECOVERY_WINDOW));
        assert!(relay_events().contains(&Event::ForkAttested {
            height: START + 2,
            hash: old[1].digest.hash,
            branch: new[0].digest.hash,
            replaced_height: START + 5,
            replaced: old[4].digest.hash,
        }));
        assert!(ForkVotes::<Test>::get().is_empty());

        // The new branch is attested and delivered as any other.
        all_vote(0..3, &digests(&new), 21);
        assert_eq!(heights(), (START + 8, START + 3));
        deliver(&new[1], 0).expect("due");
        assert_eq!(heights(), (START + 8, START + 8));
        assert_eq!(Delivered::get(), [(START + 4, event(50))]);
        for block in &new {
            let hash = block.digest.hash;
            assert_eq!(Relay::hash_at(block.digest.height), Some(hash));
        }
        run(1);
    });
}

#[test]
fn a_dispute_ends_with_the_fork() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 3]);
        all_vote(0..3, &digests(&old), 10);
        let new = branch(&old, 1, &[0; 4], 0);
        all_vote(0..3, &digests(&new[2..]), 20);
        assert!(Mismatch::<Test>::exists());
        assert_eq!(Votes::<Test>::iter().count(), 2);
        all_vote_fork(0..3, fork_of(&old, 1, &new), 30);
        assert!(!Mismatch::<Test>::exists());
        assert_eq!(Votes::<Test>::iter().count(), 0, "they were for other heights");
        all_vote(0..3, &digests(&new), 31);
        assert_eq!(heights(), (START + 5, START + 5));
        run(1);
    });
}

#[test]
fn a_recovery_ends_a_window_above_what_was_replaced() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 4]);
        all_vote(0..3, &digests(&old), 10);
        let new = branch(&old, 3, &[0; 2 + RECOVERY_WINDOW as usize], 0);
        all_vote_fork(0..3, fork_of(&old, 3, &new), 20);
        let until = START + 4 + RECOVERY_WINDOW;
        let last = new.len() - 2;
        assert_eq!(new[last].digest.height, until);
        all_vote(0..3, &digests(&new[..last]), 21);
        assert_eq!((heights().1, Recovery::<Test>::get()), (until - 1, Some(until)));
        assert_eq!(Forks::get(), [START + 3]);
        all_vote(0..3, &digests(&new[last..]), 22);
        assert_eq!(Recovery::<Test>::get(), None);
        assert_eq!(Forks::get(), [START + 3, 0]);
        assert!(relay_events().contains(&Event::Recovered { height: until }));
    });
}

#[test]
fn waiting_blocks_are_replaced_and_nobody_is_told_as_nothing_was_applied() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0, 2, 1, 0]);
        all_vote(0..3, &digests(&old), 10);
        assert_eq!(heights(), (START + 4, START + 1));
        let new = branch(&old, 2, &[0, 0, 3], 80);
        all_vote_fork(0..3, fork_of(&old, 2, &new), 20);
        assert_eq!(heights(), (START + 2, START + 1));
        assert_eq!(AttestedQueue::<Test>::get().to_vec(), [old[1].digest]);
        assert_eq!(Attested::<Test>::get(), old[1].digest, "all of it is known");
        assert!(Forks::get().is_empty() && !Recovery::<Test>::exists());
        all_vote(0..3, &digests(&new), 21);
        deliver(&old[1], 0).expect("it stands");
        assert_eq!(heights(), (START + 5, START + 4));
        run(1);
    });
}

#[test]
fn a_block_that_is_applied_in_part_counts_as_applied() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0, MAX_EVENTS_PER_PAGE + 1]);
        all_vote(0..3, &digests(&old), 10);
        deliver(&old[1], 0).expect("due");
        assert_eq!(PageProgress::<Test>::get().page, 1);
        let new = branch(&old, 1, &[1, 0], 9_000);
        all_vote_fork(0..3, fork_of(&old, 1, &new), 20);
        assert_eq!(heights(), (START + 1, START + 1));
        assert_eq!(PageProgress::<Test>::get(), Default::default());
        assert_eq!(Forks::get(), [START + 1]);
        all_vote(0..3, &digests(&new), 21);
        deliver(&new[0], 0).expect("from its first page");
        assert_eq!(heights(), (START + 3, START + 3));
        run(1);
    });
}

#[test]
fn l1_may_fork_again_while_the_relay_recovers_and_return_to_the_old_branch() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 9]);
        all_vote(0..3, &digests(&old[..5]), 10);
        let new = branch(&old, 2, &[0; 5], 0);
        all_vote_fork(0..3, fork_of(&old, 2, &new), 20);
        all_vote(0..3, &digests(&new), 21);
        assert_eq!(heights(), (START + 7, START + 7));
        let back = fork_at(&old[1].digest, &old[2].digest);
        all_vote_fork(0..3, back, 30);
        assert_eq!(heights(), (START + 2, START + 2));
        assert_eq!(Recovery::<Test>::get(), Some(START + 7 + RECOVERY_WINDOW));
        all_vote(0..3, &digests(&old[2..]), 31);
        assert_eq!(heights(), (START + 9, START + 9));
        assert_eq!(Relay::hash_at(START + 5), Some(old[4].digest.hash));
        assert_eq!(Forks::get(), [START + 2, START + 2]);
        run(1);
    });
}

#[test]
fn what_is_replaced_is_shown_to_nobody() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 5]);
        all_vote(0..3, &digests(&old), 10);
        let unknown = Relay::unknown_height();
        let new = branch(&old, 2, &[0; 6], 0);
        all_vote_fork(0..3, fork_of(&old, 2, &new), 20);
        for (block, stands) in old.iter().zip([true, true, false, false, false]) {
            let (height, hash) = (block.digest.height, block.digest.hash);
            assert_eq!(Relay::hash_at(height).is_some(), stands, "{height}");
            assert_eq!(Relay::has_block(height, &hash), stands, "{height}");
        }
        assert!(Relay::unknown_height() > unknown, "the new branch may have as many blocks");
        assert!(Relay::has_block(START - 1, &L1Hash([3; 32])), "forgotten is settled");
    });
}

#[test]
fn only_a_point_where_l1_leaves_the_attested_branch_is_voted_for() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 5]);
        all_vote(0..3, &digests(&old), 10);
        let new = branch(&old, 2, &[0; 6], 0);
        let fork = fork_of(&old, 2, &new);
        let stale: Result<(), Refused> = Err(InvalidTransaction::Stale.into());
        for wrong in [
            // Not on the attested branch.
            fork_at(&new[0].digest, &new[1].digest),
            // Does not leave it.
            fork_at(&old[1].digest, &old[2].digest),
            // Removes nothing.
            fork_at(&old[4].digest, &new[3].digest),
            // Stands above it.
            fork_at(&new[5].digest, &new[5].digest),
        ] {
            assert_eq!(cast_fork(fork_vote(0, wrong, 20)), stale);
            let call = Call::<Test>::vote_fork { vote: fork_vote(0, wrong, 20) };
            let failed = dispatch(call).expect_err("refused");
            assert_eq!(failed.error, Error::<Test>::NoFork.into());
        }
        let other = ForkPoint { replaced: L1Hash([8; 32]), ..fork };
        assert_eq!(
            cast_fork(fork_vote(0, other, 20)),
            Err(UnknownTransaction::CannotLookup.into()),
            "perhaps of a state to come"
        );
        let mut forged = fork_vote(0, fork, 20);
        forged.tip_time = 21;
        assert_eq!(cast_fork(forged), Err(InvalidTransaction::BadProof.into()));
        let mut nobody = fork_vote(0, fork, 20);
        nobody.voter = 4;
        assert_eq!(cast_fork(nobody), Err(InvalidTransaction::BadSigner.into()));
        let call = RuntimeCall::from(Call::<Test>::vote_fork { vote: fork_vote(0, fork, 20) });
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::signed(1), RuntimeOrigin::root()] {
            let refused = call.clone().dispatch(origin).map_err(|error| error.error);
            assert_eq!(refused, Err(DispatchError::BadOrigin));
        }
        assert!(ForkVotes::<Test>::get().is_empty());
    });
}

#[test]
fn a_fork_is_at_most_as_deep_as_the_bound() {
    for (depth, fits) in [(MAX_FORK_DEPTH, true), (MAX_FORK_DEPTH + 1, false)] {
        new_test_ext(1).execute_with(|| {
            let old = l1_chain(0, &vec![0; depth as usize]);
            for part in digests(&old).chunks(64) {
                all_vote(0..1, part, 10);
            }
            assert_eq!(heights(), (START + depth, START + depth));
            let new = branch(&old, 0, &[0], 0);
            let vote = fork_vote(0, fork_of(&old, 0, &new), 20);
            let call = Call::<Test>::vote_fork { vote: vote.clone() };
            match fits {
                true => {
                    cast_fork(vote).expect("taken");
                    assert_eq!(heights(), (START, START));
                }
                false => {
                    let failed = dispatch(call).expect_err("refused");
                    assert_eq!(failed.error, Error::<Test>::ForkTooDeep.into());
                    assert_eq!(heights(), (START + depth, START + depth));
                }
            }
        });
    }
}

/// What acts on events remembers them as far down as one fork goes.
#[test]
fn r19_forks_one_after_another_go_no_deeper_together_than_one() {
    const FIRST: u32 = 300;
    for (second, fits) in [(MAX_FORK_DEPTH - FIRST, true), (MAX_FORK_DEPTH - FIRST + 1, false)] {
        new_test_ext(1).execute_with(|| {
            let top = MAX_FORK_DEPTH + 10;
            let old = l1_chain(0, &vec![0; top as usize]);
            for part in digests(&old).chunks(64) {
                all_vote(0..1, part, 10);
            }
            let common = (top - FIRST) as usize;
            all_vote_fork(0..1, fork_of(&old, common, &branch(&old, common, &[0], 0)), 20);
            assert_eq!(heights(), (START + top - FIRST, START + top - FIRST));
            let common = common - second as usize;
            let vote = fork_vote(0, fork_of(&old, common, &branch(&old, common, &[0], 0)), 30);
            let call = Call::<Test>::vote_fork { vote };
            match fits {
                true => {
                    dispatch(call).expect("taken");
                    assert_eq!(heights().0, START + common as u32);
                }
                false => {
                    let failed = dispatch(call).expect_err("refused");
                    assert_eq!(failed.error, Error::<Test>::ForkTooDeep.into());
                    assert_eq!(heights().0, START + top - FIRST);
                }
            }
        });
    }
}

#[test]
fn a_voter_has_one_fork_vote_and_changes_its_mind_at_the_pace_of_votes() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 5]);
        all_vote(0..3, &digests(&old), 10);
        let here = fork_of(&old, 2, &branch(&old, 2, &[0; 6], 0));
        let there = fork_of(&old, 3, &branch(&old, 3, &[0; 6], 0));
        all_vote_fork(0..1, here, 20);
        let stale: Result<(), Refused> = Err(InvalidTransaction::Stale.into());
        assert_eq!(cast_fork(fork_vote(0, here, 21)), stale, "it says so already");
        assert_eq!(cast_fork(fork_vote(0, there, 20)), stale, "no later than its last");
        let too_soon: Result<(), Refused> = Err(UnknownTransaction::CannotLookup.into());
        assert_eq!(cast_fork(fork_vote(0, there, 21)), too_soon);
        run(REVOTE_BLOCKS);
        all_vote_fork(0..1, there, 21);
        all_vote_fork(1..3, here, 20);
        assert_eq!(heights().0, START + 5, "two of four agree on either at most");
        assert_eq!(ForkVotes::<Test>::get().len(), 3);
        all_vote_fork(3..4, here, 20);
        assert_eq!(heights().0, START + 2);
    });
}

/// Votes for the old branch could otherwise be sent again at the heights that are free.
#[test]
fn votes_from_before_the_fork_cannot_be_replayed_after_it() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 5]);
        let votes: Vec<_> = (0..3).map(|voter| vote_for(voter, &digests(&old), 10)).collect();
        for vote in &votes {
            cast(vote.clone()).expect("taken");
        }
        let new = branch(&old, 2, &[0; 6], 0);
        let fork = fork_of(&old, 2, &new);
        assert_eq!(
            cast_fork(fork_vote(0, fork, 10)),
            Err(InvalidTransaction::Stale.into()),
            "a fork vote is later than all before it"
        );
        all_vote_fork(0..3, fork, 11);
        for vote in &votes {
            assert_eq!(cast(vote.clone()), Err(InvalidTransaction::Stale.into()));
        }
        // Nor does the fork vote count again.
        for voter in 0..3 {
            assert!(cast_fork(fork_vote(voter, fork, 11)).is_err());
        }
        assert_eq!(heights(), (START + 2, START + 2));
    });
}

#[test]
fn a_new_attested_block_and_a_new_set_void_fork_votes() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 6]);
        all_vote(0..3, &digests(&old[..4]), 10);
        let fork = fork_of(&old, 2, &branch(&old, 2, &[0; 6], 0));
        all_vote_fork(3..4, fork, 20);
        all_vote(0..3, &digests(&old[4..5]), 20);
        assert!(ForkVotes::<Test>::get().is_empty(), "it named another last block");

        let fork = fork_of(&old, 2, &branch(&old, 2, &[0; 6], 0));
        all_vote_fork(0..2, fork, 30);
        SetId::set(8);
        assert_eq!(Relay::status().fork_votes, 0);
        run(1);
        assert!(ForkVotes::<Test>::get().is_empty());
        all_vote_fork(0..3, fork, 5);
        assert_eq!(heights().0, START + 2, "the new set says for itself");
    });
}

#[test]
fn too_few_sequencers_follow_no_fork() {
    new_test_ext(3).execute_with(|| {
        let old = l1_chain(0, &[0; 3]);
        all_vote(0..3, &digests(&old), 10);
        MinSequencers::set(4);
        all_vote_fork(0..3, fork_of(&old, 1, &branch(&old, 1, &[0; 3], 0)), 20);
        assert_eq!(heights().0, START + 3);
    });
}

#[test]
fn fork_votes_are_told_apart_in_the_pool_by_voter() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 3]);
        all_vote(0..3, &digests(&old), 10);
        let fork = fork_of(&old, 1, &branch(&old, 1, &[0; 3], 0));
        let vote = fork_vote(0, fork, 20);
        let validity = pool(&Call::vote_fork { vote }).expect("valid");
        assert_eq!(validity.provides, vec![(b"rlfk", pair(1).public()).encode()]);
        assert!(validity.requires.is_empty() && validity.propagate);
    });
}

#[test]
fn p20_after_a_rewind_the_branch_is_attested_and_delivered_once_more() {
    new_test_ext(4).execute_with(|| {
        let blocks = l1_chain(0, &[0, 2, 0, 1]);
        let deliver_all = || {
            all_vote(0..3, &digests(&blocks[usize::from(heights().0 > START)..]), 10);
            run(1);
            deliver(&blocks[1], 0).expect("due");
            run(1);
            deliver(&blocks[3], 0).expect("due");
            assert_eq!(heights(), (START + 4, START + 4));
        };
        deliver_all();
        let delivered = Delivered::get();
        assert_eq!(delivered.len(), 3);

        Relay::rewind(&L1BlockContext::from(&blocks[0].digest));
        assert_eq!(heights(), (START + 1, START + 1));
        assert_eq!(Attested::<Test>::get().hash, blocks[0].digest.hash);
        assert_eq!(Relay::attested_hash(START + 3), None);
        assert_eq!(Recovery::<Test>::get(), Some(START + 4));
        assert!(Forks::get().is_empty(), "L1 has not forked");
        let rewound = Event::Rewound { height: START + 1, applied: START + 4 };
        assert!(relay_events().contains(&rewound));

        // At once, by the tips that voters named last.
        deliver_all();
        assert_eq!(Delivered::get(), [delivered.clone(), delivered].concat());
        assert_eq!(Recovery::<Test>::get(), None);
        assert_eq!(Forks::get(), [0], "the relay has caught up");
        run(1);
    });
}

#[test]
fn p20_after_a_rewind_votes_of_a_branch_that_l1_left_are_not_replayed() {
    new_test_ext(4).execute_with(|| {
        let old = l1_chain(0, &[0; 4]);
        all_vote(0..3, &digests(&old), 10);
        let new = branch(&old, 2, &[0; 4], 0);
        all_vote_fork(0..3, fork_of(&old, 2, &new), 20);
        all_vote(0..3, &digests(&new), 21);
        assert_eq!(heights(), (START + 6, START + 6));
        Relay::rewind(&L1BlockContext::from(&old[1].digest));
        for voter in 0..3 {
            assert!(cast(vote_for(voter, &digests(&old[2..]), 10)).is_err());
        }
        all_vote(0..3, &digests(&new), 21);
        assert_eq!(heights(), (START + 6, START + 6));
        run(1);
    });
}

#[test]
fn a_rewind_to_what_is_applied_changes_nothing() {
    new_test_ext(4).execute_with(|| {
        let blocks = l1_chain(0, &[0, 1]);
        all_vote(0..3, &digests(&blocks), 10);
        assert_eq!(heights(), (START + 2, START + 1));
        Relay::rewind(&L1BlockContext::from(&blocks[0].digest));
        assert_eq!(heights(), (START + 2, START + 1));
        assert_eq!(Recovery::<Test>::get(), None);
        run(1);
    });
}
