//! From an announcement to a seat, and out again.

use crate::{
    attestation,
    candidates::{Attestation, MAX_CANDIDATES},
    mock::*,
    pallet::{Banned, Candidates, Elected, Error, Event, Members},
    Member, MemberOf,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    sequencers::{Offence, OffenceKind, OnLowLiveness, OnOffence, StakeCommitment},
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

/// What pallet-session is told when session `index` is planned, with 1 to 3 in force.
fn session_ends(index: u32) -> Option<Vec<AccountId>> {
    put_in_force(&[1, 2, 3], true);
    <Registry as SessionManager<AccountId>>::new_session(index)
}

fn accounts(order: &[u8]) -> Option<Vec<AccountId>> {
    Some(order.iter().map(|n| account(*n)).collect())
}

/// All three sequencers vouch for `n`.
fn vouch(n: u8) {
    for sequencer in 1..=3 {
        assert_ok!(Registry::attest(origin(sequencer), account(n), true));
    }
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
        // The session ends: it is asked about; an epoch that ends now is too early.
        assert_eq!(session_ends(2), None);
        vouch(4);
        System::assert_last_event(Event::<Test>::Attested { account: account(4) }.into());
        assert_eq!(session_ends(3), None, "not the end of an epoch");
        assert_eq!(session_ends(4), accounts(&[1, 2, 3, 4]));
        let elected = Elected::<Test>::get();
        // 80 × √100
        assert_eq!(elected.to_vec(), [Member { account: account(4), weight: 800 }]);
        put_in_force(&[1, 2, 3, 4], true);
        assert_eq!(Registry::sequencer_set().members[3].weight, 800);
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
        know(5, 60, 100 * COIN);
        Keyless::set(vec![account(6)]);
        session_ends(2);
        let elected: Vec<_> = Elected::<Test>::get().into_iter().map(|one| one.account).collect();
        assert_eq!(elected, [account(4)], "5 has no score, 6 no keys, and nobody vouches for 7");
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
        // All of three are needed. Another set is asked anew.
        SetId::set(1);
        assert_noop!(Registry::attest(origin(3), account(4), true), Error::<Test>::NoPoll);
        session_ends(2);
        vouch(4);
        assert_noop!(Registry::attest(origin(3), account(4), true), Error::<Test>::NoPoll);
    });
}

#[test]
fn a_candidate_that_is_refused_may_come_again() {
    run(|| {
        assert_ok!(announce(4));
        session_ends(1);
        assert_ok!(Registry::attest(origin(1), account(4), true));
        assert_ok!(Registry::attest(origin(2), account(4), false));
        System::assert_last_event(Event::<Test>::Refused { account: account(4) }.into());
        assert!(!Candidates::<Test>::contains_key(account(4)));
        assert_ok!(announce(4));
    });
}

#[test]
fn who_is_asked_follows_from_chance_that_comes_later() {
    run(|| {
        let members = 64;
        let one = attestation::open(0, members, &account(4), &[1; 32]);
        let other = attestation::open(0, members, &account(4), &[2; 32]);
        assert_ne!(one.sample, other.sample);
        assert_ok!(announce(4));
        let stored = Candidates::<Test>::get(account(4)).expect("it announced itself");
        assert_eq!(stored.attestation, Attestation::Open(Default::default()));
    });
}

#[test]
fn stake_stays_until_a_sequencer_is_out_of_the_set() {
    run(|| {
        assert_eq!(Registry::committed(&account(4)), 0);
        assert_eq!(Registry::committed(&account(1)), 0, "appointed, without stake");
        assert_ok!(announce(4));
        assert_eq!(Registry::committed(&account(4)), MIN_STAKE);
        session_ends(1);
        vouch(4);
        session_ends(2);
        put_in_force(&[1, 2, 3, 4], true);
        assert_ok!(Registry::resign(origin(4)));
        assert_noop!(Registry::resign(origin(4)), Error::<Test>::NotACandidate);
        assert_eq!(Registry::committed(&account(4)), MIN_STAKE, "it still signs");
        let next = <Registry as SessionManager<AccountId>>::new_session(3);
        assert_eq!(next, accounts(&[1, 2, 3]));
        put_in_force(&[1, 2, 3], true);
        assert_eq!(Registry::committed(&account(4)), 0);
    });
}

#[test]
fn r2b8_nobody_resigns_below_the_minimum() {
    run(|| {
        MinSequencers::set(4);
        assert_ok!(announce(4));
        session_ends(1);
        vouch(4);
        session_ends(2);
        put_in_force(&[1, 2, 3, 4], true);
        assert_noop!(Registry::resign(origin(4)), Error::<Test>::TooFewSequencers);
        offend(4, OffenceKind::Offline);
        assert_eq!(Elected::<Test>::get().len(), 1, "the set would be too small");
        // Elections leave such a set as it is.
        know(4, 0, 0);
        session_ends(4);
        assert_eq!(Elected::<Test>::get().len(), 1);
        MinSequencers::set(2);
        session_ends(6);
        assert_eq!(Elected::<Test>::get().len(), 0);
    });
}

#[test]
fn seq_double_sign_bars_for_ever() {
    run(|| {
        assert_ok!(announce(4));
        session_ends(1);
        vouch(4);
        session_ends(2);
        offend(4, OffenceKind::DoubleSign);
        System::assert_last_event(Event::<Test>::Barred { account: account(4) }.into());
        assert!(Elected::<Test>::get().is_empty());
        assert_noop!(announce(4), Error::<Test>::IsBanned);
        // An appointed one, too.
        offend(3, OffenceKind::DoubleSign);
        assert_eq!(session_ends(3), accounts(&[1, 2]));
        let again = Registry::add_member(
            RuntimeOrigin::root(),
            Member { account: account(3), weight: 1 },
        );
        assert_noop!(again, Error::<Test>::IsBanned);
        // But two are the least there may be.
        offend(2, OffenceKind::DoubleSign);
        assert_eq!(Members::<Test>::get().len(), 2);
        assert_noop!(Registry::pardon(origin(1), account(4)), BadOrigin);
        assert_ok!(Registry::pardon(RuntimeOrigin::root(), account(4)));
        assert_noop!(
            Registry::pardon(RuntimeOrigin::root(), account(4)),
            Error::<Test>::NotBanned
        );
        assert_ok!(announce(4));
    });
}

#[test]
fn seq_offline_takes_seat_and_attestation_of_a_candidate() {
    run(|| {
        assert_ok!(announce(4));
        session_ends(1);
        vouch(4);
        session_ends(2);
        put_in_force(&[1, 2, 3, 4], true);
        offend(4, OffenceKind::Offline);
        System::assert_last_event(Event::<Test>::Removed { account: account(4) }.into());
        assert_eq!(<Registry as SessionManager<AccountId>>::new_session(3), accounts(&[1, 2, 3]));
        // It may be vouched for again, and comes back.
        session_ends(3);
        vouch(4);
        assert_eq!(session_ends(4), accounts(&[1, 2, 3, 4]));
        // Appointed ones, time-outs and jumps cost no seat.
        for kind in [OffenceKind::Timeout, OffenceKind::TimestampManipulation] {
            offend(4, kind);
        }
        offend(1, OffenceKind::Offline);
        assert_eq!((Members::<Test>::get().len(), Elected::<Test>::get().len()), (3, 1));
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
        let displaced = (0..MAX_CANDIDATES).filter(|n| !Candidates::<Test>::contains_key(small(*n)));
        assert_eq!(displaced.count(), 1);
    });
}

#[test]
fn r25_5_seats_are_drawn_early_when_blocks_come_late() {
    run(|| {
        assert_ok!(announce(4));
        session_ends(1);
        vouch(4);
        Registry::on_low_liveness();
        assert_eq!(session_ends(3), accounts(&[1, 2, 3, 4]), "not the end of an epoch");
        assert_ok!(announce(5));
        session_ends(5);
        vouch(5);
        session_ends(7);
        assert_eq!(Elected::<Test>::get().len(), 1, "once");
    });
}
