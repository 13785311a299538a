//! What an outage is, who is compensated for it, and how much.

use crate::{
    mock::*,
    pallet::{Error, Event, Open, OutageCount, Outages},
    types::{Outage, Window},
    weights::{EstimatedWeight, WeightInfo},
    MAX_OUTAGES, MAX_REMOVED,
};
use cascoin_l2_primitives::chain::Balance;
use frame_support::{assert_noop, dispatch::Pays, traits::Hooks, weights::Weight};

#[test]
fn r25_6_fees_paid_after_an_outage_are_compensated_as_far_as_they_are_burned() {
    with_fund(1_000_000).execute_with(|| {
        begin_after(GAP);
        let until = 2 + WINDOW;
        assert_eq!(events(), [Event::OutageEnded { outage: 0, gap_ms: GAP, until }]);
        pay(1, 1_000);
        pay(1, 509);
        blocks(WINDOW);
        pay(2, 2_000);
        begin_after(500);
        pay(3, 9_000);
        let compensable = 100 + 50 + 200;
        let claim_until = until + 1 + CLAIM_BLOCKS;
        let expected =
            Event::OutageSettled { outage: 0, compensable, budget: compensable, claim_until };
        assert_eq!(events(), [expected]);

        let paid = claim(1, 0).expect("it has something to claim");
        assert_eq!(paid.pays_fee, Pays::No);
        let told = Event::Compensated { outage: 0, account: account(1), amount: 150 };
        assert_eq!(events().last(), Some(&told));
        claim(2, 0).expect("it has something to claim");
        assert_eq!([1, 2].map(balance), [150, 200]);
        assert_noop!(claim(3, 0), Error::<Test>::NothingToClaim);
        assert_eq!(fund(), 1_000_000 - 350);
        assert_eq!(Compensation::free(), fund());
    });
}

#[test]
fn r25_6_without_an_outage_nothing_is_noted() {
    with_fund(1_000).execute_with(|| {
        begin_after(GAP - 1);
        assert!(events().is_empty() && Open::<Test>::get().is_none());
        let before = System::block_weight().total();
        pay(1, 1_000);
        assert_eq!(System::block_weight().total(), before);
        assert_eq!(claims(0), 0);
        begin_after(GAP);
        pay(1, 1_000);
        assert_eq!(System::block_weight().total(), before + EstimatedWeight::<Test>::note_fee());
    });
}

#[test]
fn the_time_before_the_first_block_is_no_outage() {
    with_fund(1_000).execute_with(|| {
        ParentTime::set(0);
        Compensation::on_initialize(2);
        assert_eq!(OutageCount::<Test>::get(), 0);
    });
}

#[test]
fn an_outage_within_a_window_begins_another() {
    with_fund(1_000_000).execute_with(|| {
        begin_after(GAP);
        pay(1, 1_000);
        begin_after(2 * GAP);
        let settled = settled(0);
        assert_eq!((settled.compensable, settled.budget), (100, 100));
        let until = 3 + WINDOW;
        assert_eq!(Open::<Test>::get(), Some(Window { outage: 1, until, compensable: 0 }));
        pay(1, 3_000);
        blocks(WINDOW + 1);
        claim(1, 0).expect("there is something of the first");
        claim(1, 1).expect("and of the second");
        assert_eq!(balance(1), 100 + 300);
    });
}

#[test]
fn r25_6_where_the_fund_has_too_little_all_get_the_same_share() {
    with_fund(99).execute_with(|| {
        let outage = outage(&[(1, 1_000), (2, 2_000)]);
        assert_eq!(settled(outage).budget, 99);
        claim(2, outage).expect("it has something to claim");
        claim(1, outage).expect("it has something to claim");
        assert_eq!([1, 2].map(balance), [33, 66]);
        assert_eq!(fund(), 0);
    });
}

/// What comes later is for later outages: a budget is settled once.
#[test]
fn r25_6_an_empty_fund_pays_nothing() {
    with_fund(0).execute_with(|| {
        let outage = outage(&[(1, 1_000)]);
        assert_eq!(settled(outage).budget, 0);
        fill(500);
        assert_noop!(claim(1, outage), Error::<Test>::NothingToClaim);
        begin_after(500);
        assert_noop!(claim(1, outage), Error::<Test>::ClaimExpired);
        begin_after(500);
        assert_noop!(claim(1, outage), Error::<Test>::UnknownOutage);
        assert_eq!((claims(outage), fund()), (0, 500));
    });
}

/// A part that is rounded down to nothing is refused, and costs the fee.
#[test]
fn a_part_of_nothing_is_no_free_claim() {
    with_fund(1).execute_with(|| {
        let outage = outage(&[(1, 1_000), (2, 1_000), (3, 9)]);
        assert_noop!(claim(1, outage), Error::<Test>::NothingToClaim);
        assert_eq!(claims(outage), 2, "a base fee below ten burns no unit for certain");
    });
}

#[test]
fn r25_6_claims_lapse_and_are_removed_a_few_a_block() {
    with_fund(1_000_000).execute_with(|| {
        let many = 2 * MAX_REMOVED + 1;
        let fees: Vec<_> = (1..=many).map(|n| (n, 100)).collect();
        let outage = outage(&fees);
        let Outage { claim_until, budget, .. } = settled(outage);
        assert_eq!((budget, Compensation::free()), (Balance::from(many) * 10, 1_000_000 - budget));
        blocks(claim_until - System::block_number());
        claim(1, outage).expect("this is the last block");
        begin_after(500);
        assert_noop!(claim(2, outage), Error::<Test>::ClaimExpired);
        assert_eq!(Compensation::free(), 1_000_000 - budget);
        // With no time left nothing is removed.
        assert_eq!(Compensation::on_idle(System::block_number(), Weight::zero()), Weight::zero());
        begin_after(500);
        assert!(Outages::<Test>::get().is_empty() && claims(outage) == 0);
        assert_eq!((fund(), Compensation::free()), (1_000_000 - 10, 1_000_000 - 10));
    });
}

/// In a database, and not in a block's own changes, no more than so many go at once.
#[test]
fn no_block_removes_more_than_its_share() {
    let mut chain = with_fund(1_000_000);
    let many = 2 * MAX_REMOVED + 1;
    chain.execute_with(|| {
        outage(&(1..=many).map(|n| (n, 100)).collect::<Vec<_>>());
        System::set_block_number(settled(0).claim_until + 1);
    });
    for left in [many - MAX_REMOVED, many - 2 * MAX_REMOVED, 0] {
        chain.commit_all().expect("changes can be committed");
        chain.execute_with(|| {
            Compensation::on_idle(System::block_number(), Weight::MAX);
            Compensation::check_state().expect("sound between blocks");
            assert_eq!(claims(0), left as usize);
            assert_eq!(Outages::<Test>::get().is_empty(), left == 0);
        });
    }
}

#[test]
fn with_too_many_outages_the_claims_that_there_are_come_first() {
    with_fund(1_000_000).execute_with(|| {
        for _ in 0..MAX_OUTAGES {
            begin_after(GAP);
            pay(1, 1_000);
        }
        begin_after(GAP);
        assert_eq!(events().last(), Some(&Event::OutageNotCompensated { gap_ms: GAP }));
        pay(1, 1_000);
        assert_eq!(Outages::<Test>::get().len(), MAX_OUTAGES as usize);
        assert!(Open::<Test>::get().is_none());
        for outage in 0..MAX_OUTAGES {
            claim(1, outage).expect("each can be claimed");
        }
        assert_eq!(balance(1), Balance::from(MAX_OUTAGES) * 100);
    });
}

/// A window in which nobody paid leaves nothing.
#[test]
fn a_window_without_users_takes_no_place() {
    with_fund(1_000).execute_with(|| {
        let outage = outage(&[]);
        assert!(Outages::<Test>::get().is_empty());
        assert_noop!(claim(1, outage), Error::<Test>::UnknownOutage);
    });
}
