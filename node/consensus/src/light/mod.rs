//! What light clients and nodes that warp sync are served, in the shapes they know
//! (ADR 0007): GRANDPA's gossip messages and GRANDPA's warp proofs.
//!
//! - [`responder`]: tells light clients of finality, by notifications.
//! - [`messages`]: what it sends.
//! - [`fragment`]: the block that ends a set, with its certificate; kept for ever.
//! - [`proof`]: many of those in a row: from one block to the finalized head.
//! - [`warp`]: makes proofs for others and checks those of others, for the SDK's
//!   warp sync.
//!
//! Every full node serves all of it. Nothing is signed for it: all rests on the
//! blocks' certificates. Nothing that a light client sends is believed.

pub mod fragment;
mod messages;
pub mod proof;
pub mod responder;
pub mod warp;

pub use responder::LightPeers;
pub use warp::WarpProvider;
