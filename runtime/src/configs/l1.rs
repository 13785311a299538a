//! The chain's parameters, the L1 relay and what acts on its events.

use crate::{Balances, BurnMint, ChainParameters, Runtime, SequencerRegistry, Timestamp};

impl pallet_chain_parameters::Config for Runtime {
    type WeightInfo = crate::weights::pallet_chain_parameters::WeightInfo<Runtime>;
}

impl pallet_l1_relay::Config for Runtime {
    type Sequencers = SequencerRegistry;
    type Parameters = ChainParameters;
    type Time = Timestamp;
    type OnEvent = BurnMint;
    type OnApplied = ();
    type WeightInfo = crate::weights::pallet_l1_relay::WeightInfo<Runtime>;
}

impl pallet_burn_mint::Config for Runtime {
    type Currency = Balances;
    type Parameters = ChainParameters;
    type Time = Timestamp;
    type WeightInfo = crate::weights::pallet_burn_mint::WeightInfo<Runtime>;
}
