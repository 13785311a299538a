//! Balances, fees and what sequencers earn.

use super::consensus::BlockAuthor;
use crate::{
    account_data::BalanceStore,
    fees::{LengthToFee, WeightToFee},
    Balance, Balances, ChainParameters, Compensation, RateLimit, Reputation, Rewards, Runtime,
    RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, SequencerRegistry,
};
use cascoin_l2_primitives::rewards::UserTime;
use frame_support::{
    dispatch::DispatchClass,
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU8, Get, VariantCountOf},
    PalletId,
};
use pallet_transaction_payment::FungibleAdapter;

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type WeightInfo = crate::weights::pallet_balances::WeightInfo<Runtime>;
    type Balance = Balance;
    // Dust is burned.
    type DustRemoval = ();
    type ExistentialDeposit = ConstU128<1>;
    type AccountStore = BalanceStore;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<50>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
}

parameter_types! {
    /// The account that holds collected fees until sequencers are paid.
    pub const RewardsPot: PalletId = PalletId(*b"cl2/fees");
}

/// What users take of the chain's own gas. They sign nothing but the normal class.
pub struct TimeOfUsers;

impl Get<UserTime> for TimeOfUsers {
    fn get() -> UserTime {
        let used = frame_system::Pallet::<Runtime>::block_weight();
        UserTime {
            taken: used.get(DispatchClass::Normal).ref_time(),
            room: RateLimit::users_share(),
        }
    }
}

impl pallet_rewards::Config for Runtime {
    type Currency = Balances;
    type Parameters = ChainParameters;
    type Sequencers = SequencerRegistry;
    type Author = BlockAuthor;
    type Reputation = Reputation;
    type UserTime = TimeOfUsers;
    type OnFeePaid = Compensation;
    type PotId = RewardsPot;
    type WeightInfo = crate::weights::pallet_rewards::WeightInfo<Runtime>;
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, Rewards>;
    type WeightToFee = WeightToFee;
    type LengthToFee = LengthToFee;
    type FeeMultiplierUpdate = pallet_rewards::BaseFeeUpdate<Runtime>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}
