//! Equivocator: votes for everything at once, and as leader shows each peer another block, with
//! invented proofs of lock.

use cascoin_bft::*;

use super::{acted_before, choices, Behaviour, Message, Simulation};
use crate::support::simulator::TARGET;

pub fn hear(simulation: &mut Simulation, me: usize, message: Message) {
    let Some(before) = acted_before(simulation, me, &message) else { return };
    let (height, round, voter) = (message.height(), message.round(), simulation.actors[me].index);
    if before == 0 {
        lead_two_faced(simulation, me, height, round);
    }
    // Each peer hears votes for some of the blocks, often for two of them.
    let choices = choices(simulation, height);
    for to in 0..simulation.actors.len() {
        for kind in [VoteKind::Prevote, VoteKind::Precommit] {
            if simulation.random.percent(40) {
                let block = simulation.random.pick(&choices).flatten();
                simulation.lies += 1;
                simulation.send(me, to, Message::Vote(Vote { kind, height, round, block, voter }));
            }
        }
    }
}

/// If this actor leads the round, or one close by, shows each peer one of several proposals.
pub fn lead_two_faced(simulation: &mut Simulation, me: usize, height: Height, round: Round) {
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
