//! Who tries to get more than it paid.

use crate::{mock::*, pallet::Error, pallet::Outages};
use cascoin_l2_primitives::chain::{Balance, FeeSplit};
use frame_support::assert_noop;

#[test]
fn r25_6_nobody_is_paid_twice() {
    with_fund(1_000_000).execute_with(|| {
        let outage = outage(&[(1, 1_000)]);
        claim(1, outage).expect("the first time");
        assert_noop!(claim(1, outage), Error::<Test>::NothingToClaim);
        assert_eq!((balance(1), fund()), (100, 1_000_000 - 100));
    });
}

#[test]
fn r25_6_who_paid_nothing_gets_nothing() {
    with_fund(1_000_000).execute_with(|| {
        let outage = outage(&[(1, 1_000), (2, 0)]);
        for n in [2, 3] {
            assert_noop!(claim(n, outage), Error::<Test>::NothingToClaim);
        }
        assert_noop!(claim(1, outage + 1), Error::<Test>::UnknownOutage);
        assert_eq!(fund(), 1_000_000);
    });
}

/// While a window is open nobody knows what it comes to.
#[test]
fn nothing_is_claimed_before_it_is_settled() {
    with_fund(1_000_000).execute_with(|| {
        begin_after(GAP);
        pay(1, 1_000);
        assert_noop!(claim(1, 0), Error::<Test>::UnknownOutage);
    });
}

/// R25.6: all sequencers and all users together, who pay fees to themselves: what comes
/// back of their fees and what they are compensated is at most what they paid.
#[test]
fn r25_6_who_fills_the_window_with_its_own_transactions_gains_nothing() {
    for (producer, others) in [(70, 20), (100, 0), (0, 0), (33, 33), (99, 0)] {
        with_fund(1 << 100).execute_with(|| {
            Split::set(FeeSplit { producer, others });
            let fees: Vec<(u32, Balance)> =
                (0..200).map(|n| (n % 7, 1_003 * Balance::from(n) + 17)).collect();
            let paid: Balance = fees.iter().map(|(_, fee)| fee).sum();
            let outage = outage(&fees);
            for n in 0..7 {
                let _ = claim(n, outage);
            }
            let compensated: Balance = (0..7).map(balance).sum();
            // What they earn of it, rounded down as the split of a block is.
            let earned = paid * Balance::from(producer) / 100 + paid * Balance::from(others) / 100;
            assert!(earned + compensated <= paid, "{producer}/{others}");
            assert_eq!(compensated == 0, producer == 100);
        });
    }
}

/// A thousand accounts that share a fee get no more than one that pays it.
#[test]
fn r25_6_sybil_accounts_gain_nothing() {
    let gained = |accounts: u32| {
        with_fund(50_000).execute_with(|| {
            // Somebody honest, too, so that the fund has not enough.
            let mut fees = vec![(70_000, 1_000_000)];
            fees.extend((0..accounts).map(|n| (n, 1_000_000 / Balance::from(accounts))));
            let outage = outage(&fees);
            for n in 0..accounts {
                claim(n, outage).expect("it has something to claim");
            }
            (0..accounts).map(balance).sum::<Balance>()
        })
    };
    let alone = gained(1);
    assert_eq!(alone, 25_000);
    for accounts in [2, 10, 1_000] {
        assert!(gained(accounts) <= alone, "{accounts}");
    }
}

/// To take one unit out of the fund costs ten that are burned or others'.
#[test]
fn r25_6_draining_the_fund_costs_ten_times_what_it_takes() {
    with_fund(1_000).execute_with(|| {
        let outage = outage(&[(1, 9_999)]);
        claim(1, outage).expect("it has something to claim");
        assert_eq!((balance(1), fund()), (999, 1));
    });
}

#[test]
fn r25_6_ten_thousand_claims() {
    with_fund(10_000_000).execute_with(|| {
        let fees: Vec<_> = (0..10_000).map(|n| (n, 1_000 + Balance::from(n))).collect();
        let compensable: Balance = fees.iter().map(|(_, fee)| fee / 10).sum();
        let outage = outage(&fees);
        assert_eq!(settled(outage).budget, compensable);
        // In no particular order.
        for step in 0..10_000u32 {
            let n = step * 7_919 % 10_000;
            claim(n, outage).expect("it has something to claim");
            assert_eq!(balance(n), (1_000 + Balance::from(n)) / 10);
        }
        assert_eq!(fund(), 10_000_000 - compensable);
        assert_eq!((settled(outage).owed(), claims(outage)), (0, 0));
        Compensation::check_state().expect("sound");
    });
}

/// Nothing overflows at the greatest supply there can be.
#[test]
fn r25_6_all_the_money_that_can_exist_is_no_trouble() {
    with_fund(Balance::MAX / 2).execute_with(|| {
        begin_after(GAP);
        // Nobody can pay that, and least of all both.
        pay(1, Balance::MAX);
        pay(2, Balance::MAX);
        blocks(WINDOW + 1);
        let half = Balance::MAX / 10;
        assert_eq!(settled(0).compensable, 2 * half);
        for n in [1, 2] {
            claim(n, 0).expect("it has something to claim");
            assert_eq!(balance(n), half);
        }
        Split::set(FeeSplit { producer: 0, others: 0 });
        begin_after(GAP);
        for n in 3..6 {
            pay(n, Balance::MAX);
        }
        blocks(WINDOW + 1);
        let outage = settled(1);
        assert_eq!((outage.compensable, outage.budget), (Balance::MAX, fund()));
        claim(3, 1).expect("the first took all that could be noted");
        assert_eq!((balance(3), fund()), (outage.budget, 0));
        assert_noop!(claim(4, 1), Error::<Test>::NothingToClaim);
        // The first, all of which was claimed, has made room.
        let left: Vec<_> = Outages::<Test>::get().iter().map(|known| known.outage).collect();
        assert_eq!(left, [1]);
        Compensation::check_state().expect("sound");
    });
}
