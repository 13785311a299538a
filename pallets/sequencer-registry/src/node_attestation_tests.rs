//! Answers that nodes give with their relay keys.

use crate::{candidates::Attestation, mock::*, pallet::Call, Candidates, Event};
use cascoin_l2_primitives::{chain::BlockHash, sequencers::NodeAttestation};
use frame_support::{assert_noop, assert_ok, traits::Authorize};
use frame_system::RawOrigin;
use pallet_session::SessionManager;
use sp_core::{ed25519, Pair};
use sp_runtime::{
    traits::Dispatchable,
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

/// Candidate 4 stands; 1, 2 and 3 are asked about it in session 1.
fn poll(test: impl FnOnce()) {
    three_members().execute_with(|| {
        System::set_block_number(1);
        put_in_force(&[1, 2, 3], true);
        know(4, MIN_SCORE.into(), MIN_STAKE);
        assert_ok!(Registry::announce(RuntimeOrigin::signed(account(4)), Default::default(), None));
        L1Height::mutate(|height| *height += 10);
        Registry::new_session(1);
        assert!(matches!(
            Candidates::<Test>::get(account(4)).map(|one| one.attestation),
            Some(Attestation::Open(_))
        ));
        test();
    });
}

/// What the sequencer with index `voter` says.
fn says(voter: u16, approves: bool) -> NodeAttestation {
    NodeAttestation { set_id: 0, voter, candidate: account(4), opened: 1, approves }
}

/// Signs with the relay key of sequencer `n`.
fn signed(n: u8, attestation: NodeAttestation) -> Call<Test> {
    let pair = ed25519::Pair::from_seed(&[n ^ RELAY_KEY; 32]);
    let genesis: BlockHash = System::block_hash(0);
    let signature = pair.sign(&attestation.message(&genesis));
    Call::attest_with_key { attestation, signature }
}

fn judge(call: &Call<Test>) -> Result<ValidTransaction, TransactionValidityError> {
    let judged = call.authorize(TransactionSource::External).expect("it is authorised");
    judged.map(|(validity, _)| validity)
}

fn answer(n: u8, attestation: NodeAttestation) {
    let call = signed(n, attestation);
    assert_ok!(judge(&call));
    assert_ok!(RuntimeCall::from(call).dispatch(RawOrigin::Authorized.into()));
}

#[test]
fn r2_4_nodes_vouch_for_a_candidate() {
    poll(|| {
        assert_eq!(Registry::open_polls_now()[0].waiting_for.len(), 3);
        answer(1, says(0, true));
        // In the order of the sample.
        let mut waiting_for = Registry::open_polls_now()[0].waiting_for.clone();
        waiting_for.sort();
        assert_eq!(waiting_for, [account(2), account(3)]);
        answer(2, says(1, true));
        answer(3, says(2, true));
        System::assert_last_event(Event::<Test>::Attested { account: account(4) }.into());
        assert!(Registry::open_polls_now().is_empty());
    });
}

#[test]
fn an_operator_who_answers_first_is_not_overruled_by_its_node() {
    poll(|| {
        assert_ok!(Registry::attest(RuntimeOrigin::signed(account(1)), account(4), false));
        // One of three refused, so the candidate is gone.
        assert_eq!(judge(&signed(1, says(0, true))), Err(NOT_YET));
        assert!(!Candidates::<Test>::contains_key(account(4)));
    });
}

#[test]
fn an_answer_counts_once_in_its_own_poll_and_set() {
    poll(|| {
        let first = signed(1, says(0, true));
        answer(1, says(0, true));
        assert_eq!(judge(&first), Err(invalid(InvalidTransaction::Stale)));

        let of = |set_id, opened| NodeAttestation { set_id, opened, ..says(1, true) };
        assert_eq!(judge(&signed(2, of(1, 1))), Err(NOT_YET));
        assert_eq!(judge(&signed(2, of(0, 2))), Err(NOT_YET));
        assert_eq!(judge(&signed(2, of(0, 0))), Err(invalid(InvalidTransaction::Stale)));
        SetId::set(1);
        assert_eq!(judge(&signed(2, of(0, 1))), Err(invalid(InvalidTransaction::Stale)));
        assert_ok!(judge(&signed(2, of(1, 1))));
    });
}

#[test]
fn nobody_answers_for_another() {
    poll(|| {
        assert_eq!(judge(&signed(2, says(0, true))), Err(invalid(InvalidTransaction::BadProof)));
        assert_eq!(judge(&signed(1, says(3, true))), Err(invalid(InvalidTransaction::BadSigner)));
        let stranger = NodeAttestation { candidate: account(9), ..says(0, true) };
        assert_eq!(judge(&signed(1, stranger)), Err(NOT_YET));
        let Call::attest_with_key { signature, .. } = signed(1, says(0, true)) else {
            panic!("another call")
        };
        let turned = Call::attest_with_key { attestation: says(0, false), signature };
        assert_eq!(judge(&turned), Err(invalid(InvalidTransaction::BadProof)));
    });
}

#[test]
fn it_is_no_call_for_accounts() {
    poll(|| {
        let Call::attest_with_key { attestation, signature } = signed(1, says(0, true)) else {
            panic!("another call")
        };
        let origin = RuntimeOrigin::signed(account(1));
        assert_noop!(
            Registry::attest_with_key(origin, attestation, signature),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn the_pool_keeps_one_answer_of_a_sequencer_in_a_poll() {
    poll(|| {
        let of = |approves| judge(&signed(1, says(0, approves))).expect("it is taken").provides;
        assert_eq!(of(true), of(false));
        let other = judge(&signed(2, says(1, true))).expect("it is taken").provides;
        assert_ne!(of(true), other);
    });
}
