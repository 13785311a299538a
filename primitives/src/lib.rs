//! Wire formats and pure logic that Cascoin L2's node, runtime, tests and tools
//! share. A format is defined here once and nowhere else.
//!
//! - [`l1`]: what stands on L1: parameters, hashes, amounts, addresses, burns, and proofs
//!   of it.
//! - [`relay`]: how L1 blocks are attested on L2: digests, event pages, votes.
//! - [`consensus`]: what sequencers sign, and the certificate that makes a
//!   block final.
//! - [`chain`]: the parameters of one chain (ledger O3) and its basic types.
//! - [`hand_over`]: taking over from a set of sequencers that does nothing.
//! - [`liveness`]: whether the chain and its L1 live, and when an outage is an emergency.
//! - [`messages`]: what is on record of messages from L1, and the traits around them.
//! - [`sequencers`]: the traits through which pallets ask who sequences, and tell of
//!   offences.
//! - [`recovery`]: what is undone when L1 drops blocks that this chain acted on.
//! - [`registry`]: what is known of registered layer 2 chains.
//! - [`reputation`]: the score, and the trait through which pallets ask for it.
//! - [`rewards`]: what sequencers earn, and how it came about.
//! - [`time`]: how L1's time bounds L2's.
//! - [`apis`]: runtime APIs the node calls.
//!
//! Nothing here does I/O, reads a clock or uses floating point, and all of it
//! compiles without `std`.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod apis;
pub mod chain;
pub mod consensus;
#[cfg(test)]
mod fuzz;
pub mod hand_over;
pub mod l1;
pub mod liveness;
pub mod messages;
pub mod recovery;
pub mod registry;
pub mod relay;
pub mod reputation;
pub mod rewards;
pub mod sequencers;
pub mod time;
