//! Absences as blocks tell of them, and two that are named.

use crate::{
    mock::*,
    pallet::{AbsencePages, Error, Event},
    types::{MAX_RECORDS, PAGE_RECORDS, WINDOW_TERMS},
};
use frame_support::{assert_noop, dispatch::Pays};
use sp_runtime::DispatchError;

/// Of seven: the two that are missing together.
const PAIR: [u8; 2] = [6, 7];

fn report(first: u8, second: u8) -> Result<Pays, DispatchError> {
    let call = Participation::report_correlation(
        RuntimeOrigin::signed(account(99)),
        account(first),
        account(second),
    );
    call.map(|info| info.pays_fee).map_err(|error| error.error)
}

/// Makes the block of a term of its own, by one of the first five in turn. It says that
/// these were missing before.
fn term(number: u32, missing: &[u16]) {
    let author = 1 + (number / 2 % 5) as u8;
    let signers = (0..7).filter(|index| number > 0 && !missing.contains(index));
    block(Made { term: number, ..Made::by(author, signers) }).expect("a good block");
}

/// Terms, in every other of which both are missing.
fn both_missing(terms: core::ops::Range<u32>) {
    for number in terms {
        let missing: &[u16] = if number % 2 == 0 { &[5, 6] } else { &[] };
        term(number, missing);
    }
}

fn records() -> usize {
    AbsencePages::<Test>::iter_values().map(|page| page.len()).sum()
}

#[test]
fn r22_1_anybody_names_two_that_are_missing_together() {
    new_test_ext(7).execute_with(|| {
        both_missing(0..15);
        assert_noop!(report(6, 7), Error::<Test>::NotCorrelated);
        both_missing(15..41);
        assert_eq!(report(6, 7), Ok(Pays::No));
        let found = Event::CorrelationFound {
            first: account(6),
            second: account(7),
            // 39 are over, and three of seven leaders are heard.
            terms: 16,
            first_began: 11,
            second_began: 11,
            together: 11,
        };
        System::assert_last_event(found.into());
        assert_eq!(Correlated::get(), [(account(6), account(7))]);
        assert_noop!(report(7, 6), Error::<Test>::KnownAlready);
    });
}

/// Attacks: reports that are free must be right.
#[test]
fn r22_1_who_names_others_pays() {
    new_test_ext(7).execute_with(|| {
        both_missing(0..41);
        assert_noop!(report(1, 2), Error::<Test>::NotCorrelated);
        assert_noop!(report(1, 6), Error::<Test>::NotCorrelated);
        assert_noop!(report(6, 6), Error::<Test>::NoPair);
        assert_noop!(report(6, 9), Error::<Test>::NotAMember);
        let unsigned =
            Participation::report_correlation(RuntimeOrigin::none(), account(6), account(7));
        assert_noop!(unsigned, DispatchError::BadOrigin);
        assert!(Correlated::get().is_empty());
    });
}

/// Attack: one leader alternates between naming two others and not doing so.
#[test]
fn r22_1_one_leader_accuses_nobody() {
    new_test_ext(7).execute_with(|| {
        for number in 0..100 {
            let liar = number % 2 == 0;
            let signers =
                (0..7).filter(|index| number > 0 && !(liar && PAIR.contains(&(*index as u8 + 1))));
            let author = if liar { 1 } else { 2 + (number / 2 % 4) as u8 };
            block(Made { term: number, ..Made::by(author, signers) }).expect("a good block");
        }
        assert_noop!(report(6, 7), Error::<Test>::NotCorrelated);
    });
}

/// Being away for long is being away once.
#[test]
fn r22_1_two_long_absences_are_one_beginning_each() {
    new_test_ext(7).execute_with(|| {
        (0..10).for_each(|number| term(number, &[]));
        (10..60).for_each(|number| term(number, &[5, 6]));
        (60..70).for_each(|number| term(number, &[]));
        let began: u32 = AbsencePages::<Test>::iter_values()
            .flat_map(|page| page.into_inner())
            .map(|record| record.began.0.count_ones())
            .sum();
        assert_eq!(began, 2);
        assert_noop!(report(6, 7), Error::<Test>::NotCorrelated);
    });
}

/// A term has one record, however many blocks it has, and only if somebody began to be
/// missing in it.
#[test]
fn a_term_is_recorded_once_and_old_ones_make_room() {
    new_test_ext(7).execute_with(|| {
        block(Made::by(1, [])).expect("the first block");
        for number in 0..5 {
            for _ in 0..10 {
                let signers = (0..7).filter(|index| number % 2 == 0 || *index != 3);
                block(Made { term: number, ..Made::by(2, signers) }).expect("a good block");
            }
        }
        // In terms 1 and 3; the last one still runs.
        assert_eq!((records(), Participation::absences().terms), (2, 4));
        both_missing(5..46);
        assert_eq!(report(6, 7), Ok(Pays::No));
        Correlated::set(vec![]);
        // Somebody else, in every other term.
        let many = 2 * MAX_RECORDS;
        for number in 46..46 + many + 2 {
            let missing: &[u16] = if number % 2 == 0 { &[3] } else { &[] };
            term(number, missing);
        }
        assert_eq!(records() as u32, MAX_RECORDS);
        assert_eq!(AbsencePages::<Test>::iter().count() as u32, MAX_RECORDS / PAGE_RECORDS);
        assert!(Participation::absences().terms <= many);
        assert_noop!(report(6, 7), Error::<Test>::NotCorrelated);
    });
}

/// What is older than the window does not count, though there is room for it.
#[test]
fn r22_1_old_absences_do_not_count() {
    new_test_ext(7).execute_with(|| {
        both_missing(0..41);
        let later = |terms| {
            crate::pallet::Current::<Test>::mutate(|session| session.watch.terms += terms);
            Participation::absences()
        };
        assert_eq!(later(WINDOW_TERMS - 40).records.len(), 19);
        assert_eq!(later(38).records.len(), 1);
        let none = later(WINDOW_TERMS);
        assert_eq!((none.records.len(), none.terms), (0, WINDOW_TERMS));
        assert_noop!(report(6, 7), Error::<Test>::NotCorrelated);
    });
}

/// Who stays in the set keeps its past, under another index; who comes has none.
#[test]
fn r22_1_absences_follow_the_set() {
    new_test_ext(7).execute_with(|| {
        both_missing(0..41);
        let changes_to = Some(vec![7, 9, 6, 4, 3, 2, 1]);
        block(Made { changes_to, term: 41, ..Made::by(1, 0..7) }).expect("a good block");
        let last = Made { term: 42, ..Made::by(9, 0..7) };
        block(last).expect("a good block");
        for newcomer in [6, 7] {
            assert_noop!(report(9, newcomer), Error::<Test>::NotCorrelated);
        }
        assert_noop!(report(5, 6), Error::<Test>::NotAMember);
        assert_eq!(report(7, 6), Ok(Pays::No));
    });
}
