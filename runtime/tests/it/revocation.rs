//! Keys in wrong hands, through the whole runtime: an L1 transaction that revokes them,
//! and evidence that they signed twice.

use crate::{
    chain::Chain,
    evidence::evidence,
    relay::{block_of, vote},
    sessions::{aligned_set, grow_to, scheduled, SESSION},
};
use cascoin_l2_primitives::{
    apis::runtime_decl_for_registry_api::RegistryApiV1,
    chain::{AccountId, SequencerSet},
    relay::{L1Event, PageProof},
    sequencers::SequencerSetProvider,
};
use cascoin_l2_runtime::{
    Equivocation, L1Relay, Runtime, RuntimeCall, SequencerRegistry, Session, SessionKeys, System,
    UncheckedExtrinsic,
};
use codec::Encode;
use pallet_sequencer_registry::{revocation::RevocationIgnored, Call as Registry, Event};
use sp_core::{crypto::key_types::GRANDPA, H160};
use sp_keyring::Sr25519Keyring::{Bob, Eve};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    traits::OpaqueKeys,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

const COLD: H160 = H160([0xcc; 20]);
/// Of the `regtest` preset.
const CHAIN_ID: u32 = 3;

fn barred(set: &SequencerSet) -> Vec<bool> {
    set.members.iter().map(|member| member.barred).collect()
}

fn accounts(set: &SequencerSet) -> Vec<AccountId> {
    set.members.iter().map(|member| member.account.clone()).collect()
}

fn invalid(why: InvalidTransaction) -> TransactionValidityError {
    TransactionValidityError::Invalid(why)
}

fn revocation(signer: H160) -> L1Event {
    L1Event::KeyRevocation { chain_id: CHAIN_ID, signer, account: Bob.to_account_id() }
}

/// The transactions that bring the first L1 block, with one event.
fn l1_block(chain: &mut Chain, event: L1Event) -> Vec<UncheckedExtrinsic> {
    let (digest, pages) = block_of(1, vec![event]);
    // Whoever votes, Bob does not.
    let voters = [("//Alice", 0), ("//Charlie", 2), ("//Dave", 3)];
    let mut all: Vec<_> =
        voters.iter().map(|(seed, voter)| vote(chain, *voter, seed, digest)).collect();
    let proof = PageProof::of(&pages, 0).expect("one page");
    all.push(L1Relay::page_extrinsic(digest.height, pages[0].clone(), proof));
    all
}

fn l1_height() -> u32 {
    block_of(1, vec![]).0.height
}

/// Block 2: Bob has named its cold key.
fn with_cold_key() -> Chain {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let name = Registry::set_revocation_key { key: Some(COLD) };
    let name = chain.sign(Bob, 0, 0, RuntimeCall::SequencerRegistry(name));
    assert_eq!(chain.grow(vec![name]).1, [Ok(Ok(()))]);
    let shown = chain.read(|| Runtime::revocation_keys(vec![Bob.to_account_id()]));
    assert_eq!(shown[0].key, Some(COLD));
    chain
}

fn told(chain: &mut Chain) -> Vec<Event<Runtime>> {
    chain.read(System::read_events_for_pallet::<Event<Runtime>>)
}

#[test]
fn r30_5_a_revocation_on_l1_takes_a_sequencer_out_within_three_blocks() {
    let mut chain = with_cold_key();
    let before = aligned_set(&mut chain);
    let bob = Bob.to_account_id();
    // Dave misses blocks meanwhile: that is nothing to judge it by.
    chain.absent = vec![3];
    let mut transactions = l1_block(&mut chain, revocation(COLD));
    // Bob's vote in the same block, behind the revocation.
    let (next, _) = block_of(2, vec![]);
    transactions.push(vote(&mut chain, 1, "//Bob", next));
    let (block, applied) = chain.grow(transactions);
    assert!(applied[..4].iter().all(|result| *result == Ok(Ok(()))), "{applied:?}");
    assert_eq!(applied[4], Err(invalid(InvalidTransaction::BadSigner)));
    let revoked = Event::KeysRevoked { account: bob.clone(), l1_height: l1_height() };
    assert_eq!(told(&mut chain), [revoked]);
    // From the next block on it leads nothing.
    let set = aligned_set(&mut chain);
    assert_eq!(barred(&set), [false, true, false, false]);
    assert!(barred(&before).iter().all(|barred| !barred));
    assert_eq!(chain.read(SequencerRegistry::leaders), 3);
    assert_eq!(chain.read(|| SequencerRegistry::relay_key(1)), None);
    let announcers = chain.read(Runtime::announcers);
    assert!(announcers.iter().all(|one| one.account != bob), "nor is its node believed");

    // Two sessions end, with the two blocks after it.
    let transfer = chain.sign(Eve, 0, 0, crate::chain::transfer(Bob, 1));
    let (first, applied) = chain.grow(vec![transfer.clone()]);
    assert_eq!(applied, [Err(invalid(InvalidTransaction::ExhaustsResources))]);
    assert_eq!(scheduled(&first), None);
    assert_eq!(chain.read(Session::current_index), 1);
    let (second, _) = chain.grow(vec![]);
    assert_eq!(second.header.number, block.header.number + 2);
    let keys = scheduled(&second).expect("it changes the set");
    assert_eq!(keys.len(), 3);
    let after = aligned_set(&mut chain);
    let left: Vec<_> = accounts(&before).into_iter().filter(|account| *account != bob).collect();
    assert_eq!((after.set_id, accounts(&after)), (1, left));
    assert!(barred(&after).iter().all(|barred| !barred));
    let raw = before.members[1].grandpa;
    let owner = chain.read(|| Session::key_owner(GRANDPA, &raw.0));
    assert_eq!(owner, None, "its keys are unregistered");

    chain.absent = vec![];
    assert_eq!(chain.grow(vec![transfer]).1, [Ok(Ok(()))], "blocks go on");
    assert!(chain.read(pallet_participation::Offences::<Runtime>::get).is_empty());
}

/// With keys that its account sets it is in the set again, as every member with new keys.
#[test]
fn r30_5_new_keys_bring_it_back_with_the_second_session_end() {
    let mut chain = with_cold_key();
    let transactions = l1_block(&mut chain, revocation(COLD));
    chain.grow(transactions);
    chain.grow(vec![]);
    chain.grow(vec![]);
    let bob = Bob.to_account_id();
    chain.ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    let generated = chain.read(|| SessionKeys::generate(&bob.encode(), None));
    let set_keys = RuntimeCall::Session(pallet_session::Call::set_keys {
        keys: generated.keys.clone(),
        proof: generated.proof.encode(),
    });
    let set_keys = chain.sign(Bob, 1, 0, set_keys);
    assert_eq!(chain.grow(vec![set_keys]).1, [Ok(Ok(()))]);
    grow_to(&mut chain, 2 * SESSION - 1);
    assert_eq!(aligned_set(&mut chain).members.len(), 3);
    grow_to(&mut chain, 2 * SESSION);
    let set = aligned_set(&mut chain);
    assert_eq!((set.set_id, set.members.len()), (2, 4));
    assert_eq!(set.members[3].account, bob);
    assert_eq!(set.members[3].grandpa.0.as_slice(), generated.keys.get_raw(GRANDPA));
    assert!(!set.members[3].barred);
    grow_to(&mut chain, 2 * SESSION + 2);
}

#[test]
fn r30_5_another_signer_revokes_nothing() {
    let mut chain = with_cold_key();
    let before = aligned_set(&mut chain);
    let signer = H160([0xdd; 20]);
    let transactions = l1_block(&mut chain, revocation(signer));
    assert!(chain.grow(transactions).1.iter().all(|result| *result == Ok(Ok(()))));
    let (account, l1_height) = (Bob.to_account_id(), l1_height());
    let reason = RevocationIgnored::WrongSigner;
    let ignored = Event::RevocationIgnored { account, signer, l1_height, reason };
    assert_eq!(told(&mut chain), [ignored]);
    assert_eq!(aligned_set(&mut chain), before);
    let transfer = chain.sign(Eve, 0, 0, crate::chain::transfer(Bob, 1));
    assert_eq!(chain.grow(vec![transfer]).1, [Ok(Ok(()))], "no session ends");
    assert_eq!(chain.read(Session::current_index), 0);
}

/// R30.4: the block that applies the evidence is the last one that its owner could lead.
#[test]
fn r30_4_evidence_bars_within_the_block_that_applies_it() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let proof = evidence(&mut chain, "//Bob", 2);
    let (digest, _) = block_of(1, vec![]);
    let its_vote = vote(&mut chain, 1, "//Bob", digest);
    let report = Equivocation::report_extrinsic(proof, None);
    let (_, applied) = chain.grow(vec![report, its_vote]);
    assert_eq!(applied[0], Ok(Ok(())));
    assert_eq!(applied[1], Err(invalid(InvalidTransaction::BadSigner)));
    let set = chain.read(SequencerRegistry::sequencer_set);
    assert_eq!(barred(&set), [false, true, false, false]);
    // Its votes count until it is out, as with every change of the set.
    assert_eq!(set.members.len(), 4);
    // Three lead: in round 5 each of them has failed, and Bob has not.
    chain.failed = vec![0, 2, 3, 0, 2];
    chain.grow(vec![]);
    chain.failed = vec![];
    grow_to(&mut chain, 2 * SESSION);
    assert_eq!(aligned_set(&mut chain).members.len(), 3);
}
