//! Keys whose signer remembers what it signed, as those in an HSM: the log and the signer never
//! bind a node to different things.

use crate::support::{
    checks::last_vote,
    cluster::{newest_segment, Cluster},
    puppets::{Precommit, Prevote, Puppets},
    soft_token::SoftToken,
    until,
};
use cascoin_bft::{BlockId, VoteKind};
use cascoin_consensus::{header::block_id, wal::Record};
use cascoin_l2_primitives::consensus::BFT_DOMAIN;
use codec::Decode;
use std::fs;

/// One engine whose key is on a token, among three sequencers that the test speaks for, in rounds
/// that do not end by themselves.
async fn with_token() -> (Cluster, Puppets, SoftToken) {
    let mut cluster = Cluster::with(4, |parameters| parameters.propose_timeout_ms = 60_000);
    let puppets = Puppets::join(&cluster);
    let token = SoftToken::new(&cluster.keys[puppets.engine]);
    cluster.use_token(puppets.engine, &token);
    cluster.start(puppets.engine);
    until("it sequences", || cluster.status(puppets.engine).sequencing).await;
    (cluster, puppets, token)
}

/// It had signed a prevote and was killed before the log had it. The leader proposes another
/// block now: it repeats what it said, and the height is decided with its help.
#[tokio::test(flavor = "multi_thread")]
async fn a_vote_that_only_the_signer_knows_is_said_again() {
    let (mut cluster, puppets, token) = with_token().await;
    let engine = puppets.engine;
    let block = puppets.block(&cluster, 0, 0).await;
    let other = puppets.block(&cluster, 0, 1).await;
    let id = Some(block_id(&block));
    puppets.propose(0, &block, Some(&block));
    until("it prevotes", || puppets.voted(Prevote, 0, id)).await;
    cluster.crash(engine).await;
    let cut = cut_last_writes(&cluster, engine, 1);
    assert!(matches!(&cut[..], [Record::Vote(signed)] if signed.vote().block == id), "{cut:?}");

    let before = prevotes(&puppets, id);
    cluster.use_token(engine, &token);
    cluster.start(engine);
    puppets.propose(0, &other, Some(&other));
    until("it says it again", || prevotes(&puppets, id) > before).await;
    // Two more prevotes and precommits: without its own there is no quorum.
    let [one, two, _] = puppets.all();
    for kind in [Prevote, Precommit] {
        puppets.cast(one, kind, 0, id);
        puppets.cast(two, kind, 0, id);
    }
    cluster.reach(&[engine], 1).await;
    cluster.finish().await;
}

/// It led and had signed its proposal; nobody heard it, and the log does not have it. It proposes
/// the same block again and votes for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_only_the_signer_knows_is_made_again() {
    let (mut cluster, puppets, token) = with_token().await;
    let engine = puppets.engine;
    let [one, two, three] = puppets.all();
    // So that it stops right behind its proposal.
    token.refuse(Some(is_prevote));
    puppets.cast(one, Precommit, 3, None);
    puppets.cast(two, Precommit, 3, None);
    until("it proposes and cannot prevote", || token.refused() > 0).await;
    cluster.crash(engine).await;
    let cut = cut_last_writes(&cluster, engine, 1);
    let [Record::Proposal(proposal)] = &cut[..] else { panic!("{cut:?}") };
    let id = Some(proposal.proposal().block);

    token.refuse(None);
    token.set_gone(false);
    cluster.use_token(engine, &token);
    cluster.start(engine);
    until("it prevotes its proposal", || puppets.voted(Prevote, 3, id)).await;
    puppets.cast(two, Prevote, 3, id);
    puppets.cast(three, Prevote, 3, id);
    until("it precommits it", || puppets.voted(Precommit, 3, id)).await;
    for puppet in puppets.all() {
        puppets.cast(puppet, Prevote, 4, id);
        puppets.cast(puppet, Precommit, 4, id);
    }
    cluster.reach(&[engine], 1).await;
    cluster.finish().await;
}

/// Its precommit and its lock were in no old copy of the log, and an old copy is what it got: it
/// is silent at that height and votes at the next one.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_log_older_than_the_signers_memory_a_height_is_left_to_others() {
    let (mut cluster, puppets, token) = with_token().await;
    let engine = puppets.engine;
    let block = puppets.block(&cluster, 0, 0).await;
    let id = Some(block_id(&block));
    let [one, two, three] = puppets.all();
    puppets.propose(0, &block, Some(&block));
    puppets.cast(one, Prevote, 0, id);
    puppets.cast(two, Prevote, 0, id);
    until("it precommits", || puppets.voted(Precommit, 0, id)).await;
    cluster.crash(engine).await;
    let segment = newest_segment(&cluster.segments(engine));
    let whole = fs::read(&segment).unwrap();
    // The prevote, the lock with its prevotes, the precommit.
    let cut = cut_last_writes(&cluster, engine, 3);
    assert!(cut.iter().any(|record| matches!(record, Record::Lock { .. })), "{cut:?}");

    let said = puppets.engine_votes().len();
    cluster.use_token(engine, &token);
    cluster.start(engine);
    until("it is up", || cluster.status(engine).height == 1).await;
    puppets.propose(0, &block, Some(&block));
    let stalls = puppets.complaints();
    until("it has looked at that", || puppets.complaints() > stalls + 3).await;
    assert!(!cluster.status(engine).sequencing);
    assert_eq!(puppets.engine_votes().len(), said, "it votes with an old log");
    for puppet in [one, two, three] {
        puppets.cast(puppet, Prevote, 0, id);
        puppets.cast(puppet, Precommit, 0, id);
    }
    cluster.reach(&[engine], 1).await;
    until("it sequences again", || cluster.status(engine).sequencing).await;
    cluster.crash(engine).await;
    // The check wants one log that has all.
    let new = fs::read(&segment).unwrap();
    fs::write(&segment, whole).unwrap();
    fs::write(cluster.segments(engine).join("000002.wal"), new).unwrap();
    cluster.finish().await;
}

/// Killed at whatever step, again and again, the log and the signer stay together.
#[tokio::test(flavor = "multi_thread")]
async fn sequencers_with_tokens_crash_and_come_back() {
    let mut cluster = Cluster::new(4);
    let tokens: Vec<_> = cluster.keys.iter().map(SoftToken::new).collect();
    for (index, token) in tokens.iter().enumerate() {
        cluster.use_token(index, token);
    }
    cluster.start_all();
    let all = [0, 1, 2, 3];
    cluster.reach(&all, 2).await;
    for round in 0..6 {
        let index = round % 4;
        cluster.crash(index).await;
        cluster.use_token(index, &tokens[index]);
        cluster.start(index);
        cluster.reach(&all, cluster.top(&all) + 2).await;
    }
    assert!(all.iter().all(|index| cluster.status(*index).sequencing));
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_token_is_gone_follows_and_votes_again_with_it() {
    let mut cluster = Cluster::new(4);
    let token = SoftToken::new(&cluster.keys[2]);
    cluster.use_token(2, &token);
    cluster.start_all();
    let all = [0, 1, 2, 3];
    cluster.reach(&all, 2).await;
    token.set_gone(true);
    until("it no longer sequences", || !cluster.status(2).sequencing).await;
    let last = last_vote(&cluster, 2);
    cluster.reach(&all, cluster.top(&all) + 3).await;
    assert_eq!(last_vote(&cluster, 2), last);
    token.set_gone(false);
    until("it votes again", || last_vote(&cluster, 2) > last).await;
    cluster.finish().await;
}

/// How often the engine was heard to prevote for a block in round 0.
fn prevotes(puppets: &Puppets, block: Option<BlockId>) -> usize {
    let same = |kind: VoteKind, id| kind == Prevote && id == block;
    puppets.engine_votes().iter().filter(|vote| same(vote.kind, vote.block)).count()
}

/// A prevote's step byte stands behind domain, genesis, epoch, set, height and round.
fn is_prevote(message: &[u8]) -> bool {
    message.starts_with(BFT_DOMAIN) && message.get(9 + 32 + 1 + 8 + 4 + 2) == Some(&1)
}

/// Bytes of a segment before its first frame, and of a frame before its body.
const PREAMBLE: usize = 17;
const FRAME: usize = 12;

/// Cuts the last writes off a stopped node's log, as if it had been killed before them; what they
/// said.
fn cut_last_writes(cluster: &Cluster, index: usize, count: usize) -> Vec<Record> {
    let path = newest_segment(&cluster.segments(index));
    let bytes = fs::read(&path).unwrap();
    let mut starts = Vec::new();
    let mut at = PREAMBLE;
    while let Some(length) = bytes.get(at..at + 4) {
        starts.push(at);
        at += FRAME + u32::from_le_bytes(length.try_into().unwrap()) as usize;
    }
    let cut: Vec<_> = starts.split_off(starts.len() - count);
    let mut records = Vec::new();
    for (start, end) in cut.iter().zip(cut.iter().skip(1).chain([&bytes.len()])) {
        let mut body = &bytes[start + FRAME..*end];
        while !body.is_empty() {
            records.push(Record::decode(&mut body).unwrap());
        }
    }
    fs::write(&path, &bytes[..cut[0]]).unwrap();
    records
}
