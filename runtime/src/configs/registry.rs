//! The registry of layer 2 chains.

use super::stake::{ChainId, L1Height};
use crate::{Balance, ChainParameters, L1Relay, Reputation, Runtime, Timestamp};
use cascoin_l2_primitives::l1::registration::MIN_REGISTRATION_COINS;
use frame_support::{parameter_types, traits::Get};

parameter_types! {
    /// In the decimals of L1's coin.
    pub MinRegistrationStake: Balance = Balance::from(MIN_REGISTRATION_COINS)
        .saturating_mul(10u128.saturating_pow(ChainParameters::get().decimals.into()));
}

impl pallet_l2_registry::Config for Runtime {
    type ChainId = ChainId;
    type MinStake = MinRegistrationStake;
    type L1Height = L1Height;
    type L1Blocks = L1Relay;
    type Deployers = Reputation;
    type Time = Timestamp;
    type Emergency = super::liveness::Emergency;
    type WeightInfo = crate::weights::pallet_l2_registry::WeightInfo<Runtime>;
}
