//! Safety and liveness of whole networks under faults, by the seeded simulator.

mod support;

use std::collections::BTreeSet;

use cascoin_bft::max_faulty;
use proptest::{prelude::*, test_runner::RngSeed};
use support::{
    byzantine::Behaviour,
    simulator::{run, Faults, Scenario, Simulation},
};

/// Cases of each property.
const CASES: u32 = 4_000;

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

/// The same cases in every run, so that a failure is there again tomorrow.
fn cases(seed: u64) -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(seed);
    ProptestConfig { cases: CASES, failure_persistence: None, rng_seed, ..Default::default() }
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn p11_no_two_blocks_decided_at_one_height(scenario in scenarios()) {
        let report = run(scenario);
        prop_assert!(report.violations.is_empty(), "{}\n{:#?}", scenario.replay(), report.violations);
    }
}

proptest! {
    #![proptest_config(cases(2))]

    #[test]
    fn after_the_network_heals_everybody_decides(scenario in scenarios()) {
        run(scenario).assert_good(&scenario);
    }
}

/// Each way to lie, by as many sequencers as may, through all faults of the network.
#[test]
fn p11_every_kind_of_liar_is_survived() {
    for (number, liar) in Behaviour::liars().into_iter().enumerate() {
        let mut lies = 0;
        for seed in 0..300 {
            let drawn = Scenario::from_seed(seed);
            let byzantine = max_faulty(drawn.sequencers.into()) as u16;
            let scenario = Scenario { byzantine, ..drawn };
            let report = Simulation::new(scenario, Some(&liar)).run();
            let wrong = (&report.violations, &report.stuck);
            let replay = format!("{liar:?}; CASCOIN_BFT_LIAR={number} and {}", scenario.replay());
            assert_eq!(wrong, (&vec![], &vec![]), "{replay}");
            lies += report.lies;
        }
        assert!(lies > 50, "{liar:?} lies only {lies} times");
    }
}

/// The simulator would prove nothing if a fault never happened.
#[test]
fn every_fault_happens() {
    let mut sum = Faults::default();
    let mut rounds = BTreeSet::new();
    for seed in 0..200 {
        let report = run(Scenario::from_seed(seed));
        let Faults { dropped, cut_off, duplicated, late, reordered, .. } = report.faults;
        let Faults { crashes, restarts, untimely, builds_failed, .. } = report.faults;
        sum.dropped += dropped;
        sum.cut_off += cut_off;
        sum.duplicated += duplicated;
        sum.late += late;
        sum.reordered += reordered;
        sum.crashes += crashes;
        sum.restarts += restarts;
        sum.untimely += untimely;
        sum.builds_failed += builds_failed;
        rounds.insert(report.highest_round);
    }
    let Faults { dropped, cut_off, duplicated, late, reordered, .. } = sum;
    for often in [dropped, cut_off, duplicated, late, reordered] {
        assert!(often > 10_000, "{sum:?}");
    }
    for often in [sum.crashes, sum.restarts, sum.untimely, sum.builds_failed] {
        assert!(often > 30, "{sum:?}");
    }
    assert!(rounds.len() > 4, "{rounds:?}");
}

/// Replays the scenario `CASCOIN_BFT_SEED` (a seed or seven numbers) and tells every event, or
/// runs `CASCOIN_BFT_RUNS` seeds from it on. `CASCOIN_BFT_LIAR` is a number in `Behaviour::liars`.
#[test]
fn replay() {
    let text = std::env::var("CASCOIN_BFT_SEED");
    let runs = std::env::var("CASCOIN_BFT_RUNS").ok();
    let first = text.as_deref().unwrap_or("1").parse::<Scenario>();
    let first = first.expect("CASCOIN_BFT_SEED is a seed or seven numbers");
    let liar = std::env::var("CASCOIN_BFT_LIAR").ok();
    let liar = liar.map(|liar| liar.parse::<usize>().expect("CASCOIN_BFT_LIAR is a number"));
    let liar = liar.map(|liar| Behaviour::liars().swap_remove(liar));
    let told = text.is_ok() && runs.is_none();
    let runs = runs.map_or(1, |runs| runs.parse().expect("CASCOIN_BFT_RUNS is a number"));
    let started = std::time::Instant::now();
    for offset in 0..runs {
        let scenario = match offset {
            0 => first,
            _ => Scenario::from_seed(first.seed.wrapping_add(offset)),
        };
        let simulation = Simulation::new(scenario, liar.as_deref());
        let report = if told { simulation.told() } else { simulation }.run();
        report.assert_good(&scenario);
    }
    println!("{runs} runs in {:.1} s", started.elapsed().as_secs_f32());
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
