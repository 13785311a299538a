//! Who is paid, when, and where (R38.5).

use crate::{
    mock::*,
    pallet::{Earnings, Error, Event, Payouts},
    types::Earned,
};
use cascoin_l2_primitives::{chain::Balance, rewards::Payout};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, TokenError};

fn set_payout(seed: u8, payout: Payout) {
    assert_ok!(Rewards::set_payout(RuntimeOrigin::signed(account(seed)), payout));
}

fn claim(seed: u8) -> Result<(), DispatchError> {
    Rewards::claim(RuntimeOrigin::signed(account(seed)))
}

/// To the end of the session and its settlement: 1 makes a block that brings `fees`, and
/// nobody signs enough for a bonus.
fn session_of(fees: Balance) {
    let absent = || Some(vec![0; 4]);
    block(Made { uptimes: absent(), ..Made::by(1, &[(fees, 0)]) });
    while !System::block_number().is_multiple_of(SessionBlocks::get()) {
        block(Made { uptimes: absent(), ..Made::by(1, &[]) });
    }
    block(Made { uptimes: absent(), ..Made::by(1, &[]) });
}

/// Of four alike: 700 for 1, 60 for each other one, and 20 set aside.
fn session() {
    session_of(1_000);
}

#[test]
fn r38_5_a_sequencer_is_paid_to_itself_unless_it_says_otherwise() {
    new_test_ext(4).execute_with(|| {
        session();
        assert_eq!([1, 2, 3, 4].map(balance), [700, 60, 60, 60]);
        assert_eq!([1, 2, 3, 4].map(owed), [0; 4]);
        assert_eq!(Earnings::<Test>::get(account(1)), Earned { owed: 0, paid: 700 });
    });
}

#[test]
fn r38_5_or_to_another_account_or_when_it_claims() {
    new_test_ext(4).execute_with(|| {
        block(Made::by(1, &[]));
        set_payout(1, Payout::To(account(50)));
        set_payout(2, Payout::Claimed);
        assert_eq!(
            events()[1],
            Event::PayoutSet { sequencer: account(2), payout: Payout::Claimed }
        );
        session();
        assert_eq!([1, 2, 3, 50].map(balance), [0, 0, 60, 700]);
        assert_eq!((owed(2), of(2).payout), (60, Payout::Claimed));

        // Twice pays nothing twice.
        assert_ok!(claim(2));
        assert_eq!((balance(2), owed(2), of(2).paid), (60, 0, 60));
        assert_noop!(claim(2), Error::<Test>::NothingToClaim);
        assert_noop!(claim(1), Error::<Test>::NothingToClaim);
        assert_noop!(claim(PAYER), Error::<Test>::NothingToClaim);
        check();

        // What is owed grows until it is claimed.
        session();
        session();
        assert_eq!(owed(2), 120);
        set_payout(2, Payout::To(account(51)));
        assert_ok!(claim(2));
        assert_eq!((balance(2), balance(51)), (60, 120));
        set_payout(2, Payout::To(account(2)));
        assert_eq!(of(2).payout, Payout::Own, "to itself is the default");
        assert!(!Payouts::<Test>::contains_key(account(2)));
        check();
    });
}

/// A chain's smallest balance is 1, so that nearly nothing can fail; here it is not.
#[test]
fn what_cannot_be_paid_stays_owed() {
    with_weights(vec![(1, 100), (2, 1), (3, 150), (4, 150)]).execute_with(|| {
        ExistentialDeposit::set(150);
        // A tenth of 20,000 is set aside; of the rest 2 gets one of 301 parts.
        session_of(100_000);
        assert_eq!([1, 2, 3, 4].map(balance), [70_000, 0, 8_970, 8_970]);
        assert_eq!(owed(2), 59);
        assert_eq!(claim(2), Err(DispatchError::Token(TokenError::BelowMinimum)));
        assert_eq!(owed(2), 59);
        session_of(100_000);
        assert_eq!((balance(2), owed(2)), (0, 118));
        // All of it together is enough.
        session_of(100_000);
        assert_eq!((balance(2), owed(2), of(2).paid), (177, 0, 177));
    });
}

#[test]
fn a_payout_that_fails_is_told() {
    new_test_ext(2).execute_with(|| {
        ExistentialDeposit::set(19_000);
        session_of(100_000);
        let failed = Event::PayoutFailed { sequencer: account(2), owed: 18_000 };
        assert!(events().contains(&failed), "{:?}", events());
        assert_eq!((balance(1), owed(2)), (70_000, 18_000));
    });
}

#[test]
fn only_sequencers_choose_and_never_the_pot() {
    new_test_ext(2).execute_with(|| {
        let choose =
            |seed: u8, payout| Rewards::set_payout(RuntimeOrigin::signed(account(seed)), payout);
        assert_noop!(choose(3, Payout::Claimed), Error::<Test>::NotASequencer);
        assert_noop!(choose(1, Payout::To(Rewards::pot())), Error::<Test>::PotAsPayout);
        let root = Rewards::set_payout(RuntimeOrigin::root(), Payout::Claimed);
        assert_eq!(root, Err(DispatchError::BadOrigin));
        assert_eq!(Rewards::claim(RuntimeOrigin::none()), Err(DispatchError::BadOrigin));
    });
}

#[test]
fn who_left_the_set_still_gets_what_it_earned() {
    new_test_ext(3).execute_with(|| {
        block(Made::by(1, &[]));
        set_payout(3, Payout::Claimed);
        grow_to(9, 1);
        let changes_to = Some(vec![(1, 100), (2, 100)]);
        block(Made { changes_to, ..Made::by(3, &[(1_000, 0)]) });
        grow_to(25, 1);
        assert_eq!((owed(3), of(3).running), (706, None));
        set_payout(3, Payout::To(account(60)));
        assert_ok!(claim(3));
        assert_eq!(balance(60), 706);
    });
}
