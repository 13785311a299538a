//! The Cascoin L2 runtime: one WASM for all networks.
//!
//! What differs between networks stands in the genesis
//! ([`genesis_config_presets`]), never in the code. The parts:
//! - `account_data`: what stands beside an account's nonce;
//! - `configs`: each pallet's configuration, a file a topic;
//! - `fees`: what a transaction costs;
//! - `bootstrap_filter`: calls that wait until the chain opens;
//! - `emergency_filter`: calls that wait until an emergency is over;
//! - `recovery_filter`: calls that wait while a recovery runs;
//! - `frozen`: the hooks that run while one has the state half restored;
//! - `call_filter`: calls that nobody may make, wrapped or not;
//! - `transactions`: the shape of transactions, and how the runtime makes its
//!   own;
//! - `weights`: what calls and hooks cost;
//! - `apis`: what the node and clients may ask.
#![cfg_attr(not(feature = "std"), no_std)]
// The runtime macro and the WASM builder put items here that have no docs.
#![allow(missing_docs)]
#![recursion_limit = "256"]

extern crate alloc;

// First: it makes macros that `apis` calls.
#[cfg(feature = "runtime-benchmarks")]
#[macro_use]
mod benchmarks;

mod account_data;
mod apis;
mod bootstrap_filter;
mod call_filter;
pub mod configs;
mod emergency_filter;
mod fees;
mod frozen;
pub mod genesis_config_presets;
mod recovery_filter;
mod session_keys;
mod transactions;
pub mod weights;

// The runtime macro expects it in scope.
use alloc::vec::Vec;
use cascoin_l2_primitives::chain;
use sp_runtime::{generic, MultiAddress};
use sp_version::RuntimeVersion;

pub use account_data::AccountData;
#[cfg(feature = "std")]
pub use apis::RuntimeApi;
pub use bootstrap_filter::NoPublicCallsInBootstrap;
pub use call_filter::NobodyForcesMoney;
pub use cascoin_l2_primitives::chain::{
    AccountId, Balance, BlockNumber, Header, Moment, Nonce, Signature,
};
pub use emergency_filter::NoPublicCallsInEmergency;
pub use fees::{LengthToFee, WeightToFee, INCLUDED_LENGTH, INCLUDED_REF_TIME};
pub use frozen::RuntimeHooks;
pub use recovery_filter::NoPublicCallsInRecovery;
pub use session_keys::SessionKeys;
pub use transactions::{ChargeFees, SignedPayload, TxExtension, UncheckedExtrinsic};

// The constants `WASM_BINARY`, `WASM_BINARY_BLOATY` and `WASM_BINARY_PATH`.
#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

/// How transactions name an account.
pub type Address = MultiAddress<AccountId, ()>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A block with its signature, as the database keeps it.
pub type SignedBlock = generic::SignedBlock<Block>;
/// A block's hash.
pub type Hash = chain::BlockHash;

/// Runs blocks: initialisation, transactions, finalisation.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    RuntimeHooks,
>;

/// Types the node uses without knowing the runtime's calls.
pub mod opaque {
    pub use cascoin_l2_primitives::chain::{Header, OpaqueBlock as Block};
    pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;
}

/// Which runtime this is. `spec_version` grows with each change of behaviour,
/// `transaction_version` when existing calls change their encoding.
///
/// `system_version` is 1: from 2 on the extrinsics root is a trie of version 1,
/// and smoldot, the stock light client, always computes version 0 (its
/// `lib/src/header.rs`), so it could not check a block's body.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: alloc::borrow::Cow::Borrowed("cascoin-l2"),
    impl_name: alloc::borrow::Cow::Borrowed("cascoin-l2"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// The composition. Order matters: genesis and hooks run from top to bottom (which is
/// what `legacy_ordering` says; without it they run by index, which no pallet can
/// change once the chain runs). HandOver stands before Aura and all others that ask for the set
/// or the author when a block begins: where others took over from a set that did nothing, that
/// block is theirs. Authorship stands before Session, so that the author of
/// a block that ends a session is looked up in the set that made it; ChainParameters
/// stands before L1Relay, whose genesis reads where L1 starts; BurnMint stands after
/// Balances, whose endowments its genesis counts; Rewards stands after Authorship,
/// whose author it notes when a block begins, after Session and SequencerRegistry,
/// whose set it notes at genesis and when a session ends, and before BurnMint, which at
/// the end of a block takes note of the issuance after Rewards has burned its part of
/// the fees; Equivocation and Participation stand after Grandpa and SequencerRegistry,
/// whose keys and accounts they note at genesis and at the end of a block;
/// TimestampGuard stands after L1Relay, which drops the votes of an old set before the
/// guard reads them; Compensation and Liveness stand after Aura, whose slot they read when a
/// block begins, and Liveness before BurnMint, Messages and ForcedInclusion, which ask it
/// whether there is an emergency. Messages and then ForcedInclusion stand behind all whose
/// state changes when a block begins, so that what they execute finds these in the new
/// block; but for RecoveryPoint, which no call reads, and
/// Recovery, which stands last: at the very end of a block it changes its phase, and with it
/// which hooks the next block runs.
#[frame_support::runtime(legacy_ordering)]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(50)]
    pub type HandOver = pallet_hand_over;
    #[runtime::pallet_index(2)]
    pub type Aura = pallet_aura;
    #[runtime::pallet_index(3)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(4)]
    pub type Authorship = pallet_authorship;
    #[runtime::pallet_index(5)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(6)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(7)]
    pub type TransactionPayment = pallet_transaction_payment;

    #[runtime::pallet_index(10)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(11)]
    pub type Multisig = pallet_multisig;
    #[runtime::pallet_index(12)]
    pub type Proxy = pallet_proxy;
    #[runtime::pallet_index(13)]
    pub type Sudo = pallet_sudo;

    #[runtime::pallet_index(20)]
    pub type ChainParameters = pallet_chain_parameters;
    #[runtime::pallet_index(55)]
    pub type Liveness = pallet_liveness;
    #[runtime::pallet_index(21)]
    pub type SequencerRegistry = pallet_sequencer_registry;
    #[runtime::pallet_index(27)]
    pub type Rewards = pallet_rewards;
    #[runtime::pallet_index(22)]
    pub type L1Relay = pallet_l1_relay;
    #[runtime::pallet_index(23)]
    pub type BurnMint = pallet_burn_mint;
    #[runtime::pallet_index(24)]
    pub type Equivocation = pallet_equivocation;
    #[runtime::pallet_index(25)]
    pub type Participation = pallet_participation;
    #[runtime::pallet_index(26)]
    pub type TimestampGuard = pallet_timestamp_guard;
    #[runtime::pallet_index(28)]
    pub type RateLimit = pallet_rate_limit;
    #[runtime::pallet_index(29)]
    pub type Reputation = pallet_reputation;
    #[runtime::pallet_index(30)]
    pub type Stake = pallet_stake;
    #[runtime::pallet_index(35)]
    pub type Compensation = pallet_compensation;
    #[runtime::pallet_index(40)]
    pub type ReputationExport = pallet_reputation_export;
    #[runtime::pallet_index(46)]
    pub type ScoreAttestation = pallet_score_attestation;
    #[runtime::pallet_index(41)]
    pub type Messages = pallet_messages;
    #[runtime::pallet_index(36)]
    pub type ForcedInclusion = pallet_forced_inclusion;
    #[runtime::pallet_index(45)]
    pub type L2Registry = pallet_l2_registry;
    #[runtime::pallet_index(48)]
    pub type RecoveryPoint = pallet_recovery_point;
    #[runtime::pallet_index(49)]
    pub type Recovery = pallet_recovery;
}
