//! What `scripts/benchmark-weights` measures: our pallets, and those of the SDK whose
//! benchmarks run here.
//!
//! The SDK's other pallets keep the weights that they come with: Timestamp's benchmark
//! sets a time that is not the block's slot, Session's needs the SDK's staking, Grandpa's
//! is of evidence that is not taken here, System's and TransactionPayment's would take a
//! crate and a block of their own. Aura and Authorship have none.

frame_benchmarking::define_benchmarks!(
    [pallet_balances, Balances]
    [pallet_burn_mint, BurnMint]
    [pallet_chain_parameters, ChainParameters]
    [pallet_compensation, Compensation]
    [pallet_equivocation, Equivocation]
    [pallet_l1_relay, L1Relay]
    [pallet_multisig, Multisig]
    [pallet_participation, Participation]
    [pallet_proxy, Proxy]
    [pallet_rate_limit, RateLimit]
    [pallet_reputation, Reputation]
    [pallet_rewards, Rewards]
    [pallet_sequencer_registry, SequencerRegistry]
    [pallet_stake, Stake]
    [pallet_sudo, Sudo]
    [pallet_timestamp_guard, TimestampGuard]
    [pallet_utility, Utility]
);
