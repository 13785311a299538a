//! What a leader brings for a recovery, from the database of a node that follows a chain.

use crate::support::cluster::Cluster;
use cascoin_bft::Round;
use cascoin_consensus::recovery::{is_in, next_step, step, StepError};
use cascoin_l2_primitives::{
    apis::RecoveryApi,
    chain::{BlockHash, Header, OpaqueBlock},
    recovery::{events_key, read_events, read_page, RecoveryStep, Wanted},
};
use cascoin_l2_runtime::{RuntimeCall, UncheckedExtrinsic};
use codec::{Decode, Encode};
use sc_client_api::{BlockBackend, StorageKey, StorageProvider};
use sp_api::ProvideRuntimeApi;
use sp_io::hashing::twox_128;
use sp_runtime::{
    traits::{Block as _, Header as _},
    OpaqueExtrinsic,
};
use sp_trie::StorageProof;

#[tokio::test(flavor = "multi_thread")]
async fn p20_what_a_recovery_wants_is_read_from_the_database() {
    let cluster = Cluster::running(4);
    cluster.reach(&[0], 5).await;
    let (client, backend) = (cluster.client(0), cluster.backend(0));
    let header = cluster.header(0, 3).expect("block 3 is final");
    let hash = header.hash();
    let bring = |wanted: &Wanted| step(&*client, &*backend, wanted);

    // Nobody wants anything as long as none runs.
    assert_eq!(next_step(&*client, &*backend, hash, Round(0)), None);

    let point = bring(&Wanted::Point { hash }).expect("the header is there");
    assert_eq!(point, RecoveryStep::Point(Box::new(header.clone())));

    // Of each part that would go back there is a page: what a node tries before it votes.
    let parts = client.runtime_api().recovery_parts(hash).expect("the runtime says which");
    assert!(parts.len() > 5, "{}", parts.len());
    for prefix in parts {
        let (after, max_keys, max_bytes) = (None, 2_000, 1024 * 1024);
        let wanted = Wanted::Page { hash, prefix, after, max_keys, max_bytes };
        assert!(matches!(bring(&wanted), Ok(RecoveryStep::Page(_))));
    }

    // Page by page all of a part comes, as the header's root proves.
    let prefix = twox_128(b"System").to_vec();
    let key = StorageKey(prefix.clone());
    let there = client.storage_pairs(hash, Some(&key), None).expect("the state is there");
    let there: Vec<_> = there.map(|(key, value)| (key.0, value.0)).collect();
    assert!(there.len() > 7, "{}", there.len());
    let (mut shown, mut pages) = (Vec::new(), 0);
    loop {
        let after = shown.last().map(|(key, _): &(Vec<u8>, Vec<u8>)| key.clone());
        let wanted = Wanted::Page {
            hash,
            prefix: prefix.clone(),
            after: after.clone(),
            max_keys: 7,
            max_bytes: 1024 * 1024,
        };
        let RecoveryStep::Page(nodes) = bring(&wanted).expect("the state is there") else {
            panic!("no page")
        };
        let proof = StorageProof::new(nodes);
        let page = read_page(&header.state_root, &proof, &prefix, after.as_deref());
        let page = page.expect("it can be read");
        shown.extend(page.entries);
        pages += 1;
        if page.complete {
            break;
        }
    }
    assert_eq!(shown, there);
    assert!(pages > 1);

    let wanted = Wanted::Block { number: 3, hash };
    let body = client.block_body(hash).expect("the database answers").expect("it is kept");
    let body: Vec<_> = body.iter().map(Encode::encode).collect();
    let RecoveryStep::Block { header: brought, body: of_block, events } =
        bring(&wanted).expect("the block is there")
    else {
        panic!("no block")
    };
    assert_eq!((*brought, of_block), (header.clone(), body));
    // What became of its transactions is shown by its own state.
    let told = client.storage(hash, &StorageKey(events_key().to_vec()));
    let told = told.expect("the state is there").expect("each block has events").0;
    assert_eq!(read_events(&header.state_root, events), Ok(told));

    // What is not here is no step, and no panic.
    let hash = BlockHash::repeat_byte(7);
    let page = Wanted::Page { hash, prefix, after: None, max_keys: 7, max_bytes: 1024 * 1024 };
    assert!(matches!(bring(&Wanted::Point { hash }), Err(StepError::NoBlock(_))));
    assert!(matches!(bring(&page), Err(StepError::Database(_))));
    assert!(matches!(bring(&Wanted::Block { number: 3, hash }), Err(StepError::NoBlock(_))));
    cluster.finish().await;
}

#[test]
fn p20_a_leader_sees_whether_its_block_has_the_step_that_it_brought() {
    let header = |number| {
        let zero = BlockHash::zero();
        Header::new(number, zero, zero, zero, Default::default())
    };
    // The inherent, as the runtime makes it: Recovery is pallet 49, `advance` its call 2.
    let block = |step: &RecoveryStep| {
        let call = RuntimeCall::decode(&mut &(49_u8, 2_u8, step).encode()[..]);
        let call = call.expect("a step of the recovery");
        assert!(matches!(call, RuntimeCall::Recovery(_)));
        let inherent = UncheckedExtrinsic::new_bare(call).into();
        // Behind another one.
        let blob = OpaqueExtrinsic::from_blob(vec![5, 0, 0]);
        OpaqueBlock::new(header(9), vec![blob, inherent])
    };
    let point = RecoveryStep::Point(Box::new(header(3)));
    let page = RecoveryStep::Page(vec![vec![1, 2, 3], vec![4; 40]]);
    for (step, other) in [(&point, &page), (&page, &point)] {
        assert!(is_in(&block(step), step));
        assert!(!is_in(&block(step), other));
        assert!(!is_in(&OpaqueBlock::new(header(9), Vec::new()), step));
    }
}
