//! What is said on L1 reaches the score of an account: relay pages, the web of trust, and
//! the link of an L1 address, through the whole runtime.

use crate::{
    chain::{preset, Chain},
    relay::{vote, TIP_TIME},
};
use cascoin_l2_primitives::{
    l1::{
        cvm::TrustKind,
        signed_message::{digest, key_hash},
        L1Hash,
    },
    relay::{pages_root, paginate, L1BlockDigest, L1Event, PageProof, TrustStatement},
};
use cascoin_l2_runtime::{L1Relay, Reputation, RuntimeCall, UncheckedExtrinsic};
use sp_core::{ecdsa, Pair, H160};
use sp_keyring::Sr25519Keyring::Eve;

const SEED: H160 = H160([0xee; 20]);
const FRIEND: H160 = H160([0xdd; 20]);

/// The L1 block at `height` above the relay's start, in which `statements` are made, as
/// the transactions that bring it here.
fn l1_block(
    chain: &mut Chain,
    height: u32,
    statements: &[TrustStatement],
) -> Vec<UncheckedExtrinsic> {
    let start = preset("regtest").chain_parameters.parameters.l1_start;
    let hash = |height: u32| match height {
        0 => start.hash,
        _ => L1Hash([height as u8; 32]),
    };
    let pages = paginate(statements.iter().copied().map(L1Event::Trust).collect());
    let digest = L1BlockDigest {
        height: start.height + height,
        hash: hash(height),
        previous: hash(height - 1),
        time: TIP_TIME,
        median_time: TIP_TIME - 900,
        event_count: statements.len() as u32,
        pages_root: pages_root(&pages),
    };
    let proof = PageProof::of(&pages, 0).expect("the page is there");
    let page = L1Relay::page_extrinsic(digest.height, pages[0].clone(), proof);
    let voters = ["//Alice", "//Bob", "//Charlie"].into_iter().zip(0..);
    let votes = voters.map(|(seed, voter)| vote(chain, voter, seed, digest));
    votes.chain([page]).collect()
}

/// Eve's wallet on L1: its address, and the call that links it to her account.
pub fn eves_wallet(chain: &mut Chain) -> (H160, RuntimeCall) {
    let wallet = ecdsa::Pair::from_seed(&[5; 32]);
    let message = chain.read(|| Reputation::message(&Eve.to_account_id()));
    let ours = wallet.sign_prehashed(&digest(&message)).0;
    let mut signature = [0; 65];
    signature[0] = 31 + ours[64];
    signature[1..].copy_from_slice(&ours[..64]);
    let call = pallet_reputation::Call::link_l1_address { signature };
    (H160(key_hash(&wallet.public().0)), RuntimeCall::Reputation(call))
}

fn score(chain: &mut Chain) -> (u8, u8) {
    let breakdown = chain.read(|| Reputation::report(&Eve.to_account_id())).breakdown;
    (breakdown.trust.get(), breakdown.aggregated.get())
}

#[test]
fn r6_4_what_is_said_on_l1_moves_the_score_of_a_linked_account() {
    let mut genesis = preset("regtest");
    genesis.reputation.trust_seeds = vec![SEED];
    let coin = 10u64.pow(genesis.chain_parameters.parameters.decimals.into());
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    let (address, link) = eves_wallet(&mut chain);
    let link = chain.sign(Eve, 0, 0, link);
    let (_, applied) = chain.grow(vec![link]);
    assert_eq!(applied, [Ok(Ok(()))]);
    assert_eq!(score(&mut chain), (0, 0));

    let edge = |speaker, subject, weight| TrustStatement {
        kind: TrustKind::Edge,
        speaker,
        subject,
        weight,
        bond: 2 * coin,
    };
    let small = TrustStatement { bond: coin, ..edge(SEED, address, 100) };
    let said = [edge(SEED, FRIEND, 100), edge(FRIEND, address, 90), small];
    let block = l1_block(&mut chain, 1, &said);
    let (_, applied) = chain.grow(block);
    assert!(applied.iter().all(|result| *result == Ok(Ok(()))), "{applied:?}");
    // It takes some blocks to spread.
    for _ in 0..3 {
        chain.grow(vec![]);
    }
    assert_eq!(score(&mut chain), (90, 27));

    // A seed objects with as much trust as a friend has.
    let against = TrustStatement { kind: TrustKind::Vote, ..edge(SEED, address, -90) };
    let block = l1_block(&mut chain, 2, &[against]);
    chain.grow(block);
    chain.grow(vec![]);
    assert_eq!(score(&mut chain), (45, 13));
    assert_eq!(chain.read(L1Relay::status).applied_height, 2);
}
