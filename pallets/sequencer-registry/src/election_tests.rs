//! The draw, whatever the contenders.

use crate::{
    attestation,
    candidates::Outcome,
    election::{elect, seats_per_entity, weight, Contender},
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
fn r22_3_an_entity_gets_a_fifth_of_the_seats_and_one_at_least() {
    assert_eq!([1, 4, 5, 9, 10, 21, 64].map(seats_per_entity), [1, 1, 1, 1, 2, 4, 12]);
    let mut sybils: Vec<_> = (0..50).map(|n| contender(n, 100, 1_000_000)).collect();
    for sybil in &mut sybils {
        sybil.entity = account(1_000);
    }
    sybils.extend((100..110).map(|n| contender(n, 70, 100)));
    let elected = elect(&[1; 32], sybils, 10, &[], DECIMALS);
    let theirs = elected.iter().filter(|(who, _)| *who < account(100)).count();
    assert_eq!((elected.len(), theirs), (10, 2));
}

#[test]
fn r22_3_stake_beyond_a_fifth_weighs_nothing() {
    let mut contenders: Vec<_> = (0..5).map(|n| contender(n, 100, 100)).collect();
    contenders[0].stake = 1_000_000 * COIN;
    let weights: BTreeMap<_, _> =
        elect(&[1; 32], contenders.clone(), 5, &[], DECIMALS).into_iter().collect();
    // A fifth of 1,000,400 coins.
    assert_eq!(weights[&account(0)], weight(Score::MAX, 200_080 * COIN, DECIMALS));
    assert_eq!(weights[&account(1)], 1_000);
    contenders.pop();
    let uncapped: BTreeMap<_, _> =
        elect(&[1; 32], contenders, 5, &[], DECIMALS).into_iter().collect();
    assert_eq!(uncapped[&account(0)], 100_000, "four cannot keep below a fifth");
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
        for (who, _) in elect(&seed, contenders.clone(), 1, &[], DECIMALS) {
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
    assert_eq!(elect(&[1; 32], contenders, 3, &[], DECIMALS).len(), 3);
    assert!(elect(&[1; 32], vec![], 3, &[], DECIMALS).is_empty());
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
        // One account cannot stand for two; the first is taken, in whatever order.
        let unique: BTreeMap<_, _> =
            contenders.into_iter().map(|one| (one.account.clone(), one)).collect();
        let mut contenders: Vec<_> = unique.into_values().collect();
        let elected = elect(&seed, contenders.clone(), seats, &[], DECIMALS);
        contenders.reverse();
        prop_assert_eq!(&elected, &elect(&seed, contenders.clone(), seats, &[], DECIMALS));

        prop_assert!(elected.len() <= seats);
        let most = seats_per_entity(seats);
        let mut by_entity: BTreeMap<_, usize> = BTreeMap::new();
        for (who, _) in &elected {
            let one = contenders.iter().find(|one| one.account == *who).expect("it stood");
            *by_entity.entry(one.entity.clone()).or_default() += 1;
        }
        prop_assert!(by_entity.values().all(|count| *count <= most));
        // A seat stays empty only where every entity that has none left stands behind.
        if elected.len() < seats {
            let empty = contenders.iter().filter(|one| !elected.iter().any(|(who, _)| *who == one.account));
            for one in empty {
                prop_assert_eq!(by_entity.get(&one.entity).copied().unwrap_or(0), most);
            }
        }
        let mut weights: Vec<_> = elected.iter().map(|(_, weight)| *weight).collect();
        weights.reverse();
        prop_assert!(weights.is_sorted());
    }

    /// R2.4: a third of a sample that lies lets nobody in, and whatever comes first,
    /// each is asked once.
    #[test]
    fn a_poll_is_decided_by_more_than_two_thirds(
        members in 1usize..=64,
        answers in prop::collection::vec((0u16..70, any::<bool>()), 0..100),
        seed: [u8; 32],
    ) {
        let mut poll = attestation::open(3, members, &account(5), &seed);
        let asked = poll.sample.count();
        prop_assert_eq!(asked, members.min(attestation::SAMPLE));
        prop_assert!(poll.sample.fits(members));
        for (index, approves) in answers {
            let before = poll;
            if !poll.answer(index, approves) {
                prop_assert_eq!(poll, before);
            }
        }
        prop_assert!(poll.approved.is_within(poll.sample) && poll.refused.is_within(poll.sample));
        prop_assert_eq!(poll.approved.0 & poll.refused.0, 0);
        let (yes, no) = (poll.approved.count(), poll.refused.count());
        let expected = if yes >= quorum(asked) {
            Outcome::Given
        } else if no > asked - quorum(asked) {
            Outcome::Refused
        } else {
            Outcome::Open
        };
        prop_assert_eq!(poll.outcome(), expected);
    }
}
