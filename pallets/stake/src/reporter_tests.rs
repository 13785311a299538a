//! What reporting an offence brings, and whom it brings nothing.

use crate::{mock::*, pallet::Event};
use cascoin_l2_primitives::{chain::Balance, sequencers::OffenceKind};
use frame_support::{assert_ok, traits::fungible::Inspect};

const DOUBLE_SIGN: OffenceKind = OffenceKind::DoubleSign;

fn balance(n: u8) -> Balance {
    Balances::balance(&account(n))
}

fn fund() -> Balance {
    Balances::balance(&Stake::fund())
}

#[test]
fn r22_5_a_reporter_gets_a_tenth_of_what_the_offence_costs() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 2_010));
        let issuance = Balances::total_issuance();
        report_in(1, 0, 5, DOUBLE_SIGN);
        // 1,005 are taken; of the 905 that are left after the reporter half is burned.
        assert_eq!((held(1), balance(5), fund()), (1_005, 100, 452));
        assert_eq!(Balances::total_issuance(), issuance - 453);
        let told: Vec<Event<Test>> = System::read_events_for_pallet();
        let rewarded =
            Event::ReporterRewarded { reporter: account(5), offender: account(1), amount: 100 };
        assert_eq!(told.last(), Some(&rewarded));
        let slashed = Event::Slashed {
            account: account(1),
            offence: DOUBLE_SIGN,
            amount: 1_005,
            to_fund: 452,
            burned: 453,
            to_reporter: 100,
        };
        assert_eq!(told[told.len() - 2], slashed);
        assert_eq!(Stake::check_state(), Ok(()));
    });
}

/// Attack: an offender that reports itself, or has an account of its own do so.
#[test]
fn r22_5_nobody_is_rewarded_for_reporting_itself_or_its_own() {
    for reporter in [1, 11, 21] {
        new_test_ext().execute_with(|| {
            assert_ok!(Stake::bond(signed(1), 1_000));
            let before = balance(reporter);
            report_in(1, 0, reporter, DOUBLE_SIGN);
            assert_eq!((held(1), balance(reporter), fund()), (500, before, 250));
        });
    }
}

/// Attack: under a name that nobody can connect with it. It loses nine tenths.
#[test]
fn r22_5_a_hidden_self_report_still_costs_nine_tenths() {
    new_test_ext().execute_with(|| {
        assert_ok!(Stake::bond(signed(1), 1_000));
        report_in(1, 0, 5, DOUBLE_SIGN);
        assert_eq!(1_000 - held(1) - balance(5), 450);
    });
}

/// Attack: two that sign twice together, and give each other away.
#[test]
fn r22_5_who_signed_twice_itself_earns_nothing_by_giving_others_away() {
    new_test_ext().execute_with(|| {
        for n in 1..=3 {
            assert_ok!(Stake::bond(signed(n), 1_000));
        }
        report_in(1, 7, 3, DOUBLE_SIGN);
        let before = balance(1);
        report_in(2, 7, 1, DOUBLE_SIGN);
        assert_eq!([1, 2].map(held), [0, 0]);
        assert_eq!(balance(1), before);
    });
}

/// Of a conspiracy the reporter gets its share of whom it reported, once; what is taken
/// from the other besides is none of its.
#[test]
fn r22_5_of_a_conspiracy_each_report_brings_its_own_share() {
    new_test_ext().execute_with(|| {
        for n in 1..=2 {
            assert_ok!(Stake::bond(signed(n), 1_000));
        }
        report_in(1, 7, 5, DOUBLE_SIGN);
        assert_eq!(balance(5), 50);
        report_in(2, 7, 6, DOUBLE_SIGN);
        assert_eq!([1, 2].map(held), [0, 0]);
        assert_eq!((balance(5), balance(6)), (50, 100));
    });
}

/// What has nothing at stake costs nothing, and a tenth of less than ten is nothing.
#[test]
fn r22_5_there_is_no_reward_where_nothing_was_taken() {
    new_test_ext().execute_with(|| {
        report_in(1, 1, 5, DOUBLE_SIGN);
        assert_ok!(Stake::bond(signed(2), 9));
        report_in(2, 2, 5, DOUBLE_SIGN);
        assert_eq!((held(2), balance(5), fund()), (0, 0, 4));
        assert!(!System::events().iter().any(|record| matches!(
            record.event,
            RuntimeEvent::Stake(Event::ReporterRewarded { .. })
        )));
    });
}
