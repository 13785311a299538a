//! Runs the BFT core ([`cascoin_bft`]) in a Substrate node.
//!
//! ```text
//!   peers ⇄ mesh ──▶ engine ──▶ core (pure) ──▶ write-ahead log ──▶ peers
//!                      │ build, execute once
//!                      ▼
//!   sync ──▶ verifier ──▶ import (one door, certified and final) ──▶ database
//! ```
//!
//! - [`engine`]: the task that drives the core.
//! - [`wire`], [`transport`], [`mesh`]: what sequencers say to each other, and how.
//! - [`sockets`]: what the system is told about their connections.
//! - [`wal`]: what was signed, on disk before it leaves.
//! - [`executor`]: building and executing blocks, once each.
//! - [`import`], [`announce`]: only certified blocks enter and are announced.
//! - [`evidence`]: proof that sequencers broke the rules.
//! - [`submit`]: where a node's own transactions go.
//! - [`announcements`]: who says that its node is there, and who vouches for it.
//! - [`light`]: finality for light clients, proofs for who warp syncs.
//! - [`schedule`], [`header`], [`authority_sets`]: who may do what at a height.
//! - [`hand_over`]: taking over from a set that stands still, as operators accept it.
//! - [`recovery`]: what a recovery needs of this node: steps in its blocks, its vote.
//! - [`liveness`]: whether the chain and its L1 live, for the operator.
//! - [`parent_commit`]: who signed the last block, for the chain to count.
//!
//! Guarantees: nothing is signed that is not in the log; a block is imported
//! only with a certificate, and is final at once; certified blocks are never
//! reverted.

pub mod announce;
pub mod announcements;
pub mod authority_sets;
mod budget;
mod client;
pub mod engine;
pub mod evidence;
pub mod executor;
#[cfg(test)]
mod fuzz;
pub mod hand_over;
pub mod header;
pub mod import;
mod keys;
pub mod light;
pub mod liveness;
pub mod mesh;
pub mod metrics;
pub mod parent_commit;
pub mod recovery;
mod relay_keys;
mod said;
pub mod schedule;
pub mod sockets;
mod status;
pub mod submit;
pub mod transport;
pub mod wal;
pub mod wire;

pub use client::EngineClient;
pub use keys::{KeySource, LocalKeys, SignError, SignerMemory};
pub use status::{EngineHandle, EngineStatus};
