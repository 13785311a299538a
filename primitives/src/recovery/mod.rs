//! The recovery epoch, as pure logic (R19.2, R19.3, P20, ADR 0033): what this chain did
//! on the word of L1 blocks that L1 dropped is undone, where following L1 forward (ADR
//! 0026) leaves coins that nothing backs.
//!
//! No block is undone. The chain goes on with its next block, and brings the *state* of
//! users' money back to a past block, by pages that everybody checks; then what L1 still
//! has is applied again, and what users did since, as far as it holds without the rest.
//!
//! - [`point`]: which block the state goes back to.
//! - [`doubt`]: what users are told meanwhile.
//! - [`vote`]: sequencers agree that a recovery begins.
//! - [`step`]: what leaders bring for it.
//! - [`page`]: pieces of that block's state, checked against its state root.
//! - [`events`]: what became of a past block's transactions, as its state has it.
//! - [`mod@restore`]: the state is made to be as the pages say, in bounded steps.
//! - [`replay`]: users' transactions are repeated, each once, in their order.
//! - [`books`]: what of a runtime takes part.
//! - [`status`]: what users and operators are told of it.
//!
//! `pallets/recovery-point` records where a recovery would begin, `pallets/recovery` runs it.

pub mod books;
pub mod doubt;
pub mod events;
pub mod page;
pub mod point;
pub mod replay;
pub mod restore;
pub mod status;
pub mod step;
pub mod vote;

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod restore_tests;

pub use books::{Books, DoubtProvider, RelayRewind, StandingDoubt};
pub use doubt::{Doubt, RecoveryStatus};
pub use events::{events_key, read_events, MAX_EVENTS_BYTES, MAX_EVENTS_NODES};
pub use page::{read_page, PageError, StatePage};
pub use point::{Effect, PointLog, RecoveryPoint, MAX_POINTS};
pub use replay::{Fall, Ledger, Outcome, Past, Place, Replay, ReplayError, Verdict};
pub use restore::{restore, Cursor, RestoreError, State};
pub use status::{
    FallenTransaction, LastRecovery, NoRecovery, RecoveryOverview, RecoveryPhase, RecoveryProgress,
    FORCED_INDEX, MAX_FALLEN,
};
pub use step::{
    RecoveryStep, Wanted, MAX_KEYS_PER_STEP, MAX_PAGE_BYTES, MAX_PAGE_NODES, RECOVERY_IDENTIFIER,
};
pub use vote::{recovery_message, RecoverySubject, RecoveryVote, RECOVERY_DOMAIN};
