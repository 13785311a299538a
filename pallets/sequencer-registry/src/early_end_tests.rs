//! Sessions that end early, because keys were revoked: they take accounts out of the set,
//! and decide nothing else.

use crate::{
    candidates::Attestation,
    mock::*,
    pallet::{BarredKeys, Candidates, Clock, Elected, ForcedRotations, PendingDraw},
    revocation_tests::{four, name, origin, revoke, rotates_to, COLD},
    Member,
};
use cascoin_l2_primitives::sequencers::SequencerSetProvider;
use frame_support::assert_ok;

fn join(n: u8) {
    let member = Member { account: account(n), weight: 1 };
    assert_ok!(Registry::add_member(RuntimeOrigin::root(), member));
}

/// Ends the sessions that are to end early; how many there were.
fn early_ends() -> u32 {
    let mut ends = 0;
    while Registry::rotation_is_forced() {
        rotate();
        ends += 1;
        assert!(ends <= 2, "a revocation ends two sessions");
    }
    ends
}

fn attestation(n: u8) -> Attestation {
    Candidates::<Test>::get(account(n)).expect("it announced itself").attestation
}

/// ADR 0015: chance falls back on the last L2 block, whose leader can choose among many,
/// only where L1 stands still for an epoch. A draw waits for an L1 block, which is one
/// short; six sequencers revoke their keys.
#[test]
fn r30_5_revocations_bring_neither_a_draw_nor_a_poll_nearer() {
    four(|| {
        MaxSequencers::set(10);
        (5..=8).for_each(join);
        settle(&[1, 2, 3, 4, 5, 6, 7, 8]);
        (4..=8).for_each(|n| name(n, Some(COLD)));
        for n in [9, 10] {
            know(n, 80, MIN_STAKE);
            assert_ok!(Registry::announce(origin(n), Default::default(), None));
        }
        Candidates::<Test>::mutate(account(9), |stored| {
            let candidate = stored.as_mut().expect("it announced itself");
            candidate.attestation = Attestation::Given { since: 5 };
        });
        rotate();
        rotate();
        assert_eq!(Clock::<Test>::get(), 6);
        let draw = PendingDraw::<Test>::get().expect("an epoch is over");
        assert_eq!((draw.wait.l1_height, draw.wait.since, draw.standing.len()), (102, 6, 1));
        Candidates::<Test>::mutate(account(10), |stored| {
            let candidate = stored.as_mut().expect("it announced itself");
            candidate.attestation = Attestation::Waiting(draw.wait);
        });

        L1Height::set(101);
        for n in 3..=8 {
            revoke(COLD, n);
            assert_eq!(early_ends(), 2);
            assert_eq!(PendingDraw::<Test>::get().as_ref(), Some(&draw), "nothing is drawn");
            assert_eq!(attestation(10), Attestation::Waiting(draw.wait), "nobody is asked");
            assert_eq!(Clock::<Test>::get(), 6);
        }
        assert_eq!(ForcedRotations::<Test>::get().ever, 12);
        rotate();
        assert_eq!(Clock::<Test>::get(), 7, "the clock goes on where it stood");
        assert_eq!(PendingDraw::<Test>::get().as_ref(), Some(&draw));

        L1Height::set(102);
        rotate();
        assert_eq!(Elected::<Test>::get()[0].account, account(9));
        assert!(matches!(attestation(10), Attestation::Open(_)));
    });
}

/// Also where a regular end is one of the two: it is a regular one.
#[test]
fn r30_5_a_regular_end_counts_though_it_was_to_be_forced() {
    four(|| {
        SessionBlocks::set(10);
        rotate();
        let clock = Clock::<Test>::get();
        revoke(COLD, 3);
        System::set_block_number(20);
        rotates_to(&[1, 2, 4]);
        assert_eq!(Clock::<Test>::get(), clock + 1);
        System::set_block_number(21);
        rotates_to(&[1, 2, 4]);
        assert_eq!(Clock::<Test>::get(), clock + 1);
        assert!(!Registry::rotation_is_forced());
        assert_eq!(Registry::members(), 3);
    });
}

/// Who joins waits for regular ends, unless there are too few without it.
#[test]
fn r30_5_nobody_joins_with_a_forced_rotation_unless_too_few_are_left() {
    four(|| {
        join(5);
        revoke(COLD, 3);
        rotates_to(&[1, 2, 4]);
        rotates_to(&[1, 2, 4]);
        assert!(!Registry::rotation_is_forced());
        rotates_to(&[1, 2, 4, 5]);
    });
    four(|| {
        MinSequencers::set(4);
        join(5);
        revoke(COLD, 3);
        rotates_to(&[1, 2, 4, 5]);
        rotates_to(&[1, 2, 4, 5]);
        assert_eq!(Registry::leaders(), 4);
    });
}

/// Two appointed members revoke their keys in turn and set new ones. Neither ends the
/// sessions that bring the other back.
#[test]
fn r30_5_two_that_revoke_in_turn_do_not_end_sessions_without_end() {
    four(|| {
        name(4, Some(COLD));
        rotate();
        let begin = Clock::<Test>::get();
        let mut purposes = 100..;
        let mut again = |n| {
            revoke(COLD, n);
            let ends = early_ends();
            set_keys(n, ed(n, purposes.next().expect("there are enough")));
            assert!(BarredKeys::<Test>::get().len() <= 2 * 3, "three kinds of keys each");
            ends
        };
        let mut early = 0;
        for turn in 0..20 {
            early += again(3 + turn % 2);
        }
        assert_eq!(early, 4, "each is out with the first time");
        assert_eq!(Clock::<Test>::get(), begin);
        assert_eq!(Registry::members(), 2);
        // Regular ends bring them back. Each begins anew as soon as it has keys in the next
        // set; were there no end to it, that would be with almost every end, two each.
        let is_planned = |n| {
            let queued = Queued::get();
            queued.iter().any(|(who, key)| *who == account(n) && !Registry::is_barred(who, key))
        };
        let regular = 12;
        for _ in 0..regular {
            rotate();
            for n in [3, 4] {
                if is_planned(n) {
                    early += again(n);
                }
            }
        }
        assert!(early > 4, "they were back");
        // An epoch is two sessions, and so many end in them. In each of them each of the two
        // ends two early, and no more.
        let epochs = regular / 2;
        assert!(early <= 4 + 4 * epochs, "{early} sessions ended early");
        assert_eq!(Clock::<Test>::get(), begin + regular);
        assert_eq!(ForcedRotations::<Test>::get().ever, early);
    });
}

/// One that the set cannot do without stays, with new keys each time.
#[test]
fn r30_5_an_account_ends_sessions_early_once_an_epoch() {
    four(|| {
        MinSequencers::set(4);
        rotate();
        let mut early = 0;
        for purpose in 100..120 {
            revoke(COLD, 3);
            assert_eq!(Registry::relay_key(2), None, "it is barred at once each time");
            early += early_ends();
            set_keys(3, ed(3, purpose));
        }
        assert_eq!(early, 2);
        // The epoch ends with the first of these; the second puts its keys in force.
        rotates_to(&[1, 2, 3, 4]);
        rotates_to(&[1, 2, 3, 4]);
        assert_eq!(Registry::relay_key(2), Some(ed(3, 119)));
        revoke(COLD, 3);
        assert_eq!(early_ends(), 2);
    });
}
