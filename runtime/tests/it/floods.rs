//! An attacker fills an L1 block with our messages: kind by kind, through the whole runtime.
//!
//! No L2 block is heavier than it may be, each delivers at least one page, and all that L1
//! says is applied. Kinds of which a follower lets only a few through come here in the
//! hundreds: the runtime does not rely on it.

use crate::{
    chain::{preset, transfer, Applied, Chain},
    relay::{block_of, vote},
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        burn::{BurnPayload, Recipient},
        cross_layer::CrossLayerPayload,
        cvm::TrustKind,
        registration::chain_name,
        L1Hash, OutPoint,
    },
    messages::MessageState,
    relay::{L1Event, PageTree, TrustStatement, MAX_EVENTS_PER_PAGE},
};
use cascoin_l2_runtime::{
    configs::RuntimeBlockWeights, BurnMint, L1Relay, Messages, RuntimeCall, Session, System,
    UncheckedExtrinsic,
};
use codec::Encode;
use sp_core::{ecdsa, Pair, H160};
use sp_keyring::Sr25519Keyring::One;

/// Chain id of the `regtest` preset.
const CHAIN: u32 = 3;
/// More pages than a block takes.
const OFFERED: usize = 24;
/// Blocks in which what the events caused goes on by itself.
const AFTERWARDS: u32 = 40;

fn outpoint(number: u32) -> OutPoint {
    OutPoint { txid: L1Hash::of(&number.to_le_bytes()), vout: 1 }
}

fn account(number: u32) -> AccountId {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

fn key_hash(number: u32) -> H160 {
    let mut bytes = [9; 20];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    H160(bytes)
}

/// The next block, which is no heavier than it may be; what became of its transactions. The
/// SDK counts the end of a session as a full block, so such a one has no room for any.
fn grown(chain: &mut Chain, transactions: Vec<UncheckedExtrinsic>) -> Vec<Applied> {
    let session = chain.read(Session::current_index);
    let (_, applied) = chain.grow(transactions);
    if chain.read(Session::current_index) != session {
        assert!(applied.iter().all(Result::is_err), "{applied:?}");
        return applied;
    }
    let weight = chain.read(|| System::block_weight().total());
    let limit = RuntimeBlockWeights::get().max_block;
    assert!(weight.all_lte(limit), "{weight:?} of {limit:?}");
    applied
}

/// Has an L1 block with these events attested and applied. Every L2 block is offered more
/// pages than it has room for; returns how many took them.
fn flood(chain: &mut Chain, events: Vec<L1Event>) -> usize {
    let (digest, pages) = block_of(1, events);
    let votes = ["//Alice", "//Bob", "//Charlie"]
        .into_iter()
        .zip(0..)
        .map(|(seed, voter)| vote(chain, voter, seed, digest))
        .collect();
    let applied = grown(chain, votes);
    assert!(applied.iter().all(|result| *result == Ok(Ok(()))), "{applied:?}");

    let tree = PageTree::of(&pages);
    let transactions: Vec<_> = pages
        .iter()
        .map(|page| {
            let proof = tree.proof(page.index).expect("the tree is not too deep");
            L1Relay::page_extrinsic(digest.height, page.clone(), proof)
        })
        .collect();
    let (mut next, mut blocks, mut full) = (0, 0, 0);
    while next < transactions.len() {
        let offered = transactions[next..].iter().take(OFFERED).cloned().collect();
        let applied = grown(chain, offered);
        let taken = applied.iter().take_while(|result| **result == Ok(Ok(()))).count();
        full = if taken > 0 { 0 } else { full + 1 };
        assert!(full < 2, "the relay stands still at page {next}: {applied:?}");
        // The others wait for the next block.
        assert!(applied[taken..].iter().all(|result| result.is_err()), "{applied:?}");
        next += taken;
        blocks += usize::from(taken > 0);
    }
    assert_eq!(chain.read(L1Relay::applied).height, digest.height);
    assert!(chain.read(L1Relay::status).next_page.is_none());
    for _ in 0..AFTERWARDS {
        grown(chain, vec![]);
    }
    assert!(chain.read(BurnMint::supply).valid);
    blocks
}

fn chain() -> Chain {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    chain
}

fn pages_of(events: u32) -> usize {
    events.div_ceil(MAX_EVENTS_PER_PAGE) as usize
}

#[test]
fn thousands_of_burns_in_one_l1_block_are_all_on_record() {
    const COUNT: u32 = 3_000;
    let burn = |number: u32| {
        // The first one makes the account; the others are as small as they come.
        let value = if number == 0 { 100_000_000 } else { 1 };
        let recipient = Recipient::Account(One.to_account_id());
        let payload = BurnPayload { chain_id: CHAIN, recipient, amount: value };
        let payload = payload.encode().to_vec().try_into().expect("it is kept whole");
        L1Event::Burn { outpoint: outpoint(number), value, payload }
    };
    let mut chain = chain();
    let blocks = flood(&mut chain, (0..COUNT).map(burn).collect());
    assert!((2..=pages_of(COUNT)).contains(&blocks), "{blocks} blocks");
    for number in 0..COUNT {
        let record = chain.read(|| BurnMint::burn(&outpoint(number)));
        assert!(record.is_some(), "burn {number} is on record");
    }
}

#[test]
fn thousands_of_messages_in_one_l1_block_are_all_noted() {
    const COUNT: u32 = 3_000;
    let key = ecdsa::Pair::from_string("//Flood", None).expect("a seed").public();
    let message = |number: u32| {
        // No call of the runtime: it fails, and costs what looking at it costs.
        let payload = CrossLayerPayload { gas: 400_000, call: vec![0xff; 40] };
        L1Event::Message {
            outpoint: outpoint(number),
            unsigned_txid: outpoint(number).txid,
            chain_id: CHAIN,
            sender: key,
            // The first one pays for all: what nobody could pay for would not be noted.
            value: if number == 0 { 1_000_000_000 } else { 0 },
            body: payload.body().try_into().expect("it fits"),
        }
    };
    let mut chain = chain();
    let blocks = flood(&mut chain, (0..COUNT).map(message).collect());
    assert!((2..=pages_of(COUNT)).contains(&blocks), "{blocks} blocks");
    for number in (0..COUNT).step_by(7) {
        let txid = outpoint(number).txid;
        let noted = chain.read(|| Messages::messages_of_transaction(txid).len());
        assert_eq!(noted, 1, "message {number}");
    }
}

/// Attack: as many keys as messages, with heavy calls that they do not pay for. Whoever pays
/// is not kept waiting by them.
#[test]
fn thousands_of_keys_that_pay_for_nothing_keep_no_message_waiting() {
    const COUNT: u32 = 3_000;
    /// Blocks in which the last message is executed after the one that applied it.
    const FEW: u32 = 5;
    let burn = RuntimeCall::Balances(pallet_balances::Call::burn { value: 1, keep_alive: true });
    let calls = vec![burn; 12];
    let heavy = RuntimeCall::Utility(pallet_utility::Call::batch_all { calls });
    let least = u64::try_from(preset("regtest").chain_parameters.parameters.min_fee);
    let least = least.expect("it is small");
    let message = |number: u32, value: u64, call: &RuntimeCall| {
        let mut sender = [9; 33];
        sender[0] = 2;
        sender[1..5].copy_from_slice(&number.to_le_bytes());
        let payload = CrossLayerPayload { gas: 500_000, call: call.encode() };
        L1Event::Message {
            outpoint: outpoint(number),
            unsigned_txid: outpoint(number).txid,
            chain_id: CHAIN,
            sender: ecdsa::Public::from_raw(sender),
            value,
            body: payload.body().try_into().expect("it fits"),
        }
    };
    let unpaid = |number: u32| {
        let value = match number {
            // Enough for a fee, but not for this one: those have their turns.
            number if number % 50 == 0 => least,
            number => u64::from(number % 2),
        };
        message(number, value, &heavy)
    };
    let paid = message(COUNT, 1_000_000_000, &transfer(One, 300_000_000));
    let mut chain = chain();
    flood(&mut chain, (0..COUNT).map(unpaid).chain([paid]).collect());
    let mut reports = |number: u32| {
        let txid = outpoint(number).txid;
        chain.read(|| Messages::messages_of_transaction(txid))
    };
    let last = reports(COUNT);
    let record = &last.first().expect("it is on record").record;
    let MessageState::Executed { block } = record.state else {
        panic!("it is executed: {:?}", record.state);
    };
    assert!(block - record.applied <= FEW, "after {} blocks", block - record.applied);
    // The others were told by an event, or had a turn and wait to be tried again.
    for number in 0..COUNT {
        let noted = reports(number);
        let executed =
            noted.iter().any(|report| matches!(report.record.state, MessageState::Executed { .. }));
        assert!(!executed, "message {number}");
        assert!(noted.is_empty() || number % 50 == 0, "message {number}");
    }
}

#[test]
fn thousands_of_revocations_in_one_l1_block_change_nothing() {
    const COUNT: u32 = 3_000;
    let revocation = |number: u32| L1Event::KeyRevocation {
        chain_id: CHAIN,
        signer: key_hash(number),
        account: account(number),
    };
    let mut chain = chain();
    let blocks = flood(&mut chain, (0..COUNT).map(revocation).collect());
    assert!((2..=pages_of(COUNT)).contains(&blocks), "{blocks} blocks");
}

#[test]
fn a_thousand_locks_in_one_l1_block_are_applied() {
    const COUNT: u32 = 1_000;
    let lock = |number: u32| L1Event::Stake {
        outpoint: outpoint(number),
        chain_id: CHAIN,
        account: account(number),
        owner: key_hash(number),
        value: 200_000_000,
        unlock: 90_000 + number,
    };
    let mut chain = chain();
    assert!(flood(&mut chain, (0..COUNT).map(lock).collect()) <= pages_of(COUNT));
}

#[test]
fn a_thousand_statements_in_one_l1_block_are_applied() {
    const COUNT: u32 = 1_000;
    // Half of them about one subject, whose list is full soon; the others by one speaker.
    let statement = |number: u32| {
        let (speaker, subject) = match number % 2 {
            0 => (key_hash(number), key_hash(1)),
            _ => (key_hash(0), key_hash(number)),
        };
        let bond = 1_000_000_000 + u64::from(number);
        let kind = if number % 3 == 0 { TrustKind::Vote } else { TrustKind::Edge };
        L1Event::Trust(TrustStatement { kind, speaker, subject, weight: 50, bond })
    };
    let mut chain = chain();
    assert!(flood(&mut chain, (0..COUNT).map(statement).collect()) <= pages_of(COUNT));
}

#[test]
fn a_thousand_registrations_in_one_l1_block_are_applied() {
    const COUNT: u32 = 1_000;
    let registration = |number: u32| L1Event::ChainRegistration {
        outpoint: outpoint(number),
        chain_id: CHAIN,
        id: 1_000 + number,
        name: chain_name(b"flood").expect("a name"),
        definition: L1Hash::of(&number.to_be_bytes()),
        owner: key_hash(number),
        value: 100_000_000_000,
        unlock: 900_000,
    };
    let mut chain = chain();
    assert!(flood(&mut chain, (0..COUNT).map(registration).collect()) <= pages_of(COUNT));
}

#[test]
fn forced_transactions_that_are_none_are_applied_by_the_hundreds() {
    const COUNT: u32 = 300;
    let forced = |number: u32| {
        let data = [&number.to_le_bytes()[..], &[0xff; 3_000]].concat();
        let transaction = data.try_into().expect("it fits");
        L1Event::ForcedTransaction { chain_id: CHAIN, paid: u64::from(number), transaction }
    };
    let mut chain = chain();
    // Twenty of them are a page, by their bytes.
    let blocks = flood(&mut chain, (0..COUNT).map(forced).collect());
    assert!((1..=20).contains(&blocks), "{blocks} blocks");
}

#[test]
fn a_block_of_all_kinds_is_applied() {
    let of = |number: u32| match number % 3 {
        0 => L1Event::Burn { outpoint: outpoint(number), value: 1, payload: Default::default() },
        1 => L1Event::KeyRevocation {
            chain_id: CHAIN,
            signer: key_hash(number),
            account: account(number),
        },
        _ => L1Event::Trust(TrustStatement {
            kind: TrustKind::Edge,
            speaker: key_hash(number),
            subject: key_hash(number + 1),
            weight: 100,
            bond: 1_000_000_000,
        }),
    };
    let mut chain = chain();
    assert!(flood(&mut chain, (0..1_500).map(of).collect()) <= pages_of(1_500));
}
