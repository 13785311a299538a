//! Silent: hears all and says nothing, as a machine that is down for good.

use super::Simulation;

pub fn hear(simulation: &mut Simulation) {
    simulation.lies += 1;
}
