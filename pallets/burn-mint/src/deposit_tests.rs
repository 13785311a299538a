//! What messages destroy is credited by the books and the limits of burns.

use crate::mock::*;
use cascoin_l2_primitives::{
    apis::BurnOutcome,
    messages::{MessageValue, ValueStanding},
};
use frame_support::{assert_ok, traits::fungible::Inspect};

fn credit(number: u32, value: u64) -> bool {
    BurnMint::credit(outpoint(number), value, &BOB, &l1_block())
}

fn standing(number: u32) -> ValueStanding {
    BurnMint::standing(&outpoint(number))
}

#[test]
fn r9_1_what_a_message_destroys_is_credited_to_its_sender_once() {
    new_test_ext().execute_with(|| {
        assert_eq!(standing(1), ValueStanding::Waits);
        assert!(credit(1, 70));
        assert_eq!((Balances::balance(&BOB), standing(1)), (70, ValueStanding::Credited));
        // Nor by a burn of the same output.
        assert!(!credit(1, 70));
        burn(1, BOB, 70);
        assert_eq!(Balances::balance(&BOB), 70);
        let supply = BurnMint::supply();
        assert_eq!((supply.minted, supply.burn_count, supply.valid), (70, 1, true));
        // Which checks the state and the supply.
        next_block();
        assert!(BurnMint::supply().valid);
    });
}

#[test]
fn r36_1_above_a_limit_the_value_of_a_message_waits_and_none_of_it_is_lost() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 1_000));
        assert!(credit(1, 250));
        for minted in [100, 200] {
            assert_eq!((Balances::balance(&BOB), standing(1)), (minted, ValueStanding::Waits));
            next_day();
            next_block();
        }
        assert_eq!((Balances::balance(&BOB), standing(1)), (250, ValueStanding::Credited));
    });
}

#[test]
fn governance_rejects_a_value_that_waits_as_it_does_burns() {
    new_test_ext().execute_with(|| {
        DayLimits::set((100, 100, 1_000));
        assert!(credit(1, 250));
        assert_ok!(BurnMint::stop(RuntimeOrigin::root()));
        assert_ok!(BurnMint::reject_waiting(RuntimeOrigin::root(), outpoint(1)));
        assert_eq!(standing(1), ValueStanding::Rejected);
        assert!(matches!(record(1).outcome, BurnOutcome::Rejected(_)));
        next_block();
        assert_eq!(Balances::balance(&BOB), 100);
    });
}
