//! L1 events reach the balances: votes and pages as transactions of their own
//! kind, through the whole runtime.

use crate::chain::{preset, transfer, Chain};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, WaitCause},
    l1::{
        burn::{BurnPayload, BurnRejection, Recipient},
        L1Hash, OutPoint,
    },
    recovery::{Doubt, RecoveryPoint as Point, RecoveryStatus},
    relay::{
        pages_root, paginate, EventPage, ForkPoint, ForkVote, L1BlockContext, L1BlockDigest,
        L1Event, PageProof, RelayRange, RelayVote, RECOVERY_WINDOW,
    },
};
use cascoin_l2_runtime::{
    AccountId, Balances, BurnMint, Executive, L1Relay, RecoveryPoint, Runtime, RuntimeCall, System,
    UncheckedExtrinsic,
};
use frame_support::traits::fungible::Inspect;
use pallet_chain_parameters::{Call as Parameters, ParameterChange};
use pallet_l1_relay::tally::REVOTE_BLOCKS;
use sp_core::{ed25519, Pair, H256};
use sp_keyring::Sr25519Keyring::{self, Alice, Eve, Ferdie, One};
use sp_runtime::transaction_validity::{
    InvalidTransaction, TransactionSource, TransactionValidityError,
};

pub const TIP_TIME: u32 = 1_779_999_000;
const BURNED: u64 = 123_456_789;

/// The outputs of one L1 transaction.
fn outpoint(vout: u32) -> OutPoint {
    OutPoint { txid: L1Hash([7; 32]), vout }
}

/// The L1 block so many above the relay's start, with these events.
pub fn block_of(height: u32, events: Vec<L1Event>) -> (L1BlockDigest, Vec<EventPage>) {
    let start = preset("regtest").chain_parameters.parameters.l1_start;
    let hash = |height: u32| match height {
        0 => start.hash,
        _ => L1Hash([height as u8; 32]),
    };
    let event_count = events.len() as u32;
    let pages = paginate(events);
    let digest = L1BlockDigest {
        height: start.height + height,
        hash: hash(height),
        previous: hash(height - 1),
        time: TIP_TIME,
        median_time: TIP_TIME - 900,
        event_count,
        pages_root: pages_root(&pages),
    };
    (digest, pages)
}

/// The L1 block above the relay's start, with one burn for an account that has
/// nothing yet.
fn l1_block() -> (L1BlockDigest, Vec<EventPage>) {
    l1_block_with(&[BURNED])
}

/// As [`l1_block`], with a burn for each of these values: outputs 1, 2, …
fn l1_block_with(values: &[u64]) -> (L1BlockDigest, Vec<EventPage>) {
    let parameters = preset("regtest").chain_parameters.parameters;
    let burn = |(vout, value): (u32, &u64)| {
        let payload = BurnPayload {
            chain_id: parameters.chain_id,
            recipient: Recipient::Account(One.to_account_id()),
            amount: *value,
        };
        let payload = payload.encode().to_vec().try_into().expect("it is kept whole");
        L1Event::Burn { outpoint: outpoint(vout), value: *value, payload }
    };
    block_of(1, (1..).zip(values).map(burn).collect())
}

/// The vote of the sequencer at `voter`, signed with `seed`.
pub fn vote(
    chain: &mut Chain,
    voter: u16,
    seed: &str,
    digest: L1BlockDigest,
) -> UncheckedExtrinsic {
    vote_at(chain, voter, seed, digest, TIP_TIME)
}

/// As [`vote`], by an L1 tip of this time.
fn vote_at(
    chain: &mut Chain,
    voter: u16,
    seed: &str,
    digest: L1BlockDigest,
    tip_time: u32,
) -> UncheckedExtrinsic {
    vote_for_all(chain, voter, seed, vec![digest], tip_time)
}

/// As [`vote_at`], for several blocks.
fn vote_for_all(
    chain: &mut Chain,
    voter: u16,
    seed: &str,
    digests: Vec<L1BlockDigest>,
    tip_time: u32,
) -> UncheckedExtrinsic {
    let genesis: H256 = chain.read(|| System::block_hash(0));
    let range = RelayRange(digests.try_into().expect("not too many blocks"));
    let message = RelayVote::message(&genesis, 0, &range, tip_time);
    let signature = ed25519::Pair::from_string(seed, None).expect("a seed").sign(&message);
    let vote = RelayVote { set_id: 0, voter, range, tip_time, signature };
    L1Relay::vote_extrinsic(vote)
}

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> u128 {
    let account: AccountId = who.to_account_id();
    chain.read(|| Balances::balance(&account))
}

#[test]
fn a_burn_is_minted_once_a_quorum_attested_its_block() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let (digest, pages) = l1_block();
    let votes: Vec<_> = ["//Alice", "//Bob", "//Charlie"]
        .into_iter()
        .zip(0..)
        .map(|(seed, voter)| vote(&mut chain, voter, seed, digest))
        .collect();
    let proof = PageProof::of(&pages, 0).expect("the page is there");
    let page = L1Relay::page_extrinsic(digest.height, pages[0].clone(), proof);

    // Two of four are no quorum, and no page is due.
    let (_, applied) = chain.grow([&votes[..2], std::slice::from_ref(&page)].concat());
    assert_eq!(applied[..2], [Ok(Ok(())), Ok(Ok(()))]);
    assert!(applied[2].is_err());
    assert_eq!(chain.read(L1Relay::status).attested.height, 0);

    let (_, applied) = chain.grow(vec![votes[2].clone(), page.clone()]);
    assert_eq!(applied, [Ok(Ok(())), Ok(Ok(()))]);
    let status = chain.read(L1Relay::status);
    assert_eq!((status.attested.height, status.applied_height), (1, 1));
    assert_eq!(balance(&mut chain, One), u128::from(BURNED));

    // The same page and the same vote change nothing more.
    let (_, applied) = chain.grow(vec![votes[0].clone(), page]);
    assert!(applied.iter().all(|result| result.is_err()), "{applied:?}");
    assert_eq!(balance(&mut chain, One), u128::from(BURNED));
    let supply = chain.read(BurnMint::supply);
    assert!(supply.valid);
    assert_eq!(supply.minted, u128::from(BURNED));
    assert_eq!(supply.issuance, supply.genesis + u128::from(BURNED));
}

#[test]
fn r36_5_what_waits_for_a_limit_is_minted_when_governance_raises_it() {
    let mut genesis = preset("regtest");
    let parameters = &mut genesis.chain_parameters.parameters;
    (parameters.max_deposit, parameters.max_daily_deposit) = (100, 150);
    parameters.max_daily_mint = 1_000;
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    let (digest, pages) = l1_block_with(&[100, 250]);
    let mut transactions: Vec<_> = ["//Alice", "//Bob", "//Charlie"]
        .into_iter()
        .zip(0..)
        .map(|(seed, voter)| vote(&mut chain, voter, seed, digest))
        .collect();
    let proof = PageProof::of(&pages, 0).expect("the page is there");
    transactions.push(L1Relay::page_extrinsic(digest.height, pages[0].clone(), proof));
    let (_, applied) = chain.grow(transactions);
    assert_eq!(applied, [Ok(Ok(())); 4]);
    for _ in 0..2 {
        assert_eq!(balance(&mut chain, One), 150);
        let wait = chain.read(|| BurnMint::burn_wait(&outpoint(2))).expect("it waits");
        assert_eq!((wait.cause, wait.place), (WaitCause::AddressLimit, 0));
        chain.grow(vec![]);
    }

    let set = |change| Parameters::<Runtime>::set_parameter { change }.into();
    let calls =
        vec![set(ParameterChange::MaxDailyDeposit(1_000)), set(ParameterChange::MaxDeposit(1_000))];
    let batch = RuntimeCall::Utility(pallet_utility::Call::batch_all { calls });
    let call = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(batch) });
    let signed = chain.sign(Alice, 0, 0, call);
    let (_, applied) = chain.grow(vec![signed]);
    assert_eq!(applied, [Ok(Ok(()))]);
    assert_eq!(balance(&mut chain, One), 350, "in the block that raised them");
    assert_eq!(chain.read(|| BurnMint::burn_wait(&outpoint(2))), None);
    let supply = chain.read(BurnMint::supply);
    assert!(supply.valid);
    assert_eq!((supply.minted, supply.burn_count), (350, 2));
}

/// The votes of a quorum for one block, by L1 tips of this time.
pub fn quorum(chain: &mut Chain, digest: L1BlockDigest, tip_time: u32) -> Vec<UncheckedExtrinsic> {
    ["//Alice", "//Bob", "//Charlie"]
        .into_iter()
        .zip(0..)
        .map(|(seed, voter)| vote_at(chain, voter, seed, digest, tip_time))
        .collect()
}

#[test]
fn o6_what_l1_may_have_dropped_is_not_minted_until_l1_returns_to_it() {
    let mut genesis = preset("regtest");
    let parameters = &mut genesis.chain_parameters.parameters;
    (parameters.max_deposit, parameters.max_daily_deposit) = (100, 150);
    parameters.max_daily_mint = 1_000;
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    let (digest, pages) = l1_block_with(&[100, 250]);
    let mut transactions = quorum(&mut chain, digest, TIP_TIME);
    let proof = PageProof::of(&pages, 0).expect("the page is there");
    transactions.push(L1Relay::page_extrinsic(digest.height, pages[0].clone(), proof));
    let (_, applied) = chain.grow(transactions);
    assert_eq!(applied, [Ok(Ok(())); 4]);
    assert_eq!(balance(&mut chain, One), 150);

    // The quorum sees a block on top of another one.
    let (ours, _) = block_of(2, vec![]);
    let theirs = L1BlockDigest { previous: L1Hash([99; 32]), hash: L1Hash([98; 32]), ..ours };
    let votes = quorum(&mut chain, theirs, TIP_TIME);
    let (_, applied) = chain.grow(votes);
    assert_eq!(applied, [Ok(Ok(())); 3]);
    let status = chain.read(L1Relay::status);
    assert!(status.parent_mismatch.is_some());
    assert_eq!(status.attested.height, 1);

    // The limits no longer keep what waits.
    let set = |change| Parameters::<Runtime>::set_parameter { change }.into();
    let calls =
        vec![set(ParameterChange::MaxDailyDeposit(1_000)), set(ParameterChange::MaxDeposit(1_000))];
    let batch = RuntimeCall::Utility(pallet_utility::Call::batch_all { calls });
    let call = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(batch) });
    let signed = chain.sign(Alice, 0, 0, call);
    let (_, applied) = chain.grow(vec![signed]);
    assert_eq!(applied, [Ok(Ok(()))]);
    for _ in 0..REVOTE_BLOCKS {
        chain.grow(vec![]);
    }
    assert_eq!(balance(&mut chain, One), 150);
    let wait = chain.read(|| BurnMint::burn_wait(&outpoint(2))).expect("it waits");
    assert_eq!((wait.cause, wait.next_at), (WaitCause::L1Disputed, None));

    // L1 returns, and so do the votes.
    let votes = quorum(&mut chain, ours, TIP_TIME + 10);
    let (_, applied) = chain.grow(votes);
    assert_eq!(applied, [Ok(Ok(())); 3]);
    let status = chain.read(L1Relay::status);
    assert_eq!((status.parent_mismatch, status.attested.height), (None, 2));
    assert_eq!(balance(&mut chain, One), 350);
    assert!(chain.read(BurnMint::supply).valid);
}

/// The quorum's votes that L1 left the attested branch.
pub fn fork_quorum(chain: &mut Chain, fork: ForkPoint, tip_time: u32) -> Vec<UncheckedExtrinsic> {
    let genesis: H256 = chain.read(|| System::block_hash(0));
    let message = ForkVote::message(&genesis, 0, &fork, tip_time);
    let seeds = ["//Alice", "//Bob", "//Charlie"];
    let vote = |(seed, voter): (&str, u16)| {
        let signature = ed25519::Pair::from_string(seed, None).expect("a seed").sign(&message);
        L1Relay::fork_extrinsic(ForkVote { set_id: 0, voter, fork, tip_time, signature })
    };
    seeds.into_iter().zip(0..).map(vote).collect()
}

/// A quorum votes for all of these blocks.
pub fn attest_all(chain: &mut Chain, blocks: &[L1BlockDigest], tip_time: u32) {
    let votes: Vec<_> = ["//Alice", "//Bob", "//Charlie"]
        .into_iter()
        .zip(0..)
        .map(|(seed, voter)| vote_for_all(chain, voter, seed, blocks.to_vec(), tip_time))
        .collect();
    let (_, applied) = chain.grow(votes);
    assert_eq!(applied, [Ok(Ok(())); 3]);
}

/// Empty blocks of another branch, above the relay's start.
pub fn other_branch(count: u32) -> Vec<L1BlockDigest> {
    let start = preset("regtest").chain_parameters.parameters.l1_start;
    let mut previous = start.hash;
    (1..=count)
        .map(|above| {
            let hash = L1Hash([100 + above as u8; 32]);
            let (block, _) = block_of(1, vec![]);
            let digest = L1BlockDigest { height: start.height + above, hash, previous, ..block };
            previous = hash;
            digest
        })
        .collect()
}

#[test]
fn p20_a_burn_that_l1_drops_for_good_is_taken_back_and_the_supply_is_right() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let (digest, pages) = l1_block();
    let mut transactions = quorum(&mut chain, digest, TIP_TIME);
    let proof = PageProof::of(&pages, 0).expect("the page is there");
    transactions.push(L1Relay::page_extrinsic(digest.height, pages[0].clone(), proof));
    let (_, applied) = chain.grow(transactions);
    assert_eq!(applied, [Ok(Ok(())); 4]);
    assert_eq!(balance(&mut chain, One), u128::from(BURNED));

    // L1 has other blocks from the relay's start on.
    let start = preset("regtest").chain_parameters.parameters.l1_start;
    let common = L1BlockContext { height: start.height, hash: start.hash, ..Default::default() };
    let theirs = other_branch(1 + RECOVERY_WINDOW);
    let fork = ForkPoint { common, branch: theirs[0].hash, replaced: digest.hash };
    let votes = fork_quorum(&mut chain, fork, TIP_TIME + 1);
    let (_, applied) = chain.grow(votes);
    assert_eq!(applied, [Ok(Ok(())); 3]);
    let status = chain.read(L1Relay::status);
    assert_eq!((status.attested.height, status.applied_height), (start.height, start.height));
    assert_eq!(status.recovers_until, Some(digest.height + RECOVERY_WINDOW));
    assert_eq!(balance(&mut chain, One), u128::from(BURNED), "it may come again");

    attest_all(&mut chain, &theirs, TIP_TIME + 2);
    chain.grow(vec![]);
    let status = chain.read(L1Relay::status);
    assert_eq!(status.applied_height, digest.height + RECOVERY_WINDOW);
    assert_eq!(status.recovers_until, None);
    assert_eq!(balance(&mut chain, One), 0);
    let record = chain.read(|| BurnMint::burn(&outpoint(1))).expect("on record");
    assert_eq!((record.outcome, record.minted), (BurnOutcome::Reverted, 0));
    let supply = chain.read(BurnMint::supply);
    assert!(supply.valid);
    assert_eq!((supply.minted, supply.clawed_back, supply.deficit), (0, u128::from(BURNED), 0));
    chain.grow(vec![]);
    assert_eq!(chain.read(RecoveryPoint::status), RecoveryStatus::default());
}

#[test]
fn r19_4_what_was_paid_with_coins_that_l1_dropped_is_in_doubt() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let last = chain.head.clone();
    let (digest, pages) = l1_block();
    let mut transactions = quorum(&mut chain, digest, TIP_TIME);
    let proof = PageProof::of(&pages, 0).expect("the page is there");
    transactions.push(L1Relay::page_extrinsic(digest.height, pages[0].clone(), proof));
    chain.grow(transactions);
    let paid = u128::from(BURNED) - 10_000_000;
    let payment = chain.sign(One, 0, 0, transfer(Ferdie, paid));
    let (_, applied) = chain.grow(vec![payment]);
    assert_eq!(applied, [Ok(Ok(()))]);
    assert_eq!(chain.read(RecoveryPoint::status), RecoveryStatus::default());

    // L1 has other blocks from the relay's start on.
    let start = preset("regtest").chain_parameters.parameters.l1_start;
    let common = L1BlockContext { height: start.height, hash: start.hash, ..Default::default() };
    let theirs = other_branch(1 + RECOVERY_WINDOW);
    let fork = ForkPoint { common, branch: theirs[0].hash, replaced: digest.hash };
    let votes = fork_quorum(&mut chain, fork, TIP_TIME + 1);
    let (_, applied) = chain.grow(votes);
    assert_eq!(applied, [Ok(Ok(())); 3]);
    let point = Point { l1_height: digest.height, number: last.number, hash: last.hash() };
    let doubt = Doubt { since: Some(point), stands: false };
    chain.grow(vec![]);
    let status = chain.read(RecoveryPoint::status);
    assert_eq!(status, RecoveryStatus { doubt: Some(doubt), deficit: 0 });

    attest_all(&mut chain, &theirs, TIP_TIME + 2);
    chain.grow(vec![]);
    chain.grow(vec![]);
    let supply = chain.read(BurnMint::supply);
    assert!(supply.valid);
    assert!(supply.deficit >= paid, "what is paid cannot be taken back");
    let doubt = Doubt { stands: true, ..doubt };
    let status = chain.read(RecoveryPoint::status);
    assert_eq!(status, RecoveryStatus { doubt: Some(doubt), deficit: supply.deficit });
}

#[test]
fn o6_root_stops_minting_and_rejects_what_waits() {
    let mut genesis = preset("regtest");
    let parameters = &mut genesis.chain_parameters.parameters;
    (parameters.max_deposit, parameters.max_daily_deposit) = (100, 150);
    parameters.max_daily_mint = 1_000;
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    let (digest, pages) = l1_block_with(&[100, 250, 30]);
    let mut transactions = quorum(&mut chain, digest, TIP_TIME);
    let proof = PageProof::of(&pages, 0).expect("the page is there");
    transactions.push(L1Relay::page_extrinsic(digest.height, pages[0].clone(), proof));
    let (_, applied) = chain.grow(transactions);
    assert_eq!(applied, [Ok(Ok(())); 4]);
    assert_eq!(balance(&mut chain, One), 150);

    // In one block: stopped, one of two that wait rejected, limits out of the way.
    let set = |change| Parameters::<Runtime>::set_parameter { change }.into();
    let calls = vec![
        pallet_burn_mint::Call::<Runtime>::stop {}.into(),
        pallet_burn_mint::Call::<Runtime>::reject_waiting { outpoint: outpoint(2) }.into(),
        set(ParameterChange::MaxDailyDeposit(1_000)),
    ];
    let as_root = |calls| {
        let batch = RuntimeCall::Utility(pallet_utility::Call::batch_all { calls });
        RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(batch) })
    };
    let signed = chain.sign(Alice, 0, 0, as_root(calls));
    let (_, applied) = chain.grow(vec![signed]);
    assert_eq!(applied, [Ok(Ok(()))]);
    assert_eq!(balance(&mut chain, One), 150);
    let rejected = chain.read(|| BurnMint::burn(&outpoint(2))).expect("its record stays");
    assert_eq!(rejected.outcome, BurnOutcome::Rejected(BurnRejection::ByGovernance));
    assert_eq!((rejected.value, rejected.minted), (250, 50));
    let wait = chain.read(|| BurnMint::burn_wait(&outpoint(3))).expect("it waits");
    assert_eq!((wait.cause, wait.place), (WaitCause::Stopped, 0));

    let lift = vec![pallet_burn_mint::Call::<Runtime>::lift_stop {}.into()];
    let signed = chain.sign(Alice, 1, 0, as_root(lift));
    let (_, applied) = chain.grow(vec![signed]);
    assert_eq!(applied, [Ok(Ok(()))]);
    assert_eq!(balance(&mut chain, One), 180);
    let supply = chain.read(BurnMint::supply);
    assert!(supply.valid);
    assert_eq!((supply.minted, supply.burn_count, supply.rejected_count), (180, 2, 1));
}

#[test]
fn the_pool_takes_a_vote_from_anyone_but_only_with_the_voters_signature() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let (digest, _) = l1_block();
    let honest = vote(&mut chain, 1, "//Bob", digest);
    let forged = vote(&mut chain, 1, "//Eve", digest);
    let head = chain.head.hash();
    let validate = |chain: &mut Chain, transaction| {
        chain.read(|| {
            Executive::validate_transaction(TransactionSource::External, transaction, head)
        })
    };
    let accepted = validate(&mut chain, honest).expect("a vote is free and welcome");
    assert!(accepted.propagate);
    assert_eq!(accepted.longevity, 120);
    assert_eq!(
        validate(&mut chain, forged),
        Err(TransactionValidityError::Invalid(InvalidTransaction::BadProof))
    );
}

#[test]
fn a_relay_call_with_a_signer_is_refused() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let (digest, _) = l1_block();
    let vote = vote(&mut chain, 1, "//Bob", digest).function;
    let before = balance(&mut chain, Eve);
    let signed = chain.sign(Eve, 0, 0, vote);
    let (_, applied) = chain.grow(vec![signed]);
    // It has no right to vote, and what relays vote with has no limit of users.
    assert_eq!(applied, [Err(InvalidTransaction::BadSigner.into())]);
    assert_eq!(balance(&mut chain, Eve), before);
}
