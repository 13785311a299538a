//! What `scripts/benchmark-weights` measures: our own pallets. The SDK's pallets
//! keep the weights that they come with.

frame_benchmarking::define_benchmarks!(
    [pallet_burn_mint, BurnMint]
    [pallet_chain_parameters, ChainParameters]
    [pallet_compensation, Compensation]
    [pallet_l1_relay, L1Relay]
    [pallet_participation, Participation]
    [pallet_reputation, Reputation]
    [pallet_reputation_export, ReputationExport]
    [pallet_rewards, Rewards]
    [pallet_sequencer_registry, SequencerRegistry]
    [pallet_stake, Stake]
    [pallet_rate_limit, RateLimit]
);
