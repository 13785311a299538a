//! What governance may change of the table.

use cascoin_l2_primitives::chain::{Balance, ChainParameters, FeeSplit};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A new value of one parameter.
///
/// What nodes read once at their start, what makes a chain the chain it is (its ids, its
/// L1, its times), and what stored data is measured in (sessions, epochs) is not here: it
/// takes a new genesis, or a runtime upgrade that says what becomes of the stored data.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum ParameterChange {
    /// Most sequencers that are elected and appointed together. Takes effect with the
    /// next draw.
    MaxSequencers(u32),
    /// Smallest reputation of a sequencer, 0 to 100. Who has a seat keeps it until the
    /// next draw.
    MinSequencerScore(u8),
    /// Smallest stake of a sequencer, base units. As above.
    MinSequencerStake(Balance),
    /// Gas of a block.
    BlockGasLimit(u64),
    /// Smallest base fee of a transaction, base units.
    MinFee(Balance),
    /// Who gets base fees, from the next block on.
    FeeSplit(FeeSplit),
    /// Whose score is above this pays half the base fee, 0 to 100.
    FeeDiscountScore(u8),
    /// Transactions that an account without reputation may have in a block.
    RateLimit(u32),
    /// Time a vote may stay open before its burns are shown as failed, milliseconds.
    MintTimeoutMs(u64),
    /// Most that one burn brings on one day, base units. This and the next two hold for
    /// burns that wait, too.
    MaxDeposit(Balance),
    /// Most that all burns together bring one address on one day, base units.
    MaxDailyDeposit(Balance),
    /// Most that is minted on one day for all together, base units.
    MaxDailyMint(Balance),
    /// Least part of a sequencer's stake that must be bonded on this chain, percent. As
    /// for the smallest stake.
    MinL2StakeShare(u8),
    /// Least deficit for which sequencers vote that a recovery begins, base units; 0: they
    /// never do.
    RecoveryThreshold(Balance),
}

impl ParameterChange {
    /// Writes the new value into a table.
    pub fn apply(self, table: &mut ChainParameters) {
        match self {
            Self::MaxSequencers(value) => table.max_sequencers = value,
            Self::MinSequencerScore(value) => table.min_sequencer_score = value,
            Self::MinSequencerStake(value) => table.min_sequencer_stake = value,
            Self::BlockGasLimit(value) => table.block_gas_limit = value,
            Self::MinFee(value) => table.min_fee = value,
            Self::FeeSplit(value) => table.fee_split = value,
            Self::FeeDiscountScore(value) => table.fee_discount_score = value,
            Self::RateLimit(value) => table.rate_limit = value,
            Self::MintTimeoutMs(value) => table.mint_timeout_ms = value,
            Self::MaxDeposit(value) => table.max_deposit = value,
            Self::MaxDailyDeposit(value) => table.max_daily_deposit = value,
            Self::MaxDailyMint(value) => table.max_daily_mint = value,
            Self::MinL2StakeShare(value) => table.min_l2_stake_share = value,
            Self::RecoveryThreshold(value) => table.recovery_threshold = value,
        }
    }
}
