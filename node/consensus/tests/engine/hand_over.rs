//! Taking over from a set that stands still (R17.6, ADR 0035).
//!
//! Four sequencers, of whom two stop: the chain stands. The two that are left go on from its
//! last block where that is accepted.

use crate::support::{
    chain::{account, Author, Reports},
    checks::{certificate, own_votes},
    cluster::{Cluster, Import},
    net::{copies, Message},
    soft_token::SoftToken,
    until,
};
use cascoin_bft::{Height, Round, Vote};
use cascoin_consensus::{
    executor::{self, Assignment, ExecutedBlock, InvalidBlock, Outcome},
    hand_over::{AcceptedHandOver, Desk, DeskError, HandOverDesk},
    header::{next_slot, seal_item, slot, HeaderError},
    import::{CertificateVerifier, ImportError},
    light::warp::WarpProvider,
    parent_commit::ParentCommit,
    schedule::Schedule,
    wire::{SigningContext, VotesMessage},
    KeySource, LocalKeys,
};
use cascoin_l2_primitives::{
    apis::HandOverApi,
    chain::{key_types, BlockHash, Header, OpaqueBlock},
    consensus::{precommit_payload, Certificate, GrandpaRound, CERTIFICATE_ENGINE_ID},
    hand_over::{consent_message, Consent, HandOver, HandOverBase, HandOverError},
    l1::L1Hash,
    sequencers::ParticipationData,
};
use codec::Encode;
use finality_grandpa::SignedPrecommit;
use sc_client_api::BlockBackend;
use sc_consensus::{
    BlockImport, BlockImportParams, ForkChoiceStrategy, ImportResult, ImportedState, StateAction,
    StorageChanges, Verifier,
};
use sc_network_sync::strategy::warp::{VerificationResult, WarpSyncProvider};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus::BlockOrigin;
use sp_consensus_grandpa::{AuthorityId, AuthoritySignature};
use sp_core::Pair;
use sp_keystore::{Keystore, KeystorePtr};
use sp_runtime::{traits::Block as _, BoundedVec, Justifications};
use sp_state_machine::KeyValueStates;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const ALL: [usize; 4] = [0, 1, 2, 3];
/// Who is left and goes on.
const LEFT: [usize; 2] = [0, 1];
/// Who stops.
const GONE: [usize; 2] = [2, 3];

/// A network that stands still on the block whose height this returns: two of four are gone.
async fn standing_still(mut cluster: Cluster) -> (Cluster, u32) {
    cluster.start_all();
    cluster.reach(&ALL, 3).await;
    for index in GONE {
        cluster.crash(index).await;
    }
    until("the others stand still on one block", || {
        let top = cluster.top(&LEFT);
        LEFT.iter().all(|index| cluster.height(*index) == top && stalls(&cluster, *index, top) > 6)
    })
    .await;
    let base = cluster.top(&LEFT);
    (cluster, base)
}

fn four() -> Cluster {
    Cluster::changing(4, 4, |_| {}, |_| {})
}

/// How often a node said that it makes no progress above a block.
fn stalls(cluster: &Cluster, index: usize, above: u32) -> usize {
    let wanted = |message: &Message| {
        let Message::Votes(VotesMessage::Status { height, .. }) = message else { return false };
        *height == above + 1
    };
    copies(&cluster.net.sent(index), wanted)
}

/// A hand-over from a node's block at a height, with the least set id and `attempt` more, to
/// the sequencers of some nodes.
fn hand_over(cluster: &Cluster, index: usize, number: u32, attempt: u64, to: &[usize]) -> HandOver {
    let client = cluster.client(index);
    let hash = client.hash(number).expect("a database in memory").expect("a final block");
    let terms = client.runtime_api().hand_over_terms(hash).expect("the runtime answers");
    let base = HandOverBase {
        number,
        hash,
        set_id: terms.set_id + attempt,
        l1_block: L1Hash([1; 32]),
        txid: L1Hash([2; 32]),
    };
    let message = consent_message(&cluster.genesis_hash, &base);
    let consent = |index: &usize| {
        let key = &cluster.keys[*index];
        Consent { account: account(key), signature: key.sign(&message) }
    };
    let mut consents: Vec<_> = to.iter().map(consent).collect();
    consents.sort_by(|one, other| one.account.cmp(&other.account));
    HandOver { base, consents: BoundedVec::truncate_from(consents) }
}

fn desk(cluster: &Cluster, index: usize) -> impl HandOverDesk {
    let keystore: KeystorePtr = cluster.keystore(index);
    Desk::new(cluster.import(index).clone(), keystore)
}

/// Has the operator of a node accept.
async fn accept(
    cluster: &Cluster,
    index: usize,
    hand_over: &HandOver,
) -> Result<AcceptedHandOver, DeskError> {
    let (desk, hand_over) = (desk(cluster, index), hand_over.clone());
    tokio::task::spawn_blocking(move || desk.accept(hand_over)).await.expect("it does not panic")
}

fn in_force(hand_over: &HandOver) -> Result<AcceptedHandOver, DeskError> {
    Ok(AcceptedHandOver { hand_over: hand_over.clone(), in_force: true })
}

/// What a node's header at a height carries.
fn carried(cluster: &Cluster, index: usize, height: u32) -> Option<HandOver> {
    let header = cluster.header(index, height).expect("a final block");
    HandOver::find(&header.digest.logs).expect("well formed")
}

/// R17.6: two of four go on from the last block, under the set id of the hand-over, and
/// whatever stops in between they sign nothing twice: not with a log that is read again, which
/// holds votes of both sets at one height, and not with keys on a token.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_who_is_left_goes_on_from_the_last_block() {
    let mut cluster = four();
    let token = SoftToken::new(&cluster.keys[1]);
    cluster.use_token(1, &token);
    let (mut cluster, base) = standing_still(cluster).await;
    let ours = hand_over(&cluster, 0, base, 0, &LEFT);
    let set_id = ours.base.set_id;
    let spoke = |cluster: &Cluster, index: usize, set_id: u64| {
        let votes = own_votes(cluster, index).into_iter();
        votes.map(|vote| vote.instance()).any(|at| (at.height.0, at.set_id) == (base + 1, set_id))
    };
    let old = cluster.set_at(base).id;
    assert!(set_id > old);

    assert_eq!(accept(&cluster, 0, &ours).await, in_force(&ours));
    until("it votes in the new set", || spoke(&cluster, 0, set_id)).await;
    assert_eq!(cluster.height(0), base, "one of two is no quorum");
    // It was stopped with votes of both sets in its log.
    assert!(spoke(&cluster, 0, old));
    cluster.crash(0).await;
    cluster.start(0);
    until("it is in the new set again", || {
        let status = cluster.status(0);
        (status.height, status.set_id, status.sequencing) == (base + 1, set_id, true)
    })
    .await;

    assert_eq!(accept(&cluster, 1, &ours).await, in_force(&ours));
    cluster.reach(&LEFT, base + 2).await;
    cluster.crash(1).await;
    cluster.use_token(1, &token);
    cluster.start(1);
    cluster.reach(&LEFT, base + 4).await;

    // Its first block carries it, and no other one does; the runtime has noted it.
    assert_eq!(carried(&cluster, 0, base + 1), Some(ours.clone()));
    assert!((base + 2..=base + 4).all(|height| carried(&cluster, 0, height).is_none()));
    assert_eq!(carried(&cluster, 0, base), None);
    let client = cluster.client(0);
    let record = client.runtime_api().last_hand_over(client.info().finalized_hash).unwrap();
    let record = record.expect("it took place");
    assert_eq!((record.id, record.base, record.members), (ours.id(), ours.base, 2));
    // The same set, under the same id, from its first block on, in the chain and beside it.
    let (first, next) = (cluster.set_at(base + 1), cluster.set_at(base + 2));
    assert_eq!((first.id, first.keys.len()), (set_id, 2));
    assert_eq!(next, first);
    for index in LEFT {
        let sets = cluster.stored_sets(index);
        let sets = sets.read();
        assert_eq!((sets.at(base).set_id, sets.at(base + 1).set_id), (old, set_id));
        assert_eq!(sets.at(base + 4).set_id, set_id, "its own announcement is no change");
    }
    // It took place, so nothing else does from there.
    assert_eq!(accept(&cluster, 0, &ours).await, in_force(&ours));
    let higher = hand_over(&cluster, 0, base, 3, &LEFT);
    let above = accept(&cluster, 0, &higher).await;
    assert!(
        matches!(above, Err(DeskError::Above { number, .. }) if number == base + 1),
        "{above:?}"
    );
    warp_proofs_end_at(&cluster, base);
    cluster.finish().await;
}

/// Proofs from headers do not lead across a hand-over, and go on behind it.
fn warp_proofs_end_at(cluster: &Cluster, base: u32) {
    let client = cluster.client(0);
    let provider = WarpProvider::new(client.clone(), cluster.stored_sets(0));
    let hash = |height| client.hash(height).expect("a database").expect("a final block");
    for start in [0, 1, base] {
        let proof = provider.generate(hash(start)).expect("a proof");
        match provider.create_verifier().verify(&proof).expect("a good proof") {
            VerificationResult::Complete(head, _) => assert_eq!(head.number, base),
            VerificationResult::Partial(_) => panic!("the proof ends before the base"),
        }
    }
    let behind = provider.generate(hash(base + 1)).expect("a proof");
    // It is for who trusts the new set, which one who begins with genesis does not.
    assert!(provider.create_verifier().verify(&behind).is_err());
}

/// R17.6: a member of the old set that has not accepted takes none of the new blocks, whoever
/// offers them; once it has, it follows.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_who_has_not_accepted_stays_on_the_last_block() {
    let (mut cluster, base) = standing_still(four()).await;
    let ours = hand_over(&cluster, 0, base, 0, &LEFT);
    for index in LEFT {
        accept(&cluster, index, &ours).await.expect("it is the head");
    }
    cluster.reach(&LEFT, base + 3).await;
    cluster.start(2);
    cluster.reach(&[2], base).await;
    until("it has asked for more again and again", || stalls(&cluster, 2, base) > 30).await;
    assert_eq!(cluster.height(2), base);

    assert_eq!(accept(&cluster, 2, &ours).await, in_force(&ours));
    cluster.reach(&[2], base + 2).await;
    assert!(!cluster.status(2).sequencing);
    assert_eq!(carried(&cluster, 2, base + 1), Some(ours.clone()));

    // One that is still below its base accepts as well, and comes across by itself.
    cluster.lose_database(3);
    cluster.take_key(3);
    cluster.net.silence(ALL.iter().filter(|index| **index != 3).map(|index| (3, *index)));
    cluster.start(3);
    until("it is up", || cluster.status(3).height == 1).await;
    let waits = AcceptedHandOver { hand_over: ours.clone(), in_force: false };
    assert_eq!(accept(&cluster, 3, &ours).await, Ok(waits.clone()));
    assert_eq!(desk(&cluster, 3).accepted(), [waits]);
    // It is to stop further on. What it comes by on its way does not have it forget that.
    assert_eq!(halt_at(&cluster, 3, Some(base + 2)).await, Ok(()));
    cluster.crash(3).await;
    cluster.net.heal();
    feed(&cluster, 3, base + 2).await;
    assert_eq!(desk(&cluster, 3).accepted(), [in_force(&ours).expect("it is")]);
    assert_eq!(desk(&cluster, 3).halts_at(), Some(base + 2));
    let beyond = offer(&cluster, 3, base + 3).await;
    assert!(matches!(beyond, Err(sp_consensus::Error::ClientImport(_))), "{beyond:?}");
    assert_eq!(cluster.height(3), base + 2);
    cluster.finish().await;
}

/// R17.6: below the base nobody can check signatures, and operators compare ids, which leave them
/// out. Good ones take the place of bad ones, before the base and at it.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_what_was_accepted_with_wrong_signatures_can_be_mended() {
    let (mut cluster, base) = standing_still(four()).await;
    let ours = hand_over(&cluster, 0, base, 0, &LEFT);
    let mut bad = ours.clone();
    bad.consents[0].signature = bad.consents[1].signature;
    assert_eq!(bad.id(), ours.id());
    let waits =
        |hand_over: &HandOver| AcceptedHandOver { hand_over: hand_over.clone(), in_force: false };
    // One is told before it comes to the base, the other one there.
    for index in GONE {
        cluster.lose_database(index);
        cluster.reopen(index);
        assert_eq!(accept(&cluster, index, &ours).await, Ok(waits(&ours)));
        assert_eq!(accept(&cluster, index, &bad).await, Ok(waits(&bad)));
    }
    assert_eq!(accept(&cluster, 2, &ours).await, Ok(waits(&ours)));
    for index in GONE {
        // As after a restart.
        cluster.reopen(index);
        feed(&cluster, index, base).await;
    }
    assert_eq!(desk(&cluster, 2).accepted(), [in_force(&ours).expect("it is")]);
    assert_eq!(desk(&cluster, 3).accepted(), [waits(&bad)], "the state does not take it");
    // Nor does the old set go on here meanwhile: the right ones may come.
    let head = cluster.client_block(3, base).expect("the base");
    assert!(!cluster.import(3).claim(base + 1, head, None, BlockHash::repeat_byte(7)));
    assert_eq!(accept(&cluster, 3, &ours).await, in_force(&ours));
    cluster.reopen(3);
    assert_eq!(desk(&cluster, 3).accepted(), [in_force(&ours).expect("it is")]);
    let head = cluster.client_block(3, base).expect("the base");
    assert_eq!(cluster.import(3).hand_overs().on(&head).as_deref(), Some(&ours));
    // Other bytes of one in force change nothing.
    assert_eq!(accept(&cluster, 3, &bad).await, in_force(&ours));
    assert_eq!(cluster.schedule(3).hand_over.as_deref(), Some(&ours));
    cluster.finish().await;
}

/// R17.6: the process ends when the base is imported and its hand-over is not yet in force. It
/// is from the next start on.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_a_crash_before_a_hand_over_comes_into_force_is_made_good() {
    let (mut cluster, base) = standing_still(four()).await;
    let ours = hand_over(&cluster, 0, base, 0, &LEFT);
    cluster.lose_database(3);
    cluster.reopen(3);
    accept(&cluster, 3, &ours).await.expect("it waits");
    feed(&cluster, 3, base - 1).await;
    // Past the door, behind which nothing comes into force.
    let mut params = passed(&cluster, 3, base).await;
    params.finalized = true;
    params.fork_choice = Some(ForkChoiceStrategy::Custom(true));
    let result = cluster.client(3).import_block(params).await;
    assert!(matches!(result, Ok(ImportResult::Imported(_))), "{result:?}");
    assert_eq!(cluster.height(3), base);
    assert_eq!(cluster.import(3).hand_overs().on(&ours.base.hash), None);

    // As long as it is so nothing is decided above the base.
    let block = BlockHash::repeat_byte(7);
    assert!(!cluster.import(3).claim(base + 1, ours.base.hash, None, block));
    cluster.reopen(3);
    assert_eq!(desk(&cluster, 3).accepted(), [in_force(&ours).expect("it is")]);
    assert!(!cluster.import(3).claim(base + 1, ours.base.hash, None, block));
    assert!(cluster.import(3).claim(base + 1, ours.base.hash, Some(&ours), block));
    cluster.finish().await;
}

/// R17.6: a warp sync does not pass the base of a hand-over that was accepted: which set went on
/// from there it would learn from its peers alone.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_a_state_from_above_a_base_is_not_taken() {
    let (mut cluster, base) = standing_still(four()).await;
    let ours = hand_over(&cluster, 0, base, 0, &LEFT);
    for index in LEFT {
        accept(&cluster, index, &ours).await.expect("it is the head");
    }
    cluster.reach(&LEFT, base + 2).await;
    cluster.lose_database(3);
    cluster.reopen(3);
    accept(&cluster, 3, &ours).await.expect("it waits");
    let header = cluster.header(0, base + 2).expect("a final block");
    let (block, of_proof) = (header.hash(), header.clone());
    let mut params = BlockImportParams::new(BlockOrigin::NetworkInitialSync, header);
    let state = ImportedState { block, state: KeyValueStates(Vec::new()) };
    params.state_action = StateAction::ApplyChanges(StorageChanges::Import(state));
    let result = cluster.import(3).import_block(params).await;
    let Err(sp_consensus::Error::ClientImport(why)) = &result else { panic!("{result:?}") };
    assert!(why.contains("a warp sync does not cross it"), "{why}");
    // What its proof is made of comes before, and would name sets of the other chain.
    let proof = BlockImportParams::new(BlockOrigin::WarpSync, of_proof);
    let result = cluster.import(3).import_block(proof).await;
    let Err(sp_consensus::Error::ClientImport(why)) = &result else { panic!("{result:?}") };
    assert!(why.contains("a warp sync does not cross it"), "{why}");
    assert_eq!(cluster.height(3), 0);
    cluster.finish().await;
}

/// Imports blocks of node 0 into a stopped node, as sync does.
async fn feed(cluster: &Cluster, index: usize, up_to: u32) {
    for number in cluster.height(index) + 1..=up_to {
        let result = offer(cluster, index, number).await;
        assert!(matches!(result, Ok(ImportResult::Imported(_))), "{result:?}");
    }
}

/// Has a stopped node import a block of node 0.
async fn offer(
    cluster: &Cluster,
    index: usize,
    number: u32,
) -> Result<ImportResult, sp_consensus::Error> {
    let params = passed(cluster, index, number).await;
    cluster.import(index).import_block(params).await
}

/// A block of node 0 that a node found good.
async fn passed(cluster: &Cluster, index: usize, number: u32) -> BlockImportParams<OpaqueBlock> {
    let certificate = certificate(cluster, 0, number);
    let client = cluster.client(0);
    let hash = client.hash(number).unwrap().expect("it has the block");
    let block = client.block(hash).unwrap().expect("with its body").block;
    judged(cluster.import(index), block, &certificate).await.expect("it is good")
}

/// A block of the network, as the import queue judges it.
async fn judged(
    import: &Import,
    block: OpaqueBlock,
    certificate: &Certificate,
) -> Result<BlockImportParams<OpaqueBlock>, String> {
    let mut params = BlockImportParams::new(BlockOrigin::NetworkBroadcast, block.header);
    params.body = Some(block.extrinsics);
    params.justifications =
        Some(Justifications::from((CERTIFICATE_ENGINE_ID, certificate.encode())));
    params.state_action = StateAction::Execute;
    CertificateVerifier::new(import.sets(), import.hand_overs()).verify(params).await
}

/// R17.6: who has a block above the base, final or decided, keeps to it; and what the state
/// does not take comes into force nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_what_is_final_or_does_not_hold_is_not_handed_over() {
    let (mut cluster, base) = standing_still(four()).await;
    let below = hand_over(&cluster, 0, base - 1, 0, &LEFT);
    let hash = cluster.client_block(0, base).expect("a final block");
    let above = Err(DeskError::Above { number: base, hash });
    assert_eq!(accept(&cluster, 0, &below).await, above);

    let ours = hand_over(&cluster, 0, base, 2, &LEFT);
    let refused = |error| Err(DeskError::Refused(error));
    let mut other_number = ours.clone();
    other_number.base.number = base + 9;
    let wrong_block = refused(HandOverError::WrongBlock);
    assert_eq!(accept(&cluster, 0, &other_number).await, wrong_block);
    let mut other_block = ours.clone();
    other_block.base.hash = BlockHash::repeat_byte(9);
    let unknown = accept(&cluster, 0, &other_block).await;
    assert!(matches!(unknown, Err(DeskError::Unknown(_))), "{unknown:?}");
    let mut old_set = ours.clone();
    old_set.base.set_id = cluster.set_at(base).id;
    let least = old_set.base.set_id + 1;
    assert_eq!(accept(&cluster, 0, &old_set).await, refused(HandOverError::SetId(least)));
    let mut unsigned = ours.clone();
    unsigned.consents[1].signature = unsigned.consents[0].signature;
    let bad = HandOverError::BadSignature(unsigned.consents[1].account.clone());
    assert_eq!(accept(&cluster, 0, &unsigned).await, refused(bad));
    assert_eq!(desk(&cluster, 0).accepted(), []);

    // The engine has decided on a block that is not in the database yet.
    let decided = BlockHash::repeat_byte(7);
    assert!(cluster.import(0).claim(base + 1, ours.base.hash, None, decided));
    let waits = Err(DeskError::Decided { number: base + 1, hash: decided });
    assert_eq!(accept(&cluster, 0, &ours).await, waits);
    let stop = Err(DeskError::Decided { number: base + 1, hash: decided });
    assert_eq!(halt_at(&cluster, 0, Some(base)).await, stop);
    assert_eq!(desk(&cluster, 0).accepted(), []);
    // It never comes, as a restart shows.
    cluster.crash(0).await;
    cluster.start(0);
    assert_eq!(accept(&cluster, 0, &ours).await, in_force(&ours));
    // From now on decisions of the old set count for nothing.
    assert!(!cluster.import(0).claim(base + 1, ours.base.hash, None, decided));
    assert!(cluster.import(0).claim(base + 1, ours.base.hash, Some(&ours), decided));
    cluster.crash(0).await;
    cluster.start(0);

    // One with as high a set id does not take its place, and one with a higher one does.
    let lower = hand_over(&cluster, 0, base, 1, &LEFT);
    let same = hand_over(&cluster, 0, base, 2, &[0]);
    for other in [lower, same] {
        let result = accept(&cluster, 0, &other).await;
        assert_eq!(result, Err(DeskError::OtherAccepted(ours.id())));
    }
    let better = hand_over(&cluster, 0, base, 5, &LEFT);
    assert_eq!(accept(&cluster, 0, &better).await, in_force(&better));
    assert_eq!(accept(&cluster, 0, &ours).await, Err(DeskError::OtherAccepted(better.id())));
    let shown: Vec<_> = desk(&cluster, 0).accepted().iter().map(|one| one.in_force).collect();
    assert_eq!(shown, [false, true]);
    accept(&cluster, 1, &better).await.expect("it is the head");
    cluster.reach(&LEFT, base + 2).await;
    assert_eq!(carried(&cluster, 1, base + 1), Some(better));
    cluster.finish().await;
}

/// R17.6: a leader of the new set puts a forged consent into its block. The hand-over is the
/// accepted one by its id, and would not put the set into force.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_a_block_whose_hand_over_does_not_hold_is_invalid() {
    let (mut cluster, base) = standing_still(four()).await;
    let ours = hand_over(&cluster, 0, base, 0, &LEFT);
    // One of two: nothing is decided.
    assert_eq!(accept(&cluster, 0, &ours).await, in_force(&ours));
    cluster.crash(0).await;
    let schedule = cluster.schedule(0);
    assert_eq!(schedule.hand_over.as_deref(), Some(&ours));
    let good = built(&cluster, 0, base, &schedule).await.block;
    let judge = |block: OpaqueBlock| {
        executor::execute(&cluster.client(0), &cluster.backend(0), &schedule, block, None)
    };
    assert!(matches!(judge(good.clone()), Outcome::Valid(_)), "as it was built it is good");

    let mut forged = ours.clone();
    forged.consents[1].signature = forged.consents[0].signature;
    assert_eq!(forged.id(), ours.id());
    let leader = usize::from(schedule.leaders.leader(Round(0)).0);
    let leader = cluster.owner(&schedule.set.members[leader].grandpa).expect("a node");
    let mut lie = good;
    lie.header.digest.pop();
    let item = lie.header.digest.logs.iter_mut().find(|log| **log == ours.item());
    *item.expect("it carries the hand-over") = forged.item();
    let seal = cluster.keys[leader].sign(lie.header.hash().as_bytes());
    lie.header.digest.push(seal_item(seal));
    let outcome = judge(lie);
    let wrong =
        matches!(outcome, Outcome::Invalid(InvalidBlock::Header(HeaderError::WrongHandOver)));
    assert!(wrong, "{:?}", outcome.verdict());
    cluster.finish().await;
}

/// R17.6: the operator consents with the relay keys that the node holds, from its head only.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_a_node_consents_with_the_relay_keys_that_it_holds() {
    let (cluster, base) = standing_still(four()).await;
    let ours = hand_over(&cluster, 0, base, 0, &[0, 2]);
    assert_eq!(desk(&cluster, 0).consent(&ours.base), Err(DeskError::NoKeys));
    for key in [&cluster.keys[0], &cluster.keys[2]] {
        let secret = format!("0x{}", hex::encode(key.seed()));
        let public = key.public();
        cluster.keystore(0).insert(key_types::RELAY, &secret, &public.0).expect("a key file");
    }
    let consents = desk(&cluster, 0).consent(&ours.base).expect("it holds two keys");
    // By account, as the successors are listed.
    assert_eq!(consents, ours.consents.to_vec());
    let elsewhere = HandOverBase { hash: BlockHash::repeat_byte(3), ..ours.base };
    let head = (base, ours.base.hash);
    assert_eq!(desk(&cluster, 0).consent(&elsewhere), Err(DeskError::NotTheHead { head }));
    let least = ours.base.set_id;
    let old = HandOverBase { set_id: least - 1, ..ours.base };
    let refused = Err(DeskError::Refused(HandOverError::SetId(least)));
    assert_eq!(desk(&cluster, 0).consent(&old), refused);
    cluster.finish().await;
}

/// R17.6: the old set comes back, and nothing of it becomes final where the hand-over was
/// accepted, be it certified by all of it.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_the_old_set_makes_no_block_final_where_the_hand_over_was_accepted() {
    let (mut cluster, base) = standing_still(four()).await;
    let ours = hand_over(&cluster, 0, base, 0, &LEFT);
    for index in LEFT {
        accept(&cluster, index, &ours).await.expect("it is the head");
    }
    cluster.reach(&LEFT, base + 1).await;
    GONE.iter().for_each(|index| cluster.start(*index));
    cluster.reach(&GONE, base).await;
    until("those who came back have tried", || {
        GONE.iter().all(|index| stalls(&cluster, *index, base) > 12)
    })
    .await;
    assert!(GONE.iter().all(|index| cluster.height(*index) == base));
    assert!(LEFT.iter().all(|index| cluster.height(*index) > base));

    // All of the old set certify a block after all, two of them against their promise.
    let set_id = cluster.set_at(base).id;
    for index in GONE {
        cluster.crash(index).await;
    }
    let executed = of_the_old_set(&cluster, 3, base).await;
    let block = executed.block.clone();
    let certificate = certified(&cluster, &block, set_id);
    // It is a good one where nothing was accepted.
    judged(cluster.import(3), block.clone(), &certificate).await.expect("the old set's word");
    let error = judged(cluster.import(0), block.clone(), &certificate).await;
    assert!(error.is_err(), "it passes where another set is in force");

    // Decided or checked before the hand-over is accepted, and imported afterwards.
    let checked = judged(cluster.import(2), block.clone(), &certificate).await;
    let checked = checked.expect("not accepted yet");
    assert_eq!(accept(&cluster, 2, &ours).await, in_force(&ours));
    let import = cluster.import(2).clone();
    let result = import.import_decided(executed, &certificate).await;
    assert!(matches!(result, Err(ImportError::OtherSet)), "{result:?}");
    let result = import.import_block(checked).await;
    assert!(matches!(result, Err(sp_consensus::Error::ClientImport(_))), "{result:?}");
    assert_eq!(cluster.height(2), base);

    // Who has the new set's block sees no conflict in it: it is another set's word.
    assert_ne!(cluster.client_block(0, base + 1), Some(block.hash()));
    let passed = judged(cluster.import(3), block.clone(), &certificate).await;
    let result = cluster.import(0).import_block(passed.expect("the old set's word")).await;
    assert!(matches!(result, Err(sp_consensus::Error::ClientImport(_))), "{result:?}");
    assert!(!cluster.import(0).watch().look(base + 1, block.hash(), &certificate));
    feed(&cluster, 2, base + 1).await;
    assert_eq!(carried(&cluster, 2, base + 1), Some(ours));
    assert!(ALL.iter().all(|index| cluster.evidence(*index).conflicts().is_empty()));
    cluster.finish().await;
}

/// A block that the old set's leader builds on the base, as a node that has not accepted takes
/// it for the next one.
async fn of_the_old_set(cluster: &Cluster, index: usize, base: u32) -> ExecutedBlock {
    built(cluster, index, base, &cluster.schedule(index)).await
}

/// A block on the base, by the leader of a schedule.
async fn built(cluster: &Cluster, index: usize, base: u32, schedule: &Schedule) -> ExecutedBlock {
    let leader = usize::from(schedule.leaders.leader(Round(0)).0);
    let owner = cluster.owner(&schedule.set.members[leader].grandpa).expect("a node");
    let source = KeySource::signing_only(cluster.keystore(owner));
    let keys = LocalKeys::find(&source, &schedule.set, None).expect("the leader's keys");
    let sets = cluster.stored_sets(index);
    let mut commit =
        ParentCommit::new(&schedule.parent, cluster.genesis_hash, sets.read().at(base));
    commit.add_certificate(&certificate(cluster, index, base));
    let sequencers = schedule.set.members.len() as u16;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as u64;
    let time = schedule.time_bounds.nearest(now, u64::from(sequencers));
    let parent = slot(&schedule.parent).expect("a time");
    let assignment = Assignment {
        round: 0,
        slot: next_slot(time, parent, keys.index, sequencers),
        participation: ParticipationData {
            commits: commit.commits(),
            heard: commit.heard(),
            failed_leaders: schedule.failed_leaders(Round(0)),
        },
        recovery_step: None,
        max_duration: Duration::from_secs(30),
        block_size_limit: 1024 * 1024,
    };
    let mut author = Author(cluster.client(index), Reports::default());
    executor::build(&mut author, schedule, &keys, assignment).await.expect("a block builds")
}

/// The word of all four for a block.
fn certified(cluster: &Cluster, block: &OpaqueBlock, set_id: u64) -> Certificate {
    let (target_hash, target_number) = (block.hash(), block.header.number);
    let round = GrandpaRound { epoch: 0, height: target_number, round: 0 };
    let payload = precommit_payload(target_hash, target_number, round, set_id);
    let precommit = sp_consensus_grandpa::Precommit::<Header> { target_hash, target_number };
    let mut precommits: Vec<SignedPrecommit<_, _, AuthoritySignature, AuthorityId>> = cluster
        .keys
        .iter()
        .map(|key| SignedPrecommit {
            precommit: precommit.clone(),
            signature: key.sign(&payload).into(),
            id: key.public().into(),
        })
        .collect();
    precommits.sort_by(|one, other| one.id.cmp(&other.id));
    Certificate {
        round: round.into(),
        commit: sp_consensus_grandpa::Commit::<Header> { target_hash, target_number, precommits },
        votes_ancestries: Vec::new(),
    }
}

/// Five nodes in the order of their accounts, of which all but the second, third and fourth stop:
/// the chain stands on the block whose height this returns.
async fn five_standing_still() -> (Cluster, u32, [usize; 5]) {
    let mut cluster = Cluster::changing(5, 5, |_| {}, |_| {});
    cluster.start_all();
    let mut order = [0, 1, 2, 3, 4];
    order.sort_by_key(|index| account(&cluster.keys[*index]));
    let [first, left @ .., last] = order;
    cluster.reach(&order, 3).await;
    cluster.crash(first).await;
    cluster.crash(last).await;
    until("the others stand still on one block", || {
        let top = cluster.top(&left);
        left.iter().all(|index| cluster.height(*index) == top && stalls(&cluster, *index, top) > 6)
    })
    .await;
    let base = cluster.top(&left);
    (cluster, base, order)
}

/// What a node signed with its own key in sets with this id, of what it sent: each vote once.
fn signed_in(cluster: &Cluster, index: usize, set_id: u64) -> BTreeSet<Vote> {
    let context = SigningContext { genesis: cluster.genesis_hash, set_id };
    let key = cluster.keys[index].public();
    // Much is sent again and again.
    let mut seen = BTreeSet::new();
    let votes = cluster.net.sent(index).into_iter().filter_map(|message| match message {
        Message::Votes(VotesMessage::Vote(signed)) => Some(signed),
        _ => None,
    });
    let votes = votes.filter(|signed| seen.insert(signed.encode()));
    votes.filter(|signed| signed.verify(&context, &key)).map(|signed| signed.vote()).collect()
}

/// Has a node accept a hand-over to `first` and sign in its set, then lose its database and
/// accept another one with the same set id, to all but the first of five by account. It signed up
/// to `height` above the base, and signs nothing twice; later on it signs again.
async fn accepts_another_with_the_same_id(first: fn([usize; 5]) -> Vec<usize>, height: u32) {
    let (mut cluster, base, order) = five_standing_still().await;
    let [_, me, .., last] = order;
    let one = hand_over(&cluster, me, base, 0, &first(order));
    let other = hand_over(&cluster, me, base, 0, &order[1..]);
    let set_id = one.base.set_id;
    assert_eq!((other.base, other.id() == one.id()), (one.base, false));
    assert_eq!(accept(&cluster, me, &one).await, in_force(&one));
    let said = |cluster: &Cluster| signed_in(cluster, me, set_id);
    until("it signs in the set", || {
        said(&cluster).iter().any(|vote| vote.height == Height(base + height))
    })
    .await;
    cluster.crash(me).await;
    let before = said(&cluster);
    let top = before.iter().map(|vote| vote.height).max().expect("it has signed");

    cluster.lose_database(me);
    cluster.start(me);
    cluster.reach(&[me], base).await;
    assert_eq!(accept(&cluster, me, &other).await, in_force(&other));
    for index in [order[2], order[3]] {
        assert_eq!(accept(&cluster, index, &other).await, in_force(&other));
    }
    // Three of four make the blocks without it, while it has to be silent.
    cluster.start(last);
    cluster.reach(&[last], base).await;
    assert_eq!(accept(&cluster, last, &other).await, in_force(&other));
    until("it signs again", || said(&cluster).iter().any(|vote| vote.height > top)).await;
    cluster.reach(&order[1..], top.0 + 1).await;
    assert_eq!(carried(&cluster, me, base + 1), Some(other));
    let at_first = |votes: &BTreeSet<Vote>| {
        let first = votes.iter().filter(|vote| vote.height == Height(base + 1));
        first.copied().collect::<Vec<_>>()
    };
    let after = said(&cluster);
    assert_eq!(at_first(&after), at_first(&before), "it has signed for two sets there");
    let mut rounds = BTreeMap::new();
    for vote in after {
        let known = *rounds.entry((vote.height, vote.round, vote.kind)).or_insert(vote);
        assert_eq!(known, vote, "it has signed twice");
    }
}

/// R17.6: votes of another set with the same id are in the log, under the index that this node
/// had in that one. It signs at that height no more.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_a_key_signs_for_one_of_two_sets_with_one_id() {
    // Second of two by account, and then first of four. The other one of the two is gone.
    accepts_another_with_the_same_id(|[first, me, ..]| vec![first, me], 1).await;
}

/// R17.6: blocks that another set with the same id decided are in the log. They do not keep this
/// node from going on with the set that is in force.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_what_another_set_with_the_same_id_decided_is_left() {
    accepts_another_with_the_same_id(|[_, me, ..]| vec![me], 2).await;
}

/// R17.6: whoever leaves a set that goes on stops at a height that is agreed beforehand, and
/// goes on from there by a hand-over; the others never hear of it.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_who_leaves_a_set_that_goes_on_stops_at_one_block() {
    let mut cluster = four();
    cluster.start_all();
    cluster.reach(&ALL, 2).await;
    let (last, leaver) = (8, 3);
    let stay = [0, 1, 2];
    let too_low = halt_at(&cluster, leaver, Some(1)).await;
    assert!(matches!(too_low, Err(DeskError::Above { number, .. }) if number >= 2), "{too_low:?}");
    assert_eq!(desk(&cluster, leaver).halts_at(), None);

    assert_eq!(halt_at(&cluster, leaver, Some(last)).await, Ok(()));
    cluster.reach(&stay, last + 6).await;
    cluster.reach(&[leaver], last).await;
    until("it takes part no more", || !cluster.status(leaver).sequencing).await;
    // It has not forgotten it after a restart, whatever it is offered.
    cluster.crash(leaver).await;
    cluster.start(leaver);
    cluster.reach(&stay, last + 12).await;
    assert_eq!(cluster.height(leaver), last);
    assert_eq!(desk(&cluster, leaver).halts_at(), Some(last));
    let heights = own_votes(&cluster, leaver).into_iter().map(|vote| vote.instance().height.0);
    assert!(heights.max() <= Some(last + 1));

    let ours = hand_over(&cluster, leaver, last, 0, &[leaver]);
    assert_eq!(accept(&cluster, leaver, &ours).await, in_force(&ours));
    assert_eq!(desk(&cluster, leaver).halts_at(), None, "it is lifted");
    cluster.reach(&[leaver], last + 3).await;
    assert_eq!(carried(&cluster, leaver, last + 1), Some(ours.clone()));
    let refused = accept(&cluster, 0, &ours).await;
    assert!(
        matches!(refused, Err(DeskError::Above { number, .. }) if number == last + 1),
        "{refused:?}"
    );
    assert_eq!(carried(&cluster, 0, last + 1), None);
    let tops = cluster.top(&stay);
    cluster.reach(&stay, tops + 3).await;
}

/// R17.6: who was told to stop and is told to resume follows as if nothing had been.
#[tokio::test(flavor = "multi_thread")]
async fn r17_6_who_is_told_to_resume_follows_again() {
    let mut cluster = four();
    cluster.start_all();
    cluster.reach(&ALL, 2).await;
    let last = 6;
    assert_eq!(halt_at(&cluster, 3, Some(last)).await, Ok(()));
    cluster.reach(&[0, 1, 2], last + 4).await;
    cluster.reach(&[3], last).await;
    assert_eq!(cluster.height(3), last);
    assert_eq!(halt_at(&cluster, 3, None).await, Ok(()));
    let top = cluster.top(&[0, 1, 2]);
    cluster.reach(&ALL, top + 3).await;
    until("it takes part again", || cluster.status(3).sequencing).await;
    cluster.finish().await;
}

/// Has the operator of a node say where it stops.
async fn halt_at(cluster: &Cluster, index: usize, height: Option<u32>) -> Result<(), DeskError> {
    let desk = desk(cluster, index);
    tokio::task::spawn_blocking(move || desk.halt_at(height)).await.expect("it does not panic")
}
