//! Growth and cap of the waits, and the thresholds.

mod support;

use cascoin_bft::*;
use proptest::prelude::*;
use TimeoutKind::{Precommit, Prevote, Propose};

#[test]
fn waits_grow_by_half_a_round_up_to_the_cap() {
    let params = TimeoutParams { propose_ms: 3_000, prevote_ms: 500, precommit_ms: 150 };
    let waits = |kind| (0..8).map(|r| params.duration_ms(kind, Round(r))).collect::<Vec<_>>();
    assert_eq!(waits(Propose), [3_000, 4_500, 6_750, 10_125, 15_188, 22_782, 30_000, 30_000]);
    assert_eq!(waits(Prevote), [500, 750, 1_125, 1_688, 2_532, 3_798, 5_697, 8_546]);
    assert_eq!(waits(Precommit), [150, 225, 338, 507, 761, 1_142, 1_713, 2_570]);
}

#[test]
fn quorums_of_small_sets() {
    let sizes = [0, 1, 2, 3, 4, 5, 6, 7, 10, 64];
    assert_eq!(sizes.map(quorum), [1, 1, 2, 3, 3, 4, 5, 5, 7, 43]);
    assert_eq!(sizes.map(max_faulty), [0, 0, 0, 0, 1, 1, 1, 2, 3, 21]);
    // Must not overflow.
    assert!(quorum(usize::MAX) > max_faulty(usize::MAX));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn waits_rise_strictly_below_the_cap(base_ms in any::<u64>(), round in 0u16..u16::MAX) {
        let params = TimeoutParams { propose_ms: base_ms, prevote_ms: 0, precommit_ms: u64::MAX };
        let (now, next) = (params.duration_ms(Propose, Round(round)), params.duration_ms(Propose, Round(round + 1)));
        prop_assert!(now < next || now == MAX_TIMEOUT_MS && next == MAX_TIMEOUT_MS);
        prop_assert!((1..=MAX_TIMEOUT_MS).contains(&now));
        prop_assert_eq!(params.duration_ms(Precommit, Round(round)), MAX_TIMEOUT_MS);
    }

    #[test]
    fn two_quorums_share_an_honest_sequencer_and_the_honest_make_one(n in 1usize..10_000) {
        let (q, f) = (quorum(n), max_faulty(n));
        prop_assert!(2 * q - n > f);
        prop_assert!(n - f >= q);
        prop_assert_eq!(q, 2 * n / 3 + 1);
    }
}
