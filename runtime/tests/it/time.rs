//! L2 time between the bounds that L1 sets, through the whole runtime.

use crate::{
    blocks::extend,
    chain::{Chain, START},
};
use cascoin_l2_primitives::time::{TimeBounds, FREE_STEP_MS, MAX_DRIFT_MS};
use cascoin_l2_runtime::{Runtime, Timestamp, TimestampGuard};
use pallet_l1_relay::{types::Tips, Applied, TipTimes};
use proptest::prelude::*;

/// Half the time between two blocks of the `regtest` preset: the pace that L1 can
/// ask for.
const PACE: u64 = 50;
/// Sequencers of the preset, and so the least distance of two times of one of them.
const SEQUENCERS: u64 = 4;

/// Has the relay know these of L1, as votes and applied blocks would tell it: its
/// median time and the tips that all sequencers see, seconds since 1970; 0: nothing.
fn l1_says(chain: &mut Chain, median_time: u32, tip: u32) {
    chain.read(|| {
        Applied::<Runtime>::mutate(|applied| applied.median_time = median_time);
        let mut tips = Tips::default();
        for voter in (0..SEQUENCERS as u16).filter(|_| tip > 0) {
            tips.note(voter, tip, Timestamp::get());
        }
        TipTimes::<Runtime>::put(tips);
    });
    chain.ext.commit_all().expect("changes can be committed");
}

fn bounds(chain: &mut Chain) -> TimeBounds {
    chain.read(TimestampGuard::time_bounds)
}

/// The first time from `time` on that is a sequencer's.
fn slot_of(sequencer: u64, time: u64) -> u64 {
    time + (sequencer + SEQUENCERS - time % SEQUENCERS) % SEQUENCERS
}

#[test]
fn r27_1_a_block_outside_the_bounds_that_l1_sets_is_refused() {
    let mut chain = Chain::of("regtest");
    assert!(extend(&mut chain, START));
    let seconds = (START / 1_000) as u32;

    // L1 is ahead: time that stands is refused, the pace of honest leaders is not.
    l1_says(&mut chain, seconds + 60, 0);
    assert!(!extend(&mut chain, START + 1));
    assert!(!extend(&mut chain, START + PACE - 1));
    assert!(extend(&mut chain, START + PACE));

    // L1 is fresh: a jump of more than 15 minutes away from it is refused.
    let parent = chain.read(Timestamp::get);
    l1_says(&mut chain, seconds - 3_600, seconds);
    assert!(!extend(&mut chain, START + MAX_DRIFT_MS + 1));
    assert_eq!(bounds(&mut chain).latest, START + MAX_DRIFT_MS);
    assert!(extend(&mut chain, START + MAX_DRIFT_MS));

    // There only the steps that a chain after a halt may always take are left, as long as
    // voters see no newer L1.
    l1_says(&mut chain, seconds - 3_600, seconds);
    let parent = parent.max(START + MAX_DRIFT_MS);
    assert!(!extend(&mut chain, parent + FREE_STEP_MS + 1));
    assert!(extend(&mut chain, parent + FREE_STEP_MS));

    // Without an L1 nothing bounds it but the parent.
    l1_says(&mut chain, 0, 0);
    let parent = chain.read(Timestamp::get);
    assert!(!extend(&mut chain, parent));
    assert!(extend(&mut chain, parent + 10 * MAX_DRIFT_MS));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// P15, R27.1: whatever L1 says and whatever a leader's clock shows, the time
    /// that an honest leader chooses makes a block, and none outside the bounds does.
    /// So L1 never stops the chain.
    #[test]
    fn p15_no_l1_and_no_clock_stops_the_chain(
        steps in prop::collection::vec(
            (
                // L1's median and tips: none, near L2's time, anywhere.
                prop_oneof![Just(0u32), 1_779_990_000u32..1_780_010_000, any::<u32>()],
                prop_oneof![Just(0u32), 1_779_990_000u32..1_780_010_000, any::<u32>()],
                // The leader's clock against the parent's time.
                prop_oneof![-1_000i64..=1_000, -10_000_000i64..=10_000_000],
                0..SEQUENCERS,
            ),
            1..10,
        ),
    ) {
        let mut chain = Chain::of("regtest");
        prop_assert!(extend(&mut chain, START));
        for (median, tip, clock, leader) in steps {
            l1_says(&mut chain, median, tip);
            let parent = chain.read(Timestamp::get);
            let window = bounds(&mut chain);
            prop_assert!(!extend(&mut chain, window.earliest - 1));
            if let Some(late) = window.latest.checked_add(1) {
                prop_assert!(!extend(&mut chain, late));
            }
            // As the engine chooses, with room for the rounding to the leader's slots.
            let chosen = window.nearest(parent.saturating_add_signed(clock), SEQUENCERS);
            prop_assert!(extend(&mut chain, slot_of(leader, chosen)));
        }
    }
}
