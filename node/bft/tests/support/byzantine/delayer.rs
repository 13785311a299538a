//! Delayer: follows the protocol, but half of what it sends leaves late, by up to many time-outs,
//! also when the network is well. Its proposals and votes arrive in rounds long past.

use super::Simulation;

/// How much later a message goes out.
pub fn delay(simulation: &mut Simulation) -> u64 {
    if simulation.random.percent(50) {
        simulation.random.range(200, 5_000)
    } else {
        0
    }
}
