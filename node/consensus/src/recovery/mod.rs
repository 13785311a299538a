//! What a recovery needs of a node (R19.2, R19.3, ADR 0033).
//!
//! - [`step`]: what a leader brings in its block: pages of the old state, and old blocks.
//! - [`page`]: makes such pages.
//! - [`pace`]: how much of it, so that slow machines do not stop the chain.
//! - [`keeper`]: keeps the old state as long as it may be needed.
//! - [`events`]: shows what became of an old block's transactions.
//! - [`voter`]: votes that a recovery begins, if this node could bring all of it.
//!
//! Nothing here decides anything: what a step says is checked by everybody who executes the
//! block, and whether a recovery begins is the quorum's word. A node that has no step costs
//! a block without one, and one whose state is pruned does not vote.

pub mod events;
mod holdings;
pub mod keeper;
pub mod pace;
pub mod page;
pub mod step;
pub mod voter;

pub use pace::is_in;
pub use step::{next_step, step, StepError};
