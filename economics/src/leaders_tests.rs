//! Terms go to whom the ranking says, in proportion to weight, and never to the absent.

use crate::{leaders::Led, rules::Rules};

const SEED: [u8; 32] = [7; 32];

#[test]
fn mainnets_figures_are_those_of_the_adr() {
    let rules = Rules::mainnet();
    // ADR 0013: a transfer is somewhat more than half a millisecond, of the 225 ms that
    // users have. Weights are measured, and differ a little each time.
    assert!((350..=500).contains(&rules.transfers), "{}", rules.transfers);
    assert_eq!(rules.chain.block_gas_limit, cascoin_l2_primitives::chain::MAX_BLOCK_GAS);
    assert_eq!((rules.sessions_a_day(), rules.epochs_a_day()), (288, 24));
    assert_eq!((rules.terms_a_session(), rules.coin()), (60, 10_000_000));
}

#[test]
fn terms_are_led_in_proportion_to_weight() {
    let rules = Rules::mainnet();
    let mut terms = [0u32; 3];
    for session in 0..100 {
        let led = Led::session(&rules, &SEED, session, &[1, 2, 7], &[false; 3]);
        let led = led.expect("all are there");
        terms.iter_mut().zip(led.terms).for_each(|(sum, terms)| *sum += terms);
        assert_eq!(led.blocks.iter().sum::<u32>(), rules.chain.session_blocks - 1);
        assert!(led.in_vain.iter().all(|in_vain| !in_vain));
    }
    assert_eq!(terms.iter().sum::<u32>(), 6_000);
    for (terms, expected) in terms.into_iter().zip([600, 1_200, 4_200u32]) {
        assert!(terms.abs_diff(expected) < 150, "{terms} instead of {expected}");
    }
}

#[test]
fn who_is_away_leads_in_vain_and_the_next_one_makes_its_blocks() {
    let rules = Rules::mainnet();
    let led = Led::session(&rules, &SEED, 1, &[1, 1, 0], &[true, false, false]);
    let led = led.expect("two are there");
    assert_eq!(led.in_vain, [true, false, false]);
    assert_eq!(led.terms, [0, rules.terms_a_session(), 0], "without weight one ranks last");
    assert!(Led::session(&rules, &SEED, 1, &[1, 1], &[true; 2]).is_none());
}
