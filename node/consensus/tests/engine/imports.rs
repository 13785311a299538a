//! Blocks that come by sync.

use crate::support::cluster::{Cluster, Import};
use cascoin_consensus::import::CertificateVerifier;
use cascoin_l2_primitives::chain::OpaqueBlock;
use sc_client_api::BlockBackend;
use sc_consensus::{BlockImport, BlockImportParams, ImportResult, StateAction, Verifier};
use sp_blockchain::HeaderBackend;
use sp_consensus::BlockOrigin;

/// A block of a network, as the import queue verifies it.
async fn verified(
    cluster: &Cluster,
    import: &Import,
    number: u32,
) -> BlockImportParams<OpaqueBlock> {
    let from = cluster.client(0);
    let hash = from.hash(number).unwrap().expect("it has the block");
    let signed = from.block(hash).unwrap().expect("with its body");
    let mut params = BlockImportParams::new(BlockOrigin::NetworkInitialSync, signed.block.header);
    params.body = Some(signed.block.extrinsics);
    params.justifications = signed.justifications;
    params.state_action = StateAction::Execute;
    let verifier = CertificateVerifier::new(import.sets(), import.hand_overs());
    verifier.verify(params).await.expect("it is certified")
}

/// Sync's queue and the engine work at the same time. A block may be verified when the
/// one below it is stored and not yet the head; taken for one that does not follow on
/// the head, it was stored for ever without being final, and nothing followed on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_was_verified_before_its_parent_came_becomes_final() {
    let cluster = Cluster::running(1);
    cluster.reach(&[0], 4).await;
    let (import, client) = cluster.newcomer();
    let second = verified(&cluster, &import, 2).await;
    let first = verified(&cluster, &import, 1).await;
    for (number, block) in [(1, first), (2, second)] {
        let result = import.import_block(block).await.expect("it imports");
        assert!(matches!(result, ImportResult::Imported(_)), "{result:?}");
        assert_eq!((client.info().finalized_number, client.info().best_number), (number, number));
    }
    // Again changes nothing, and the next goes on.
    let again = verified(&cluster, &import, 2).await;
    assert!(matches!(import.import_block(again).await, Ok(ImportResult::AlreadyInChain)));
    let third = verified(&cluster, &import, 3).await;
    import.import_block(third).await.expect("it imports");
    assert_eq!(client.info().finalized_number, 3);
    cluster.finish().await;
}
