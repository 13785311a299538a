//! From an announcement to a seat, and out again.

use crate::{
    candidates::{Attestation, Candidate, MAX_CANDIDATES},
    mock::*,
    pallet::{Banned, Candidates, Clock, Elected, Error, Event, KeysKept, Members, PendingDraw},
    Member, MemberOf,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    sequencers::{
        Offence, OffenceKind, OnLowLiveness, OnOffence, SequencerSetProvider, StakeCommitment,
    },
};
use frame_support::{assert_noop, assert_ok};
use pallet_session::SessionManager;
use sp_runtime::{traits::Convert, DispatchError::BadOrigin};

fn origin(n: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(n))
}

fn announce(n: u8) -> Result<(), sp_runtime::DispatchError> {
    Registry::announce(origin(n), Default::default(), None).map(drop).map_err(|error| error.error)
}

/// What pallet-session is told when session `index` is planned, with `now` in force.
fn planned(index: u32, now: &[u8]) -> Option<Vec<AccountId>> {
    put_in_force(now, true);
    <Registry as SessionManager<AccountId>>::new_session(index)
}

/// The same with 1 to 3, and new L1 blocks before it.
fn session_ends(index: u32) -> Option<Vec<AccountId>> {
    L1Height::mutate(|height| *height += 10);
    planned(index, &[1, 2, 3])
}

fn accounts(order: &[u8]) -> Option<Vec<AccountId>> {
    Some(order.iter().map(|n| account(*n)).collect())
}

fn elected() -> Vec<AccountId> {
    Elected::<Test>::get().into_iter().map(|seat| seat.account).collect()
}

fn candidate(n: u8) -> Candidate {
    Candidates::<Test>::get(account(n)).expect("it announced itself")
}

/// All three sequencers vouch for `n`.
fn vouch(n: u8) {
    for sequencer in 1..=3 {
        assert_ok!(Registry::attest(origin(sequencer), account(n), true));
    }
}

/// `n` announces itself and is vouched for in session `index`.
fn stand(n: u8, index: u32) {
    assert_ok!(announce(n));
    session_ends(index);
    vouch(n);
}

fn offend(n: u8, kind: OffenceKind) {
    Registry::on_offence(&Offence { kind, offender: account(n), set_id: 0, height: 1 });
}

fn run(test: impl FnOnce()) {
    three_members().execute_with(|| {
        frame_system::Pallet::<Test>::set_block_number(1);
        for n in 4..=9 {
            know(n, 80, 100 * COIN);
        }
        put_in_force(&[1, 2, 3], true);
        test();
        assert_eq!(Registry::check_state(), Ok(()));
    });
}

#[test]
fn r2_1_a_newcomer_announces_itself_is_vouched_for_and_elected() {
    run(|| {
        assert_eq!(MemberOf::<Test>::convert(account(4)), None);
        assert_ok!(announce(4));
        assert_eq!(MemberOf::<Test>::convert(account(4)), Some(account(4)), "it may set keys");
        System::assert_last_event(Event::<Test>::Announced { account: account(4) }.into());
        assert_noop!(Registry::attest(origin(1), account(4), true), Error::<Test>::NoPoll);
        assert_eq!(session_ends(1), None);
        vouch(4);
        System::assert_last_event(Event::<Test>::Attested { account: account(4) }.into());
        assert_eq!(session_ends(2), None, "the draw is announced");
        assert_eq!(session_ends(3), accounts(&[1, 2, 3, 4]), "and held");
        // 80 × √100
        let seats = Elected::<Test>::get();
        assert_eq!(seats.to_vec(), [Member { account: account(4), weight: 800 }]);
        put_in_force(&[1, 2, 3, 4], true);
        // In force none of four has more than a fourth.
        assert_eq!(Registry::sequencer_set().members[3].weight, 10);
    });
}

/// R19.3: while a recovery repeats what users did, stakes are those of a past block. Sessions
/// end, and the same set goes on; what was announced before is held after.
#[test]
fn r19_3_while_elections_rest_the_set_goes_on_but_for_the_barred() {
    run(|| {
        assert_ok!(announce(4));
        session_ends(1);
        vouch(4);
        assert_eq!(session_ends(2), None, "the draw is announced");
        let clock = Clock::<Test>::get();
        let draw = PendingDraw::<Test>::get();
        let attestation = candidate(4).attestation;
        assert!(draw.is_some());
        ElectionsRest::set(true);
        // Its stake did not come back yet.
        know(4, 0, 0);
        for index in 3..8 {
            assert_eq!(session_ends(index), None);
        }
        assert_eq!((Clock::<Test>::get(), PendingDraw::<Test>::get()), (clock, draw));
        assert_eq!(candidate(4).attestation, attestation);
        know(4, 80, MIN_STAKE);
        ElectionsRest::set(false);
        assert_eq!(session_ends(8), accounts(&[1, 2, 3, 4]), "it lost nothing by it");
        assert_eq!(Clock::<Test>::get(), clock + 1);
    });
}

#[test]
fn seq_not_eligible_without_score_stake_or_a_clean_record() {
    run(|| {
        know(4, u64::from(MIN_SCORE) - 1, MIN_STAKE);
        assert_noop!(announce(4), Error::<Test>::ScoreTooLow);
        know(4, MIN_SCORE.into(), MIN_STAKE - 1);
        assert_noop!(announce(4), Error::<Test>::StakeTooLow);
        know(4, MIN_SCORE.into(), MIN_STAKE);
        Banned::<Test>::insert(account(4), ());
        assert_noop!(announce(4), Error::<Test>::IsBanned);
        Banned::<Test>::remove(account(4));
        assert_ok!(announce(4));
        assert_noop!(announce(4), Error::<Test>::AlreadyCandidate);
        know(1, 100, MIN_STAKE);
        assert_noop!(announce(1), Error::<Test>::AlreadyCandidate);
        let member = Member { account: account(4), weight: 1 };
        let appointed = Registry::add_member(RuntimeOrigin::root(), member);
        assert_noop!(appointed, Error::<Test>::AlreadyCandidate);
    });
}

/// Coins on L1 complete a stake of which enough is bonded, and count in the draw.
#[test]
fn r2_3_stake_on_l1_counts_beside_what_is_bonded() {
    run(|| {
        Locked::set(vec![(account(4), 300 * COIN)]);
        know(4, 80, MIN_STAKE / 2 - 1);
        assert_noop!(announce(4), Error::<Test>::StakeTooLow);
        know(4, 80, MIN_STAKE / 2);
        let known = Registry::eligibility(&account(4));
        assert_eq!((known.stake, known.suffices), (MIN_STAKE, true));
        assert_eq!((known.parts.bonded, known.parts.locked), (MIN_STAKE / 2, 300 * COIN));
        know(4, 80, 200 * COIN);
        stand(4, 1);
        session_ends(2);
        let draw = PendingDraw::<Test>::get().expect("it waits for chance");
        // 80 × √400: alone, so nothing is cut off.
        assert_eq!(draw.standing[0].weight, 1_600);
        session_ends(3);
        assert_eq!(elected(), [account(4)]);
        assert_eq!(candidate(4).weight, 1_600);
    });
}

/// R22.3: what is locked on L1 is in the weights that the cap cuts off.
#[test]
fn r22_3_stake_on_l1_does_not_lift_anybody_above_a_fifth() {
    run(|| {
        Locked::set(vec![(account(4), 1_000_000 * COIN)]);
        know(4, 80, 1_000_000 * COIN);
        for n in 4..=8 {
            assert_ok!(announce(n));
        }
        session_ends(1);
        (4..=8).for_each(vouch);
        session_ends(2);
        session_ends(3);
        let weights: Vec<_> = (4..=8).map(|n| candidate(n).weight).collect();
        assert_eq!(weights, [800; 5]);
    });
}

#[test]
fn r2_3_who_is_no_more_eligible_is_not_elected() {
    run(|| {
        for n in 4..=7 {
            assert_ok!(announce(n));
        }
        session_ends(1);
        for n in 4..=6 {
            vouch(n);
        }
        session_ends(2);
        know(5, 60, 100 * COIN);
        Keyless::set(vec![account(6)]);
        session_ends(3);
        assert_eq!(elected(), [account(4)], "5 has no score, 6 no keys, nobody vouches for 7");
    });
}

#[test]
fn r2_4_only_who_is_asked_attests_and_once() {
    run(|| {
        assert_ok!(announce(4));
        session_ends(1);
        assert_noop!(Registry::attest(origin(5), account(4), true), Error::<Test>::NotAsked);
        assert_noop!(Registry::attest(origin(1), account(5), true), Error::<Test>::NotACandidate);
        assert_noop!(Registry::attest(RuntimeOrigin::root(), account(4), true), BadOrigin);
        assert_ok!(Registry::attest(origin(1), account(4), true));
        assert_noop!(Registry::attest(origin(1), account(4), true), Error::<Test>::NotAsked);
        assert_ok!(Registry::attest(origin(2), account(4), true));
        // All of three are needed. One that left the set is asked no more.
        put_in_force(&[1, 2], true);
        assert_noop!(Registry::attest(origin(3), account(4), true), Error::<Test>::NotAsked);
        // New keys of others, and with them a new set id, change nothing.
        SetId::set(1);
        put_in_force(&[1, 2, 3], true);
        assert_ok!(Registry::attest(origin(3), account(4), true));
        assert_noop!(Registry::attest(origin(3), account(4), true), Error::<Test>::NoPoll);
    });
}

#[test]
fn o4_a_candidate_is_reached_by_as_many_as_it_needs_peers() {
    run(|| {
        MinPeers::set(3);
        // Of these two nobody can say that it has three peers, and nobody holds it against it.
        assert_ok!(announce(4));
        L1Height::mutate(|height| *height += 10);
        planned(1, &[1, 2]);
        assert_ok!(Registry::attest(origin(1), account(4), true));
        assert_ok!(Registry::attest(origin(2), account(4), true));
        let open = |n| {
            let candidate = Candidates::<Test>::get(account(n)).map(|known| known.attestation);
            matches!(candidate, Some(Attestation::Open(_)))
        };
        assert!(open(4));
        // The set grows, and who is asked is drawn anew after an epoch.
        for index in 2..=4 {
            session_ends(index);
        }
        for n in 1..=2 {
            assert_ok!(Registry::attest(origin(n), account(4), true));
        }
        assert!(open(4));
        assert_ok!(Registry::attest(origin(3), account(4), true));
        System::assert_last_event(Event::<Test>::Attested { account: account(4) }.into());
    });
}

#[test]
fn r2_4_nobody_is_asked_about_itself() {
    run(|| {
        MinSequencers::set(2);
        stand(4, 1);
        session_ends(2);
        session_ends(3);
        put_in_force(&[1, 2, 3, 4], true);
        // It loses its attestation while it is still in force.
        offend(4, OffenceKind::Offline);
        L1Height::mutate(|height| *height += 10);
        planned(4, &[1, 2, 3, 4]);
        let Attestation::Open(poll) = candidate(4).attestation else { panic!("no poll") };
        assert_eq!(poll.sample.len(), 3);
        assert!(!poll.sample.contains(&account(4)));
        assert_noop!(Registry::attest(origin(4), account(4), true), Error::<Test>::NotAsked);
    });
}

#[test]
fn a_candidate_that_is_refused_may_come_again_after_an_epoch() {
    run(|| {
        assert_ok!(announce(4));
        session_ends(1);
        assert_ok!(Registry::attest(origin(1), account(4), true));
        assert_ok!(Registry::attest(origin(2), account(4), false));
        System::assert_last_event(Event::<Test>::Refused { account: account(4) }.into());
        assert!(!Candidates::<Test>::contains_key(account(4)));
        session_ends(2);
        assert_noop!(announce(4), Error::<Test>::RefusedLately);
        session_ends(3);
        assert_ok!(announce(4));
    });
}

/// Who is asked is decided by an L1 block that was not there at the announcement; where
/// L1 stands still, after an epoch by the last L2 block.
#[test]
fn who_is_asked_follows_from_chance_that_comes_later() {
    run(|| {
        assert_ok!(announce(4));
        let waits = |n| matches!(candidate(n).attestation, Attestation::Waiting(_));
        assert_eq!(planned(1, &[1, 2, 3]), None);
        assert!(waits(4), "L1 has no new block");
        planned(2, &[1, 2, 3]);
        assert!(!waits(4), "an epoch is over");
        assert_ok!(announce(5));
        L1Height::mutate(|height| *height += 1);
        planned(3, &[1, 2, 3]);
        assert!(waits(5), "one block may be known already");
        L1Height::mutate(|height| *height += 1);
        planned(4, &[1, 2, 3]);
        assert!(!waits(5));
    });
}

#[test]
fn a_poll_that_comes_to_nothing_is_opened_anew_after_an_epoch() {
    run(|| {
        assert_ok!(announce(4));
        session_ends(1);
        assert_ok!(Registry::attest(origin(1), account(4), true));
        session_ends(2);
        let Attestation::Open(poll) = candidate(4).attestation else { panic!("no poll") };
        assert_eq!(poll.approved.count(), 1, "it goes on in the next session");
        session_ends(3);
        session_ends(4);
        let Attestation::Open(poll) = candidate(4).attestation else { panic!("no poll") };
        assert_eq!(poll.approved.count(), 0);
    });
}

/// Others cannot be made to share their seats with a stranger.
#[test]
fn r22_3_a_controller_counts_once_it_says_so() {
    run(|| {
        MaxSequencers::set(6);
        for n in 4..=6 {
            let to = Some(account(9));
            assert_ok!(Registry::announce(origin(n), Default::default(), to));
        }
        session_ends(1);
        (4..=6).for_each(vouch);
        session_ends(2);
        session_ends(3);
        assert_eq!(elected().len(), 3, "nobody confirmed it");
        for n in 4..=6 {
            let accept = |who| Registry::accept(origin(who), account(n));
            assert_noop!(accept(8), Error::<Test>::NotTheController);
            assert_ok!(accept(9));
        }
        session_ends(4);
        session_ends(5);
        assert_eq!(elected().len(), 1, "of four seats one entity has one");
    });
}

#[test]
fn stake_stays_until_a_sequencer_is_out_of_the_set() {
    run(|| {
        assert_eq!(Registry::committed(&account(4)), 0);
        assert_eq!(Registry::committed(&account(1)), 0, "appointed, without stake");
        stand(4, 1);
        assert_eq!(Registry::committed(&account(4)), MIN_STAKE);
        session_ends(2);
        assert_eq!(session_ends(3), accounts(&[1, 2, 3, 4]));
        // It resigns between the plan and its coming into force.
        Planned::set(accounts(&[1, 2, 3, 4]).unwrap_or_default());
        assert_ok!(Registry::resign(origin(4)));
        assert_noop!(Registry::resign(origin(4)), Error::<Test>::NotACandidate);
        assert_eq!(Registry::committed(&account(4)), MIN_STAKE, "it will sign");
        put_in_force(&[1, 2, 3, 4], true);
        Planned::set(accounts(&[1, 2, 3]).unwrap_or_default());
        assert_eq!(Registry::committed(&account(4)), MIN_STAKE, "it signs");
        assert_eq!(planned(5, &[1, 2, 3, 4]), accounts(&[1, 2, 3]));
        put_in_force(&[1, 2, 3], true);
        assert_eq!(Registry::committed(&account(4)), 0);
    });
}

#[test]
fn r2b8_nobody_resigns_below_the_minimum() {
    run(|| {
        MinSequencers::set(4);
        stand(4, 1);
        session_ends(2);
        session_ends(3);
        put_in_force(&[1, 2, 3, 4], true);
        assert_noop!(Registry::resign(origin(4)), Error::<Test>::TooFewSequencers);
        offend(4, OffenceKind::Offline);
        assert_eq!(elected(), [account(4)], "the set would be too small");
        // Elections keep as many as it takes.
        know(4, 0, 0);
        session_ends(4);
        session_ends(5);
        assert_eq!(elected(), [account(4)]);
        MinSequencers::set(2);
        session_ends(6);
        session_ends(7);
        assert!(elected().is_empty());
    });
}

#[test]
fn seq_double_sign_bars_for_ever() {
    run(|| {
        stand(4, 1);
        session_ends(2);
        session_ends(3);
        offend(4, OffenceKind::DoubleSign);
        System::assert_last_event(Event::<Test>::Barred { account: account(4) }.into());
        assert!(elected().is_empty());
        assert_noop!(announce(4), Error::<Test>::IsBanned);
        // An appointed one, too.
        offend(3, OffenceKind::DoubleSign);
        assert_eq!(session_ends(5), accounts(&[1, 2]));
        let member = Member { account: account(3), weight: 1 };
        assert_noop!(Registry::add_member(RuntimeOrigin::root(), member), Error::<Test>::IsBanned);
        // But two are the least there may be; it goes when there is a third.
        offend(2, OffenceKind::DoubleSign);
        assert_eq!(planned(6, &[1, 2]), None);
        assert_eq!(Members::<Test>::get().len(), 2);
        let member = Member { account: account(5), weight: 1 };
        assert_ok!(Registry::add_member(RuntimeOrigin::root(), member));
        assert_eq!(planned(7, &[1, 2]), accounts(&[1, 5]));
        assert_noop!(Registry::pardon(origin(1), account(4)), BadOrigin);
        assert_ok!(Registry::pardon(RuntimeOrigin::root(), account(4)));
        let again = Registry::pardon(RuntimeOrigin::root(), account(4));
        assert_noop!(again, Error::<Test>::NotBanned);
        assert_ok!(announce(4));
    });
}

/// R17.5: who censored again and again is out, too; its keys are its own still.
#[test]
fn r17_5_repeated_censorship_bars_for_ever_and_leaves_the_keys() {
    run(|| {
        stand(4, 1);
        session_ends(2);
        session_ends(3);
        put_in_force(&[1, 2, 3, 4], true);
        offend(4, OffenceKind::Censorship);
        assert_eq!(elected().len(), 1, "the first time costs no seat");
        // All of the set at once.
        for n in [4, 1, 2, 3] {
            offend(n, OffenceKind::RepeatedCensorship);
            System::assert_last_event(Event::<Test>::Barred { account: account(n) }.into());
        }
        assert!(elected().is_empty());
        assert_noop!(announce(4), Error::<Test>::IsBanned);
        assert!(Banned::<Test>::contains_key(account(1)));
        // Two are the least there may be, and L1 is heard of by their relay votes.
        assert_eq!(Members::<Test>::get().len(), 2);
        planned(5, &[1, 2, 3, 4]);
        for index in 0..4 {
            assert!(Registry::relay_key(index).is_some(), "{index}");
        }
        // Who signs twice besides loses them.
        offend(4, OffenceKind::DoubleSign);
        assert_eq!(Registry::relay_key(3), None);
        assert_ok!(Registry::pardon(RuntimeOrigin::root(), account(4)));
        assert!(!KeysKept::<Test>::contains_key(account(4)));
        assert_ok!(announce(4));
        assert_ok!(Registry::pardon(RuntimeOrigin::root(), account(1)));
        assert!(!KeysKept::<Test>::contains_key(account(1)));
    });
}

/// Six stand for the seats beside the three members; the numbers of those that have one, and
/// of the others, in session 3.
fn six_stand(seats: u32) -> (Vec<u8>, Vec<u8>) {
    MaxSequencers::set(3 + seats);
    for n in 4..=9 {
        assert_ok!(announce(n));
    }
    session_ends(1);
    (4..=9).for_each(vouch);
    session_ends(2);
    session_ends(3);
    assert!(PendingDraw::<Test>::get().is_none());
    (4..=9).partition(|n| elected().contains(&account(*n)))
}

/// R17.5: a set that is excluded as a whole does not stay small until the epoch is over.
#[test]
fn r17_5_seats_of_those_that_are_out_are_drawn_before_the_epoch_ends() {
    for kind in [OffenceKind::RepeatedCensorship, OffenceKind::DoubleSign] {
        run(|| {
            let (out, others) = six_stand(3);
            assert_eq!((out.len(), others.len()), (3, 3));
            out.iter().for_each(|n| offend(*n, kind));
            assert!(elected().is_empty());
            assert!(PendingDraw::<Test>::get().is_none(), "not by each of them");
            // Session 5 does not end an epoch of two.
            session_ends(5);
            let draw = PendingDraw::<Test>::get().expect("it is announced");
            assert!(!draw.all);
            let standing: Vec<_> = draw.standing.iter().map(|one| one.account.clone()).collect();
            assert_eq!(standing, others.iter().map(|n| account(*n)).collect::<Vec<_>>());
            session_ends(7);
            let mut drawn = elected();
            drawn.sort();
            assert_eq!(drawn, standing);
            // Once.
            session_ends(9);
            assert!(PendingDraw::<Test>::get().is_none());
        });
    }
}

/// Who had to stay, since too few would have been left, goes when others have its seat; who
/// did nothing keeps its own.
#[test]
fn r17_5_who_is_out_and_had_to_stay_goes_with_the_draw() {
    run(|| {
        let (seated, others) = six_stand(2);
        assert_eq!((seated.len(), others.len()), (2, 4));
        // All of the set are needed.
        MinSequencers::set(5);
        offend(seated[0], OffenceKind::RepeatedCensorship);
        assert_eq!(elected().len(), 2);
        session_ends(5);
        session_ends(7);
        assert_eq!(elected().len(), 2);
        assert!(!elected().contains(&account(seated[0])));
        assert!(elected().contains(&account(seated[1])));
    });
}

#[test]
fn seq_offline_takes_seat_and_attestation_of_a_candidate() {
    run(|| {
        stand(4, 1);
        session_ends(2);
        session_ends(3);
        put_in_force(&[1, 2, 3, 4], true);
        offend(4, OffenceKind::Offline);
        System::assert_last_event(Event::<Test>::Removed { account: account(4) }.into());
        assert_eq!(planned(5, &[1, 2, 3, 4]), accounts(&[1, 2, 3]));
        // It may be vouched for again, and comes back.
        session_ends(6);
        vouch(4);
        session_ends(8);
        assert_eq!(session_ends(9), accounts(&[1, 2, 3, 4]));
        // Appointed ones, time-outs and jumps cost no seat.
        for kind in [OffenceKind::Timeout, OffenceKind::TimestampManipulation] {
            offend(4, kind);
        }
        offend(1, OffenceKind::Offline);
        assert_eq!((Members::<Test>::get().len(), elected().len()), (3, 1));
    });
}

/// R17.6: who keeps L1 from being attested loses its seat, which is drawn before the epoch
/// ends, and has to be vouched for again; others keep theirs.
#[test]
fn r17_6_who_withholds_relay_votes_makes_room_for_others() {
    run(|| {
        let (seated, others) = six_stand(3);
        assert_eq!((seated.len(), others.len()), (3, 3));
        for n in &seated[..2] {
            offend(*n, OffenceKind::Withholding);
            System::assert_last_event(Event::<Test>::Removed { account: account(*n) }.into());
            assert!(matches!(candidate(*n).attestation, Attestation::Waiting(_)));
        }
        assert_eq!(elected(), [account(seated[2])]);
        // Session 5 does not end an epoch of two.
        session_ends(5);
        let draw = PendingDraw::<Test>::get().expect("it is announced");
        assert!(!draw.all);
        let standing: Vec<_> = draw.standing.iter().map(|one| one.account.clone()).collect();
        assert_eq!(standing, others.iter().map(|n| account(*n)).collect::<Vec<_>>());
        session_ends(7);
        let drawn = elected();
        assert_eq!((drawn.len(), &drawn[0]), (3, &account(seated[2])));
        assert!(drawn[1..].iter().all(|one| standing.contains(one)));
    });
}

#[test]
fn r17_6_who_was_appointed_goes_as_well_and_enough_stay() {
    run(|| {
        offend(3, OffenceKind::Withholding);
        System::assert_last_event(Event::<Test>::Removed { account: account(3) }.into());
        // Two are the least there may be.
        offend(2, OffenceKind::Withholding);
        assert_eq!(Members::<Test>::get().len(), 2);
        assert_eq!(session_ends(1), accounts(&[1, 2]));
        // It is no ban.
        let member = Member { account: account(3), weight: 1 };
        assert_ok!(Registry::add_member(RuntimeOrigin::root(), member));
    });
}

/// R25.5: who led in vain loses its seat, which is drawn anew before the epoch ends;
/// nobody else's is, and once in an epoch.
#[test]
fn r25_5_seats_of_failed_leaders_are_drawn_early() {
    run(|| {
        MaxSequencers::set(4);
        for n in [4, 5] {
            assert_ok!(announce(n));
        }
        session_ends(1);
        [4, 5].into_iter().for_each(vouch);
        session_ends(2);
        session_ends(3);
        let [first] = &elected()[..] else { panic!("one seat is free") };
        let other = if *first == account(4) { account(5) } else { account(4) };
        Registry::on_low_liveness(&[first.clone(), account(1)]);
        assert!(elected().is_empty());
        assert_eq!(Members::<Test>::get().len(), 3, "who was appointed stays");
        L1Height::mutate(|height| *height += 10);
        let next = planned(5, &[1, 2, 3]);
        assert_eq!(elected(), std::slice::from_ref(&other));
        assert!(next.is_some_and(|next| next.contains(&other)));
        // In epoch 2 now; twice in one changes nothing.
        Registry::on_low_liveness(&[account(1)]);
        assert!(PendingDraw::<Test>::get().is_some_and(|draw| !draw.all));
        Registry::on_low_liveness(std::slice::from_ref(&other));
        assert_eq!(elected(), [other]);
    });
}

/// However many are elected at once, those who were there are a quorum of the new set,
/// and no draw replaces more than a third of a set.
#[test]
fn a_draw_never_seats_more_strangers_than_the_others_can_carry() {
    run(|| {
        MaxSequencers::set(9);
        for n in 4..=9 {
            assert_ok!(announce(n));
        }
        session_ends(1);
        (4..=9).for_each(vouch);
        session_ends(2);
        let mut now = vec![1, 2, 3];
        let mut sizes = Vec::new();
        for index in 3..8 {
            L1Height::mutate(|height| *height += 10);
            if let Some(next) = planned(index, &now) {
                now = next.iter().map(|one| <AccountId as AsRef<[u8]>>::as_ref(one)[0]).collect();
            }
            sizes.push(now.len());
        }
        assert_eq!(sizes, [4, 5, 7, 9, 9]);
        // Nobody but one stands any more: the others go by thirds.
        for n in 5..=9 {
            know(n, 0, 0);
        }
        let mut sizes = Vec::new();
        for index in 8..14 {
            L1Height::mutate(|height| *height += 10);
            if let Some(next) = planned(index, &now) {
                now = next.iter().map(|one| <AccountId as AsRef<[u8]>>::as_ref(one)[0]).collect();
            }
            sizes.push(now.len());
        }
        assert_eq!(sizes.last(), Some(&4));
        assert!(sizes.windows(2).all(|pair| pair[0] - pair[1] <= (pair[0] - 1) / 3), "{sizes:?}");
    });
}

/// Issue: a swarm of announcers with the least stake cannot keep better ones out.
#[test]
fn a_swarm_of_small_candidates_is_displaced_by_larger_ones() {
    run(|| {
        let small = |n: u32| {
            let mut bytes = [0xee; 32];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            AccountId::new(bytes)
        };
        Known::mutate(|known| {
            known.extend((0..MAX_CANDIDATES + 1).map(|n| (small(n), 70, MIN_STAKE)));
        });
        let announce_small = |n| {
            let origin = RuntimeOrigin::signed(small(n));
            Registry::announce(origin, Default::default(), None).map_err(|error| error.error)
        };
        for n in 0..MAX_CANDIDATES {
            assert_ok!(announce_small(n));
        }
        let full = announce_small(MAX_CANDIDATES).map(drop);
        assert_eq!(full, Err(Error::<Test>::TooManyCandidates.into()), "it weighs no more");
        assert_ok!(announce(4));
        assert_eq!(Candidates::<Test>::count(), MAX_CANDIDATES);
        let gone = (0..MAX_CANDIDATES).filter(|n| !Candidates::<Test>::contains_key(small(*n)));
        assert_eq!(gone.count(), 1);
    });
}
