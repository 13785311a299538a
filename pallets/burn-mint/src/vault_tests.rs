//! Deposits in the vault: which are credited, and that they are told apart from burns.

use crate::{
    mock::*,
    pallet::{Event, VaultedTotal},
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, Peg},
    chain::{AccountId, Balance},
    l1::burn::BurnRejection,
    relay::{L1Event, OnL1Event, OnL1Fork},
};
use frame_support::traits::{
    fungible::{Inspect, Mutate},
    tokens::{Fortitude, Precision, Preservation},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const NO_VAULT: BurnOutcome = BurnOutcome::Rejected(BurnRejection::NoVault);

#[test]
fn r4_1_without_a_vault_every_deposit_is_rejected_with_that_reason_on_record() {
    new_test_ext().execute_with(|| {
        deposit(1, BOB, 70);
        assert_eq!((record(1).outcome, record(1).minted), (NO_VAULT, 0));
        assert_eq!((record(1).peg, record(1).recipient), (Peg::Vault, Some(BOB)));
        let (outpoint, reason) = (outpoint(1), BurnRejection::NoVault);
        assert_eq!(
            mint_events(),
            vec![Event::<Test>::BurnRejected { outpoint, value: 70, reason }]
        );
        assert_eq!(Balances::balance(&BOB), 0);
        assert_eq!(BurnMint::supply().rejected_count, 1);
        next_block();
        // A vault that comes later does not change what was judged before.
        VaultScript::set(Some(VAULT));
        deposit(1, BOB, 70);
        assert_eq!((record(1).outcome, Balances::balance(&BOB)), (NO_VAULT, 0));
        next_block();
    });
}

#[test]
fn r4_1_a_deposit_in_the_vault_is_credited_once_and_counted_apart() {
    new_test_ext().execute_with(|| {
        VaultScript::set(Some(VAULT));
        burn(1, BOB, 30);
        deposit(2, BOB, 70);
        deposit(2, BOB, 70);
        // Nor as a burn of the same output.
        burn(2, BOB, 70);
        assert_eq!(Balances::balance(&BOB), 100);
        assert_eq!((record(1).peg, record(2).peg), (Peg::Burn, Peg::Vault));
        let supply = BurnMint::supply();
        assert_eq!((supply.minted, supply.vaulted, supply.burn_count), (100, 70, 2));
        assert!(supply.valid);
        // Which checks the state and the supply.
        next_block();
        assert!(BurnMint::supply().valid);
    });
}

#[test]
fn r4_1_what_is_not_in_this_chains_vault_is_not_credited() {
    new_test_ext().execute_with(|| {
        VaultScript::set(Some(VAULT));
        deposit_in(&l1_block(), 1, BOB, 70, [1; 32]);
        assert_eq!(record(1).outcome, BurnOutcome::Rejected(BurnRejection::WrongVault));
        let event = |number: u32, chain_id: u32, value: u64, body: Vec<u8>| {
            let event = L1Event::VaultDeposit {
                outpoint: outpoint(number),
                chain_id,
                value,
                script: VAULT,
                body: body.try_into().expect("it fits"),
            };
            BurnMint::on_event(&event, &l1_block());
            record(number).outcome
        };
        let cases = [
            (CHAIN_ID + 1, 70, vec![0; 33], BurnRejection::WrongChain),
            (CHAIN_ID, 0, vec![0; 33], BurnRejection::ZeroValue),
            (CHAIN_ID, 70, vec![9; 33], BurnRejection::BadKey),
            (CHAIN_ID, 70, vec![0; 32], BurnRejection::Malformed),
            (CHAIN_ID, 70, Vec::new(), BurnRejection::Malformed),
        ];
        for (number, (chain_id, value, body, reason)) in (2u32..).zip(cases) {
            let outcome = event(number, chain_id, value, body);
            assert_eq!(outcome, BurnOutcome::Rejected(reason), "case {number}");
        }
        assert_eq!(BurnMint::supply().issuance, ENDOWMENT);
        assert_eq!(VaultedTotal::<Test>::get(), 0);
        next_block();
    });
}

#[test]
fn r36_1_a_deposit_above_a_limit_waits_and_none_of_it_is_lost() {
    new_test_ext().execute_with(|| {
        VaultScript::set(Some(VAULT));
        DayLimits::set((100, 100, 1_000));
        deposit(1, BOB, 250);
        for minted in [100, 200] {
            assert_eq!(Balances::balance(&BOB), minted);
            assert_eq!(VaultedTotal::<Test>::get(), minted);
            next_day();
            next_block();
        }
        assert_eq!((record(1).outcome, Balances::balance(&BOB)), (BurnOutcome::Minted, 250));
        assert_eq!(BurnMint::supply().vaulted, 250);
    });
}

#[test]
fn r19_2_a_deposit_that_l1_dropped_is_taken_back() {
    new_test_ext().execute_with(|| {
        VaultScript::set(Some(VAULT));
        let old = l1_block_at(50, 1);
        deposit_in(&old, 1, BOB, 100, VAULT);
        burn_in(&l1_block_at(49, 1), 2, BOB, 10);
        next_block();
        let spent = Balances::transfer(&BOB, &ALICE, 30, Preservation::Expendable);
        assert_eq!(spent, Ok(30));
        Replaced::set(vec![old.hash]);
        L1Disputed::set(true);
        BurnMint::on_fork(&l1_block_at(49, 1));
        L1Disputed::set(false);
        BurnMint::on_recovered();
        next_block();
        // Of 110 there were 80, and the whole deposit is owed.
        assert_eq!((record(1).outcome, record(1).minted), (BurnOutcome::Reverted, 20));
        let supply = BurnMint::supply();
        assert_eq!((supply.vaulted, supply.minted, supply.deficit), (20, 30, 20));
        assert!(supply.valid);
        next_block();
    });
}

/// Something that happens on L2.
#[derive(Clone, Debug)]
enum Action {
    /// The relay hands over an output of this number.
    See { number: u32, vault: bool, right: bool, to: u8, value: u64 },
    /// Somebody burns coins.
    Destroy { from: u8, amount: u64 },
    /// A block ends.
    Block,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        4 => (0..30u32, any::<bool>(), prop::bool::weighted(0.8), 2..6u8, 0..1_000_000u64)
            .prop_map(|(number, vault, right, to, value)| Action::See {
                number, vault, right, to, value,
            }),
        1 => (1..6u8, 0..500_000u64).prop_map(|(from, amount)| Action::Destroy { from, amount }),
        2 => Just(Action::Block),
    ];
    prop::collection::vec(action, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// `issuance + burned on L2 = genesis + burned on L1 + in the vault`, each of them what
    /// a plain model says.
    #[test]
    fn p4_burned_and_vaulted_coins_are_told_apart(all in actions(), has_vault: bool) {
        new_test_ext().execute_with(|| {
            VaultScript::set(has_vault.then_some(VAULT));
            let (mut burned, mut vaulted) = (BTreeMap::new(), BTreeMap::new());
            let mut destroyed: Balance = 0;
            for action in &all {
                match *action {
                    Action::See { number, vault, right, to, value } => {
                        let known = BurnMint::burn(&outpoint(number)).is_some();
                        let to = AccountId::new([to; 32]);
                        if vault {
                            let script = if right { VAULT } else { [1; 32] };
                            deposit_in(&l1_block(), number, to, value, script);
                        } else {
                            burn(number, to, value);
                        }
                        let credited = !known && value > 0 && (!vault || (right && has_vault));
                        if credited {
                            let books = if vault { &mut vaulted } else { &mut burned };
                            books.insert(number, Balance::from(value));
                        }
                    }
                    Action::Destroy { from, amount } => {
                        let from = AccountId::new([from; 32]);
                        let (precision, force) = (Precision::BestEffort, Fortitude::Polite);
                        destroyed += Balances::burn_from(
                            &from,
                            amount.into(),
                            Preservation::Expendable,
                            precision,
                            force,
                        )
                        .unwrap_or_default();
                    }
                    Action::Block => next_block(),
                }
            }
            next_block();
            let supply = BurnMint::supply();
            let (burned, vaulted): (Balance, Balance) =
                (burned.values().sum(), vaulted.values().sum());
            assert_eq!(supply.vaulted, vaulted);
            assert_eq!(supply.minted - supply.vaulted, burned);
            assert_eq!(supply.burned_on_l2, destroyed);
            assert_eq!(
                supply.issuance + supply.burned_on_l2,
                supply.genesis + burned + vaulted,
            );
            assert!(supply.valid);
        });
    }
}
