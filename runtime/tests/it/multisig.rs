//! R30.3: a sequencer whose account belongs to three people, of whom any two act.

use crate::chain::{Applied, Chain};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    reputation::Score,
    sequencers::StakeProvider,
};
use cascoin_l2_runtime::{
    Multisig, Rewards, Runtime, RuntimeCall, SequencerRegistry, SessionKeys, Stake, System,
};
use codec::Encode;
use frame_support::dispatch::GetDispatchInfo;
use pallet_multisig::{Call, Error, Event, Timepoint};
use pallet_sequencer_registry::{Call as Registry, Candidates};
use sp_core::H160;
use sp_keyring::Sr25519Keyring::{self, Alice, Dave, Eve, Ferdie};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::DispatchError;

const COIN: Balance = 100_000_000;
const OWED: Balance = 12_345;
const COLD: H160 = H160([0xcc; 20]);
const OWNERS: [Sr25519Keyring; 3] = [Dave, Eve, Ferdie];
/// Transactions stand behind the two inherents.
const FIRST: u32 = 2;

fn submit(chain: &mut Chain, who: Sr25519Keyring, call: RuntimeCall) -> Applied {
    let nonce = chain.read(|| System::account_nonce(who.to_account_id()));
    let transaction = chain.sign(who, nonce, 0, call);
    chain.grow(vec![transaction]).1.remove(0)
}

/// The owners' accounts but one's, as the calls want them.
fn owners_without(who: Option<Sr25519Keyring>) -> Vec<AccountId> {
    let mut owners: Vec<AccountId> =
        OWNERS.iter().filter(|one| Some(**one) != who).map(|one| one.to_account_id()).collect();
    owners.sort();
    owners
}

fn shared() -> AccountId {
    Multisig::multi_account_id(&owners_without(None), 2)
}

/// `who` asks for `call`, or agrees to it where somebody has asked at `since`.
fn agree(
    chain: &mut Chain,
    who: Sr25519Keyring,
    since: Option<Timepoint<u32>>,
    call: &RuntimeCall,
) -> Applied {
    let agree = Call::as_multi {
        threshold: 2,
        other_signatories: owners_without(Some(who)),
        maybe_timepoint: since,
        call: Box::new(call.clone()),
        max_weight: call.get_dispatch_info().call_weight,
    };
    submit(chain, who, RuntimeCall::Multisig(agree))
}

/// What the shared account has and is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    stake: Balance,
    candidate: bool,
    keys: bool,
    revocation_key: Option<H160>,
    owed: Balance,
}

fn standing(chain: &mut Chain) -> Standing {
    let shared = shared();
    chain.read(|| Standing {
        stake: Stake::stake(&shared),
        candidate: Candidates::<Runtime>::contains_key(&shared),
        keys: pallet_session::NextKeys::<Runtime>::contains_key(&shared),
        revocation_key: SequencerRegistry::revocation_key(&shared).key,
        owed: pallet_rewards::Earnings::<Runtime>::get(&shared).owed,
    })
}

/// A chain on which the shared account has coins and reputation, and earned something.
fn with_shared_account() -> Chain {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let pay = |dest: AccountId, value| {
        let dest = dest.into();
        RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value })
    };
    assert_eq!(submit(&mut chain, Eve, pay(shared(), 5 * COIN)), Ok(Ok(())));
    assert_eq!(submit(&mut chain, Eve, pay(Rewards::pot(), OWED)), Ok(Ok(())));
    let account = shared();
    let score = Score::saturating(50);
    let set = pallet_reputation::Call::set_l1_score { account, score };
    let call = Box::new(RuntimeCall::Reputation(set));
    let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call });
    assert_eq!(submit(&mut chain, Alice, sudo), Ok(Ok(())));
    chain.ext.execute_with(|| {
        pallet_rewards::Earnings::<Runtime>::mutate(shared(), |earned| earned.owed = OWED);
    });
    chain
}

#[test]
fn r30_3_two_of_three_do_all_that_a_sequencer_does_and_one_does_nothing() {
    let mut chain = with_shared_account();
    chain.ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    // The node makes the keys for the account that is shared, and proves it to that one.
    let generated = chain.read(|| SessionKeys::generate(&shared().encode(), None));
    let set_keys =
        pallet_session::Call::set_keys { keys: generated.keys, proof: generated.proof.encode() };
    let announce = Registry::announce { endpoint: Default::default(), controller: None };
    let name = Registry::set_revocation_key { key: Some(COLD) };

    let start = standing(&mut chain);
    let none = Standing { stake: 0, candidate: false, keys: false, revocation_key: None, ..start };
    assert_eq!((start, start.owed), (none, OWED));
    let bonded = Standing { stake: 2 * COIN, ..start };
    let announced = Standing { candidate: true, ..bonded };
    let with_keys = Standing { keys: true, ..announced };
    let with_key = Standing { revocation_key: Some(COLD), ..with_keys };
    let paid = Standing { owed: 0, ..with_key };
    let resigned = Standing { candidate: false, ..paid };
    let steps: [(RuntimeCall, Standing); 6] = [
        (RuntimeCall::Stake(pallet_stake::Call::bond { amount: 2 * COIN }), bonded),
        (RuntimeCall::SequencerRegistry(announce), announced),
        (RuntimeCall::Session(set_keys), with_keys),
        (RuntimeCall::SequencerRegistry(name), with_key),
        (RuntimeCall::Rewards(pallet_rewards::Call::claim {}), paid),
        (RuntimeCall::SequencerRegistry(Registry::resign {}), resigned),
    ];
    let mut before = start;
    for (call, after) in steps {
        assert_eq!(agree(&mut chain, Eve, None, &call), Ok(Ok(())));
        let since = Timepoint { height: chain.head.number, index: FIRST };
        assert_eq!(standing(&mut chain), before, "one has asked for {call:?}");
        let again = agree(&mut chain, Eve, Some(since), &call);
        let agreed = DispatchError::from(Error::<Runtime>::AlreadyApproved);
        assert_eq!(again, Ok(Err(agreed)), "and agrees with itself");
        assert_eq!(standing(&mut chain), before);

        assert_eq!(agree(&mut chain, Ferdie, Some(since), &call), Ok(Ok(())));
        let told = chain.read(System::read_events_for_pallet::<Event<Runtime>>);
        let done = told.iter().any(|event| {
            matches!(event, Event::MultisigExecuted { result: Ok(()), multisig, .. }
                if *multisig == shared())
        });
        assert!(done, "{told:?}");
        assert_eq!(standing(&mut chain), after, "two have agreed to {call:?}");
        before = after;
    }
    // The stake that it takes back stays on hold for as long as anybody's.
    let unbond = RuntimeCall::Stake(pallet_stake::Call::unbond { amount: 2 * COIN });
    assert_eq!(agree(&mut chain, Dave, None, &unbond), Ok(Ok(())));
    let since = Timepoint { height: chain.head.number, index: FIRST };
    assert_eq!(agree(&mut chain, Ferdie, Some(since), &unbond), Ok(Ok(())));
    assert_eq!(standing(&mut chain).stake, 0);
}

/// A stranger cannot be the second.
#[test]
fn r30_3_nobody_else_agrees() {
    let mut chain = with_shared_account();
    let bond = RuntimeCall::Stake(pallet_stake::Call::bond { amount: COIN });
    assert_eq!(agree(&mut chain, Eve, None, &bond), Ok(Ok(())));
    let since = Timepoint { height: chain.head.number, index: FIRST };
    // With these others its own account would be another one, where nothing was asked.
    let call = Call::as_multi {
        threshold: 2,
        other_signatories: owners_without(Some(Ferdie)),
        maybe_timepoint: Some(since),
        max_weight: bond.get_dispatch_info().call_weight,
        call: Box::new(bond),
    };
    let refused = submit(&mut chain, Alice, RuntimeCall::Multisig(call));
    let unknown = DispatchError::from(Error::<Runtime>::UnexpectedTimepoint);
    assert_eq!(refused, Ok(Err(unknown)));
    assert_eq!(standing(&mut chain).stake, 0);
}
