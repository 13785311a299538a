//! A keystore whose keys are in an HSM (R30.1).
//!
//! [`HsmKeystore`] stands where Substrate's keystore stands, so that whoever signs
//! (the engine, off-chain workers, RPC) needs to know nothing of it. Keys of the four
//! session key types that are on the token are used there; everything else goes to the
//! node's own keystore behind it.
//!
//! Guarantees:
//! - **Never twice.** No vote is signed for a height, round and step at or below one that
//!   the key has signed, but for the very same bytes, also after a crash ([`high_water`]).
//! - **Never stuck.** A token that hangs costs a caller [`deadline::DEADLINE`] once; then
//!   calls fail at once until it answers again. There is one thread for it, whatever happens
//!   ([`deadline`]).
//! - **Never locked.** A PIN that a token refuses is not tried again ([`token`]).

pub mod deadline;
pub mod device;
mod ec;
pub mod high_water;
pub mod keystore;
pub mod token;
pub mod vote;

pub use device::{KeyKind, TokenKey};
pub use high_water::{HighWater, HighWaterError};
pub use keystore::HsmKeystore;
pub use token::{Token, TokenConfig, TokenError};
