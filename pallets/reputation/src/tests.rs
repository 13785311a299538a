//! Scores from L1, penalties, and what is kept.

use crate::{
    mock::*,
    pallet::{Event, Standings},
    types::Standing,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    reputation::{rule::Suspicion, Activity, ReputationProvider, Score},
    sequencers::{Offence, OffenceKind, OnOffence},
};
use frame_support::{assert_noop, assert_ok};
use proptest::prelude::*;
use sp_runtime::{traits::BadOrigin, BuildStorage};

fn score(account: &AccountId) -> u8 {
    Reputation::score(account).get()
}

fn punish(offender: AccountId, kind: OffenceKind) {
    Reputation::on_offence(&Offence { kind, offender, set_id: 0, height: 1 });
}

#[test]
fn r10_1_l1s_score_is_that_of_genesis_until_governance_imports_another() {
    new_test_ext().execute_with(|| {
        assert_eq!((score(&ALICE), score(&BOB)), (70, 0));
        let call = |origin, score| Reputation::set_l1_score(origin, BOB, Score::saturating(score));
        assert_noop!(call(RuntimeOrigin::signed(ALICE), 90), BadOrigin);
        assert_ok!(call(RuntimeOrigin::root(), 90));
        assert_eq!(score(&BOB), 90);
        System::assert_last_event(
            Event::<Test>::L1ScoreSet { account: BOB, score: Score::saturating(90) }.into(),
        );
        // What says nothing is not kept.
        assert_ok!(call(RuntimeOrigin::root(), 0));
        assert!(!Standings::<Test>::contains_key(BOB));
        assert_eq!(Reputation::check_state(), Ok(()));
    });
}

#[test]
#[should_panic(expected = "two scores")]
fn a_genesis_that_scores_an_account_twice_is_refused() {
    let l1_scores = vec![(ALICE, Score::MAX), (ALICE, Score::ZERO)];
    let config = crate::GenesisConfig::<Test> { l1_scores, ..Default::default() };
    let _ = RuntimeGenesisConfig { reputation: config, ..Default::default() }.build_storage();
}

#[test]
fn r2b6_offences_cost_points_that_come_back_a_day_each() {
    new_test_ext().execute_with(|| {
        punish(ALICE, OffenceKind::Timeout);
        punish(ALICE, OffenceKind::Offline);
        assert_eq!(score(&ALICE), 70 - 6);
        System::assert_last_event(
            Event::<Test>::Penalised { account: ALICE, offence: OffenceKind::Offline, penalty: 6 }
                .into(),
        );
        go_to(FIRST_DAY + 2);
        assert_eq!(score(&ALICE), 70 - 4);
        // Another one is added to what is left.
        punish(ALICE, OffenceKind::TimestampManipulation);
        assert_eq!(score(&ALICE), 70 - 14);
        go_to(FIRST_DAY + 16);
        assert_eq!(score(&ALICE), 70);
    });
}

#[test]
fn r17_5_censorship_costs_points_and_more_if_repeated() {
    new_test_ext().execute_with(|| {
        punish(ALICE, OffenceKind::Censorship);
        assert_eq!(score(&ALICE), 70 - 10);
        punish(ALICE, OffenceKind::RepeatedCensorship);
        assert_eq!(score(&ALICE), 70 - 60);
    });
}

#[test]
fn seq_double_sign_takes_all_reputation() {
    new_test_ext().execute_with(|| {
        punish(ALICE, OffenceKind::DoubleSign);
        punish(ALICE, OffenceKind::DoubleSign);
        assert_eq!(score(&ALICE), 0);
        go_to(FIRST_DAY + 30);
        assert_eq!(score(&ALICE), 0, "70 points are still taken away");
        go_to(FIRST_DAY + 40);
        assert_eq!(score(&ALICE), 10);
        go_to(FIRST_DAY);
        // The penalty of somebody nobody knew is kept, too.
        punish(BOB, OffenceKind::DoubleSign);
        assert_ok!(Reputation::set_l1_score(RuntimeOrigin::root(), BOB, Score::MAX));
        assert_eq!(score(&BOB), 0);
    });
}

#[test]
fn r6_1_instant_finality_is_for_scores_above_eighty() {
    new_test_ext().execute_with(|| {
        for (l1, instant) in [(80, false), (81, true), (100, true)] {
            let l1 = Score::saturating(l1);
            assert_ok!(Reputation::set_l1_score(RuntimeOrigin::root(), BOB, l1));
            assert_eq!(Reputation::report(&BOB).instant_finality, instant, "{l1}");
        }
    });
}

#[test]
fn r10_5_gaming_caps_the_score_of_the_best() {
    new_test_ext().execute_with(|| {
        assert_ok!(Reputation::set_l1_score(RuntimeOrigin::root(), BOB, Score::MAX));
        let day = FIRST_DAY;
        let washing = Activity { succeeded: 1_000, last_day: day, ..Default::default() };
        Activities::insert(BOB, washing);
        let report = Reputation::report(&BOB);
        assert_eq!(report.breakdown.suspicion, Some(Suspicion::WashActivity));
        assert_eq!((score(&BOB), report.instant_finality), (50, false));
        // It is forgotten as activity is: after 210 days 96 of the thousand are left.
        go_to(day + 210);
        assert_eq!(Reputation::report(&BOB).transactions, 96);
        assert!(score(&BOB) > 50);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// P10: the score of an account depends on its own facts and the day, not on
    /// what was done to others or in which order.
    #[test]
    fn p10_scores_do_not_depend_on_the_order_of_facts(
        mut offences in prop::collection::vec((0u8..4, 0u8..4), 0..30),
        scores in prop::collection::vec(0u64..=100, 4),
        day in 0u32..200,
    ) {
        let run = |offences: &[(u8, u8)]| {
            new_test_ext().execute_with(|| {
                for (account, kind) in offences {
                    let kind = [
                        OffenceKind::Timeout,
                        OffenceKind::Offline,
                        OffenceKind::TimestampManipulation,
                        OffenceKind::DoubleSign,
                    ][usize::from(*kind)];
                    punish(AccountId::new([*account; 32]), kind);
                }
                for (account, l1) in (0u8..).zip(&scores) {
                    let account = AccountId::new([account; 32]);
                    let l1 = Score::saturating(*l1);
                    Reputation::set_l1_score(RuntimeOrigin::root(), account, l1)
                        .expect("by root");
                }
                go_to(FIRST_DAY + day);
                Reputation::check_state().expect("sound");
                (0u8..4).map(|account| score(&AccountId::new([account; 32]))).collect::<Vec<_>>()
            })
        };
        let forwards = run(&offences);
        offences.reverse();
        prop_assert_eq!(forwards, run(&offences));
    }

    /// A penalty never grows by waiting, and is between 0 and 100.
    #[test]
    fn penalties_only_shrink(points in prop::collection::vec((any::<u8>(), 0u32..50), 0..20)) {
        let (mut standing, mut day) = (Standing::default(), FIRST_DAY);
        for (points, wait) in points {
            let before = standing.penalty_on(day);
            day += wait;
            prop_assert!(standing.penalty_on(day) <= before);
            let left = standing.penalty_on(day);
            standing.punish(day, points);
            prop_assert_eq!(standing.penalty_on(day), left.saturating_add(points).min(100));
        }
    }
}

/// Ten transfers bring the aggregated score of a sequencer below L1's; it stays one.
#[test]
fn r2_3_a_sequencers_score_is_l1s_or_a_better_one() {
    new_test_ext().execute_with(|| {
        let day = FIRST_DAY;
        let few = Activity { succeeded: 10, last_day: day, volume: 100, ..Default::default() };
        Activities::insert(ALICE, few);
        assert_eq!((score(&ALICE), Reputation::sequencer_score(&ALICE).get()), (54, 70));
        punish(ALICE, OffenceKind::Offline);
        assert_eq!(Reputation::sequencer_score(&ALICE).get(), 65);
        let washing = Activity { succeeded: 101, ..few };
        Activities::insert(ALICE, washing);
        assert_eq!(Reputation::sequencer_score(&ALICE), Reputation::score(&ALICE));
    });
}
