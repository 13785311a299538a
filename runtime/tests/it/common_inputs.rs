//! Sequencers whose L1 coins one wallet spends together, in the whole runtime.

use crate::chain::{Applied, Chain};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        common_inputs::CommonInputsProof,
        signed_message::digest,
        testing::{key, Spend},
    },
    sequencers::Entities,
};
use cascoin_l2_runtime::{
    Balance, Balances, Reputation, Runtime, RuntimeCall, SequencerRegistry, System,
};
use frame_support::traits::fungible::Inspect;
use pallet_sequencer_registry::{Call as Registry, Error as RegistryError};
use sp_core::Pair;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Eve};
use sp_runtime::DispatchError;

const MIN_FEE: Balance = 1_000;

fn submit(chain: &mut Chain, who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> Applied {
    let nonce = chain.read(|| System::account_nonce(who.to_account_id()));
    let transaction = chain.sign(who, nonce, 0, call);
    chain.grow(vec![transaction]).1.remove(0)
}

/// The account links the address of a key, as its L1 wallet would.
fn link(chain: &mut Chain, who: Sr25519Keyring, seed: u8) {
    let message = chain.read(|| Reputation::message(&who.to_account_id()));
    let signed = key(seed).sign_prehashed(&digest(&message)).0;
    let mut signature = [0; 65];
    signature[0] = 31 + signed[64];
    signature[1..].copy_from_slice(&signed[..64]);
    let call = pallet_reputation::Call::link_l1_address { signature };
    assert_eq!(submit(chain, who, RuntimeCall::Reputation(call)), Ok(Ok(())));
}

/// A proof for two keys, in a block that the relay has applied.
fn mined(chain: &mut Chain, keys: [u8; 2], height: u32) -> CommonInputsProof {
    let proof = Spend::of(&keys).proof(height);
    chain.read(|| {
        pallet_l1_relay::AppliedHashes::<Runtime>::insert(height, proof.inclusion.block());
    });
    proof
}

fn report(first: Sr25519Keyring, second: Sr25519Keyring, proof: CommonInputsProof) -> RuntimeCall {
    let [first, second] = [first, second].map(|who| who.to_account_id());
    RuntimeCall::SequencerRegistry(Registry::report_common_inputs { first, second, proof })
}

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> Balance {
    let account: AccountId = who.to_account_id();
    chain.read(|| Balances::balance(&account))
}

fn are_one(chain: &mut Chain, one: Sr25519Keyring, other: Sr25519Keyring) -> bool {
    chain.read(|| SequencerRegistry::are_one(&one.to_account_id(), &other.to_account_id()))
}

fn refused(error: RegistryError<Runtime>) -> Applied {
    Ok(Err(DispatchError::from(error)))
}

#[test]
fn r22_2_sequencers_of_one_wallet_are_one_entity_whatever_they_link_later() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    link(&mut chain, Alice, 1);
    link(&mut chain, Bob, 2);
    let proof = mined(&mut chain, [1, 2], 1_000);
    // Both have linked other addresses by the time somebody reports.
    link(&mut chain, Alice, 3);
    link(&mut chain, Bob, 4);

    let before = balance(&mut chain, Eve);
    assert_eq!(submit(&mut chain, Eve, report(Alice, Bob, proof.clone())), Ok(Ok(())));
    assert_eq!(balance(&mut chain, Eve), before, "it is free");
    assert!(are_one(&mut chain, Alice, Bob) && !are_one(&mut chain, Alice, Charlie));
    let accounts = [Alice, Bob, Charlie].map(|who| who.to_account_id());
    let entities = chain.read(|| SequencerRegistry::entities(&accounts));
    assert!(entities[0] == entities[1] && entities[0] != entities[2]);

    // The same again, and what is not so, is paid for.
    let again = submit(&mut chain, Eve, report(Alice, Bob, proof.clone()));
    assert_eq!(again, refused(RegistryError::KnownAlready));
    let framed = submit(&mut chain, Eve, report(Alice, Charlie, proof));
    assert_eq!(framed, refused(RegistryError::NotTheirKeys));
    assert!(before - balance(&mut chain, Eve) >= 2 * MIN_FEE);
    assert!(!are_one(&mut chain, Alice, Charlie));
}

#[test]
fn r22_2_governance_lifts_it() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    link(&mut chain, Alice, 1);
    link(&mut chain, Bob, 2);
    let proof = mined(&mut chain, [1, 2], 1_000);
    assert_eq!(submit(&mut chain, Eve, report(Alice, Bob, proof.clone())), Ok(Ok(())));
    let account = Bob.to_account_id();
    let txid = proof.inclusion.txid();
    let lift = RuntimeCall::SequencerRegistry(Registry::lift_common_inputs { account, txid });
    let by_bob = submit(&mut chain, Bob, lift.clone());
    assert_eq!(by_bob, Ok(Err(DispatchError::BadOrigin)));
    assert!(are_one(&mut chain, Alice, Bob));
    let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(lift) });
    assert_eq!(submit(&mut chain, Alice, sudo), Ok(Ok(())));
    assert!(!are_one(&mut chain, Alice, Bob));
    let again = submit(&mut chain, Eve, report(Alice, Bob, proof));
    assert_eq!(again, refused(RegistryError::Lifted));
}

/// What `l2_createcommoninputsproof` gives is what the chain takes.
#[test]
fn the_call_that_the_node_makes_is_the_call() {
    use cascoin_l2_primitives::apis::runtime_decl_for_registry_api::RegistryApiV1;
    use codec::Decode;
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    link(&mut chain, Alice, 1);
    let proof = mined(&mut chain, [1, 2], 1_000);
    let [first, second] = [Alice, Bob].map(|who| who.to_account_id());
    let keys = vec![key(1).public(), key(2).public()];
    let holds = chain
        .read(|| [&first, &second].map(|who| Runtime::holds_l1_keys(who.clone(), keys.clone())));
    assert_eq!(holds, [vec![true, false], vec![false, false]]);
    let call =
        chain.read(|| Runtime::common_inputs_call(first.clone(), second.clone(), proof.clone()));
    let call = RuntimeCall::decode(&mut &call[..]).expect("a call");
    assert_eq!(call, report(Alice, Bob, proof));
    assert_eq!(submit(&mut chain, Eve, call), refused(RegistryError::NotTheirKeys));
}
