//! Which parameter tables a chain can run with.

use cascoin_l2_primitives::chain::{
    ChainParameters, MAX_BLOCK_GAS, MAX_SEQUENCERS, MIN_WITHHOLDING_BLOCKS,
};
use core::fmt;

/// Least gas of a block: about twenty transfers.
const MIN_BLOCK_GAS: u64 = 1_000_000;
/// Most decimals a coin may have: more do not fit a `u64` of base units.
const MAX_DECIMALS: u8 = 18;
/// The block after a change of the set must not be another change: a node that
/// warp syncs could take neither as its first block.
const MIN_SESSION_BLOCKS: u32 = 2;
/// What a block's time may be away from its parent's whatever L1 says
/// (`FREE_STEP_MS`): with a longer block time no leader might find a time of its own.
const MAX_BLOCK_TIME_MS: u64 = cascoin_l2_primitives::time::FREE_STEP_MS;
/// A day: what users are promised (R17.2).
const MAX_FORCED_INCLUSION_S: u64 = 24 * 60 * 60;
/// With less a leader's usual wait would be an outage.
const MIN_EMERGENCY_DELAY_S: u64 = 60;
/// A week: an emergency that comes later helps nobody.
const MAX_EMERGENCY_DELAY_S: u64 = 7 * 24 * 60 * 60;
/// Least time without news after which L1 may count as stalled: it has a block every 150 s.
const MIN_L1_STALL_S: u64 = 60;
/// Scores are percentages.
const MAX_SCORE: u8 = 100;
/// All of it.
const MAX_PERCENT: u8 = 100;

/// The first rule that a parameter table breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidParameters(&'static str);

impl InvalidParameters {
    /// The rule, as a sentence for the operator.
    pub const fn text(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for InvalidParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Checks that a chain can run with `parameters`.
///
/// # Errors
/// [`InvalidParameters`], the first rule that is broken.
pub fn check(parameters: &ChainParameters) -> Result<(), InvalidParameters> {
    let p = parameters;
    let rules = [
        (p.chain_id != 0, "chainId must not be 0: burns name the chain by it"),
        (p.decimals <= MAX_DECIMALS, "decimals must be at most 18"),
        (p.l1_confirmations > 0, "l1Confirmations must be at least 1 (the tip has 1)"),
        (
            (1..=MAX_BLOCK_TIME_MS).contains(&p.block_time_ms),
            "blockTimeMs must be between 1 and 30000",
        ),
        (p.blocks_per_leader > 0, "blocksPerLeader must not be 0"),
        (
            p.session_blocks >= MIN_SESSION_BLOCKS
                && p.session_blocks.is_multiple_of(p.blocks_per_leader),
            "sessionBlocks must be a multiple of blocksPerLeader, and at least 2",
        ),
        (p.propose_timeout_ms > 0, "proposeTimeoutMs must not be 0"),
        (p.prevote_timeout_ms > 0, "prevoteTimeoutMs must not be 0"),
        (p.precommit_timeout_ms > 0, "precommitTimeoutMs must not be 0"),
        (
            (1..=MAX_SEQUENCERS).contains(&p.min_sequencers),
            "minSequencers must be between 1 and 64",
        ),
        (
            (p.min_sequencers..=MAX_SEQUENCERS).contains(&p.max_sequencers),
            "maxSequencers must be between minSequencers and 64",
        ),
        (p.epoch_sessions > 0, "epochSessions must not be 0"),
        (p.min_sequencer_score <= MAX_SCORE, "minSequencerScore must be at most 100"),
        (p.min_l2_stake_share <= 100, "minL2StakeShare must be at most 100"),
        (p.fast_withdrawal_score <= MAX_SCORE, "fastWithdrawalScore must be at most 100"),
        (
            p.block_gas_limit >= MIN_BLOCK_GAS,
            "blockGasLimit must be at least 1000000: nobody could transact",
        ),
        (p.block_gas_limit <= MAX_BLOCK_GAS, "blockGasLimit must not exceed 30000000"),
        (
            p.fast_challenge_period_s <= p.challenge_period_s,
            "fastChallengePeriodS must not exceed challengePeriodS",
        ),
        (p.max_deposit > 0, "maxDeposit must not be 0: nothing could be minted"),
        (p.max_deposit <= p.max_daily_deposit, "maxDeposit must not exceed maxDailyDeposit"),
        (p.max_daily_deposit <= p.max_daily_mint, "maxDailyDeposit must not exceed maxDailyMint"),
        (p.anchor_interval > 0, "anchorInterval must not be 0"),
        (
            (1..=MAX_FORCED_INCLUSION_S).contains(&p.forced_inclusion_s),
            "forcedInclusionS must be between 1 and 86400",
        ),
        (
            (MIN_EMERGENCY_DELAY_S..=MAX_EMERGENCY_DELAY_S).contains(&p.emergency_delay_s),
            "emergencyDelayS must be between 60 and 604800",
        ),
        (
            (1..=p.emergency_delay_s).contains(&p.emergency_recovery_s),
            "emergencyRecoveryS must be between 1 and emergencyDelayS",
        ),
        (
            (MIN_L1_STALL_S..=MAX_EMERGENCY_DELAY_S).contains(&p.l1_stall_s),
            "l1StallS must be between 60 and 604800",
        ),
        (
            p.relay_withholding_s == 0
                || (p.relay_withholding_s.saturating_mul(1_000)
                    >= p.block_time_ms.saturating_mul(MIN_WITHHOLDING_BLOCKS)
                    && p.relay_withholding_s <= MAX_EMERGENCY_DELAY_S),
            "relayWithholdingS must be 0, or at least 160 blocks' time and at most 604800",
        ),
        (p.min_fee > 0, "minFee must not be 0"),
        (
            p.fee_split.producer.saturating_add(p.fee_split.others) <= MAX_PERCENT,
            "feeSplit must not give away more than 100 percent",
        ),
        (p.fee_discount_score <= MAX_SCORE, "feeDiscountScore must be at most 100"),
        (p.rate_limit > 0, "rateLimit must not be 0: nobody could transact"),
        (p.mint_timeout_ms > 0, "mintTimeoutMs must not be 0"),
    ];
    rules
        .into_iter()
        .find(|(holds, _)| !holds)
        .map_or(Ok(()), |(_, rule)| Err(InvalidParameters(rule)))
}
