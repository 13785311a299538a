//! Safety and liveness of whole networks under faults, by the seeded simulator.

mod support;

use cascoin_bft::max_faulty;
use proptest::prelude::*;
use support::simulator::{run, Scenario};

fn scenarios() -> impl Strategy<Value = Scenario> {
    (prop_oneof![Just(4u16), Just(7u16)], any::<u64>(), 0u16..10, 0u16..8, 0u16..50, 0u16..30)
        .prop_flat_map(|(n, seed, crashes, partitions, drop, duplicate)| {
            (0..=max_faulty(n.into()) as u16).prop_map(move |byzantine| Scenario {
                seed,
                sequencers: n,
                byzantine,
                crashes,
                partitions,
                drop_percent: drop,
                duplicate_percent: duplicate,
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn p11_no_two_blocks_decided_at_one_height(scenario in scenarios()) {
        let report = run(scenario);
        prop_assert!(report.violations.is_empty(),
            "replay with CASCOIN_SIM_SEED={scenario}\n{:#?}", report.violations);
    }

    #[test]
    fn after_the_network_heals_everybody_decides(scenario in scenarios()) {
        run(scenario).assert_good(&scenario);
    }
}

/// Replays one scenario, or `CASCOIN_SIM_RUNS` seeds from `CASCOIN_SIM_SEED` on.
#[test]
fn replay() {
    let text = std::env::var("CASCOIN_SIM_SEED").unwrap_or_else(|_| "1".into());
    let first = text.parse::<Scenario>().expect("CASCOIN_SIM_SEED is a seed or seven numbers");
    let runs = std::env::var("CASCOIN_SIM_RUNS").map_or(Ok(1), |runs| runs.parse::<u64>());
    for offset in 0..runs.expect("CASCOIN_SIM_RUNS is a number") {
        let scenario = match offset {
            0 => first,
            _ => Scenario::from_seed(first.seed.wrapping_add(offset)),
        };
        let report = run(scenario);
        println!(
            "{scenario}: {} events, healed {} ms, done {} ms, highest {:?}, {} violations, {} stuck",
            report.events,
            report.healed_ms,
            report.finished_ms,
            report.highest_round,
            report.violations.len(),
            report.stuck.len()
        );
        report.assert_good(&scenario);
    }
}

#[test]
fn a_run_is_a_function_of_its_scenario() {
    let scenario = Scenario::from_seed(77);
    assert_eq!(format!("{:?}", run(scenario)), format!("{:?}", run(scenario)));
    assert_eq!(scenario.to_string().parse(), Ok(scenario));
}

#[test]
fn without_faults_each_height_takes_one_round() {
    for n in [1, 4, 7] {
        let scenario = Scenario {
            seed: 5,
            sequencers: n,
            byzantine: 0,
            crashes: 0,
            partitions: 0,
            drop_percent: 0,
            duplicate_percent: 0,
        };
        let report = run(scenario);
        report.assert_good(&scenario);
        assert_eq!(report.decided.len(), 3);
    }
}
