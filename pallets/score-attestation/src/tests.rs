//! What is asked for, who may answer, and what comes of it.

use crate::{
    mock::*,
    pallet::{Cast, Cursor, Error, Event, Medians},
    MAX_TOLD,
};
use cascoin_l2_primitives::reputation::attestation::{ScoreVote, MAX_SCORED};
use frame_support::{assert_noop, traits::Hooks, weights::Weight};
use sp_core::ed25519;
use sp_runtime::{
    transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction},
    DispatchError,
};

const NOT_YET: TransactionValidityError =
    TransactionValidityError::Unknown(UnknownTransaction::CannotLookup);

fn invalid(why: InvalidTransaction) -> TransactionValidityError {
    TransactionValidityError::Invalid(why)
}

fn asked() -> Vec<u32> {
    let round = Attestation::score_round();
    round.addresses.iter().map(|address| address.to_low_u64_be() as u32).collect()
}

fn round() -> u32 {
    Attestation::score_round().number
}

#[test]
fn r10_1_more_than_two_thirds_agree_on_the_median() {
    new_test_ext(4, 3).execute_with(|| {
        assert!(asked().is_empty());
        run(1);
        assert_eq!((round(), asked()), (1, vec![1, 2, 3]));
        submit(vote(3, &[Some(30), Some(9), None])).expect("it is wanted");
        submit(vote(0, &[Some(10), Some(8), Some(50)])).expect("it is wanted");
        run(5);
        assert!(Told::get().is_empty());
        submit(vote(1, &[Some(20), None, Some(50)])).expect("it is wanted");
        run(INTERVAL - 5);
        // Two of four are too few for the others.
        assert_eq!(Told::get(), [(address(1), 20)]);
        assert_eq!(events(), [Event::ScoresAgreed { round: 1, scores: 1 }]);
        assert_eq!((round(), Cast::<Test>::get().votes.len()), (2, 0));
        // Nothing is said in this one.
        run(INTERVAL);
        assert_eq!((round(), Told::get().len()), (3, 1));
    });
}

#[test]
fn r10_1_a_quorum_is_more_than_two_thirds_of_the_set() {
    for (sequencers, votes, is_enough) in
        [(1, 1, true), (3, 2, false), (3, 3, true), (4, 3, true), (7, 4, false), (7, 5, true)]
    {
        new_test_ext(sequencers, 1).execute_with(|| {
            run(1);
            all_say(&vec![7; votes]);
            run(INTERVAL);
            assert_eq!(Told::get().len() == 1, is_enough, "{votes} of {sequencers}");
        });
    }
}

/// Attack: a third of the set says what it likes.
#[test]
fn r10_5_a_third_of_the_set_cannot_move_a_score_out_of_what_the_others_say() {
    for lie in [0, 100] {
        new_test_ext(7, 1).execute_with(|| {
            run(1);
            all_say(&[lie, lie, 40, 42, 44]);
            run(INTERVAL);
            let [(_, score)] = Told::get()[..] else { panic!("one score") };
            assert!((40..=44).contains(&score), "{score}");
        });
    }
}

#[test]
fn all_linked_addresses_are_asked_for_in_turn() {
    let count = 2 * MAX_SCORED + 5;
    new_test_ext(1, count).execute_with(|| {
        let mut seen = vec![];
        for last in [Some(MAX_SCORED), Some(2 * MAX_SCORED), None] {
            run(if seen.is_empty() { 1 } else { INTERVAL });
            seen.extend(asked());
            assert_eq!(Cursor::<Test>::get(), last.map(address));
        }
        assert_eq!(seen, (1..=count).collect::<Vec<_>>());
        run(INTERVAL);
        assert_eq!(asked(), (1..=MAX_SCORED).collect::<Vec<_>>(), "another turn");
        // All that follow are gone: it begins anew at once.
        Linked::mutate(|linked| linked.retain(|linked| *linked <= address(3)));
        run(INTERVAL);
        assert_eq!(asked(), [1, 2, 3]);
        Linked::mutate(|linked| linked.clear());
        run(INTERVAL);
        assert!(asked().is_empty());
    });
}

#[test]
fn medians_are_told_a_few_each_block_and_a_round_lasts_until_all_are() {
    let count = MAX_TOLD + 1;
    new_test_ext(1, count).execute_with(|| {
        run(1);
        submit(vote(0, &vec![Some(9); count as usize])).expect("it is wanted");
        let full_block = || {
            System::set_block_number(System::block_number() + 1);
            Attestation::on_initialize(System::block_number());
            // Not enough for one of them.
            let used = Attestation::on_idle(System::block_number(), TELLING.saturating_div(2));
            assert_eq!(used, Weight::zero());
        };
        (0..INTERVAL).for_each(|_| full_block());
        assert_eq!((round(), Medians::<Test>::get().len() as u32), (2, count));
        (0..INTERVAL).for_each(|_| full_block());
        assert_eq!(round(), 2, "what was found is still to be told");
        assert!(Told::get().is_empty());
        // Time for two.
        let used = Attestation::on_idle(System::block_number(), TELLING.saturating_mul(2));
        assert_eq!((used, Told::get().len()), (TELLING.saturating_mul(2), 2));
        run(1);
        assert_eq!(Told::get().len() as u32, count);
        run(INTERVAL - 1);
        assert_eq!(round(), 3);
    });
    new_test_ext(1, count).execute_with(|| {
        run(1);
        submit(vote(0, &vec![Some(9); count as usize])).expect("it is wanted");
        run(INTERVAL);
        assert_eq!(Told::get().len() as u32, MAX_TOLD, "no more in one block");
        run(1);
        assert_eq!(Told::get().len() as u32, count);
    });
}

#[test]
fn the_pool_takes_one_vote_of_each_sequencer_and_round() {
    new_test_ext(4, 2).execute_with(|| {
        run(1);
        let said = [Some(1), None];
        let good = vote(2, &said);
        let validity = pool(good.clone()).expect("it is wanted");
        assert!(validity.propagate && validity.provides.len() == 1);
        let forged = ScoreVote { signer: 1, ..good.clone() };
        let other = ScoreVote { scores: scores(&[Some(2), None]), ..good.clone() };
        let nobody = ScoreVote { signer: 4, ..good.clone() };
        let unsigned = ScoreVote { signature: ed25519::Signature::default(), ..good.clone() };
        let short = vote(2, &[Some(1)]);
        let none = vote(2, &[]);
        for (vote, why) in [
            (forged, InvalidTransaction::BadProof),
            (other, InvalidTransaction::BadProof),
            (unsigned, InvalidTransaction::BadProof),
            (nobody, InvalidTransaction::BadSigner),
            (short, InvalidTransaction::Call),
            (none, InvalidTransaction::Call),
        ] {
            assert_eq!(pool(vote.clone()), Err(invalid(why)), "{vote:?}");
        }
        assert_eq!(submit(good.clone()), Ok(()));
        assert_eq!(pool(good.clone()), Err(invalid(InvalidTransaction::Stale)));
        // What this node does not know yet may become right.
        let next = ScoreVote { round: 2, ..good.clone() };
        let next_set = ScoreVote { set_id: 1, ..good.clone() };
        assert_eq!([pool(next), pool(next_set)], [Err(NOT_YET), Err(NOT_YET)]);
        run(INTERVAL);
        assert_eq!(pool(good), Err(invalid(InvalidTransaction::Stale)));
    });
}

#[test]
fn what_was_not_authorised_for_this_block_fails() {
    new_test_ext(4, 1).execute_with(|| {
        run(1);
        let good = vote(0, &[Some(5)]);
        let call =
            |vote: ScoreVote| Attestation::attest(frame_system::RawOrigin::Authorized.into(), vote);
        assert_noop!(
            Attestation::attest(RuntimeOrigin::signed(1), good.clone()),
            DispatchError::BadOrigin
        );
        assert_noop!(call(ScoreVote { set_id: 1, ..good.clone() }), Error::<Test>::WrongSet);
        assert_noop!(call(ScoreVote { round: 2, ..good.clone() }), Error::<Test>::WrongRound);
        assert_noop!(
            call(ScoreVote { scores: scores(&[]), ..good.clone() }),
            Error::<Test>::WrongCount
        );
        assert_noop!(call(ScoreVote { signer: 4, ..good.clone() }), Error::<Test>::NotAMember);
        assert_eq!(call(good.clone()), Ok(()));
        assert_noop!(call(good), Error::<Test>::AlreadyVoted);
    });
}

#[test]
fn another_set_votes_anew_and_votes_of_the_last_one_are_counted_by_its_size() {
    new_test_ext(4, 1).execute_with(|| {
        run(1);
        all_say(&[50, 50]);
        SetId::set(1);
        all_say(&[7, 8, 9]);
        assert_eq!(Cast::<Test>::get().votes.len(), 3);
        // The set changes with the block that ends the round: it does not vote any more.
        run(INTERVAL - 1);
        SetId::set(2);
        Members::set((1..=10).collect());
        run(1);
        assert_eq!(Told::get(), [(address(1), 8)]);
    });
}
