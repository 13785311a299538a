//! Stake.

use crate::{
    Balance, Balances, BlockNumber, ChainParameters, L1Relay, Runtime, RuntimeHoldReason,
    SequencerRegistry,
};
use cascoin_l2_primitives::l1::params::L1Params;
use frame_support::{parameter_types, traits::Get, PalletId};

parameter_types! {
    pub const StakePalletId: PalletId = PalletId(*b"l2/stake");
    /// As long as a withdrawal can be challenged, since what a sequencer did can be
    /// proven that long.
    pub UnbondingBlocks: BlockNumber = unbonding_blocks();
    /// Half the stake of a sequencer that has the least.
    pub MinPenalty: Balance = ChainParameters::get().min_sequencer_stake / 2;
    /// So many of them as an account may have are a sequencer's stake.
    pub MinL1Lock: Balance =
        ChainParameters::get().min_sequencer_stake / Balance::from(pallet_stake::MAX_L1_LOCKS);
    pub MinL2Share: u8 = ChainParameters::get().min_l2_stake_share;
    pub ChainId: u32 = ChainParameters::get().chain_id;
    pub L1Height: u32 = L1Relay::applied().height;
    /// As many L1 blocks as are meant to be found while coins are unbonded.
    pub L1Margin: u32 = l1_margin();
}

fn l1_margin() -> u32 {
    let parameters = ChainParameters::get();
    let spacing = L1Params::of(parameters.l1_network).spacing_s;
    let blocks = parameters.challenge_period_s.div_ceil(spacing.max(1).into());
    u32::try_from(blocks).unwrap_or(u32::MAX)
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
    type MinL1Lock = MinL1Lock;
    type MinL2Share = MinL2Share;
    type PalletId = StakePalletId;
    type WeightInfo = pallet_stake::EstimatedWeight<Runtime>;
}
