//! What stands on L1, exactly as it stands there.

mod hash;
pub use hash::{L1Hash, OutPoint};

pub mod address;
pub mod amount;
pub mod burn;
pub mod cvm;
pub mod envelope;
pub mod params;
pub mod revocation;
pub mod signed_message;
pub mod stake;

#[cfg(test)]
mod burn_tests;
