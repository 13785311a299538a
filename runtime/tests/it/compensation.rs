//! Users get back what was burned of their fees after an outage, in real blocks.

use crate::chain::{transfer, Chain};
use cascoin_l2_primitives::{
    apis::ClaimStanding,
    chain::{AccountId, FeeSplit},
    sequencers::{Offence, OffenceKind, OnOffence},
};
use cascoin_l2_runtime::{
    Balance, Balances, BurnMint, Compensation, Runtime, RuntimeCall, Stake, System,
};
use frame_support::traits::fungible::{Inspect, Mutate};
use pallet_chain_parameters::ParameterChange;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Dave, Eve, Ferdie, One};
use sp_runtime::transaction_validity::InvalidTransaction;

const OUTAGE_MS: u64 = 11 * 60 * 1_000;
const MIN_FEE: Balance = 1_000;
const TIP: Balance = 77;

fn balance(chain: &mut Chain, who: Sr25519Keyring) -> Balance {
    let account: AccountId = who.to_account_id();
    chain.read(|| Balances::balance(&account))
}

fn fund(chain: &mut Chain) -> Balance {
    chain.read(|| Balances::balance(&Stake::fund()))
}

fn claim(outage: u32) -> RuntimeCall {
    RuntimeCall::Compensation(pallet_compensation::Call::claim { outage })
}

/// A chain in which Dave has stake and was offline, with what that cost in the fund.
fn chain() -> Chain {
    let mut chain = Chain::of("regtest");
    let bond = RuntimeCall::Stake(pallet_stake::Call::bond { amount: 1_000_000 });
    let bond = chain.sign(Dave, 0, 0, bond);
    assert_eq!(chain.grow(vec![bond]).1, [Ok(Ok(()))]);
    chain.read(|| {
        let offender = Dave.to_account_id();
        Stake::on_offence(&Offence { kind: OffenceKind::Offline, offender, set_id: 0, height: 1 });
    });
    assert_eq!(fund(&mut chain), 1_000);
    chain
}

#[test]
fn r25_6_who_paid_after_an_outage_claims_for_free_what_was_burned_of_it() {
    let mut chain = chain();
    // The first block after the outage, and one of the window.
    chain.time += OUTAGE_MS;
    let first = chain.sign(Eve, 0, TIP, transfer(Ferdie, 5));
    assert_eq!(chain.grow(vec![first]).1, [Ok(Ok(()))]);
    let second = chain.sign(Eve, 1, TIP, transfer(Ferdie, 5));
    assert_eq!(chain.grow(vec![second]).1, [Ok(Ok(()))]);
    for _ in 0..20 {
        chain.grow(vec![]);
    }
    let before = balance(&mut chain, Eve);
    let first = chain.sign(Eve, 2, 0, claim(0));
    assert_eq!(chain.grow(vec![first]).1, [Ok(Ok(()))]);
    // A tenth of two fees, and none for the claim.
    assert_eq!(balance(&mut chain, Eve) - before, 2 * MIN_FEE / 10);
    let told = chain.read(System::read_events_for_pallet::<pallet_compensation::Event<Runtime>>);
    let account = Eve.to_account_id();
    let amount = 2 * MIN_FEE / 10;
    assert_eq!(told, [pallet_compensation::Event::Compensated { outage: 0, account, amount }]);

    // Twice, and without having paid: that costs its fee.
    let before = [Eve, Ferdie].map(|who| balance(&mut chain, who));
    let claims = vec![chain.sign(Eve, 3, 0, claim(0)), chain.sign(Ferdie, 0, 0, claim(0))];
    assert!(matches!(chain.grow(claims).1[..], [Ok(Err(_)), Ok(Err(_))]));
    for (who, before) in [Eve, Ferdie].into_iter().zip(before) {
        assert!(before - balance(&mut chain, who) >= MIN_FEE, "{who}");
    }
    assert_eq!(fund(&mut chain), 1_000 - 2 * MIN_FEE / 10);
    assert!(chain.read(BurnMint::supply).valid);
}

/// P18 and R25.6: what the window's blocks burned is at least what can be claimed.
#[test]
fn r25_6_no_more_can_be_claimed_than_the_blocks_burned() {
    let mut chain = chain();
    chain.time += OUTAGE_MS;
    let supply = chain.read(Balances::total_issuance);
    let transactions: Vec<_> =
        (0..30).map(|nonce| chain.sign(Eve, nonce, 0, transfer(Ferdie, 5))).collect();
    let others = [Alice, Bob].map(|who| chain.sign(who, 0, 0, transfer(Ferdie, 5)));
    chain.grow(transactions.into_iter().chain(others).collect());
    let burned = supply - chain.read(Balances::total_issuance);
    let window = chain.read(pallet_compensation::Open::<Runtime>::get).expect("it is open");
    assert!(window.compensable > 0 && window.compensable <= burned);
    // Alice and Bob, of high reputation, pay half and have a claim to half.
    assert_eq!(window.compensable, 30 * MIN_FEE / 10 + 2 * MIN_FEE / 20);
}

/// Somebody spends all it has after an outage, so it cannot sign a claim any more.
#[test]
fn r25_6_who_has_nothing_left_is_paid_by_a_transaction_that_nobody_signs() {
    let mut chain = chain();
    let give = chain.sign(Eve, 0, 0, transfer(One, 1_000_000));
    assert_eq!(chain.grow(vec![give]).1, [Ok(Ok(()))]);
    chain.time += OUTAGE_MS;
    let dest = Ferdie.to_account_id().into();
    let leave = pallet_balances::Call::transfer_all { dest, keep_alive: false };
    let leave = chain.sign(One, 0, 0, RuntimeCall::Balances(leave));
    assert_eq!(chain.grow(vec![leave]).1, [Ok(Ok(()))]);
    for _ in 0..21 {
        chain.grow(vec![]);
    }
    assert_eq!(balance(&mut chain, One), 0);
    let by_hand = chain.sign(One, 0, 0, claim(0));
    let refused = chain.grow(vec![by_hand]).1;
    assert_eq!(refused, [Err(InvalidTransaction::Payment.into())]);

    let shown = chain.read(|| Compensation::compensation(&One.to_account_id()));
    let [shown] = <[_; 1]>::try_from(shown).expect("one outage");
    let ClaimStanding::Claimable { amount, transaction, .. } = shown.standing else {
        panic!("it can be claimed");
    };
    assert_eq!((shown.outage, amount), (0, shown.compensable));
    assert!(amount >= MIN_FEE / 10);
    let supply = chain.read(Balances::total_issuance);
    assert_eq!(chain.grow(vec![transaction.clone()]).1, [Ok(Ok(()))]);
    assert_eq!((balance(&mut chain, One), fund(&mut chain)), (amount, 1_000 - amount));
    assert_eq!(chain.read(Balances::total_issuance), supply, "nobody paid a fee");
    // The same once more, and for somebody who paid nothing.
    let other = Compensation::claim_extrinsic(0, Bob.to_account_id());
    let refused = chain.grow(vec![transaction, other]).1;
    let stale = || Err(InvalidTransaction::Stale.into());
    assert_eq!(refused, [stale(), stale()]);
}

/// R25.6: whatever governance makes of the split within a block, no more of its fees can be
/// claimed than it burns.
#[test]
fn r25_6_a_new_split_of_fees_holds_from_the_next_block_on() {
    let mut chain = chain();
    chain.time += OUTAGE_MS;
    let supply = chain.read(Balances::total_issuance);
    let split = FeeSplit { producer: 100, others: 0 };
    let change = ParameterChange::FeeSplit(split);
    let call =
        RuntimeCall::ChainParameters(pallet_chain_parameters::Call::set_parameter { change });
    let govern = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call) });
    let transactions = vec![
        chain.sign(Eve, 0, 0, transfer(Ferdie, 5)),
        chain.sign(Alice, 0, 0, govern),
        chain.sign(Eve, 1, 0, transfer(Ferdie, 5)),
    ];
    assert_eq!(chain.grow(transactions).1, [Ok(Ok(())), Ok(Ok(())), Ok(Ok(()))]);
    let burned = supply - chain.read(Balances::total_issuance);
    let compensable = |chain: &mut Chain| {
        chain.read(pallet_compensation::Open::<Runtime>::get).expect("it is open").compensable
    };
    let first = compensable(&mut chain);
    assert!(first >= 2 * MIN_FEE / 10 && first <= burned, "{first} of {burned}");
    // Of the next block nothing is burned.
    let supply = chain.read(Balances::total_issuance);
    let next = chain.sign(Eve, 2, 0, transfer(Ferdie, 5));
    chain.grow(vec![next]);
    assert_eq!(chain.read(Balances::total_issuance), supply);
    assert_eq!(compensable(&mut chain), first);
}

#[test]
fn a_chain_without_outages_compensates_nobody() {
    let mut chain = chain();
    let first = chain.sign(Eve, 0, 0, transfer(Ferdie, 5));
    assert_eq!(chain.grow(vec![first]).1, [Ok(Ok(()))]);
    let refused = chain.sign(Eve, 1, 0, claim(0));
    assert!(matches!(chain.grow(vec![refused]).1[..], [Ok(Err(_))]));
    assert!(chain.read(pallet_compensation::Open::<Runtime>::get).is_none());
    // What somebody gives to the fund is free for users.
    chain.read(|| {
        let eve: AccountId = Eve.to_account_id();
        let keep = frame_support::traits::tokens::Preservation::Preserve;
        <Balances as Mutate<AccountId>>::transfer(&eve, &Stake::fund(), 500, keep)
            .expect("Eve has it");
        assert_eq!(Compensation::free(), 1_500);
    });
}
