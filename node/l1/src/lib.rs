//! The L1 side of a node: client, follower and transaction builder.
//!
//! L1 is a Bitcoin-family node that the operator runs; it is reached over
//! JSON-RPC only, with what Core 0.16 and 0.21 have in common.
//!
//! - [`client`]: typed calls, fail-over, credentials, and the proof that the
//!   node is on the chain we mean.
//! - [`block`]: a strict reader of raw blocks. What a node answers is checked
//!   against the hash that was asked for. That hash, too, is the node's word:
//!   proof of work and inputs are for the L1 node to verify.
//! - [`events`]: what an L1 block tells L2: events, pages, digest.
//! - [`follower`]: reads blocks with enough confirmations and leaves them where
//!   the off-chain worker finds them; knows burns that are not deep enough yet.
//! - [`burn`]: makes, checks, signs and sends a burn transaction.
//! - [`inclusion`]: proofs that a transaction is in a block, as L2 checks them.
//! - [`signer`]: which key a transaction proves to have signed it.
//! - [`registration`]: the registration of a layer 2 chain that a transaction makes.
//! - [`registration_tx`]: makes, checks, signs and sends such a transaction.
//! - [`revocation`]: the revocation of a sequencer's keys that a transaction says.
//! - [`message`]: what a transaction sends to L2.
//! - [`deposit`]: what a transaction deposits in a vault.
//! - [`forced`]: a transaction of the layer 2 that a transaction shows.
//! - [`forced_block`]: such a transaction in a given block: how deep and how old it is.
//! - [`forced_tx`]: makes, signs and sends such a transaction.
//! - [`stake`]: what a transaction locks as a sequencer's stake.
//! - [`stake_tx`]: makes, checks, signs and sends such a transaction, and the one that
//!   gets the coins back.
//! - [`trust`]: trust edges and bonded votes of a transaction.
//! - [`scores`]: asks L1 for the scores that L2 wants attested.
//! - [`sighash`]: signature digests with the L1's own hash type.
//! - [`testing`]: a real `litecoind` in regtest for tests and the demo.
//!
//! All calls block and belong on threads that may block. Amounts are integers of
//! L1 base units; on the wire they are exact decimal strings.

mod backoff;
pub mod block;
pub mod burn;
pub mod client;
pub mod deposit;
pub mod events;
pub mod follower;
pub mod forced;
pub mod forced_block;
pub mod forced_tx;
#[cfg(test)]
mod fuzz;
pub mod inclusion;
pub mod message;
pub mod registration;
pub mod registration_tx;
pub mod revocation;
pub mod scores;
pub mod sighash;
pub mod signer;
pub mod stake;
pub mod stake_tx;
pub mod testing;
pub mod trust;
#[cfg(test)]
mod worst_case_tests;

pub use client::{ClientConfig, Credentials, L1Client, L1Error};
pub use follower::{Follower, FollowerConfig, FollowerHandle, L1Status, SeenBurn, SkippedMessages};
