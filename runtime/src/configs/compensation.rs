//! What users get back of their fees after an outage.

use crate::{
    AccountId, Balances, BlockNumber, ChainParameters, Moment, Rewards, Runtime, Stake, Timestamp,
};
use cascoin_l2_primitives::chain::FeeSplit;
use frame_support::{
    parameter_types,
    traits::{ConstU32, ConstU64, Get},
};

/// Ten minutes. Blocks are late by up to a leader's time-out without anybody being down,
/// and lateness adds up over terms that late leaders happen to lead one after the other:
/// half a minute each on mainnet, and half a minute more for a clock that is ahead. With
/// less than a third of the leaders twenty such terms in a row do not happen.
const MIN_GAP_MS: Moment = 10 * 60 * 1_000;
/// Two terms of mainnet's: what waited in the pools gets in by then.
const WINDOW_BLOCKS: BlockNumber = 20;
/// 30 days.
const CLAIM_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

parameter_types! {
    pub ClaimBlocks: BlockNumber = claim_blocks();
}

fn claim_blocks() -> BlockNumber {
    // A chain without parameters, as FRAME builds in tests, has no block time.
    let blocks = CLAIM_MS.checked_div(ChainParameters::get().block_time_ms).unwrap_or(0);
    BlockNumber::try_from(blocks).unwrap_or(BlockNumber::MAX)
}

/// The users' compensation fund, into which downtime is paid.
pub struct Fund;

impl Get<AccountId> for Fund {
    fn get() -> AccountId {
        Stake::fund()
    }
}

/// The time of the block that begins: its slot, which Aura has read by then, and holds the
/// time stamp to.
pub struct BlockTime;

impl Get<Moment> for BlockTime {
    fn get() -> Moment {
        *pallet_aura::CurrentSlot::<Runtime>::get()
    }
}

/// The time of its parent, until this block's is set.
pub struct ParentTime;

impl Get<Moment> for ParentTime {
    fn get() -> Moment {
        Timestamp::get()
    }
}

/// How the base fees of the running block are split when it ends.
pub struct BlockSplit;

impl Get<FeeSplit> for BlockSplit {
    fn get() -> FeeSplit {
        Rewards::split()
    }
}

impl pallet_compensation::Config for Runtime {
    type Currency = Balances;
    type Fund = Fund;
    type Split = BlockSplit;
    type BlockTime = BlockTime;
    type ParentTime = ParentTime;
    type MinGap = ConstU64<MIN_GAP_MS>;
    type WindowBlocks = ConstU32<WINDOW_BLOCKS>;
    type ClaimBlocks = ClaimBlocks;
    type WeightInfo = crate::weights::pallet_compensation::WeightInfo<Runtime>;
}
