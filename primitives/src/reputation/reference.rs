//! The rule once more, in rational arithmetic and as the texts have it, to check the
//! integers against (P10).

use super::{
    l1_history::L1History,
    l1_stake::{self, StakeTerm},
    rule,
    rule::Facts,
    Activity, Day, Score,
};
use proptest::prelude::*;
use sp_core::U512;

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

/// The largest number of points not above 100 · age / 730 · active / all · (717 / 1,000)^steps
/// · (½ after a gap), by trying all. `days` are those on which the address acted, ascending.
fn temporal(days: &[Day], today: Day) -> u64 {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return 0 };
    let mut months: Vec<Day> = days.iter().map(|day| (day - first) / 30).collect();
    months.dedup();
    let has_gap = days.windows(2).any(|pair| pair[1] - pair[0] > 180);
    let steps = (today - last) / 30;
    let age = (today - first).min(730);
    let all = (today - first) / 30 + 1;
    // Steps are fewer than 40, so both are below 2^450.
    let power = |base: u64| U512::from(base).pow(steps.into());
    let right = power(717) * U512::from(age) * U512::from(months.len()) * U512::from(100);
    let left = power(1_000) * U512::from(730) * U512::from(all) * U512::from(1 + u8::from(has_gap));
    (0..=100u64).rev().find(|n| left * U512::from(*n) <= right).expect("zero is not above it")
}

/// The best that any age gives: the largest number of points not above 100 · (log / 40) ·
/// √(days / 365), by trying all, of all coins that are so old.
fn l1_economic(terms: &[StakeTerm], today: Day, decimals: u8) -> u64 {
    let unit = 10u64.pow(decimals.into());
    let of_age = |since: Day| {
        let old = terms.iter().filter(|term| term.since <= since);
        let coins = old.map(|term| u128::from(term.amount)).sum::<u128>();
        let coins = coins.min(u128::from(10_000 * unit)) as u64;
        let log = (0..=40u32).rev().find(|tenths| {
            let power = |base: u64, exponent: u32| U512::from(base).pow(exponent.into());
            power(10, *tenths) * power(unit, 10) <= power(coins + unit, 10)
        });
        let log = u128::from(log.expect("one is 10^0"));
        let days = u128::from(today.saturating_sub(since));
        let is_below = |n: &u64| {
            let n = u128::from(*n);
            n * n * 40 * 40 * 365 <= 10_000 * log * log * days
        };
        (0..=100u64).rev().find(is_below).expect("zero is not above it")
    };
    terms.iter().map(|term| of_age(term.since)).max().unwrap_or(0)
}

fn aggregated(facts: &Facts) -> u64 {
    let Facts { l1, trust, l1_economic, l1_temporal, attested, .. } = facts;
    let Facts { activity, penalty, decimals, .. } = facts;
    let (behaviour, economic) = (behaviour(activity), economic(activity, *decimals));
    let share = |points: u64, percent: u128| Ratio::of(points).times(Ratio(percent, 100));
    let transactions = activity.transactions();
    let imported = u64::from(l1.get());
    let computed = share(trust.get().into(), 30)
        .add(share(l1_economic.get().into(), 20))
        .add(share(l1_temporal.get().into(), 10))
        .floor();
    let bounded = attested.map_or(computed, |most| computed.min(most.get().into()));
    let l1 = if imported > 0 { imported } else { bounded };
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
        on_l1 in (0u64..=100, 0u64..=100, 0u64..=100),
        attested in prop::option::of(0u64..=100),
        activity in any_activity(),
        penalty in 0u8..=100,
        decimals in prop_oneof![Just(7u8), Just(8), 0u8..=8],
    ) -> Facts {
        let (trust, l1_economic, l1_temporal) = on_l1;
        let [l1, trust, l1_economic, l1_temporal] =
            [l1, trust, l1_economic, l1_temporal].map(Score::saturating);
        let attested = attested.map(Score::saturating);
        Facts { l1, trust, l1_economic, l1_temporal, attested, activity, penalty, decimals }
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

    #[test]
    fn p10_acting_on_l1_counts_by_the_rational_rule_rounded_down(
        mut days in prop::collection::vec(0u32..1_200, 0..40),
        wait in 0u32..1_000,
    ) {
        days.sort_unstable();
        let mut history = L1History::default();
        for day in &days {
            history.note(*day);
        }
        let today = days.last().copied().unwrap_or(0) + wait;
        prop_assert_eq!(u64::from(history.score(today).get()), temporal(&days, today));
    }

    #[test]
    fn p10_stake_on_l1_counts_by_the_rational_rule_rounded_down(
        terms in prop::collection::vec(
            (0u32..1_000, prop_oneof![0u64..10_000_000_000, any::<u64>()]),
            0..=16,
        ),
        today in 0u32..3_000,
        decimals in prop_oneof![Just(7u8), Just(8), 0u8..=8],
    ) {
        let term = |(since, amount)| StakeTerm { since, amount };
        let terms: Vec<_> = terms.into_iter().map(term).collect();
        let computed = l1_stake::score(&terms, today, decimals);
        prop_assert_eq!(u64::from(computed.get()), l1_economic(&terms, today, decimals));
    }

    /// A better L1 score never makes the aggregated one worse.
    #[test]
    fn p10_more_on_l1_is_never_less(facts in any_facts(), more in 0u64..=100) {
        let more_than = |score: Score| Score::saturating(u64::from(score.get()) + more);
        let l1 = more_than(rule::l1_score(&facts));
        let trust = more_than(facts.trust);
        let l1_economic = more_than(facts.l1_economic);
        let l1_temporal = more_than(facts.l1_temporal);
        for better in [
            Facts { l1, ..facts },
            Facts { trust, ..facts },
            Facts { l1_economic, ..facts },
            Facts { l1_temporal, ..facts },
            Facts { attested: facts.attested.map(more_than), ..facts },
            Facts { attested: None, ..facts },
        ] {
            let better = rule::score(&better);
            prop_assert!(better.aggregated >= rule::score(&facts).aggregated);
        }
    }
}
