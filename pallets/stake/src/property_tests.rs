//! Whatever anybody does, in any order.

use crate::{mock::*, pallet::Event, slashing};
use cascoin_l2_primitives::{
    chain::Balance,
    sequencers::{OffenceKind, StakeProvider},
};
use frame_support::{
    storage::with_storage_layer,
    traits::fungible::{Inspect, InspectHold},
};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Bond(u8, Balance),
    Unbond(u8, Balance),
    Rebond(u8, Balance),
    Withdraw(u8),
    Wait(u32),
    Offend(u8, OffenceKind),
    /// Who offends, how, and who reports it.
    Report(u8, OffenceKind, u8),
}

fn any_offence() -> impl Strategy<Value = OffenceKind> {
    prop_oneof![
        Just(OffenceKind::DoubleSign),
        Just(OffenceKind::TimestampManipulation),
        Just(OffenceKind::Offline),
        Just(OffenceKind::Timeout),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let amount = || prop_oneof![0u128..200, 0..=2 * ENDOWMENT];
    prop_oneof![
        4 => (1u8..=4, amount()).prop_map(|(who, amount)| Step::Bond(who, amount)),
        3 => (1u8..=4, amount()).prop_map(|(who, amount)| Step::Unbond(who, amount)),
        1 => (1u8..=4, amount()).prop_map(|(who, amount)| Step::Rebond(who, amount)),
        2 => (1u8..=4).prop_map(Step::Withdraw),
        2 => (0..UNBONDING).prop_map(Step::Wait),
        1 => (1u8..=4, any_offence()).prop_map(|(who, kind)| Step::Offend(who, kind)),
        1 => (1u8..=4, any_offence(), 1u8..=16)
            .prop_map(|(who, kind, reporter)| Step::Report(who, kind, reporter)),
    ]
}

/// As a dispatch does: what fails leaves no trace.
fn attempt(step: Step) {
    let _ = with_storage_layer(|| match step {
        Step::Bond(who, amount) => Stake::bond(signed(who), amount),
        Step::Unbond(who, amount) => Stake::unbond(signed(who), amount),
        Step::Rebond(who, amount) => Stake::rebond(signed(who), amount),
        Step::Withdraw(who) => Stake::withdraw(signed(who)),
        Step::Wait(blocks) => {
            System::set_block_number(System::block_number() + blocks);
            Ok(())
        }
        Step::Offend(who, kind) => {
            offend_in(who, next_set(), kind);
            Ok(())
        }
        Step::Report(who, kind, reporter) => {
            report_in(who, next_set(), reporter, kind);
            Ok(())
        }
    });
}

// Each offence is in a set of its own: none is a conspiracy.
fn next_set() -> u64 {
    Sets::mutate(|sets| {
        *sets += 1;
        *sets
    })
}

fn owned() -> Balance {
    (1..=16).map(|n| Balances::total_balance(&account(n))).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// P17 and the books: an offence takes its share of all that is on hold, at least
    /// the least penalty, at most all; what is taken is in the fund, burned, or a
    /// reporter's, who gets at most a tenth; nothing else takes anybody's coins.
    #[test]
    fn p17_slashes_take_what_they_should_and_nothing_else_takes_anything(
        steps in prop::collection::vec(any_step(), 1..60),
    ) {
        new_test_ext().execute_with(|| {
            for step in steps {
                let (before, fund) = (owned(), Balances::total_balance(&Stake::fund()));
                let (issuance, at_risk) = (Balances::total_issuance(), match step {
                    Step::Offend(who, _) | Step::Report(who, ..) => held(who),
                    _ => 0,
                });
                System::reset_events();
                attempt(step);
                Stake::check_state().expect("the ledgers are right");
                let rewards = System::read_events_for_pallet::<Event<Test>>().into_iter();
                let rewarded: Balance = rewards
                    .map(|event| match event {
                        Event::ReporterRewarded { amount, .. } => amount,
                        _ => 0,
                    })
                    .sum();
                // The reporter is one of those counted.
                let taken = before + rewarded - owned();
                prop_assert!(rewarded <= taken / 10);
                if let Step::Report(who, _, reporter) = step {
                    prop_assert!(who % 10 != reporter % 10 || rewarded == 0);
                } else {
                    prop_assert_eq!(rewarded, 0);
                }
                if let Step::Offend(who, kind) | Step::Report(who, kind, _) = step {
                    let share = slashing::share(kind).mul_ceil(at_risk);
                    let least = if kind == OffenceKind::DoubleSign { MIN_PENALTY } else { 0 };
                    prop_assert_eq!(taken, share.max(least).min(at_risk));
                    prop_assert_eq!(held(who), at_risk - taken);
                } else {
                    prop_assert_eq!(taken, 0);
                }
                let burned = issuance - Balances::total_issuance();
                let to_fund = Balances::total_balance(&Stake::fund()) - fund;
                prop_assert_eq!(taken, burned + to_fund + rewarded);
                for n in 1..=4 {
                    prop_assert!(Stake::stake(&account(n)) <= held(n));
                    prop_assert_eq!(Balances::total_balance_on_hold(&account(n)), held(n));
                }
            }
            Ok(())
        })?;
    }
}
