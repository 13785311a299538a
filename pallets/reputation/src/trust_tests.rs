//! What is kept of the web of trust, and how it reaches accounts.

use crate::{
    link_tests::{address, wallet_signs},
    mock::*,
    pallet::{Event, TrustQueue, TrustQueueRange, TrustSeeds, Vertices},
    trust_reference::trust_of,
    types::{Ignored, MAX_HEARD, MAX_SAID},
    MAX_SPREAD,
};
use cascoin_l2_primitives::{
    l1::cvm::TrustKind::{Edge, Vote},
    relay::{L1BlockContext, L1Event, OnL1Event, TrustStatement},
    reputation::{ReputationProvider, Score},
};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};
use sp_core::H160;
use sp_runtime::{traits::BadOrigin, BuildStorage};

const SEED: H160 = H160([0xee; 20]);
const UNIT: u64 = COIN as u64;

fn person(number: u8) -> H160 {
    H160([number; 20])
}

fn edge(speaker: H160, subject: H160, weight: i8) -> TrustStatement {
    TrustStatement { kind: Edge, speaker, subject, weight, bond: 2 * UNIT }
}

/// As the relay does.
fn hear(statement: TrustStatement) {
    Reputation::on_event(&L1Event::Trust(statement), &L1BlockContext::default());
}

fn ignored() -> Option<Ignored> {
    match System::events().pop()?.event {
        RuntimeEvent::Reputation(Event::TrustIgnored { reason, .. }) => Some(reason),
        _ => None,
    }
}

fn next_block() {
    Reputation::on_idle(1, Weight::MAX);
    Reputation::check_state().expect("sound");
}

fn settle() {
    while TrustQueue::<Test>::iter().next().is_some() {
        next_block();
    }
}

fn with_seed(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        let seeds = vec![SEED].try_into().expect("one");
        assert_ok!(Reputation::set_trust_seeds(RuntimeOrigin::root(), seeds));
        settle();
        test();
    });
}

#[test]
fn r10_1_trust_on_l1_is_up_to_thirty_points_for_a_linked_account() {
    with_seed(|| {
        let (address, signature) = (address(1), wallet_signs(1, &Reputation::message(&BOB)));
        hear(edge(SEED, address, 80));
        settle();
        assert_eq!((trust_of(address), Reputation::score(&BOB).get()), (80, 0));

        assert_ok!(Reputation::link_l1_address(RuntimeOrigin::signed(BOB), signature));
        assert_eq!(Reputation::score(&BOB).get(), 24);
        let breakdown = Reputation::breakdown(&BOB);
        assert_eq!((breakdown.trust.get(), breakdown.l1.get()), (80, 24));

        // It follows what is said later, and the import holds whatever is computed.
        hear(edge(SEED, address, 50));
        settle();
        assert_eq!(Reputation::score(&BOB).get(), 15);
        for imported in [5, 95] {
            let score = Score::saturating(imported);
            assert_ok!(Reputation::set_l1_score(RuntimeOrigin::root(), BOB, score));
            assert_eq!(Reputation::score(&BOB), score);
        }
        assert_ok!(Reputation::set_l1_score(RuntimeOrigin::root(), BOB, Score::ZERO));
        assert_ok!(Reputation::unlink_l1_address(RuntimeOrigin::signed(BOB)));
        assert_eq!(Reputation::score(&BOB).get(), 0);
        assert_eq!(Reputation::check_state(), Ok(()));
    });
}

#[test]
fn the_later_statement_of_a_pair_replaces_the_earlier() {
    with_seed(|| {
        let statement = edge(SEED, person(1), 90);
        hear(statement);
        System::assert_last_event(Event::<Test>::TrustStated { statement }.into());
        settle();
        assert_eq!(trust_of(person(1)), 90);
        System::assert_last_event(
            Event::<Test>::TrustComputed { address: person(1), score: Score::saturating(90) }
                .into(),
        );
        hear(edge(SEED, person(1), 30));
        // Edge and vote are not the same.
        hear(TrustStatement { kind: Vote, ..edge(SEED, person(1), -30) });
        settle();
        assert_eq!(trust_of(person(1)), 15);
        assert_eq!(Vertices::<Test>::get(person(1)).incoming.len(), 2);
        // Taken back, and nothing is left of it.
        hear(edge(SEED, person(1), 0));
        hear(TrustStatement { kind: Vote, ..edge(SEED, person(1), 0) });
        settle();
        assert!(!Vertices::<Test>::contains_key(person(1)));
    });
}

#[test]
fn nobody_speaks_of_itself_nor_without_a_bond() {
    with_seed(|| {
        hear(edge(SEED, SEED, 100));
        assert_eq!(ignored(), Some(Ignored::OfItself));
        for (weight, bond, reason) in [
            (50, UNIT * 3 / 2 - 1, Some(Ignored::SmallBond)),
            (50, UNIT * 3 / 2, None),
            (-100, 2 * UNIT - 1, Some(Ignored::SmallBond)),
            (-100, 2 * UNIT, None),
            (0, UNIT - 1, Some(Ignored::SmallBond)),
        ] {
            hear(TrustStatement { bond, ..edge(SEED, person(1), weight) });
            assert_eq!(ignored(), reason, "{weight} with {bond}");
        }
    });
}

#[test]
fn the_smallest_bond_goes_first_and_strangers_before_friends() {
    with_seed(|| {
        let subject = person(200);
        // A friend with the smallest bond of all, and 31 strangers.
        hear(edge(SEED, subject, 100));
        for stranger in 1..MAX_HEARD as u8 {
            let bond = (10 + u64::from(stranger)) * UNIT;
            hear(TrustStatement { bond, ..edge(person(stranger), subject, -100) });
        }
        settle();
        assert_eq!(trust_of(subject), 100);

        let another = |number, bond| TrustStatement { bond, ..edge(person(number), subject, -100) };
        hear(another(100, 11 * UNIT - 1));
        assert_eq!(ignored(), Some(Ignored::NoRoom));
        hear(another(101, 11 * UNIT + 1));
        assert_eq!(ignored(), None);
        settle();
        let speakers: Vec<_> =
            Vertices::<Test>::get(subject).incoming.iter().map(|heard| heard.speaker).collect();
        assert_eq!(speakers.len(), MAX_HEARD as usize);
        assert!(speakers.contains(&SEED) && speakers.contains(&person(101)));
        assert!(!speakers.contains(&person(1)), "its bond was the smallest");
        assert!(!Vertices::<Test>::contains_key(person(1)), "nothing else was known of it");
        assert_eq!(trust_of(subject), 100);

        // Who has trust itself takes a stranger's place with any bond.
        hear(edge(SEED, person(102), 100));
        settle();
        hear(edge(person(102), subject, 10));
        assert_eq!(ignored(), None);
        settle();
    });
}

/// Whoever is trusted a little can share that with as many addresses as it has bonds for.
#[test]
fn r10_5_larger_bonds_do_not_push_out_who_is_trusted_more() {
    with_seed(|| {
        let (friend, traitor, subject) = (person(200), person(201), person(202));
        // With its own word that is all that the traitor can say.
        let others = 0..MAX_SAID as u8 - 1;
        hear(edge(SEED, friend, 50));
        hear(edge(SEED, traitor, 10));
        for number in others.clone() {
            hear(edge(traitor, person(number), 100));
        }
        hear(edge(SEED, subject, 60));
        hear(edge(friend, subject, 100));
        settle();
        assert_eq!((trust_of(subject), trust_of(person(0))), (60, 10));

        let against = |speaker, bond| TrustStatement {
            kind: Vote,
            bond: bond * UNIT,
            ..edge(speaker, subject, -100)
        };
        hear(against(traitor, 100));
        for number in others {
            hear(against(person(number), 101 + u64::from(number)));
        }
        settle();
        // 34 spoke of it. Of equals the smallest bonds are gone.
        let heard = Vertices::<Test>::get(subject).incoming;
        assert_eq!(heard.len(), MAX_HEARD as usize);
        let stands = |speaker| heard.iter().any(|heard| heard.speaker == speaker);
        assert!(stands(SEED) && stands(friend) && stands(traitor));
        assert!(!stands(person(0)) && !stands(person(1)) && stands(person(2)));
        // They weigh no more than the one of whom they have their trust: 1 against 6.
        assert_eq!(trust_of(subject), 51);
    });
}

#[test]
fn r10_5_praise_for_a_seed_is_no_clique() {
    with_seed(|| {
        hear(edge(SEED, person(1), 100));
        hear(edge(person(1), SEED, 100));
        hear(edge(SEED, person(2), 100));
        hear(TrustStatement { kind: Vote, ..edge(person(2), SEED, -100) });
        settle();
        assert_eq!(trust_of(SEED), 50);
    });
}

#[test]
fn a_speaker_is_heard_of_so_many_and_no_more() {
    with_seed(|| {
        for subject in 0..MAX_SAID as u8 {
            let bond = (10 + u64::from(subject)) * UNIT;
            hear(TrustStatement { bond, ..edge(SEED, person(subject), 50) });
        }
        settle();
        assert_eq!(trust_of(person(0)), 50);
        hear(edge(SEED, person(100), 50));
        assert_eq!(ignored(), Some(Ignored::NoRoom));
        hear(TrustStatement { bond: 50 * UNIT, ..edge(SEED, person(100), 50) });
        settle();
        assert_eq!((trust_of(person(0)), trust_of(person(100))), (0, 50));
        // One that replaces another needs no room.
        hear(edge(SEED, person(100), 60));
        settle();
        assert_eq!(trust_of(person(100)), 60);
    });
}

#[test]
fn r10_5_a_clique_gains_little_by_trusting_itself() {
    with_seed(|| {
        // One of five has an edge of a seed; all five trust each other.
        hear(edge(SEED, person(0), 50));
        for (from, to) in (0..5).flat_map(|a| (0..5).map(move |b| (a, b))).filter(|(a, b)| a != b) {
            hear(edge(person(from), person(to), 100));
        }
        settle();
        let scores: Vec<_> = (0..5).map(|number| trust_of(person(number))).collect();
        assert_eq!(scores, [50, 15, 15, 15, 15]);
        // Without a way in it is nothing, however many they are.
        hear(edge(SEED, person(0), 0));
        settle();
        assert!((0..5).all(|number| trust_of(person(number)) == 0));
    });
}

#[test]
fn trust_spreads_a_bounded_number_of_addresses_a_block() {
    with_seed(|| {
        let (start, end) = TrustQueueRange::<Test>::get();
        assert_eq!(start, end);
        for number in 0..10 {
            hear(edge(SEED, person(number), 40));
        }
        // Ten of whom is spoken, and who speaks; each once.
        let waiting = || TrustQueue::<Test>::iter().count() as u64;
        assert_eq!(waiting(), 11);
        next_block();
        assert_eq!(waiting(), 11 - MAX_SPREAD);
        settle();
        assert!((0..10).all(|number| trust_of(person(number)) == 40));
        // Without weight to spare nothing is done.
        hear(edge(SEED, person(3), 70));
        Reputation::on_idle(1, Weight::zero());
        assert_eq!((waiting(), trust_of(person(3))), (2, 40));
        settle();
        assert_eq!(trust_of(person(3)), 70);
    });
}

#[test]
fn r10_1_governance_names_the_seeds() {
    new_test_ext().execute_with(|| {
        hear(edge(SEED, person(1), 60));
        hear(edge(person(1), person(2), 50));
        settle();
        assert_eq!((trust_of(person(1)), trust_of(person(2))), (0, 0));
        let seeds = |all: &[H160]| all.to_vec().try_into().expect("few");
        let call = |origin, all: &[H160]| Reputation::set_trust_seeds(origin, seeds(all));
        assert_noop!(call(RuntimeOrigin::signed(ALICE), &[SEED]), BadOrigin);
        assert_ok!(call(RuntimeOrigin::root(), &[SEED]));
        System::assert_last_event(Event::<Test>::TrustSeedsSet { seeds: seeds(&[SEED]) }.into());
        settle();
        let scores = || [trust_of(SEED), trust_of(person(1)), trust_of(person(2))];
        assert_eq!(scores(), [100, 60, 30]);
        assert_ok!(call(RuntimeOrigin::root(), &[person(1)]));
        settle();
        assert_eq!(scores(), [0, 100, 50]);
        assert_ok!(call(RuntimeOrigin::root(), &[]));
        settle();
        assert_eq!(scores(), [0, 0, 0]);
    });
}

#[test]
fn a_genesis_can_name_seeds() {
    let config = crate::GenesisConfig::<Test> { trust_seeds: vec![SEED], ..Default::default() };
    let genesis = RuntimeGenesisConfig { reputation: config, ..Default::default() };
    let mut ext: sp_io::TestExternalities = genesis.build_storage().expect("valid").into();
    ext.execute_with(|| {
        assert_eq!(TrustSeeds::<Test>::get().to_vec(), [SEED]);
        settle();
        assert_eq!(trust_of(SEED), 100);
    });
}

#[test]
#[should_panic(expected = "at most 16")]
fn a_genesis_with_too_many_seeds_is_refused() {
    let trust_seeds = (0..17).map(person).collect();
    let config = crate::GenesisConfig::<Test> { trust_seeds, ..Default::default() };
    let _ = RuntimeGenesisConfig { reputation: config, ..Default::default() }.build_storage();
}
