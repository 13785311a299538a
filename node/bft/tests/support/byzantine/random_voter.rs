//! Random voter: votes at random, for any block and round, near or far.

use cascoin_bft::*;

use super::{choices, Message, Simulation};

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
        simulation.lies += 1;
        simulation.send(me, to, Message::Vote(Vote { kind, height, round, block, voter }));
    }
}
