//! A run of the simulator in words, one line an event.

use cascoin_bft::*;

use super::simulator::{Actor, Event, Message};

/// An event; `None` for those that say nothing by themselves.
pub fn event(actors: &[Actor], event: &Event) -> Option<String> {
    let name = |actor: usize| name(actors, actor);
    Some(match event {
        Event::Deliver { from, to, message } => {
            format!("{} <- {}: {}", name(*to), name(*from), heard(message))
        }
        Event::Input { actor, input: Input::Timeout(timer), .. } => {
            format!(
                "{} timer {:?} of {}",
                name(*actor),
                timer.kind,
                place(timer.height, timer.round)
            )
        }
        Event::Input { actor, input: Input::Verdict { block, verdict, .. }, .. } => {
            format!("{} judges {}: {verdict:?}", name(*actor), short(*block))
        }
        Event::Input { actor, input: Input::Built { block, height, round }, .. } => {
            format!("{} built {} for {}", name(*actor), short(*block), place(*height, *round))
        }
        Event::Crash { actor } => format!("{} is about to crash", name(*actor)),
        Event::Restart { actor } => format!("{} comes back", name(*actor)),
        _ => return None,
    })
}

/// What a core says.
pub fn output(actors: &[Actor], actor: usize, output: &Output) -> Option<String> {
    let said = match output {
        Output::EnterRound { height, round, leader } => {
            format!("enters {}, led by {}", place(*height, *round), leader.0)
        }
        Output::Propose(proposal) => format!("sends {}", heard(&Message::Proposal(*proposal))),
        Output::Vote(vote) => format!("sends {}", heard(&Message::Vote(*vote))),
        Output::Lock { height, round, block } => {
            format!("locks {} in {}", short(*block), place(*height, *round))
        }
        Output::Decide { height, round, block, signers } => {
            let signers = signers.iter().map(|signer| signer.0).collect::<Vec<_>>();
            format!("DECIDES {} in {} by {signers:?}", short(*block), place(*height, *round))
        }
        Output::Equivocation { first, second } => {
            let vote = |vote: &Vote| heard(&Message::Vote(*vote));
            format!("accuses {}: {} and {}", first.voter.0, vote(first), vote(second))
        }
        Output::ProposalEquivocation { first, .. } => {
            format!("accuses the leader {}: two proposals", first.proposer.0)
        }
        Output::StartTimer { .. } | Output::Build { .. } | Output::Validate { .. } => return None,
    };
    Some(format!("{} {said}", name(actors, actor)))
}

fn name(actors: &[Actor], actor: usize) -> String {
    let Actor { index, behaviour, .. } = &actors[actor];
    format!("{}:{behaviour:?}", index.0)
}

fn heard(message: &Message) -> String {
    match message {
        Message::Proposal(p) => {
            let proof =
                p.valid_round.map_or(String::new(), |round| format!(" by round {}", round.0));
            format!("proposal {} of {}{proof}", short(p.block), place(p.height, p.round))
        }
        Message::Vote(v) => {
            let block = v.block.map_or("nil".into(), short);
            format!("{:?} {block} in {} of {}", v.kind, place(v.height, v.round), v.voter.0)
        }
    }
}

fn place(height: Height, round: Round) -> String {
    format!("{}/{}", height.0, round.0)
}

fn short(block: BlockId) -> String {
    block.0[..3].iter().map(|byte| format!("{byte:02x}")).collect()
}
