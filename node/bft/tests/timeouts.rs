//! Growth and cap of the waits, and the thresholds.

mod support;

use cascoin_bft::*;
use proptest::prelude::*;
use support::*;
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

/// The precommit wait that a quorum of precommits starts in `round`, given these prevotes and
/// precommits of voters 0, 1, 2.
fn precommit_wait(
    round: u16,
    prevotes: [Option<BlockId>; 3],
    precommits: [Option<BlockId>; 3],
) -> u64 {
    let mut node = Node::new(4, 3);
    for round in 0..round {
        node.next_round(round);
    }
    assert_eq!(node.core.round(), Round(round));
    for (kind, votes) in [(VoteKind::Prevote, prevotes), (VoteKind::Precommit, precommits)] {
        for (voter, block) in (0..).zip(votes) {
            node.votes(kind, round, block, [voter]);
        }
    }
    let timer = |output: &Output| match output {
        Output::StartTimer { timeout, duration_ms } => {
            ((timeout.kind, timeout.round) == (Precommit, Round(round))).then_some(*duration_ms)
        }
        _ => None,
    };
    node.log.iter().find_map(timer).expect("a quorum of precommits starts the timer")
}

#[test]
fn a_round_that_can_only_fail_is_left_at_once() {
    let usual = |round| config(4, None).timeouts.duration_ms(Precommit, Round(round));
    assert!(usual(0) > 1);
    for round in 0..4 {
        assert_eq!(precommit_wait(round, [NIL; 3], [NIL; 3]), 1, "round {round}");
        // A polka may still come, or a decision.
        assert_eq!(precommit_wait(round, [NIL, NIL, Some(V)], [NIL; 3]), usual(round));
        assert_eq!(precommit_wait(round, [NIL; 3], [NIL, NIL, Some(V)]), usual(round));
    }
    // Everybody has led: rounds are no longer used up at the pace of the network.
    for round in 4..7 {
        assert_eq!(precommit_wait(round, [NIL; 3], [NIL; 3]), usual(round), "round {round}");
    }
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
