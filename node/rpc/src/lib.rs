//! What a node answers over RPC.
//!
//! - [`create_full`] makes the module that the node's RPC server serves besides
//!   the SDK's own methods: `l2_…` (ledger O9 to O13), `system_accountNextIndex`
//!   and its like, and fee estimation.
//! - [`front`] lets Core's command-line clients call all of it.
//!
//! The methods read the chain through [`chain::ChainReader`] and L1 through
//! [`l1::L1Access`], and hold no state of their own. What they answer is either
//! the chain's (final) or this node's own view, and the fields' docs say which.

pub mod address;
pub mod args;
pub mod burn_status;
pub mod chain;
pub mod errors;
mod extrinsic;
pub mod front;
mod hand_over_due;
pub mod l1;
mod methods;

use cascoin_consensus::{
    announcements::Announcements, evidence::EvidenceStore, hand_over::HandOverDesk, EngineHandle,
};
use cascoin_l2_primitives::chain::{AccountId, Balance, Nonce, OpaqueBlock};
use chain::{ClientReader, L2Client};
use jsonrpsee::{core::RegisterMethodError, RpcModule};
use l1::L1Access;
use pallet_transaction_payment_rpc::{
    TransactionPayment, TransactionPaymentApiServer, TransactionPaymentRuntimeApi,
};
use sc_client_api::Backend;
use sc_transaction_pool_api::TransactionPool;
use sp_api::ProvideRuntimeApi;
use sp_consensus::SyncOracle;
use std::sync::Arc;
use substrate_frame_rpc_system::{AccountNonceApi, System, SystemApiServer};

pub use extrinsic::Described;

/// What [`create_full`] needs of a node.
pub struct FullDeps<C, P, B> {
    /// The client.
    pub client: Arc<C>,
    /// The database, for balances: they are read from the state, not by a call.
    pub backend: Arc<B>,
    /// The transaction pool.
    pub pool: Arc<P>,
    /// The engine's status; the default handle on a node that does not sequence.
    pub engine: EngineHandle,
    /// What this node found of evidence: its import's.
    pub evidence: EvidenceStore,
    /// What this node has heard of the nodes of sequencers and candidates.
    pub announcements: Announcements,
    /// What this node's operator decides of hand-overs: `Arc::new(Desk::new(…))`.
    pub hand_over: Arc<dyn HandOverDesk>,
    /// The L1 node: `Some(Arc::new(l1::L1Node::new(…)?))`, `None` without one.
    pub l1: Option<Arc<dyn L1Access>>,
    /// Whether the node is catching up: its `SyncingService`.
    pub sync: Arc<dyn SyncOracle + Send + Sync>,
    /// Name of the chain, from its specification.
    pub chain_name: String,
    /// Node mode as ledger O1 names it: `full` or `light`.
    pub mode: &'static str,
}

/// All methods of this node besides the SDK's own.
///
/// # Errors
/// Two methods of one name, which the tests exclude.
pub fn create_full<C, P, B>(deps: FullDeps<C, P, B>) -> Result<RpcModule<()>, RegisterMethodError>
where
    C: L2Client
        + ProvideRuntimeApi<
            OpaqueBlock,
            Api: AccountNonceApi<OpaqueBlock, AccountId, Nonce>
                     + TransactionPaymentRuntimeApi<OpaqueBlock, Balance>,
        >,
    P: TransactionPool<Block = OpaqueBlock> + 'static,
    B: Backend<OpaqueBlock> + 'static,
{
    let FullDeps {
        client,
        backend,
        pool,
        engine,
        evidence,
        announcements,
        hand_over,
        l1,
        sync,
        chain_name,
        mode,
    } = deps;
    let mut module = RpcModule::new(());
    module.merge(System::new(client.clone(), pool).into_rpc())?;
    module.merge(TransactionPayment::new(client.clone()).into_rpc())?;
    let chain = Arc::new(ClientReader::new(client, backend).with_desk(hand_over.clone()));
    module.merge(methods::module(methods::Context {
        chain,
        engine,
        evidence,
        announcements,
        hand_over,
        l1,
        sync,
        chain_name,
        mode,
    })?)?;
    Ok(module)
}
