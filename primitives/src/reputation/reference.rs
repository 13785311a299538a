//! The rule once more, in rational arithmetic and as the texts have it, to check the
//! integers against (P10).

use super::{rule, rule::Facts, Activity, Score};
use proptest::prelude::*;

/// A fraction that is not negative.
#[derive(Clone, Copy, Debug)]
struct Ratio(u128, u128);

impl Ratio {
    fn of(whole: u64) -> Self {
        Self(whole.into(), 1)
    }

    fn add(self, other: Self) -> Self {
        Self(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    fn times(self, other: Self) -> Self {
        Self(self.0 * other.0, self.1 * other.1)
    }

    fn floor(self) -> u64 {
        u64::try_from(self.0 / self.1).expect("points are small")
    }
}

/// The largest whole number not above points · min(1, partners / √transfers), by
/// trying all.
fn diverse(points: u64, partners: u64, transfers: u64) -> u64 {
    (0..=points)
        .rev()
        .find(|n| {
            // n ≤ points · p / √t, squared
            n * n * transfers <= points * points * partners * partners
        })
        .expect("zero is not above it")
}

fn behaviour(activity: &Activity) -> u64 {
    let transactions = activity.transactions();
    let active = match transactions {
        1_000.. => 40,
        100.. => 30,
        50.. => 20,
        10.. => 10,
        _ => 0,
    };
    let success = match transactions {
        0 => Ratio::of(0),
        some => Ratio(activity.succeeded.into(), some.into()).times(Ratio::of(40)),
    };
    diverse(active, activity.partner_count().into(), activity.transfers.into()) + success.floor()
}

fn economic(activity: &Activity, decimals: u8) -> u64 {
    let unit = 10u64.pow(decimals.into());
    // Ten times the decimal logarithm, by trying all.
    let log = (0..=60u32).rev().find(|tenths| {
        let power = |base: u64, exponent: u32| sp_core::U512::from(base).pow(exponent.into());
        let volume = activity.volume.min(1_000_000 * unit);
        power(10, *tenths) * power(unit, 10) <= power(volume + unit, 10)
    });
    let bonus = match activity.volume / unit {
        100_000.. => 40,
        10_000.. => 30,
        1_000.. => 20,
        _ => 0,
    };
    let points = (u64::from(log.expect("one is 10^0")) + bonus).min(100);
    diverse(points, activity.partner_count().into(), activity.transfers.into())
}

fn aggregated(facts: &Facts) -> u64 {
    let Facts { l1, trust, activity, penalty, decimals } = facts;
    let (behaviour, economic) = (behaviour(activity), economic(activity, *decimals));
    let share = |points: u64, percent: u128| Ratio::of(points).times(Ratio(percent, 100));
    let transactions = activity.transactions();
    let imported = u64::from(l1.get());
    let computed = Ratio::of(trust.get().into()).times(Ratio(30, 100)).floor();
    let l1 = if imported > 0 { imported } else { computed };
    let all = if transactions < 10 {
        Ratio::of(l1)
    } else {
        share(l1, 60).add(share(behaviour, 25)).add(share(economic, 15))
    };
    let l2 = Ratio(25, 40)
        .times(Ratio::of(behaviour))
        .add(Ratio(15, 40).times(Ratio::of(economic)))
        .floor();
    let volume_below_a_coin = activity.volume < 10u64.pow((*decimals).into());
    let suspicious = transactions > 100 && volume_below_a_coin
        || transactions > 20 && activity.succeeded < activity.failed
        || transactions >= 10 && l2 > l1 + 30;
    let points = if suspicious { all.floor().min(50) } else { all.floor() };
    points.saturating_sub((*penalty).into())
}

prop_compose! {
    fn any_activity()(
        succeeded in prop_oneof![0u32..30, 0u32..2_000, any::<u32>()],
        failed in prop_oneof![0u32..30, 0u32..2_000, any::<u32>()],
        transfers in prop_oneof![0u32..30, any::<u32>()],
        volume in prop_oneof![0u64..100_000_000, 0u64..10_000_000_000_000_000, any::<u64>()],
        partners in prop_oneof![0u128..256, any::<u128>()],
    ) -> Activity {
        Activity { succeeded, failed, transfers, volume, partners, ..Default::default() }
    }
}

prop_compose! {
    fn any_facts()(
        l1 in prop_oneof![Just(0u64), 0u64..=100],
        trust in 0u64..=100,
        activity in any_activity(),
        penalty in 0u8..=100,
        decimals in prop_oneof![Just(7u8), Just(8), 0u8..=8],
    ) -> Facts {
        let trust = Score::saturating(trust);
        Facts { l1: Score::saturating(l1), trust, activity, penalty, decimals }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn p10_the_score_is_the_rational_rule_rounded_down(facts in any_facts()) {
        let computed = rule::score(&facts);
        prop_assert_eq!(u64::from(computed.behaviour.get()), behaviour(&facts.activity));
        prop_assert_eq!(
            u64::from(computed.economic.get()),
            economic(&facts.activity, facts.decimals)
        );
        prop_assert_eq!(u64::from(computed.aggregated.get()), aggregated(&facts));
    }

    /// A better L1 score never makes the aggregated one worse.
    #[test]
    fn p10_more_on_l1_is_never_less(facts in any_facts(), more in 0u64..=100) {
        let more_than = |score: Score| Score::saturating(u64::from(score.get()) + more);
        let l1 = more_than(rule::l1_score(&facts));
        let trust = more_than(facts.trust);
        for better in [Facts { l1, ..facts }, Facts { trust, ..facts }] {
            let better = rule::score(&better);
            prop_assert!(better.aggregated >= rule::score(&facts).aggregated);
        }
    }
}
