//! Who begins a recovery.

use crate::{
    mock::*,
    pallet::{Call, Cast, Error},
};
use cascoin_l2_primitives::{
    recovery::{RecoveryPoint, RecoverySubject, RecoveryVote, StandingDoubt},
    relay::L1BlockContext,
};
use frame_support::{assert_noop, assert_ok, dispatch::RawOrigin, traits::Authorize};
use sp_core::ed25519;
use sp_runtime::{
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidityError, UnknownTransaction,
        ValidTransaction,
    },
    DispatchError,
};

const NOT_YET: TransactionValidityError =
    TransactionValidityError::Unknown(UnknownTransaction::CannotLookup);

fn invalid(why: InvalidTransaction) -> TransactionValidityError {
    TransactionValidityError::Invalid(why)
}

/// What the pool says of a vote.
fn pool(vote: RecoveryVote) -> Result<ValidTransaction, TransactionValidityError> {
    let call = Call::<Test>::vote { vote };
    let judged = call.authorize(TransactionSource::External).expect("it is authorised");
    judged.map(|(validity, _)| validity)
}

fn cast(vote: RecoveryVote) -> Result<(), DispatchError> {
    assert_ok!(pool(vote.clone()));
    Recovery::vote(RawOrigin::Authorized.into(), vote)
}

/// A deficit of 150 stands, and the state would go back to block 0.
fn doubtful(chain: &mut Chain) {
    chain.l1_block(&[0]);
    chain.send(&[(1, 2, 40)]);
    assert!(chain.fork(0, 150));
}

fn set_deficit(deficit: u128) {
    let standing = Standing::get().expect("it stands");
    Standing::set(Some(StandingDoubt { deficit, ..standing }));
}

#[test]
fn r19_2_more_than_two_thirds_begin_a_recovery() {
    on_chain(|chain| {
        doubtful(chain);
        assert_ok!(cast(vote(3)));
        assert_ok!(cast(vote(0)));
        chain.idle(5);
        assert!(!Recovery::is_running());
        let overview = Recovery::recovery_overview();
        assert_eq!((overview.votes, overview.quorum), (2, 3));
        assert!(Recovery::has_voted_recovery(3) && !Recovery::has_voted_recovery(1));
        assert_ok!(cast(vote(1)));
        assert!(!Recovery::is_running(), "it begins at the end of a block");
        chain.idle(1);
        assert!(Recovery::is_frozen());
        let running = Recovery::recovery_overview().running.expect("it runs");
        assert_eq!((running.begun_at, running.since.number), (chain.head(), 0));
        assert_eq!((running.deficit, Cast::<Test>::get()), (150, None));
    });
}

#[test]
fn the_pool_takes_one_vote_of_each_sequencer_and_subject() {
    on_chain(|chain| {
        doubtful(chain);
        let good = vote(2);
        let validity = pool(good.clone()).expect("it is wanted");
        assert!(validity.propagate && validity.provides.len() == 1);
        let unsigned = RecoveryVote { signature: ed25519::Signature::default(), ..good.clone() };
        let forged = RecoveryVote { voter: 1, ..good.clone() };
        let nobody = RecoveryVote { voter: 4, ..good.clone() };
        for (vote, why) in [
            (unsigned, InvalidTransaction::BadProof),
            (forged, InvalidTransaction::BadProof),
            (nobody, InvalidTransaction::BadSigner),
        ] {
            assert_eq!(pool(vote.clone()), Err(invalid(why)), "{vote:?}");
        }
        // What this node does not know yet may become right.
        let subject = good.subject;
        let next = vote_for(2, RecoverySubject { number: 2, ..subject });
        let common = L1BlockContext { height: 7, ..subject.common };
        let other = vote_for(2, RecoverySubject { common, ..subject });
        let next_set = RecoveryVote { set_id: 1, ..good.clone() };
        for vote in [next, other, next_set] {
            assert_eq!(pool(vote), Err(NOT_YET));
        }
        assert_ok!(cast(good.clone()));
        assert_eq!(pool(good.clone()), Err(invalid(InvalidTransaction::Stale)));
        SetId::set(1);
        assert_eq!(pool(good.clone()), Err(invalid(InvalidTransaction::Stale)));
        SetId::set(0);
        chain.vote_of([0, 1, 3]);
        // One runs: its votes are over, and the next one is not due.
        assert_eq!(pool(good), Err(invalid(InvalidTransaction::Stale)));
        assert_eq!(pool(vote_for(0, RecoverySubject { number: 2, ..subject })), Err(NOT_YET));
    });
}

#[test]
fn what_was_not_authorised_for_this_block_fails() {
    on_chain(|chain| {
        doubtful(chain);
        let good = vote(0);
        let call = |vote: RecoveryVote| Recovery::vote(RawOrigin::Authorized.into(), vote);
        assert_noop!(
            Recovery::vote(RuntimeOrigin::signed(account(1)), good.clone()),
            DispatchError::BadOrigin
        );
        assert_noop!(Recovery::force(RuntimeOrigin::signed(account(1))), DispatchError::BadOrigin);
        let other_set = RecoveryVote { set_id: 1, ..good.clone() };
        assert_noop!(call(other_set), Error::<Test>::WrongSet);
        let since = RecoveryPoint { number: 1, ..good.subject.since };
        let other = RecoverySubject { since, ..good.subject };
        assert_noop!(call(vote_for(0, other)), Error::<Test>::WrongSubject);
        let nobody = RecoveryVote { voter: 4, ..good.clone() };
        assert_noop!(call(nobody), Error::<Test>::NotAMember);
        assert_ok!(call(good.clone()));
        assert_noop!(call(good.clone()), Error::<Test>::AlreadyVoted);
        chain.vote_of([1, 2, 3]);
        assert_noop!(call(good), Error::<Test>::WrongSubject);
    });
}

/// Attack: whoever owes coins has a unit of them taken back, in every block.
#[test]
fn r19_2_votes_do_not_hang_on_the_deficit() {
    on_chain(|chain| {
        doubtful(chain);
        let early = vote(2);
        for voter in 0..2 {
            assert_ok!(cast(vote(voter)));
            chain.idle(1);
            set_deficit(149 - u128::from(voter));
            assert!(Recovery::has_voted_recovery(voter));
        }
        // It was signed when the deficit was another.
        assert_ok!(cast(early));
        set_deficit(147);
        chain.idle(1);
        let running = Recovery::recovery_overview().running.expect("it runs");
        assert_eq!(running.deficit, 147, "as it is by now");
    });
}

#[test]
fn r19_2_none_begins_when_the_deficit_has_become_small() {
    on_chain(|chain| {
        doubtful(chain);
        (0..3).for_each(|voter| assert_ok!(cast(vote(voter))));
        set_deficit(99);
        chain.idle(2);
        assert!(!Recovery::is_running());
    });
}

#[test]
fn votes_of_another_set_or_for_another_subject_are_void() {
    on_chain(|chain| {
        doubtful(chain);
        assert_ok!(cast(vote(0)));
        assert_ok!(cast(vote(1)));
        // A fork reaches further down: all vote anew.
        let standing = Standing::get().expect("it stands");
        let common = L1BlockContext { time: 9, ..standing.common };
        Standing::set(Some(StandingDoubt { common, ..standing }));
        assert!(!Recovery::has_voted_recovery(0));
        assert_ok!(cast(vote(2)));
        assert_eq!(Recovery::recovery_overview().votes, 1);
        assert_ok!(cast(vote(0)));
        chain.idle(1);
        SetId::set(1);
        assert_eq!(Recovery::recovery_overview().votes, 0);
        chain.idle(1);
        assert_eq!(Cast::<Test>::get(), None);
        assert_ok!(cast(vote(1)));
        chain.idle(1);
        assert!(!Recovery::is_running());
        chain.vote_of([2, 3, 0]);
    });
}

#[test]
fn what_changes_in_the_block_of_the_last_vote_keeps_it_from_beginning() {
    on_chain(|chain| {
        doubtful(chain);
        let standing = Standing::get();
        (0..3).for_each(|voter| assert_ok!(cast(vote(voter))));
        // L1 forks again: all may come back.
        Standing::set(None);
        chain.idle(2);
        assert!(!Recovery::is_running());
        // It does not, and all are still for it.
        Standing::set(standing);
        chain.idle(1);
        assert!(Recovery::is_frozen());
    });
}
