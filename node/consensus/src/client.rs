//! What the engine needs of the node's client, as one bound.

use cascoin_l2_primitives::{
    apis::{ChainApi, HandOverApi, RecoveryApi, SequencerApi, TimeApi},
    chain::OpaqueBlock,
};
use sc_client_api::{AuxStore, BlockBackend, BlockchainEvents};
use sp_api::{ApiExt, Core, ProvideRuntimeApi};
use sp_block_builder::BlockBuilder;
use sp_blockchain::HeaderBackend;

/// A client that can answer the engine's questions.
pub trait EngineClient:
    ProvideRuntimeApi<
        OpaqueBlock,
        Api: ApiExt<OpaqueBlock>
                 + Core<OpaqueBlock>
                 + BlockBuilder<OpaqueBlock>
                 + ChainApi<OpaqueBlock>
                 + HandOverApi<OpaqueBlock>
                 + RecoveryApi<OpaqueBlock>
                 + SequencerApi<OpaqueBlock>
                 + TimeApi<OpaqueBlock>,
    > + HeaderBackend<OpaqueBlock>
    + BlockBackend<OpaqueBlock>
    + BlockchainEvents<OpaqueBlock>
    + AuxStore
    + Send
    + Sync
    + 'static
{
}

impl<T> EngineClient for T where
    T: ProvideRuntimeApi<
            OpaqueBlock,
            Api: ApiExt<OpaqueBlock>
                     + Core<OpaqueBlock>
                     + BlockBuilder<OpaqueBlock>
                     + ChainApi<OpaqueBlock>
                     + HandOverApi<OpaqueBlock>
                     + RecoveryApi<OpaqueBlock>
                     + SequencerApi<OpaqueBlock>
                     + TimeApi<OpaqueBlock>,
        > + HeaderBackend<OpaqueBlock>
        + BlockBackend<OpaqueBlock>
        + BlockchainEvents<OpaqueBlock>
        + AuxStore
        + Send
        + Sync
        + 'static
{
}
