//! Leader election and fail-over order.

mod support;

use std::collections::BTreeSet;

use cascoin_bft::*;
use proptest::prelude::*;

fn indices(order: &[u16]) -> Vec<SequencerIndex> {
    order.iter().copied().map(SequencerIndex).collect()
}

fn order(ranking: &[u16], author: Option<u16>, barred: &[u16]) -> Vec<SequencerIndex> {
    let barred = barred.iter().copied().map(SequencerIndex).collect();
    let order = leader_order(&indices(ranking), author.map(SequencerIndex), &barred).unwrap();
    order.as_slice().to_vec()
}

#[test]
fn terms_begin_at_height_one() {
    let terms = [0, 1, 10, 11, 20, 21].map(|height| term(Height(height), 10));
    assert_eq!(terms, [0, 0, 0, 1, 1, 2]);
    assert_eq!(term(Height(u32::MAX), 1), u32::MAX - 1);
    assert_eq!(term(Height(5), 0), 4);
}

#[test]
fn the_seed_is_the_documented_hash() {
    // printf 'CASL2LEAD1' + 32 × 01 + 05000000 + 32 × 02 | sha256sum
    assert_eq!(
        hex(&ranking_seed(&[1; 32], 5, &[2; 32])),
        "4de4143faa5a012882338bf823f3d611e92eb6e7f31f127794bf0b71bcfe7f4e"
    );
}

#[test]
fn the_ranking_of_a_fixed_seed_never_changes() {
    // Computed by an independent program (Python, hashlib).
    assert_eq!(
        ranking(&[7; 32], &[10, 0, 5, u64::MAX, 0, 1, 700]),
        indices(&[3, 6, 2, 0, 5, 4, 1])
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn sticky_leader_then_the_ranking_after_it() {
    assert_eq!(order(&[2, 0, 3, 1], None, &[]), indices(&[2, 0, 3, 1]));
    assert_eq!(order(&[2, 0, 3, 1], Some(3), &[]), indices(&[3, 1, 2, 0]));
    assert_eq!(order(&[2, 0, 3, 1], Some(9), &[]), indices(&[2, 0, 3, 1]));
}

#[test]
fn barred_sequencers_are_skipped_unless_all_are() {
    assert_eq!(order(&[2, 0, 3, 1], Some(3), &[3, 2]), indices(&[1, 0]));
    assert_eq!(order(&[2, 0, 3, 1], None, &[2, 9]), indices(&[0, 3, 1]));
    assert_eq!(order(&[2, 0, 3, 1], Some(0), &[0, 1, 2, 3]), indices(&[0, 3, 1, 2]));
}

#[test]
fn bad_orders_are_refused() {
    assert_eq!(LeaderOrder::new(vec![]), Err(ScheduleError::Empty));
    let index = SequencerIndex(1);
    assert_eq!(LeaderOrder::new(indices(&[1, 0, 1])), Err(ScheduleError::Duplicate { index }));
    assert_eq!(leader_order(&[], None, &BTreeSet::new()), Err(ScheduleError::Empty));
}

#[test]
fn rounds_go_round_the_order() {
    let order = LeaderOrder::new(indices(&[2, 0, 1])).unwrap();
    let leaders = [0, 1, 2, 3, u16::MAX].map(|round| order.leader(Round(round)).0);
    assert_eq!(leaders, [2, 0, 1, 2, 2]);
}

#[test]
fn weights_matter() {
    // Over fixed seeds: first place in proportion to weight, within four standard deviations, and
    // second place as sequential draws without replacement make it.
    let weights = [1u64, 2, 3, 4, 0];
    let draws = 20_000u32;
    let (mut first, mut second) = ([0u32; 5], [0u32; 5]);
    for term in 0..draws {
        let ranking = ranking(&ranking_seed(&[3; 32], term, &[4; 32]), &weights);
        first[usize::from(ranking[0].0)] += 1;
        second[usize::from(ranking[1].0)] += 1;
        assert_eq!(ranking[4], SequencerIndex(4), "no weight, last place");
    }
    let near = |count: u32, share: f64| {
        let (expected, n) = (share * f64::from(draws), f64::from(draws));
        (f64::from(count) - expected).abs() <= 4.0 * (n * share * (1.0 - share)).sqrt()
    };
    for (index, weight) in [0.1, 0.2, 0.3, 0.4].into_iter().enumerate() {
        assert!(near(first[index], weight), "{index}: {first:?}");
        let shares = [0.1, 0.2, 0.3, 0.4];
        let others = (0..4).filter(|other| *other != index);
        let share = others.map(|other| shares[other] * weight / (1.0 - shares[other])).sum();
        assert!(near(second[index], share), "{index}: {second:?}");
    }
}

#[test]
fn without_any_weight_all_are_equal() {
    let mut first = [0u32; 4];
    for term in 0..8_000 {
        let seed = ranking_seed(&[5; 32], term, &[6; 32]);
        first[usize::from(ranking(&seed, &[0; 4])[0].0)] += 1;
    }
    assert!(first.iter().all(|count| (1_850..2_150).contains(count)), "{first:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn p2_election_is_deterministic_and_ranks_everybody_once(
        seed in any::<[u8; 32]>(),
        weights in proptest::collection::vec(prop_oneof![Just(0), 1u64..100, any::<u64>()], 0..64),
    ) {
        let ranked = ranking(&seed, &weights);
        prop_assert_eq!(&ranked, &ranking(&seed, &weights.clone()));
        let mut sorted = ranked.clone();
        sorted.sort();
        prop_assert_eq!(sorted, indices(&(0..weights.len() as u16).collect::<Vec<_>>()));
        let weightless = ranked.iter().map(|index| weights[usize::from(index.0)] == 0);
        prop_assert!(weightless.is_sorted(), "weightless last");
    }

    #[test]
    fn p3_failover_order_is_the_same_on_all_nodes_and_visits_everybody(
        seed in any::<[u8; 32]>(),
        weights in proptest::collection::vec(any::<u64>(), 1..64),
        author in proptest::option::of(0u16..70),
        barred in proptest::collection::btree_set(0u16..70, 0..5),
    ) {
        let author = author.map(SequencerIndex);
        let barred = barred.into_iter().map(SequencerIndex).collect::<BTreeSet<_>>();
        let ranked = ranking(&seed, &weights);
        let order = leader_order(&ranked, author, &barred).unwrap();
        prop_assert_eq!(&order, &leader_order(&ranking(&seed, &weights), author, &barred).unwrap());
        // Everybody allowed leads once in as many rounds, nobody else ever.
        let len = order.as_slice().len();
        let led = (0..len).map(|round| order.leader(Round(round as u16))).collect::<BTreeSet<_>>();
        let allowed = ranked.iter().copied().filter(|i| !barred.contains(i)).collect::<BTreeSet<_>>();
        let expected = if allowed.is_empty() { ranked.iter().copied().collect() } else { allowed };
        prop_assert_eq!(&led, &expected);
        prop_assert_eq!(led.len(), len);
        // The parent's author stays, if it may, and the order is the ranking's, cyclically.
        if let Some(author) = author.filter(|author| expected.contains(author)) {
            prop_assert_eq!(order.leader(Round::ZERO), author);
        }
        let kept = ranked.iter().filter(|i| expected.contains(i)).copied().collect::<Vec<_>>();
        let start = kept.iter().position(|i| *i == order.leader(Round::ZERO)).unwrap();
        let turned = kept.iter().cycle().skip(start).take(len).copied().collect::<Vec<_>>();
        prop_assert_eq!(order.as_slice(), &turned[..]);
    }
}
