//! How somebody becomes a sequencer, and stops being one, in the whole runtime.

use crate::chain::{Applied, Chain};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    reputation::Score,
    sequencers::{Offence, OffenceKind, OnOffence},
};
use cascoin_l2_runtime::{
    Balances, Reputation, Runtime, RuntimeCall, SequencerRegistry, SessionKeys, Stake, System,
};
use codec::{Decode, Encode};
use frame_support::traits::fungible::{Inspect, InspectHold};
use pallet_sequencer_registry::{Call as Registry, Error as RegistryError};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Eve};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::DispatchError;

/// Blocks of a session of the `regtest` preset, which is an epoch, too.
const SESSION: u32 = 60;
const COIN: Balance = 100_000_000;

fn grow_to(chain: &mut Chain, number: u32) {
    while chain.head.number < number {
        chain.grow(vec![]);
    }
}

/// Signs with the next nonce and puts it into the next block.
pub fn submit(chain: &mut Chain, who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> Applied {
    let nonce = chain.read(|| System::account_nonce(who.to_account_id()));
    let transaction = chain.sign(who, nonce, 0, call);
    chain.grow(vec![transaction]).1.remove(0)
}

pub fn sudo(chain: &mut Chain, call: impl Into<RuntimeCall>) {
    let call = Box::new(call.into());
    let done = submit(chain, Alice, RuntimeCall::Sudo(pallet_sudo::Call::sudo { call }));
    assert_eq!(done, Ok(Ok(())));
}

fn refused(error: RegistryError<Runtime>) -> Applied {
    Ok(Err(DispatchError::from(error)))
}

/// What `l2_announcesequencer` gives Eve to sign.
fn announcement(chain: &mut Chain, stake: Balance) -> RuntimeCall {
    use cascoin_l2_primitives::apis::runtime_decl_for_registry_api::RegistryApiV1;
    let call = chain.read(|| Runtime::announce_call(stake, b"/dns/eve.example/tcp/30333".to_vec()));
    RuntimeCall::decode(&mut &call.expect("it fits")[..]).expect("a call")
}

fn members(chain: &mut Chain) -> Vec<AccountId> {
    let set = chain.read(SequencerRegistry::sequencer_set);
    set.members.into_iter().map(|member| member.account).collect()
}

/// Eve gets reputation, bonds, announces itself and sets its keys.
fn eve_stands(chain: &mut Chain) {
    let eve = Eve.to_account_id();
    grow_to(chain, 1);
    let score = Score::saturating(50);
    let account = eve.clone();
    sudo(chain, pallet_reputation::Call::set_l1_score { account, score });
    let announce = announcement(chain, 4 * COIN);
    assert_eq!(submit(chain, Eve, announce), Ok(Ok(())));
    chain.ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    let generated = chain.read(|| SessionKeys::generate(&eve.encode(), None));
    let set_keys =
        pallet_session::Call::set_keys { keys: generated.keys, proof: generated.proof.encode() };
    assert_eq!(submit(chain, Eve, RuntimeCall::Session(set_keys)), Ok(Ok(())));
}

/// Three of four vouch for Eve; the draw is announced when that session ends and held
/// with the next one, and two sessions later Eve is in the set. (Without L1 the last L2
/// block decides, after an epoch.)
fn eve_sequences(chain: &mut Chain) {
    eve_stands(chain);
    grow_to(chain, SESSION);
    for sequencer in [Alice, Bob, Charlie] {
        let call = Registry::attest { candidate: Eve.to_account_id(), approves: true };
        assert_eq!(submit(chain, sequencer, call), Ok(Ok(())));
    }
    grow_to(chain, 4 * SESSION);
    assert_eq!(members(chain).last(), Some(&Eve.to_account_id()));
}

#[test]
fn r2_1_a_newcomer_with_stake_and_reputation_sequences_without_anybodys_leave() {
    let mut chain = Chain::of("regtest");
    let unknown = announcement(&mut chain, 4 * COIN);
    let batch = submit(&mut chain, Eve, unknown);
    assert_eq!(batch, refused(RegistryError::ScoreTooLow));
    assert_eq!(chain.read(|| Balances::total_balance_on_hold(&Eve.to_account_id())), 0);

    eve_sequences(&mut chain);
    let set = chain.read(SequencerRegistry::sequencer_set);
    // 50 × √4
    assert_eq!((set.set_id, set.members.len()), (1, 5));
    // As much as each of the four others has.
    assert_eq!(set.members[4].weight, 100);
    // It makes blocks: the slot says whose turn it is.
    chain.time += 4;
    chain.grow(vec![]);
    let produced = chain.read(|| {
        cascoin_l2_runtime::Participation::participation()
            .into_iter()
            .find(|one| one.account == Eve.to_account_id())
            .map_or(0, |one| one.produced)
    });
    assert_eq!(produced, 1);
    // Its stake is there to stay.
    let unbond = pallet_stake::Call::unbond { amount: 3 * COIN + 1 };
    let early = submit(&mut chain, Eve, RuntimeCall::Stake(unbond));
    let committed = DispatchError::from(pallet_stake::Error::<Runtime>::StillCommitted);
    assert_eq!(early, Ok(Err(committed)));
}

#[test]
fn who_is_not_vouched_for_is_not_elected() {
    let mut chain = Chain::of("regtest");
    eve_stands(&mut chain);
    grow_to(&mut chain, SESSION);
    for sequencer in [Alice, Bob] {
        let call = Registry::attest { candidate: Eve.to_account_id(), approves: true };
        assert_eq!(submit(&mut chain, sequencer, call), Ok(Ok(())));
    }
    grow_to(&mut chain, 5 * SESSION);
    assert_eq!(members(&mut chain).len(), 4);
}

#[test]
fn seq_double_sign_costs_seat_stake_and_reputation() {
    let mut chain = Chain::of("regtest");
    eve_sequences(&mut chain);
    let eve = Eve.to_account_id();
    let offence =
        Offence { kind: OffenceKind::DoubleSign, offender: eve.clone(), set_id: 1, height: 1 };
    // As pallet-equivocation does with evidence, which its own tests make.
    chain.ext.execute_with(|| {
        <<Runtime as pallet_equivocation::Config>::OnOffence as OnOffence>::on_offence(&offence);
        assert_eq!(Balances::total_balance_on_hold(&eve), 2 * COIN, "half is gone");
        assert_eq!(Balances::balance(&Stake::fund()), COIN);
        assert_eq!(Reputation::breakdown(&eve).aggregated, Score::ZERO);
    });
    grow_to(&mut chain, 6 * SESSION);
    assert_eq!(members(&mut chain).len(), 4);
    let announce = announcement(&mut chain, 100 * COIN);
    assert_eq!(submit(&mut chain, Eve, announce), refused(RegistryError::IsBanned));
}

#[test]
fn who_resigns_leaves_with_its_stake() {
    let mut chain = Chain::of("regtest");
    eve_sequences(&mut chain);
    assert_eq!(submit(&mut chain, Eve, Registry::resign {}), Ok(Ok(())));
    grow_to(&mut chain, 6 * SESSION);
    assert_eq!(members(&mut chain).len(), 4);
    let unbond = RuntimeCall::Stake(pallet_stake::Call::unbond { amount: 4 * COIN });
    assert_eq!(submit(&mut chain, Eve, unbond), Ok(Ok(())));
    // 600 s of 100 ms blocks.
    let free_at = chain.head.number + 6_000;
    let chunk = chain.read(|| pallet_stake::Ledgers::<Runtime>::get(Eve.to_account_id()));
    assert_eq!(chunk.map(|ledger| ledger.unbonding[0].free_at), Some(free_at));
}
