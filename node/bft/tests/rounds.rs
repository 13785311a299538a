//! Round skipping, the look-ahead bound, and input that must be ignored.

mod support;

use cascoin_bft::*;
use proptest::prelude::*;
use support::*;

#[test]
fn f_plus_one_voters_of_a_higher_round_take_the_node_there() {
    for n in [4u16, 7, 10] {
        let f = max_faulty(n.into()) as u16;
        let mut node = Node::new(n, n - 1);
        node.votes(Prevote, 2, Some(V), 0..f);
        // The same voters again, in whatever kind, are no further voters.
        node.votes(Precommit, 2, NIL, 0..f);
        assert_eq!(node.core.round(), Round(0), "n = {n}");
        node.votes(Precommit, 2, NIL, [f]);
        assert_eq!(node.core.round(), Round(2), "n = {n}");
    }
}

#[test]
fn a_proposal_counts_for_the_skip() {
    let mut node = Node::new(4, 3);
    node.propose(2, V, None);
    assert_eq!(node.core.round(), Round(0));
    let out = node.votes(Prevote, 2, NIL, [0]);
    assert_eq!(node.core.round(), Round(2));
    // It was kept, and is judged now.
    assert_eq!(out.last(), Some(&validate(V, true)));
}

#[test]
fn the_skip_goes_no_further_than_an_honest_voter_is() {
    let mut node = Node::new(7, 6);
    node.votes(Prevote, u16::MAX, NIL, [0]);
    node.votes(Prevote, 9, NIL, [1]);
    assert_eq!(node.core.round(), Round(0));
    node.votes(Prevote, 3, NIL, [2]);
    assert_eq!(node.core.round(), Round(3));
}

#[test]
fn a_node_cut_off_for_long_catches_up_beyond_the_look_ahead() {
    let mut node = Node::new(4, 3);
    let far = LOOK_AHEAD_ROUNDS + 500;
    node.votes(Prevote, far, Some(V), [0]);
    assert_eq!(node.core.votes().count(), 0, "not kept");
    node.votes(Prevote, far, Some(V), [1]);
    assert_eq!(node.core.round(), Round(far));
    node.votes(Precommit, far, Some(V), [0, 1, 2]);
    assert_eq!(decided(&node.verdict(V, Verdict::Valid)), Some((Round(far), V)));
}

#[test]
fn the_look_ahead_bound_is_exact() {
    let mut node = Node::new(4, 3);
    node.votes(Prevote, LOOK_AHEAD_ROUNDS, NIL, [0]);
    node.votes(Precommit, LOOK_AHEAD_ROUNDS + 1, NIL, [0]);
    assert_eq!(node.core.votes().count(), 1);
    let mut node = Node::new(7, 6);
    node.propose(LOOK_AHEAD_ROUNDS, V, None);
    node.propose(LOOK_AHEAD_ROUNDS + 1, V, None);
    assert_eq!(node.core.proposals().count(), 1);
}

#[test]
fn the_last_round_is_stayed_in() {
    let mut node = Node::new(4, 2);
    node.votes(Prevote, u16::MAX, NIL, [0, 1]);
    assert_eq!(node.core.round(), Round(u16::MAX));
    node.timeout(TimeoutKind::Precommit, u16::MAX);
    assert_eq!(node.core.round(), Round(u16::MAX));
}

#[test]
fn strangers_and_other_heights_are_ignored() {
    let mut node = Node::new(4, 3);
    let before = node.core.clone();
    node.votes(Prevote, 1, Some(V), 4..100);
    for height in [0, 2, u32::MAX].map(Height) {
        for voter in 0..3 {
            let elsewhere = Vote { height, ..vote(Precommit, 1, Some(V), voter) };
            node.apply(Input::Vote(elsewhere));
        }
        node.apply(Input::Verdict { height, block: V, verdict: Verdict::Valid });
    }
    node.verdict(W, Verdict::Valid);
    assert_eq!(node.core, before);
}

#[test]
fn nothing_moves_before_the_first_start() {
    let mut core = Core::new();
    assert_eq!(core.step(), Step::Idle);
    let genesis = HeightConfig { height: Height(0), ..config(4, Some(0)) };
    for input in [
        Input::Start(genesis, Recovery::default()),
        Input::Vote(vote(Prevote, 0, NIL, 0)),
        Input::Proposal(proposal(4, 0, V, None)),
        Input::Built { height: Height(0), round: Round(0), block: V },
        Input::Verdict { height: Height(0), block: V, verdict: Verdict::Valid },
    ] {
        assert_eq!(core.apply(input), []);
    }
    assert_eq!(core, Core::new());
}

fn blocks() -> impl Strategy<Value = BlockId> {
    (0u8..4).prop_map(|byte| BlockId([byte; 32]))
}

fn rounds() -> impl Strategy<Value = Round> {
    prop_oneof![8 => 0u16..4, 1 => 0u16..30, 1 => any::<u16>()].prop_map(Round)
}

fn inputs() -> impl Strategy<Value = Input> {
    let height = prop_oneof![20 => Just(H), 1 => (0u32..4).prop_map(Height)];
    let index = || prop_oneof![20 => 0u16..4, 1 => any::<u16>()].prop_map(SequencerIndex);
    let kind = prop_oneof![Just(Prevote), Just(Precommit)];
    let timer = prop_oneof![
        Just(TimeoutKind::Propose),
        Just(TimeoutKind::Prevote),
        Just(TimeoutKind::Precommit)
    ];
    let verdict = prop_oneof![4 => Just(Verdict::Valid), 1 => Just(Verdict::Invalid), 1 => Just(Verdict::Untimely)];
    prop_oneof![
        10 => (height.clone(), rounds(), kind, proptest::option::of(blocks()), index())
            .prop_map(|(height, round, kind, block, voter)|
                Input::Vote(Vote { kind, height, round, block, voter })),
        4 => (height.clone(), rounds(), blocks(), proptest::option::of(rounds()))
            .prop_map(|(height, round, block, valid_round)| Input::Proposal(Proposal {
                height, round, block, valid_round, proposer: SequencerIndex(round.0 % 4) })),
        4 => (height.clone(), blocks(), verdict)
            .prop_map(|(height, block, verdict)| Input::Verdict { height, block, verdict }),
        3 => (height.clone(), rounds(), timer)
            .prop_map(|(height, round, kind)| Input::Timeout(Timeout { height, round, kind })),
        2 => (height, rounds(), blocks())
            .prop_map(|(height, round, block)| Input::Built { height, round, block }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    /// Whatever comes in: no panic, no second vote or proposal of a round, no question asked twice,
    /// rounds only rise, at most one decision; and the same inputs give the same outputs.
    #[test]
    fn any_input_keeps_the_promises(
        me in proptest::option::of(0u16..4),
        inputs in proptest::collection::vec(inputs(), 0..200),
    ) {
        let mut core = Core::new();
        let start = Input::Start(config(4, me), Recovery::default());
        let mut log = core.apply(start.clone());
        let mut again = Core::new();
        prop_assert_eq!(&again.apply(start), &log);
        for input in inputs {
            let (round, decision) = (core.round(), core.decision());
            let out = core.apply(input.clone());
            prop_assert_eq!(&again.apply(input), &out);
            prop_assert!(core.round() >= round);
            prop_assert!(decision.is_none() || core.decision() == decision && out.is_empty());
            log.extend(out);
        }
        prop_assert_eq!(core, again);
        let (mut votes, mut proposals, mut questions) = (vec![], vec![], vec![]);
        for out in log {
            match out {
                Output::Vote(vote) => votes.push((vote.round, vote.kind)),
                Output::Propose(proposal) => proposals.push(proposal.round),
                Output::Validate { block, first_proposal, .. } => questions.push((block, first_proposal)),
                _ => {}
            }
        }
        prop_assert!(votes.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", votes);
        prop_assert!(proposals.windows(2).all(|pair| pair[0] < pair[1]));
        let asked = questions.len();
        questions.sort();
        questions.dedup();
        prop_assert_eq!(asked, questions.len());
    }
}
