//! The scenarios of Malachite's Quint suite that are not in `scenarios.rs` by their own name: runs
//! through single lines of the paper, and the runs of four nodes (agreement, disagreement,
//! a straggler).

mod support;

use cascoin_bft::*;
use support::*;

#[test]
fn line_26_first_proposal_that_is_invalid_or_at_odds_with_the_lock() {
    let mut node = Node::new(4, 3);
    node.propose(0, V, None);
    assert_eq!(node.verdict(V, Verdict::Invalid), [node.my(Prevote, 0, NIL)]);
    let mut node = Node::new(4, 3);
    node.lock(V);
    node.next_round(0);
    assert_eq!(node.propose(1, W, None), [node.my(Prevote, 1, NIL)]);
}

#[test]
fn line_28_reproposal_with_its_polka_of_an_earlier_round() {
    let mut node = Node::new(4, 3);
    node.votes(Prevote, 0, Some(V), [0, 1, 2]);
    node.verdict(V, Verdict::Valid);
    node.next_round(0);
    assert_eq!(node.propose(1, V, Some(0)), [node.my(Prevote, 1, Some(V))]);
}

#[test]
fn line_32_reproposal_with_a_proof_older_than_the_lock_on_another_block() {
    let mut node = Node::new(4, 3);
    node.votes(Prevote, 0, Some(W), [0, 1, 2]);
    node.verdict(W, Verdict::Valid);
    node.next_round(0);
    node.good_proposal(1, V, None);
    node.votes(Prevote, 1, Some(V), [0, 1]);
    assert_eq!(node.core.locked(), Some((Round(1), V)));
    node.next_round(1);
    assert_eq!(node.propose(2, W, Some(0)), [node.my(Prevote, 2, NIL)]);
}

#[test]
fn line_42_polka_after_the_precommit_is_the_valid_value_and_no_lock() {
    let mut node = Node::new(4, 3);
    node.good_proposal(0, V, None);
    node.votes(Prevote, 0, Some(V), [0]);
    node.timeout(TimeoutKind::Prevote, 0);
    assert_eq!(node.voted().last(), Some(&vote(Precommit, 0, NIL, 3)));
    assert_eq!(node.votes(Prevote, 0, Some(V), [1, 2]), []);
    assert_eq!((node.core.locked(), node.core.valid()), (None, Some((Round(0), V))));
}

/// Hands everything said so far to everybody, until nobody has anything new to say.
fn talk(nodes: &mut [Node]) {
    let mut heard = 0;
    loop {
        let said = nodes.iter().flat_map(|node| node.log.clone());
        let said = said.filter(|out| matches!(out, Output::Vote(_) | Output::Propose(_)));
        let said = said.collect::<Vec<_>>();
        if said.len() == heard {
            return;
        }
        heard = said.len();
        for node in nodes.iter_mut() {
            for out in &said {
                let input = match out {
                    Output::Vote(vote) => Input::Vote(*vote),
                    Output::Propose(proposal) => Input::Proposal(*proposal),
                    _ => continue,
                };
                let asked = node.apply(input);
                for out in asked {
                    if let Output::Validate { block, .. } = out {
                        node.verdict(block, Verdict::Valid);
                    }
                }
            }
        }
    }
}

fn decisions(nodes: &[Node]) -> Vec<Option<(Round, BlockId)>> {
    nodes.iter().map(|node| node.core.decision()).collect()
}

#[test]
fn agreement_of_four() {
    let mut nodes = (0..4).map(|me| Node::new(4, me)).collect::<Vec<_>>();
    nodes[0].built(0, V);
    talk(&mut nodes);
    assert_eq!(decisions(&nodes), [Some((Round(0), V)); 4]);
}

#[test]
fn three_decide_in_round_1_while_the_fourth_is_still_in_round_0() {
    let mut nodes = (0..4).map(|me| Node::new(4, me)).collect::<Vec<_>>();
    for node in &mut nodes[..3] {
        node.timeout(TimeoutKind::Propose, 0);
    }
    talk(&mut nodes[..3]);
    for node in &mut nodes[..3] {
        node.next_round(0);
    }
    nodes[1].built(1, V);
    talk(&mut nodes[..3]);
    assert_eq!(decisions(&nodes[..3]), [Some((Round(1), V)); 3]);
    assert_eq!((nodes[3].core.round(), nodes[3].core.decision()), (Round(0), None));
    talk(&mut nodes);
    assert_eq!(nodes[3].core.decision(), Some((Round(1), V)));
}

/// What the assumption of at most f liars is for: with two of four, two honest nodes decide
/// different blocks, each with a certificate of its own.
#[test]
fn disagreement_takes_more_than_f_liars() {
    let (mut a, mut b) = (Node::new(4, 2), Node::new(4, 3));
    for (node, block) in [(&mut a, V), (&mut b, W)] {
        node.good_proposal(0, block, None);
        for kind in [Prevote, Precommit] {
            node.votes(kind, 0, Some(block), [0, 1]);
        }
        assert_eq!(node.core.decision(), Some((Round(0), block)));
    }
}
