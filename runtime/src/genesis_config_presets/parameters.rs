//! The parameter table (ledger O3; time-outs, fee and fail-safe values from
//! design/parameters.md). Amounts are the table's coins in L1 base units.

use cascoin_l2_primitives::{
    chain::{Balance, ChainParameters, FeeSplit, L1Network, L1Start, Network},
    l1::params::L1Params,
};

const HOUR_S: u64 = 60 * 60;
const DAY_S: u64 = 24 * HOUR_S;
/// Decimals of a coin below the minimum fee: 0.00001 coin.
const MIN_FEE_DECIMALS: u8 = 5;
/// R18.2: the rest, a tenth, is burned.
const FEE_SPLIT: FeeSplit = FeeSplit { producer: 70, others: 20 };
/// The operator guide's split.
const ALL_TO_THE_PRODUCER: FeeSplit = FeeSplit { producer: 100, others: 0 };
/// As large as the share of all stake that a double sign takes, so that it can be taken.
const MIN_L2_STAKE_SHARE: u8 = 50;
const MINT_TIMEOUT_MS: u64 = 10 * 60 * 1_000;
/// Coins that nothing backs for which payments are undone: a tenth of what one burn may
/// bring in a day on mainnet.
const RECOVERY_THRESHOLD: Balance = 1_000;

/// The facts a table takes from its L1.
struct L1 {
    network: L1Network,
    decimals: u8,
    /// The relay starts at L1's first block.
    start: L1Start,
}

impl L1 {
    fn of(network: L1Network) -> Self {
        let params = L1Params::of(network);
        let start = L1Start { height: 0, hash: params.genesis };
        Self { network, decimals: params.decimals, start }
    }

    fn coins(&self, coins: Balance) -> Balance {
        coins * 10u128.pow(self.decimals.into())
    }

    fn min_fee(&self) -> Balance {
        10u128.pow(self.decimals.saturating_sub(MIN_FEE_DECIMALS).into())
    }
}

/// The public network.
pub fn mainnet() -> ChainParameters {
    let l1 = L1::of(L1Network::CascoinMainnet);
    ChainParameters {
        chain_id: 1,
        network: Network::Mainnet,
        l1_network: l1.network,
        decimals: l1.decimals,
        l1_start: l1.start,
        l1_confirmations: 6,
        block_time_ms: 500,
        blocks_per_leader: 10,
        session_blocks: 600,
        propose_timeout_ms: 3_000,
        prevote_timeout_ms: 500,
        precommit_timeout_ms: 500,
        max_sequencers: 21,
        // An hour.
        epoch_sessions: 12,
        min_sequencers: 3,
        min_sequencer_score: 70,
        min_sequencer_stake: l1.coins(100),
        min_l2_stake_share: MIN_L2_STAKE_SHARE,
        min_sequencer_peers: 3,
        block_gas_limit: 30_000_000,
        challenge_period_s: 7 * DAY_S,
        fast_challenge_period_s: DAY_S,
        fast_withdrawal_score: 80,
        max_deposit: l1.coins(10_000),
        max_daily_deposit: l1.coins(100_000),
        max_daily_mint: l1.coins(1_000_000),
        anchor_interval: 100,
        forced_inclusion_s: DAY_S,
        emergency_delay_s: DAY_S,
        emergency_recovery_s: HOUR_S,
        l1_stall_s: 2 * HOUR_S,
        relay_withholding_s: 2 * DAY_S,
        min_fee: l1.min_fee(),
        fee_split: FEE_SPLIT,
        fee_discount_score: 80,
        rate_limit: 100,
        mint_timeout_ms: MINT_TIMEOUT_MS,
        recovery_threshold: l1.coins(RECOVERY_THRESHOLD),
    }
}

/// The public test network.
pub fn testnet() -> ChainParameters {
    let l1 = L1::of(L1Network::CascoinTestnet);
    ChainParameters {
        chain_id: 2,
        network: Network::Testnet,
        l1_network: l1.network,
        l1_start: l1.start,
        l1_confirmations: 3,
        min_sequencer_score: 50,
        min_sequencer_stake: l1.coins(10),
        challenge_period_s: DAY_S,
        fast_challenge_period_s: HOUR_S,
        fast_withdrawal_score: 70,
        max_deposit: l1.coins(1_000),
        max_daily_deposit: l1.coins(10_000),
        max_daily_mint: l1.coins(100_000),
        anchor_interval: 50,
        emergency_delay_s: 6 * HOUR_S,
        fee_discount_score: 60,
        rate_limit: 200,
        ..mainnet()
    }
}

/// A private test network over Litecoin in regtest.
pub fn regtest() -> ChainParameters {
    let l1 = L1::of(L1Network::LitecoinRegtest);
    ChainParameters {
        chain_id: 3,
        network: Network::Regtest,
        l1_network: l1.network,
        decimals: l1.decimals,
        l1_start: l1.start,
        l1_confirmations: 1,
        block_time_ms: 100,
        blocks_per_leader: 5,
        // Tests need not wait minutes for a change of the sequencers.
        session_blocks: 60,
        propose_timeout_ms: 1_000,
        prevote_timeout_ms: 150,
        precommit_timeout_ms: 150,
        max_sequencers: 21,
        epoch_sessions: 1,
        min_sequencers: 1,
        min_sequencer_score: 10,
        min_sequencer_stake: l1.coins(1),
        min_l2_stake_share: MIN_L2_STAKE_SHARE,
        min_sequencer_peers: 1,
        block_gas_limit: 10_000_000,
        challenge_period_s: 600,
        fast_challenge_period_s: 60,
        fast_withdrawal_score: 50,
        max_deposit: l1.coins(100),
        max_daily_deposit: l1.coins(1_000),
        max_daily_mint: l1.coins(10_000),
        anchor_interval: 10,
        forced_inclusion_s: 600,
        emergency_delay_s: HOUR_S,
        emergency_recovery_s: 60,
        // Its L1 mines when somebody wants it to.
        l1_stall_s: 300,
        relay_withholding_s: 600,
        min_fee: l1.min_fee(),
        fee_split: FEE_SPLIT,
        fee_discount_score: 50,
        rate_limit: 1_000,
        mint_timeout_ms: MINT_TIMEOUT_MS,
        // Whoever tries a recovery out says from when on.
        recovery_threshold: 0,
    }
}

/// [`regtest`] at mainnet's pace: block time, gas, time-outs and confirmations are
/// mainnet's, so that what is measured on it says something about mainnet.
pub fn local() -> ChainParameters {
    at_mainnet_pace(regtest())
}

/// A developer's own node: one sequencer, everything else as [`local`], but L1
/// blocks count at once.
pub fn dev() -> ChainParameters {
    ChainParameters {
        chain_id: 4,
        network: Network::Dev,
        fee_split: ALL_TO_THE_PRODUCER,
        l1_confirmations: 1,
        // Developers' machines sleep.
        emergency_delay_s: 7 * DAY_S,
        ..at_mainnet_pace(regtest())
    }
}

fn at_mainnet_pace(parameters: ChainParameters) -> ChainParameters {
    let pace = mainnet();
    ChainParameters {
        l1_confirmations: pace.l1_confirmations,
        block_time_ms: pace.block_time_ms,
        session_blocks: pace.session_blocks,
        block_gas_limit: pace.block_gas_limit,
        propose_timeout_ms: pace.propose_timeout_ms,
        prevote_timeout_ms: pace.prevote_timeout_ms,
        precommit_timeout_ms: pace.precommit_timeout_ms,
        ..parameters
    }
}
