//! What one account, and all users together, may take of a block.

use crate::{ChainParameters, Reputation, Runtime};

impl pallet_rate_limit::Config for Runtime {
    // The timestamp guard reads them when a block begins.
    type Parameters = ChainParameters;
    type Reputation = Reputation;
    type WeightInfo = pallet_rate_limit::EstimatedWeight<Runtime>;
}
