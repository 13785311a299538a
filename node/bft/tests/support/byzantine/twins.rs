//! Twins: two honest programs with one key, each talking to half of the others. As leader they
//! propose two blocks, and they vote for both sides of every question.

use super::Simulation;

/// Whether the twin talks to the actor.
pub fn talks(simulation: &Simulation, half: u16, from: usize, to: usize) -> bool {
    let (from, to) = (&simulation.actors[from], &simulation.actors[to]);
    from.index != to.index && to.index.0 % 2 == half
}
