//! Agreement and liveness scenarios of one node, named as in Malachite's suite; `paper_lines.rs`
//! has the rest of that suite.

mod support;

use cascoin_bft::*;
use support::*;

#[test]
fn a_round_that_goes_well() {
    let mut node = Node::new(4, 1);
    let timer = Timeout { height: H, round: Round(0), kind: TimeoutKind::Propose };
    assert_eq!(
        node.log,
        [
            Output::EnterRound { height: H, round: Round(0), leader: SequencerIndex(0) },
            Output::StartTimer { timeout: timer, duration_ms: TIMEOUTS.propose_ms },
        ]
    );
    assert_eq!(node.propose(0, V, None), [validate(V, true)]);
    assert_eq!(node.verdict(V, Verdict::Valid), [node.my(Prevote, 0, Some(V))]);
    assert_eq!(node.votes(Prevote, 0, Some(V), [0]), []);
    assert_eq!(
        node.votes(Prevote, 0, Some(V), [2]),
        [lock_output(0, V), node.my(Precommit, 0, Some(V))]
    );
    assert_eq!(node.votes(Precommit, 0, Some(V), [3]), []);
    assert_eq!(
        node.votes(Precommit, 0, Some(V), [0]),
        [Output::Decide {
            height: H,
            round: Round(0),
            block: V,
            signers: [0, 1, 3].map(SequencerIndex).into(),
        }]
    );
    assert_eq!((node.core.step(), node.core.decision()), (Step::Decided, Some((Round(0), V))));
}

#[test]
fn one_sequencer_decides_within_one_input() {
    let mut node = Node::new(1, 0);
    assert!(node.log.contains(&Output::Build { height: H, round: Round(0) }));
    let out = node.built(0, V);
    assert_eq!(out[0], Output::Propose(proposal(1, 0, V, None)));
    assert_eq!(
        out[1..4],
        [node.my(Prevote, 0, Some(V)), lock_output(0, V), node.my(Precommit, 0, Some(V))]
    );
    assert_eq!(decided(&out), Some((Round(0), V)));
}

#[test]
fn disagreement_ends_the_round_by_its_timers() {
    let mut node = Node::new(4, 3);
    node.good_proposal(0, V, None);
    let out = node.votes(Prevote, 0, NIL, [0, 1]);
    let timeout = Timeout { height: H, round: Round(0), kind: TimeoutKind::Prevote };
    assert_eq!(out, [Output::StartTimer { timeout, duration_ms: TIMEOUTS.prevote_ms }]);
    assert_eq!(node.votes(Prevote, 0, NIL, [2]).first(), Some(&node.my(Precommit, 0, NIL)));
    let out = node.votes(Precommit, 0, Some(V), [0, 1]);
    let timeout = Timeout { height: H, round: Round(0), kind: TimeoutKind::Precommit };
    assert_eq!(out, [Output::StartTimer { timeout, duration_ms: TIMEOUTS.precommit_ms }]);
    let out = node.timeout(TimeoutKind::Precommit, 0);
    assert_eq!(
        out[0],
        Output::EnterRound { height: H, round: Round(1), leader: SequencerIndex(1) }
    );
    assert_eq!(node.core.decision(), None);
}

#[test]
fn each_timer_is_started_once_a_round() {
    let mut node = Node::new(7, 6);
    node.timeout(TimeoutKind::Propose, 0);
    node.votes(Prevote, 0, Some(V), [0, 1, 2]);
    node.votes(Prevote, 0, NIL, [3, 4, 5]);
    node.votes(Precommit, 0, Some(V), [0, 1, 2]);
    node.votes(Precommit, 0, NIL, [3, 4, 5]);
    for kind in [TimeoutKind::Propose, TimeoutKind::Prevote, TimeoutKind::Precommit] {
        let started = node.log.iter().filter(
            |out| matches!(out, Output::StartTimer { timeout, .. } if timeout.kind == kind),
        );
        assert_eq!(started.count(), 1, "{kind:?}");
    }
}

#[test]
fn stale_timers_do_nothing() {
    let mut node = Node::new(4, 3);
    node.good_proposal(0, V, None);
    assert_eq!(node.timeout(TimeoutKind::Propose, 0), []);
    assert_eq!(node.timeout(TimeoutKind::Prevote, 1), []);
    node.timeout(TimeoutKind::Prevote, 0);
    assert_eq!(node.timeout(TimeoutKind::Prevote, 0), []);
    node.next_round(0);
    assert_eq!(node.timeout(TimeoutKind::Precommit, 0), []);
    let other = Timeout { height: Height(2), round: Round(1), kind: TimeoutKind::Propose };
    assert_eq!(node.apply(Input::Timeout(other)), []);
}

#[test]
fn a_bad_proposal_gets_a_nil_prevote() {
    for verdict in [Verdict::Invalid, Verdict::Untimely] {
        let mut node = Node::new(4, 3);
        node.propose(0, V, None);
        assert_eq!(node.verdict(V, verdict), [node.my(Prevote, 0, NIL)]);
    }
}

#[test]
fn an_invalid_block_is_neither_locked_nor_decided() {
    let mut node = Node::new(4, 3);
    node.propose(0, V, None);
    node.verdict(V, Verdict::Invalid);
    node.votes(Prevote, 0, Some(V), [0, 1, 2]);
    node.votes(Precommit, 0, Some(V), [0, 1, 2]);
    assert_eq!((node.core.locked(), node.core.decision()), (None, None));
}

#[test]
fn a_locked_node_refuses_another_first_proposal() {
    let mut node = Node::new(4, 3);
    node.lock(V);
    node.next_round(0);
    // At once: the verdict would change nothing.
    assert_eq!(node.propose(1, W, None), [node.my(Prevote, 1, NIL)]);
}

#[test]
fn a_locked_node_accepts_its_block_again() {
    let mut node = Node::new(4, 3);
    node.lock(V);
    node.next_round(0);
    assert_eq!(node.propose(1, V, None), [node.my(Prevote, 1, Some(V))]);
}

#[test]
fn a_lock_yields_to_a_later_proof_of_lock_only() {
    // Locked on V in round 1; W has a proof of lock of round 0, then of round 2.
    let mut node = Node::new(4, 3);
    node.next_round(0);
    node.good_proposal(1, V, None);
    node.votes(Prevote, 1, Some(V), [0, 1]);
    assert_eq!(node.core.locked(), Some((Round(1), V)));
    node.next_round(1);
    node.votes(Prevote, 0, Some(W), [0, 1, 2]);
    node.propose(2, W, Some(0));
    assert_eq!(node.voted().last(), Some(&vote(Prevote, 2, NIL, 3)));
    node.votes(Prevote, 2, Some(W), [0, 1, 2]);
    // A polka of the current round moves the lock once the block is known valid …
    let out = node.verdict(W, Verdict::Valid);
    assert_eq!(out, [lock_output(2, W), node.my(Precommit, 2, Some(W))]);
}

#[test]
fn a_later_proof_of_lock_unlocks() {
    let mut node = Node::new(7, 6);
    node.lock(V);
    node.next_round(0);
    node.timeout(TimeoutKind::Propose, 1);
    node.next_round(1);
    node.votes(Prevote, 1, Some(W), 0..5);
    assert_eq!(node.core.locked(), Some((Round(0), V)));
    assert_eq!(node.good_proposal(2, W, Some(1)).last(), Some(&node.my(Prevote, 2, Some(W))));
    // The prevote alone does not move the lock.
    assert_eq!(node.core.locked(), Some((Round(0), V)));
}

#[test]
fn polka_in_an_earlier_round_is_needed_for_a_reproposal() {
    let mut node = Node::new(4, 3);
    node.next_round(0);
    node.votes(Prevote, 0, Some(V), [0, 1]);
    assert_eq!(node.propose(1, V, Some(0)), [validate(V, false)]);
    assert_eq!(node.verdict(V, Verdict::Valid), []);
    assert_eq!(node.votes(Prevote, 0, Some(V), [2]), [node.my(Prevote, 1, Some(V))]);
}

#[test]
fn a_proof_of_lock_for_another_block_is_none() {
    let mut node = Node::new(4, 3);
    node.next_round(0);
    node.votes(Prevote, 0, Some(W), [0, 1, 2]);
    assert_eq!(node.good_proposal(1, V, Some(0)), [validate(V, false)]);
    assert_eq!(node.timeout(TimeoutKind::Propose, 1), [node.my(Prevote, 1, NIL)]);
}

#[test]
fn a_proof_of_lock_must_be_older_than_the_proposal() {
    let mut node = Node::new(4, 3);
    node.next_round(0);
    node.votes(Prevote, 1, Some(V), [0, 1, 2]);
    node.verdict(V, Verdict::Valid);
    for valid_round in [1, 2] {
        assert_eq!(node.propose(1, V, Some(valid_round)), []);
    }
    assert_eq!(node.core.proposals().count(), 0);
}

#[test]
fn hidden_lock_is_carried_on_by_the_next_leader_that_saw_the_polka() {
    // Node 1 sees the polka for V only after it precommitted nil: it has no lock, but a valid
    // value, which it re-proposes with the proof of lock, and a node locked on V can join.
    let mut node = Node::new(4, 1);
    node.good_proposal(0, V, None);
    node.votes(Prevote, 0, NIL, [0]);
    node.votes(Prevote, 0, Some(V), [3]);
    node.timeout(TimeoutKind::Prevote, 0);
    assert_eq!(node.voted().last(), Some(&vote(Precommit, 0, NIL, 1)));
    node.votes(Prevote, 0, Some(V), [2]);
    assert_eq!((node.core.locked(), node.core.valid()), (None, Some((Round(0), V))));
    let out = node.next_round(0);
    assert!(out.contains(&Output::Propose(proposal(4, 1, V, Some(0)))));
    assert_eq!(out.last(), Some(&node.my(Prevote, 1, Some(V))));

    let mut locked = Node::new(4, 3);
    locked.lock(V);
    locked.next_round(0);
    assert_eq!(locked.propose(1, V, Some(0)), [locked.my(Prevote, 1, Some(V))]);
}

#[test]
fn decide_for_a_past_round() {
    let mut node = Node::new(4, 3);
    node.good_proposal(0, V, None);
    node.votes(Precommit, 0, Some(V), [0, 1]);
    node.next_round(0);
    node.next_round(1);
    let out = node.votes(Precommit, 0, Some(V), [2]);
    assert_eq!(decided(&out), Some((Round(0), V)));
}

#[test]
fn decide_for_a_later_round_and_without_the_proposal() {
    let mut node = Node::new(4, 3);
    node.votes(Precommit, 5, Some(V), [0]);
    // f + 1 voters in round 5 take the node there; the quorum asks for the block by its hash.
    node.votes(Precommit, 5, Some(V), [1]);
    let out = node.votes(Precommit, 5, Some(V), [2]);
    assert_eq!(out[0], validate(V, false));
    assert_eq!(decided(&node.verdict(V, Verdict::Valid)), Some((Round(5), V)));
}

#[test]
fn lock_without_the_proposal() {
    let mut node = Node::new(4, 3);
    assert_eq!(node.votes(Prevote, 0, Some(V), [0, 1, 2]), [validate(V, false)]);
    assert_eq!(node.verdict(V, Verdict::Valid), []);
    let out = node.timeout(TimeoutKind::Propose, 0);
    assert_eq!(
        out[..3],
        [node.my(Prevote, 0, NIL), lock_output(0, V), node.my(Precommit, 0, Some(V))]
    );
}

#[test]
fn an_untimely_block_that_a_quorum_vouches_for_is_judged_again() {
    let mut node = Node::new(4, 3);
    assert_eq!(node.propose(0, V, None), [validate(V, true)]);
    // While the first question is out, no second one.
    assert_eq!(node.votes(Prevote, 0, Some(V), [0, 1, 2]), []);
    let out = node.verdict(V, Verdict::Untimely);
    assert_eq!(out[..2], [node.my(Prevote, 0, NIL), validate(V, false)]);
    let out = node.verdict(V, Verdict::Valid);
    assert_eq!(out[..2], [lock_output(0, V), node.my(Precommit, 0, Some(V))]);
}

#[test]
fn the_weaker_verdict_does_not_make_a_first_proposal_timely() {
    let mut node = Node::new(4, 3);
    node.next_round(0);
    // A re-proposal without its proof of lock only gets the block judged …
    node.good_proposal(1, V, Some(0));
    node.timeout(TimeoutKind::Propose, 1);
    node.next_round(1);
    // … and as a first proposal its timestamp must still be looked at.
    assert_eq!(node.propose(2, V, None), [validate(V, true)]);
    assert_eq!(node.verdict(V, Verdict::Untimely), [node.my(Prevote, 2, NIL)]);
}

#[test]
fn no_quorum_is_one_vote_short_of_a_quorum() {
    for n in [4u16, 5, 6, 7, 10] {
        let q = quorum(n.into()) as u16;
        let mut node = Node::new(n, n - 1);
        node.good_proposal(0, V, None);
        node.votes(Prevote, 0, Some(V), 0..q - 2);
        assert_eq!(node.core.locked(), None, "n = {n}");
        node.votes(Prevote, 0, Some(V), [q - 2]);
        assert_eq!(node.core.locked(), Some((Round(0), V)), "n = {n}");
        node.votes(Precommit, 0, Some(V), 0..q - 2);
        assert_eq!(node.core.decision(), None, "n = {n}");
        node.votes(Precommit, 0, Some(V), [q - 2]);
        assert_eq!(node.core.decision(), Some((Round(0), V)), "n = {n}");
    }
}

#[test]
fn votes_of_two_rounds_make_no_quorum() {
    let mut node = Node::new(4, 3);
    node.good_proposal(0, V, None);
    node.votes(Precommit, 0, Some(V), [0, 1]);
    node.votes(Precommit, 1, Some(V), [2]);
    assert_eq!(node.core.decision(), None);
}

#[test]
fn repeated_votes_count_once() {
    let mut node = Node::new(4, 3);
    node.good_proposal(0, V, None);
    node.votes(Prevote, 0, Some(V), [0, 0, 0, 0]);
    node.votes(Precommit, 0, Some(V), [0, 0, 0, 0]);
    assert_eq!((node.core.locked(), node.core.decision()), (None, None));
}

#[test]
fn nothing_happens_after_the_decision_until_a_higher_height_starts() {
    let mut node = Node::new(1, 0);
    node.built(0, V);
    let before = node.core.clone();
    assert_eq!(node.timeout(TimeoutKind::Precommit, 0), []);
    assert_eq!(node.built(0, W), []);
    assert_eq!(node.apply(Input::Start(config(1, Some(0)), Recovery::default())), []);
    assert_eq!(node.core, before);
    let next = HeightConfig { height: Height(2), ..config(1, Some(0)) };
    assert!(!node.apply(Input::Start(next, Recovery::default())).is_empty());
    assert_eq!((node.core.height(), node.core.decision()), (Height(2), None));
}

#[test]
fn only_the_awaited_block_is_proposed() {
    let mut leader = Node::new(4, 0);
    assert_eq!(leader.built(1, V), []);
    let other = Input::Built { height: Height(2), round: Round(0), block: V };
    assert_eq!(leader.apply(other), []);
    assert!(leader.built(0, V).contains(&Output::Propose(proposal(4, 0, V, None))));
    assert_eq!(leader.built(0, W), []);

    let mut late = Node::new(4, 0);
    late.timeout(TimeoutKind::Propose, 0);
    assert_eq!(late.built(0, V), []);

    let mut follower = Node::new(4, 1);
    assert_eq!(follower.built(0, V), []);
}

#[test]
fn own_messages_fed_back_change_nothing() {
    let mut node = Node::new(4, 0);
    node.built(0, V);
    let before = node.core.clone();
    assert_eq!(node.propose(0, V, None), []);
    assert_eq!(node.votes(Prevote, 0, Some(V), [0]), []);
    assert_eq!(node.core, before);
}

#[test]
fn an_observer_follows_in_silence() {
    for me in [None, Some(4), Some(u16::MAX)] {
        let mut core = Core::new();
        let mut log = core.apply(Input::Start(config(4, me), Recovery::default()));
        let mut inputs = vec![Input::Proposal(proposal(4, 0, V, None))];
        inputs.push(Input::Verdict { height: H, block: V, verdict: Verdict::Valid });
        for kind in [Prevote, Precommit] {
            inputs.extend((0..4).map(|voter| Input::Vote(vote(kind, 0, Some(V), voter))));
        }
        log.extend(inputs.into_iter().flat_map(|input| core.apply(input)));
        assert_eq!(decided(&log), Some((Round(0), V)));
        assert!(!log.iter().any(|out| matches!(
            out,
            Output::Vote(_) | Output::Propose(_) | Output::Build { .. } | Output::Lock { .. }
        )));
    }
}

#[test]
fn equivocation_is_reported_once_and_counts_for_both_blocks() {
    let mut node = Node::new(4, 3);
    node.good_proposal(0, V, None);
    node.votes(Prevote, 0, Some(W), [0]);
    let (first, second) = (vote(Prevote, 0, Some(W), 0), vote(Prevote, 0, Some(V), 0));
    let equivocation = Output::Equivocation { first, second };
    assert_eq!(node.votes(Prevote, 0, Some(V), [0]), [equivocation]);
    assert_eq!(node.votes(Prevote, 0, Some(V), [0]), []);
    assert_eq!(node.votes(Prevote, 0, NIL, [0]), []);
    node.votes(Prevote, 0, Some(V), [1]);
    assert_eq!(node.core.locked(), Some((Round(0), V)));
    assert_eq!(node.core.votes().filter(|v| v.voter.0 == 0).count(), 2);
}

#[test]
fn an_equivocator_cannot_hide_a_certificate_that_it_signed() {
    // Two other stories first; its vote for V still counts once f + 1 others back V.
    let mut node = Node::new(4, 3);
    node.good_proposal(0, V, None);
    node.votes(Precommit, 0, Some(W), [0]);
    node.votes(Precommit, 0, NIL, [0]);
    node.votes(Precommit, 0, Some(V), [0, 1]);
    assert_eq!(node.core.decision(), None);
    node.votes(Precommit, 0, Some(V), [2]);
    let out = node.votes(Precommit, 0, Some(V), [0]);
    assert_eq!(decided(&out), Some((Round(0), V)));
}

#[test]
fn the_first_proposal_of_a_round_counts_and_the_second_is_evidence() {
    let mut node = Node::new(4, 3);
    node.propose(0, V, None);
    let (first, second) = (proposal(4, 0, V, None), proposal(4, 0, W, None));
    let evidence = Output::ProposalEquivocation { first, second };
    assert_eq!(node.propose(0, W, None), [evidence]);
    assert_eq!(node.propose(0, BlockId([3; 32]), None), []);
    assert_eq!(node.verdict(V, Verdict::Valid), [node.my(Prevote, 0, Some(V))]);
}

#[test]
fn only_the_leader_of_the_round_proposes() {
    let mut node = Node::new(4, 3);
    let forged = Proposal { proposer: SequencerIndex(2), ..proposal(4, 0, V, None) };
    assert_eq!(node.apply(Input::Proposal(forged)), []);
    let elsewhere = Proposal { height: Height(2), ..proposal(4, 0, V, None) };
    assert_eq!(node.apply(Input::Proposal(elsewhere)), []);
    assert_eq!(node.core.proposals().count(), 0);
}
