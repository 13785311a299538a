//! What is exported, when, and who signs it.

use crate::{
    mock::*,
    pallet::{
        Certificates, Cursor, Draft, Error, Event, Exports, InSigning, KnownAddresses, Last,
        Oldest, SettledAhead,
    },
    types::Known,
    MAX_KEPT, MAX_RETIRED, MAX_SWEPT,
};
use cascoin_l2_primitives::reputation::{
    export::{
        export_message, ExportEntry, ExportSignature, ExportVote, ExportedScore, MAX_EXPORT_ENTRIES,
    },
    export_order::OrderError,
    rule::Suspicion,
};
use frame_support::{assert_noop, traits::Hooks, weights::Weight};
use sp_core::{ed25519, H256};
use sp_runtime::{
    transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction},
    DispatchError,
};

const NOT_YET: TransactionValidityError =
    TransactionValidityError::Unknown(UnknownTransaction::CannotLookup);

fn invalid(why: InvalidTransaction) -> TransactionValidityError {
    TransactionValidityError::Invalid(why)
}

fn draft() -> Vec<(u32, u8)> {
    let entry =
        |entry: &ExportEntry| (entry.address.to_low_u64_be() as u32, entry.exported.score.get());
    Draft::<Test>::get().iter().map(entry).collect()
}

#[test]
fn r10_4_a_change_is_drafted_batched_signed_and_settled() {
    new_test_ext(4).execute_with(|| {
        set(1, 70);
        set(2, 4);
        assert_eq!(draft(), [(1, 70)], "the second moved by less than the threshold");
        epoch();
        let last = Last::<Test>::get();
        let export = Exports::<Test>::get(1).expect("it is made");
        assert_eq!((export.sequence, export.previous, export.height), (1, H256::zero(), INTERVAL));
        assert_eq!(export.oldest, 1);
        assert_eq!((last.sequence, last.hash), (1, export.hash()));
        let made = Event::ExportMade { sequence: 1, hash: last.hash, entries: 1 };
        assert_eq!(events(), [made]);
        assert!(draft().is_empty());

        for signer in [3, 0] {
            submit(vote(signer)).expect("it is wanted");
        }
        assert!(Export::exports(0, 9).signed.is_empty());
        let open = Export::exports(0, 9).in_signing.expect("it is open");
        assert_eq!((open.set_id, open.signers, open.export), (0, vec![0, 3], export));
        submit(vote(1)).expect("it is wanted");
        let told = Event::ExportSigned { sequence: 1, hash: last.hash, set_id: 0 };
        assert_eq!(events().last(), Some(&told));
        let shown = Export::exports(0, 9);
        assert_eq!((shown.oldest, shown.last, shown.signed.len()), (1, 1, 1));
        assert_eq!(shown.signed[0].verify(&GENESIS, 0, &keys()), Ok(()));
        assert!(shown.in_signing.is_none());

        let mut l1 = L1::default();
        l1.settle();
        assert_eq!((l1.says(1), l1.says(2)), (points(70), points(0)));
        assert_eq!(events().last(), Some(&Event::ExportsSettled { through: 1 }));
        assert_eq!((Oldest::<Test>::get(), Exports::<Test>::iter().count()), (2, 0));
        // Nothing has changed since.
        epoch();
        assert_eq!(Last::<Test>::get().sequence, 1);
    });
}

#[test]
fn batches_are_chained_and_wait_for_the_signatures_of_the_one_before() {
    new_test_ext(4).execute_with(|| {
        set(1, 70);
        epoch();
        let first = Last::<Test>::get();
        set(1, 80);
        epoch();
        assert_eq!(Last::<Test>::get(), first, "the first is not signed yet");
        all_sign();
        set(1, 90);
        epoch();
        let second = Exports::<Test>::get(2).expect("it is made");
        assert_eq!(second.previous, first.hash);
        let said: Vec<_> = second.entries.iter().map(|entry| entry.exported).collect();
        assert_eq!(said, [points(90)], "the newer score took the place of the older one");
    });
}

#[test]
fn suspicion_is_exported_whatever_the_score() {
    new_test_ext(4).execute_with(|| {
        set(1, 50);
        epoch();
        all_sign();
        let suspicion = Some(Suspicion::WashActivity);
        drift(1, ExportedScore { suspicion, ..points(50) });
        run(1);
        assert_eq!(Draft::<Test>::get()[0].exported.suspicion, suspicion);
    });
}

/// Scores that change with activity or time are found in turn.
#[test]
fn r10_4_changes_that_nobody_tells_of_are_found_in_turn() {
    new_test_ext(4).execute_with(|| {
        let count = 3 * MAX_SWEPT + 1;
        for n in 0..count {
            set(n, 0);
        }
        for n in 0..count {
            drift(n, points(50));
        }
        assert!(draft().is_empty());
        run(1);
        assert_eq!(draft().len(), MAX_SWEPT as usize);
        assert!(Cursor::<Test>::get().is_some());
        run(3);
        let mut found: Vec<u32> = draft().into_iter().map(|(n, _)| n).collect();
        found.sort_unstable();
        assert_eq!(found, (0..count).collect::<Vec<_>>());
        assert_eq!(Cursor::<Test>::get(), None, "the turn is over");
        // In a block without time left nobody is looked at.
        drift(0, points(90));
        assert_eq!(Export::on_idle(System::block_number(), Weight::zero()), Weight::zero());
        assert!(!draft().contains(&(0, 90)));
    });
}

#[test]
fn r10_4_what_was_said_of_an_address_is_taken_back_when_its_link_ends() {
    new_test_ext(4).execute_with(|| {
        let mut l1 = L1::default();
        set(1, 3);
        unlink(1);
        assert!(draft().is_empty() && !KnownAddresses::<Test>::contains_key(address(1)));
        set(2, 70);
        set(3, 70);
        unlink(3);
        assert_eq!(draft(), [(2, 70), (3, 0)]);
        epoch();
        all_sign();
        l1.settle();
        unlink(2);
        epoch();
        all_sign();
        l1.settle();
        assert_eq!((l1.says(2), l1.says(3)), (points(0), points(0)));
        assert_eq!(KnownAddresses::<Test>::iter().count(), 0);
        // Somebody links it anew.
        set(2, 60);
        assert_eq!(draft(), [(2, 60)]);
    });
}

#[test]
fn a_full_draft_waits_and_loses_nobody() {
    new_test_ext(1).execute_with(|| {
        let count = MAX_EXPORT_ENTRIES - RESERVED + 3;
        for n in 0..count {
            set(n, 50);
        }
        assert_eq!(draft().len() as u32, MAX_EXPORT_ENTRIES - RESERVED);
        // What is in it can change.
        set(0, 80);
        assert_eq!(draft()[0], (0, 80));
        let mut l1 = L1::default();
        for _ in 0..count.div_ceil(MAX_SWEPT * INTERVAL) + 2 {
            epoch();
            sign_what_waits();
            l1.settle();
        }
        assert!((1..count).all(|n| l1.says(n) == points(50)));
        assert_eq!(l1.says(0), points(80));
    });
}

/// Links cost little. However many there are, L1 is told of an offence with the next batch.
#[test]
fn r10_4_no_number_of_links_delays_an_offence() {
    new_test_ext(1).execute_with(|| {
        set(9_999, 90);
        epoch();
        all_sign();
        let common = MAX_EXPORT_ENTRIES - RESERVED;
        for n in 0..MAX_EXPORT_ENTRIES {
            set(n, 50);
        }
        run(1);
        assert_eq!(draft().len() as u32, common);
        punish(9_999, 40);
        assert_eq!(draft().last(), Some(&(9_999, 40)));
        for n in 0..RESERVED {
            punish(20_000 + n, 50);
        }
        assert_eq!(draft().len() as u32, MAX_EXPORT_ENTRIES);
        epoch();
        let said = Exports::<Test>::get(2).expect("it is made").entries;
        assert!(said
            .iter()
            .any(|entry| (entry.address, entry.exported) == (address(9_999), points(40))));
    });
}

/// Attack: links that fill the draft as soon as a batch is made do not keep a penalty out
/// that was in a batch which is superseded.
#[test]
fn r10_4_an_offence_is_said_again_whoever_fills_the_draft() {
    new_test_ext(1).execute_with(|| {
        set(9_999, 90);
        punish(9_999, 40);
        epoch();
        all_sign();
        let common = MAX_EXPORT_ENTRIES - RESERVED;
        for round in 1..MAX_KEPT {
            for n in 0..common {
                set(n, if round % 2 == 0 { 30 } else { 60 });
            }
            assert_eq!(draft().len() as u32, common);
            epoch();
            all_sign();
        }
        assert_eq!(Oldest::<Test>::get(), 1, "as many are kept as can be");
        for n in 0..common {
            set(n, 90);
        }
        run(2);
        assert_eq!(Oldest::<Test>::get(), 2, "and is superseded");
        assert_eq!(draft().last(), Some(&(9_999, 40)));
    });
}

/// Says two scores in turn until so many batches more are made.
fn chatter(batches: u32) {
    for n in 0..batches {
        set(2, if n % 2 == 0 { 20 } else { 40 });
        epoch();
        all_sign();
    }
}

/// As long as L1 knows nothing there is nothing to take back, again and again.
#[test]
fn before_settlement_a_link_that_ended_is_forgotten() {
    new_test_ext(1).execute_with(|| {
        set(1, 70);
        epoch();
        all_sign();
        let [first] = <[_; 1]>::try_from(Export::exports(0, 9).signed).expect("there is one");
        unlink(1);
        chatter(MAX_KEPT);
        set(2, 90);
        run(1);
        assert_eq!(Oldest::<Test>::get(), 3, "what took it back is superseded");
        assert_eq!(draft(), [(2, 90)]);
        Export::settled(&[3, 4]);
        assert_eq!(Oldest::<Test>::get(), 3, "settlement has not begun");
        // L1 begins after what was forgotten, so it cannot be made to know the address.
        let mut l1 = L1::default();
        assert_eq!(l1.order.take(&first.export), Err(OrderError::Past));
        l1.settle();
        assert_eq!((l1.says(1), l1.says(2)), (points(0), points(40)));
    });
}

#[test]
fn only_members_sign_and_once() {
    new_test_ext(4).execute_with(|| {
        assert_eq!(pool(vote(0)), Err(invalid(InvalidTransaction::Stale)), "there is none yet");
        set(1, 70);
        epoch();
        let good = vote(0);
        let validity = pool(good).expect("it is wanted");
        assert_eq!((validity.provides.len(), validity.propagate), (1, true));

        let other = |signer, signature| ExportVote {
            signature: ExportSignature { signer, signature },
            ..good
        };
        let bad = ed25519::Signature::default();
        assert_eq!(pool(other(0, bad)), Err(invalid(InvalidTransaction::BadProof)));
        assert_eq!(
            pool(other(1, good.signature.signature)),
            Err(invalid(InvalidTransaction::BadProof))
        );
        assert_eq!(pool(other(4, bad)), Err(invalid(InvalidTransaction::BadSigner)));
        assert_eq!(pool(ExportVote { sequence: 2, ..good }), Err(NOT_YET));
        assert_eq!(pool(ExportVote { set_id: 1, ..good }), Err(NOT_YET));

        submit(good).expect("it is wanted");
        assert_eq!(pool(good), Err(invalid(InvalidTransaction::Stale)));
        assert_eq!(
            dispatch(good).map_err(|error| error.error),
            Err(DispatchError::from(Error::<Test>::AlreadySigned))
        );
        assert_eq!(
            dispatch(other(4, bad)).map_err(|error| error.error),
            Err(DispatchError::from(Error::<Test>::NotAMember))
        );
        // What a signer sends as a transaction of its own is none.
        let by_account = RuntimeOrigin::signed(7);
        assert_noop!(Export::sign_export(by_account, vote(1)), DispatchError::BadOrigin);

        submit(vote(1)).expect("it is wanted");
        submit(vote(2)).expect("it is wanted");
        assert_eq!(pool(vote(3)), Err(invalid(InvalidTransaction::Stale)), "it is signed");
        assert_eq!(
            dispatch(vote(3)).map_err(|error| error.error),
            Err(DispatchError::from(Error::<Test>::NotInSigning))
        );
    });
}

/// What a strict verifier would refuse later does not make a quorum.
#[test]
fn r10_4_a_signature_that_only_some_verifiers_take_is_refused() {
    new_test_ext(4).execute_with(|| {
        Members::set(vec![1, 2, 3, WEAK]);
        set(1, 70);
        epoch();
        let mut signature = [0; 64];
        signature[0] = 1;
        let signature = ed25519::Signature::from_raw(signature);
        let message = export_message(&GENESIS, 0, &Last::<Test>::get().hash);
        assert!(sp_io::crypto::ed25519_verify(&signature, &message, &keys()[3]));
        let signature = ExportSignature { signer: 3, signature };
        let vote = ExportVote { set_id: 0, sequence: 1, signature };
        assert_eq!(pool(vote), Err(invalid(InvalidTransaction::BadProof)));
        all_sign();
    });
}

#[test]
fn signatures_of_a_set_that_is_gone_do_not_count() {
    new_test_ext(4).execute_with(|| {
        set(1, 70);
        epoch();
        let old = vote(3);
        submit(vote(0)).expect("it is wanted");
        submit(vote(1)).expect("it is wanted");
        SetId::set(1);
        Members::set(vec![5, 1, 2, 4]);
        assert_eq!(pool(old), Err(invalid(InvalidTransaction::Stale)));
        assert_eq!(
            dispatch(old).map_err(|error| error.error),
            Err(DispatchError::from(Error::<Test>::WrongSet))
        );
        let open = Export::exports(0, 9).in_signing.expect("it is open");
        assert_eq!((open.set_id, open.signers.len()), (1, 0));
        all_sign();
        let signed = &Export::exports(0, 9).signed[0];
        assert_eq!(signed.verify(&GENESIS, 1, &keys()), Ok(()));
        assert_eq!(InSigning::<Test>::get(), None);
    });
}

#[test]
fn r10_4_without_settlement_the_oldest_batch_is_superseded_and_nothing_is_lost() {
    new_test_ext(1).execute_with(|| {
        // One that no later batch replaces, and one that all do.
        set(1, 70);
        for n in 0..MAX_KEPT {
            set(2, if n % 2 == 0 { 20 } else { 40 });
            epoch();
            all_sign();
        }
        assert_eq!((Oldest::<Test>::get(), Last::<Test>::get().sequence), (1, MAX_KEPT));
        epoch();
        assert_eq!(Last::<Test>::get().sequence, MAX_KEPT, "there is nothing more to say");
        assert_eq!(Oldest::<Test>::get(), 1);

        set(3, 50);
        run(1);
        assert_eq!(Oldest::<Test>::get(), 2);
        assert_eq!(events().last(), Some(&Event::ExportSuperseded { sequence: 1 }));
        assert!(Certificates::<Test>::get(1).is_none() && Exports::<Test>::get(1).is_none());
        assert_eq!(draft(), [(3, 50), (1, 70)], "the second was replaced by a later batch");
        epoch();
        all_sign();
        let said = Exports::<Test>::get(MAX_KEPT + 1).map(|export| export.oldest);
        assert_eq!(said, Some(2), "L1 is told that the first is superseded");
        let mut l1 = L1::default();
        l1.settle();
        assert_eq!([1, 2, 3].map(|n| l1.says(n)), [points(70), points(40), points(50)]);
        assert_eq!(l1.applied, MAX_KEPT + 1);
    });
}

#[test]
fn a_batch_is_superseded_a_few_entries_a_block() {
    new_test_ext(1).execute_with(|| {
        let count = 2 * MAX_RETIRED + 1;
        for n in 0..count {
            set(n, 70);
        }
        for n in 0..MAX_KEPT {
            set(1_000, if n % 2 == 0 { 20 } else { 40 });
            epoch();
            all_sign();
        }
        set(1_000, 90);
        for left in [count - MAX_RETIRED, count - 2 * MAX_RETIRED] {
            run(1);
            assert_eq!(Oldest::<Test>::get(), 1);
            assert_eq!(draft().len() as u32, 1 + count - left);
        }
        run(1);
        assert_eq!(Oldest::<Test>::get(), 2);
        assert_eq!(draft().len() as u32, 1 + count);
    });
}

/// An address whose withdrawal was superseded is known again until that is said anew.
#[test]
fn a_withdrawal_that_was_superseded_is_said_again() {
    new_test_ext(1).execute_with(|| {
        let mut l1 = L1::default();
        set(1, 70);
        epoch();
        all_sign();
        l1.settle();
        unlink(1);
        for n in 0..MAX_KEPT {
            set(2, if n % 2 == 0 { 20 } else { 40 });
            epoch();
            all_sign();
        }
        set(2, 90);
        run(1);
        assert_eq!(draft(), [(2, 90), (1, 0)]);
        assert!(!KnownAddresses::<Test>::contains_key(address(1)));
        epoch();
        all_sign();
        l1.settle();
        assert_eq!(l1.says(1), points(0));
    });
}

#[test]
fn settlement_in_the_midst_of_superseding_counts() {
    new_test_ext(1).execute_with(|| {
        for n in 0..=MAX_RETIRED {
            set(n, 70);
        }
        for n in 0..MAX_KEPT {
            set(1_000, if n % 2 == 0 { 20 } else { 40 });
            epoch();
            all_sign();
        }
        set(1_000, 90);
        run(1);
        let mut l1 = L1::default();
        l1.settle();
        assert_eq!(Oldest::<Test>::get(), MAX_KEPT + 1);
        Export::check_state().expect("sound");
        // What is not signed, or not made yet, cannot be settled.
        Export::settled(&[0, MAX_KEPT, MAX_KEPT + 1, u32::MAX]);
        assert_eq!(Oldest::<Test>::get(), MAX_KEPT + 1);
        epoch();
        Export::settled(&[MAX_KEPT + 1]);
        assert_eq!(Oldest::<Test>::get(), MAX_KEPT + 1);
        all_sign();
        l1.settle();
        assert_eq!(Oldest::<Test>::get(), MAX_KEPT + 2);
        assert!((0..=MAX_RETIRED).all(|n| l1.says(n) == points(70)));
    });
}

/// Who brings L1 a late batch and holds back those before it gains nothing.
#[test]
fn r10_4_what_waits_is_not_left_out() {
    new_test_ext(1).execute_with(|| {
        for (n, score) in [(1, 70), (2, 60), (3, 50)] {
            set(n, score);
            epoch();
            all_sign();
        }
        let mut l1 = L1::default();
        l1.settle_some(|sequence| sequence != 2);
        assert_eq!(l1.applied, 1);
        assert_eq!((Oldest::<Test>::get(), Last::<Test>::get().sequence), (2, 3));
        l1.settle();
        assert_eq!([1, 2, 3].map(|n| l1.says(n)), [points(70), points(60), points(50)]);
    });
}

/// An L1 that leaves out what it may not is told again what that said.
#[test]
fn r10_4_what_was_left_out_all_the_same_is_said_again() {
    new_test_ext(1).execute_with(|| {
        for n in 0..=MAX_RETIRED {
            set(n, 70);
        }
        epoch();
        all_sign();
        for score in [20, 40, 60] {
            set(1_000, score);
            set(0, score);
            epoch();
            all_sign();
        }
        set(1_001, 50);
        Export::begin_settlement();
        // Batches 1 and 3 were left out.
        Export::settled(&[4, 2]);
        assert_eq!(Oldest::<Test>::get(), 1);
        run(1);
        assert_eq!(draft().len() as u32, 1 + MAX_RETIRED - 1, "the first of eight was replaced");
        // Batch 1, 2 that was applied, 3, and 4 that was applied.
        for oldest in 2..=5 {
            run(1);
            assert_eq!(Oldest::<Test>::get(), oldest);
        }
        let mut said = draft();
        said.sort_unstable();
        let expected: Vec<_> = (1..=MAX_RETIRED).map(|n| (n, 70)).chain([(1_001, 50)]).collect();
        assert_eq!(said, expected, "what batch 3 said was replaced by the fourth");
        assert!(SettledAhead::<Test>::get().is_empty());
    });
}

#[test]
fn exports_are_shown_from_a_sequence_number_on() {
    new_test_ext(1).execute_with(|| {
        for score in [20, 40, 60] {
            set(1, score);
            epoch();
            all_sign();
        }
        let shown = |from, limit| -> Vec<u32> {
            let signed = Export::exports(from, limit).signed;
            signed.iter().map(|signed| signed.export.sequence).collect()
        };
        assert_eq!(shown(0, 9), [1, 2, 3]);
        assert_eq!(shown(2, 1), [2]);
        assert!(shown(4, 9).is_empty() && shown(0, 0).is_empty());
    });
}

#[test]
fn nothing_is_stored_for_who_is_not_linked() {
    new_test_ext(1).execute_with(|| {
        unlink(1);
        assert!(!KnownAddresses::<Test>::contains_key(address(1)));
        assert_eq!(Known::default().said, Some(points(0)));
    });
}
