//! Whatever happens, in any order.

use crate::{mock::*, pallet::Outages, MAX_OUTAGES};
use cascoin_l2_primitives::chain::Balance;
use proptest::prelude::*;
use std::collections::BTreeMap;

const USERS: u32 = 6;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// An offence brings something into the fund.
    Slash(Balance),
    Outage,
    Pay(u32, Balance),
    Blocks(u32),
    Claim(u32, u32),
    /// By a transaction that nobody signs.
    ClaimFor(u32, u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    let fee = prop_oneof![0..30u128, 0..100_000u128, Just(1 << 60)];
    prop_oneof![
        2 => (0..20_000u128).prop_map(Step::Slash),
        2 => Just(Step::Outage),
        8 => (0..USERS, fee).prop_map(|(who, fee)| Step::Pay(who, fee)),
        4 => (1..2 * WINDOW).prop_map(Step::Blocks),
        1 => Just(Step::Blocks(CLAIM_BLOCKS)),
        4 => (0..USERS, 0..12u32).prop_map(|(who, outage)| Step::Claim(who, outage)),
        4 => (0..USERS, 0..12u32).prop_map(|(who, outage)| Step::ClaimFor(who, outage)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// R25.6: each unit that came into the fund is there or was paid; nobody gets more
    /// than was burned of its fees; the books are sound after each step.
    #[test]
    fn r25_6_no_coin_is_made_or_lost_and_nobody_gets_more_than_was_burned_of_its_fees(
        steps in prop::collection::vec(any_step(), 1..120),
    ) {
        with_fund(0).execute_with(|| {
            let mut slashed: Balance = 0;
            let mut burned: BTreeMap<u32, Balance> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Slash(amount) => {
                        fill(amount);
                        slashed += amount;
                    }
                    Step::Outage => begin_after(GAP),
                    Step::Pay(who, fee) => {
                        pay(who, fee);
                        *burned.entry(who).or_default() += fee / 10;
                    }
                    Step::Blocks(count) => blocks(count),
                    Step::Claim(who, outage) | Step::ClaimFor(who, outage) => {
                        let before = (balance(who), fund());
                        let paid = match step {
                            Step::Claim(..) => claim(who, outage).is_ok(),
                            _ => claim_for(who, outage).is_ok(),
                        };
                        let (gained, spent) = (balance(who) - before.0, before.1 - fund());
                        prop_assert_eq!(gained, spent);
                        prop_assert_eq!(paid, gained > 0);
                    }
                }
                Compensation::check_state().expect("sound");
                let paid: Balance = (0..USERS).map(balance).sum();
                prop_assert_eq!(fund() + paid, slashed);
                prop_assert!(Compensation::free() <= fund());
                for who in 0..USERS {
                    prop_assert!(balance(who) <= burned.get(&who).copied().unwrap_or(0));
                }
                prop_assert!(Outages::<Test>::get().len() <= MAX_OUTAGES as usize);
            }
            // Whatever was not claimed is free again in the end.
            blocks(2 * CLAIM_BLOCKS + 2 * WINDOW);
            prop_assert_eq!(Compensation::free(), fund());
            prop_assert!(Outages::<Test>::get().is_empty());
            Ok(())
        })?;
    }
}
