//! Transactions that stand on L1 are included, whatever leaders want: relay pages, the
//! queue, and what the runtime applies by itself, through the whole runtime.

use crate::{
    chain::{preset, timestamp, transfer, undone, Chain},
    sessions::{grow_to, SESSION},
    stake::apply,
};
use cascoin_l2_primitives::{
    chain::{Balance, MAX_BLOCK_GAS, PS_PER_GAS},
    recovery::{Fall, FallenTransaction, LastRecovery, Place, FORCED_INDEX},
    relay::L1Event,
    sequencers::OffenceKind,
};
use cascoin_l2_runtime::{
    Balances, Executive, ForcedInclusion, Moment, Nonce, RateLimit, Recovery, Runtime, RuntimeCall,
    RuntimeEvent, System, UncheckedExtrinsic,
};
use codec::Encode;
use frame_support::{
    dispatch::DispatchClass::Mandatory,
    inherent::{InherentData, ProvideInherent},
    weights::Weight,
};
use pallet_forced_inclusion::{
    Call, CensorRecords, Censors, Counts, Duty, Encoded, Entries, Event, LeftOut, Outcome, Queue,
    Tickets, Totals,
};
use sp_keyring::Sr25519Keyring::{self, Alice, Eve, Ferdie, One};
use sp_runtime::{
    traits::{BlakeTwo256, Hash as _},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};
use std::panic::{catch_unwind, AssertUnwindSafe};

const AMOUNT: Balance = 10_000_000;
/// Chain id of the `regtest` preset.
const CHAIN: u32 = 3;
/// A twenty-fourth of its ten minutes: what is heard late has that. After half of it leaders
/// are asked for it.
const LEAST_MS: Moment = 25_000;

fn chain() -> Chain {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    chain
}

/// The first L1 block brings these, far too late for their deadline to matter. Returns
/// the time from which on they are overdue.
fn force(chain: &mut Chain, transactions: &[Vec<u8>]) -> Moment {
    let event = |encoded: &Vec<u8>| L1Event::ForcedTransaction {
        chain_id: CHAIN,
        paid: 0,
        transaction: Encoded::truncate_from(encoded.clone()),
    };
    apply(chain, 1, transactions.iter().map(event).collect());
    let due = chain.time + LEAST_MS;
    let places = chain.read(Queue::<Runtime>::get);
    assert_eq!(places.waiting(), transactions.len() as u64);
    for place in places.first..places.next {
        assert_eq!(chain.read(|| Entries::<Runtime>::get(place)).map(|entry| entry.due), Some(due));
    }
    due
}

/// Leaders make blocks without any transaction until one has the time `due`.
fn censor_until(chain: &mut Chain, due: Moment) {
    while chain.time < due {
        chain.grow(vec![]);
        assert!(settled(chain).is_empty(), "nothing is overdue before");
    }
}

/// What became of transactions in the last block.
fn settled(chain: &mut Chain) -> Vec<Outcome> {
    chain.read(|| {
        let of = |record: frame_system::EventRecord<RuntimeEvent, _>| match record.event {
            RuntimeEvent::ForcedInclusion(Event::Settled { outcome, .. }) => Some(outcome),
            _ => None,
        };
        System::events().into_iter().filter_map(of).collect()
    })
}

fn nonce(chain: &mut Chain, who: Sr25519Keyring) -> Nonce {
    chain.read(|| System::account_nonce(who.to_account_id()))
}

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> Balance {
    chain.read(|| Balances::free_balance(who.to_account_id()))
}

fn signed(chain: &mut Chain, who: Sr25519Keyring, nonce: Nonce) -> UncheckedExtrinsic {
    chain.sign(who, nonce, 0, transfer(Ferdie, AMOUNT))
}

#[test]
fn p19_what_no_leader_includes_the_runtime_applies() {
    let mut chain = chain();
    let transaction = signed(&mut chain, Eve, 0);
    let (eve, ferdie) = (balance(&mut chain, Eve), balance(&mut chain, Ferdie));
    let due = force(&mut chain, &[transaction.encode()]);
    censor_until(&mut chain, due);
    assert_eq!(nonce(&mut chain, Eve), 0);

    let (block, _) = chain.grow(vec![]);
    assert_eq!(block.extrinsics.len(), 2, "the inherents alone");
    assert_eq!(settled(&mut chain), [Outcome::Applied(Ok(()))]);
    assert_eq!(nonce(&mut chain, Eve), 1);
    assert_eq!(balance(&mut chain, Ferdie), ferdie + AMOUNT);
    assert!(balance(&mut chain, Eve) < eve - AMOUNT, "it paid its fee");
    let totals = Totals { heard: 1, applied: 1, ..Default::default() };
    assert_eq!(chain.read(Counts::<Runtime>::get), totals);
    // The chain goes on, and transactions in the next blocks do as always.
    let next = signed(&mut chain, Eve, 1);
    let (_, applied) = chain.grow(vec![next]);
    assert_eq!(applied, [Ok(Ok(()))]);
    assert_eq!(balance(&mut chain, Ferdie), ferdie + 2 * AMOUNT);
}

/// It stands in no body, so a recovery does not repeat it, and its nonce is used.
#[test]
fn r19_4_what_a_recovery_undid_is_told_when_l1_brings_it_again() {
    let mut chain = chain();
    let encoded = signed(&mut chain, Eve, 0).encode();
    let due = force(&mut chain, &[encoded.clone()]);
    censor_until(&mut chain, due);
    chain.grow(vec![]);
    assert_eq!(settled(&mut chain), [Outcome::Applied(Ok(()))]);
    let block = chain.head.number;
    chain.read(|| {
        pallet_recovery::Count::<Runtime>::put(1);
        pallet_recovery::LastRecovery::<Runtime>::put(LastRecovery {
            number: 1,
            begun_at: block,
            ended_at: block,
            ..Default::default()
        });
    });
    let transaction = Encoded::truncate_from(encoded.clone());
    apply(
        &mut chain,
        2,
        vec![L1Event::ForcedTransaction { chain_id: CHAIN, paid: 0, transaction }],
    );
    assert!(chain.read(|| Recovery::fallen(0, 1)).is_empty());
    let outcomes = (0..200).find_map(|_| {
        chain.grow(vec![]);
        Some(settled(&mut chain)).filter(|outcomes| !outcomes.is_empty())
    });
    assert_eq!(outcomes, Some(vec![Outcome::NonceUsed]));
    let fallen = FallenTransaction {
        place: Place { block, index: FORCED_INDEX },
        hash: BlakeTwo256::hash(&encoded),
        sender: Some(Eve.to_account_id()),
        fall: Fall::Refused(InvalidTransaction::Stale.into()),
    };
    assert_eq!(chain.read(|| Recovery::fallen(0, 10)), [(0, fallen)]);
}

/// What is overdue before the chain opens to the public waits, instead of being refused and
/// used up by the call filter.
#[test]
fn r32_3_what_is_overdue_in_the_bootstrap_is_applied_when_the_chain_opens() {
    let mut genesis = preset("regtest");
    genesis.l2_registry.rules.bootstrap_ms = 40_000;
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    let opens = chain.time + 40_000;
    let transaction = signed(&mut chain, Eve, 0);
    let ferdie = balance(&mut chain, Ferdie);
    let due = force(&mut chain, &[transaction.encode()]);
    assert!(due < opens);
    censor_until(&mut chain, opens);
    assert_eq!(balance(&mut chain, Ferdie), ferdie);
    chain.grow(vec![]);
    assert_eq!(settled(&mut chain), [Outcome::Applied(Ok(()))]);
    assert_eq!(balance(&mut chain, Ferdie), ferdie + AMOUNT);
}

/// In the very block that applies one, others find their place, the account's next one
/// too.
#[test]
fn r17_2_the_block_that_applies_one_has_room_for_others() {
    let mut chain = chain();
    let transaction = signed(&mut chain, Eve, 0);
    let ferdie = balance(&mut chain, Ferdie);
    let due = force(&mut chain, &[transaction.encode()]);
    censor_until(&mut chain, due);
    let next = signed(&mut chain, Eve, 1);
    let (_, applied) = chain.grow(vec![next]);
    assert_eq!(applied, [Ok(Ok(()))]);
    assert_eq!(settled(&mut chain), [Outcome::Applied(Ok(()))]);
    assert_eq!(balance(&mut chain, Ferdie), ferdie + 2 * AMOUNT);
}

/// Attack: a leader's program skips what is overdue.
#[test]
fn p19_a_block_without_what_is_overdue_is_invalid() {
    let mut chain = chain();
    let transaction = signed(&mut chain, Eve, 0);
    let due = force(&mut chain, &[transaction.encode()]);
    censor_until(&mut chain, due);
    let time = chain.time + 500;
    let places = chain.read(Queue::<Runtime>::get);
    // It builds as if nothing waited.
    chain.read(Queue::<Runtime>::kill);
    let (censoring, _) = chain.build(time, vec![]);
    chain.read(|| Queue::<Runtime>::put(places));
    let (honest, _) = chain.build(time, vec![]);
    assert_eq!(censoring.extrinsics, honest.extrinsics);
    assert_ne!(censoring.header.state_root, honest.header.state_root);
    chain.execute(honest);
    assert_eq!(settled(&mut chain), [Outcome::Applied(Ok(()))]);
}

/// The same block, executed by an honest node.
#[test]
fn p19_an_honest_node_refuses_a_block_without_what_is_overdue() {
    let mut chain = chain();
    let transaction = signed(&mut chain, Eve, 0);
    let due = force(&mut chain, &[transaction.encode()]);
    censor_until(&mut chain, due);
    let places = chain.read(Queue::<Runtime>::get);
    chain.read(Queue::<Runtime>::kill);
    let (censoring, _) = chain.build(chain.time + 500, vec![]);
    chain.read(|| Queue::<Runtime>::put(places));
    let run = || chain.ext.execute_with(|| Executive::execute_block(censoring.into()));
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
}

#[test]
fn r17_2_what_a_leader_included_is_not_applied_again() {
    let mut chain = chain();
    let transaction = signed(&mut chain, Eve, 0);
    let ferdie = balance(&mut chain, Ferdie);
    let due = force(&mut chain, &[transaction.encode()]);
    let (_, applied) = chain.grow(vec![transaction]);
    assert_eq!(applied, [Ok(Ok(()))]);
    censor_until(&mut chain, due);
    chain.grow(vec![]);
    assert_eq!(settled(&mut chain), [Outcome::NonceUsed]);
    assert_eq!(balance(&mut chain, Ferdie), ferdie + AMOUNT);
    let totals = Totals { heard: 1, included: 1, ..Default::default() };
    assert_eq!(chain.read(Counts::<Runtime>::get), totals);
}

/// What cannot be included is dropped, without a trace in accounts, and holds nobody up.
#[test]
fn r17_2_what_cannot_be_included_is_dropped() {
    let mut chain = chain();
    let ahead = signed(&mut chain, Eve, 5).encode();
    let poor = signed(&mut chain, One, 0).encode();
    let mut forged = signed(&mut chain, Eve, 0).encode();
    if let Some(last) = forged.last_mut() {
        *last ^= 1;
    }
    let unsigned = crate::chain::timestamp(chain.time).encode();
    let good = signed(&mut chain, Eve, 0).encode();
    let (eve, ferdie) = (balance(&mut chain, Eve), balance(&mut chain, Ferdie));
    let due = force(&mut chain, &[ahead, poor, forged, unsigned, vec![0xff; 40], good]);
    censor_until(&mut chain, due);
    let expected = [
        Outcome::Invalid,
        Outcome::Unpayable,
        Outcome::Invalid,
        Outcome::Invalid,
        Outcome::Invalid,
    ];
    for outcome in expected {
        chain.grow(vec![]);
        assert_eq!(settled(&mut chain), [outcome]);
    }
    assert_eq!((nonce(&mut chain, Eve), balance(&mut chain, Eve)), (0, eve));
    assert_eq!(balance(&mut chain, Ferdie), ferdie);
    chain.grow(vec![]);
    assert_eq!(settled(&mut chain), [Outcome::Applied(Ok(()))]);
    assert_eq!(balance(&mut chain, Ferdie), ferdie + AMOUNT);
}

/// As if pools had had their time already: leaders are asked for all that wait.
fn ask_now(chain: &mut Chain) {
    chain.read(|| {
        let places = Queue::<Runtime>::get();
        for place in places.first..places.next {
            Entries::<Runtime>::mutate(place, |entry| {
                entry.as_mut().expect("it waits").asked = 0;
            });
        }
    });
}

/// The inherent that the runtime makes for the next block's leader, if it asks for any.
fn asked(chain: &mut Chain) -> Option<UncheckedExtrinsic> {
    let header = chain.unfinished(chain.time + 500);
    let call = chain.read(|| {
        undone(|| {
            Executive::initialize_block(&header);
            ForcedInclusion::create_inherent(&InherentData::new())
        })
    });
    Some(include(call?))
}

fn include(call: Call<Runtime>) -> UncheckedExtrinsic {
    UncheckedExtrinsic::new_bare(RuntimeCall::ForcedInclusion(call))
}

/// What was punished in the last block, and whose reputation it cost.
fn punished(chain: &mut Chain) -> Vec<(Sr25519Keyring, OffenceKind)> {
    chain.read(|| {
        let of = |record: frame_system::EventRecord<RuntimeEvent, _>| match record.event {
            RuntimeEvent::Reputation(pallet_reputation::Event::Penalised {
                account,
                offence,
                ..
            }) => Some((Sr25519Keyring::from_account_id(&account)?, offence)),
            _ => None,
        };
        System::events().into_iter().filter_map(of).collect()
    })
}

/// All blocks of these tests are Alice's: their slots are multiples of the sequencers'
/// number. That it was heard far too late helps nobody.
#[test]
fn r17_3_a_leader_that_left_it_out_is_punished() {
    let mut chain = chain();
    let transaction = signed(&mut chain, Eve, 0);
    let due = force(&mut chain, &[transaction.encode()]);
    censor_until(&mut chain, due);
    assert!(punished(&mut chain).is_empty());
    chain.grow(vec![]);
    assert_eq!(settled(&mut chain), [Outcome::Applied(Ok(()))]);
    assert_eq!(punished(&mut chain), [(Alice, OffenceKind::Censorship)]);
    let records = chain.read(CensorRecords::<Runtime>::get).0;
    let known: Vec<_> = records.iter().map(|one| (one.account.clone(), one.transactions)).collect();
    assert_eq!(known, [(Alice.to_account_id(), 1)]);
}

/// A leader whose program is unchanged includes it, whatever its pool holds.
#[test]
fn r17_3_the_runtime_makes_the_inherent_that_includes_it() {
    let mut chain = chain();
    let transaction = signed(&mut chain, Eve, 0);
    let ferdie = balance(&mut chain, Ferdie);
    let due = force(&mut chain, &[transaction.encode()]);
    ask_now(&mut chain);
    for _ in 0..5 {
        chain.grow(vec![]);
    }
    let inherent = asked(&mut chain).expect("it could be included");
    let (block, applied) = chain.grow(vec![inherent]);
    assert_eq!((block.extrinsics.len(), applied), (3, vec![Ok(Ok(()))]));
    assert_eq!((nonce(&mut chain, Eve), balance(&mut chain, Ferdie)), (1, ferdie + AMOUNT));
    assert!(asked(&mut chain).is_none(), "once");
    // Other transactions do as always.
    let next = signed(&mut chain, Eve, 1);
    let (_, applied) = chain.grow(vec![next]);
    assert_eq!(applied, [Ok(Ok(()))]);
    censor_until(&mut chain, due);
    chain.grow(vec![]);
    assert_eq!(settled(&mut chain), [Outcome::NonceUsed]);
    assert!(punished(&mut chain).is_empty());
    assert_eq!(chain.read(CensorRecords::<Runtime>::get), Censors::default());
}

/// Attack: a user has an honest set punished for what nobody could include.
#[test]
fn r17_5_leaders_are_asked_for_what_they_can_include_only() {
    let mut chain = chain();
    let ahead = signed(&mut chain, Eve, 1).encode();
    let poor = signed(&mut chain, One, 0).encode();
    let due = force(&mut chain, &[ahead, poor, vec![0xff; 40]]);
    ask_now(&mut chain);
    for _ in 0..5 {
        assert!(asked(&mut chain).is_none());
        chain.grow(vec![]);
    }
    // Nobody includes what a block is not asked for: it would be free.
    let (_, applied) = chain.grow(vec![include(Call::include { place: 0 })]);
    let refused = TransactionValidityError::Invalid(InvalidTransaction::BadMandatory);
    assert_eq!(applied, [Err(refused)]);
    // The nonce becomes the next one, and it is asked for at once.
    let before = signed(&mut chain, Eve, 0);
    chain.grow(vec![before]);
    let inherent = asked(&mut chain).expect("it could be included now");
    chain.grow(vec![inherent]);
    assert_eq!(nonce(&mut chain, Eve), 2);
    while chain.time < due {
        chain.grow(vec![]);
    }
    for outcome in [Outcome::NonceUsed, Outcome::Unpayable, Outcome::Invalid] {
        chain.grow(vec![]);
        assert_eq!(settled(&mut chain), [outcome]);
        assert!(punished(&mut chain).is_empty());
    }
}

/// Whether a leader is noted that leaves out what it is asked for in the next block, where
/// hooks and inherents `leave` so much of the block, picoseconds, and `on_idle` takes all that
/// is left.
fn is_noted(chain: &mut Chain, leave: u64) -> bool {
    let time = chain.time + 500;
    let header = chain.unfinished(time);
    let inherents = [timestamp(time), chain.participation()];
    let fill_up_to = |left: u64| {
        let taken = System::block_weight().total().ref_time();
        let more = (MAX_BLOCK_GAS * PS_PER_GAS).saturating_sub(left).saturating_sub(taken);
        System::register_extra_weight_unchecked(Weight::from_parts(more, 0), Mandatory);
    };
    chain.read(|| {
        undone(|| {
            Executive::initialize_block(&header);
            for inherent in inherents {
                Executive::apply_extrinsic(inherent)
                    .expect("the inherent is valid")
                    .expect("the inherent succeeds");
            }
            assert!(Duty::<Runtime>::exists(), "its leader is asked");
            fill_up_to(leave);
            Executive::inherents_applied();
            fill_up_to(0);
            Executive::finalize_block();
            assert!(!Duty::<Runtime>::exists());
            LeftOut::<Runtime>::contains_key(0)
        })
    })
}

/// Blocks have room if hooks and inherents leave what leaders are asked for at most. What
/// comes later is no excuse: a leader that leaves its block empty leaves it to `on_idle`.
#[test]
fn r17_5_who_has_no_room_is_not_noted_and_who_leaves_it_to_hooks_is() {
    let mut chain = chain();
    let transaction = signed(&mut chain, Eve, 0);
    force(&mut chain, &[transaction.encode()]);
    ask_now(&mut chain);
    let most = chain.read(RateLimit::users_share) / 2;
    assert!(is_noted(&mut chain, MAX_BLOCK_GAS * PS_PER_GAS), "the block is as it is");
    assert!(is_noted(&mut chain, most));
    assert!(!is_noted(&mut chain, most - 1));
    assert!(!is_noted(&mut chain, 0));
}

#[test]
fn r17_5_in_a_block_that_ends_a_session_nobody_is_noted() {
    let mut chain = chain();
    grow_to(&mut chain, SESSION - 2);
    let transaction = signed(&mut chain, Eve, 0);
    force(&mut chain, &[transaction.encode()]);
    ask_now(&mut chain);
    assert!(asked(&mut chain).is_some(), "its leader is asked all the same");
    chain.grow(vec![]);
    assert_eq!(chain.head.number, SESSION);
    assert!(chain.read(|| LeftOut::<Runtime>::get(0)).0.is_empty());
    chain.grow(vec![]);
    let noted = chain.read(|| LeftOut::<Runtime>::get(0)).0;
    let noted: Vec<_> = noted.iter().map(|one| (one.account.clone(), one.blocks)).collect();
    assert_eq!(noted, [(Alice.to_account_id(), 1)]);
}

/// A forged one costs the check when it is heard of, and nobody anything else: leaders are
/// never asked for it, so it takes nobody's turn.
#[test]
fn r17_5_one_that_is_forged_is_asked_for_never() {
    let mut chain = chain();
    let mut forged = signed(&mut chain, Eve, 0);
    forged.function = transfer(Ferdie, AMOUNT + 1);
    forged.encoded_call = None;
    let due = force(&mut chain, &[forged.encode()]);
    assert_eq!(chain.read(|| Tickets::<Runtime>::iter_keys().count()), 0);
    ask_now(&mut chain);
    for _ in 0..5 {
        assert!(asked(&mut chain).is_none());
        chain.grow(vec![]);
    }
    assert_eq!(nonce(&mut chain, Eve), 0);
    censor_until(&mut chain, due);
    chain.grow(vec![]);
    assert_eq!(settled(&mut chain), [Outcome::Invalid]);
    assert!(punished(&mut chain).is_empty());
}

/// The same one twice is asked for once, whoever posted it again.
#[test]
fn r17_5_one_that_waits_already_is_asked_for_once() {
    let mut chain = chain();
    let transaction = signed(&mut chain, Eve, 0).encode();
    force(&mut chain, &[transaction.clone(), transaction]);
    assert_eq!(chain.read(|| Tickets::<Runtime>::iter_keys().collect::<Vec<_>>()), [0]);
    ask_now(&mut chain);
    let inherent = asked(&mut chain).expect("it could be included");
    let (_, applied) = chain.grow(vec![inherent]);
    assert_eq!((applied, nonce(&mut chain, Eve)), (vec![Ok(Ok(()))], 1));
    assert!(asked(&mut chain).is_none());
}
