//! The books, whatever happens in whatever order.

use crate::{mock::*, pallet::Halted};
use cascoin_l2_primitives::{
    apis::BurnOutcome,
    chain::{AccountId, Balance},
};
use frame_support::traits::{
    fungible::{Inspect, Mutate},
    tokens::{Fortitude, Precision, Preservation},
};
use proptest::prelude::*;
use sp_runtime::StateVersion;
use std::collections::BTreeMap;

/// Something that happens on L2.
#[derive(Clone, Debug)]
enum Action {
    /// The relay hands over an output of this transaction.
    See { number: u32, to: u8, value: u64, encoded: u64, chain_id: u8 },
    /// Somebody sends coins.
    Transfer { from: u8, to: u8, amount: u64 },
    /// Somebody burns their own coins, or pays a fee that is burned.
    Destroy { from: u8, amount: u64 },
    /// A block ends.
    Block,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let value = prop_oneof![1 => Just(0u64), 6 => 1..1_000_000u64, 1 => Just(u64::MAX)];
    let action = prop_oneof![
        5 => (0..40u32, 1..6u8, value, 0..2_000_000u64, prop_oneof![8 => Just(3u8), 1 => 0..5u8])
            .prop_map(|(number, to, value, encoded, chain_id)| Action::See {
                number, to, value, encoded, chain_id,
            }),
        3 => (1..6u8, 1..6u8, 0..500_000u64)
            .prop_map(|(from, to, amount)| Action::Transfer { from, to, amount }),
        1 => (1..6u8, 0..500_000u64).prop_map(|(from, amount)| Action::Destroy { from, amount }),
        2 => Just(Action::Block),
    ];
    prop::collection::vec(action, 0..100)
}

fn account(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

/// What the actions did, in a plain model.
#[derive(Debug, Default, PartialEq)]
struct Books {
    minted: BTreeMap<u32, u64>,
    destroyed: Balance,
}

fn play(actions: &[Action]) -> Books {
    let mut books = Books::default();
    for action in actions {
        match *action {
            Action::See { number, to, value, encoded, chain_id } => {
                let mut payload = payload(account(to), encoded);
                payload[6] = chain_id;
                let known = BurnMint::burn(&outpoint(number)).is_some();
                see(outpoint(number), value, &payload);
                if !known && value > 0 && u32::from(chain_id) == CHAIN_ID {
                    books.minted.insert(number, value);
                }
            }
            Action::Transfer { from, to, amount } => {
                let _ = <Balances as Mutate<_>>::transfer(
                    &account(from),
                    &account(to),
                    amount.into(),
                    Preservation::Expendable,
                );
            }
            Action::Destroy { from, amount } => {
                let destroyed = Balances::burn_from(
                    &account(from),
                    amount.into(),
                    Preservation::Expendable,
                    Precision::BestEffort,
                    Fortitude::Polite,
                );
                books.destroyed += destroyed.unwrap_or_default();
            }
            Action::Block => next_block(),
        }
    }
    next_block();
    books
}

fn root_after(actions: &[Action]) -> Vec<u8> {
    new_test_ext().execute_with(|| {
        play(actions);
        sp_io::storage::root(StateVersion::V1)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn p1_the_same_burns_give_the_same_state(actions in actions()) {
        prop_assert_eq!(root_after(&actions), root_after(&actions));
    }

    #[test]
    fn p4_deposits_minus_withdrawals_equal_balances(actions in actions()) {
        new_test_ext().execute_with(|| {
            let books = play(&actions);
            let deposits: Balance = books.minted.values().map(|value| Balance::from(*value)).sum();
            let balances: Balance = frame_system::Account::<Test>::iter_keys()
                .map(|who| Balances::total_balance(&who))
                .sum();
            assert_eq!(balances, ENDOWMENT + deposits - books.destroyed);

            let report = BurnMint::supply();
            assert!(report.valid && !Halted::<Test>::get());
            assert_eq!(report.issuance, balances);
            assert_eq!((report.minted, report.burned_on_l2), (deposits, books.destroyed));
            assert_eq!(report.burn_count, books.minted.len() as u64);
            for (number, value) in &books.minted {
                assert_eq!((record(*number).outcome, record(*number).value), (BurnOutcome::Minted, *value));
            }
        });
    }

    #[test]
    fn any_coin_from_nowhere_is_found_in_its_block(actions in actions(), extra in 1..u64::MAX) {
        new_test_ext().execute_with(|| {
            play(&actions);
            Balances::mint_into(&BOB, extra.into()).expect("it fits");
            BurnMint::check_supply();
            assert!(Halted::<Test>::get());
        });
    }

    #[test]
    fn a_valid_burn_is_credited_once_however_often_minting_is_halted(
        values in prop::collection::vec(1..u64::MAX, 1..60),
        halts in prop::collection::vec(any::<bool>(), 1..60),
    ) {
        new_test_ext().execute_with(|| {
            for (number, value) in values.iter().enumerate() {
                Halted::<Test>::put(halts[number % halts.len()]);
                burn(number as u32, BOB, *value);
                burn(number as u32, ALICE, *value);
                if number % 5 == 0 {
                    next_block();
                }
            }
            Halted::<Test>::kill();
            for _ in 0..4 {
                next_block();
            }
            let sum: Balance = values.iter().map(|value| Balance::from(*value)).sum();
            assert_eq!(Balances::balance(&BOB), sum);
            assert!(BurnMint::deferred_burns(1).is_empty());
        });
    }
}
