//! The books, whatever happens in whatever order.

use crate::{
    mock::*,
    pallet::{Halted, MintLog},
};
use cascoin_l2_primitives::{
    apis::BurnOutcome,
    chain::{AccountId, Balance},
    reputation::MS_PER_DAY,
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

/// The largest limits in force on each day, as a watcher sees them.
#[derive(Default)]
struct Days(BTreeMap<u64, (Balance, Balance, Balance)>);

impl Days {
    fn look(&mut self) {
        let (burn, address, chain) = DayLimits::get();
        let day = self.0.entry(Now::get() / MS_PER_DAY).or_default();
        *day = (day.0.max(burn), day.1.max(address), day.2.max(chain));
    }

    /// The log of credits against the limits.
    fn check(&self) {
        let mut by_burn: BTreeMap<_, Balance> = BTreeMap::new();
        let mut by_address: BTreeMap<_, Balance> = BTreeMap::new();
        let mut by_day: BTreeMap<u64, Balance> = BTreeMap::new();
        for credit in MintLog::<Test>::iter_values() {
            let (day, amount) = (credit.time / MS_PER_DAY, Balance::from(credit.amount));
            let recipient = BurnMint::burn(&credit.outpoint).expect("a record").recipient;
            *by_burn.entry((day, credit.outpoint)).or_default() += amount;
            *by_address.entry((day, recipient)).or_default() += amount;
            *by_day.entry(day).or_default() += amount;
        }
        assert!(by_burn.iter().all(|((day, _), sum)| *sum <= self.0[day].0));
        assert!(by_address.iter().all(|((day, _), sum)| *sum <= self.0[day].1));
        assert!(by_day.iter().all(|(day, sum)| *sum <= self.0[day].2));
    }
}

/// Blocks of the day that [`day_of_turns`] looks at.
const BLOCKS: usize = 5;

/// A burn that comes: to whom, and with what value.
type Coming = (u8, u64);

/// What a day brought those that waited when it began.
#[derive(Debug)]
struct Brought {
    /// By burn.
    burns: BTreeMap<u32, u64>,
    /// By recipient, for what came later too.
    accounts: BTreeMap<u8, Balance>,
}

/// Lets `waiting` come and then, through a day, `newcomers`, each in its block. The first
/// wait for the limits and the day is the next one; or, if minting `stood`, they all wait
/// for it to go on, and the day is theirs.
fn day_of_turns(
    limits: (Balance, Balance, Balance),
    waiting: &[Coming],
    newcomers: &[(usize, Coming)],
    stood: bool,
) -> Brought {
    new_test_ext().execute_with(|| {
        DayLimits::set(limits);
        Halted::<Test>::put(stood);
        for ((to, value), number) in waiting.iter().zip(0..) {
            burn(number, account(*to), *value);
        }
        Halted::<Test>::kill();
        if !stood {
            next_day();
        }
        let waits: Vec<u32> = (0..waiting.len() as u32)
            .filter(|number| record(*number).outcome == BurnOutcome::Deferred)
            .collect();
        let minted = || waits.iter().map(|number| record(*number).minted).collect::<Vec<_>>();
        let balances = || -> Vec<Balance> {
            let recipients = waits.iter().map(|number| waiting[*number as usize].0);
            recipients.map(|to| Balances::total_balance(&account(to))).collect()
        };
        let (minted_before, balances_before) = (minted(), balances());
        for block in 0..BLOCKS {
            for (number, (at, (to, value))) in newcomers.iter().enumerate() {
                if *at == block {
                    burn(1_000 + number as u32, account(*to), *value);
                }
            }
            next_block();
        }
        let gains = minted().into_iter().zip(minted_before).map(|(after, before)| after - before);
        let gained =
            balances().into_iter().zip(balances_before).map(|(after, before)| after - before);
        let recipients = waits.iter().map(|number| waiting[*number as usize].0);
        Brought {
            burns: waits.iter().copied().zip(gains).collect(),
            accounts: recipients.zip(gained).collect(),
        }
    })
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

    /// Whatever the limits are and however they change: all is minted in the end, to
    /// the unit and once, and on no day more than the limits in force allow.
    #[test]
    fn p4_limits_delay_deposits_and_lose_nothing(
        burns in prop::collection::vec((2..5u8, 1..1_000u64, 0..4u8), 1..40),
        limits in prop::collection::vec((100..300u32, 0..500u32, 0..1_000u32), 1..5),
    ) {
        new_test_ext().execute_with(|| {
            let mut days = Days::default();
            let mut expected: BTreeMap<u8, Balance> = BTreeMap::new();
            let set = |turn: usize| {
                let (burn, address, chain) = limits[turn % limits.len()];
                // As the parameter table wants them: each no smaller than the one before.
                let (burn, address) = (u128::from(burn), u128::from(burn + address));
                DayLimits::set((burn, address, address + u128::from(chain)));
            };
            for (number, (to, value, pause)) in burns.iter().enumerate() {
                set(number / 7);
                burn(number as u32, account(*to), *value);
                burn(number as u32, account(*to), *value);
                *expected.entry(*to).or_default() += Balance::from(*value);
                days.look();
                match pause {
                    0 => next_day(),
                    1 => next_block(),
                    _ => {}
                }
                days.look();
            }
            // 40 burns of at most 1,000 where all together get 100 a day.
            for _ in 0..400 {
                if BurnMint::deferred_burns(1).is_empty() {
                    break;
                }
                next_day();
                days.look();
            }
            next_block();
            for (number, (_, value, _)) in burns.iter().enumerate() {
                let record = record(number as u32);
                assert_eq!((record.outcome, record.minted), (BurnOutcome::Minted, *value));
            }
            for (to, sum) in expected {
                assert_eq!(Balances::total_balance(&account(to)), sum);
            }
            let report = BurnMint::supply();
            assert!(report.valid);
            assert_eq!(report.burn_count, burns.len() as u64);
            days.check();
        });
    }

    /// What comes anew takes nothing of a day from what waits: no burn gets less than it
    /// would alone, but for burns to its own address, and that gets no less either.
    #[test]
    fn a_newcomer_never_lessens_what_a_waiting_burn_gets_that_day(
        limits in (20..100u32, 0..200u32, 0..400u32),
        waiting in prop::collection::vec((2..6u8, 1..300u64), 1..50),
        newcomers in prop::collection::vec((0..BLOCKS, (4..9u8, 1..300u64)), 1..20),
        stood: bool,
    ) {
        let (burn, address, chain) = limits;
        let (burn, address) = (Balance::from(burn), Balance::from(burn + address));
        let limits = (burn, address, address + Balance::from(chain));
        let alone = day_of_turns(limits, &waiting, &[], stood);
        let among = day_of_turns(limits, &waiting, &newcomers, stood);
        prop_assert_eq!(alone.burns.len(), among.burns.len());
        for (number, gain) in &alone.burns {
            let to = waiting[*number as usize].0;
            if newcomers.iter().all(|(_, (newcomer, _))| *newcomer != to) {
                prop_assert!(among.burns[number] >= *gain, "burn {number}: {alone:?}, {among:?}");
            }
        }
        for (to, gain) in &alone.accounts {
            prop_assert!(among.accounts[to] >= *gain, "account {to}: {alone:?}, {among:?}");
        }
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
