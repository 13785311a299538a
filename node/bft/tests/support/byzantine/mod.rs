//! Byzantine sequencers of the simulator, one behaviour a file.
//!
//! Some run the core and lie around it ([`Behaviour::runs_core`]): they differ from an honest node
//! in whom they talk to, when, and in the blocks they build. The others only react to what they
//! hear, or speak at random. Each lie is counted in [`Simulation::lies`].

mod accomplice;
mod delayer;
mod equivocator;
mod invalid_proposer;
mod random_voter;
mod silent;
mod twins;
mod vote_withholder;

use cascoin_bft::*;

use super::{
    random::Random,
    simulator::{Message, Simulation},
};

/// What a sequencer does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Behaviour {
    /// Follows the protocol.
    Honest,
    Accomplice,
    Delayer,
    Equivocator,
    InvalidProposer,
    RandomVoter,
    Silent,
    Twin {
        half: u16,
    },
    VoteWithholder,
}

impl Behaviour {
    /// Each way to lie, as the actors that make it up.
    pub fn liars() -> Vec<Vec<Self>> {
        let twins = vec![Self::Twin { half: 0 }, Self::Twin { half: 1 }];
        let others = [
            Self::Accomplice,
            Self::Delayer,
            Self::Equivocator,
            Self::InvalidProposer,
            Self::RandomVoter,
            Self::Silent,
            Self::VoteWithholder,
        ];
        others.map(|behaviour| vec![behaviour]).into_iter().chain([twins]).collect()
    }

    /// One of them by chance.
    pub fn draw(random: &mut Random) -> Vec<Self> {
        random.pick(&Self::liars()).unwrap_or_default()
    }

    pub fn runs_core(self) -> bool {
        match self {
            Self::Honest
            | Self::Delayer
            | Self::InvalidProposer
            | Self::Twin { .. }
            | Self::VoteWithholder => true,
            Self::Accomplice | Self::Equivocator | Self::RandomVoter | Self::Silent => false,
        }
    }
}

/// Whether the block that the actor builds now is valid.
pub fn builds_valid(simulation: &mut Simulation, me: usize) -> bool {
    match simulation.actors[me].behaviour {
        Behaviour::InvalidProposer => invalid_proposer::builds_valid(simulation),
        _ => true,
    }
}

/// How much later than it should a message goes out; `None`: never.
pub fn holds_back(
    simulation: &mut Simulation,
    from: usize,
    to: usize,
    message: &Message,
) -> Option<u64> {
    let delay = match simulation.actors[from].behaviour {
        Behaviour::Delayer => Some(delayer::delay(simulation)),
        Behaviour::Twin { half } => twins::talks(simulation, half, from, to).then_some(0),
        Behaviour::VoteWithholder => vote_withholder::talks(simulation, message).then_some(0),
        _ => Some(0),
    };
    if delay != Some(0) {
        simulation.lies += 1;
    }
    delay
}

/// A Byzantine actor without a core hears a message.
pub fn hear(simulation: &mut Simulation, from: usize, me: usize, message: Message) {
    match simulation.actors[me].behaviour {
        Behaviour::Accomplice => accomplice::hear(simulation, from, me, message),
        Behaviour::Equivocator => equivocator::hear(simulation, me, message),
        Behaviour::Silent => silent::hear(simulation),
        _ => {}
    }
}

/// A Byzantine actor's turn to speak unasked.
pub fn tick(simulation: &mut Simulation, me: usize) {
    if simulation.actors[me].behaviour == Behaviour::RandomVoter {
        random_voter::tick(simulation, me);
    }
}

/// Blocks of a height that anybody made, and nil.
fn choices(simulation: &Simulation, height: Height) -> Vec<Option<BlockId>> {
    let blocks = simulation.blocks.iter().filter(|(_, block)| block.height == height);
    blocks.map(|(id, _)| Some(*id)).chain([None]).collect()
}

/// How often the actor acted in the round of the message before; `None`: it has done enough, so
/// that what it sends is heard in spite of losses, and makes no storm.
fn acted_before(simulation: &mut Simulation, me: usize, message: &Message) -> Option<u32> {
    if message.round().0 > 1_000 {
        return None;
    }
    let times = simulation.actors[me].acted.entry((message.height(), message.round())).or_default();
    *times += 1;
    (*times <= 40).then_some(*times - 1)
}
