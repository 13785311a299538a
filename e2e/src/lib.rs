//! A local network of real nodes over a real L1: what the demo, the end-to-end
//! tests and the benchmarks stand on.
//!
//! - [`network`]: L1, sequencers and full nodes as processes on loopback.
//! - [`node`]: one node: start, stop, `kill -9`, restart; its RPC and metrics.
//! - [`genesis`]: its state at the start, made once.
//! - [`l1`]: `litecoind -regtest` with a wallet, and burns of every kind.
//! - [`extrinsic`]: signed transactions from the runtime's own types.
//! - [`set_changes`]: sequencers that change their keys, leave and join.
//! - [`candidates`]: somebody whom nobody appointed.
//! - [`burns`]: what L2 says of burns and of the supply.
//! - [`trust`]: what people say on L1 with keys of their own.
//! - [`hsm`]: a sequencer's keys in an HSM of software.
//! - [`lab`]: networks of the nodes whose links fail; [`spec`]: chains with more
//!   sequencers than the presets, with other parameters, or made by `l2_deploy`.
//! - [`load`]: transfers at a rate; [`witness`]: what nodes called final must stay;
//!   [`signed`]: what sequencers signed, from their logs; [`audit`]: all of these.
//! - [`wait`]: polling with generous limits. No test here asserts a speed; the
//!   `bench` program measures.
//!
//! Guarantees: nothing listens beyond loopback; every process ends with its
//! owner, also on a panic; after a failure the logs are shown and kept.

pub mod audit;
pub mod burns;
pub mod candidates;
pub mod error;
pub mod extrinsic;
pub mod genesis;
pub mod hsm;
pub mod interrupt;
pub mod l1;
pub mod lab;
pub mod load;
pub mod network;
pub mod node;
pub mod peer_id;
pub mod ports;
pub mod process;
pub mod rpc;
pub mod set_changes;
pub mod signed;
pub mod slot;
pub mod spec;
pub mod trust;
pub mod wait;
pub mod witness;

pub use error::{Error, Result};
