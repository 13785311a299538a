//! Sessions: the block that ends one, and a sequencer that changes its keys.

use crate::chain::{transfer, Chain};
use cascoin_l2_primitives::chain::SequencerSet;
use cascoin_l2_runtime::{
    configs::SESSION_LENGTH, Aura, Block, Grandpa, Runtime, RuntimeCall, SequencerRegistry,
    Session, SessionKeys,
};
use codec::{Decode, Encode};
use sp_consensus_grandpa::{AuthorityId, ConsensusLog, GRANDPA_ENGINE_ID};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    DigestItem,
};

/// Grows the chain with empty blocks until `number` is its head.
fn grow_to(chain: &mut Chain, number: u32) -> Vec<Block> {
    (chain.head.number..number).map(|_| chain.grow(vec![]).0).collect()
}

/// The keys that a block puts in force, if it changes the set.
fn scheduled(block: &Block) -> Option<Vec<AuthorityId>> {
    block.header.digest.logs.iter().find_map(|log| match log {
        DigestItem::Consensus(GRANDPA_ENGINE_ID, data) => {
            match ConsensusLog::<u32>::decode(&mut &data[..]).expect("a GRANDPA log") {
                ConsensusLog::ScheduledChange(change) => {
                    assert_eq!(change.delay, 0);
                    assert!(change.next_authorities.iter().all(|(_, weight)| *weight == 1));
                    Some(change.next_authorities.into_iter().map(|(key, _)| key).collect())
                }
                other => panic!("not a scheduled change: {other:?}"),
            }
        }
        _ => None,
    })
}

/// The set, checked: an index means the same sequencer in pallet-session, Aura,
/// GRANDPA and the registry.
fn aligned_set(chain: &mut Chain) -> SequencerSet {
    chain.read(|| {
        let set = SequencerRegistry::sequencer_set();
        let aura = pallet_aura::Authorities::<Runtime>::get();
        let grandpa = Grandpa::grandpa_authorities();
        let accounts = Session::validators();
        assert_eq!(set.set_id, Grandpa::current_set_id());
        assert_eq!(set.members.len(), accounts.len());
        assert_eq!((aura.len(), grandpa.len()), (accounts.len(), accounts.len()));
        for (index, member) in set.members.iter().enumerate() {
            assert_eq!(member.account, accounts[index]);
            assert_eq!(aura[index], member.aura.into());
            assert_eq!(grandpa[index], (member.grandpa.into(), 1));
            let keys = SessionKeys {
                aura: member.aura.into(),
                grandpa: member.grandpa.into(),
                relay: member.relay.into(),
                vault: member.vault.into(),
            };
            for id in <SessionKeys as sp_runtime::traits::OpaqueKeys>::key_ids() {
                let raw = sp_runtime::traits::OpaqueKeys::get_raw(&keys, *id);
                assert_eq!(Session::key_owner(*id, raw), Some(member.account.clone()));
            }
        }
        set
    })
}

#[test]
fn the_set_is_in_the_order_of_genesis() {
    let mut chain = Chain::of("local");
    let set = aligned_set(&mut chain);
    let accounts = [Alice, Bob, Charlie, Dave].map(|who| who.to_account_id());
    assert_eq!(set.set_id, 0);
    assert!(set.members.iter().map(|member| &member.account).eq(&accounts));
    assert!(set.members.iter().all(|member| member.weight == 100));
}

#[test]
fn the_block_that_ends_a_session_carries_no_user_transactions_and_changes_nothing() {
    let mut chain = Chain::of("local");
    let set = aligned_set(&mut chain);
    grow_to(&mut chain, SESSION_LENGTH - 1);
    let transaction = chain.sign(Eve, 0, 0, transfer(Ferdie, 1));

    let (block, applied) = chain.grow(vec![transaction.clone()]);

    assert_eq!(block.header.number, SESSION_LENGTH);
    assert_eq!(chain.read(Session::current_index), 1);
    let full = TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources);
    assert_eq!(applied, [Err(full)]);
    assert_eq!(scheduled(&block), None);
    assert_eq!(aligned_set(&mut chain), set);

    let (block, applied) = chain.grow(vec![transaction]);
    assert_eq!(applied, [Ok(Ok(()))], "it waits for the next block");
    assert_eq!(scheduled(&block), None);
}

#[test]
fn changed_keys_are_in_force_after_two_sessions_with_a_new_set_id() {
    let mut chain = Chain::of("local");
    let before = aligned_set(&mut chain);
    let keystore = MemoryKeystore::new();
    chain.ext.register_extension(KeystoreExt::new(keystore));
    let owner = Bob.to_account_id();
    let generated =
        chain.read(|| SessionKeys::generate(&owner.encode(), Some(b"//Bob//2".to_vec())));
    let set_keys = RuntimeCall::Session(pallet_session::Call::set_keys {
        keys: generated.keys.clone(),
        proof: generated.proof.encode(),
    });
    grow_to(&mut chain, 1);
    let transaction = chain.sign(Bob, 0, 0, set_keys);
    assert_eq!(chain.grow(vec![transaction]).1, [Ok(Ok(()))]);

    let quiet = grow_to(&mut chain, 2 * SESSION_LENGTH - 1);
    assert!(quiet.iter().all(|block| scheduled(block).is_none()));
    // Aura's and the others' keys are still the old ones.
    assert_eq!(chain.read(SequencerRegistry::sequencer_set), before);

    let change = grow_to(&mut chain, 2 * SESSION_LENGTH).remove(0);
    let after = aligned_set(&mut chain);
    let mut expected = before;
    expected.set_id = 1;
    expected.members[1].aura = generated.keys.aura.clone().into();
    expected.members[1].grandpa = generated.keys.grandpa.clone().into();
    expected.members[1].relay = generated.keys.relay.clone().into();
    expected.members[1].vault = generated.keys.vault.clone().into();
    assert_eq!(after, expected);
    let next: Vec<AuthorityId> = after.members.iter().map(|member| member.grandpa.into()).collect();
    assert_eq!(scheduled(&change), Some(next));

    // The next session ends without another change.
    let quiet = grow_to(&mut chain, 3 * SESSION_LENGTH);
    assert!(quiet.iter().all(|block| scheduled(block).is_none()));
    assert_eq!(aligned_set(&mut chain), after);
}

#[test]
fn only_sequencers_set_session_keys_and_none_drops_them() {
    let mut chain = Chain::of("local");
    chain.ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    let owner = Eve.to_account_id();
    let generated = chain.read(|| SessionKeys::generate(&owner.encode(), None));
    let calls = [
        (
            Eve,
            RuntimeCall::Session(pallet_session::Call::set_keys {
                keys: generated.keys,
                proof: generated.proof.encode(),
            }),
            pallet_session::Error::<Runtime>::NoAssociatedValidatorId.into(),
        ),
        (
            Bob,
            RuntimeCall::Session(pallet_session::Call::purge_keys {}),
            frame_system::Error::<Runtime>::CallFiltered.into(),
        ),
    ];
    grow_to(&mut chain, 1);
    for (who, call, error) in calls {
        let transaction = chain.sign(who, 0, 0, call);
        assert_eq!(chain.grow(vec![transaction]).1, [Ok(Err(error))]);
    }
}

#[test]
fn a_slot_is_a_millisecond() {
    assert_eq!(Aura::slot_duration(), 1);
}
