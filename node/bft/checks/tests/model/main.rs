//! Model checking of the core: the very [`cascoin_bft::Core`], under a network and an adversary
//! that can do anything, with nodes that crash and come back with their write-ahead log.
//!
//! `setting` says what is explored, `node` and `world` are the state and the rules it is judged by,
//! `reduced` explores all of it, and `unreduced` walks at random through a model without the
//! reductions, to check those and to go further. `docs/consensus.md` has the argument and the
//! results of the full exploration, which `scripts/model-check` runs.

mod node;
#[path = "../../../tests/support/random.rs"]
mod random;
mod reduced;
mod setting;
mod unreduced;
mod world;

use std::{collections::HashSet, time::Instant};

use reduced::Reduced;
use setting::Setting;
use stateright::{Checker, Model};
use unreduced::{Tally, Walk};

/// Explores a setting to the end; returns the projections of its states.
fn explore(setting: &Setting) -> HashSet<u64> {
    let started = Instant::now();
    let checker = Reduced::new(setting.clone()).checker().threads(2).spawn_bfs().join();
    println!(
        "{setting:?}\n  {} states ({} generated), {} node states, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.model().node_states(),
        checker.max_depth(),
        started.elapsed().as_secs_f32(),
    );
    checker.assert_properties();
    checker.model().found()
}

/// Takes random walks, of which none may break a rule or meet a state not in `known`.
fn walk(setting: &Setting, known: Option<&HashSet<u64>>, walks: u64, steps: u64) -> Tally {
    let (mut tally, started) = (Tally::default(), Instant::now());
    for seed in 0..walks {
        if let Err(wrong) = Walk::new(setting, known, seed).run(steps, &mut tally) {
            panic!("walk {seed} of {setting:?}: {wrong}");
        }
    }
    println!("  {tally:?}, {:.1} s", started.elapsed().as_secs_f32());
    tally
}

/// Who leads the two rounds, up to the names of the honest: two honest ones, or the liar one of them.
const LEADERS: [[u16; 2]; 3] = [[0, 1], [0, 3], [3, 0]];

/// Whether `scripts/model-check` wants everything.
fn thorough() -> bool {
    std::env::var("CASCOIN_BFT_MODEL").is_ok_and(|bounds| bounds == "full")
}

/// n = 4, f = 1, two rounds, two good blocks and a bad one. In full, every honest node crashes at
/// any point and any number of times; else one of them does in one of the settings.
#[test]
fn p11_no_state_of_the_model_has_two_decisions() {
    let settings = if thorough() {
        LEADERS.map(|leaders| Setting::four(leaders, 3)).to_vec()
    } else {
        vec![Setting::four([3, 0], 0), Setting::four([0, 3], 1)]
    };
    for setting in settings {
        let found = explore(&setting);
        let walks = if thorough() { 10_000 } else { 500 };
        let tally = walk(&setting, Some(&found), walks, 1_000);
        assert!(tally.decided_by_all > 0, "the walks decide nothing: {tally:?}");
    }
}

/// Seven sequencers of which two lie, four rounds, everybody crashes: too much to exhaust.
#[test]
fn p11_no_random_walk_has_two_decisions() {
    let walks = if thorough() { 4_000 } else { 300 };
    for leaders in [vec![0, 6, 1, 5], vec![5, 6, 0, 1], vec![0, 1, 2, 3]] {
        let setting = Setting { sequencers: 7, honest: 5, rounds: 4, leaders, crashing: 5 };
        let tally = walk(&setting, None, walks, 3_000);
        assert!(tally.decisions > 0, "the walks decide nothing: {tally:?}");
        assert!(tally.decided_after_a_restart > 0, "{tally:?}");
    }
}
