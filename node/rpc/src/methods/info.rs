//! `l2_getchaininfo`: the chain, its parameters, and how this node is doing.

use super::{
    block::timestamp,
    emergency::{self, Emergency},
    Context, Finality, RpcResult, CERTIFIED,
};
use crate::{
    args::{Args, Signature},
    burn_status::wait_name,
    errors::Named,
    l1::L1Summary,
};
use cascoin_consensus::EngineStatus;
use cascoin_l2_primitives::{
    apis::ParentMismatch,
    chain::{quorum, BlockHash, L1Network, Network},
    l1::L1Hash,
    registry::ChainStatus,
    time::L1Time,
};
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) static CHAIN_INFO: Signature =
    Signature { method: "l2_getchaininfo", arguments: &["chainid"], required: 0 };

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChainInfo {
    chain_id: u32,
    name: String,
    network: Network,
    enabled: bool,
    /// BOOTSTRAPPING, ACTIVE or EMERGENCY.
    status: ChainStatus,
    emergency: Emergency,
    mode: &'static str,
    decimals: u8,
    block_height: u32,
    block_hash: BlockHash,
    state_root: BlockHash,
    genesis_hash: BlockHash,
    #[serde(flatten)]
    finality: Finality,
    is_syncing: bool,
    is_offline: bool,
    sequencer_count: usize,
    eligible_sequencers: usize,
    votes_needed: usize,
    minting: Minting,
    l1: L1Info,
    /// This node's own view of consensus; agreed on by nobody.
    engine: EngineStatus,
    params: Params,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Minting {
    /// Whether governance stopped it (`burnMint.stop`).
    is_stopped: bool,
    /// What all burns wait for, by the names that `l2_getburnstatus` has; null if none need
    /// wait but for limits.
    waits_for: Option<&'static str>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct L1Info {
    network: L1Network,
    confirmations_required: u32,
    attested_height: u32,
    attested_hash: L1Hash,
    applied_height: u32,
    applied_hash: L1Hash,
    parent_mismatch: Option<ParentMismatch>,
    /// Sequencers that agree where L1 left the attested branch (ADR 0026).
    fork_votes: u32,
    /// The L1 height at which burns that L1 dropped are judged; nothing is minted before.
    recovers_until: Option<u32>,
    /// L1's time as all nodes see it, milliseconds since 1970 (R27.5).
    time: L1Time,
    /// Whether no quorum of the sequencers has voted lately: L1 is down, or
    /// without new blocks, and does not bound L2's time.
    time_is_stale: bool,
    /// Whether the relay has applied nothing of L1 for `l1StallSeconds` (R27.5).
    stalled: bool,
    /// For how long it has not, while this chain lived, seconds.
    quiet_seconds: u64,
    /// This node's own L1 node; null if it has none.
    node: Option<L1Summary>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    #[serde(rename = "minSequencerHATScore")]
    min_sequencer_hat_score: u8,
    min_sequencer_stake: String,
    /// Least part of a stake that must be bonded on this chain, percent; the rest may be
    /// locked on L1.
    min_l2_stake_share: u8,
    min_sequencers: u32,
    min_sequencer_peers: u32,
    blocks_per_leader: u32,
    session_blocks: u32,
    leader_timeout_seconds: u64,
    leader_timeout_ms: u64,
    target_block_time_ms: u64,
    max_block_gas: u64,
    standard_challenge_period: u64,
    fast_challenge_period: u64,
    #[serde(rename = "fastWithdrawalHATThreshold")]
    fast_withdrawal_hat_threshold: u8,
    consensus_threshold_percent: u8,
    consensus_timeout_seconds: u64,
    max_deposit_per_tx: String,
    max_daily_deposit: String,
    max_daily_mint: String,
    l1_anchor_interval: u32,
    /// An outage of this length is an emergency.
    emergency_delay_seconds: u64,
    /// Life after which it ends.
    emergency_recovery_seconds: u64,
    /// Time without news of L1 after which it is stalled.
    l1_stall_seconds: u64,
    /// Time for which a sequencer may keep L1 from being attested by casting no vote; zero if
    /// for ever.
    relay_withholding_seconds: u64,
    min_fee: String,
    /// Least deficit after a fork of L1 for which sequencers vote that a recovery begins;
    /// zero if they never do.
    recovery_threshold: String,
}

/// More than two thirds, as the guide writes it. The rule itself is
/// [`quorum`]; `votesNeeded` is what it gives here.
const THRESHOLD_PERCENT: u8 = 67;

pub(super) fn chain_info(context: &Context, args: &Args) -> RpcResult<ChainInfo> {
    let at = context.at_head()?;
    let parameters = &at.parameters;
    if let Some(asked) = args.optional::<u32>(0, "a chain id (a number)")? {
        if asked != parameters.chain_id {
            let here = parameters.chain_id;
            return Err(Named::ChainNotFound.with(format!("this node runs chain {here}")));
        }
    }
    let header = context.chain.header(at.head.hash)?;
    let header = header.ok_or_else(|| Named::BlockNotFound.with("the head has no header"))?;
    let relay = context.chain.relay(at.head.hash)?;
    let liveness = context.chain.liveness(at.head.hash)?;
    let is_syncing = context.sync.is_major_syncing();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = u64::try_from(now).unwrap_or(u64::MAX);
    let emergency = emergency::look(parameters, &liveness, timestamp(&header), now, is_syncing);
    let minting = context.chain.minting(at.head.hash)?;
    let sequencers = context.chain.sequencers(at.head.hash)?.members.len();
    Ok(ChainInfo {
        chain_id: parameters.chain_id,
        name: context.chain_name.clone(),
        network: parameters.network,
        enabled: true,
        status: emergency.status(liveness.status),
        emergency,
        mode: context.mode,
        decimals: parameters.decimals,
        block_height: at.head.number,
        block_hash: at.head.hash,
        state_root: header.state_root,
        genesis_hash: at.head.genesis,
        finality: CERTIFIED,
        is_syncing,
        is_offline: context.sync.is_offline(),
        sequencer_count: sequencers,
        // Only eligible ones are in the set.
        eligible_sequencers: sequencers,
        votes_needed: quorum(sequencers),
        minting: Minting {
            is_stopped: minting.stopped,
            waits_for: minting.rests_for.map(wait_name),
        },
        l1: L1Info {
            network: parameters.l1_network,
            confirmations_required: parameters.l1_confirmations,
            attested_height: relay.attested.height,
            attested_hash: relay.attested.hash,
            applied_height: relay.applied_height,
            applied_hash: relay.applied_hash,
            parent_mismatch: relay.parent_mismatch,
            fork_votes: relay.fork_votes,
            recovers_until: relay.recovers_until,
            time: relay.time,
            time_is_stale: relay.time.fresh_tip_median.is_none(),
            stalled: liveness.life.l1_stalled,
            quiet_seconds: liveness.life.l1_quiet_ms / 1_000,
            node: context.l1.as_ref().map(|l1| l1.summary()),
        },
        engine: context.engine.status(),
        params: Params {
            min_sequencer_hat_score: parameters.min_sequencer_score,
            min_sequencer_stake: at.coins(parameters.min_sequencer_stake),
            min_l2_stake_share: parameters.min_l2_stake_share,
            min_sequencers: parameters.min_sequencers,
            min_sequencer_peers: parameters.min_sequencer_peers,
            blocks_per_leader: parameters.blocks_per_leader,
            session_blocks: parameters.session_blocks,
            leader_timeout_seconds: parameters.propose_timeout_ms.div_ceil(1_000),
            leader_timeout_ms: parameters.propose_timeout_ms,
            target_block_time_ms: parameters.block_time_ms,
            max_block_gas: parameters.block_gas_limit,
            standard_challenge_period: parameters.challenge_period_s,
            fast_challenge_period: parameters.fast_challenge_period_s,
            fast_withdrawal_hat_threshold: parameters.fast_withdrawal_score,
            consensus_threshold_percent: THRESHOLD_PERCENT,
            consensus_timeout_seconds: parameters.mint_timeout_ms.div_ceil(1_000),
            max_deposit_per_tx: at.coins(parameters.max_deposit),
            max_daily_deposit: at.coins(parameters.max_daily_deposit),
            max_daily_mint: at.coins(parameters.max_daily_mint),
            l1_anchor_interval: parameters.anchor_interval,
            emergency_delay_seconds: parameters.emergency_delay_s,
            emergency_recovery_seconds: parameters.emergency_recovery_s,
            l1_stall_seconds: parameters.l1_stall_s,
            relay_withholding_seconds: parameters.relay_withholding_s,
            min_fee: at.coins(parameters.min_fee),
            recovery_threshold: at.coins(parameters.recovery_threshold),
        },
    })
}
