//! What is taken as evidence, what follows from it, and what is not.

use crate::{
    mock::*,
    pallet::{Call, Error, Event, RecordCount, Records},
    types::RECORDS_KEPT,
};
use cascoin_l2_primitives::{
    apis::EvidenceStanding,
    consensus::{DoubleSignEvidence, GrandpaRound, MessageKind, Statement},
    sequencers::{Offence, OffenceKind},
};
use codec::Encode;
use sp_core::{Pair, H256};
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, UnknownTransaction},
    DispatchError,
};

fn report_call(evidence: DoubleSignEvidence) -> Call<Test> {
    Call::report { evidence: Box::new(evidence), reporter: None }
}

#[test]
fn each_kind_of_double_sign_is_recorded_and_told_of() {
    let proposal = |seed, valid_round| Statement::Proposal { block: block(seed), valid_round };
    let prevote = |seed| Statement::Prevote { block: Some(block(seed)) };
    let precommit = |seed| Statement::Precommit { block: Some(block(seed)) };
    let cases = [
        (MessageKind::Proposal, proposal(1, None), proposal(2, None)),
        (MessageKind::Proposal, proposal(1, None), proposal(1, Some(0))),
        (MessageKind::Prevote, prevote(1), prevote(2)),
        (MessageKind::Prevote, prevote(1), Statement::Prevote { block: None }),
        (MessageKind::Precommit, precommit(1), precommit(2)),
        (MessageKind::Precommit, precommit(1), Statement::Precommit { block: None }),
    ];
    for (kind, one, other) in cases {
        new_test_ext(4).execute_with(|| {
            let evidence = evidence_of(2, 0, AT, one, other);
            assert_eq!(Equivocation::standing(&evidence), EvidenceStanding::Wanted);
            assert_eq!(report(evidence), Ok(()));
            let offender = account(2);
            System::assert_last_event(
                Event::DoubleSigned {
                    offender: offender.clone(),
                    set_id: 0,
                    height: AT.height,
                    round: AT.round,
                    kind,
                }
                .into(),
            );
            let record = &Equivocation::double_signs(10)[0];
            assert_eq!((&record.offender, record.kind), (&offender, kind));
            assert_eq!((record.id, record.key), (evidence.id(), pair(2).public()));
            assert_eq!((record.height, record.round, record.block), (AT.height, AT.round, 1));
            let kind = OffenceKind::DoubleSign;
            assert_eq!(Told::get(), [Offence { kind, offender, set_id: 0, height: AT.height }]);
            Equivocation::do_try_state().expect("the state is sound");
        });
    }
}

#[test]
fn a_sequencer_is_reported_once_in_a_set() {
    new_test_ext(4).execute_with(|| {
        assert_eq!(report(evidence(2, 0)), Ok(()));
        let later = GrandpaRound { height: 41, ..AT };
        let precommit = |seed| Statement::Precommit { block: Some(block(seed)) };
        let another = evidence_of(2, 0, later, precommit(1), precommit(2));
        for evidence in [evidence(2, 0), another] {
            assert_eq!(Equivocation::standing(&evidence), EvidenceStanding::Reported);
            assert_eq!(pool(evidence), Err(InvalidTransaction::Stale.into()));
            assert_eq!(report(evidence), Err(InvalidTransaction::Stale.into()));
        }
        // Somebody else, and the same one in another set, are other offences.
        assert_eq!(report(evidence(3, 0)), Ok(()));
        change_set(vec![(2, 2), (3, 3)]);
        assert_eq!(report(evidence(2, 1)), Ok(()));
        assert_eq!(Told::get().len(), 3);
    });
}

#[test]
fn what_was_not_signed_is_refused() {
    new_test_ext(4).execute_with(|| {
        let honest = evidence(2, 0);
        let accused = |seed| DoubleSignEvidence { key: pair(seed).public(), ..honest };
        let forged = [
            accused(3),
            DoubleSignEvidence { height: 41, ..honest },
            DoubleSignEvidence { round: 3, ..honest },
            DoubleSignEvidence { epoch: 1, ..honest },
        ];
        for evidence in forged {
            assert_eq!(Equivocation::standing(&evidence), EvidenceStanding::Void);
            assert_eq!(pool(evidence), Err(InvalidTransaction::BadProof.into()));
            assert_eq!(report(evidence), Err(InvalidTransaction::BadProof.into()));
        }
        // The same message twice, and the pair the wrong way round.
        let same = DoubleSignEvidence { second: honest.first, ..honest };
        let swapped = DoubleSignEvidence { first: honest.second, second: honest.first, ..honest };
        for evidence in [same, swapped] {
            assert_eq!(pool(evidence), Err(InvalidTransaction::Call.into()));
        }
        assert_eq!(pool(accused(9)), Err(InvalidTransaction::BadSigner.into()));
        assert_eq!(RecordCount::<Test>::get(), 0);
        assert!(Told::get().is_empty());
    });
}

/// Nothing prevotes for the genesis of another chain here.
#[test]
fn votes_of_another_chain_are_no_evidence() {
    new_test_ext(4).execute_with(|| {
        System::set_block_number(1);
        frame_system::BlockHash::<Test>::insert(0, H256([1; 32]));
        assert_eq!(pool(evidence(2, 0)), Err(InvalidTransaction::BadProof.into()));
    });
}

#[test]
fn evidence_of_a_set_that_is_yet_to_come_is_not_banned() {
    new_test_ext(4).execute_with(|| {
        let early = evidence(2, 1);
        assert_eq!(Equivocation::standing(&early), EvidenceStanding::NotYet);
        assert_eq!(pool(early), Err(UnknownTransaction::CannotLookup.into()));
        change_set(vec![(2, 2)]);
        assert_eq!(Equivocation::standing(&early), EvidenceStanding::Wanted);
    });
}

#[test]
fn the_pool_keeps_one_report_of_an_offender_and_set() {
    new_test_ext(4).execute_with(|| {
        let prevote = |seed| Statement::Prevote { block: Some(block(seed)) };
        let other = evidence_of(2, 0, AT, prevote(3), prevote(4));
        let (one, other) = (pool(evidence(2, 0)).expect("valid"), pool(other).expect("valid"));
        assert_eq!(one.provides, other.provides);
        assert!(one.propagate && one.requires.is_empty());
        assert!(one.longevity >= 600);
        let third = pool(evidence(3, 0)).expect("valid");
        assert_ne!(one.provides, third.provides);
    });
}

#[test]
fn nobody_reports_with_an_origin_of_its_own() {
    new_test_ext(4).execute_with(|| {
        for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::root(), RuntimeOrigin::none()] {
            let call: RuntimeCall = report_call(evidence(2, 0)).into();
            let refused = call.dispatch(origin).map_err(|error| error.error);
            assert_eq!(refused, Err(DispatchError::BadOrigin));
        }
    });
}

/// What the authorisation has checked, the call checks again, but for the
/// signatures: between the two a report may have been taken.
#[test]
fn the_call_itself_takes_no_offence_twice() {
    new_test_ext(4).execute_with(|| {
        let dispatch = |evidence| {
            RuntimeCall::from(report_call(evidence))
                .dispatch(frame_system::RawOrigin::Authorized.into())
                .map(drop)
                .map_err(|error| error.error)
        };
        assert_eq!(dispatch(evidence(2, 0)), Ok(()));
        assert_eq!(dispatch(evidence(2, 0)), Err(Error::<Test>::AlreadyReported.into()));
        assert_eq!(dispatch(evidence(9, 0)), Err(Error::<Test>::NotAMember.into()));
        assert_eq!(dispatch(evidence(2, 1)), Err(Error::<Test>::FutureSet.into()));
    });
}

/// R22.5: the first report that gets into a block says who is to be rewarded; it need
/// say nobody, and no later one counts.
#[test]
fn r22_5_the_first_report_names_the_reporter() {
    new_test_ext(4).execute_with(|| {
        assert_eq!(report_as(Some(3), evidence(2, 0)), Ok(()));
        assert_eq!(Reporters::get(), [account(3)]);
        let stale = report_as(Some(4), evidence(2, 0));
        assert_eq!(stale, Err(InvalidTransaction::Stale.into()));
        assert_eq!(report(evidence(1, 0)), Ok(()));
        assert_eq!((Reporters::get(), Told::get().len()), (vec![account(3)], 2));
    });
}

#[test]
fn records_are_bounded_and_shown_newest_first() {
    new_test_ext(4).execute_with(|| {
        RecordCount::<Test>::put(RECORDS_KEPT);
        assert_eq!(report(evidence(2, 0)), Ok(()));
        let first = Equivocation::double_signs(1)[0].clone();
        Records::<Test>::insert(1, first);
        assert_eq!(report(evidence(3, 0)), Ok(()));
        assert!(!Records::<Test>::contains_key(1), "the oldest makes room");
        Equivocation::do_try_state().expect("the state is sound");
        let offenders = |limit| -> Vec<_> {
            Equivocation::double_signs(limit).into_iter().map(|record| record.offender).collect()
        };
        assert_eq!(offenders(10), [account(3), account(2)]);
        assert_eq!(offenders(1), [account(3)]);
        assert_eq!(offenders(0), []);
    });
}

#[test]
fn a_report_is_general_and_its_call_is_small() {
    new_test_ext(4).execute_with(|| {
        let extrinsic = Equivocation::report_extrinsic(evidence(2, 0), Some(account(3)));
        assert!(extrinsic.encode().len() < 360);
    });
}
