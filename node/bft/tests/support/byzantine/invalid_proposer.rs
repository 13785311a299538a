//! Invalid proposer: follows the protocol, but every other block that it builds breaks a rule, and
//! it votes for it.

use super::Simulation;

/// Whether the block that it builds now is valid.
pub fn builds_valid(simulation: &mut Simulation) -> bool {
    let valid = simulation.random.percent(50);
    simulation.lies += u64::from(!valid);
    valid
}
