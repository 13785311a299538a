//! Absences as blocks tell of them, two that are named, and what liars can do about it.

use crate::{
    mock::*,
    pallet::{AbsencePages, Error, Event},
    types::{MAX_RECORDS, PAGE_RECORDS, WINDOW_TERMS},
};
use cascoin_l2_primitives::sequencers::SequencerBits;
use frame_support::{assert_noop, dispatch::Pays};
use sp_runtime::DispatchError;

/// Of seven: the indices of accounts 6 and 7, which are missing together.
const PAIR: [u16; 2] = [5, 6];

fn report(first: u8, second: u8) -> Result<Pays, DispatchError> {
    let call = Participation::report_correlation(
        RuntimeOrigin::signed(account(99)),
        account(first),
        account(second),
    );
    call.map(|info| info.pays_fee).map_err(|error| error.error)
}

/// A set, by seeds of accounts.
pub(crate) struct Chain(pub(crate) Vec<u8>);

impl Chain {
    /// The term's next block, by this account. It says that these did not sign the block
    /// before.
    fn block(&self, term: u32, author: u8, missing: &[u16]) {
        self.made(Made { term, ..Made::by(author, []) }, missing);
    }

    pub(crate) fn made(&self, made: Made, missing: &[u16]) {
        // Nobody signs genesis.
        let signed = System::block_number() > 0;
        let all = 0..self.0.len() as u16;
        let signers = bits(all.filter(|index| signed && !missing.contains(index)));
        block(Made { signers, ..made }).expect("a good block");
    }

    /// A term of three blocks, in the last of which its leader says that these, who signed
    /// the first one, did not sign the second one.
    pub(crate) fn term(&self, term: u32, author: u8, missing: &[u16]) {
        self.block(term, author, &[]);
        self.block(term, author, &[]);
        self.block(term, author, missing);
    }

    /// Terms by so many accounts, the first of the set, in turn; in every other one these
    /// begin to be missing.
    fn terms(&self, numbers: core::ops::Range<u32>, leaders: u32, missing: &[u16]) {
        for number in numbers {
            let author = self.0[(number % leaders) as usize];
            self.term(number, author, if number % 2 == 0 { missing } else { &[] });
        }
    }
}

/// A chain of seven.
pub(crate) fn seven() -> Chain {
    Chain((1..=7).collect())
}

/// Terms by the first five of seven, in every other of which the pair begins to be missing.
pub(crate) fn both_missing(numbers: core::ops::Range<u32>) {
    seven().terms(numbers, 5, &PAIR);
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
            // 40 are over, eight of each of five leaders, and three of them are heard.
            terms: 24,
            first_began: 12,
            second_began: 12,
            together: 12,
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

/// Attack: leaders, as many as can be faulty and one less, name two others in every other
/// of their terms, and lead as often as all others together. One more than can be faulty
/// would succeed.
#[test]
fn r22_1_a_third_of_the_leaders_accuses_nobody() {
    for (liars, succeed) in [(1, false), (2, false), (3, true)] {
        new_test_ext(7).execute_with(|| {
            let chain = seven();
            for number in 0..240 {
                let (turn, lies) = (number / 2, number % 2 == 0);
                let author = 1 + if lies { turn % liars } else { liars + turn % (5 - liars) };
                let missing: &[u16] = if lies && turn / liars % 2 == 0 { &PAIR } else { &[] };
                chain.term(number, author as u8, missing);
            }
            let found = report(6, 7);
            assert_eq!(found.is_ok(), succeed, "{liars}: {found:?}");
        });
    }
}

/// Attack: a liar leads every other term, and holds its last block back from two. They miss
/// it, and the next, honest leader's first block, because they have to fetch the other one.
#[test]
fn r22_1_a_block_that_is_held_back_is_nobodys_absence() {
    new_test_ext(7).execute_with(|| {
        let chain = seven();
        for number in 0..200 {
            if number % 2 == 0 {
                chain.term(number, 1, &[]);
                continue;
            }
            let honest = 2 + (number / 2 % 4) as u8;
            chain.block(number, honest, &PAIR);
            chain.block(number, honest, &PAIR);
            chain.block(number, honest, &[]);
            chain.block(number, honest, &[]);
        }
        assert_eq!(records(), 0);
        assert_noop!(report(6, 7), Error::<Test>::NotCorrelated);
    });
}

/// Attack: liars let an honest leader's round fail, and one of them proposes the leader's
/// block again, to all but two. These do not sign it, and are late for the block that
/// follows.
#[test]
fn r22_1_a_block_that_is_proposed_again_is_nobodys_absence() {
    new_test_ext(7).execute_with(|| {
        let chain = seven();
        for number in 0..100 {
            let honest = 1 + (number % 5) as u8;
            chain.block(number, honest, &[]);
            chain.block(number, honest, &[]);
            let again = Made { term: number, signed_in: 1, ..Made::by(honest, []) };
            chain.made(again, &PAIR);
            chain.block(number, honest, &PAIR);
            chain.block(number, honest, &[]);
        }
        assert_eq!(records(), 0);
        assert_noop!(report(6, 7), Error::<Test>::NotCorrelated);
    });
}

/// Attack: when an honest sequencer is away, here 6, the liars' votes decide who sees a
/// quorum. They keep theirs from another one, 7, which then has nothing to sign. But every
/// honest leader hears its vote.
#[test]
fn r22_1_who_votes_is_not_missing_whatever_reached_it() {
    for (heard, succeed) in [(vec![], true), (vec![6], false), (vec![5, 6], false)] {
        new_test_ext(7).execute_with(|| {
            let chain = seven();
            for number in 0..81 {
                let author = 1 + (number % 5) as u8;
                chain.block(number, author, &[]);
                chain.block(number, author, &[]);
                let missing: &[u16] = if number % 2 == 0 { &PAIR } else { &[] };
                let heard = bits(heard.iter().copied());
                chain.made(Made { term: number, heard, ..Made::by(author, []) }, missing);
            }
            let found = report(6, 7);
            assert_eq!(found.is_ok(), succeed, "{heard:?}: {found:?}");
        });
    }
}

/// Being away for long is being away once, and whoever was away before the term began did
/// not begin in it.
#[test]
fn r22_1_two_long_absences_are_one_beginning_each() {
    new_test_ext(7).execute_with(|| {
        let chain = seven();
        (0..10).for_each(|number| chain.term(number, 1 + (number % 5) as u8, &[]));
        chain.term(10, 1, &PAIR);
        for number in 11..60 {
            (0..3).for_each(|_| chain.block(number, 1 + (number % 5) as u8, &PAIR));
        }
        (60..70).for_each(|number| chain.term(number, 1 + (number % 5) as u8, &[]));
        let began: u32 = AbsencePages::<Test>::iter_values()
            .flat_map(|page| page.into_inner())
            .map(|record| record.began.0.count_ones())
            .sum();
        assert_eq!(began, 2);
        assert_noop!(report(6, 7), Error::<Test>::NotCorrelated);
    });
}

/// A term has one record, however many blocks it has, and only if somebody began to be
/// missing in it. One in which nobody could be seen to begin is not counted for its leader.
#[test]
fn a_term_is_recorded_once_and_old_ones_make_room() {
    new_test_ext(7).execute_with(|| {
        let chain = seven();
        for number in 0..5 {
            for block in 0..10 {
                let missing = number % 2 == 1 && block % 3 == 2;
                chain.block(number, 2, if missing { &[3] } else { &[] });
            }
        }
        // Two blocks are too few to compare.
        chain.block(5, 2, &[]);
        chain.block(5, 2, &[3]);
        chain.block(6, 2, &[]);
        // In terms 1 and 3.
        let known = Participation::absences();
        assert_eq!((records(), known.now, known.tenures[1].led), (2, 6, 5));
        both_missing(7..88);
        assert_eq!(report(6, 7), Ok(Pays::No));
        Correlated::set(vec![]);
        // Somebody else, in every other term.
        let many = 2 * MAX_RECORDS;
        chain.terms(88..88 + many + 2, 5, &[4]);
        assert_eq!(records() as u32, MAX_RECORDS);
        assert_eq!(AbsencePages::<Test>::iter().count() as u32, MAX_RECORDS / PAGE_RECORDS);
        let known = Participation::absences();
        assert!(known.now - known.since <= many);
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
        // 40 are over, of which 0, 2, … 38 are recorded.
        assert_eq!(later(WINDOW_TERMS - 40).records.len(), 20);
        assert_eq!(later(38).records.len(), 1);
        let none = later(WINDOW_TERMS);
        assert_eq!((none.records.len(), none.now - none.since), (0, WINDOW_TERMS));
        assert_noop!(report(6, 7), Error::<Test>::NotCorrelated);
    });
}

/// Who stays in the set keeps its past, under another index; who comes has none.
#[test]
fn r22_1_absences_follow_the_set() {
    new_test_ext(7).execute_with(|| {
        both_missing(0..81);
        let changes_to = Some(vec![7, 9, 6, 4, 3, 2, 1]);
        seven().made(Made { changes_to, term: 81, ..Made::by(1, []) }, &[]);
        // By 9, and signed by the old set.
        seven().block(82, 9, &[]);
        for old in [6, 7] {
            assert_noop!(report(9, old), Error::<Test>::NotCorrelated);
        }
        assert_noop!(report(5, 6), Error::<Test>::NotAMember);
        assert_eq!(report(7, 6), Ok(Pays::No));
    });
}

/// Only terms count in which both were in the set: what one did before the other came says
/// nothing of both.
#[test]
fn r22_1_only_terms_count_in_which_both_were_members() {
    new_test_ext(7).execute_with(|| {
        // 6 alone, for long.
        seven().terms(0..401, 5, &[5]);
        let set = vec![1, 2, 3, 4, 5, 6, 9];
        let changes_to = Some(set.clone());
        seven().made(Made { changes_to, term: 401, ..Made::by(1, []) }, &[]);
        seven().block(402, 1, &[]);
        // With 9 from the day on which it came.
        Chain(set).terms(403..484, 5, &PAIR);
        assert_eq!(report(6, 9), Ok(Pays::No));
        let Some(Event::CorrelationFound { first_began, second_began, .. }) = last() else {
            panic!("nothing was found")
        };
        assert_eq!(first_began, second_began);
    });
}

fn last() -> Option<Event<Test>> {
    let last = System::events().pop()?.event;
    last.try_into().ok()
}

/// A term hits many by the set of its time. Later some of those whom it hit are gone, and
/// it still says nothing of the others.
#[test]
fn r22_1_what_hit_many_then_says_nothing_when_some_are_gone() {
    for (hit, found) in [(&[12, 13][..], true), (&[12, 13, 14, 15][..], false)] {
        new_test_ext(16).execute_with(|| {
            // Of 16 three may begin at once.
            let chain = Chain((1..=16).collect());
            chain.terms(0..177, 11, hit);
            let changes_to = Some((1..=14).collect());
            chain.made(Made { changes_to, term: 177, ..Made::by(1, []) }, &[]);
            chain.block(178, 1, &[]);
            let known = Participation::absences().records;
            let pair = SequencerBits::NOBODY.with(12).with(13);
            assert_eq!(known.iter().any(|record| pair.is_within(record.began)), found);
            assert_eq!(report(13, 14).is_ok(), found, "{hit:?}");
        });
    }
}
