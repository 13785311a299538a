//! The pallets' configuration, a file a topic.

mod accounts;
mod compensation;
mod consensus;
mod governance;
mod l1;
mod limits;
mod money;
mod offences;
mod registry;
mod reputation;
mod stake;
mod system;

pub use accounts::ProxyType;
pub(crate) use consensus::announcers;
pub use consensus::Sessions;
pub use system::{RuntimeBlockLength, RuntimeBlockWeights, MAX_BLOCK_REF_TIME};
