//! What the test files share: names for test data, a hand-driven node, and the simulator.
#![allow(dead_code, unused_imports)]

pub mod byzantine;
pub mod node;
pub mod random;
pub mod simulator;
pub mod trace;

pub use node::*;
