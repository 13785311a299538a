//! Byzantine sequencers of the simulator.

use cascoin_bft::*;

use super::{
    random::Random,
    simulator::{Actor, Message, Simulation, TARGET},
};

/// What a sequencer does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behaviour {
    /// Follows the protocol.
    Honest,
    /// Says nothing.
    Silent,
    /// Votes for everything at once, and as leader shows each peer another block.
    Equivocator,
    /// Backs whatever it hears of, towards whoever said it, without regard to any lock.
    Accomplice,
    /// Votes at random, for any block and round, near or far.
    RandomVoter,
    /// One of two honest programs with the same key, each talking to half of the others.
    Twin { half: u16 },
}

/// A behaviour by chance, as the actors that make it up.
pub fn draw(random: &mut Random) -> Vec<Behaviour> {
    match random.range(0, 8) {
        0 => vec![Behaviour::Silent],
        1 => vec![Behaviour::RandomVoter],
        2 | 3 => vec![Behaviour::Twin { half: 0 }, Behaviour::Twin { half: 1 }],
        4 | 5 => vec![Behaviour::Equivocator],
        _ => vec![Behaviour::Accomplice],
    }
}

/// Whether messages of `from` go to `to`.
pub fn talks(from: &Actor, to: &Actor) -> bool {
    match from.behaviour {
        Behaviour::Silent => false,
        Behaviour::Twin { half } => from.index != to.index && to.index.0 % 2 == half,
        _ => true,
    }
}

/// Blocks of a height that anybody made, and nil.
fn choices(simulation: &Simulation, height: Height) -> Vec<Option<BlockId>> {
    let blocks = simulation.blocks.iter().filter(|(_, block)| block.height == height);
    blocks.map(|(id, _)| Some(*id)).chain([None]).collect()
}

/// A Byzantine actor hears a message.
pub fn hear(simulation: &mut Simulation, from: usize, me: usize, message: Message) {
    let behaviour = simulation.actors[me].behaviour;
    let acts = matches!(behaviour, Behaviour::Equivocator | Behaviour::Accomplice);
    let (height, round) = (message.height(), message.round());
    if !acts || round.0 > 1_000 {
        return;
    }
    let times = simulation.actors[me].acted.entry((height, round)).or_default();
    *times += 1;
    // Enough to be heard in spite of losses, and no storm.
    let (first, enough) = (*times == 1, *times > 40);
    if first {
        lead_two_faced(simulation, me, height, round);
    }
    if enough {
        return;
    }
    let voter = simulation.actors[me].index;
    if behaviour == Behaviour::Accomplice {
        if let Some(block) = message.block() {
            for kind in [VoteKind::Prevote, VoteKind::Precommit] {
                let block = Some(block);
                let vote = Vote { kind, height, round, block, voter };
                simulation.send(me, from, Message::Vote(vote));
            }
        }
        return;
    }
    // Each peer hears votes for some of the blocks, often for two of them.
    let choices = choices(simulation, height);
    for to in 0..simulation.actors.len() {
        for kind in [VoteKind::Prevote, VoteKind::Precommit] {
            if simulation.random.percent(40) {
                let block = simulation.random.pick(&choices).flatten();
                simulation.send(me, to, Message::Vote(Vote { kind, height, round, block, voter }));
            }
        }
    }
}

/// If this actor leads the round, or one close by, shows each peer one of two proposals.
fn lead_two_faced(simulation: &mut Simulation, me: usize, height: Height, round: Round) {
    let proposer = simulation.actors[me].index;
    let honest = simulation.actors.iter().find(|a| a.behaviour == Behaviour::Honest);
    let known = honest.map(|a| a.disk.decided.clone()).unwrap_or_default();
    let parent = known.get(&Height(height.0.saturating_sub(1))).map(|(block, _)| *block);
    if height.0 > 1 && parent.is_none() || height > TARGET {
        return;
    }
    let order = simulation.leaders(height, parent);
    // Early as well, for what must wait for its round.
    for round in (round.0..round.0 + 3).map(Round).filter(|round| order.leader(*round) == proposer)
    {
        let valid = !simulation.random.percent(20);
        let mut blocks =
            vec![simulation.new_block(me, height, true), simulation.new_block(me, height, valid)];
        blocks.extend(choices(simulation, height).into_iter().flatten());
        simulation.actors[me].bodies.extend(blocks.iter().copied());
        for to in 0..simulation.actors.len() {
            let Some(block) = simulation.random.pick(&blocks) else {
                continue;
            };
            let lied = simulation.random.range(0, u64::from(round.0)) as u16;
            let valid_round = (lied < round.0).then_some(Round(lied));
            let proposal = Proposal { height, round, block, valid_round, proposer };
            simulation.send(me, to, Message::Proposal(proposal));
        }
    }
}

/// A random voter's turn.
pub fn tick(simulation: &mut Simulation, me: usize) {
    let voter = simulation.actors[me].index;
    for to in 0..simulation.actors.len() {
        let at = &simulation.actors[to].core;
        let (height, near) = (at.height(), at.round().0);
        let ahead = match simulation.random.range(0, 9) {
            0 => simulation.random.range(0, u64::from(u16::MAX)),
            1..=4 => simulation.random.range(0, 12),
            _ => 0,
        };
        let round = Round(near.saturating_add(ahead as u16));
        let choices = choices(simulation, height);
        let block = simulation.random.pick(&choices).flatten();
        let kind =
            if simulation.random.percent(50) { VoteKind::Prevote } else { VoteKind::Precommit };
        simulation.send(me, to, Message::Vote(Vote { kind, height, round, block, voter }));
    }
}
