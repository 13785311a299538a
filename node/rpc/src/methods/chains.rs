//! The registry of layer 2 chains: `l2_listchains`, `l2_getregisteredchain`,
//! `l2_listregisteredchains` and `l2_updatechainstatus`.

use super::{At, Context, RpcResult};
use crate::{
    args::{Args, Signature},
    errors::Named,
};
use cascoin_l2_primitives::{
    chain::BlockHash,
    l1::{address::L1Address, registration::chain_name, L1Hash},
    registry::{ChainStatus, ListedChain, MAX_LISTED},
};
use serde::Serialize;

pub(super) static LIST_CHAINS: Signature =
    Signature { method: "l2_listchains", arguments: &["from", "limit"], required: 0 };
pub(super) static REGISTERED_CHAIN: Signature =
    Signature { method: "l2_getregisteredchain", arguments: &["chainid"], required: 1 };
pub(super) static REGISTERED_CHAINS: Signature = Signature {
    method: "l2_listregisteredchains",
    arguments: &["activeonly", "from", "limit"],
    required: 0,
};
pub(super) static UPDATE_STATUS: Signature =
    Signature { method: "l2_updatechainstatus", arguments: &["chainid", "status"], required: 2 };

#[derive(Clone, Serialize)]
pub(super) struct Chains {
    /// This node's chain, then a page of those registered on it, by their ids.
    chains: Vec<NamedChain>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct NamedChain {
    chain_id: u32,
    name: String,
    /// Whether it is the chain that this node runs.
    is_local: bool,
}

/// The id from which on chains are shown, and how many at most: the arguments at `position`
/// and behind it.
fn page(args: &Args, position: usize) -> RpcResult<(u32, u32)> {
    let from = args.optional(position, "a chain id (a number)")?.unwrap_or(0);
    let limit = args.optional(position + 1, "a number of chains")?.unwrap_or(MAX_LISTED);
    if !(1..=MAX_LISTED).contains(&limit) {
        return Err(args.unexpected(position + 1, &format!("from 1 to {MAX_LISTED} chains")));
    }
    Ok((from, limit))
}

pub(super) fn list_chains(context: &Context, args: &Args) -> RpcResult<Chains> {
    let (from, limit) = page(args, 0)?;
    let at = context.at_head()?;
    let name = context.chain_name.clone();
    let mut chains = vec![NamedChain { chain_id: at.parameters.chain_id, name, is_local: true }];
    let registered = context.chain.registered_chains(at.head.hash, false, from, limit)?;
    chains.extend(registered.into_iter().map(|listed| NamedChain {
        chain_id: listed.id,
        name: text(&listed.chain.name),
        is_local: false,
    }));
    Ok(Chains { chains })
}

/// A chain as it is registered.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registered {
    found: bool,
    chain_id: u32,
    name: String,
    /// Whether it is found by its name: of several with one name the first is.
    holds_name: bool,
    /// The deployer's L1 address.
    deployer: String,
    stake: String,
    /// The L1 output that holds the stake.
    stake_outpoint: String,
    /// The L1 height that nobody can spend it at or below.
    unlock_height: u32,
    stake_locked: bool,
    status: ChainStatus,
    /// Since when.
    status_since: u64,
    registered_at: u64,
    /// Height of the L1 block of the registration.
    deployment_block: u32,
    is_active: bool,
    /// What binds the rest to the registration.
    definition_hash: L1Hash,
    /// What the chain is; null until somebody has shown it.
    definition: Option<Definition>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    genesis_hash: BlockHash,
    mainnet: bool,
    /// The id of the test network that came before; null for a test network.
    rehearsal: Option<u32>,
    /// Sequencers that the genesis names.
    sequencer_count: u32,
    params: Params,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    block_time_ms: u32,
    gas_limit: u64,
    /// Seconds.
    challenge_period: u32,
}

/// Names have no other characters than ASCII's.
fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

fn show(at: &At, listed: ListedChain) -> Registered {
    let ListedChain { id, chain, holds_name, stake_locked } = listed;
    Registered {
        found: true,
        chain_id: id,
        name: text(&chain.name),
        holds_name,
        deployer: L1Address::PublicKeyHash(chain.owner.0).encode(at.l1_params()),
        stake: at.coins(chain.value),
        stake_outpoint: chain.outpoint.to_string(),
        unlock_height: chain.unlock,
        stake_locked,
        status: chain.status,
        status_since: chain.status_since,
        registered_at: chain.registered_at,
        deployment_block: chain.l1_height,
        is_active: chain.status == ChainStatus::Active,
        definition_hash: chain.definition_hash,
        definition: chain.definition.map(|known| Definition {
            genesis_hash: known.genesis,
            mainnet: known.mainnet,
            rehearsal: known.mainnet.then_some(known.rehearsal),
            sequencer_count: known.sequencers,
            params: Params {
                block_time_ms: known.block_time_ms,
                gas_limit: known.gas_limit,
                challenge_period: known.challenge_period_s,
            },
        }),
    }
}

/// The chain that the first argument names, by its id or its name. A name begins with a
/// letter, so that the two cannot be confused.
fn find(context: &Context, at: &At, args: &Args) -> RpcResult<ListedChain> {
    let asked = args.text(0).trim();
    let found = match asked.parse::<u32>() {
        Ok(id) => context.chain.registered_chain(at.head.hash, id)?,
        Err(_) => {
            let name = chain_name(asked.as_bytes())
                .ok_or_else(|| args.unexpected(0, "a chain id (a number) or a chain's name"))?;
            context.chain.chain_named(at.head.hash, name)?
        }
    };
    found.ok_or_else(|| Named::ChainNotFound.with("it is not registered on this chain"))
}

pub(super) fn registered_chain(context: &Context, args: &Args) -> RpcResult<Registered> {
    let at = context.at_head()?;
    find(context, &at, args).map(|listed| show(&at, listed))
}

#[derive(Clone, Serialize)]
pub(super) struct RegisteredChains {
    /// By their ids.
    chains: Vec<Registered>,
    /// How many these are.
    count: usize,
}

pub(super) fn registered_chains(context: &Context, args: &Args) -> RpcResult<RegisteredChains> {
    let active_only = args.flag(0, false)?;
    let (from, limit) = page(args, 1)?;
    let at = context.at_head()?;
    let listed = context.chain.registered_chains(at.head.hash, active_only, from, limit)?;
    let chains: Vec<_> = listed.into_iter().map(|listed| show(&at, listed)).collect();
    Ok(RegisteredChains { count: chains.len(), chains })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusUpdate {
    chain_id: u32,
    /// What it is now.
    status: ChainStatus,
    /// What the call makes of it.
    new_status: ChainStatus,
    /// Whether the deployer may, or governance only.
    deployer_may: bool,
    /// The deployer's L1 address.
    deployer: String,
    /// The call to sign and submit, SCALE in hex.
    call: String,
    message: &'static str,
}

/// What the deployer has to sign to change a chain's status: keys stay with their owner, and
/// a node has none that could sign it.
pub(super) fn update_status(context: &Context, args: &Args) -> RpcResult<StatusUpdate> {
    let expected = "BOOTSTRAPPING, ACTIVE, PAUSED, EMERGENCY or DEPRECATED";
    let to = args.required::<ChainStatus>(1, expected)?;
    let at = context.at_head()?;
    let ListedChain { id, chain, .. } = find(context, &at, args)?;
    let from = chain.status;
    if !from.governance_may(to) {
        return Err(args.wrong(1, &format!("a chain that is {from} does not become {to}")));
    }
    let call = context.chain.set_chain_status_call(at.head.hash, id, to)?;
    let deployer_may = from.deployer_may(to);
    Ok(StatusUpdate {
        chain_id: id,
        status: from,
        new_status: to,
        deployer_may,
        deployer: L1Address::PublicKeyHash(chain.owner.0).encode(at.l1_params()),
        call: format!("0x{}", hex::encode(call)),
        message: if deployer_may {
            "sign the call with an account that has linked the deployer's L1 address \
             (reputation.linkL1Address)"
        } else {
            "only governance changes it so: propose the call"
        },
    })
}
