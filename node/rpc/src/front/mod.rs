//! The JSON-RPC 1.0 front: lets the command-line clients and libraries of the
//! Bitcoin family talk to this node (ledger R40.1, ADR 0003).
//!
//! The node's own RPC server speaks JSON-RPC 2.0 only and insists on a JSON
//! content type; `litecoin-cli` and its relatives send neither. The front is a
//! second, small HTTP server on loopback. It rewrites each request to 2.0
//! ([`rewrite`]), sends it to the node's real RPC port over HTTP, so that the
//! server's guard on unsafe methods holds for it as for anybody, and rewrites the
//! reply to the shape and the HTTP status that Core's clients expect.
//!
//! It answers local programs only: it listens on loopback addresses and nothing
//! else, and [`guard`] refuses whatever a browser could have been made to send.
//! The user name and password that Core's clients insist on sending are ignored.

pub mod guard;
pub mod rewrite;
mod server;
mod upstream;

pub use server::{serve, Front, FrontConfig, FrontError};
