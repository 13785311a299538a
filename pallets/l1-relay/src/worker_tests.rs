//! What the off-chain worker sends, and what it leaves.

use crate::{mock::*, pallet::Call, tally::REVOTE_BLOCKS, types::PAGE_LOOKAHEAD};
use cascoin_l2_primitives::{
    chain::key_types,
    relay::{
        local::{self, LocalBlock, LocalTip},
        ForkVote, RelayVote, MAX_EVENTS_PER_PAGE,
    },
};
use codec::Decode;
use frame_support::traits::Hooks;
use sp_core::{
    offchain::{
        testing::{TestOffchainExt, TestTransactionPoolExt},
        OffchainDbExt, OffchainWorkerExt, TransactionPool, TransactionPoolExt,
    },
    Pair,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use sp_runtime::offchain::storage::StorageValueRef;
use std::sync::{
    atomic::{AtomicBool, Ordering::Relaxed},
    Arc,
};

/// Runs `test` on a node whose keystore has these sequencers' keys; `test` gets
/// a function that takes what the worker submitted since the last time.
fn on_node(sequencers: u8, keys: &[u8], test: impl FnOnce(&dyn Fn() -> Vec<Call<Test>>)) {
    on_node_with_pool(sequencers, keys, |_, sent| test(sent));
}

/// A pool that takes transactions or refuses them all.
struct MoodyPool(TestTransactionPoolExt, Arc<AtomicBool>);

impl TransactionPool for MoodyPool {
    fn submit_transaction(&mut self, extrinsic: Vec<u8>) -> Result<(), ()> {
        match self.1.load(Relaxed) {
            true => self.0.submit_transaction(extrinsic),
            false => Err(()),
        }
    }
}

/// As [`on_node`]; `test` also gets what decides whether the pool takes anything.
fn on_node_with_pool(
    sequencers: u8,
    keys: &[u8],
    test: impl FnOnce(&AtomicBool, &dyn Fn() -> Vec<Call<Test>>),
) {
    let mut ext = new_test_ext(sequencers);
    let (offchain, _) = TestOffchainExt::new();
    let (pool, submitted) = TestTransactionPoolExt::new();
    let keystore = MemoryKeystore::new();
    for seed in keys {
        let suri = format!("0x{}", hex_of(&[*seed; 32]));
        keystore
            .insert(key_types::RELAY, &suri, pair(*seed).public().as_ref())
            .expect("the keystore takes it");
    }
    ext.register_extension(OffchainDbExt::new(offchain.clone()));
    ext.register_extension(OffchainWorkerExt::new(offchain));
    let takes = Arc::new(AtomicBool::new(true));
    ext.register_extension(TransactionPoolExt::new(MoodyPool(pool, takes.clone())));
    ext.register_extension(KeystoreExt::new(keystore));
    ext.execute_with(|| {
        test(&takes, &|| {
            let sent = core::mem::take(&mut submitted.write().transactions);
            sent.into_iter()
                .map(|bytes| {
                    let extrinsic = Extrinsic::decode(&mut &bytes[..]).expect("an extrinsic");
                    match extrinsic.function {
                        RuntimeCall::Relay(call) => call,
                        other => panic!("the worker sends relay calls, not {other:?}"),
                    }
                })
                .collect()
        });
    });
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the L1 follower does: leaves blocks and the tip in local storage.
fn follow(blocks: &[LocalBlock], tip_time: u32) {
    for block in blocks {
        StorageValueRef::persistent(&local::block_key(block.digest.height)).set(block);
    }
    let top = blocks.last().map_or(START, |block| block.digest.height);
    let tip = LocalTip { readable_height: top, height: top + 5, time: tip_time };
    StorageValueRef::persistent(local::TIP_KEY).set(&tip);
}

fn work() {
    Relay::offchain_worker(System::block_number());
}

fn only_vote(calls: Vec<Call<Test>>) -> RelayVote {
    match <[_; 1]>::try_from(calls) {
        Ok([Call::vote { vote }]) => vote,
        other => panic!("one vote, not {other:?}"),
    }
}

#[test]
fn it_votes_for_all_readable_blocks_and_the_vote_is_taken() {
    on_node(4, &[2], |sent| {
        let blocks = l1_chain(0, &[0, 3, 0]);
        follow(&blocks, 77);
        work();
        let vote = only_vote(sent());
        assert_eq!((vote.voter, vote.tip_time), (1, 77));
        assert_eq!(vote.range.0.to_vec(), digests(&blocks));
        cast(vote).expect("valid");
        run(REVOTE_BLOCKS);
        work();
        assert!(sent().is_empty(), "it is on chain");
    });
}

#[test]
fn it_votes_with_every_key_that_is_in_the_set_and_no_other() {
    on_node(4, &[1, 3, 99], |sent| {
        follow(&l1_chain(0, &[0]), 77);
        work();
        let mut voters: Vec<_> = sent()
            .into_iter()
            .map(|call| match call {
                Call::vote { vote } => {
                    let voter = vote.voter;
                    cast(vote).expect("valid");
                    voter
                }
                other => panic!("a vote, not {other:?}"),
            })
            .collect();
        voters.sort_unstable();
        assert_eq!(voters, vec![0, 2]);
    });
}

#[test]
fn it_does_nothing_without_a_follower_or_without_new_blocks() {
    on_node(4, &[1], |sent| {
        work();
        assert!(sent().is_empty());
        follow(&[], 77);
        work();
        assert!(sent().is_empty());
    });
}

#[test]
fn it_sends_again_only_after_a_while_or_with_more_blocks() {
    on_node(4, &[1], |sent| {
        let blocks = l1_chain(0, &[0, 0]);
        follow(&blocks[..1], 77);
        work();
        assert_eq!(sent().len(), 1);
        run(REVOTE_BLOCKS - 1);
        work();
        assert!(sent().is_empty(), "still under way");
        follow(&blocks, 78);
        work();
        assert_eq!(only_vote(sent()).range.0.len(), 2, "more to say");
        run(REVOTE_BLOCKS);
        work();
        assert_eq!(only_vote(sent()).range.0.len(), 2, "it got lost");
    });
}

#[test]
fn o6_asked_to_it_sends_again_at_once_what_is_not_on_chain() {
    on_node(4, &[1], |sent| {
        let blocks = l1_chain(0, &[0]);
        follow(&blocks, 77);
        work();
        let lost = only_vote(sent());
        let ask = || StorageValueRef::persistent(local::RETRY_KEY).set(&true);
        run(1);
        ask();
        work();
        assert_eq!(only_vote(sent()), lost, "it got lost, and somebody asked");
        run(1);
        work();
        assert!(sent().is_empty(), "asked once, sent once");
        cast(lost).expect("valid");
        ask();
        work();
        assert!(sent().is_empty(), "it is on chain");
    });
}

#[test]
fn o6_it_opens_a_vote_again_that_timed_out() {
    on_node(4, &[1], |sent| {
        follow(&l1_chain(0, &[0]), 77);
        work();
        cast(only_vote(sent())).expect("valid");
        run(REVOTE_BLOCKS);
        work();
        assert!(sent().is_empty(), "it is open");
        Now::mutate(|now| *now += TIMEOUT_MS);
        work();
        cast(only_vote(sent())).expect("it says the same later");
        let open = Relay::status().open_votes;
        assert_eq!((open.len(), open[0].since), (1, Now::get()));
        work();
        assert!(sent().is_empty(), "it is open again");
    });
}

#[test]
fn it_stops_at_a_gap_and_where_blocks_do_not_stand_on_each_other() {
    on_node(4, &[1], |sent| {
        let (blocks, other) = (l1_chain(0, &[0; 4]), l1_chain(9, &[0; 4]));
        follow(&[blocks[0].clone(), blocks[1].clone(), other[2].clone(), other[3].clone()], 77);
        work();
        assert_eq!(only_vote(sent()).range.0.to_vec(), digests(&blocks[..2]));
    });
    on_node(4, &[1], |sent| {
        let blocks = l1_chain(0, &[0; 4]);
        follow(&[blocks[0].clone(), blocks[3].clone()], 77);
        work();
        assert_eq!(only_vote(sent()).range.0.to_vec(), digests(&blocks[..1]));
    });
}

#[test]
fn after_an_l1_reorg_it_corrects_its_vote_even_if_the_new_tip_is_older() {
    on_node(4, &[1], |sent| {
        follow(&l1_chain(0, &[0, 0]), 77);
        work();
        cast(only_vote(sent())).expect("valid");
        let after = l1_chain(9, &[0, 0]);
        follow(&after, 50);
        work();
        assert!(sent().is_empty(), "a vote rests a while before it is replaced");
        run(REVOTE_BLOCKS);
        work();
        let vote = only_vote(sent());
        assert_eq!((vote.range.0.to_vec(), vote.tip_time), (digests(&after), 78));
        cast(vote).expect("later than the vote it replaces");
        assert!(Relay::has_voted(0, START + 1, after[0].digest.id()));
    });
}

#[test]
fn an_l1_clock_that_runs_backwards_does_not_keep_it_from_voting_on() {
    on_node(4, &[1], |sent| {
        let blocks = l1_chain(0, &[0, 0]);
        follow(&blocks[..1], 77);
        work();
        cast(only_vote(sent())).expect("valid");
        follow(&blocks, 70);
        work();
        let vote = only_vote(sent());
        assert_eq!(vote.range.0.len(), 2);
        cast(vote).expect("what is new in it is taken");
        assert!(Relay::has_voted(0, START + 2, blocks[1].digest.id()));
    });
}

#[test]
fn it_delivers_the_due_pages_a_few_ahead() {
    on_node(4, &[], |sent| {
        let pages = PAGE_LOOKAHEAD + 2;
        let blocks = l1_chain(0, &[MAX_EVENTS_PER_PAGE * pages, 1]);
        follow(&blocks, 77);
        all_vote(0..3, &digests(&blocks), 10);
        work();
        let calls = sent();
        assert_eq!(calls.len() as u32, PAGE_LOOKAHEAD, "needs no key");
        submit(calls[0].clone()).expect("due");
        run(1);
        work();
        let next = sent();
        assert_eq!(next.last(), Some(&page_call(&blocks[0], PAGE_LOOKAHEAD)), "one done, one more");
        for call in next {
            submit(call).expect("due");
        }
        for done in [START + 1, START + 2] {
            run(1);
            work();
            for call in sent() {
                submit(call).expect("due");
            }
            assert_eq!(heights().1, done);
        }
        work();
        assert!(sent().is_empty());
    });
}

/// A pool that judges a page by the block before drops it, and says that it took it.
#[test]
fn a_page_is_sent_after_every_block_until_it_is_on_chain() {
    on_node(4, &[], |sent| {
        let blocks = l1_chain(0, &[1]);
        follow(&blocks, 77);
        all_vote(0..3, &digests(&blocks), 10);
        for _ in 0..3 {
            work();
            assert_eq!(sent(), vec![page_call(&blocks[0], 0)]);
            run(1);
        }
        submit(page_call(&blocks[0], 0)).expect("due");
        work();
        assert!(sent().is_empty());
    });
}

#[test]
fn a_page_that_the_pool_refused_is_sent_again_after_the_next_block() {
    on_node_with_pool(4, &[], |takes, sent| {
        let blocks = l1_chain(0, &[1]);
        follow(&blocks, 77);
        all_vote(0..3, &digests(&blocks), 10);
        takes.store(false, Relaxed);
        work();
        takes.store(true, Relaxed);
        run(1);
        work();
        assert_eq!(sent(), vec![page_call(&blocks[0], 0)]);
    });
}

#[test]
fn it_delivers_nothing_where_its_l1_node_disagrees_with_the_quorum() {
    on_node(4, &[], |sent| {
        follow(&l1_chain(9, &[3]), 77);
        all_vote(0..3, &digests(&l1_chain(0, &[3])), 10);
        work();
        assert!(sent().is_empty());
        assert_eq!(Relay::next_page().map(|cursor| cursor.height), Some(START + 1));
    });
}

#[test]
fn what_it_remembers_of_another_chain_s_life_does_not_silence_it() {
    on_node(4, &[1], |sent| {
        follow(&l1_chain(0, &[0]), 77);
        run_to(1_000);
        work();
        assert_eq!(sent().len(), 1);
        // The chain was started anew, the local storage was not.
        System::set_block_number(5);
        work();
        assert_eq!(sent().len(), 1);
    });
}

/// A chain of three attested blocks, and one of three others above its second.
fn forked() -> (Vec<LocalBlock>, Vec<LocalBlock>) {
    let old = l1_chain(0, &[0; 3]);
    all_vote(0..3, &digests(&old), 10);
    let mut below = old[1].digest;
    let new = (0..3)
        .map(|_| {
            let block = block_above(&below, 9, vec![]);
            below = block.digest;
            block
        })
        .collect();
    (old, new)
}

fn fork_votes(calls: Vec<Call<Test>>) -> Vec<ForkVote> {
    let fork_vote = |call| match call {
        Call::vote_fork { vote } => Some(vote),
        _ => None,
    };
    calls.into_iter().filter_map(fork_vote).collect()
}

#[test]
fn it_votes_where_its_l1_left_the_attested_branch_and_the_vote_is_taken() {
    on_node(4, &[2], |sent| {
        let (old, new) = forked();
        follow(&[&old[..2], &new[..]].concat(), 50);
        work();
        let votes = fork_votes(sent());
        assert_eq!(votes.len(), 1);
        let vote = votes[0].clone();
        assert_eq!((vote.voter, vote.tip_time), (1, 51));
        assert_eq!(vote.fork, fork_at(&old[1].digest, &new[0].digest));
        run(1);
        work();
        assert!(fork_votes(sent()).is_empty(), "it is on its way");
        cast_fork(vote).expect("valid");
        run(REVOTE_BLOCKS);
        work();
        assert!(fork_votes(sent()).is_empty(), "it is on chain");
    });
}

/// Both go into one block, the range first.
#[test]
fn r19_its_own_vote_for_the_new_branch_leaves_its_fork_vote_valid() {
    on_node(4, &[2], |sent| {
        let (old, new) = forked();
        // It said something of the old branch above what is attested, with a later tip.
        let above = block_above(&old[2].digest, 0, vec![]);
        cast(vote_for(1, &[above.digest], 60)).expect("its first vote for that height");
        run(REVOTE_BLOCKS);
        follow(&[&old[..2], &new[..]].concat(), 50);
        work();
        let calls = sent();
        assert!(
            matches!(calls[..], [Call::vote { .. }, Call::vote_fork { .. }]),
            "both, the range first: {calls:?}"
        );
        for call in calls {
            submit(call).expect("taken in the same block");
        }
        assert!(Relay::has_voted(1, new[1].digest.height, new[1].digest.id()));
        assert_eq!(Relay::status().fork_votes, 1);
        work();
        assert!(sent().is_empty(), "all is on chain");
    });
}

#[test]
fn it_says_nothing_of_a_fork_before_it_has_read_down_to_where_it_begins() {
    on_node(4, &[2], |sent| {
        let (old, new) = forked();
        follow(&new, 50);
        work();
        assert!(fork_votes(sent()).is_empty(), "the common block is not read");
        // Blocks of both branches are no branch.
        follow(&[&old[..], &new[1..]].concat(), 50);
        work();
        assert!(fork_votes(sent()).is_empty());
        follow(&old, 60);
        work();
        assert!(fork_votes(sent()).is_empty(), "L1 is back");
    });
}
