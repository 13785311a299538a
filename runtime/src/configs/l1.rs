//! The chain's parameters, the L1 relay and what acts on its events.

use crate::{Balances, BurnMint, ChainParameters, Runtime, SequencerRegistry, Timestamp};

impl pallet_chain_parameters::Config for Runtime {
    type WeightInfo = pallet_chain_parameters::weights::EstimatedWeight<Runtime>;
}

impl pallet_l1_relay::Config for Runtime {
    type Sequencers = SequencerRegistry;
    type Parameters = ChainParameters;
    type Time = Timestamp;
    type OnEvent = BurnMint;
    type OnApplied = ();
    type WeightInfo = pallet_l1_relay::weights::EstimatedWeight<Runtime>;
}

impl pallet_burn_mint::Config for Runtime {
    type Currency = Balances;
    type Parameters = ChainParameters;
    type Sequencers = SequencerRegistry;
    type Time = Timestamp;
    type WeightInfo = pallet_burn_mint::weights::EstimatedWeight<Runtime>;
}
