//! Restarts: what the write-ahead log holds binds the node.

mod support;

use cascoin_bft::*;
use support::*;

fn recovery(votes: Vec<Vote>) -> Recovery {
    Recovery { votes, ..Default::default() }
}

fn timers(node: &Node) -> Vec<(TimeoutKind, Round)> {
    let timers = node.log.iter().filter_map(|out| match out {
        Output::StartTimer { timeout, .. } => Some((timeout.kind, timeout.round)),
        _ => None,
    });
    timers.collect()
}

#[test]
fn a_recorded_prevote_is_neither_repeated_nor_contradicted() {
    let mut node = Node::recovered(4, 3, recovery(vec![vote(Prevote, 0, Some(V), 3)]));
    assert_eq!(node.core.step(), Step::Prevote);
    assert_eq!(timers(&node), [(TimeoutKind::Prevote, Round(0))]);
    node.good_proposal(0, W, None);
    node.timeout(TimeoutKind::Propose, 0);
    assert_eq!(node.voted(), []);
    // It counts, though.
    node.votes(Prevote, 0, Some(V), [0, 1]);
    node.verdict(V, Verdict::Valid);
    assert_eq!(node.voted(), [vote(Precommit, 0, Some(V), 3)]);
}

#[test]
fn a_recorded_precommit_is_neither_repeated_nor_contradicted() {
    let votes = vec![vote(Prevote, 0, NIL, 3), vote(Precommit, 0, NIL, 3)];
    let mut node = Node::recovered(4, 3, recovery(votes));
    assert_eq!(node.core.step(), Step::Precommit);
    assert_eq!(timers(&node), [(TimeoutKind::Precommit, Round(0))]);
    node.good_proposal(0, V, None);
    node.votes(Prevote, 0, Some(V), [0, 1, 2]);
    node.verdict(V, Verdict::Valid);
    node.timeout(TimeoutKind::Prevote, 0);
    assert_eq!((node.voted(), node.core.locked()), (vec![], None));
    assert_eq!(node.core.valid(), Some((Round(0), V)));
}

#[test]
fn a_precommit_without_a_prevote_on_record_is_enough() {
    let node = Node::recovered(4, 3, recovery(vec![vote(Precommit, 2, NIL, 3)]));
    assert_eq!((node.core.round(), node.core.step()), (Round(2), Step::Precommit));
}

#[test]
fn votes_of_other_rounds_on_record_bind_when_the_round_comes() {
    // The log's order does not matter, and the highest round is resumed.
    let votes = vec![vote(Prevote, 2, NIL, 3), vote(Prevote, 0, Some(V), 3)];
    let node = Node::recovered(4, 3, recovery(votes));
    assert_eq!((node.core.round(), node.core.step()), (Round(2), Step::Prevote));
    assert_eq!(node.core.votes().count(), 2);
}

#[test]
fn the_lock_holds_after_a_restart() {
    let votes = vec![vote(Prevote, 0, Some(V), 3), vote(Precommit, 0, Some(V), 3)];
    let lock = Some((Round(0), V));
    let mut node = Node::recovered(4, 3, Recovery { votes, lock, ..Default::default() });
    assert_eq!((node.core.locked(), node.core.valid()), (lock, lock));
    assert!(node.log.contains(&validate(V, false)));
    node.next_round(0);
    node.good_proposal(1, W, None);
    assert_eq!(node.voted(), [vote(Prevote, 1, NIL, 3)]);
}

#[test]
fn a_lock_recorded_before_its_precommit_holds() {
    let votes = vec![vote(Prevote, 1, Some(V), 3)];
    let lock = Some((Round(1), V));
    let mut node = Node::recovered(4, 3, Recovery { votes, lock, ..Default::default() });
    assert_eq!((node.core.round(), node.core.step()), (Round(1), Step::Prevote));
    node.verdict(V, Verdict::Valid);
    node.votes(Prevote, 1, Some(V), [0, 1]);
    assert_eq!(node.voted(), [vote(Precommit, 1, Some(V), 3)]);
}

#[test]
fn reproposal_arrives_before_its_proof_of_lock_after_a_restart() {
    // Locked on V in round 0, restarted in round 1: the votes of round 0 are gone. The
    // re-proposal of V waits for them and is then prevoted.
    let votes = vec![vote(Prevote, 0, Some(V), 3), vote(Precommit, 0, Some(V), 3)];
    let lock = Some((Round(0), V));
    let mut node = Node::recovered(4, 3, Recovery { votes, lock, ..Default::default() });
    node.next_round(0);
    node.propose(1, V, Some(0));
    node.verdict(V, Verdict::Valid);
    assert_eq!(node.voted(), []);
    node.votes(Prevote, 0, Some(V), [0]);
    assert_eq!(node.voted(), []);
    node.votes(Prevote, 0, Some(V), [1]);
    assert_eq!(node.voted(), [vote(Prevote, 1, Some(V), 3)]);
}

#[test]
fn the_recorded_proof_of_lock_can_be_shown_again() {
    let polka = (1..4).map(|voter| vote(Prevote, 0, Some(V), voter)).collect::<Vec<_>>();
    let votes = [polka.clone(), vec![vote(Precommit, 0, Some(V), 3)]].concat();
    let lock = Some((Round(0), V));
    let stranger = vote(Prevote, 0, Some(V), 4);
    let votes = [votes, vec![stranger]].concat();
    let mut node = Node::recovered(4, 3, Recovery { votes, lock, ..Default::default() });
    assert_eq!(node.core.votes().filter(|vote| vote.kind == Prevote).collect::<Vec<_>>(), polka);
    node.next_round(0);
    node.propose(1, V, Some(0));
    assert_eq!(node.verdict(V, Verdict::Valid), [node.my(Prevote, 1, Some(V))]);
}

#[test]
fn the_votes_of_peers_on_record_do_not_bind_and_do_not_lead() {
    let votes = vec![vote(Prevote, 5, Some(V), 0)];
    let node = Node::recovered(4, 3, recovery(votes));
    assert_eq!((node.core.round(), node.core.step()), (Round(0), Step::Propose));
}

#[test]
fn a_recorded_proposal_is_not_made_again_and_is_voted_on() {
    let proposals = vec![proposal(4, 0, V, None)];
    let mut leader = Node::recovered(4, 0, Recovery { proposals, ..Default::default() });
    assert_eq!(leader.core.step(), Step::Propose);
    assert_eq!(
        leader.log,
        [
            Output::EnterRound { height: H, round: Round(0), leader: SequencerIndex(0) },
            Output::StartTimer {
                timeout: Timeout { height: H, round: Round(0), kind: TimeoutKind::Propose },
                duration_ms: TIMEOUTS.propose_ms,
            },
            validate(V, false),
        ]
    );
    assert_eq!(leader.built(0, W), []);
    assert_eq!(leader.verdict(V, Verdict::Valid), [leader.my(Prevote, 0, Some(V))]);
}

#[test]
fn a_leader_without_a_recorded_proposal_builds() {
    let leader = Node::recovered(4, 1, recovery(vec![vote(Precommit, 0, NIL, 1)]));
    assert_eq!(leader.core.round(), Round(0));
    let mut leader = leader;
    assert!(leader.next_round(0).contains(&Output::Build { height: H, round: Round(1) }));
}

#[test]
fn a_recovered_leader_proposes_its_valid_value_once_it_is_executed_anew() {
    let votes = vec![vote(Prevote, 0, Some(V), 1), vote(Precommit, 0, Some(V), 1)];
    let lock = Some((Round(0), V));
    let mut leader = Node::recovered(4, 1, Recovery { votes, lock, ..Default::default() });
    let out = leader.next_round(0);
    assert!(!out.iter().any(|o| matches!(o, Output::Propose(_) | Output::Build { .. })));
    assert_eq!(
        leader.verdict(V, Verdict::Valid)[..1],
        [Output::Propose(proposal(4, 1, V, Some(0)))]
    );
}

#[test]
fn a_valid_value_later_than_the_lock_is_kept() {
    let (lock, valid) = (Some((Round(0), V)), Some((Round(2), W)));
    let node = Node::recovered(4, 3, Recovery { lock, valid, ..Default::default() });
    assert_eq!((node.core.locked(), node.core.valid()), (lock, valid));
    assert_eq!(node.core.round(), Round(2));
    let (lock, valid) = (Some((Round(2), V)), Some((Round(0), W)));
    let node = Node::recovered(4, 3, Recovery { lock, valid, ..Default::default() });
    assert_eq!(node.core.valid(), lock);
}

#[test]
fn entries_of_others_are_not_mine() {
    let other = Vote { height: Height(2), ..vote(Prevote, 0, Some(V), 3) };
    let votes = vec![other];
    let proposals = vec![proposal(4, 0, V, None)];
    let node = Node::recovered(4, 3, Recovery { votes, proposals, ..Default::default() });
    assert_eq!((node.core.round(), node.core.step()), (Round(0), Step::Propose));
    assert_eq!((node.core.votes().count(), node.core.proposals().count()), (0, 0));
}

#[test]
fn one_sequencer_decides_after_a_restart() {
    let votes = vec![vote(Prevote, 0, Some(V), 0), vote(Precommit, 0, Some(V), 0)];
    let proposals = vec![proposal(1, 0, V, None)];
    let lock = Some((Round(0), V));
    let mut node = Node::recovered(1, 0, Recovery { votes, proposals, lock, valid: None });
    assert_eq!(decided(&node.verdict(V, Verdict::Valid)), Some((Round(0), V)));
    assert_eq!(node.voted(), []);
}

#[test]
fn own_votes_that_the_log_lost_bind_when_a_peer_shows_them() {
    let mut node = Node::new(4, 3);
    node.votes(Prevote, 0, NIL, [3]);
    node.good_proposal(0, V, None);
    assert_eq!(node.voted(), []);
    assert_eq!(node.core.step(), Step::Prevote);
    // The other side of it, shown later, is no accusation of myself.
    assert_eq!(node.votes(Prevote, 0, Some(V), [3]), []);
}
