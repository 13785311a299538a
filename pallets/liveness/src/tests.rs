//! What is stored and told of the chain's life. The rules themselves are tested with
//! `primitives/src/liveness.rs`.

use crate::{self as pallet_liveness, Event, Life};
use cascoin_l2_primitives::chain::{ChainParameters, Moment};
use frame_support::{
    derive_impl, parameter_types,
    traits::{Get, Hooks},
};
use sp_runtime::BuildStorage;

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Liveness: pallet_liveness,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

const START: Moment = 1_780_000_000_000;
const BLOCK: Moment = 500;
const DELAY: Moment = 3_600_000;
/// Twenty blocks.
const RECOVERY: Moment = 10_000;
const STALL: Moment = 60_000;

parameter_types! {
    pub static Parent: Moment = 0;
    pub static Now: Moment = START;
    pub static L1Height: u32 = 100;
}

pub struct Parameters;
impl Get<ChainParameters> for Parameters {
    fn get() -> ChainParameters {
        ChainParameters {
            block_time_ms: BLOCK,
            emergency_delay_s: DELAY / 1_000,
            emergency_recovery_s: RECOVERY / 1_000,
            l1_stall_s: STALL / 1_000,
            ..Default::default()
        }
    }
}

impl pallet_liveness::Config for Test {
    type Parameters = Parameters;
    type BlockTime = Now;
    type ParentTime = Parent;
    type L1Height = L1Height;
    type WeightInfo = ();
}

/// A chain with its first block.
fn chain() -> sp_io::TestExternalities {
    Parent::set(0);
    Now::set(START);
    L1Height::set(100);
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut ext = sp_io::TestExternalities::new(storage.expect("genesis builds"));
    ext.execute_with(|| {
        begin();
        assert_eq!(Life::<Test>::get(), Default::default(), "nothing to be silent since");
    });
    ext
}

fn begin() {
    let height = System::block_number() + 1;
    System::reset_events();
    System::set_block_number(height);
    Liveness::on_initialize(height);
    assert_eq!(Liveness::check_state(), Ok(()));
}

/// A block so much later than the last; says what is told in it.
fn block(step: Moment) -> Vec<Event<Test>> {
    Parent::set(Now::get());
    Now::mutate(|now| *now += step);
    begin();
    let told = System::events().into_iter().map(|record| record.event);
    told.filter_map(|event| match event {
        RuntimeEvent::Liveness(event) => Some(event),
        _ => None,
    })
    .collect()
}

#[test]
fn r12_1_an_emergency_is_told_once_when_it_begins_and_when_it_ends() {
    chain().execute_with(|| {
        assert!(block(BLOCK).is_empty());
        let last_sign = Now::get();
        let began = Event::EmergencyBegan { last_sign, silent_ms: DELAY };
        assert_eq!(block(DELAY), [began]);
        assert!(Liveness::is_emergency(), "in this very block");
        let since = Now::get();
        for _ in 0..RECOVERY / BLOCK - 1 {
            assert!(block(BLOCK).is_empty());
            assert!(Liveness::is_emergency());
        }
        // The relay goes on.
        L1Height::set(101);
        assert_eq!(block(BLOCK), [Event::EmergencyEnded { since }]);
        assert!(!Liveness::is_emergency());
        assert!(block(BLOCK).is_empty());
    });
}

#[test]
fn r12_1_an_outage_that_is_shorter_is_none() {
    chain().execute_with(|| {
        assert!(block(DELAY - 1).is_empty());
        assert!(!Liveness::is_emergency());
    });
}

#[test]
fn r12_1_another_silence_makes_an_emergency_last() {
    chain().execute_with(|| {
        assert_eq!(block(DELAY).len(), 1);
        let since = Now::get();
        let halfway = RECOVERY / BLOCK - 1;
        for _ in 0..halfway {
            L1Height::mutate(|height| *height += 1);
            block(BLOCK);
        }
        block(DELAY);
        for _ in 0..halfway {
            L1Height::mutate(|height| *height += 1);
            assert!(block(BLOCK).is_empty());
        }
        L1Height::mutate(|height| *height += 1);
        assert_eq!(block(BLOCK), [Event::EmergencyEnded { since }]);
    });
}

#[test]
fn r27_5_a_stalled_l1_is_told_once_and_stops_nothing() {
    chain().execute_with(|| {
        for _ in 0..STALL / BLOCK - 1 {
            assert!(block(BLOCK).is_empty());
        }
        assert_eq!(block(BLOCK), [Event::L1Stalled { quiet_ms: STALL }]);
        assert!(Liveness::is_l1_stalled() && !Liveness::is_emergency());
        assert!(block(BLOCK).is_empty());
        L1Height::set(101);
        assert_eq!(block(BLOCK), [Event::L1Resumed]);
        assert!(block(BLOCK).is_empty());
        // It may also go back, where it leaves the branch that was attested.
        for _ in 0..STALL / BLOCK - 3 {
            assert!(block(BLOCK).is_empty());
        }
        L1Height::set(99);
        assert!(block(BLOCK).is_empty());
        assert!(!Liveness::is_l1_stalled());
    });
}
