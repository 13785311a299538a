//! Coins that are locked on L1 are stake: relay pages, eligibility, the registry, and
//! genesis, through the whole runtime.

use crate::{
    candidates::{submit, sudo},
    chain::{preset, Applied, Chain},
    relay::{vote, TIP_TIME},
};
use cascoin_l2_primitives::{
    apis::Eligibility,
    chain::{AccountId, Balance},
    l1::{
        inclusion::{InclusionProof, HEADER_LEN},
        L1Hash, OutPoint,
    },
    relay::{pages_root, paginate, L1BlockDigest, L1Event, PageProof},
    reputation::{l1_stake::OnL1Stake, Score},
    sequencers::{Offence, OffenceKind, OnOffence, StakeParts, StakeProvider},
};
use cascoin_l2_runtime::{
    genesis_config_presets::check, Balances, L1Relay, Reputation, Runtime, RuntimeCall,
    RuntimeGenesisConfig, SequencerRegistry, Stake, System, UncheckedExtrinsic,
};
use codec::Decode;
use frame_support::{dispatch::GetDispatchInfo, traits::fungible::Inspect};
use pallet_sequencer_registry::{Call as Registry, Error as RegistryError};
use pallet_stake::{Event, GenesisLock, L1Locks, L1Outpoints, NoStake, WeightInfo};
use sp_core::H160;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Eve};
use sp_runtime::DispatchError;

const COIN: Balance = 100_000_000;
/// Chain id of the `regtest` preset.
const CHAIN: u32 = 3;
/// Its challenge period in L1 blocks: 600 s of 150 s.
const MARGIN: u32 = 4;

fn outpoint(tx: u8) -> OutPoint {
    OutPoint { txid: L1Hash([tx; 32]), vout: 1 }
}

/// The transaction `tx` locks two coins for somebody.
fn lock(who: Sr25519Keyring, tx: u8, unlock: u32) -> L1Event {
    L1Event::Stake {
        outpoint: outpoint(tx),
        chain_id: CHAIN,
        account: who.to_account_id(),
        owner: H160([tx; 20]),
        value: 200_000_000,
        unlock,
    }
}

/// Applies the L1 block at `height` above the relay's start, with these events.
pub fn apply(chain: &mut Chain, height: u32, events: Vec<L1Event>) {
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
    assert_eq!(chain.read(L1Relay::applied).height, digest.height);
}

fn eligibility(chain: &mut Chain, who: Sr25519Keyring) -> Eligibility {
    chain.read(|| SequencerRegistry::eligibility(&who.to_account_id()))
}

/// Whether the last block had this event.
fn told(chain: &mut Chain, event: Event<Runtime>) -> bool {
    chain.read(|| System::events().iter().any(|record| record.event == event.clone().into()))
}

fn announce() -> RuntimeCall {
    Registry::announce { endpoint: Default::default(), controller: None }.into()
}

#[test]
fn r2_3_coins_locked_on_l1_complete_a_newcomers_stake() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let score = Score::saturating(50);
    let account = Eve.to_account_id();
    sudo(&mut chain, pallet_reputation::Call::set_l1_score { account: account.clone(), score });
    apply(&mut chain, 1, vec![lock(Eve, 1, 10_000)]);
    let event = Event::L1Locked {
        account,
        outpoint: outpoint(1),
        owner: H160([1; 20]),
        value: 200_000_000,
        unlock: 10_000,
    };
    assert!(told(&mut chain, event));
    let known = eligibility(&mut chain, Eve);
    let parts = StakeParts { bonded: 0, locked: 2 * COIN, named: 0 };
    assert_eq!((known.stake, known.parts, known.suffices), (0, parts, false));
    let early = submit(&mut chain, Eve, announce());
    assert_eq!(early, Ok(Err(DispatchError::from(RegistryError::<Runtime>::StakeTooLow))));

    // Half of the least stake is bonded; a coin counts in all.
    let bond = RuntimeCall::Stake(pallet_stake::Call::bond { amount: COIN / 2 });
    assert_eq!(submit(&mut chain, Eve, bond), Ok(Ok(())));
    let known = eligibility(&mut chain, Eve);
    assert_eq!((known.stake, known.suffices), (COIN, true));
    assert_eq!(submit(&mut chain, Eve, announce()), Ok(Ok(())));
    let listed = chain.read(SequencerRegistry::candidate_list);
    assert_eq!(listed[0].eligibility, known);
    // It is there to stay.
    let unbond = RuntimeCall::Stake(pallet_stake::Call::unbond { amount: 1 });
    let committed = DispatchError::from(pallet_stake::Error::<Runtime>::StillCommitted);
    assert_eq!(submit(&mut chain, Eve, unbond), Ok(Err(committed)));
}

/// Issue: stake moved between two identities must not count twice.
#[test]
fn r2_3_an_output_is_the_stake_of_one_account_and_of_this_chain() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let elsewhere = match lock(Eve, 2, 10_000) {
        L1Event::Stake { outpoint, account, owner, value, unlock, .. } => {
            L1Event::Stake { outpoint, chain_id: CHAIN + 1, account, owner, value, unlock }
        }
        other => other,
    };
    apply(&mut chain, 1, vec![lock(Eve, 1, 10_000), lock(Bob, 1, 10_000), elsewhere]);
    let ignored = |tx, reason| Event::L1LockIgnored { outpoint: outpoint(tx), reason };
    assert!(told(&mut chain, ignored(1, NoStake::Known)));
    assert!(told(&mut chain, ignored(2, NoStake::OtherChain)));
    let locked = |chain: &mut Chain, who| eligibility(chain, who).parts.locked;
    assert_eq!((locked(&mut chain, Eve), locked(&mut chain, Bob)), (2 * COIN, 0));
}

/// Larger locks crowded one out of its L1 block. What `l2_createstakeproof` gives brings it
/// back, for a fee.
#[test]
fn r2_3_a_lock_that_was_crowded_out_counts_once_it_is_claimed() {
    use cascoin_l2_primitives::{
        apis::runtime_decl_for_registry_api::RegistryApiV1,
        l1::{
            stake::StakePayload,
            testing::{mined, Spend},
        },
    };
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let said = StakePayload { account: Eve.to_account_id(), unlock: 10_000, owner: [7; 20] };
    let outputs = vec![(0, said.script(CHAIN)), (200_000_000, said.lock_script())];
    let proof = mined(Spend { outputs, ..Spend::of(&[1]) }.signed(), 1_000, 3, 7);
    let call = chain.read(|| Runtime::claim_lock_call(proof.clone()));
    let call = RuntimeCall::decode(&mut &call[..]).expect("a call");
    let refused =
        |error: pallet_stake::Error<Runtime>| -> Applied { Ok(Err(DispatchError::from(error))) };
    let unknown = refused(pallet_stake::Error::UnknownL1Block);
    assert_eq!(submit(&mut chain, Bob, call.clone()), unknown);
    chain.read(|| {
        pallet_l1_relay::AppliedHashes::<Runtime>::insert(1_000, proof.block());
        pallet_l1_relay::Applied::<Runtime>::mutate(|applied| applied.height = 1_000);
    });
    let bob = Bob.to_account_id();
    let balance = |chain: &mut Chain| chain.read(|| Balances::balance(&bob));
    let before = balance(&mut chain);
    assert_eq!(submit(&mut chain, Bob, call.clone()), Ok(Ok(())));
    assert!(before > balance(&mut chain), "it is paid for");
    assert_eq!(eligibility(&mut chain, Eve).parts.locked, 2 * COIN);
    let known = refused(pallet_stake::Error::LockKnown);
    assert_eq!(submit(&mut chain, Bob, call), known);
    assert_eq!(eligibility(&mut chain, Eve).parts.locked, 2 * COIN);
}

/// As L1 goes on a lock stops counting, the same coins count for another account, and what
/// has ended is cleared away.
#[test]
fn r2_3_a_lock_ends_by_itself_and_its_coins_count_once() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let unlock = 6 + MARGIN;
    apply(&mut chain, 1, vec![lock(Eve, 1, unlock)]);
    let locked = |chain: &mut Chain, who| eligibility(chain, who).parts.locked;
    for height in 2..=unlock {
        apply(&mut chain, height, vec![]);
        let counts = if height <= 6 { 2 * COIN } else { 0 };
        assert_eq!(locked(&mut chain, Eve), counts, "at {height}");
    }
    // L1 lets nobody spend it below this block.
    apply(&mut chain, unlock + 1, vec![lock(Bob, 2, 10_000)]);
    assert_eq!((locked(&mut chain, Eve), locked(&mut chain, Bob)), (0, 2 * COIN));
    for _ in 0..3 {
        chain.grow(vec![]);
    }
    chain.read(|| {
        assert!(!L1Locks::<Runtime>::contains_key(Eve.to_account_id()));
        assert!(!L1Outpoints::<Runtime>::contains_key(outpoint(1)));
        assert!(L1Outpoints::<Runtime>::contains_key(outpoint(2)));
    });
}

#[test]
fn r2_3_who_signs_twice_has_no_stake_on_l1_any_more() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    apply(&mut chain, 1, vec![lock(Eve, 1, 10_000)]);
    let bond = RuntimeCall::Stake(pallet_stake::Call::bond { amount: 3 * COIN });
    assert_eq!(submit(&mut chain, Eve, bond), Ok(Ok(())));
    assert_eq!(eligibility(&mut chain, Eve).stake, 5 * COIN);
    let offender = Eve.to_account_id();
    let offence = Offence { kind: OffenceKind::DoubleSign, offender, set_id: 1, height: 1 };
    chain.ext.execute_with(|| Stake::on_offence(&offence));
    let parts = eligibility(&mut chain, Eve).parts;
    // Half of five.
    assert_eq!((parts.bonded, parts.locked), (COIN / 2, 0));
    apply(&mut chain, 2, vec![lock(Eve, 1, 10_000)]);
    assert_eq!(eligibility(&mut chain, Eve).parts.locked, 0);
}

fn named(who: Sr25519Keyring, tx: u8) -> GenesisLock {
    let (account, outpoint) = (who.to_account_id(), outpoint(tx));
    GenesisLock { account, outpoint, value: 500_000_000, unlock: 20_000 }
}

fn with_locks(locks: Vec<GenesisLock>) -> RuntimeGenesisConfig {
    let mut genesis = preset("regtest");
    genesis.stake.l1_locks = locks;
    genesis
}

#[test]
fn genesis_names_what_the_first_sequencers_have_locked_on_l1() {
    let genesis = with_locks(vec![named(Alice, 1)]);
    assert_eq!(check(&genesis), Ok(()));
    // It is written as operators write it.
    let written = serde_json::to_value(&genesis.stake).expect("it serialises");
    let shown = &written["l1Locks"][0];
    assert_eq!((&shown["value"], &shown["unlock"]), (&500_000_000.into(), &20_000.into()));
    assert_eq!(shown["outpoint"]["txid"], "01".repeat(32));

    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    let alice = |chain: &mut Chain| eligibility(chain, Alice);
    assert_eq!((alice(&mut chain).stake, alice(&mut chain).suffices), (5 * COIN, true));
    assert!(!eligibility(&mut chain, Bob).suffices);
    // L1 tells of it, too: nothing counts twice.
    apply(&mut chain, 1, vec![lock(Bob, 1, 20_000)]);
    assert_eq!(alice(&mut chain).stake, 5 * COIN);
    assert_eq!(chain.read(|| Stake::parts(&Bob.to_account_id())), StakeParts::default());
}

#[test]
fn a_genesis_with_locks_that_cannot_count_is_refused() {
    let refused = |locks: Vec<GenesisLock>, why: &str| {
        let error = check(&with_locks(locks)).expect_err(why);
        assert!(error.starts_with("stake.l1Locks: ") && error.contains(why), "{error}");
    };
    refused(vec![named(Eve, 1)], "is not in sequencerRegistry.members");
    refused(vec![named(Alice, 1), named(Bob, 1)], "is named twice");
    // A sixteenth of the least stake is the least.
    refused(vec![GenesisLock { value: 6_249_999, ..named(Alice, 1) }], "must have 6250000 to");
    refused(vec![GenesisLock { unlock: MARGIN - 1, ..named(Alice, 1) }], "must be locked until");
    refused(vec![GenesisLock { unlock: 500_000_000, ..named(Alice, 1) }], "must be locked until");
    let many = (1..=17).map(|tx| named(Alice, tx)).collect();
    refused(many, "at most 16");
    let account: AccountId = Alice.to_account_id();
    let most = (1..=16).map(|tx| GenesisLock { account: account.clone(), ..named(Bob, tx) });
    assert_eq!(check(&with_locks(most.collect())), Ok(()));
}

/// A lock that is claimed changes its account's reputation at once, and who claims it pays
/// for that, too.
#[test]
fn a_claim_weighs_what_reputation_does_with_it() {
    Chain::of("regtest").read(|| {
        let proof = InclusionProof {
            height: 1,
            header: [0; HEADER_LEN],
            transaction: vec![0; 300].try_into().expect("it fits"),
            position: 0,
            path: Default::default(),
        };
        let call = RuntimeCall::Stake(pallet_stake::Call::claim_lock { proof });
        let alone = <Runtime as pallet_stake::Config>::WeightInfo::claim_lock(300);
        let told = <Reputation as OnL1Stake>::weight();
        assert!(told.ref_time() > 0);
        assert_eq!(call.get_dispatch_info().call_weight, alone + told);
    });
}
