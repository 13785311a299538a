//! Blocks on top of genesis: who made them, when, and what is refused.

use crate::chain::{undone, Chain, START};
use cascoin_l2_primitives::sequencers::{ParticipationData, PARTICIPATION_IDENTIFIER};
use cascoin_l2_runtime::{
    configs::RuntimeBlockWeights, Authorship, Block, Executive, Runtime, RuntimeCall, Session,
    System, Timestamp, UncheckedExtrinsic,
};
use frame_support::dispatch::DispatchClass;
use proptest::prelude::*;
use sp_block_builder::runtime_decl_for_block_builder::BlockBuilder;
use sp_inherents::InherentData;
use std::panic::{catch_unwind, AssertUnwindSafe};

#[test]
fn the_first_block_builds_and_executes_on_every_genesis_that_has_sequencers() {
    for name in ["regtest", "local", "dev"] {
        let mut chain = Chain::of(name);
        let genesis = chain.head.hash();
        let (block, _) = chain.grow(vec![]);
        assert_eq!(block.header.parent_hash, genesis, "{name}");
        chain.read(|| {
            assert_eq!(System::block_number(), 1);
            assert_eq!(System::block_hash(0), genesis);
            assert_eq!(Timestamp::get(), START + 500);
        });
    }
}

#[test]
fn the_slot_names_the_author() {
    let mut chain = Chain::of("regtest");
    for slot in [START + 2, START + 3, START + 4, START + 9] {
        let header = chain.unfinished(slot);
        chain.read(|| {
            let expected = Session::validators()[(slot % 4) as usize].clone();
            undone(|| {
                Executive::initialize_block(&header);
                assert_eq!(Authorship::author(), Some(expected));
            });
        });
    }
}

/// Whether a block at `time` can be made on the chain; the chain is as before
/// if not.
pub fn extend(chain: &mut Chain, time: u64) -> bool {
    let before = chain.ext.backend.clone();
    let made = catch_unwind(AssertUnwindSafe(|| {
        let (block, _) = chain.build(time, vec![]);
        chain.execute(block);
    }));
    if made.is_err() {
        chain.ext = Default::default();
        chain.ext.backend = before;
    }
    made.is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// P15: whatever times are tried, exactly those after the last block's are
    /// accepted.
    #[test]
    fn p15_timestamps_are_strictly_monotonic(
        steps in prop::collection::vec(prop_oneof![-3i64..=3, -100_000i64..=100_000], 1..12),
    ) {
        let mut chain = Chain::of("dev");
        let mut last = START;
        prop_assert!(extend(&mut chain, last));
        for step in steps {
            let time = last.saturating_add_signed(step);
            prop_assert_eq!(extend(&mut chain, time), time > last);
            last = last.max(time);
            chain.read(|| assert_eq!(Timestamp::get(), last));
        }
    }
}

#[test]
#[should_panic(expected = "Timestamp slot must match")]
fn the_timestamp_must_be_the_slot() {
    let mut chain = Chain::of("dev");
    let header = chain.unfinished(START + 7);
    chain.read(|| {
        Executive::initialize_block(&header);
        let now = START + 8;
        let _ = Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(
            pallet_timestamp::Call::set { now },
        )));
    });
}

#[test]
#[should_panic(expected = "Timestamp must be updated once in the block")]
fn a_block_without_a_timestamp_is_refused() {
    let mut chain = Chain::of("dev");
    let header = chain.unfinished(START + 7);
    chain.read(|| {
        Executive::initialize_block(&header);
        Executive::finalize_block();
    });
}

/// R27.3: nodes check the inherents of a block before they vote for it.
#[test]
fn r27_3_a_block_more_than_30_s_ahead_is_refused() {
    let mut chain = Chain::of("dev");
    let (block, _) = chain.build(START, vec![]);
    for (clock, fits) in [(START - 30_000, true), (START - 30_001, false), (START + 1, true)] {
        assert_eq!(inherents_fit(&mut chain, &block, clock), fits, "clock {clock}");
    }
}

fn inherents_fit(chain: &mut Chain, block: &Block, clock: u64) -> bool {
    let mut data = InherentData::new();
    data.put_data(sp_inherents_timestamp_id(), &clock).expect("there is none yet");
    data.put_data(PARTICIPATION_IDENTIFIER, &ParticipationData::default())
        .expect("there is none yet");
    let block = block.clone();
    chain.read(|| Runtime::check_inherents(block.into(), data)).ok()
}

/// What sp-timestamp calls its inherent.
const fn sp_inherents_timestamp_id() -> [u8; 8] {
    *b"timstap0"
}

#[test]
fn users_cannot_take_the_weight_kept_for_the_relay() {
    let weights = RuntimeBlockWeights::get();
    let normal = weights.get(DispatchClass::Normal).max_total.expect("it is limited");
    let operational = weights.get(DispatchClass::Operational);
    assert_eq!(weights.max_block.ref_time(), 300_000_000_000, "300 ms");
    assert_eq!(operational.max_total, Some(weights.max_block));
    assert_eq!(operational.reserved, Some(weights.max_block - normal));
}
