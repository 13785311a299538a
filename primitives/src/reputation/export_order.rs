//! In which order L1 takes the batches of L2's reputations, and which it may leave out
//! (R10.4).
//!
//! Batches that nobody settles for long are superseded: L2 forgets them, and says again what
//! they said. So L1 must be able to leave some out, but not any: whoever brings batch 17 and
//! holds back 2 to 16 would keep a penalty that one of them tells of from L1 for good. Which
//! batches L2 has forgotten is signed with each later one
//! ([`oldest`](ReputationExport::oldest)).
//!
//! - [`ExportOrder::starting`] from the number that L2 gave when settlement began. What was
//!   made before counts on L1 only as far as later batches say it again.
//! - Batches are verified ([`SignedExport::verify`](super::export::SignedExport::verify)),
//!   then [shown](ExportOrder::show), as many as there are, then
//!   [taken](ExportOrder::take) in ascending order.
//! - One that is refused for those before it stays good. If L2 superseded these, its next
//!   batch says so.

use super::export::ReputationExport;
use codec::{Decode, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::H256;

/// How far L1 is with the batches.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ExportOrder {
    /// Sequence number of the first batch that it has neither taken nor left out.
    next: u32,
    /// The highest `oldest` that it was shown: batches below may be left out.
    floor: u32,
    /// Hash of the batch taken last; `None` before the first one.
    last: Option<H256>,
}

/// Why L1 does not take a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderError {
    /// It took this batch or a later one, or does not begin before it.
    Past,
    /// Batches from this one on come first: they wait still, as far as L1 was shown.
    Skips(u32),
    /// It does not name the batch that was taken before: two histories were signed.
    NotChained,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Past => f.write_str("the export, or a later one, was taken before"),
            Self::Skips(first) => write!(f, "export {first} comes first"),
            Self::NotChained => f.write_str("the export does not name the one before"),
        }
    }
}

#[cfg(feature = "std")]
impl std::error::Error for OrderError {}

impl ExportOrder {
    /// Of an L1 that has taken nothing, and begins with this batch.
    #[must_use]
    pub const fn starting(first: u32) -> Self {
        Self { next: first, floor: first, last: None }
    }

    /// Takes note of what a batch says of those before. It MUST be verified.
    pub fn show(&mut self, export: &ReputationExport) {
        self.floor = self.floor.max(export.oldest.min(export.sequence));
    }

    /// Takes a batch, which is to be applied then. It MUST be verified.
    ///
    /// # Errors
    /// [`OrderError`]: it must not be applied.
    pub fn take(&mut self, export: &ReputationExport) -> Result<(), OrderError> {
        self.show(export);
        if export.sequence < self.next {
            return Err(OrderError::Past);
        }
        let first = self.next.max(self.floor);
        if export.sequence > first {
            return Err(OrderError::Skips(first));
        }
        if export.sequence == self.next && self.last.is_some_and(|hash| hash != export.previous) {
            return Err(OrderError::NotChained);
        }
        self.next = export.sequence.saturating_add(1);
        self.last = Some(export.hash());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A chain of batches with these `oldest`.
    fn chain(oldest: &[u32]) -> Vec<ReputationExport> {
        let mut previous = H256::zero();
        let batches = oldest.iter().zip(1..).map(|(oldest, sequence)| {
            let export =
                ReputationExport { sequence, oldest: *oldest, previous, ..Default::default() };
            previous = export.hash();
            export
        });
        batches.collect()
    }

    #[test]
    fn r10_4_only_superseded_batches_are_left_out() {
        let batches = chain(&[1, 1, 1, 3]);
        let mut order = ExportOrder::starting(1);
        assert_eq!(order.take(&batches[0]), Ok(()));
        assert_eq!(order.take(&batches[0]), Err(OrderError::Past));
        // Batch 4 says that 2 is superseded and that 3 waits.
        assert_eq!(order.take(&batches[3]), Err(OrderError::Skips(3)));
        assert_eq!(order.take(&batches[2]), Ok(()), "2 may be left out, as was shown");
        assert_eq!(order.take(&batches[3]), Ok(()));
        assert_eq!(order.take(&batches[1]), Err(OrderError::Past));
    }

    #[test]
    fn a_superseded_batch_may_be_taken_while_its_turn_is() {
        let batches = chain(&[1, 1, 1, 3]);
        let mut order = ExportOrder::starting(1);
        order.show(&batches[3]);
        assert_eq!(order.take(&batches[1]), Ok(()));
        assert_eq!(order.take(&batches[2]), Ok(()));
    }

    #[test]
    fn r10_4_l1_begins_where_it_was_told_to() {
        let batches = chain(&[1, 1, 2, 2]);
        let mut order = ExportOrder::starting(3);
        assert_eq!(order.take(&batches[1]), Err(OrderError::Past));
        assert_eq!(order.take(&batches[3]), Err(OrderError::Skips(3)));
        assert_eq!(order.take(&batches[2]), Ok(()));
    }

    #[test]
    fn a_batch_of_another_history_is_refused() {
        let batches = chain(&[1, 1]);
        let mut order = ExportOrder::starting(1);
        assert_eq!(order.take(&batches[0]), Ok(()));
        let other = ReputationExport { previous: H256([9; 32]), ..batches[1].clone() };
        assert_eq!(order.take(&other), Err(OrderError::NotChained));
        assert_eq!(order.take(&batches[1]), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

        /// R10.4: whatever is brought in whatever order, each batch from the highest `oldest`
        /// on, up to the last one taken, is taken once and in order.
        #[test]
        fn r10_4_no_order_of_bringing_skips_what_waits(
            steps in prop::collection::vec(0..4u32, 1..12),
            brought in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let mut oldest = 1;
            let rising: Vec<u32> = steps.iter().zip(1..).map(|(step, sequence)| {
                oldest = sequence.min(oldest + step / 2);
                oldest
            }).collect();
            let batches = chain(&rising);
            let mut order = ExportOrder::starting(1);
            let (mut taken, mut floor) = (Vec::new(), 1);
            for index in brought {
                let export = index.get(&batches);
                floor = floor.max(export.oldest);
                if order.take(export).is_ok() {
                    taken.push(export.sequence);
                }
            }
            prop_assert!(taken.windows(2).all(|pair| pair[0] < pair[1]));
            let last = taken.last().copied().unwrap_or(0);
            prop_assert!((floor..=last).all(|sequence| taken.contains(&sequence)));
        }
    }
}
