//! Whom lots fall on is settled before their chance is known.

use crate::{
    candidates::{Attestation, Candidate},
    clusters::join,
    link_tests::origin,
    mock::*,
    pallet::{Banned, Candidates, Clusters, Elected, Links, PendingDraw},
};
use cascoin_l2_primitives::{chain::AccountId, l1::L1Hash, sequencers::OnCorrelation};
use frame_support::assert_ok;
use proptest::prelude::*;
use std::{collections::BTreeSet, ops::Range};

/// Who stands in these draws, each alone at first, beside the members 1 to 3.
const STANDING: Range<u8> = 4..12;

fn weight(n: u8) -> u64 {
    (70 + u64::from(n)) * 10 * u64::from(n)
}

fn stand(n: u8) {
    know(n, 70 + u64::from(n), u128::from(n) * u128::from(n) * 100 * COIN);
    let candidate = Candidate {
        announced_at: 1,
        controller: account(n),
        confirmed: true,
        endpoint: Default::default(),
        weight: 0,
        attestation: Attestation::Given { since: 0 },
    };
    Candidates::<Test>::insert(account(n), candidate);
}

fn candidate_weight(n: u8) -> u64 {
    Candidates::<Test>::get(account(n)).expect("it stands").weight
}

/// A draw of so many seats for all that stand, decided by this hash. `before` it is
/// announced, and `after` that, something happens. `told` is what the test asks then.
fn draw<R>(
    hash: [u8; 32],
    seats: u8,
    before: impl FnOnce(),
    after: impl FnOnce(),
    told: impl FnOnce() -> R,
) -> R {
    three_members().execute_with(|| {
        MaxSequencers::set(3 + u32::from(seats));
        put_in_force(&[1, 2, 3], true);
        STANDING.for_each(stand);
        before();
        Registry::schedule_draw(2, true, &[]);
        // L1 shows its block, and L2 is about to apply it.
        L1Blocks::set((100..=120).map(|height| (height, L1Hash(hash))).collect());
        after();
        Registry::try_draw(3);
        assert!(!PendingDraw::<Test>::exists(), "it was held");
        assert_eq!(Registry::check_state(), Ok(()));
        told()
    })
}

fn elected() -> BTreeSet<u8> {
    let number = |account: &AccountId| AsRef::<[u8]>::as_ref(account)[0];
    Elected::<Test>::get().iter().map(|seat| number(&seat.account)).collect()
}

/// All that stand, in the order in which lots fall on them: whoever is added by one more
/// seat.
fn order(hash: [u8; 32]) -> Vec<u8> {
    let mut order = Vec::new();
    for seats in 1..=STANDING.end - STANDING.start {
        let mut elected = draw(hash, seats, || (), || (), elected);
        order.iter().for_each(|known| assert!(elected.remove(known)));
        assert_eq!(elected.len(), 1);
        order.extend(elected);
    }
    order
}

/// Those of an order that are left get the seats.
fn first(order: &[u8], seats: u8, is_left: impl Fn(u8) -> bool) -> BTreeSet<u8> {
    order.iter().copied().filter(|n| is_left(*n)).take(seats.into()).collect()
}

/// What takes a candidate out of a draw that was announced.
fn drop_out(n: u8, way: u8) {
    match way {
        0 => {
            assert_ok!(Registry::resign(origin(n)));
        }
        1 => know(n, 0, MIN_STAKE),
        2 => know(n, 100, 0),
        3 => Keyless::mutate(|keyless| keyless.push(account(n))),
        _ => Banned::<Test>::insert(account(n), ()),
    }
}

/// What makes two candidates one.
fn become_one(one: u8, other: u8, way: u8) {
    match way {
        0 => Registry::on_correlation(&account(one), &account(other)),
        1 => Clusters::<Test>::mutate(|list| join(list, &account(one), &account(other), |_| true)),
        _ => {
            assert_ok!(Registry::accept(origin(other), account(one)));
        }
    }
}

/// `one` has named `other`, who has not said anything yet.
fn name_controller(one: u8, other: u8) {
    Candidates::<Test>::mutate(account(one), |candidate| {
        let candidate = candidate.as_mut().expect("it stands");
        (candidate.controller, candidate.confirmed) = (account(other), false);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Attack: who sees the L1 block that decides takes some of its candidates out, and has
    /// the best of as many draws as there are ways to do so.
    #[test]
    fn r22_4_whoever_drops_out_after_the_announcement_changes_nobody_elses_lot(
        hash: [u8; 32],
        seats in 1u8..=8,
        ways in prop::array::uniform8(prop::option::of(0u8..5)),
    ) {
        let order = order(hash);
        let out: Vec<_> = STANDING.zip(ways).filter_map(|(n, way)| Some((n, way?))).collect();
        let drop_all = || out.iter().for_each(|(n, way)| drop_out(*n, *way));
        let elected = draw(hash, seats, || (), drop_all, elected);
        let expected = first(&order, seats, |n| !out.iter().any(|(gone, _)| *gone == n));
        prop_assert_eq!(elected, expected);
    }

    /// Attack: a proof that two are one, or a controller's word, is kept back until the L1
    /// block is there that decides. It costs the later of the two its seat, and moves no lot.
    #[test]
    fn r22_3_a_late_link_costs_a_seat_and_changes_nobody_elses_lot(
        hash: [u8; 32],
        // Sets of up to nine, of which an entity has one seat.
        seats in 1u8..=6,
        one in STANDING,
        other in STANDING,
        way in 0u8..3,
    ) {
        prop_assume!(one != other);
        let order = order(hash);
        let elected = draw(
            hash,
            seats,
            || name_controller(one, other),
            || become_one(one, other, way),
            elected,
        );
        let place = |n: u8| order.iter().position(|drawn| *drawn == n);
        let later = if place(one) < place(other) { other } else { one };
        prop_assert_eq!(elected, first(&order, seats, |n| n != later));
    }
}

/// What somebody weighs is settled with the draw: alone and as a part of its entity.
#[test]
fn r22_3_weights_are_those_of_the_announcement() {
    let weights = || STANDING.map(candidate_weight).collect::<Vec<_>>();
    let own: Vec<_> = STANDING.map(weight).collect();
    // Nobody has more than a fifth.
    assert_eq!((own.iter().sum::<u64>(), own[7]), (46_920, 8_910));
    let later = || {
        become_one(10, 11, 0);
        know(4, 70, MIN_STAKE);
    };
    assert_eq!(draw([7; 32], 6, || (), later, weights), own);
    let then = draw([7; 32], 6, || become_one(10, 11, 0), || (), weights);
    // The others' 30,010 are four fifths; of the last one 8,000 are of 10 and 8,910 of 11.
    assert_eq!(then[..6], own[..6]);
    assert_eq!(then[6..], [3_549, 3_952]);
}

/// Attack: whoever knows the chance has a link end, by a report that pushes it out or by its
/// time. It costs the seat all the same.
#[test]
fn r22_3_a_link_that_ends_before_the_draw_gives_nobody_a_seat() {
    let both = |elected: &BTreeSet<u8>| elected.contains(&10) && elected.contains(&11);
    // Of nine an entity has one seat.
    let hash = (0..=u8::MAX).map(|n| [n; 32]);
    let hash = hash.into_iter().find(|hash| both(&draw(*hash, 6, || (), || (), elected)));
    let hash = hash.expect("they weigh most");
    let linked = draw(hash, 6, || become_one(10, 11, 0), || (), elected);
    assert!(!both(&linked));
    let ended = draw(hash, 6, || become_one(10, 11, 0), Links::<Test>::kill, elected);
    assert!(!both(&ended));
}

/// A draw of the free seats that waits for its chance does not swallow that of the epoch.
#[test]
fn r22_4_a_draw_of_all_seats_follows_one_of_the_free_ones() {
    three_members().execute_with(|| {
        MaxSequencers::set(6);
        put_in_force(&[1, 2, 3], true);
        STANDING.for_each(stand);
        let announced = || PendingDraw::<Test>::get().map(|draw| (draw.all, draw.all_due));
        Registry::schedule_draw(2, false, &[]);
        assert_eq!(announced(), Some((false, false)));
        Registry::schedule_draw(2, true, &[]);
        Registry::schedule_draw(2, false, &[]);
        assert_eq!(announced(), Some((false, true)));
        L1Blocks::set((100..=120).map(|height| (height, L1Hash([7; 32]))).collect());
        Registry::try_draw(3);
        assert_eq!(elected().len(), 3);
        assert_eq!(announced(), Some((true, false)), "announced when the first was held");
        assert_eq!(Registry::check_state(), Ok(()));
    });
}

/// Who keeps a seat takes no part in a draw of those that are free.
#[test]
fn r25_5_an_early_draw_is_among_those_without_a_seat() {
    let first = draw([7; 32], 3, || (), || (), elected);
    draw(
        [7; 32],
        3,
        || (),
        || (),
        || {
            let failed: Vec<_> = first.iter().take(1).map(|n| account(*n)).collect();
            assert!(Registry::take_seat(&failed[0]));
            Registry::schedule_draw(4, false, &failed);
            let standing = PendingDraw::<Test>::get().expect("it was announced").standing;
            assert!(standing.is_sorted_by_key(|one| one.account.clone()));
            let standing: BTreeSet<_> = standing.into_iter().map(|one| one.account).collect();
            let others: BTreeSet<_> =
                STANDING.filter(|n| !first.contains(n)).map(account).collect();
            assert_eq!(standing, others);
        },
    );
}
