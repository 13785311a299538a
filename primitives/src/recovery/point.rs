//! Which block the state would go back to: the last one before this chain acted on an L1
//! block that L1 dropped.

use crate::{
    chain::{BlockHash, BlockNumber},
    relay::MAX_FORK_DEPTH,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// Most points that a log keeps: one for each L1 block that a fork can still remove.
pub const MAX_POINTS: u32 = MAX_FORK_DEPTH;

/// The last L2 block before the first effect of an L1 block.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct RecoveryPoint {
    /// Height of the L1 block.
    pub l1_height: u32,
    /// Number of the L2 block.
    pub number: BlockNumber,
    /// Its hash. It names the header, and so the state root that pages are checked against.
    pub hash: BlockHash,
}

impl RecoveryPoint {
    /// The one of both that lies further back.
    pub fn earlier(self, other: Self) -> Self {
        if other.number < self.number {
            other
        } else {
            self
        }
    }
}

/// Where the state would go back to after a fork of L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nowhere: none of the blocks that went had an effect.
    None,
    /// To before the first effect of the first of them that had one.
    Since(RecoveryPoint),
    /// It is not known any more: the log has let go of blocks that went.
    Forgotten,
}

/// The points of the attested branch's last L1 blocks, by height. A block without events
/// has no effect and no point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct PointLog {
    points: BoundedVec<RecoveryPoint, ConstU32<MAX_POINTS>>,
    /// The highest L1 block whose point the log has let go of.
    forgotten: u32,
}

impl PointLog {
    /// Notes the first effect of an L1 block; of a later one of the same block, nothing.
    /// Lets go of points of L1 blocks that no fork can remove any more: none that leaves
    /// the branch from the highest block that it ever had.
    pub fn note(&mut self, point: RecoveryPoint) {
        if self.newest().is_some_and(|newest| newest >= point.l1_height) {
            return;
        }
        let safe = point.l1_height.saturating_sub(MAX_FORK_DEPTH);
        let kept_from = self.points.partition_point(|known| known.l1_height <= safe);
        if let Some(gone) = kept_from.checked_sub(1).and_then(|last| self.points.get(last)) {
            self.forgotten = self.forgotten.max(gone.l1_height);
        }
        self.points.retain(|known| known.l1_height > safe);
        // There is room: what is left are other heights, and fewer than a fork is deep.
        let _ = self.points.try_push(point);
    }

    /// Height of the last L1 block that is noted.
    pub fn newest(&self) -> Option<u32> {
        self.points.last().map(|point| point.l1_height)
    }

    /// The points, by height.
    pub fn points(&self) -> &[RecoveryPoint] {
        &self.points
    }

    /// L1 has the blocks above `common` no more: forgets them, and says where the first of
    /// them had its first effect.
    pub fn drop_above(&mut self, common: u32) -> Effect {
        let first = self.points.partition_point(|known| known.l1_height <= common);
        let since = self.points.get(first).copied();
        self.points.truncate(first);
        let forgotten = common < self.forgotten;
        self.forgotten = self.forgotten.min(common);
        match since {
            _ if forgotten => Effect::Forgotten,
            Some(point) => Effect::Since(point),
            None => Effect::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn point(l1_height: u32, number: BlockNumber) -> RecoveryPoint {
        RecoveryPoint { l1_height, number, hash: BlockHash::from_low_u64_be(number.into()) }
    }

    #[test]
    fn only_the_first_effect_of_a_block_is_noted() {
        let mut log = PointLog::default();
        log.note(point(7, 20));
        log.note(point(7, 21));
        log.note(point(6, 22));
        assert_eq!(log.points(), [point(7, 20)]);
    }

    #[test]
    fn a_fork_gives_the_first_effect_of_the_first_block_that_went() {
        let mut log = PointLog::default();
        for height in [3, 5, 9] {
            log.note(point(height, 10 * height));
        }
        assert_eq!(log.drop_above(9), Effect::None);
        assert_eq!(log.drop_above(4), Effect::Since(point(5, 50)));
        assert_eq!(log.points(), [point(3, 30)]);
        // The new branch's block of that height has an effect of its own.
        log.note(point(5, 120));
        assert_eq!(log.drop_above(3), Effect::Since(point(5, 120)));
        assert_eq!(log.newest(), Some(3));
    }

    #[test]
    fn a_fork_below_what_was_let_go_of_is_answered_as_such() {
        let mut log = PointLog::default();
        let last = MAX_FORK_DEPTH + 10;
        for height in [5, 10, 20, last] {
            log.note(point(height, height));
        }
        assert_eq!(log.points(), [point(20, 20), point(last, last)]);
        // The deepest that leaves the highest block.
        assert_eq!(log.drop_above(10), Effect::Since(point(20, 20)));
        // A second one, below it.
        assert_eq!(log.drop_above(6), Effect::Forgotten);
        log.note(point(8, 600));
        assert_eq!(log.drop_above(7), Effect::Since(point(8, 600)));
        assert_eq!(log.drop_above(6), Effect::None);
        assert_eq!(log.drop_above(4), Effect::Forgotten);
    }

    #[test]
    fn the_earlier_point_is_the_one_that_lies_further_back() {
        let (old, new) = (point(9, 20), point(3, 30));
        assert_eq!((old.earlier(new), new.earlier(old)), (old, old));
    }

    /// What happens to the log.
    #[derive(Clone, Debug)]
    enum Action {
        /// The L1 block so many above the last one has an effect.
        Block(u32),
        /// The last `depth` L1 blocks go.
        Fork(u32),
    }

    fn actions() -> impl Strategy<Value = Vec<Action>> {
        let action = prop_oneof![
            9 => (1..4u32).prop_map(Action::Block),
            1 => (1..=MAX_FORK_DEPTH).prop_map(Action::Fork),
        ];
        prop::collection::vec(action, 0..1_200)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// Against a log that lets go of nothing.
        #[test]
        fn p20_the_log_knows_the_point_of_every_fork_of_the_highest_branch(all in actions()) {
            let (mut log, mut whole) = (PointLog::default(), BTreeMap::new());
            let (mut top, mut highest, mut number) = (MAX_FORK_DEPTH, MAX_FORK_DEPTH, 0);
            for action in all {
                match action {
                    Action::Block(above) => {
                        top += above;
                        number += 1;
                        log.note(point(top, number));
                        whole.insert(top, number);
                    }
                    Action::Fork(depth) => {
                        let from_highest = top == highest;
                        top -= depth.min(top);
                        let gone = whole.split_off(&(top + 1));
                        let known = match gone.first_key_value() {
                            Some((height, number)) => Effect::Since(point(*height, *number)),
                            None => Effect::None,
                        };
                        match log.drop_above(top) {
                            Effect::Forgotten => prop_assert!(!from_highest),
                            effect => prop_assert_eq!(effect, known),
                        }
                    }
                }
                highest = highest.max(top);
                prop_assert!(log.points().len() <= MAX_POINTS as usize);
                let rising = log.points().windows(2).all(|two| two[0].l1_height < two[1].l1_height);
                prop_assert!(rising);
            }
        }
    }
}
