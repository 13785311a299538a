//! What the off-chain worker sends, with a real keystore.

use crate::{
    mock::*,
    pallet::{Call, Certificates, Last},
    worker::RESEND_BLOCKS,
};
use cascoin_l2_primitives::{chain::key_types, reputation::export::ExportVote};
use codec::Decode;
use frame_support::traits::Hooks;
use sp_core::{
    offchain::{
        testing::{TestOffchainExt, TestTransactionPoolExt},
        OffchainDbExt, OffchainWorkerExt, TransactionPoolExt,
    },
    Pair,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};

/// Runs `test` on a node whose keystore has these sequencers' keys; `test` gets a function
/// that takes what the worker submitted since the last time.
fn on_node(sequencers: u8, keys: &[u8], test: impl FnOnce(&dyn Fn() -> Vec<ExportVote>)) {
    let mut ext = new_test_ext(sequencers);
    let (offchain, _) = TestOffchainExt::new();
    let (pool, submitted) = TestTransactionPoolExt::new();
    let keystore = MemoryKeystore::new();
    for seed in keys {
        let suri = format!("0x{}", format!("{seed:02x}").repeat(32));
        keystore
            .insert(key_types::RELAY, &suri, pair(*seed).public().as_ref())
            .expect("the keystore takes it");
    }
    ext.register_extension(OffchainDbExt::new(offchain.clone()));
    ext.register_extension(OffchainWorkerExt::new(offchain));
    ext.register_extension(TransactionPoolExt::new(pool));
    ext.register_extension(KeystoreExt::new(keystore));
    ext.execute_with(|| {
        test(&|| {
            let sent = core::mem::take(&mut submitted.write().transactions);
            let mut votes: Vec<_> = sent.into_iter().map(vote_in).collect();
            votes.sort_by_key(|vote| vote.signature.signer);
            votes
        });
    });
}

fn vote_in(bytes: Vec<u8>) -> ExportVote {
    let extrinsic = Extrinsic::decode(&mut &bytes[..]).expect("an extrinsic");
    match extrinsic.function {
        RuntimeCall::Export(Call::sign_export { vote }) => vote,
        other => panic!("the worker sends signatures, not {other:?}"),
    }
}

fn work() {
    Export::offchain_worker(System::block_number());
}

#[test]
fn r10_4_it_signs_with_every_key_that_is_in_the_set_and_its_signatures_are_taken() {
    on_node(4, &[1, 2, 4, 99], |sent| {
        work();
        assert!(sent().is_empty(), "there is nothing to sign");
        set(1, 70);
        epoch();
        work();
        let votes = sent();
        let signers: Vec<_> = votes.iter().map(|vote| vote.signature.signer).collect();
        assert_eq!(signers, [0, 1, 3]);
        for vote in votes {
            submit(vote).expect("valid");
        }
        assert!(Certificates::<Test>::contains_key(Last::<Test>::get().sequence));
        work();
        assert!(sent().is_empty(), "it is signed");
    });
}

#[test]
fn it_sends_again_only_after_a_while_or_what_is_new() {
    on_node(4, &[1], |sent| {
        set(1, 70);
        epoch();
        work();
        let first = sent();
        assert_eq!(first.len(), 1);
        run(RESEND_BLOCKS - 1);
        work();
        assert!(sent().is_empty(), "still under way");
        run(1);
        work();
        assert_eq!(sent(), first, "it got lost");
        submit(first[0]).expect("valid");
        run(RESEND_BLOCKS);
        work();
        assert!(sent().is_empty(), "it is on chain");
        // Another set signs anew, at once.
        SetId::set(1);
        work();
        let anew = sent();
        assert_eq!((anew.len(), anew[0].set_id), (1, 1));
        submit(anew[0]).expect("valid");
    });
}

#[test]
fn what_it_remembers_of_another_chains_life_does_not_silence_it() {
    on_node(4, &[1], |sent| {
        set(1, 70);
        epoch();
        System::set_block_number(1_000);
        work();
        assert_eq!(sent().len(), 1);
        // The chain was started anew, the local storage was not.
        System::set_block_number(5);
        work();
        assert_eq!(sent().len(), 1);
    });
}
