//! Accomplice: backs whatever it hears of, towards whoever said it, without regard to any lock; as
//! leader it is two-faced.

use cascoin_bft::*;

use super::{acted_before, equivocator::lead_two_faced, Message, Simulation};

pub fn hear(simulation: &mut Simulation, from: usize, me: usize, message: Message) {
    let Some(before) = acted_before(simulation, me, &message) else { return };
    let (height, round, voter) = (message.height(), message.round(), simulation.actors[me].index);
    if before == 0 {
        lead_two_faced(simulation, me, height, round);
    }
    let Some(block) = message.block() else { return };
    for kind in [VoteKind::Prevote, VoteKind::Precommit] {
        let vote = Vote { kind, height, round, block: Some(block), voter };
        simulation.lies += 1;
        simulation.send(me, from, Message::Vote(vote));
    }
}
