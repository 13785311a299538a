//! What `scripts/benchmark-weights` measures: our pallets, and those of the SDK whose
//! benchmarks run here.
//!
//! The SDK's other pallets keep the weights that they come with: Timestamp's benchmark
//! sets a time that is not the block's slot, Session's needs the SDK's staking, Grandpa's
//! is of evidence that is not taken here, System's and TransactionPayment's would take a
//! crate and a block of their own. Aura and Authorship have none.

// Paths from the root: they are looked up where `apis` uses them.
frame_benchmarking::define_benchmarks!(
    [pallet_balances, crate::Balances]
    [pallet_burn_mint, crate::BurnMint]
    [pallet_chain_parameters, crate::ChainParameters]
    [pallet_compensation, crate::Compensation]
    [pallet_equivocation, crate::Equivocation]
    [pallet_forced_inclusion, crate::ForcedInclusion]
    [pallet_hand_over, crate::HandOver]
    [pallet_l1_relay, crate::L1Relay]
    [pallet_messages, crate::Messages]
    [pallet_l2_registry, crate::L2Registry]
    [pallet_liveness, crate::Liveness]
    [pallet_multisig, crate::Multisig]
    [pallet_participation, crate::Participation]
    [pallet_proxy, crate::Proxy]
    [pallet_rate_limit, crate::RateLimit]
    [pallet_recovery, crate::Recovery]
    [pallet_recovery_point, crate::RecoveryPoint]
    [pallet_reputation, crate::Reputation]
    [pallet_reputation_export, crate::ReputationExport]
    [pallet_rewards, crate::Rewards]
    [pallet_score_attestation, crate::ScoreAttestation]
    [pallet_sequencer_registry, crate::SequencerRegistry]
    [pallet_stake, crate::Stake]
    [pallet_sudo, crate::Sudo]
    [pallet_timestamp_guard, crate::TimestampGuard]
    [pallet_utility, crate::Utility]
);
