//! Whether the chain and its L1 live.

use super::{
    compensation::{BlockTime, ParentTime},
    stake::L1Height,
};
use crate::{ChainParameters, Liveness, Runtime};
use frame_support::traits::Get;

impl pallet_liveness::Config for Runtime {
    type Parameters = ChainParameters;
    type BlockTime = BlockTime;
    type ParentTime = ParentTime;
    type L1Height = L1Height;
    type WeightInfo = crate::weights::pallet_liveness::WeightInfo<Runtime>;
}

/// Whether the chain is in an emergency.
pub struct Emergency;

impl Get<bool> for Emergency {
    fn get() -> bool {
        Liveness::is_emergency()
    }
}
