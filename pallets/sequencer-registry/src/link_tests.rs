//! Who counts as one with whom, and what it costs.

use crate::{
    links::{Groups, Link, LINKED_EPOCHS, MAX_LINKS},
    mock::*,
    pallet::{Clock, Elected, Event, Links},
};
use cascoin_l2_primitives::{
    chain::AccountId,
    sequencers::{Entities, OnCorrelation},
};
use frame_support::assert_ok;
use pallet_session::SessionManager;
use proptest::prelude::*;

pub(crate) fn origin(n: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(n))
}

/// Session `index` is planned, with new L1 blocks before it.
pub(crate) fn session_ends(index: u32) {
    L1Height::mutate(|height| *height += 10);
    put_in_force(&[1, 2, 3], true);
    <Registry as SessionManager<AccountId>>::new_session(index);
}

pub(crate) fn elected() -> Vec<AccountId> {
    let mut elected: Vec<_> = Elected::<Test>::get().into_iter().map(|seat| seat.account).collect();
    elected.sort();
    elected
}

pub(crate) fn are_one(one: u8, other: u8) -> bool {
    Registry::are_one(&account(one), &account(other))
}

/// 4 to 6 stand for three seats, and are vouched for, in session 1.
pub(crate) fn three_candidates(test: impl FnOnce()) {
    candidates_of([None; 3], test);
}

/// The same, of these controllers, who say nothing yet.
fn candidates_of(controllers: [Option<u8>; 3], test: impl FnOnce()) {
    three_members().execute_with(|| {
        frame_system::Pallet::<Test>::set_block_number(1);
        MaxSequencers::set(6);
        put_in_force(&[1, 2, 3], true);
        for (n, controller) in (4..=6).zip(controllers) {
            know(n, 80, 100 * COIN);
            let controller = controller.map(account);
            assert_ok!(Registry::announce(origin(n), Default::default(), controller));
        }
        session_ends(1);
        for candidate in 4..=6 {
            for sequencer in 1..=3 {
                assert_ok!(Registry::attest(origin(sequencer), account(candidate), true));
            }
        }
        test();
        assert_eq!(Registry::check_state(), Ok(()));
    });
}

#[test]
fn r22_1_correlated_sequencers_share_the_seats_of_one_until_the_link_ends() {
    three_candidates(|| {
        session_ends(2);
        session_ends(3);
        assert_eq!(elected(), [4, 5, 6].map(account));
        Registry::on_correlation(&account(4), &account(5));
        let until = 3 + 2 * LINKED_EPOCHS;
        let linked = Event::<Test>::Linked { first: account(4), second: account(5), until };
        System::assert_last_event(linked.into());
        assert!(Registry::is_known(&account(5), &account(4)));
        // Seats are drawn when an epoch ends.
        assert_eq!(elected().len(), 3);
        session_ends(4);
        session_ends(5);
        let now = elected();
        assert_eq!(now.len(), 2);
        assert!(now.contains(&account(6)));
        // By itself they are two again.
        let last = until + until % 2;
        session_ends(last);
        session_ends(last + 1);
        assert!(!are_one(4, 5));
        // Attestations have lapsed meanwhile, for those without a seat.
        assert_eq!(Links::<Test>::get().len(), 1, "it is forgotten when another comes");
        Registry::on_correlation(&account(1), &account(6));
        assert_eq!(Links::<Test>::get().len(), 1);
        assert!(are_one(1, 6) && !are_one(4, 5));
    });
}

/// A member that governance appointed takes its entity's seats, too.
#[test]
fn r22_1_a_candidate_that_is_one_with_a_member_gets_no_seat_beside_it() {
    three_candidates(|| {
        Registry::on_correlation(&account(1), &account(5));
        session_ends(2);
        session_ends(3);
        assert_eq!(elected(), [4, 6].map(account));
    });
}

/// Attack: a liar is absent together with each of several honest ones. It is linked with
/// each, and one with the first of them only.
#[test]
fn r22_1_a_liar_makes_no_entity_of_others() {
    three_candidates(|| {
        for candidate in 4..=6 {
            Registry::on_correlation(&account(1), &account(candidate));
        }
        assert!(Registry::is_known(&account(6), &account(1)));
        for (one, other) in [(4, 5), (4, 6), (5, 6)] {
            assert!(!Registry::is_known(&account(one), &account(other)));
            assert!(!are_one(one, other));
        }
        session_ends(2);
        session_ends(3);
        assert_eq!(elected(), [5, 6].map(account));
    });
}

/// Three are one if each two are linked.
#[test]
fn r22_1_three_that_are_linked_with_each_other_share_the_seats_of_one() {
    three_candidates(|| {
        for (one, other) in [(4, 5), (6, 4), (5, 6)] {
            session_ends(2);
            session_ends(3);
            assert!(elected().len() > 1, "{one} and {other}");
            Registry::on_correlation(&account(one), &account(other));
        }
        session_ends(4);
        session_ends(5);
        assert_eq!(elected().len(), 1);
    });
}

/// What holds when seats are drawn counts, and what held when that was announced.
#[test]
fn r22_1_links_of_the_announcement_and_of_the_draw_count() {
    three_candidates(|| {
        session_ends(2);
        Registry::on_correlation(&account(4), &account(5));
        session_ends(3);
        assert_eq!(elected().len(), 2);
    });
    three_candidates(|| {
        let link = Link { first: account(4), second: account(5), until: 3 };
        Links::<Test>::mutate(|links| links.try_push(link)).expect("there is room");
        session_ends(2);
        assert!(are_one(4, 5));
        session_ends(3);
        assert!(!are_one(4, 5));
        assert_eq!(elected().len(), 2, "they were when it was announced");
    });
}

/// So do entities: 5 becomes 4's, which is linked with 6, after the draw was announced.
#[test]
fn r22_3_entities_are_those_of_the_time_of_the_draw() {
    for linked in [false, true] {
        candidates_of([None, Some(4), None], || {
            session_ends(2);
            assert_ok!(Registry::accept(origin(4), account(5)));
            assert!(Registry::is_known(&account(5), &account(4)), "by their own word");
            if linked {
                Registry::on_correlation(&account(5), &account(6));
            }
            session_ends(3);
            assert_eq!(elected().len(), if linked { 1 } else { 2 });
        });
    }
}

/// R22.5: nobody is rewarded for reporting whom it belongs to, as far as is known.
#[test]
fn r22_5_controllers_and_linked_ones_are_known_as_one() {
    three_candidates(|| {
        assert!(are_one(4, 4) && !are_one(4, 5) && !are_one(1, 9));
        know(7, 80, 100 * COIN);
        assert_ok!(Registry::announce(origin(7), Default::default(), Some(account(9))));
        assert!(!are_one(7, 9), "it does not say so yet");
        assert_ok!(Registry::accept(origin(9), account(7)));
        assert!(are_one(7, 9) && are_one(9, 7));
        Registry::on_correlation(&account(9), &account(4));
        Registry::on_correlation(&account(4), &account(6));
        for (one, other) in [(7, 4), (4, 9), (4, 6)] {
            assert!(are_one(one, other), "{one} and {other}");
        }
        for (one, other) in [(7, 5), (7, 6), (9, 6)] {
            assert!(!are_one(one, other), "{one} and {other}");
        }
    });
}

#[test]
fn links_are_bounded() {
    three_members().execute_with(|| {
        for n in 0..MAX_LINKS as u8 + 1 {
            Clock::<Test>::put(u32::from(n) / 16);
            Registry::on_correlation(&account(n), &account(n + 100));
        }
        assert_eq!(Links::<Test>::get().len() as u32, MAX_LINKS);
        assert!(!are_one(0, 100) && are_one(1, 101));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// R22.1: every two of a group are paired, no two groups could be one, and who is in no
    /// pair is alone.
    #[test]
    fn r22_1_groups_are_of_such_as_are_all_paired(
        pairs in prop::collection::vec((0u8..8, 0u8..8), 0..30),
    ) {
        let paired = |a: u8, b: u8| pairs.contains(&(a, b)) || pairs.contains(&(b, a));
        let groups = Groups::of(pairs.iter().map(|(a, b)| (account(*a), account(*b))));
        let name = |n: u8| groups.name(account(n));
        let group_of = |n: u8| -> Vec<u8> { (0..8).filter(|m| name(*m) == name(n)).collect() };
        for a in 0..8u8 {
            let group = group_of(a);
            prop_assert_eq!(name(a), account(group[0]), "by its smallest");
            for b in 0..8u8 {
                let other = group_of(b);
                if group == other {
                    prop_assert!(a == b || paired(a, b));
                } else {
                    let all = group.iter().all(|a| other.iter().all(|b| paired(*a, *b)));
                    prop_assert!(!all, "{group:?} and {other:?}");
                }
            }
        }
    }
}
