//! The pallets' configuration, a file a topic.

mod accounts;
mod compensation;
mod consensus;
mod forced;
mod governance;
mod hand_over;
mod l1;
mod limits;
mod liveness;
mod messages;
mod money;
mod offences;
mod recovery;
mod registry;
mod reputation;
mod stake;
mod system;

pub use accounts::ProxyType;
pub(crate) use consensus::announcers;
pub use consensus::Sessions;
pub(crate) use forced::status as forced_status;
pub(crate) use hand_over::set_behind as hand_over_set;
pub(crate) use recovery::{catch_up, goes_back, is_repeating, note_code_change, users_wait};
pub use recovery::{rehearse as rehearse_recovery, transaction_outcomes};
pub use system::{RuntimeBlockLength, RuntimeBlockWeights, MAX_BLOCK_REF_TIME};
