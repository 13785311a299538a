//! Draws and polls, whatever the contenders.

use crate::{
    attestation,
    candidates::{Contender, Outcome},
    election::{cap, cap_entities, cap_set, elect, order, seats_per_entity, weigh, weight},
};
use cascoin_l2_primitives::{
    chain::{quorum, AccountId, Balance},
    reputation::Score,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const DECIMALS: u8 = 7;
const COIN: Balance = 10_000_000;

fn account(n: u16) -> AccountId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    AccountId::new(bytes)
}

fn contender(n: u16, score: u64, coins: Balance) -> Contender {
    Contender {
        account: account(n),
        entity: account(n),
        score: Score::saturating(score),
        stake: coins * COIN,
    }
}

/// Into how many equal shares all that these weigh is cut: nobody has more than one.
fn shares(weights: impl Iterator<Item = u128>) -> u128 {
    weights.filter(|weight| *weight > 0).count().min(5) as u128
}

fn weighed(contenders: Vec<Contender>) -> Vec<u64> {
    weigh(contenders, DECIMALS).into_iter().map(|one| one.weight).collect()
}

/// Where entities are the same at the draw as at its announcement.
fn drawn(seed: &[u8; 32], contenders: Vec<Contender>, seats: usize) -> Vec<(AccountId, u64)> {
    let entities: BTreeMap<_, _> =
        contenders.iter().map(|one| (one.account.clone(), one.entity.clone())).collect();
    let order = order(seed, &weigh(contenders, DECIMALS));
    let named = order.into_iter().map(|one| (entities[&one.account].clone(), one));
    elect(&named.collect::<Vec<_>>(), seats, &[])
}

#[test]
fn weight_grows_with_the_root_of_the_stake() {
    let of = |score, coins: Balance| weight(Score::saturating(score), coins * COIN, DECIMALS);
    assert_eq!(of(70, 100), 700);
    assert_eq!(of(70, 101), 770, "the root is rounded up");
    assert_eq!(of(70, 10_000), 7_000);
    assert_eq!(of(0, 10_000), 0);
    assert_eq!(weight(Score::MAX, Balance::MAX, 0), u64::MAX, "what does not fit saturates");
}

#[test]
fn r22_3_an_entity_gets_a_fifth_of_the_set_and_one_at_least() {
    assert_eq!([1, 4, 5, 9, 10, 21, 64].map(seats_per_entity), [1, 1, 1, 1, 2, 4, 12]);
    let mut sybils: Vec<_> = (0..50).map(|n| contender(n, 100, 1_000_000)).collect();
    for sybil in &mut sybils {
        sybil.entity = account(1_000);
    }
    // Of 21 seats four would be a fifth. But only four others stand: of a set of five
    // it is one.
    let mut few = sybils.clone();
    few.extend((100..104).map(|n| contender(n, 70, 100)));
    let elected = drawn(&[1; 32], few, 21);
    let theirs = |elected: &[(AccountId, u64)]| {
        elected.iter().filter(|(who, _)| *who < account(100)).count()
    };
    assert_eq!((elected.len(), theirs(&elected)), (5, 1));
    sybils.extend((100..110).map(|n| contender(n, 70, 100)));
    let elected = drawn(&[1; 32], sybils, 10);
    assert_eq!((elected.len(), theirs(&elected)), (10, 2));
}

#[test]
fn r22_3_nobody_weighs_more_than_a_fifth() {
    let mut contenders: Vec<_> = (0..5).map(|n| contender(n, 100, 100)).collect();
    contenders[0].stake = 1_000_000 * COIN;
    let weights = weighed(contenders.clone());
    assert_eq!(weights, [1_000; 5]);
    contenders.pop();
    let four = weighed(contenders);
    assert_eq!(four, [1_000; 4], "four cannot keep below a fifth, but to a fourth");
}

#[test]
fn r22_3_fewer_than_five_weigh_alike_but_for_those_that_weigh_nothing() {
    let capped = |mut weights: Vec<u64>| {
        cap(&mut weights);
        weights
    };
    assert_eq!(capped(vec![]), [0; 0]);
    assert_eq!(capped(vec![7]), [7]);
    assert_eq!(capped(vec![30, 10, 20]), [10; 3]);
    // One that governance gave no weight to is no share of anything.
    assert_eq!(capped(vec![30, 0, 20]), [20, 0, 20]);
    assert_eq!(capped(vec![9, 9, 0, 9, 9]), [9, 9, 0, 9, 9]);
    assert_eq!(capped(vec![0; 6]), [0; 6]);
    assert_eq!(capped(vec![u64::MAX; 70]), [u64::MAX; 70]);
}

#[test]
fn r22_3_an_entity_of_many_weighs_no_more_than_a_fifth() {
    let mut contenders: Vec<_> = (0..8).map(|n| contender(n, 100, 100)).collect();
    for one in &mut contenders[..4] {
        one.entity = account(0);
    }
    contenders[0].stake = 4 * 100 * COIN;
    let weights = weighed(contenders.clone());
    // Five entities: 5,000 of one are cut to the 1,000 that each of the others has. Of
    // these an account that weighed 2,000 has two fifths, rounded down.
    assert_eq!(weights, [399, 200, 200, 200, 1_000, 1_000, 1_000, 1_000]);
    contenders.pop();
    let four = weighed(contenders);
    // Of four entities each has a fourth, and is still one.
    assert_eq!(four, [399, 200, 200, 200, 1_000, 1_000, 1_000]);
}

/// Where the lightest weighs less than another entity has accounts, shares of one would be
/// rounded to nothing, and these accounts would never lead.
#[test]
fn r22_3_who_weighs_anything_is_not_rounded_to_nothing() {
    let of = |weights: &[(u16, u64)]| {
        weights.iter().map(|(entity, weight)| (account(*entity), *weight)).collect::<Vec<_>>()
    };
    let set = |weights: &[(u16, u64)]| {
        let mut weights = of(weights);
        cap_set(&mut weights);
        weights.into_iter().map(|(_, weight)| weight).collect::<Vec<_>>()
    };
    // Three entities, all alike: the two accounts of one have half of what the others have.
    assert_eq!(set(&[(0, 1), (0, 1), (1, 1), (2, 1)]), [2, 2, 4, 4]);
    assert_eq!(set(&[(0, 9), (0, 1), (1, 1), (2, 0)]), [2, 1, 4, 0]);
    // Where nobody is rounded to nothing, weights stay what they are.
    assert_eq!(set(&[(0, 9), (0, 1), (1, 2), (2, 5)]), [1, 1, 2, 2]);
    assert_eq!(set(&[(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]), [1; 5]);
    assert_eq!(set(&[(0, u64::MAX), (0, 1), (1, 700)]), [699, 1, 700]);
    assert_eq!(set(&[]), [0; 0]);
    let mut draw = of(&[(0, 1_000_000), (0, 1), (0, 0), (1, 70)]);
    cap_entities(&mut draw);
    assert_eq!(draw.into_iter().map(|(_, weight)| weight).collect::<Vec<_>>(), [69, 1, 0, 70]);
}

/// Attack: of five sequencers two are found to be one, and the cap is gone.
#[test]
fn r22_3_a_link_of_two_of_five_lets_nobody_weigh_more() {
    let mut weights: Vec<_> = [1_000_000, 300, 100, 100, 100]
        .into_iter()
        .zip(0..)
        .map(|(w, n)| (account(n), w))
        .collect();
    let capped = |weights: &[(AccountId, u64)]| {
        let mut weights = weights.to_vec();
        cap_entities(&mut weights);
        weights.into_iter().map(|(_, weight)| weight).collect::<Vec<_>>()
    };
    assert_eq!(capped(&weights), [100; 5]);
    weights[4].0 = account(3);
    // Two accounts with a fourth instead of two fifths.
    assert_eq!(capped(&weights), [100, 100, 100, 50, 50]);
    weights[1].0 = account(0);
    assert_eq!(capped(&weights), [98, 1, 100, 50, 50]);
}

/// R22.4: with more contenders than seats everybody gets its turn, who weighs twice as
/// much about twice as often.
#[test]
fn r22_4_seats_rotate_in_proportion_to_weight() {
    let contenders: Vec<_> =
        (0..20).map(|n| contender(n, if n < 10 { 100 } else { 50 }, 100)).collect();
    let mut seats: BTreeMap<AccountId, u32> = BTreeMap::new();
    for draw in 0..2_000u32 {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&draw.to_be_bytes());
        for (who, _) in drawn(&seed, contenders.clone(), 1) {
            *seats.entry(who).or_default() += 1;
        }
    }
    let (heavy, light): (u32, u32) =
        ((0..10).map(|n| seats[&account(n)]).sum(), (10..20).map(|n| seats[&account(n)]).sum());
    assert_eq!(heavy + light, 2_000);
    // Two thirds of 2,000; the seeds are fixed, so this cannot flicker.
    assert!((1_270..1_400).contains(&heavy), "{heavy}");
}

#[test]
fn without_any_weight_all_are_alike() {
    let contenders: Vec<_> = (0..3).map(|n| contender(n, 0, 0)).collect();
    assert_eq!(drawn(&[1; 32], contenders, 3).len(), 3);
    assert!(drawn(&[1; 32], vec![], 3).is_empty());
}

prop_compose! {
    fn any_contender()(n in 0u16..80, entity in 0u16..20, score in 0u64..=100, coins in 0u128..1 << 40)
        -> Contender
    {
        Contender { entity: account(entity), ..contender(n, score, coins) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// P2, of elections: the same facts give the same seats, whatever their order.
    #[test]
    fn p2_an_election_depends_on_facts_and_seed_alone(
        contenders in prop::collection::vec(any_contender(), 0..60),
        seats in 0usize..30,
        seed: [u8; 32],
    ) {
        // One account cannot stand for two.
        let unique: BTreeMap<_, _> =
            contenders.into_iter().map(|one| (one.account.clone(), one)).collect();
        let mut contenders: Vec<_> = unique.into_values().collect();
        let elected = drawn(&seed, contenders.clone(), seats);
        contenders.reverse();
        prop_assert_eq!(&elected, &drawn(&seed, contenders.clone(), seats));
        // A lot falls on each once.
        let standing = weigh(contenders.clone(), DECIMALS);
        let mut order = order(&seed, &standing);
        let mut reversed = standing.clone();
        reversed.reverse();
        prop_assert_eq!(&order, &self::order(&seed, &reversed));
        order.sort_by(|a, b| a.account.cmp(&b.account));
        prop_assert_eq!(order, standing);

        prop_assert!(elected.len() <= seats);
        let most = seats_per_entity(elected.len());
        let mut by_entity: BTreeMap<_, usize> = BTreeMap::new();
        for (who, _) in &elected {
            let one = contenders.iter().find(|one| one.account == *who).expect("it stood");
            *by_entity.entry(one.entity.clone()).or_default() += 1;
        }
        prop_assert!(by_entity.values().all(|count| *count <= most));
        // Every entity that has nobody in it is behind others only where seats are full.
        if elected.len() < seats {
            let kinds = contenders.iter().map(|one| &one.entity);
            for entity in kinds {
                prop_assert!(by_entity.get(entity).copied().unwrap_or(0) >= 1);
            }
        }
        let mut weights: Vec<_> = elected.iter().map(|(_, weight)| *weight).collect();
        weights.reverse();
        prop_assert!(weights.is_sorted());
    }

    /// R22.3: nothing grows, all that are cut are cut to one, and nobody has more of what
    /// is left than a fifth, or than 1/n of n < 5. Where nobody had, nothing is cut.
    #[test]
    fn weights_are_capped_to_a_fifth(
        weights in prop_oneof![
            prop::collection::vec(any::<u64>(), 0..70),
            prop::collection::vec(0u64..40, 0..9),
        ],
    ) {
        let mut capped = weights.clone();
        cap(&mut capped);
        let shares = shares(weights.iter().map(|weight| u128::from(*weight)));
        let all = |weights: &[u64]| weights.iter().map(|weight| u128::from(*weight)).sum::<u128>();
        let keep = |weights: &[u64]| {
            let all = all(weights);
            weights.iter().all(|weight| u128::from(*weight) * shares <= all)
        };
        prop_assert!(keep(&capped), "{capped:?}");
        let largest = capped.iter().max().copied().unwrap_or(0);
        for (before, after) in weights.iter().zip(&capped) {
            prop_assert_eq!(*after, (*before).min(largest));
        }
        if keep(&weights) {
            prop_assert_eq!(weights, capped);
        }
    }

    /// R22.3: the same of entities, of whose parts none grows; who stands alone is treated
    /// as before.
    #[test]
    fn r22_3_entities_are_capped_to_a_fifth(
        weights in prop_oneof![
            prop::collection::vec((0u16..12, 0u64..1 << 50), 0..70),
            prop::collection::vec((0u16..6, 0u64..1 << 50), 0..12),
        ],
    ) {
        let mut capped: Vec<_> =
            weights.iter().map(|(entity, weight)| (account(*entity), *weight)).collect();
        cap_entities(&mut capped);
        let mut entities: BTreeMap<_, [u128; 2]> = BTreeMap::new();
        for ((_, before), (entity, after)) in weights.iter().zip(&capped) {
            prop_assert!(after <= before);
            let [had, has] = entities.entry(entity).or_default();
            *had += u128::from(*before);
            *has += u128::from(*after);
        }
        let shares = shares(entities.values().map(|[had, _]| *had));
        let all: u128 = entities.values().map(|[_, has]| has).sum();
        // Rounding down takes less than one from each account.
        let rounding = capped.len() as u128;
        for [_, has] in entities.values() {
            prop_assert!(has * shares <= all + rounding);
        }
        let mut alone: Vec<_> =
            (0u16..).zip(&weights).map(|(n, (_, weight))| (account(n), *weight)).collect();
        cap_entities(&mut alone);
        let mut single: Vec<u64> = weights.iter().map(|(_, weight)| *weight).collect();
        cap(&mut single);
        prop_assert!(alone.iter().map(|(_, weight)| weight).eq(&single));
    }

    /// R22.3: whoever shares its stake out among several accounts has what one account would
    /// have, but for rounding down, and others have what they had.
    #[test]
    fn r22_3_nobody_gains_by_splitting_among_accounts(
        parts in prop::collection::vec(0u64..1 << 50, 1..10),
        others in prop::collection::vec(0u64..1 << 50, 0..10),
    ) {
        let others = others.into_iter().zip(1..).map(|(weight, n)| (account(n), weight));
        let others: Vec<_> = others.collect();
        let capped = |own: &[u64]| {
            let own_ones = own.iter().map(|weight| (account(0), *weight));
            let mut all: Vec<_> = own_ones.chain(others.iter().cloned()).collect();
            cap_entities(&mut all);
            let left = all.split_off(own.len());
            (all.iter().map(|(_, weight)| weight).sum::<u64>(), left)
        };
        let (split, beside) = capped(&parts);
        let (whole, beside_whole) = capped(&[parts.iter().sum()]);
        prop_assert!(split <= whole && whole - split < parts.len() as u64);
        prop_assert_eq!(beside, beside_whole);
    }

    /// R22.3: in a set nobody is rounded to nothing however little all weigh, nobody has
    /// more than a fifth or 1/n, and the order in which they stand changes nothing.
    #[test]
    fn r22_3_light_sets_are_capped_as_heavy_ones(
        weights in prop::collection::vec((0u16..7, 0u64..6), 0..20),
    ) {
        let set = |mut weights: Vec<(AccountId, u64)>| {
            cap_set(&mut weights);
            weights
        };
        let before: Vec<_> =
            weights.iter().map(|(entity, weight)| (account(*entity), *weight)).collect();
        let after = set(before.clone());
        let mut reversed = set(before.iter().rev().cloned().collect());
        reversed.reverse();
        prop_assert_eq!(&after, &reversed);
        let mut entities: BTreeMap<_, [u128; 2]> = BTreeMap::new();
        for ((entity, before), (_, after)) in before.iter().zip(&after) {
            prop_assert_eq!(*before == 0, *after == 0);
            let [had, has] = entities.entry(entity).or_default();
            *had += u128::from(*before);
            *has += u128::from(*after);
        }
        let shares = shares(entities.values().map(|[had, _]| *had));
        let all: u128 = entities.values().map(|[_, has]| has).sum();
        for [_, has] in entities.values() {
            prop_assert!(has * shares <= all + weights.len() as u128);
        }
    }

    /// R22.3: nor does anybody gain in a light set by splitting.
    #[test]
    fn r22_3_nobody_gains_by_splitting_in_a_light_set(
        parts in prop::collection::vec(0u64..6, 1..10),
        others in prop::collection::vec(0u64..20, 0..10),
    ) {
        let shared = |own: &[u64], fine: u64| {
            let all = own.iter().map(|weight| (0, weight)).chain((1..).zip(&others));
            let mut all: Vec<_> = all.map(|(n, weight)| (account(n), weight * fine)).collect();
            cap_set(&mut all);
            let weights: Vec<u128> = all.iter().map(|(_, weight)| u128::from(*weight)).collect();
            (weights[..own.len()].iter().sum::<u128>(), weights.iter().sum::<u128>())
        };
        let (split, all) = shared(&parts, 1);
        // As one account, and weighed so finely that rounding hides nothing.
        let (whole, all_whole) = shared(&[parts.iter().sum()], 1_000_000);
        // What is cut is rounded down: of five bounds at most, and of each account.
        let rounding = 5 + (parts.len() + others.len()) as u128;
        prop_assert!(split * all_whole <= (whole + 1) * (all + rounding));
    }

    /// R22.3: two that are found to be one never have a larger share together than before,
    /// however many entities are left.
    #[test]
    fn r22_3_nobody_gains_by_being_found_to_be_one(
        weights in prop::collection::vec(0u64..1 << 50, 2..12),
    ) {
        let capped = |entity_of_first: u16| {
            let mut all: Vec<_> =
                weights.iter().zip(0..).map(|(weight, n)| (account(n), *weight)).collect();
            all[0].0 = account(entity_of_first);
            cap_entities(&mut all);
            let weights: Vec<u128> = all.iter().map(|(_, weight)| u128::from(*weight)).collect();
            (weights[0] + weights[1], weights.iter().sum::<u128>())
        };
        let ((two, all), (one, all_then)) = (capped(0), capped(1));
        // What is cut is rounded down: of five bounds at most, and of the two accounts.
        prop_assert!(one * all <= (two + 2) * (all_then + 7), "{two}/{all}, {one}/{all_then}");
    }

    /// R2.4: a third of a sample that lies lets nobody in; each is asked once, nobody
    /// about itself. O4: as many have reached it as it needs peers.
    #[test]
    fn a_poll_is_decided_by_more_than_two_thirds(
        members in 1u16..=64,
        answers in prop::collection::vec((0u16..70, any::<bool>()), 0..100),
        seed: [u8; 32],
        min_peers in 0u32..8,
    ) {
        let sequencers: Vec<_> = (0..members).map(account).collect();
        let (candidate, controller) = (account(0), account(1));
        let mut poll = attestation::open(3, &sequencers, &candidate, &controller, &seed);
        let asked = poll.sample.len();
        let others = usize::from(members.saturating_sub(2));
        prop_assert_eq!(asked, others.min(attestation::SAMPLE as usize));
        prop_assert!(!poll.sample.contains(&candidate) && !poll.sample.contains(&controller));
        for (sequencer, approves) in answers {
            let before = poll.clone();
            if !poll.answer(&account(sequencer), approves) {
                prop_assert_eq!(&poll, &before);
            }
        }
        prop_assert_eq!(poll.approved.0 & poll.refused.0, 0);
        prop_assert!(poll.approved.fits(asked) && poll.refused.fits(asked));
        let (yes, no) = (poll.approved.count(), poll.refused.count());
        let needed = quorum(asked).max(min_peers as usize);
        let expected = if yes >= needed {
            Outcome::Given
        } else if asked - no < needed.min(asked) {
            Outcome::Refused
        } else {
            Outcome::Open
        };
        prop_assert_eq!(poll.outcome(min_peers), expected);
    }
}
