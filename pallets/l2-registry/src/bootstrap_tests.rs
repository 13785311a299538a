//! The time before the chain itself opens (R32.3).

use crate::{
    mock::*,
    pallet::{Event, OwnBootstrap},
    Bootstrap, BootstrapRules,
};
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
        assert_eq!(OwnBootstrap::<Test>::get(), Bootstrap::Until(NOW + DAY_MS));
        // Later blocks do not move the end.
        assert!(!block(NOW + 500));
        assert!(!block(NOW + DAY_MS - 1));
        assert!(System::events().is_empty());
        assert!(block(NOW + DAY_MS), "in the first block after it");
        System::assert_last_event(Event::<Test>::BootstrapEnded.into());
        assert!(!OwnBootstrap::<Test>::exists());
        assert!(block(NOW + DAY_MS + 500));
        assert_eq!(System::events().len(), 1, "it ends once");
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

/// R32.5: who says nothing gets the rules of public networks.
#[test]
fn r32_5_the_default_is_the_safe_one() {
    let rules = BootstrapRules::default();
    assert_eq!((rules.bootstrap_ms, rules.min_sequencers), (DAY_MS, 5));
}
