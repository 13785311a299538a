//! Reputation in the whole runtime.

use crate::chain::{transfer, Chain};
use cascoin_l2_primitives::reputation::Activity;
use cascoin_l2_runtime::{
    AccountId, Balance, Balances, Reputation, Runtime, RuntimeCall, System, TxExtension,
};
use codec::{Decode, Encode};
use frame_support::{dispatch::GetDispatchInfo, traits::fungible::Inspect, weights::Weight};
use sp_keyring::Sr25519Keyring::{self, Alice, Eve, Ferdie, One};
use sp_runtime::traits::TransactionExtension;

fn activity(chain: &mut Chain, who: Sr25519Keyring) -> Activity {
    chain.read(|| System::account(who.to_account_id()).data.activity)
}

#[test]
fn what_an_account_does_is_noted_beside_its_balance() {
    let mut chain = Chain::of("regtest");
    let before: Balance = chain.read(|| Balances::balance(&Ferdie.to_account_id()));
    let good = chain.sign(Eve, 0, 0, transfer(Ferdie, 5));
    let bad = chain.sign(Eve, 1, 0, transfer(Ferdie, Balance::MAX / 2));
    chain.grow(vec![good, bad]);
    let noted = activity(&mut chain, Eve);
    assert_eq!((noted.succeeded, noted.failed), (1, 1));
    assert_eq!((noted.transfers, noted.volume, noted.partner_count()), (1, 5, 1));
    assert_eq!(activity(&mut chain, Ferdie), Activity::default());
    assert_eq!(chain.read(|| Balances::balance(&Ferdie.to_account_id())), before + 5);
    let report = chain.read(|| Reputation::report(&Eve.to_account_id()));
    assert_eq!((report.transactions, report.failed, report.volume), (2, 1, 5));
}

/// An account that is gone left nothing, and its coins went where it sent them.
#[test]
fn an_account_that_is_emptied_begins_anew() {
    let mut chain = Chain::of("regtest");
    let give = chain.sign(Eve, 0, 0, transfer(One, 1_000_000));
    chain.grow(vec![give]);
    let all = pallet_balances::Call::transfer_all {
        dest: Ferdie.to_account_id().into(),
        keep_alive: false,
    };
    let leave = chain.sign(One, 0, 0, RuntimeCall::Balances(all));
    let (_, applied) = chain.grow(vec![leave]);
    assert_eq!(applied, [Ok(Ok(()))]);
    chain.read(|| {
        assert!(!frame_system::Account::<Runtime>::contains_key(One.to_account_id()));
    });
    let come_back = chain.sign(Eve, 1, 0, transfer(One, 7));
    chain.grow(vec![come_back]);
    assert_eq!(activity(&mut chain, One), Activity::default());
}

/// Wallets read the balance's fields at the beginning, as of any other chain.
#[test]
fn wallets_find_balances_where_they_always_are() {
    let mut chain = Chain::of("regtest");
    let pay = chain.sign(Eve, 0, 0, transfer(Ferdie, 5));
    chain.grow(vec![pay]);
    let stored = chain.read(|| System::account(Eve.to_account_id()).encode());
    type AsUsual = frame_system::AccountInfo<u32, pallet_balances::AccountData<Balance>>;
    let read = AsUsual::decode(&mut &stored[..]).expect("it begins as usual");
    let free = chain.read(|| Balances::balance(&Eve.to_account_id()));
    assert_eq!((read.nonce, read.data.free), (1, free));
    assert_eq!(stored.len(), read.encoded_size() + Activity::default().encoded_size());
}

#[test]
fn sequencers_of_development_networks_have_a_reputation() {
    let mut chain = Chain::of("regtest");
    let score = |who: Sr25519Keyring| {
        let account: AccountId = who.to_account_id();
        move || Reputation::breakdown(&account).aggregated.get()
    };
    assert_eq!(chain.read(score(Alice)), 90);
    assert_eq!(chain.read(score(Eve)), 0);
}

/// The target is a tenth of a transfer.
#[test]
fn reputation_adds_less_than_a_tenth_to_the_weight_of_a_transfer() {
    let mut chain = Chain::of("regtest");
    let transaction = chain.sign(Eve, 0, 0, transfer(Ferdie, 5));
    let info = transaction.get_dispatch_info();
    let own = pallet_reputation::RecordActivity::<Runtime>::new().weight(&transaction.function);
    let whole: Weight = info.total_weight()
        + <Runtime as frame_system::Config>::BlockWeights::get().get(info.class).base_extrinsic;
    let without = whole.ref_time() - own.ref_time();
    assert!(own.ref_time() * 10 < without, "{own:?} beside {without}");
    let listed = <TxExtension as TransactionExtension<RuntimeCall>>::metadata();
    assert!(listed.iter().any(|one| one.identifier == "RecordActivity"));
}
