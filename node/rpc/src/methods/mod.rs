//! The `l2_` methods, a file a topic (ledger O9 to O13).
//!
//! Names, order of arguments and, where the L1 prototype has them, names of result
//! fields are those users know (spec: cascoin-l1.md 3.5 and 6.1). Every result is
//! an object; amounts are decimal strings with the L1's decimals; times are
//! milliseconds since 1970 unless the name says seconds.
//!
//! Each method runs on a thread that may block, because it calls the runtime or
//! the L1 node.

mod account;
mod block;
mod burns;
mod candidates;
mod chains;
mod common_inputs;
mod compensation;
mod deploy;
mod emergency;
mod evidence;
mod exports;
mod forced;
mod hand_over;
mod info;
mod messages;
mod recoveries;
mod recovery;
mod reputation;
mod revocation;
mod rewards;
mod sequencers;
mod stake;
mod stake_proof;
mod supply;
mod wallet;

#[cfg(test)]
mod tests;

use crate::{
    args::{Args, Signature},
    chain::{ChainReader, Head},
    errors::Named,
    l1::L1Access,
};
use cascoin_consensus::{
    announcements::Announcements, evidence::EvidenceStore, hand_over::HandOverDesk, EngineHandle,
};
use cascoin_l2_primitives::{
    chain::{Balance, ChainParameters},
    l1::{amount::format_amount, params::L1Params},
};
use jsonrpsee::{core::RegisterMethodError, types::ErrorObjectOwned, Extensions, RpcModule};
use sc_rpc_api::{DenyUnsafe, UnsafeRpcError};
use serde::Serialize;
use sp_consensus::SyncOracle;
use std::sync::Arc;

/// How final something is (consensus.md, decision 6). Anchoring does not exist
/// before settlement does, so nothing is ever shown as anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finality {
    /// `final`: certified by more than two thirds of the sequencers.
    finality: &'static str,
    /// Whether its anchor is in an L1 block.
    anchored: bool,
}

/// What every block in the database is.
const CERTIFIED: Finality = Finality { finality: "final", anchored: false };

type RpcResult<T> = Result<T, ErrorObjectOwned>;

/// What the methods work with.
pub struct Context {
    /// Reads the chain.
    pub chain: Arc<dyn ChainReader>,
    /// This node's engine.
    pub engine: EngineHandle,
    /// What this node found of evidence.
    pub evidence: EvidenceStore,
    /// What this node has heard of the nodes of sequencers and candidates.
    pub announcements: Announcements,
    /// What this node's operator decides of hand-overs.
    pub hand_over: Arc<dyn HandOverDesk>,
    /// This node's L1 node, if it has one.
    pub l1: Option<Arc<dyn L1Access>>,
    /// Whether this node is still catching up.
    pub sync: Arc<dyn SyncOracle + Send + Sync>,
    /// The chain's name, from its specification.
    pub chain_name: String,
    /// `full` or `light` (ledger O1).
    pub mode: &'static str,
}

/// The head and the parameters in force there: what most answers begin with.
struct At {
    head: Head,
    parameters: ChainParameters,
}

impl At {
    fn l1_params(&self) -> &'static L1Params {
        L1Params::of(self.parameters.l1_network)
    }

    /// An amount as text.
    fn coins(&self, units: impl Into<Balance>) -> String {
        format_amount(units.into(), self.parameters.decimals)
    }
}

impl Context {
    fn at_head(&self) -> RpcResult<At> {
        let head = self.chain.head();
        Ok(At { head, parameters: self.chain.parameters(head.hash)? })
    }

    fn l1(&self) -> RpcResult<&dyn L1Access> {
        self.l1.as_deref().ok_or_else(|| Named::L1NotConfigured.into())
    }
}

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Anybody.
    Safe,
    /// Whoever the node's operator trusts: it uses the L1 wallet or this node's keys, drives
    /// this node, takes its time, or has the L1 node read whole blocks.
    Unsafe,
}

/// Whether the caller may use unsafe methods. A server that does not say is not
/// trusted to have checked.
fn check_unsafe(extensions: &Extensions) -> Result<(), UnsafeRpcError> {
    extensions.get::<DenyUnsafe>().ok_or(UnsafeRpcError)?.check_if_safe()
}

/// All methods, as one module.
///
/// # Errors
/// A name registered twice, which a test excludes.
pub fn module(context: Context) -> Result<RpcModule<()>, RegisterMethodError> {
    use Access::{Safe, Unsafe};
    let mut module = RpcModule::new(context);
    add(&mut module, &info::CHAIN_INFO, Safe, info::chain_info)?;
    add(&mut module, &chains::LIST_CHAINS, Safe, chains::list_chains)?;
    add(&mut module, &chains::REGISTERED_CHAIN, Safe, chains::registered_chain)?;
    add(&mut module, &chains::REGISTERED_CHAINS, Safe, chains::registered_chains)?;
    add(&mut module, &chains::UPDATE_STATUS, Safe, chains::update_status)?;
    add(&mut module, &deploy::DEPLOY, Unsafe, deploy::deploy)?;
    add(&mut module, &deploy::REGISTER_CHAIN, Unsafe, deploy::register_chain)?;
    add(&mut module, &account::BALANCE, Safe, account::balance)?;
    add(&mut module, &account::TRANSACTION_COUNT, Safe, account::transaction_count)?;
    add(&mut module, &block::BLOCK_BY_NUMBER, Safe, block::block_by_number)?;
    add(&mut module, &sequencers::SEQUENCERS, Safe, sequencers::sequencers)?;
    add(&mut module, &candidates::ANNOUNCE, Safe, candidates::announce)?;
    add(&mut module, &common_inputs::CREATE_PROOF, Unsafe, common_inputs::create_proof)?;
    add(&mut module, &revocation::CREATE_REVOCATION, Safe, revocation::create_revocation)?;
    add(&mut module, &sequencers::LEADER, Safe, sequencers::leader)?;
    add(&mut module, &sequencers::NETWORK_STATUS, Safe, sequencers::network_status)?;
    add(&mut module, &rewards::REWARDS, Safe, rewards::rewards)?;
    add(&mut module, &evidence::EVIDENCE, Safe, evidence::evidence)?;
    add(&mut module, &reputation::REPUTATION, Safe, reputation::reputation)?;
    add(&mut module, &exports::EXPORTS, Safe, exports::exports)?;
    add(&mut module, &compensation::COMPENSATION, Safe, compensation::compensation)?;
    add(&mut module, &messages::MESSAGE, Safe, messages::message)?;
    add(&mut module, &messages::CREATE_MESSAGE, Safe, messages::create_message)?;
    add(&mut module, &recovery::RECOVERY_POINT, Safe, recovery::recovery_point)?;
    add(&mut module, &recovery::REHEARSE, Unsafe, recovery::rehearse)?;
    add(&mut module, &recoveries::RECOVERY, Safe, recoveries::recovery)?;
    add(&mut module, &recoveries::FALLEN, Safe, recoveries::fallen)?;
    add(&mut module, &wallet::CREATE_BURN, Unsafe, wallet::create_burn)?;
    add(&mut module, &wallet::SEND_BURN, Unsafe, wallet::send_burn)?;
    add(&mut module, &stake::CREATE_STAKE, Unsafe, stake::create_stake)?;
    add(&mut module, &stake::SEND_STAKE, Unsafe, stake::send_stake)?;
    add(&mut module, &stake::RELEASE_STAKE, Unsafe, stake::release_stake)?;
    add(&mut module, &stake_proof::CREATE_PROOF, Unsafe, stake_proof::create_proof)?;
    add(&mut module, &forced::FORCE, Unsafe, forced::force)?;
    add(&mut module, &forced::FORCED, Safe, forced::forced)?;
    add(&mut module, &hand_over::HAND_OVER, Safe, hand_over::hand_over)?;
    add(&mut module, &hand_over::CONSENT, Unsafe, hand_over::consent)?;
    add(&mut module, &hand_over::CREATE, Safe, hand_over::create)?;
    add(&mut module, &hand_over::ACCEPT, Unsafe, hand_over::accept)?;
    add(&mut module, &hand_over::HALT, Unsafe, hand_over::halt)?;
    add(&mut module, &hand_over::RESUME, Unsafe, hand_over::resume)?;
    add(&mut module, &burns::BURN_STATUS, Safe, burns::burn_status)?;
    add(&mut module, &burns::RETRY_BURN, Unsafe, burns::retry_burn)?;
    add(&mut module, &burns::PENDING_BURNS, Safe, burns::pending_burns)?;
    add(&mut module, &burns::MINT_HISTORY, Safe, burns::mint_history)?;
    add(&mut module, &burns::BURNS_FOR_ADDRESS, Safe, burns::burns_for_address)?;
    add(&mut module, &supply::TOTAL_SUPPLY, Safe, supply::total_supply)?;
    add(&mut module, &supply::VERIFY_SUPPLY, Safe, supply::verify_supply)?;
    Ok(module.remove_context())
}

fn add<R: Serialize + Clone + Send + 'static>(
    module: &mut RpcModule<Context>,
    signature: &'static Signature,
    access: Access,
    handler: fn(&Context, &Args) -> RpcResult<R>,
) -> Result<(), RegisterMethodError> {
    module.register_blocking_method(signature.method, move |params, context, extensions| {
        if access == Access::Unsafe {
            check_unsafe(&extensions)?;
        }
        handler(&context, &Args::read(signature, &params)?)
    })?;
    Ok(())
}
