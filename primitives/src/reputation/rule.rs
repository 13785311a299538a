//! The rule: from facts to a score.
//!
//! All parts are integers from 0 to 100, rounded down, with the weights and steps of
//! cascoin-l1.md 6.18. What an account did on L2 is two parts, *behaviour* and
//! *economic*; both also shrink by how few partners it traded with, as L1's behaviour
//! score does (5.2), so that a ring of a few accounts moves little.

use super::{log::ten_log10, Activity, Score};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Below so many transactions on L2, L1 alone counts.
pub const MIN_TRANSACTIONS: u32 = 10;
/// Best score of an account under suspicion.
pub const SUSPICIOUS_SCORE: u64 = 50;
/// Above it, transactions count as final for their receivers before they are (R6.1).
pub const INSTANT_FINALITY_SCORE: Score = Score::saturating(80);

/// Weights of the parts of L1's score, percent (spec: cascoin-l1.md 5.2). Behaviour, the
/// other 40, gives nothing: what it is made of, trades, their partners and disputes, L1 does
/// not show. What accounts do on L2 counts by itself, below.
const WEB_OF_TRUST_PERCENT: u64 = 30;
const L1_ECONOMIC_PERCENT: u64 = 20;
const L1_TEMPORAL_PERCENT: u64 = 10;

/// Weights of the parts in the aggregated score, percent (R10.3).
const L1_PERCENT: u64 = 60;
const BEHAVIOUR_PERCENT: u64 = 25;
const ECONOMIC_PERCENT: u64 = 15;

/// Points for so many transactions, most first.
const ACTIVITY_POINTS: [(u32, u64); 4] = [(1_000, 40), (100, 30), (50, 20), (10, 10)];
/// Points for transactions that all succeed.
const SUCCESS_POINTS: u64 = 40;
/// Points for a volume of so many coins, most first.
const VOLUME_POINTS: [(u64, u64); 3] = [(100_000, 40), (10_000, 30), (1_000, 20)];

/// More transactions than this that move less than a coin are wash activity.
const WASH_TRANSACTIONS: u32 = 100;
/// From more transactions than this on, half of them must succeed.
const FAILING_TRANSACTIONS: u32 = 20;
/// How much better the score on L2 may be than on L1.
const CROSS_LAYER_GAP: u64 = 30;

/// What a score is computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// L1's score as genesis or governance gave it; 0 where neither did.
    pub l1: Score,
    /// What the web of trust on L1 gives, see [`trust`](super::trust).
    pub trust: Score,
    /// What coins give that are locked on L1, see [`l1_stake`](super::l1_stake).
    pub l1_economic: Score,
    /// What acting on L1 over time gives, see [`l1_history`](super::l1_history).
    pub l1_temporal: Score,
    /// What more than two thirds of the sequencers' L1 nodes say at most, see
    /// [`attestation`](super::attestation); `None` if nothing is attested.
    pub attested: Option<Score>,
    /// What the account did on L2, as much as is left of it today.
    pub activity: Activity,
    /// Points taken away for offences.
    pub penalty: u8,
    /// Decimals of a coin.
    pub decimals: u8,
}

/// Why an account is under suspicion (R10.5).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Suspicion {
    /// Many transactions that move next to nothing.
    WashActivity,
    /// Most of its transactions fail.
    FailingTransactions,
    /// Much better on L2 than on L1: the score may have been bought here.
    CrossLayerArbitrage,
}

/// A score and how it came about.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct Breakdown {
    /// L1's score, see [`l1_score`].
    pub l1: Score,
    /// The web of trust on L1, 30 % of a score of L1 where none was imported.
    pub trust: Score,
    /// Coins that are locked on L1, 20 % of it.
    pub l1_economic: Score,
    /// Acting on L1 over time, 10 % of it.
    pub l1_temporal: Score,
    /// What it is at most, as L1's own nodes say; `None` if nothing is attested.
    pub attested: Option<Score>,
    /// How it behaves on L2.
    pub behaviour: Score,
    /// What it moves on L2.
    pub economic: Score,
    /// The first reason for suspicion, if there is one.
    pub suspicion: Option<Suspicion>,
    /// Points taken away for offences.
    pub penalty: u8,
    /// The score that counts.
    pub aggregated: Score,
}

/// L1's score: the imported one, whether it is better or worse, or else what is computed
/// here from the facts that L1 proves, and then no more than is attested.
pub fn l1_score(facts: &Facts) -> Score {
    if facts.l1 > Score::ZERO {
        return facts.l1;
    }
    let parts = [
        (facts.trust, WEB_OF_TRUST_PERCENT),
        (facts.l1_economic, L1_ECONOMIC_PERCENT),
        (facts.l1_temporal, L1_TEMPORAL_PERCENT),
    ];
    // Of hundreds at most: nothing overflows.
    let weighted: u64 = parts.iter().map(|(part, percent)| u64::from(part.get()) * percent).sum();
    let computed = Score::saturating(weighted / 100);
    facts.attested.map_or(computed, |most| computed.min(most))
}

/// Computes a score.
pub fn score(facts: &Facts) -> Breakdown {
    let Facts { trust, l1_economic, l1_temporal, attested, .. } = facts;
    let Facts { activity, penalty, decimals, .. } = facts;
    let l1 = l1_score(facts);
    let behaviour = behaviour(activity);
    let economic = economic(activity, *decimals);
    let suspicion = suspicion(facts, l1, behaviour, economic);
    let l1_points = u64::from(l1.get());
    let all = if activity.transactions() < MIN_TRANSACTIONS {
        l1_points
    } else {
        (L1_PERCENT * l1_points + BEHAVIOUR_PERCENT * behaviour + ECONOMIC_PERCENT * economic) / 100
    };
    let capped = if suspicion.is_some() { all.min(SUSPICIOUS_SCORE) } else { all };
    Breakdown {
        l1,
        trust: *trust,
        l1_economic: *l1_economic,
        l1_temporal: *l1_temporal,
        attested: *attested,
        behaviour: Score::saturating(behaviour),
        economic: Score::saturating(economic),
        suspicion,
        penalty: *penalty,
        aggregated: Score::saturating(capped.saturating_sub((*penalty).into())),
    }
}

// At most 80 while there are no contracts on L2, whose use gives the rest.
fn behaviour(activity: &Activity) -> u64 {
    let transactions = activity.transactions();
    let active = steps(&ACTIVITY_POINTS, transactions);
    let success = SUCCESS_POINTS
        .saturating_mul(activity.succeeded.into())
        .checked_div(transactions.into())
        .unwrap_or(0);
    diverse(active, activity).saturating_add(success)
}

fn economic(activity: &Activity, decimals: u8) -> u64 {
    let coins = activity.volume / 10u64.saturating_pow(decimals.into());
    let points = u64::from(ten_log10(activity.volume, decimals))
        .saturating_add(steps(&VOLUME_POINTS, coins))
        .min(100);
    diverse(points, activity)
}

/// The points of the highest step reached.
fn steps<N: PartialOrd + Copy>(table: &[(N, u64)], reached: N) -> u64 {
    table.iter().find(|(from, _)| reached >= *from).map_or(0, |(_, points)| *points)
}

/// ⌊points · min(1, partners / √transfers)⌋. Who never transferred anything has no
/// ring to hide.
fn diverse(points: u64, activity: &Activity) -> u64 {
    let partners = u64::from(activity.partner_count());
    let transfers = u64::from(activity.transfers);
    if partners.saturating_mul(partners) >= transfers {
        return points;
    }
    let scaled = points.saturating_mul(partners);
    (scaled.saturating_mul(scaled) / transfers).isqrt()
}

fn suspicion(facts: &Facts, l1: Score, behaviour: u64, economic: u64) -> Option<Suspicion> {
    let Facts { activity, decimals, .. } = facts;
    let transactions = activity.transactions();
    let coin = 10u64.saturating_pow((*decimals).into());
    if transactions > WASH_TRANSACTIONS && activity.volume < coin {
        return Some(Suspicion::WashActivity);
    }
    if transactions > FAILING_TRANSACTIONS && activity.succeeded < activity.failed {
        return Some(Suspicion::FailingTransactions);
    }
    let l2 = (BEHAVIOUR_PERCENT * behaviour + ECONOMIC_PERCENT * economic)
        / (BEHAVIOUR_PERCENT + ECONOMIC_PERCENT);
    (transactions >= MIN_TRANSACTIONS && l2 > u64::from(l1.get()).saturating_add(CROSS_LAYER_GAP))
        .then_some(Suspicion::CrossLayerArbitrage)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COIN: u64 = 10_000_000;

    fn facts(l1: u64, succeeded: u32, failed: u32, coins: u64) -> Facts {
        let activity = Activity {
            succeeded,
            failed,
            volume: coins * COIN,
            partners: u128::MAX,
            ..Default::default()
        };
        Facts { l1: Score::saturating(l1), activity, decimals: 7, ..Default::default() }
    }

    fn parts(facts: &Facts) -> (u8, u8, u8) {
        let Breakdown { behaviour, economic, aggregated, .. } = score(facts);
        (behaviour.get(), economic.get(), aggregated.get())
    }

    #[test]
    fn the_steps_are_those_of_the_table() {
        for (transactions, points) in [(9, 0), (10, 10), (49, 10), (50, 20), (100, 30), (1_000, 40)]
        {
            assert_eq!(parts(&facts(50, transactions, 0, 5)).0, points + 40, "{transactions}");
        }
        for (coins, points) in
            [(0, 0), (1, 3), (9, 10), (999, 30), (1_000, 50), (10_000, 70), (100_000, 90)]
        {
            assert_eq!(parts(&facts(50, 10, 0, coins)).1, points, "{coins}");
        }
        assert_eq!(parts(&facts(50, 10, 0, 100_000_000)).1, 100);
    }

    #[test]
    fn r10_1_thirty_of_a_hundred_come_from_the_web_of_trust_where_nothing_was_imported() {
        for (imported, trust, l1) in
            [(0, 100, 30), (0, 99, 29), (0, 3, 0), (70, 0, 70), (70, 100, 70), (10, 100, 10)]
        {
            let facts = Facts { trust: Score::saturating(trust), ..facts(imported, 0, 0, 0) };
            let Breakdown { l1: shown, trust: part, aggregated, .. } = score(&facts);
            assert_eq!((shown.get(), aggregated.get()), (l1, l1), "{imported}, {trust}");
            assert_eq!(part, facts.trust);
        }
    }

    #[test]
    fn r10_1_stake_and_age_on_l1_are_twenty_and_ten_of_a_hundred() {
        let of = |trust, l1_economic, l1_temporal| {
            let [trust, l1_economic, l1_temporal] =
                [trust, l1_economic, l1_temporal].map(Score::saturating);
            score(&Facts { trust, l1_economic, l1_temporal, ..facts(0, 0, 0, 0) }).l1.get()
        };
        assert_eq!(of(0, 100, 0), 20);
        assert_eq!(of(0, 0, 100), 10);
        assert_eq!(of(100, 100, 100), 60, "behaviour gives nothing");
        // 0.3 + 0.4 + 0.3: it is rounded once.
        assert_eq!(of(1, 2, 3), 1);
        assert_eq!(of(1, 2, 2), 0);
    }

    /// R10.1: what L1's own nodes say takes from what is computed, and never gives.
    #[test]
    fn r10_1_what_is_attested_is_an_upper_bound_and_no_source() {
        let of = |imported, trust, attested: Option<u64>| {
            let attested = attested.map(Score::saturating);
            let trust = Score::saturating(trust);
            let Breakdown { l1, attested: shown, .. } =
                score(&Facts { trust, attested, ..facts(imported, 0, 0, 0) });
            assert_eq!(shown, attested);
            l1.get()
        };
        assert_eq!(
            [None, Some(30), Some(29), Some(0)].map(|most| of(0, 100, most)),
            [30, 30, 29, 0]
        );
        assert_eq!(of(0, 0, Some(100)), 0);
        assert_eq!(of(70, 0, Some(10)), 70, "genesis and governance are not bound");
    }

    #[test]
    fn below_ten_transactions_l1_counts_alone() {
        assert_eq!(parts(&facts(77, 9, 0, 1_000)), (40, 50, 77));
        // (60 · 77 + 25 · 50 + 15 · 50) / 100
        assert_eq!(parts(&facts(77, 10, 0, 1_000)), (50, 50, 66));
    }

    #[test]
    fn r10_5_wash_activity_is_worth_at_most_fifty() {
        let mut washing = facts(100, 101, 0, 0);
        assert_eq!(score(&washing).suspicion, Some(Suspicion::WashActivity));
        assert_eq!(parts(&washing).2, 50);
        washing.activity.volume = COIN;
        assert_eq!(score(&washing).suspicion, None);
    }

    #[test]
    fn r10_5_who_mostly_fails_is_suspicious() {
        assert_eq!(score(&facts(100, 10, 11, 5)).suspicion, Some(Suspicion::FailingTransactions));
        assert_eq!(score(&facts(100, 10, 10, 5)).suspicion, None);
        assert_eq!(score(&facts(100, 11, 11, 5)).suspicion, None);
    }

    #[test]
    fn r10_5_a_score_cannot_be_bought_on_l2_alone() {
        let bought = facts(0, 1_000_000, 0, 10_000_000);
        assert_eq!(score(&bought).suspicion, Some(Suspicion::CrossLayerArbitrage));
        // 80 and 100 at most, of which two fifths count.
        assert_eq!(parts(&bought), (80, 100, 35));
    }

    #[test]
    fn r10_5_a_ring_of_few_partners_gains_little() {
        let mut ring = facts(70, 1_000, 0, 1_000_000);
        ring.activity.transfers = 1_000;
        ring.activity.partners = 0b111;
        // A tenth (3 / √1000) of 40 and 100 points; success is not scaled.
        assert_eq!(parts(&ring), (43, 9, 54));
        ring.activity.partners = u128::MAX;
        assert_eq!(parts(&ring).0, 80);
    }

    #[test]
    fn penalties_are_taken_last_and_end_at_zero() {
        let mut punished = facts(70, 0, 0, 0);
        punished.penalty = 20;
        assert_eq!(parts(&punished).2, 50);
        punished.penalty = 255;
        assert_eq!(parts(&punished).2, 0);
    }
}
