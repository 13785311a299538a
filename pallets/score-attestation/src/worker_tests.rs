//! What the off-chain worker sends, with a real keystore.

use crate::{
    mock::*,
    pallet::{Call, Cast},
    worker::RESEND_BLOCKS,
};
use cascoin_l2_primitives::{
    chain::key_types,
    reputation::attestation::{LocalScores, ScoreVote, LOCAL_SCORES_KEY},
};
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
use sp_runtime::offchain::storage::StorageValueRef;

/// Runs `test` in the first round of a node whose keystore has these sequencers' keys;
/// `test` gets a function that takes what the worker submitted since the last time.
fn on_node(sequencers: u8, keys: &[u8], test: impl FnOnce(&dyn Fn() -> Vec<ScoreVote>)) {
    let mut ext = new_test_ext(sequencers, 2);
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
        run(1);
        test(&|| {
            Attestation::offchain_worker(System::block_number());
            let sent = core::mem::take(&mut submitted.write().transactions);
            let mut votes: Vec<_> = sent.into_iter().map(vote_in).collect();
            votes.sort_by_key(|vote| vote.signer);
            votes
        });
    });
}

fn vote_in(bytes: Vec<u8>) -> ScoreVote {
    let extrinsic = Extrinsic::decode(&mut &bytes[..]).expect("an extrinsic");
    match extrinsic.function {
        RuntimeCall::Attestation(Call::attest { vote }) => vote,
        other => panic!("the worker sends votes, not {other:?}"),
    }
}

/// The node's own thread has asked L1 for the scores of this round.
fn l1_says(points: &[Option<u8>]) {
    let local = LocalScores { round: Attestation::score_round(), scores: scores(points) };
    StorageValueRef::persistent(LOCAL_SCORES_KEY).set(&local);
}

#[test]
fn r10_1_it_sends_what_l1_says_with_every_key_that_is_in_the_set() {
    on_node(4, &[1, 2, 4, 99], |sent| {
        assert!(sent().is_empty(), "L1 serves no scores");
        l1_says(&[Some(11), None]);
        let votes = sent();
        assert_eq!(votes.iter().map(|vote| vote.signer).collect::<Vec<_>>(), [0, 1, 3]);
        for vote in votes {
            assert_eq!(vote.scores, scores(&[Some(11), None]));
            submit(vote).expect("valid");
        }
        assert_eq!(Cast::<Test>::get().votes.len(), 3);
        run(INTERVAL);
        assert_eq!(Told::get(), [(address(1), 11)]);
        assert!(sent().is_empty(), "what it has is of the last round");
    });
}

#[test]
fn it_sends_again_only_after_a_while_or_for_another_set() {
    on_node(4, &[1], |sent| {
        l1_says(&[Some(11), Some(12)]);
        let first = sent();
        assert_eq!(first.len(), 1);
        System::set_block_number(RESEND_BLOCKS);
        assert!(sent().is_empty(), "still under way");
        System::set_block_number(RESEND_BLOCKS + 1);
        assert_eq!(sent(), first, "it got lost");
        submit(first[0].clone()).expect("valid");
        System::set_block_number(3 * RESEND_BLOCKS);
        assert!(sent().is_empty(), "it is on chain");
        SetId::set(1);
        let anew = sent();
        assert_eq!((anew.len(), anew[0].set_id), (1, 1));
        submit(anew[0].clone()).expect("valid");
    });
}

/// A chain that is started anew on old local storage counts its rounds anew.
#[test]
fn answers_to_another_question_are_not_sent() {
    on_node(4, &[1], |sent| {
        let mut round = Attestation::score_round();
        round.addresses[0] = address(77);
        let local = LocalScores { round, scores: scores(&[Some(1), Some(1)]) };
        StorageValueRef::persistent(LOCAL_SCORES_KEY).set(&local);
        assert!(sent().is_empty());
        l1_says(&[Some(1)]);
        assert!(sent().is_empty(), "one for each");
        StorageValueRef::persistent(LOCAL_SCORES_KEY).set(&b"rubbish".as_slice());
        assert!(sent().is_empty());
    });
}
