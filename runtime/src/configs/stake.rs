//! Stake.

use crate::{
    Balance, Balances, BlockNumber, ChainParameters, L1Relay, Reputation, Runtime,
    RuntimeHoldReason, SequencerRegistry,
};
use frame_support::{parameter_types, traits::Get, PalletId};

parameter_types! {
    pub const StakePalletId: PalletId = PalletId(*b"l2/stake");
    /// As long as a withdrawal can be challenged, since what a sequencer did can be
    /// proven that long.
    pub UnbondingBlocks: BlockNumber = unbonding_blocks();
    /// Half the stake of a sequencer that has the least.
    pub MinPenalty: Balance = ChainParameters::get().min_sequencer_stake / 2;
    pub MinL1Lock: Balance = ChainParameters::get().min_l1_lock();
    pub MinL2Share: u8 = ChainParameters::get().min_l2_stake_share;
    pub ChainId: u32 = ChainParameters::get().chain_id;
    pub L1Height: u32 = L1Relay::applied().height;
    pub L1Margin: u32 = ChainParameters::get().l1_stake_margin();
}

fn unbonding_blocks() -> BlockNumber {
    let parameters = ChainParameters::get();
    let ms = parameters.challenge_period_s.saturating_mul(1_000);
    // A chain without parameters, as FRAME builds in tests, has no block time.
    let blocks = ms.checked_div(parameters.block_time_ms).unwrap_or(0);
    BlockNumber::try_from(blocks).unwrap_or(BlockNumber::MAX)
}

impl pallet_stake::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Commitment = SequencerRegistry;
    type Entities = SequencerRegistry;
    type UnbondingBlocks = UnbondingBlocks;
    type MinPenalty = MinPenalty;
    type ConspiracyBlocks = super::consensus::SessionBlocks;
    type ChainId = ChainId;
    type L1Height = L1Height;
    type L1Margin = L1Margin;
    type L1Blocks = L1Relay;
    type OnL1Stake = Reputation;
    type L1Hashes = L1Relay;
    type MinL1Lock = MinL1Lock;
    type MinL2Share = MinL2Share;
    type PalletId = StakePalletId;
    type WeightInfo = crate::weights::pallet_stake::WeightInfo<Runtime>;
}
