//! Whatever happens, in any order: what L1 is told in the end is what is.

use crate::{mock::*, pallet::InSigning, MAX_KEPT, MAX_SWEPT};
use cascoin_l2_primitives::reputation::{
    export::{ExportedScore, LinkedScores},
    rule::Suspicion,
};
use proptest::prelude::*;

/// More than are looked at in a block, and several times what a batch holds.
const ADDRESSES: u32 = 2 * MAX_SWEPT + 3;
/// Drafts are full often.
const ENTRIES: u32 = 4;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Linked.
    Set(u32, u8),
    /// Scored by L1 or punished, if it is linked.
    Punish(u32, u8),
    /// Activity and time.
    Drift(u32, u8, bool),
    Unlink(u32),
    Blocks(u32),
    /// Many batches, with somebody's score going up and down.
    Epochs(u32),
    Sign,
    /// Some of the batches are brought to L1.
    Settle(u32),
    NewSet,
}

fn any_step() -> impl Strategy<Value = Step> {
    let one = 0..ADDRESSES;
    prop_oneof![
        8 => (one.clone(), 0..=100u8).prop_map(|(n, score)| Step::Set(n, score)),
        4 => (one.clone(), 0..=100u8).prop_map(|(n, score)| Step::Punish(n, score)),
        8 => (one.clone(), 0..=100u8, any::<bool>()).prop_map(|(n, s, bad)| Step::Drift(n, s, bad)),
        4 => one.prop_map(Step::Unlink),
        6 => (1..2 * INTERVAL).prop_map(Step::Blocks),
        2 => (1..=MAX_KEPT).prop_map(Step::Epochs),
        6 => Just(Step::Sign),
        2 => any::<u32>().prop_map(Step::Settle),
        1 => Just(Step::Settle(u32::MAX)),
        1 => Just(Step::NewSet),
    ]
}

fn exported(score: u8, suspicious: bool) -> ExportedScore {
    ExportedScore { suspicion: suspicious.then_some(Suspicion::WashActivity), ..points(score) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// R10.4: once all is said, signed and settled, L1 knows each address's score within the
    /// threshold, and of who is not linked it knows nothing, however long settlement did
    /// not come before, when it begins, and what of the batches is brought to L1 then.
    #[test]
    fn r10_4_what_was_exported_last_is_the_score_within_the_threshold(
        steps in prop::collection::vec(any_step(), 1..80),
    ) {
        new_test_ext(4).execute_with(|| {
            MaxEntries::set(ENTRIES);
            ReservedEntries::set(1);
            // Settlement begins with the first batches that somebody brings.
            let mut l1 = None;
            for step in steps {
                match step {
                    Step::Set(n, score) => set(n, score),
                    // Only who is linked has a score that can move.
                    Step::Drift(n, score, bad) if Scores::of_address(&address(n)).is_some() => {
                        drift(n, exported(score, bad));
                    }
                    Step::Punish(n, score) if Scores::of_address(&address(n)).is_some() => {
                        punish(n, score);
                    }
                    Step::Drift(..) | Step::Punish(..) => (),
                    Step::Unlink(n) => unlink(n),
                    Step::Blocks(count) => run(count),
                    Step::Epochs(count) => {
                        for n in 0..count {
                            set(0, if n % 2 == 0 { 20 } else { 80 });
                            epoch();
                            sign_what_waits();
                        }
                    }
                    Step::Sign => sign_what_waits(),
                    Step::Settle(brought) => {
                        let l1 = l1.get_or_insert_with(L1::default);
                        l1.settle_some(|sequence| brought & (1 << (sequence % MAX_KEPT)) != 0);
                    }
                    Step::NewSet => new_set(),
                }
                Export::check_state().expect("sound");
            }
            // All are looked at, what was superseded too; and what that drafts is settled, a
            // few with each batch.
            let mut l1 = l1.unwrap_or_default();
            for _ in 0..ADDRESSES {
                epoch();
                sign_what_waits();
                l1.settle();
            }
            prop_assert!(!InSigning::<Test>::exists());
            prop_assert_eq!(Export::exports(0, 1).drafted, 0);
            for n in 0..ADDRESSES {
                match Scores::of_address(&address(n)) {
                    Some(now) => prop_assert!(!l1.says(n).differs(&now, THRESHOLD)),
                    None => prop_assert_eq!(l1.says(n), points(0)),
                }
            }
            Ok(())
        })?;
    }
}
