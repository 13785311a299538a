//! The node's own transactions: where what it has to say to the chain goes.

use cascoin_l2_primitives::chain::{BlockHash, OpaqueBlock};
use sc_transaction_pool_api::{
    error::{Error as PoolError, IntoPoolError},
    TransactionPool, TransactionSource,
};
use sp_runtime::OpaqueExtrinsic;
use std::{future::Future, sync::Arc};

/// Takes transactions.
pub trait TransactionSink: Send + Sync + 'static {
    /// Hands a transaction over, judged by the state at `at`. What is there already is no
    /// error.
    fn submit(
        &self,
        at: BlockHash,
        transaction: OpaqueExtrinsic,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

impl<P: TransactionPool<Block = OpaqueBlock> + 'static> TransactionSink for Arc<P> {
    async fn submit(&self, at: BlockHash, transaction: OpaqueExtrinsic) -> Result<(), String> {
        let submitted = self.submit_one(at, TransactionSource::Local, transaction).await;
        match submitted.map_err(IntoPoolError::into_pool_error) {
            Ok(_) | Err(Ok(PoolError::AlreadyImported(_))) => Ok(()),
            Err(Ok(error)) => Err(error.to_string()),
            Err(Err(error)) => Err(error.to_string()),
        }
    }
}
