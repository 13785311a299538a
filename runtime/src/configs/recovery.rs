//! The recovery from a fork of L1 (R19.2, R19.3, ADR 0033), as far as it is this runtime's:
//! what goes back, what is mended, and how transactions are repeated.
//!
//! - [`books`]: which part of the state goes back, and what stays in it;
//! - [`account`]: an account of then and of now in one;
//! - [`mending`]: what the two sides of the cut left between them;
//! - [`forced`]: what L1 forced into blocks, and is not repeated;
//! - [`outcomes`]: which transactions failed, and which in part;
//! - [`repeat`]: a transaction once more, with its fee and without its nonce;
//! - [`relay`]: L1 from the fork point on;
//! - [`rehearsal`]: the same as a query, which changes nothing.

mod account;
mod books;
mod forced;
mod mending;
mod outcomes;
mod rehearsal;
mod relay;
mod repeat;

pub(crate) use books::note_code_change;
pub(super) use books::NotedCode;
pub(super) use forced::{note_applied, tell_fallen, FORCED_READS, FORCED_WRITES};
pub(crate) use mending::{catch_up, users_wait};
pub(super) use mending::{SessionRewards, StakeOffences};
pub use outcomes::transaction_outcomes;
pub use rehearsal::rehearse;
pub(crate) use repeat::{goes_back, is_repeating};

use super::system::MAX_BLOCK_REF_TIME;
use crate::{Balance, ChainParameters, RecoveryPoint, Runtime, SequencerRegistry};
use frame_support::{
    parameter_types,
    traits::{ConstU32, Get},
    weights::Weight,
};

/// Nodes of sequencers keep the state of 180,000 blocks. What is less, eight hours, is the
/// time for the votes: who votes holds the state from then on, however long it takes.
const KEPT_BLOCKS: u32 = 120_000;
/// An hour at 500 ms.
const PATIENCE_BLOCKS: u32 = 7_200;
/// Five minutes: sixty leaders had their turn, so that liars among them, who lead by chance,
/// cannot void a block that others have.
const NEXT_PATIENCE_BLOCKS: u32 = 600;

parameter_types! {
    pub Threshold: Balance = ChainParameters::get().recovery_threshold;
    /// Half of the largest block: the relay and all hooks go on beside it.
    pub ReplayBudget: Weight = Weight::from_parts(MAX_BLOCK_REF_TIME / 2, u64::MAX);
}

impl pallet_recovery::Config for Runtime {
    type Sequencers = SequencerRegistry;
    type Threshold = Threshold;
    type Doubt = RecoveryPoint;
    type Relay = relay::Rewind;
    type Books = books::Money;
    type KeptBlocks = ConstU32<KEPT_BLOCKS>;
    type PatienceBlocks = ConstU32<PATIENCE_BLOCKS>;
    type NextPatienceBlocks = ConstU32<NEXT_PATIENCE_BLOCKS>;
    type ReplayBudget = ReplayBudget;
    type WeightInfo = crate::weights::pallet_recovery::WeightInfo<Runtime>;
}
