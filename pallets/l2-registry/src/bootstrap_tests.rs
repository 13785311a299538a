//! The time before the chain itself opens (R32.3).

use crate::{
    mock::*,
    pallet::{Event, OwnBootstrap},
    Bootstrap, BootstrapRules,
};
use cascoin_l2_primitives::{registry::ChainStatus, time::FREE_STEP_MS};
use frame_support::traits::Hooks;

/// A block at `time`; says whether the chain is open in it.
fn block(time: u64) -> bool {
    Present::set(time);
    let open = L2Registry::is_open();
    L2Registry::on_finalize(1);
    open
}

#[test]
fn r32_3_a_chain_is_closed_for_a_day_from_its_first_block() {
    new_test_ext().execute_with(|| {
        assert!(!L2Registry::is_open(), "before its first block");
        assert!(!block(NOW));
        assert_eq!(OwnBootstrap::<Test>::get(), Bootstrap::Left { last: NOW, ms: DAY_MS });
        assert!(!block(NOW + 500));
        // The longest steps that count in full.
        for step in 1..DAY_MS / FREE_STEP_MS {
            assert!(!block(NOW + step * FREE_STEP_MS));
        }
        assert!(!block(NOW + DAY_MS - 1));
        assert!(System::events().is_empty());
        assert!(block(NOW + DAY_MS), "in the first block after it");
        System::assert_last_event(Event::<Test>::BootstrapEnded.into());
        assert!(!OwnBootstrap::<Test>::exists());
        assert!(block(NOW + DAY_MS + 500));
        assert_eq!(System::events().len(), 1, "it ends once");
    });
}

/// Attack: the leader of the first block alone dates it back by a day. And an outage of days
/// is no time in which anybody watched the chain.
#[test]
fn r32_3_neither_a_date_of_long_ago_nor_an_outage_opens_the_chain() {
    new_test_ext().execute_with(|| {
        assert!(!block(NOW - DAY_MS + 60_000));
        assert!(!block(NOW));
        assert!(!block(NOW + 60_000));
        assert!(!block(NOW + 3 * DAY_MS));
        let left = Bootstrap::Left { last: NOW + 3 * DAY_MS, ms: DAY_MS - 3 * FREE_STEP_MS };
        assert_eq!(OwnBootstrap::<Test>::get(), left);
        assert!(!L2Registry::is_open());
        assert_eq!(L2Registry::check_state(), Ok(()));
    });
}

#[test]
fn a_test_network_is_open_at_once() {
    with_rules(BootstrapRules { bootstrap_ms: 0, min_sequencers: 1 }).execute_with(|| {
        assert!(L2Registry::is_open());
        assert!(block(NOW));
        assert!(!OwnBootstrap::<Test>::exists());
    });
}

/// R12.5: an outage shows in the chain's own status, before and after it has opened.
#[test]
fn r12_5_the_chains_own_status_says_emergency() {
    with_rules(BootstrapRules { bootstrap_ms: 1_000, min_sequencers: 5 }).execute_with(|| {
        block(NOW);
        for (time, otherwise) in
            [(NOW + 500, ChainStatus::Bootstrapping), (NOW + 1_000, ChainStatus::Active)]
        {
            block(time);
            assert_eq!(L2Registry::own_status(), otherwise);
            Emergency::set(true);
            assert_eq!(L2Registry::own_status(), ChainStatus::Emergency);
            Emergency::set(false);
        }
    });
}

/// R32.5: who says nothing gets the rules of public networks.
#[test]
fn r32_5_the_default_is_the_safe_one() {
    let rules = BootstrapRules::default();
    assert_eq!((rules.bootstrap_ms, rules.min_sequencers), (DAY_MS, 5));
}
