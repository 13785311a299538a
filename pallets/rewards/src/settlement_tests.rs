//! The arithmetic of a settlement.

use crate::settlement::{settle, Reward, Standing, BONUS_UPTIME_PERMILLE};
use cascoin_l2_primitives::{chain::Balance, rewards::Collected};
use proptest::prelude::*;

fn standing(weight: u64, producer_part: Balance, others_part: Balance) -> Standing {
    let collected = Collected { producer_part, others_part, ..Default::default() };
    Standing { weight, collected, uptime_permille: 1_000, penalised: false }
}

fn amounts(standings: &[Standing], pool: Balance) -> (Vec<Balance>, Balance) {
    let outcome = settle(standings, pool);
    (outcome.rewards.iter().map(|reward| reward.amount).collect(), outcome.bonus_pool)
}

/// With no bonus to speak of: nobody was there.
fn absent(standings: &[Standing]) -> Vec<Standing> {
    standings.iter().map(|one| Standing { uptime_permille: 0, ..*one }).collect()
}

#[test]
fn r38_1_the_others_share_by_their_weights() {
    let set = absent(&[standing(50, 0, 0), standing(10, 700, 1_000), standing(30, 0, 0)]);
    // A tenth for the bonus; 900 at 50 to 30; nothing of it to who made the blocks.
    assert_eq!(amounts(&set, 0), (vec![562, 700, 337], 100 + 1));
}

#[test]
fn r38_1_without_weights_all_get_the_same() {
    let set = absent(&[standing(0, 0, 0), standing(0, 0, 1_000), standing(0, 0, 0)]);
    assert_eq!(amounts(&set, 0), (vec![450, 0, 450], 100));
    // Also where only the producer weighs something.
    let set = absent(&[standing(0, 0, 0), standing(9, 0, 1_001), standing(0, 0, 0)]);
    assert_eq!(amounts(&set, 0), (vec![450, 0, 450], 101));
}

#[test]
fn one_sequencer_alone_gets_all() {
    let alone = Standing { uptime_permille: 0, ..standing(5, 700, 200) };
    assert_eq!(amounts(&[alone], 0), (vec![900], 0));
    assert_eq!(settle(&[], 17).bonus_pool, 17, "and where nobody is, nothing happens");
}

#[test]
fn r38_3_who_was_there_gets_an_equal_share_of_the_bonus() {
    let there = |uptime_permille, standing: Standing| Standing { uptime_permille, ..standing };
    let set = [
        there(BONUS_UPTIME_PERMILLE, standing(1, 0, 3_000)),
        there(BONUS_UPTIME_PERMILLE - 1, standing(1, 0, 0)),
        there(1_000, standing(1, 0, 0)),
    ];
    // 300 of the session and 33 of before: 111 each, of which one stays.
    assert_eq!(amounts(&set, 33), (vec![111, 1_350, 1_350 + 111], 111));
    // Nobody: all of it stays.
    let nobody = settle(&absent(&set), 33);
    assert_eq!((nobody.set_aside, nobody.bonus_pool), (300, 333));
    assert!(nobody.rewards.iter().all(|reward| reward.bonus == 0));
}

#[test]
fn leaving_another_out_brings_nothing_in_that_session() {
    let all = [standing(1, 0, 3_000), standing(1, 0, 0), standing(1, 0, 0)];
    let mut one_left_out = all;
    one_left_out[1].uptime_permille = 0;
    let (before, after) = (settle(&all, 0), settle(&one_left_out, 0));
    assert_eq!(before.rewards[0], after.rewards[0]);
    assert_eq!(before.rewards[2], after.rewards[2]);
}

#[test]
fn r38_4_who_is_penalised_gets_half_and_keeps_the_tips() {
    let mut set = [standing(1, 700, 200), standing(1, 301, 0)];
    set[0].collected.tips = 55;
    set[1].collected.tips = 11;
    set[1].penalised = true;
    let outcome = settle(&set, 0);
    // Of the other: 301, 180 and a bonus of 10.
    let other = Reward { share: 180, bonus: 10, withheld: 245, amount: 246 + 11 };
    assert_eq!(outcome.rewards[1], other);
    assert_eq!(outcome.rewards[0].amount, 700 + 10 + 55);
    assert_eq!((outcome.bonus_pool, outcome.withheld), (0, 245), "nobody gains by it");
}

fn anyone() -> impl Strategy<Value = Standing> {
    let weight = prop_oneof![Just(0u64), 1..1_000u64, any::<u64>()];
    let amount = || prop_oneof![Just(0), 0..100u128, 0..1u128 << 110];
    (weight, amount(), amount(), amount(), 0..=1_000u16, any::<bool>()).prop_map(
        |(weight, tips, producer_part, others_part, uptime_permille, penalised)| Standing {
            weight,
            collected: Collected { tips, producer_part, others_part, ..Default::default() },
            uptime_permille,
            penalised,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// P18: whatever the set, what is handed out, what is withheld and what stays in the
    /// pool is what was collected and what was in the pool before.
    #[test]
    fn p18_a_settlement_neither_makes_nor_loses_a_unit(
        set in prop::collection::vec(anyone(), 0..=64),
        pool in 0..1u128 << 110,
    ) {
        let outcome = settle(&set, pool);
        let collected: Balance = set
            .iter()
            .map(|one| one.collected.tips + one.collected.producer_part + one.collected.others_part)
            .sum();
        let paid: Balance = outcome.rewards.iter().map(|reward| reward.amount).sum();
        prop_assert_eq!(outcome.rewards.len(), set.len());
        if set.is_empty() {
            prop_assert_eq!(outcome.bonus_pool, pool);
        } else {
            prop_assert_eq!(paid + outcome.bonus_pool + outcome.withheld, collected + pool);
        }
        for (one, reward) in set.iter().zip(&outcome.rewards) {
            let full = one.collected.producer_part + reward.share + reward.bonus;
            prop_assert_eq!(reward.amount, one.collected.tips + full - reward.withheld);
            prop_assert_eq!(reward.withheld, if one.penalised { full / 2 } else { 0 });
            prop_assert!(one.uptime_permille >= BONUS_UPTIME_PERMILLE || reward.bonus == 0);
        }
    }
}
