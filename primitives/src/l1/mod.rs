//! What stands on L1, exactly as it stands there.

mod hash;
pub use hash::{L1Hash, OutPoint};

pub mod address;
pub mod amount;
pub mod anchor;
pub mod burn;
pub mod common_inputs;
pub mod cross_layer;
pub mod cvm;
pub mod data_pointer;
pub mod deposit;
pub mod envelope;
pub mod forced;
pub mod inclusion;
pub mod params;
pub mod registration;
pub mod revocation;
pub mod signed_message;
pub mod stake;
#[cfg(feature = "std")]
pub mod testing;
pub mod transaction;

#[cfg(test)]
mod burn_tests;
#[cfg(test)]
mod common_inputs_tests;
#[cfg(test)]
pub(crate) mod formats_tests;
#[cfg(test)]
mod inclusion_tests;
#[cfg(test)]
mod transaction_tests;
