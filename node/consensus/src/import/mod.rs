//! How blocks enter the database: always with a certificate, always final.
//!
//! - [`CertifiedImport`] is the one door: engine and sync both go through its
//!   lock, so they cannot race.
//! - Operators accept hand-overs at the same lock ([`crate::hand_over`]).
//! - [`CertificateVerifier`] stands before the import queue and lets only
//!   certified blocks of the network pass.

mod block_import;
mod hand_over;
mod verifier;

pub use block_import::{CertifiedImport, ImportError, OpenError, SharedSets};
pub use verifier::{certificate_of, CertificateVerifier, VerifyError};

use crate::client::EngineClient;
use cascoin_l2_primitives::chain::OpaqueBlock;
use sc_consensus::{import_queue::BasicQueue, BlockImport};
use sp_core::traits::SpawnEssentialNamed;
use substrate_prometheus_endpoint::Registry;

/// The queue that block sync feeds.
pub fn import_queue<C, I>(
    import: CertifiedImport<C, I>,
    spawner: &impl SpawnEssentialNamed,
    registry: Option<&Registry>,
) -> BasicQueue<OpaqueBlock>
where
    C: EngineClient,
    I: BlockImport<OpaqueBlock, Error = sp_consensus::Error> + Send + Sync + 'static,
{
    let verifier = CertificateVerifier::new(import.sets(), import.hand_overs());
    BasicQueue::new(verifier, Box::new(import), None, spawner, registry)
}
