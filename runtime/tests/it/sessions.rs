//! Sessions: the block that ends one, and a sequencer that changes its keys.

use crate::chain::{transfer, Chain};
use cascoin_l2_primitives::chain::{SequencerInfo, SequencerSet};
use cascoin_l2_runtime::{
    configs::Sessions, genesis_config_presets::development_session_keys, Aura, Block, Grandpa,
    Runtime, RuntimeCall, SequencerRegistry, Session, SessionKeys,
};
use codec::{Decode, Encode};
use sp_consensus_grandpa::{AuthorityId, ConsensusLog, GRANDPA_ENGINE_ID};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    DigestItem,
};

/// Blocks of a session of the `regtest` preset.
pub const SESSION: u32 = 60;

/// Grows the chain with empty blocks until `number` is its head.
pub fn grow_to(chain: &mut Chain, number: u32) -> Vec<Block> {
    (chain.head.number..number).map(|_| chain.grow(vec![]).0).collect()
}

/// The keys that a block puts in force, if it changes the set.
pub fn scheduled(block: &Block) -> Option<Vec<AuthorityId>> {
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
pub fn aligned_set(chain: &mut Chain) -> SequencerSet {
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
    let mut chain = Chain::of("regtest");
    let set = aligned_set(&mut chain);
    let accounts = [Alice, Bob, Charlie, Dave].map(|who| who.to_account_id());
    assert_eq!(set.set_id, 0);
    assert!(set.members.iter().map(|member| &member.account).eq(&accounts));
    assert!(set.members.iter().all(|member| member.weight == 100));
}

#[test]
fn the_block_that_ends_a_session_carries_no_user_transactions_and_changes_nothing() {
    let mut chain = Chain::of("regtest");
    let set = aligned_set(&mut chain);
    grow_to(&mut chain, SESSION - 1);
    let transaction = chain.sign(Eve, 0, 0, transfer(Ferdie, 1));

    let (block, applied) = chain.grow(vec![transaction.clone()]);

    assert_eq!(block.header.number, SESSION);
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
    let mut chain = Chain::of("regtest");
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

    let quiet = grow_to(&mut chain, 2 * SESSION - 1);
    assert!(quiet.iter().all(|block| scheduled(block).is_none()));
    // Aura's and the others' keys are still the old ones.
    assert_eq!(chain.read(SequencerRegistry::sequencer_set), before);

    let change = grow_to(&mut chain, 2 * SESSION).remove(0);
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
    let quiet = grow_to(&mut chain, 3 * SESSION);
    assert!(quiet.iter().all(|block| scheduled(block).is_none()));
    assert_eq!(aligned_set(&mut chain), after);
}

/// Makes a call as Root.
fn sudo(chain: &mut Chain, nonce: u32, call: pallet_sequencer_registry::Call<Runtime>) {
    let call = Box::new(RuntimeCall::SequencerRegistry(call));
    let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call });
    let transaction = chain.sign(Alice, nonce, 0, sudo);
    assert_eq!(chain.grow(vec![transaction]).1, [Ok(Ok(()))]);
    let done = chain.read(|| {
        cascoin_l2_runtime::System::read_events_for_pallet::<pallet_sudo::Event<Runtime>>()
    });
    assert_eq!(done, [pallet_sudo::Event::Sudid { sudo_result: Ok(()) }]);
}

/// The fourth sequencer leaves, and comes back with new keys: two sessions each,
/// each at the end of a term, with a `ScheduledChange` in that block.
#[test]
fn a_member_leaves_and_joins_with_the_second_session_end() {
    use pallet_sequencer_registry::Call;
    let mut chain = Chain::of("regtest");
    let before = aligned_set(&mut chain);
    grow_to(&mut chain, 1);
    sudo(&mut chain, 0, Call::remove_member { account: Dave.to_account_id() });

    let mut quiet = grow_to(&mut chain, 2 * SESSION - 1);
    assert!(quiet.iter().all(|block| scheduled(block).is_none()));
    let leaving = chain.read(SequencerRegistry::sequencer_set);
    assert_eq!(leaving.members.len(), 4, "it sequences until then");
    assert_eq!(leaving.members[3].weight, 0, "ranked last");
    let change = grow_to(&mut chain, 2 * SESSION).remove(0);
    let after = aligned_set(&mut chain);
    assert_eq!((after.set_id, &after.members[..]), (1, &before.members[..3]));
    let keys: Vec<AuthorityId> = after.members.iter().map(|member| member.grandpa.into()).collect();
    assert_eq!(scheduled(&change), Some(keys));
    assert_eq!(change.header.number % 5, 0, "the last block of a term");

    // Nobody else can take its keys while it is away.
    let taken = development_session_keys(Dave).expect("a sequencer of the preset");
    let raw = sp_runtime::traits::OpaqueKeys::get_raw(&taken, sp_core::crypto::key_types::GRANDPA);
    let owner = chain.read(|| Session::key_owner(sp_core::crypto::key_types::GRANDPA, raw));
    assert_eq!(owner, Some(Dave.to_account_id()));

    let member = pallet_sequencer_registry::Member { account: Dave.to_account_id(), weight: 7 };
    sudo(&mut chain, 1, Call::add_member { member });
    chain.ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    let generated = chain.read(|| SessionKeys::generate(&Dave.to_account_id().encode(), None));
    let set_keys = RuntimeCall::Session(pallet_session::Call::set_keys {
        keys: generated.keys.clone(),
        proof: generated.proof.encode(),
    });
    let transaction = chain.sign(Dave, 0, 0, set_keys);
    assert_eq!(chain.grow(vec![transaction]).1, [Ok(Ok(()))]);
    quiet = grow_to(&mut chain, 4 * SESSION - 1);
    assert!(quiet.iter().all(|block| scheduled(block).is_none()));
    grow_to(&mut chain, 4 * SESSION);
    let back = aligned_set(&mut chain);
    // Four that are each at most a fourth weigh as much as the lightest (R22.3).
    let cut = before.members[..3].iter().cloned();
    let cut: Vec<_> = cut.map(|member| SequencerInfo { weight: 7, ..member }).collect();
    assert_eq!((back.set_id, &back.members[..3]), (2, &cut[..]));
    assert_eq!(back.members[3].account, Dave.to_account_id());
    assert_eq!(
        (back.members[3].weight, back.members[3].grandpa),
        (7, generated.keys.grandpa.into())
    );
}

#[test]
fn the_end_of_a_session_is_foretold() {
    use frame_support::{traits::EstimateNextSessionRotation, weights::Weight};
    let mut chain = Chain::of("regtest");
    let next = chain.read(|| Sessions::estimate_next_session_rotation(61).0);
    assert_eq!(next, Some(120));
    let progress = chain.read(|| Sessions::estimate_current_session_progress(119));
    assert_eq!(progress.0, Some(sp_runtime::Permill::one()));
    assert_ne!(progress.1, Weight::zero());
    assert_eq!(chain.read(Sessions::average_session_length), SESSION);
}

#[test]
fn only_sequencers_set_session_keys_and_none_drops_them() {
    let mut chain = Chain::of("regtest");
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
