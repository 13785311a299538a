//! What is taken back of a burn that L1 dropped, in the whole runtime.

use crate::{
    chain::{transfer, Chain},
    stake::apply,
};
use cascoin_l2_primitives::{
    l1::{
        burn::{BurnPayload, Recipient},
        L1Hash, OutPoint,
    },
    relay::{L1Event, OnL1Fork},
};
use cascoin_l2_runtime::{AccountId, Balances, BurnMint, L1Relay, Runtime, RuntimeCall, System};
use frame_support::{
    traits::{fungible::Inspect, Hooks},
    weights::Weight,
};
use sp_keyring::Sr25519Keyring::{Eve, One};
use sp_runtime::transaction_validity::InvalidTransaction;

/// Chain id of the `regtest` preset.
const CHAIN: u32 = 3;
const COIN: u64 = 100_000_000;

fn one() -> AccountId {
    One.to_account_id()
}

fn burn() -> L1Event {
    let payload =
        BurnPayload { chain_id: CHAIN, recipient: Recipient::Account(one()), amount: 10 * COIN };
    L1Event::Burn {
        outpoint: OutPoint { txid: L1Hash([8; 32]), vout: 1 },
        value: 10 * COIN,
        payload: payload.encode().to_vec().try_into().expect("it is kept whole"),
    }
}

/// Attack: the account of a dropped burn is emptied, and an old transaction of it, which is
/// valid for ever, is included once more when it has coins again.
#[test]
fn r19_an_account_that_loses_all_keeps_its_nonce_and_what_it_did() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    apply(&mut chain, 1, vec![burn()]);
    let old = chain.sign(One, 0, 0, transfer(Eve, u128::from(COIN)));
    let (_, applied) = chain.grow(vec![old.clone()]);
    assert_eq!(applied, [Ok(Ok(()))]);
    let before = chain.read(|| System::account(one()));
    assert_eq!((before.nonce, before.data.activity.succeeded), (1, 1));
    assert!(before.data.free > 8 * u128::from(COIN));

    chain.read(|| {
        // L1 has another block there.
        let height = L1Relay::applied().height;
        pallet_l1_relay::AppliedHashes::<Runtime>::insert(height, L1Hash([0xee; 32]));
        BurnMint::on_recovered();
        <BurnMint as Hooks<_>>::on_idle(System::block_number(), Weight::MAX);
        let after = System::account(one());
        assert_eq!((Balances::balance(&one()), BurnMint::supply().deficit > 0), (0, true));
        assert_eq!((after.nonce, after.data.activity), (before.nonce, before.data.activity));
        assert_eq!(after.providers, 1);
    });

    let give = chain.sign(Eve, 0, 0, transfer(One, 2 * u128::from(COIN)));
    let (_, applied) = chain.grow(vec![give, old.clone()]);
    assert_eq!(applied, [Ok(Ok(())), Err(InvalidTransaction::Stale.into())]);
    // It gives all away, as it may: it stays.
    let all =
        pallet_balances::Call::transfer_all { dest: Eve.to_account_id().into(), keep_alive: false };
    let leave = chain.sign(One, 1, 0, RuntimeCall::Balances(all));
    let (_, applied) = chain.grow(vec![leave]);
    assert_eq!(applied, [Ok(Ok(()))]);
    let after = chain.read(|| System::account(one()));
    assert_eq!((after.nonce, after.providers, after.data.free), (2, 1, 0));
    assert_eq!(after.data.activity.succeeded, 2);
    let give = chain.sign(Eve, 1, 0, transfer(One, 2 * u128::from(COIN)));
    let (_, applied) = chain.grow(vec![give, old]);
    assert_eq!(applied, [Ok(Ok(())), Err(InvalidTransaction::Stale.into())]);
}
