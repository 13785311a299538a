//! The weights in force, a module a pallet.
//!
//! Those that were measured are files, which `scripts/benchmark-weights` writes. It also
//! puts them in force, by replacing what stands here for their pallets: estimates by
//! hand (ours) or what the SDK measured on its reference machine (the SDK's).
//!
//! Proof sizes are not looked for: nobody proves this chain's state to another one, and
//! blocks have no limit of them.

pub mod pallet_balances;
pub mod pallet_burn_mint;
pub mod pallet_chain_parameters;
pub mod pallet_compensation;
pub mod pallet_equivocation;
pub mod pallet_forced_inclusion;
pub mod pallet_hand_over;
pub mod pallet_l1_relay;
pub mod pallet_l2_registry;
pub mod pallet_liveness;
pub mod pallet_messages;
pub mod pallet_multisig;
pub mod pallet_participation;
pub mod pallet_proxy;
pub mod pallet_rate_limit;
pub mod pallet_recovery {
    pub use ::pallet_recovery::weights::EstimatedWeight as WeightInfo;
}
pub mod pallet_recovery_point;
pub mod pallet_reputation;
pub mod pallet_reputation_export;
pub mod pallet_rewards;
pub mod pallet_score_attestation;
pub mod pallet_sequencer_registry;
pub mod pallet_stake;
pub mod pallet_sudo;
pub mod pallet_timestamp_guard;
pub mod pallet_utility;
