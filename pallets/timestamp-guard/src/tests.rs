//! Which times are refused, and what is a pattern.

use crate::{self as pallet_timestamp_guard, Event, Jumps, Patterns, PATTERN_BLOCKS};
use cascoin_l2_primitives::{
    chain::{AccountId, ChainParameters, Moment},
    consensus::LeaderDigest,
    sequencers::{Offence, OffenceKind, OnOffence, SequencerSetProvider},
    time::{L1Clock, L1Time, TimeBounds, FREE_STEP_MS, MAX_DRIFT_MS},
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{Get, Hooks, OnTimestampSet, Time},
};
use sp_core::ed25519;
use sp_runtime::{traits::IdentityLookup, BuildStorage, Digest, Weight};
use std::panic::{catch_unwind, AssertUnwindSafe};

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Guard: pallet_timestamp_guard,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

parameter_types! {
    pub static Now: Moment = 0;
    pub static L1Says: L1Time = L1Time::default();
    pub static Author: Option<AccountId> = Some(account(0));
    pub static SetId: u64 = 5;
    pub static Told: Vec<Offence> = Vec::new();
}

pub struct Clock;
impl Time for Clock {
    type Moment = Moment;

    fn now() -> Moment {
        Now::get()
    }
}

impl L1Clock for L1Says {
    fn l1_time(_: Moment) -> L1Time {
        Self::get()
    }
}

pub struct Parameters;
impl Get<ChainParameters> for Parameters {
    fn get() -> ChainParameters {
        ChainParameters {
            block_time_ms: 500,
            propose_timeout_ms: 3_000,
            prevote_timeout_ms: 500,
            precommit_timeout_ms: 500,
            ..Default::default()
        }
    }
}

/// A set of four.
pub struct Four;
impl SequencerSetProvider for Four {
    fn set_id() -> u64 {
        SetId::get()
    }
    fn members() -> usize {
        4
    }
    fn account(index: u16) -> Option<AccountId> {
        (index < 4).then(|| account(index as u8))
    }
    fn relay_key(_: u16) -> Option<ed25519::Public> {
        None
    }
    fn index_of_relay_key(_: &ed25519::Public) -> Option<u16> {
        None
    }
}

pub struct Tell;
impl OnOffence for Tell {
    fn on_offence(offence: &Offence) {
        Told::mutate(|told| told.push(offence.clone()));
    }
    fn max_offence_weight() -> Weight {
        Weight::zero()
    }
}

impl pallet_timestamp_guard::Config for Test {
    type Time = Clock;
    type Parameters = Parameters;
    type L1 = L1Says;
    type Sequencers = Four;
    type Author = Author;
    type OnOffence = Tell;
    type WeightInfo = ();
}

const START: Moment = 1_780_000_000_000;

fn account(n: u8) -> AccountId {
    AccountId::new([n; 32])
}

/// A chain whose first block is made.
fn chain() -> sp_io::TestExternalities {
    Now::set(0);
    L1Says::set(L1Time::default());
    Author::set(Some(account(0)));
    Told::set(Vec::new());
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut ext = sp_io::TestExternalities::new(storage.expect("genesis builds"));
    ext.execute_with(|| block(START, 0));
    ext
}

/// Makes a block of this time, first proposed in this round.
fn block(time: Moment, round: u16) {
    let height = System::block_number() + 1;
    let digest = LeaderDigest { term: 0, round, leader: 0 }.item();
    System::reset_events();
    System::initialize(&height, &Default::default(), &Digest { logs: vec![digest] });
    Guard::on_initialize(height);
    // As pallet-timestamp does: its own storage first.
    Now::set(time);
    Guard::on_timestamp_set(time);
    Guard::on_finalize(height);
}

/// Whether a block of this time can be made.
fn fits(time: Moment) -> bool {
    let before = Now::get();
    let made = catch_unwind(AssertUnwindSafe(|| block(time, 0))).is_ok();
    if !made {
        Now::set(before);
    }
    made
}

/// A block in time.
fn quiet() {
    block(Now::get() + 500, 0);
}

fn jumped() -> bool {
    let is_jump =
        |event: &RuntimeEvent| matches!(event, RuntimeEvent::Guard(Event::TimeJumped { .. }));
    System::events().iter().any(|record| is_jump(&record.event))
}

#[test]
fn r27_1_a_time_outside_the_window_makes_the_block_invalid() {
    chain().execute_with(|| {
        L1Says::set(L1Time { median_time_past: Some(START + 60_000), fresh_tip_median: None });
        assert!(!fits(START + 249), "L1 is ahead, and time stands");
        assert!(fits(START + 250));
        let tips = Some(START - MAX_DRIFT_MS);
        L1Says::set(L1Time { median_time_past: None, fresh_tip_median: tips });
        let parent = Now::get();
        assert!(!fits(parent + FREE_STEP_MS + 1), "a jump away from L1");
        assert!(fits(parent + FREE_STEP_MS));
    });
}

#[test]
fn the_window_that_leaders_ask_for_is_the_one_that_is_checked() {
    chain().execute_with(|| {
        L1Says::set(L1Time {
            median_time_past: Some(START + 60_000),
            fresh_tip_median: Some(START),
        });
        let window = Guard::time_bounds();
        let expected = TimeBounds { earliest: START + 250, latest: START + MAX_DRIFT_MS };
        assert_eq!(window, expected);
        assert!(!fits(window.latest + 1));
        assert!(!fits(window.earliest - 1));
        assert!(fits(window.earliest));
    });
}

#[test]
fn failed_rounds_and_a_margin_explain_a_late_block() {
    chain().execute_with(|| {
        block(Now::get() + 500 + 10_000, 0);
        assert!(!jumped());
        block(Now::get() + 500 + 10_000 + 1, 0);
        assert!(jumped());
        // Two rounds: 3 s and 4.5 s to propose, 0.5 s and 0.75 s twice to vote.
        block(Now::get() + 500 + 7_500 + 2 * 1_250 + 10_000, 2);
        assert!(!jumped());
        block(Now::get() + 500 + 7_500 + 2 * 1_250 + 10_000 + 1, 2);
        assert!(jumped());
    });
}

#[test]
fn r27_6_three_jumps_of_one_sequencer_are_a_pattern_and_one_after_a_halt_is_none() {
    chain().execute_with(|| {
        let hour = 3_600_000;
        // L1's news opens the window little by little after a halt.
        for _ in 0..4 {
            block(Now::get() + hour, 0);
        }
        quiet();
        block(Now::get() + 20_000, 0);
        quiet();
        Author::set(Some(account(1)));
        block(Now::get() + 20_000, 0);
        assert!(Told::get().is_empty(), "two of one and one of another");
        quiet();
        Author::set(Some(account(0)));
        block(Now::get() + 20_000, 0);
        let offence = Offence {
            kind: OffenceKind::TimestampManipulation,
            offender: account(0),
            set_id: 5,
            height: System::block_number(),
        };
        assert_eq!(Told::get(), std::slice::from_ref(&offence));
        assert_eq!(Patterns::<Test>::get().into_inner(), [offence]);
        System::assert_last_event(
            Event::<Test>::TimestampManipulation { sequencer: account(0) }.into(),
        );
        // Told once, not again with the next one.
        quiet();
        block(Now::get() + 20_000, 0);
        assert_eq!(Told::get().len(), 1);
    });
}

#[test]
fn r27_6_jumps_far_apart_are_no_pattern() {
    chain().execute_with(|| {
        for _ in 0..3 {
            block(Now::get() + 20_000, 0);
            quiet();
            let apart = 4 * PATTERN_BLOCKS / 2;
            for _ in 0..apart {
                block(Now::get() + 500, 0);
            }
        }
        assert!(Told::get().is_empty());
    });
}

#[test]
fn the_block_that_changes_the_set_blames_in_the_old_one() {
    chain().execute_with(|| {
        block(Now::get() + 20_000, 0);
        quiet();
        block(Now::get() + 20_000, 0);
        quiet();
        SetId::set(6);
        block(Now::get() + 20_000, 0);
        assert_eq!(Told::get()[0].set_id, 5);
        SetId::set(5);
    });
}

#[test]
fn storage_is_bounded() {
    chain().execute_with(|| {
        for at in 0..200u32 {
            Author::set(Some(account(at as u8)));
            block(Now::get() + 20_000, 0);
            quiet();
        }
        assert_eq!(Jumps::<Test>::get().len() as u32, crate::MAX_JUMPS);
        Author::set(Some(account(7)));
        for _ in 0..3 * (crate::MAX_PATTERNS + 1) {
            block(Now::get() + 20_000, 0);
            quiet();
        }
        assert_eq!(Patterns::<Test>::get().len() as u32, crate::MAX_PATTERNS);
    });
}
