//! Vote withholder: follows the protocol and proposes, but shows each of its votes to few or to
//! nobody, so that some nodes see quorums that others do not.

use super::Simulation;
use crate::support::simulator::Message;

/// Whether the message goes out.
pub fn talks(simulation: &mut Simulation, message: &Message) -> bool {
    match message {
        Message::Proposal(_) => true,
        Message::Vote(_) => simulation.random.percent(10),
    }
}
