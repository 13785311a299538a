//! Messages from L1 through the whole runtime: relay pages, the value by the books of burns,
//! the fee, and the call.

use crate::{
    chain::{preset, transfer, Chain},
    relay::{block_of, vote},
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    l1::{cross_layer::CrossLayerPayload, L1Hash, OutPoint},
    messages::{MessageFailure, MessageReport, MessageState},
    relay::{L1Event, PageProof},
};
use cascoin_l2_runtime::{Balances, BurnMint, L1Relay, Messages, RuntimeCall, UncheckedExtrinsic};
use codec::Encode;
use frame_support::traits::fungible::Inspect;
use sp_core::{ecdsa, Pair};
use sp_keyring::Sr25519Keyring::{self, Alice, One};
use sp_runtime::{traits::IdentifyAccount, MultiSigner};

/// Chain id of the `regtest` preset.
const CHAIN: u32 = 3;
const COIN: u64 = 100_000_000;
const TXID: L1Hash = L1Hash([0x77; 32]);

fn key() -> ecdsa::Public {
    ecdsa::Pair::from_string("//Sender on L1", None).expect("a seed").public()
}

fn sender() -> AccountId {
    MultiSigner::Ecdsa(key()).into_account()
}

/// Output `vout` of a transaction, with this value, asks for a call.
fn message(vout: u32, value: u64, call: &RuntimeCall) -> L1Event {
    let payload = CrossLayerPayload { gas: 400_000, call: call.encode() };
    L1Event::Message {
        outpoint: OutPoint { txid: TXID, vout },
        unsigned_txid: TXID,
        chain_id: CHAIN,
        sender: key(),
        value,
        body: payload.body().try_into().expect("it fits"),
    }
}

/// Applies the first L1 block, with these events.
fn apply(chain: &mut Chain, events: Vec<L1Event>) {
    let (digest, pages) = block_of(1, events);
    let mut transactions: Vec<UncheckedExtrinsic> = ["//Alice", "//Bob", "//Charlie"]
        .into_iter()
        .zip(0..)
        .map(|(seed, voter)| vote(chain, voter, seed, digest))
        .collect();
    for page in &pages {
        let proof = PageProof::of(&pages, page.index).expect("the page is there");
        transactions.push(L1Relay::page_extrinsic(digest.height, page.clone(), proof));
    }
    let (_, applied) = chain.grow(transactions);
    assert!(applied.iter().all(|result| *result == Ok(Ok(()))), "{applied:?}");
}

fn reports(chain: &mut Chain) -> Vec<MessageReport> {
    chain.read(|| Messages::messages_of_transaction(TXID))
}

fn balance(chain: &mut Chain, who: &AccountId) -> Balance {
    chain.read(|| Balances::balance(who))
}

fn balance_of(chain: &mut Chain, who: Sr25519Keyring) -> Balance {
    balance(chain, &who.to_account_id())
}

#[test]
fn r9_5_r28_2_a_message_is_executed_with_its_value_in_the_next_block() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let supply = chain.read(BurnMint::supply);
    apply(&mut chain, vec![message(0, 10 * COIN, &transfer(One, 300_000_000))]);
    // Its value is there; nothing is executed yet.
    assert_eq!(balance(&mut chain, &sender()), 10 * u128::from(COIN));
    assert_eq!(balance_of(&mut chain, One), 0);
    let reported = reports(&mut chain);
    assert_eq!(reported.len(), 1);
    assert_eq!(reported[0].record.state, MessageState::Queued(None));
    assert!(!reported[0].awaits_value);

    let (block, _) = chain.grow(vec![]);
    assert_eq!(balance_of(&mut chain, One), 300_000_000);
    let state = MessageState::Executed { block: block.header.number };
    assert_eq!(reports(&mut chain)[0].record.state, state);
    let fee = 10 * u128::from(COIN) - 300_000_000 - balance(&mut chain, &sender());
    let least = preset("regtest").chain_parameters.parameters.min_fee;
    assert!((least..100 * least).contains(&fee), "{fee}");
    let after = chain.read(BurnMint::supply);
    assert_eq!(after.minted, supply.minted + 10 * u128::from(COIN));
    assert!(after.valid);
    // Nor once more.
    chain.grow(vec![]);
    assert_eq!(balance_of(&mut chain, One), 300_000_000);
}

#[test]
fn r36_1_above_a_limit_a_message_waits_until_all_of_its_value_is_there() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let most = preset("regtest").chain_parameters.parameters.max_deposit;
    let value = u64::try_from(most).expect("it fits") + COIN;
    let next = message(1, 0, &transfer(One, 5));
    apply(&mut chain, vec![message(0, value, &transfer(One, 7)), next]);
    for _ in 0..30 {
        chain.grow(vec![]);
    }
    assert_eq!(balance(&mut chain, &sender()), most);
    let reported = reports(&mut chain);
    let waits: Vec<_> = reported.iter().map(|report| report.awaits_value).collect();
    assert_eq!(waits, [true, false]);
    let states: Vec<_> = reported.iter().map(|report| report.record.state).collect();
    assert_eq!(states, [MessageState::Queued(None); 2], "and so does what comes behind it");
    assert_eq!(balance_of(&mut chain, One), 0);
}

/// Until the chain opens its call would be refused, and its sender would pay for each try.
#[test]
fn r32_3_a_message_waits_until_the_chain_opens_and_pays_nothing_before() {
    let mut genesis = preset("regtest");
    genesis.l2_registry.rules.bootstrap_ms = 10_000;
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    apply(&mut chain, vec![message(0, 10 * COIN, &transfer(One, 300_000_000))]);
    for _ in 0..10 {
        chain.grow(vec![]);
    }
    assert_eq!(reports(&mut chain)[0].record.state, MessageState::Queued(None));
    assert_eq!(balance(&mut chain, &sender()), 10 * u128::from(COIN), "its value is there");
    assert_eq!(balance_of(&mut chain, One), 0);
    // Blocks are half a second apart.
    for _ in 0..12 {
        chain.grow(vec![]);
    }
    let state = reports(&mut chain)[0].record.state;
    assert!(matches!(state, MessageState::Executed { .. }), "{state:?}");
    assert_eq!(balance_of(&mut chain, One), 300_000_000);
}

/// The runtime's call filter holds, and its sender has no more rights than any account.
#[test]
fn a_message_cannot_force_money() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let alice = balance_of(&mut chain, Alice);
    let force =
        pallet_balances::Call::force_set_balance { who: Alice.to_account_id().into(), new_free: 1 };
    apply(&mut chain, vec![message(0, COIN, &RuntimeCall::Balances(force))]);
    chain.grow(vec![]);
    let state = reports(&mut chain)[0].record.state;
    assert!(matches!(state, MessageState::Queued(Some(MessageFailure::Call(_)))), "{state:?}");
    assert_eq!(balance_of(&mut chain, Alice), alice);
}
