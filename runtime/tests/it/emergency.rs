//! An outage that is an emergency, and an L1 that is stalled, through the whole runtime.

use crate::{
    candidates::{submit, sudo},
    chain::{preset, transfer, Applied, Chain},
    stake::apply,
};
use cascoin_l2_primitives::{
    apis::{runtime_decl_for_liveness_api::LivenessApiV1, BurnOutcome, WaitCause},
    chain::Balance,
    l1::{
        burn::{BurnPayload, Recipient},
        L1Hash, OutPoint,
    },
    registry::ChainStatus,
    relay::L1Event,
};
use cascoin_l2_runtime::{Balances, BurnMint, Runtime, RuntimeCall, RuntimeEvent, System};
use codec::Encode;
use pallet_forced_inclusion::{
    CensorRecords, Censors, Encoded, Event as ForcedEvent, LeftOut, Outcome,
};
use pallet_liveness::Event;
use pallet_rate_limit::CHAIN_HALTED;
use sp_keyring::Sr25519Keyring::{self, Bob, Eve, Ferdie, One};
use sp_runtime::transaction_validity::UnknownTransaction;

/// The delay of the `regtest` preset: an hour.
const DELAY_MS: u64 = 3_600_000;
/// Chain id of the preset.
const CHAIN: u32 = 3;
const BURNED: u64 = 123_456_789;
const OUTPOINT: OutPoint = OutPoint { txid: L1Hash([7; 32]), vout: 1 };

/// A chain whose emergencies end after so many seconds of blocks. A block counts a tenth of
/// a second, the preset's block time.
fn chain(recovery_s: u64) -> Chain {
    let mut genesis = preset("regtest");
    let parameters = &mut genesis.chain_parameters.parameters;
    parameters.emergency_recovery_s = recovery_s;
    // What is heard late is overdue after a twenty-fourth of it.
    parameters.forced_inclusion_s = 24;
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    chain
}

/// The first block after an outage.
fn outage(chain: &mut Chain, ms: u64) {
    chain.time += ms - 500;
    chain.grow(vec![]);
}

fn status(chain: &mut Chain) -> ChainStatus {
    chain.read(Runtime::liveness).status
}

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> Balance {
    chain.read(|| Balances::free_balance(who.to_account_id()))
}

fn burn() -> L1Event {
    let recipient = Recipient::Account(One.to_account_id());
    let payload = BurnPayload { chain_id: CHAIN, recipient, amount: BURNED };
    let payload = payload.encode().to_vec().try_into().expect("it is kept whole");
    L1Event::Burn { outpoint: OUTPOINT, value: BURNED, payload }
}

/// What the last block told of the chain's life.
fn told(chain: &mut Chain) -> Vec<Event<Runtime>> {
    chain.read(|| {
        let of = |record: frame_system::EventRecord<RuntimeEvent, _>| match record.event {
            RuntimeEvent::Liveness(event) => Some(event),
            _ => None,
        };
        System::events().into_iter().filter_map(of).collect()
    })
}

#[test]
fn r12_5_in_an_emergency_users_wait_and_what_runs_the_chain_goes_on() {
    let mut chain = chain(1);
    let last_sign = chain.time;
    outage(&mut chain, DELAY_MS);
    assert_eq!(status(&mut chain), ChainStatus::Emergency);
    let began = Event::EmergencyBegan { last_sign, silent_ms: DELAY_MS };
    assert_eq!(told(&mut chain), [began]);

    // A transfer costs nothing and stays valid; inside another call it is filtered.
    let before = balance(&mut chain, Bob);
    let halted: Applied = Err(UnknownTransaction::Custom(CHAIN_HALTED).into());
    assert_eq!(submit(&mut chain, Bob, transfer(Eve, 1)), halted);
    assert_eq!(balance(&mut chain, Bob), before);
    assert_eq!(chain.read(|| System::account_nonce(Bob.to_account_id())), 0);
    let filtered: Applied = Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into()));
    let batch = pallet_utility::Call::batch_all { calls: vec![transfer(Eve, 1)] };
    assert_eq!(submit(&mut chain, Bob, RuntimeCall::Utility(batch)), filtered);

    // Sequencers and governance act.
    let bond = RuntimeCall::Stake(pallet_stake::Call::bond { amount: 100_000_000 });
    assert_eq!(submit(&mut chain, Bob, bond), Ok(Ok(())));
    sudo(&mut chain, frame_system::Call::<Runtime>::remark { remark: vec![] });

    // It has lived for long enough, but has not heard of L1.
    for _ in 0..10 {
        chain.grow(vec![]);
    }
    assert_eq!(status(&mut chain), ChainStatus::Emergency);
    apply(&mut chain, 1, vec![burn()]);
    assert_eq!(status(&mut chain), ChainStatus::Emergency);
    // The next block knows, and its own transactions are taken.
    assert_eq!(submit(&mut chain, Bob, transfer(Eve, 1)), Ok(Ok(())));
    assert_eq!(status(&mut chain), ChainStatus::Active);
}

#[test]
fn r12_1_an_outage_that_is_shorter_stops_nothing() {
    let mut chain = chain(1);
    outage(&mut chain, DELAY_MS - 1);
    assert_eq!(status(&mut chain), ChainStatus::Active);
    assert_eq!(submit(&mut chain, Bob, transfer(Eve, 1)), Ok(Ok(())));
}

#[test]
fn r12_5_a_deposit_waits_until_the_emergency_is_over() {
    let mut chain = chain(1);
    outage(&mut chain, DELAY_MS);
    let before = balance(&mut chain, One);
    apply(&mut chain, 1, vec![burn()]);
    let wait = chain.read(|| BurnMint::burn_wait(&OUTPOINT)).expect("it waits");
    assert_eq!((wait.cause, wait.next_at), (WaitCause::Emergency, None));
    assert_eq!(balance(&mut chain, One), before);
    // With the block that applied it ten blocks after the outage.
    for _ in 0..9 {
        assert_eq!(status(&mut chain), ChainStatus::Emergency);
        chain.grow(vec![]);
    }
    assert_eq!(status(&mut chain), ChainStatus::Active);
    let record = chain.read(|| BurnMint::burn(&OUTPOINT)).expect("it is on record");
    assert_eq!(record.outcome, BurnOutcome::Minted);
    assert_eq!(balance(&mut chain, One), before + Balance::from(BURNED));
}

#[test]
fn r12_5_a_forced_transaction_that_is_overdue_waits_and_is_not_lost() {
    // Fifty blocks.
    let mut chain = chain(5);
    let transaction = chain.sign(Eve, 0, 0, transfer(Ferdie, 10_000_000)).encode();
    outage(&mut chain, DELAY_MS);
    let event = L1Event::ForcedTransaction {
        chain_id: CHAIN,
        paid: 0,
        transaction: Encoded::truncate_from(transaction),
    };
    // Overdue a second later.
    apply(&mut chain, 1, vec![event]);
    let nonce = |chain: &mut Chain| chain.read(|| System::account_nonce(Eve.to_account_id()));
    let mut in_emergency = 0;
    while status(&mut chain) == ChainStatus::Emergency {
        assert_eq!(nonce(&mut chain), 0);
        let noted = chain.read(|| LeftOut::<Runtime>::iter_keys().count());
        assert_eq!(noted, 0, "nobody is asked for it");
        in_emergency += 1;
        assert!(in_emergency < 100, "it ends");
        chain.grow(vec![]);
    }
    assert!(in_emergency > 10, "it was overdue for long");
    assert_eq!(nonce(&mut chain), 1);
    let settled = chain.read(|| {
        System::events().into_iter().any(|record| {
            matches!(
                record.event,
                RuntimeEvent::ForcedInclusion(ForcedEvent::Settled {
                    outcome: Outcome::Applied(Ok(())),
                    ..
                })
            )
        })
    });
    assert!(settled, "in the very block that ends it");
    assert_eq!(chain.read(CensorRecords::<Runtime>::get), Censors::default());
}

#[test]
fn r27_5_a_stalled_l1_is_told_once_and_stops_nothing() {
    let mut genesis = preset("regtest");
    genesis.chain_parameters.parameters.l1_stall_s = 60;
    let mut chain = Chain::from(genesis);
    chain.grow(vec![]);
    // Half a second a block.
    for _ in 0..119 {
        chain.grow(vec![]);
        assert!(told(&mut chain).is_empty());
    }
    chain.grow(vec![]);
    assert_eq!(told(&mut chain), [Event::L1Stalled { quiet_ms: 60_000 }]);
    assert!(chain.read(Runtime::liveness).life.l1_stalled);
    assert_eq!(submit(&mut chain, Bob, transfer(Eve, 1)), Ok(Ok(())));
    assert!(told(&mut chain).is_empty());
    apply(&mut chain, 1, vec![burn()]);
    chain.grow(vec![]);
    assert_eq!(told(&mut chain), [Event::L1Resumed]);
}
