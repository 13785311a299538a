//! A sequencer answers a poll about a candidate whose node is there, and no other.

use crate::support::{
    chain::{account, genesis, session_keys, Chain, Reports},
    until,
};
use cascoin_consensus::announcements::attest::{self, Finder};
use cascoin_l2_primitives::{
    apis::RegistryApi,
    chain::{key_types, AccountId},
};
use cascoin_l2_runtime::{Runtime, RuntimeCall, UncheckedExtrinsic};
use codec::{Decode, Encode};
use pallet_sequencer_registry::{
    attestation,
    candidates::{Attestation, Candidate},
    Call, Candidates,
};
use parking_lot::Mutex;
use sc_network_types::PeerId;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::{ed25519, storage::Storage, Pair};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystorePtr};
use sp_runtime::transaction_validity::TransactionSource;
use sp_state_machine::BasicExternalities;
use sp_transaction_pool::runtime_api::TaggedTransactionQueue;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

fn key(n: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[n; 32])
}

/// Four sequencers, and two candidates about whom all four are asked.
fn chain_with_polls() -> Storage {
    let keys: Vec<_> = (1..=4).map(key).collect();
    let sequencers: Vec<_> = keys.iter().map(account).collect();
    let mut storage = genesis(&keys, |_| {});
    BasicExternalities::execute_with_storage(&mut storage, || {
        for n in [5, 6] {
            let candidate = account(&key(n));
            let poll = attestation::open(0, &sequencers, &candidate, &candidate, &[0; 32]);
            Candidates::<Runtime>::insert(
                &candidate,
                Candidate {
                    announced_at: 0,
                    controller: candidate.clone(),
                    confirmed: true,
                    endpoint: Default::default(),
                    weight: 0,
                    attestation: Attestation::Open(poll),
                },
            );
            pallet_session::NextKeys::<Runtime>::insert(&candidate, session_keys(&key(n)));
        }
    });
    storage
}

/// Finds the nodes of some, and remembers of whom it was asked.
struct Known {
    there: BTreeSet<AccountId>,
    asked: Arc<Mutex<Vec<AccountId>>>,
}

impl Finder for Known {
    fn heard_of(&self, who: &AccountId) -> Option<PeerId> {
        let known = [5, 6].into_iter().find(|n| account(&key(*n)) == *who)?;
        PeerId::from_ed25519(&key(known).public().0)
    }

    async fn find(&self, who: AccountId, relay: ed25519::Public) -> Result<(), &'static str> {
        self.asked.lock().push(who.clone());
        // The key is the one that it registered.
        assert!([5, 6]
            .into_iter()
            .any(|n| (account(&key(n)), key(n).public()) == (who.clone(), relay)));
        self.there.contains(&who).then_some(()).ok_or("it does not answer")
    }
}

fn keystore(n: u8) -> KeystorePtr {
    let keystore = MemoryKeystore::new();
    let public = key(n).public();
    keystore
        .insert(key_types::RELAY, &format!("0x{}", hex::encode([n; 32])), &public.0)
        .expect("a keystore in memory takes keys");
    Arc::new(keystore)
}

fn decoded(transaction: &[u8]) -> Call<Runtime> {
    let whole = UncheckedExtrinsic::decode(&mut &transaction[..]).expect("a transaction");
    match whole.function {
        RuntimeCall::SequencerRegistry(call) => call,
        other => panic!("another call: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_4_a_sequencer_vouches_for_whose_node_it_finds() {
    let chain = Chain::new(&chain_with_polls());
    let (there, gone) = (account(&key(5)), account(&key(6)));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let finder = Known { there: [there.clone()].into(), asked: asked.clone() };
    let sink = Reports::default();
    let every = Duration::from_millis(10);
    let task = attest::run(chain.client.clone(), keystore(2), finder, sink.clone(), every);
    let task = tokio::spawn(task);
    until("it answers", || !sink.all().is_empty()).await;
    // Sent again with each final block, and nobody makes blocks here.
    tokio::time::sleep(Duration::from_millis(200)).await;
    task.abort();
    assert_eq!(sink.all().len(), 1);

    let at = chain.client.info().genesis_hash;
    for transaction in sink.all() {
        let Call::attest_with_key { attestation, .. } = decoded(&transaction.encode()) else {
            panic!("another call")
        };
        assert_eq!((&attestation.candidate, attestation.voter), (&there, 1));
        assert!(attestation.approves);
        let api = chain.client.runtime_api();
        let judged = api.validate_transaction(at, TransactionSource::Local, transaction, at);
        judged.expect("the runtime answers").expect("a pool takes it");
    }
    // Both were looked for, once: neither again within seconds.
    let mut looked_for = asked.lock().clone();
    looked_for.sort();
    let mut both = vec![there, gone];
    both.sort();
    assert_eq!(looked_for, both);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_asked_looks_for_nobody() {
    let chain = Chain::new(&chain_with_polls());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let finder = Known { there: BTreeSet::new(), asked: asked.clone() };
    let sink = Reports::default();
    // A node with a key of nobody in the set.
    let every = Duration::from_millis(5);
    let task = attest::run(chain.client.clone(), keystore(9), finder, sink.clone(), every);
    let _ = tokio::time::timeout(Duration::from_millis(500), task).await;
    assert!(asked.lock().is_empty() && sink.all().is_empty());
    let at = chain.client.info().genesis_hash;
    let polls = chain.client.runtime_api().open_polls(at).expect("the runtime answers");
    assert_eq!(polls.iter().map(|poll| poll.waiting_for.len()).collect::<Vec<_>>(), [4, 4]);
}
