//! Whatever L1 tells and callers try, in whatever order.

use crate::{mock::*, BootstrapRules};
use cascoin_l2_primitives::{
    registry::{ChainDefinition, ChainStatus},
    time::FREE_STEP_MS,
};
use frame_support::assert_ok;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// L1 tells of a chain of the deployer `n`.
    Register { id: u32, n: u8 },
    /// Somebody shows what a chain is.
    Define { id: u32 },
    /// The account `n`, or root, wants a status.
    Set { id: u32, n: Option<u8>, to: ChainStatus },
    /// Time goes on, milliseconds.
    Wait(u64),
    /// L1 goes on, blocks.
    Mine(u32),
}

/// Even chains are test networks, and those of the odd ones that follow.
fn definition(id: u32) -> ChainDefinition {
    if id % 2 == 0 {
        testnet()
    } else {
        mainnet(id - 1)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 1_000u32..1_004;
    let deployer = || 1u8..3;
    let status = prop::sample::select(ChainStatus::ALL.to_vec());
    prop_oneof![
        (id(), deployer()).prop_map(|(id, n)| Step::Register { id, n }),
        id().prop_map(|id| Step::Define { id }),
        (id(), prop::option::of(deployer()), status).prop_map(|(id, n, to)| Step::Set {
            id,
            n,
            to
        }),
        (0..DAY_MS).prop_map(Step::Wait),
        (0..FAR / 4).prop_map(Step::Mine),
    ]
}

fn status(id: u32) -> Option<ChainStatus> {
    L2Registry::chain(id).map(|listed| listed.chain.status)
}

proptest! {
    #[test]
    fn r1_3_the_registry_holds_together_and_statuses_go_their_ways(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        new_test_ext().execute_with(|| {
            for step in steps {
                let before = L2Registry::chains(false);
                match step {
                    Step::Register { id, n } => {
                        hear(&registration(id, n, &definition(id)));
                        prop_assert!(status(id).is_some());
                    }
                    Step::Define { id } => {
                        let known = L2Registry::chain(id).map(|listed| listed.chain.definition);
                        let shown = L2Registry::define(signed(9), id, definition(id));
                        prop_assert_eq!(shown.is_ok(), known == Some(None));
                    }
                    Step::Set { id, n, to } => {
                        let from = status(id);
                        let origin = n.map_or_else(RuntimeOrigin::root, signed);
                        if L2Registry::set_status(origin, id, to).is_ok() {
                            let from = from.expect("an unknown chain has no status");
                            prop_assert_eq!(status(id), Some(to));
                            let may = match n {
                                Some(_) => from.deployer_may(to),
                                None => from.governance_may(to),
                            };
                            prop_assert!(may);
                        } else {
                            prop_assert_eq!(status(id), from);
                        }
                    }
                    Step::Wait(ms) => Present::set(Present::get() + ms),
                    Step::Mine(blocks) => L1Height::set(L1Height::get() + blocks),
                }
                prop_assert_eq!(L2Registry::check_state(), Ok(()));
                // Nobody takes a chain from its deployer, or makes another one of it.
                for known in before {
                    let now = L2Registry::chain(known.id).expect("it is registered still");
                    prop_assert_eq!(now.chain.owner, known.chain.owner);
                    prop_assert_eq!(now.chain.definition_hash, known.chain.definition_hash);
                    prop_assert!(!known.chain.opened || now.chain.opened);
                }
            }
            Ok(())
        })?;
    }

    /// R32.3: whatever the blocks' times are, the chain is open once it has lived for as long
    /// as the rules say and not before, and longer steps count as the longest that does.
    #[test]
    fn r32_3_the_bootstrap_lasts_as_long_as_the_chain_lives(
        first in 0..NOW,
        pauses in prop::collection::vec(prop_oneof![0..FREE_STEP_MS, 0..2 * DAY_MS], 1..20),
    ) {
        let rules = BootstrapRules { bootstrap_ms: 4 * FREE_STEP_MS, min_sequencers: 5 };
        with_rules(rules).execute_with(|| {
            use frame_support::traits::Hooks;
            Present::set(first);
            L2Registry::on_finalize(1);
            let mut lived = 0;
            for pause in pauses {
                Present::set(Present::get() + pause);
                lived += pause.min(FREE_STEP_MS);
                prop_assert_eq!(L2Registry::is_open(), lived >= rules.bootstrap_ms);
                L2Registry::on_finalize(1);
                prop_assert_eq!(L2Registry::check_state(), Ok(()));
            }
            Ok(())
        })?;
    }
}

/// The steps above can open a chain, so that the test is about something.
#[test]
fn a_chain_can_be_opened_by_the_steps() {
    new_test_ext().execute_with(|| {
        hear(&registration(1_000, 1, &definition(1_000)));
        hear(&registration(1_001, 1, &definition(1_001)));
        assert_ok!(L2Registry::define(signed(9), 1_000, definition(1_000)));
        assert_ok!(L2Registry::define(signed(9), 1_001, definition(1_001)));
        Present::set(NOW + DAY_MS);
        for id in [1_000, 1_001] {
            assert_ok!(L2Registry::set_status(signed(1), id, ChainStatus::Active));
        }
    });
}
