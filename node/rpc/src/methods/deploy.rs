//! `l2_deploy` and `l2_registerchain`: how a new layer 2 chain is made and registered.
//!
//! A registration binds the genesis block, the genesis holds the chain's id, and the id
//! follows from an output of L1. So deploying has two steps: `l2_deploy` chooses an output of
//! the L1 wallet and gives the id and a genesis to complete, and `l2_registerchain` registers
//! the genesis that became of it. Both use the L1 wallet of this node's operator, so they are
//! unsafe methods; the first changes nothing.

use super::{stake::failure, At, Context, RpcResult};
use crate::{
    args::{Args, Signature},
    errors::{invalid_params, Named},
};
use cascoin_l1::registration_tx::RegistrationOrder;
use cascoin_l2_primitives::{
    chain::{
        Balance, BlockHash, ChainParameters, L1Start, Network, MAX_BLOCK_GAS, MAX_SEQUENCERS,
        MIN_WITHHOLDING_BLOCKS,
    },
    l1::{
        address::L1Address,
        registration::{
            chain_id_of, chain_name, ChainName, FIRST_CHAIN_ID, MIN_REGISTRATION_BLOCKS,
            MIN_REGISTRATION_COINS,
        },
        stake::{MAX_RANKED_BLOCKS, MAX_UNLOCK},
        L1Hash, OutPoint,
    },
    registry::{ChainDefinition, ChainStatus},
};
use cascoin_l2_runtime::genesis_config_presets as presets;
use serde::Serialize;
use serde_json::Value;
use std::ops::RangeInclusive;

pub(super) static DEPLOY: Signature = Signature {
    method: "l2_deploy",
    arguments: &["name", "blocktime", "gaslimit", "challengeperiod", "rehearsal"],
    required: 1,
};
pub(super) static REGISTER_CHAIN: Signature = Signature {
    method: "l2_registerchain",
    arguments: &[
        "name",
        "stake",
        "blocktime",
        "gaslimit",
        "challengeperiod",
        "genesishash",
        "seed",
        "sequencers",
        "rehearsal",
        "unlockheight",
    ],
    required: 2,
};

const DEFAULT_BLOCK_TIME_MS: u32 = 500;
const DEFAULT_GAS_LIMIT: u64 = 30_000_000;
const DEFAULT_CHALLENGE_PERIOD_S: u32 = 604_800;
/// R32.2.
const DEFAULT_SEQUENCERS: u32 = 5;
/// L1 blocks that a transaction may wait until it is mined: a quarter of a day.
const SPARE_BLOCKS: u32 = 144;
/// Whoever wants to lock coins for longer than four years has mistyped.
const MOST_BLOCKS: u32 = 4 * MAX_RANKED_BLOCKS;

fn name(args: &Args) -> RpcResult<ChainName> {
    chain_name(args.text(0).trim().as_bytes()).ok_or_else(|| {
        args.unexpected(0, "a name of 1 to 13 letters, digits, _ and -, beginning with a letter")
    })
}

/// A number in a range, or its default.
fn number<T>(args: &Args, position: usize, default: T, range: RangeInclusive<T>) -> RpcResult<T>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let expected = format!("a number from {} to {}", range.start(), range.end());
    let number = args.optional(position, &expected)?.unwrap_or(default);
    if range.contains(&number) {
        return Ok(number);
    }
    Err(args.unexpected(position, &expected))
}

/// A chain's parameters as the deployer chooses them.
#[derive(Clone, Copy)]
struct Chosen {
    block_time_ms: u32,
    gas_limit: u64,
    challenge_period_s: u32,
}

/// Block time, gas limit and challenge period, from the position `first` on.
fn chosen(args: &Args, first: usize) -> RpcResult<Chosen> {
    Ok(Chosen {
        block_time_ms: number(args, first, DEFAULT_BLOCK_TIME_MS, 100..=30_000)?,
        gas_limit: number(args, first + 1, DEFAULT_GAS_LIMIT, 1_000_000..=MAX_BLOCK_GAS)?,
        challenge_period_s: number(args, first + 2, DEFAULT_CHALLENGE_PERIOD_S, 3_600..=2_592_000)?,
    })
}

/// The id of the test network that a chain for money had before; 0 for a test network.
fn rehearsal(args: &Args, position: usize) -> RpcResult<u32> {
    let expected = "the id of the deployer's test network, or 0 for a test network";
    let id = args.optional::<u32>(position, expected)?.unwrap_or(0);
    if id == 0 || id >= FIRST_CHAIN_ID {
        return Ok(id);
    }
    Err(args.unexpected(position, expected))
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deployment {
    chain_id: u32,
    name: String,
    block_time: u32,
    gas_limit: u64,
    challenge_period: u32,
    /// There is none before the genesis is complete.
    genesis_hash: Option<BlockHash>,
    status: &'static str,
    /// The output of the L1 wallet that the id follows from.
    seed: String,
    /// A genesis to complete, as a patch of the runtime's default (R32.5): it names no
    /// sequencers and nobody has coins or power in it.
    genesis: Value,
    message: &'static str,
}

/// Chooses an id, and gives a genesis with safe defaults for it. Nothing is sent or locked.
pub(super) fn deploy(context: &Context, args: &Args) -> RpcResult<Deployment> {
    let name = name(args)?;
    let chosen = chosen(args, 1)?;
    let mainnet = rehearsal(args, 4)? != 0;
    let at = context.at_head()?;
    let seed = context.l1()?.registration_seed().map_err(failure)?;
    let chain_id = chain_id_of(&seed);
    let relay = context.chain.relay(at.head.hash)?;
    let l1_start = L1Start { height: relay.applied_height, hash: relay.applied_hash };
    Ok(Deployment {
        chain_id,
        name: String::from_utf8_lossy(&name).into_owned(),
        block_time: chosen.block_time_ms,
        gas_limit: chosen.gas_limit,
        challenge_period: chosen.challenge_period_s,
        genesis_hash: None,
        status: "PREPARED",
        seed: seed.to_string(),
        genesis: template(&at, l1_start, chain_id, chosen, mainnet)?,
        message: "nothing is sent: add the sequencers to the genesis, make its chain \
                  specification, compare its genesis hash with theirs, and register it with \
                  l2_registerchain and this seed. Do not spend the seed before",
    })
}

/// A genesis for the chain. It begins to read L1 at `l1_start`, where this chain stands, if it
/// has the same L1: no message names it before, and sequencers need not keep or read what is
/// older.
fn template(
    at: &At,
    l1_start: L1Start,
    chain_id: u32,
    chosen: Chosen,
    mainnet: bool,
) -> RpcResult<Value> {
    let (preset, parameters) = match mainnet {
        true => (presets::MAINNET, presets::mainnet()),
        false => (presets::TESTNET, presets::testnet()),
    };
    // A chain for tests has an L1 for tests, and chains beside it have the same.
    let parameters = match at.parameters.network {
        Network::Mainnet | Network::Testnet => parameters,
        Network::Regtest | Network::Dev => at.parameters.clone(),
    };
    let challenge_period_s = u64::from(chosen.challenge_period_s);
    let block_time_ms = u64::from(chosen.block_time_ms);
    // With slow blocks it takes more time to tell who withholds votes.
    let least = MIN_WITHHOLDING_BLOCKS.saturating_mul(block_time_ms).div_ceil(1_000);
    let relay_withholding_s = parameters.relay_withholding_s.max(least);
    let has_same_l1 = parameters.l1_network == at.parameters.l1_network;
    let parameters = ChainParameters {
        chain_id,
        l1_start: if has_same_l1 { l1_start } else { parameters.l1_start },
        block_time_ms,
        block_gas_limit: chosen.gas_limit,
        challenge_period_s,
        relay_withholding_s,
        fast_challenge_period_s: parameters.fast_challenge_period_s.min(challenge_period_s),
        ..parameters
    };
    let parameters = serde_json::to_value(parameters)
        .map_err(|error| Named::RuntimeError.with(format!("no template: {error}")))?;
    let mut genesis =
        presets::preset(preset).ok_or_else(|| Named::RuntimeError.with("no template"))?;
    genesis["chainParameters"]["parameters"] = parameters;
    Ok(genesis)
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registered {
    success: bool,
    chain_id: u32,
    name: String,
    /// The deployer's L1 address: a new one of the wallet.
    deployer: String,
    stake: String,
    /// The L1 height that nobody can spend the stake at or below.
    unlock_height: u32,
    status: ChainStatus,
    /// The L1 transaction.
    txid: L1Hash,
    fee: String,
    /// The chain whose registry is told.
    registry: u32,
    confirmations_needed: u32,
    definition_hash: L1Hash,
    definition: ChainDefinition,
    /// The call that shows the definition to the registry, SCALE in hex: anybody may sign
    /// and submit it once the chain is registered.
    define_call: String,
    message: &'static str,
}

/// Locks the deployer's coins and registers a chain.
pub(super) fn register_chain(context: &Context, args: &Args) -> RpcResult<Registered> {
    let name = name(args)?;
    let at = context.at_head()?;
    let value = stake(&at, args)?;
    let Chosen { block_time_ms, gas_limit, challenge_period_s } = chosen(args, 2)?;
    let missing = "what l2_deploy and the chain's specification give: run l2_deploy first";
    let genesis = args.required::<BlockHash>(5, &format!("a genesis hash, {missing}"))?;
    let seed = seed(args, 6, &format!("txid:vout, {missing}"))?;
    let sequencers = number(args, 7, DEFAULT_SEQUENCERS, 1..=MAX_SEQUENCERS)?;
    let rehearsal = rehearsal(args, 8)?;
    let unlock = unlock(context, &at, args, 9)?;
    let definition = ChainDefinition {
        mainnet: rehearsal != 0,
        genesis,
        block_time_ms,
        gas_limit,
        challenge_period_s,
        sequencers,
        rehearsal,
    };
    if !definition.is_usable() {
        return Err(invalid_params("no chain can run with these parameters"));
    }
    let registry = at.parameters.chain_id;
    let id = chain_id_of(&seed);
    let definition_hash = definition.hash();
    let call = context.chain.define_chain_call(at.head.hash, id, definition)?;
    let order = RegistrationOrder {
        registry,
        seed,
        name: name.clone(),
        definition: definition_hash,
        value,
        unlock,
    };
    let sent = context.l1()?.register_chain(&order).map_err(failure)?;
    let lock = sent.registered.registration.lock;
    Ok(Registered {
        success: true,
        chain_id: id,
        name: String::from_utf8_lossy(&name).into_owned(),
        deployer: L1Address::PublicKeyHash(lock.owner).encode(at.l1_params()),
        stake: at.coins(sent.registered.value),
        unlock_height: lock.unlock,
        status: ChainStatus::Bootstrapping,
        txid: sent.txid,
        fee: at.coins(sent.fee),
        registry,
        confirmations_needed: at.parameters.l1_confirmations,
        definition_hash,
        definition,
        define_call: format!("0x{}", hex::encode(call)),
        message: "sent; once it is confirmed the chain is registered, and defineCall shows what \
                  it is. Keep the txid, l2_releasestaketx needs it, and the deployer's key, which \
                  opens the chain",
    })
}

fn stake(at: &At, args: &Args) -> RpcResult<u64> {
    let units = args.amount(1, at.parameters.decimals)?;
    let coin = 10u128.saturating_pow(at.parameters.decimals.into());
    let least = Balance::from(MIN_REGISTRATION_COINS).saturating_mul(coin);
    if units < least {
        return Err(Named::StakeTooLow.with(format!("at least {}", at.coins(least))));
    }
    let most = at.l1_params().max_money;
    let value = u64::try_from(units).ok().filter(|value| *value <= most);
    value.ok_or_else(|| args.wrong(1, &format!("expected at most {}", at.coins(most))))
}

fn seed(args: &Args, position: usize, expected: &str) -> RpcResult<OutPoint> {
    let read = |text: &str| {
        let (txid, vout) = text.trim().split_once(':')?;
        Some(OutPoint { txid: txid.parse().ok()?, vout: vout.parse().ok()? })
    };
    let text = args.optional_text(position);
    text.and_then(read).ok_or_else(|| args.unexpected(position, expected))
}

/// The height at which the lock ends: a year from now unless another one is asked for.
fn unlock(context: &Context, at: &At, args: &Args, position: usize) -> RpcResult<u32> {
    let applied = context.chain.relay(at.head.hash)?.applied_height;
    let tip = context.l1()?.summary().tip_height.unwrap_or(0).max(applied);
    let least = tip.saturating_add(MIN_REGISTRATION_BLOCKS).saturating_add(SPARE_BLOCKS);
    let most = tip.saturating_add(MOST_BLOCKS).min(MAX_UNLOCK);
    let year = tip.saturating_add(MAX_RANKED_BLOCKS).min(most);
    number(args, position, year, least..=most)
}
