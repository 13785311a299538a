//! Others take over from a set that does nothing.

use crate::{
    barred::BarredKey,
    candidates::{Attestation, Candidate, Poll, Wait},
    mock::*,
    pallet::{
        Banned, BarredKeys, Candidates, Clock, Elected, Event, ForcedRotations, Members,
        PendingDraw, SeatsFreed,
    },
    Member, RegisteredKeys,
};
use cascoin_l2_primitives::{chain::AccountId, sequencers::SequencerBits};
use frame_support::{assert_ok, BoundedVec};
use proptest::prelude::*;

/// The weight of a candidate in these tests: 80 times the root of a hundred coins.
const WEIGHT: u64 = 800;

fn candidate(attestation: Attestation) -> impl Fn(u8) {
    move |n| {
        let controller = account(n);
        let attestation = attestation.clone();
        let candidate = Candidate {
            announced_at: 1,
            controller,
            confirmed: true,
            endpoint: Default::default(),
            weight: 0,
            attestation,
        };
        Candidates::<Test>::insert(account(n), candidate);
    }
}

/// Becomes an attested candidate.
fn stand(n: u8) {
    candidate(Attestation::Given { since: 0 })(n);
}

/// Gets a seat by a draw.
fn elect(n: u8) {
    stand(n);
    let seat = Member { account: account(n), weight: 7 };
    Elected::<Test>::mutate(|elected| elected.try_push(seat)).expect("it fits");
}

fn accounts(numbers: &[u8]) -> Vec<AccountId> {
    numbers.iter().map(|n| account(*n)).collect()
}

fn numbers(seats: impl IntoIterator<Item = Member>) -> Vec<u8> {
    let number = |seat: Member| AsRef::<[u8]>::as_ref(&seat.account)[0];
    seats.into_iter().map(number).collect()
}

/// As the runtime does it. Returns the set that the end of the session plans.
fn take_over(order: &[u8]) -> Vec<u8> {
    let all = accounts(order);
    for account in &all {
        assert!(Registry::successor_key(account).is_some(), "{account:?} may not go on");
    }
    Registry::succeed(&all);
    let keys = |who: &AccountId| Keyring::registered(who).expect("it has keys");
    Queued::set(all.iter().map(|who| (who.clone(), keys(who))).collect());
    Planned::set(all);
    rotate()
}

fn in_force() -> Vec<AccountId> {
    Registry::sequencer_set().members.into_iter().map(|member| member.account).collect()
}

fn asked_again(n: u8) -> bool {
    let candidate = Candidates::<Test>::get(account(n)).expect("a candidate");
    matches!(candidate.attestation, Attestation::Waiting(_))
}

fn told() -> Vec<Event<Test>> {
    System::read_events_for_pallet()
}

fn run(test: impl FnOnce()) {
    three_members().execute_with(|| {
        System::set_block_number(1);
        (4..=9).for_each(|n| know(n, 80, 100 * COIN));
        settle(&[1, 2, 3]);
        System::reset_events();
        test();
        assert_eq!(Registry::check_state(), Ok(()));
    });
}

#[test]
fn r17_6_who_takes_over_has_all_seats() {
    run(|| {
        stand(4);
        stand(5);
        elect(6);
        assert_eq!(take_over(&[2, 4, 6]), [2, 4, 6], "the old set does not come back");
        assert_eq!(in_force(), accounts(&[2, 4, 6]));
        assert_eq!(numbers(Members::<Test>::get()), [2]);
        assert_eq!(numbers(Elected::<Test>::get()), [6, 4]);
        let weights: Vec<_> = Elected::<Test>::get().into_iter().map(|seat| seat.weight).collect();
        assert_eq!(weights, [7, WEIGHT]);
        let stored = Candidates::<Test>::get(account(4)).map(|candidate| candidate.weight);
        assert_eq!(stored, Some(WEIGHT));
        let removed = |n| Event::<Test>::Removed { account: account(n) };
        assert_eq!(told(), [Event::Seated { account: account(4) }, removed(1), removed(3)]);
        // Who only stands did not say that it is there.
        assert!(asked_again(5));
        assert!(!asked_again(4) && !asked_again(6));
    });
}

/// R17.6: it may be at any height, so it moves the clock by nothing.
#[test]
fn r17_6_the_clock_stands_still() {
    run(|| {
        stand(4);
        stand(5);
        assert_eq!(take_over(&[1, 4]), [1, 4]);
        assert_eq!(Clock::<Test>::get(), 0);
        assert!(!Registry::rotation_is_forced(), "no other end of a session is to follow");
        assert_eq!(ForcedRotations::<Test>::get().ever, 1);

        assert_eq!(rotate(), [1, 4]);
        assert_eq!(Clock::<Test>::get(), 5, "as if that end had not been");
    });
}

/// R17.6: no lot falls on whom the old set vouched for, and nothing that it began to say of
/// anybody counts.
#[test]
fn r17_6_neither_draws_nor_polls_outlive_the_old_set() {
    run(|| {
        for n in [4, 5] {
            stand(n);
        }
        let poll = |sample: &[u8]| Poll {
            opened: 0,
            sample: BoundedVec::truncate_from(accounts(sample)),
            approved: SequencerBits::NOBODY.with(0),
            refused: SequencerBits::NOBODY,
        };
        candidate(Attestation::Open(poll(&[1, 2, 3])))(6);
        // Whom others asked about before stays where it was.
        let wait = Wait { l1_height: 7, since: 0 };
        candidate(Attestation::Waiting(wait))(7);
        Registry::schedule_draw(0, true, &[]);
        assert!(PendingDraw::<Test>::get().is_some_and(|draw| draw.standing.len() == 2));
        SeatsFreed::<Test>::put(true);

        assert_eq!(take_over(&[1, 4]), [1, 4]);
        assert_eq!(PendingDraw::<Test>::get(), None);
        assert!(!SeatsFreed::<Test>::get());
        assert!(asked_again(5) && asked_again(6));
        let stored = Candidates::<Test>::get(account(7)).expect("a candidate");
        assert_eq!(stored.attestation, Attestation::Waiting(wait));
    });
}

/// R17.6: those who stood and are gone get no seats by any draw, so three that are there stay a
/// quorum; whom they vouch for joins them.
#[test]
fn r17_6_candidates_that_are_gone_do_not_halt_the_set_again() {
    run(|| {
        MaxSequencers::set(9);
        (4..=9).for_each(stand);
        // All of them are about to be drawn.
        Registry::schedule_draw(0, true, &[]);
        let live = [1, 4, 5];
        assert_eq!(take_over(&live), live);
        let session_ends = || {
            L1Height::mutate(|height| *height += 10);
            rotate();
        };
        // Epochs are two sessions.
        for _ in 0..12 {
            session_ends();
            assert_eq!(in_force(), accounts(&live));
        }

        // The node of 6 is back, and all that are asked find it.
        let asked = || match Candidates::<Test>::get(account(6)).expect("it stands").attestation {
            Attestation::Open(poll) => poll.sample.to_vec(),
            _ => vec![],
        };
        for _ in 0..4 {
            session_ends();
            if !asked().is_empty() {
                break;
            }
        }
        let mut sample = asked();
        sample.sort();
        assert_eq!(sample, accounts(&live));
        for sequencer in sample {
            assert_ok!(Registry::attest(RuntimeOrigin::signed(sequencer), account(6), true));
        }
        for _ in 0..8 {
            session_ends();
        }
        assert_eq!(in_force(), accounts(&[1, 4, 5, 6]));
    });
}

/// R17.6: where the block ends the session anyway, that is a regular end.
#[test]
fn r17_6_at_a_regular_end_the_clock_goes_on() {
    run(|| {
        SessionBlocks::set(10);
        System::set_block_number(20);
        stand(4);
        stand(5);
        assert_eq!(take_over(&[1, 4]), [1, 4]);
        assert_eq!(Clock::<Test>::get(), 5);
        assert_eq!(ForcedRotations::<Test>::get().ever, 0);
        assert!(PendingDraw::<Test>::get().is_none());
        // Its poll is open already.
        let asked = Candidates::<Test>::get(account(5)).expect("it still stands").attestation;
        assert!(matches!(asked, Attestation::Open(_)), "{asked:?}");
    });
}

#[test]
fn r17_6_candidates_of_the_old_set_must_be_vouched_for_again() {
    run(|| {
        elect(6);
        // In the set until somebody fills its place.
        stand(7);
        settle(&[1, 2, 3, 7]);
        assert_eq!(take_over(&[2, 3]), [2, 3]);
        assert!(asked_again(6) && asked_again(7));
        let removed = [1, 6].map(|n| Event::<Test>::Removed { account: account(n) });
        assert_eq!(told(), removed);
        assert!(Elected::<Test>::get().is_empty());
    });
}

/// R17.6: whose ban waited, since too few would have been left, is gone now.
#[test]
fn r17_6_who_is_banned_neither_goes_on_nor_stays() {
    run(|| {
        elect(4);
        for n in [1, 4] {
            Banned::<Test>::insert(account(n), ());
            assert_eq!(Registry::successor_key(&account(n)), None);
        }
        assert_eq!(take_over(&[2, 3]), [2, 3]);
        assert_eq!(numbers(Members::<Test>::get()), [2, 3]);
        assert!(!Candidates::<Test>::contains_key(account(4)));
    });
}

/// R30.5: revoked keys go with the old set; who has new ones goes on with these.
#[test]
fn r30_5_revoked_keys_do_not_outlive_a_set_that_does_nothing() {
    run(|| {
        let revoked = |n, relay| BarredKey { account: account(n), relay, revoked: true };
        let keys = [revoked(1, ed(1, RELAY_KEY)), revoked(2, ed(2, 0x11))];
        for key in keys {
            assert!(Registry::bar_keys(key));
        }
        ForcedRotations::<Test>::mutate(|ends| ends.due = 2);
        assert_eq!(Registry::successor_key(&account(1)), None, "its keys are barred");
        assert_eq!(take_over(&[2, 3]), [2, 3]);
        assert_eq!(rotate(), [2, 3]);
        assert_eq!(numbers(Members::<Test>::get()), [2, 3]);
        assert!(BarredKeys::<Test>::get().is_empty());
        assert!(!Registry::rotation_is_forced());
    });
}

#[test]
fn r17_6_only_who_could_have_a_seat_goes_on() {
    run(|| {
        (4..=6).for_each(stand);
        candidate(Attestation::Waiting(Wait { l1_height: 1, since: 0 }))(7);
        know(5, u64::from(MIN_SCORE) - 1, 100 * COIN);
        know(6, 80, MIN_STAKE - 1);
        // 8 is no candidate. 3 has a seat, and no keys.
        Keyless::mutate(|keyless| keyless.push(account(3)));
        let may: Vec<AccountId> = (1..=9).map(account).collect();
        let may = may.into_iter().filter(|who| Registry::successor_key(who).is_some());
        assert_eq!(may.collect::<Vec<_>>(), accounts(&[1, 2, 4]));
        let all = Registry::successors();
        let known: Vec<_> =
            all.iter().map(|one| (one.account.clone(), one.weight, one.in_force)).collect();
        let expected =
            [(account(1), 10, true), (account(2), 20, true), (account(4), WEIGHT, false)];
        assert_eq!(known, expected);
        assert!(all.iter().all(|one| one.entity == one.account), "nothing joins them");
        assert!(all.iter().zip([1, 2, 4]).all(|(one, n)| one.relay == ed(n, RELAY_KEY)));
        assert_eq!(Registry::set_size(), (2, 5));
        Keyless::set(Vec::new());
    });
}

/// R22.3: whose each of them is stands beside it, since no cap on entities holds here.
#[test]
fn r22_3_operators_see_whose_those_who_may_go_on_are() {
    run(|| {
        for n in [4, 5, 6] {
            stand(n);
        }
        let belongs = |n: u8, confirmed: bool| {
            Candidates::<Test>::mutate(account(n), |stored| {
                let candidate = stored.as_mut().expect("a candidate");
                (candidate.controller, candidate.confirmed) = (account(4), confirmed);
            });
        };
        belongs(5, true);
        belongs(6, false);
        let all = Registry::successors().into_iter();
        let entities: Vec<_> = all.map(|one| (one.account, one.entity)).collect();
        let whose = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (6, 6)];
        let expected = whose.map(|(one, entity)| (account(one), account(entity)));
        assert_eq!(entities, expected);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// R17.6: whoever takes over, they have all seats, nobody else has any, and the next
    /// session ends with the same set.
    #[test]
    fn r17_6_the_set_that_takes_over_stays(
        order in prop::sample::subsequence((1..=9u8).collect::<Vec<_>>(), 2..=5),
        elected in prop::sample::subsequence((4..=9u8).collect::<Vec<_>>(), 0..=2),
        height in 1..40u64,
    ) {
        run(|| {
            SessionBlocks::set(10);
            System::set_block_number(height);
            (4..=9).for_each(stand);
            elected.iter().for_each(|n| elect(*n));
            assert_eq!(take_over(&order), order);
            assert_eq!(in_force(), accounts(&order));
            let mut seats = numbers(Members::<Test>::get());
            seats.extend(numbers(Elected::<Test>::get()));
            seats.sort_unstable();
            assert_eq!(seats, order);
            System::set_block_number(50);
            assert_eq!(rotate(), order);
        });
    }
}
