//! The genesis state, made only where there is none yet.
//!
//! The SDK makes it at each start and throws it away where the database has it. From a
//! preset's name or a chain spec that is not raw, that compiles the runtime twice without
//! a cache: seconds in which a sequencer that was restarted is missing.

use cascoin_l2_primitives::chain::OpaqueBlock;
use sc_chain_spec::{BuildGenesisBlock, GenesisBlockBuilder};
use sc_client_api::Backend;
use sc_executor::RuntimeVersionOf;
use sc_service::Configuration;
use sp_core::traits::CodeExecutor;
use std::sync::Arc;

/// Makes the genesis block of a configuration when it is asked for.
pub struct LazyGenesis<'a, B, E> {
    /// Where the chain spec is.
    pub config: &'a Configuration,
    /// The database.
    pub backend: Arc<B>,
    /// Runs the runtime.
    pub executor: E,
}

impl<B, E> BuildGenesisBlock<OpaqueBlock> for LazyGenesis<'_, B, E>
where
    B: Backend<OpaqueBlock>,
    E: CodeExecutor + RuntimeVersionOf,
{
    type BlockImportOperation = B::BlockImportOperation;

    fn build_genesis_block(
        self,
    ) -> sp_blockchain::Result<(OpaqueBlock, Self::BlockImportOperation)> {
        let storage = self.config.chain_spec.as_storage_builder();
        let commits = !self.config.no_genesis();
        GenesisBlockBuilder::new(storage, commits, self.backend, self.executor)?
            .build_genesis_block()
    }
}
