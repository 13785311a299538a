//! Networks of real nodes under real faults: machines that die, links that break,
//! clocks that are wrong, disks that are full.
//!
//! Whatever the fault, each test checks that no two final blocks of one height are
//! seen on any node, that every block (with its transactions) that any node called
//! final is on all nodes in the end, that the chain goes on, and that no log holds
//! two votes of one round. Tests of links and disks need root. None asserts a
//! speed: `scripts/bench` measures.

mod clocks;
mod disks;
mod kills;
mod late;
mod links;
mod partitions;
mod restarts;
mod support;
