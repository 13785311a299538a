//! The engine, in networks of whole engines over a simulated network.
//!
//! Each test ends with `Cluster::finish`, which checks what must hold whatever
//! happened (see [`support::checks`]): one block a height, certificates that
//! verify, nothing signed twice, nothing signed that is not in the log.

mod attest;
mod byzantine;
mod crashes;
mod disks_and_keys;
mod evidence;
mod faults;
mod hand_over;
mod imports;
mod participation;
mod recovery;
mod script;
mod set_changes;
mod signer_memory;
mod support;
