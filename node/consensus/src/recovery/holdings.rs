//! Whether this node could bring all of a recovery: whoever votes for one says so.
//!
//! It is looked at piece by piece, so that a long chain does not hold the disk, and each piece
//! once: what is there stays there, since [`Keeper`](super::keeper::Keeper) holds the state and
//! bodies are kept for far longer than a recovery takes. Where something is missing it goes on
//! with that the next time: a node that synced by warp still gets the blocks of before.

use cascoin_l2_primitives::{chain::BlockNumber, recovery::RecoveryPoint};
use std::time::Instant;

/// This node's database, as of one final block.
pub(super) trait Store {
    /// Number of that block.
    fn head(&self) -> BlockNumber;
    /// Whether the state of a block is there.
    fn has_state(&self, point: &RecoveryPoint) -> bool;
    /// Prefixes of the parts of the state that go back.
    fn parts(&self) -> Result<Vec<Vec<u8>>, String>;
    /// Makes the first page of a part, as a leader would; an error says why that fails.
    fn make_page(&self, point: &RecoveryPoint, prefix: &[u8]) -> Result<(), String>;
    /// Whether the body of a block is there.
    fn has_body(&self, number: BlockNumber) -> Result<bool, String>;
}

/// What is known of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It could.
    All,
    /// Not all was looked at yet.
    Unknown,
    /// It could not: why.
    Lacks(String),
}

/// What was found so far, for one recovery.
#[derive(Default)]
pub(super) struct Holdings {
    since: Option<RecoveryPoint>,
    /// Parts of which a page was made.
    parts: usize,
    /// The block whose body is looked for next.
    block: BlockNumber,
}

impl Holdings {
    /// Looks on until then, at one piece at least.
    ///
    /// # Errors
    /// What the database or the runtime says.
    pub(super) fn look(
        &mut self,
        store: &impl Store,
        since: &RecoveryPoint,
        until: Instant,
    ) -> Result<Held, String> {
        if self.since != Some(*since) {
            // The first to be repeated is the one behind it.
            let block = since.number.saturating_add(1);
            *self = Self { since: Some(*since), parts: 0, block };
        }
        if !store.has_state(since) {
            return Ok(Held::Lacks(format!(
                "the state of block {} is not kept here",
                since.number
            )));
        }
        let is_over = || Instant::now() >= until;
        let parts = store.parts()?;
        while let Some(prefix) = parts.get(self.parts) {
            if let Err(error) = store.make_page(since, prefix) {
                return Ok(Held::Lacks(format!("no page of its state can be made here: {error}")));
            }
            self.parts += 1;
            if is_over() {
                return Ok(Held::Unknown);
            }
        }
        while self.block <= store.head() {
            if !store.has_body(self.block)? {
                return Ok(Held::Lacks(format!("block {} is not kept here", self.block)));
            }
            self.block = self.block.saturating_add(1);
            if is_over() {
                return Ok(Held::Unknown);
            }
        }
        Ok(Held::All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::chain::BlockHash;
    use std::{cell::RefCell, collections::BTreeSet, time::Duration};

    /// A database, and what was asked of it.
    struct Model {
        head: BlockNumber,
        has_state: bool,
        bad_part: Option<u8>,
        missing: BTreeSet<BlockNumber>,
        asked: RefCell<Vec<String>>,
    }

    impl Store for Model {
        fn head(&self) -> BlockNumber {
            self.head
        }

        fn has_state(&self, _: &RecoveryPoint) -> bool {
            self.has_state
        }

        fn parts(&self) -> Result<Vec<Vec<u8>>, String> {
            Ok(vec![vec![1], vec![2]])
        }

        fn make_page(&self, point: &RecoveryPoint, prefix: &[u8]) -> Result<(), String> {
            self.asked.borrow_mut().push(format!("part {} of {}", prefix[0], point.number));
            match self.bad_part == Some(prefix[0]) {
                true => Err("the disk is broken".into()),
                false => Ok(()),
            }
        }

        fn has_body(&self, number: BlockNumber) -> Result<bool, String> {
            self.asked.borrow_mut().push(format!("block {number}"));
            Ok(!self.missing.contains(&number))
        }
    }

    fn model() -> Model {
        let (bad_part, missing) = (None, BTreeSet::new());
        Model { head: 73, has_state: true, bad_part, missing, asked: RefCell::default() }
    }

    fn since(number: BlockNumber) -> RecoveryPoint {
        RecoveryPoint { l1_height: 5, number, hash: BlockHash::repeat_byte(1) }
    }

    fn look(holdings: &mut Holdings, model: &Model, number: BlockNumber) -> Held {
        let until = Instant::now() + Duration::from_secs(60);
        holdings.look(model, &since(number), until).expect("the model answers")
    }

    fn asked(model: &Model) -> Vec<String> {
        model.asked.take()
    }

    const ALL: [&str; 5] = ["part 1 of 70", "part 2 of 70", "block 71", "block 72", "block 73"];

    #[test]
    fn r19_2_all_parts_and_all_blocks_are_looked_at_once() {
        let (mut holdings, mut model) = (Holdings::default(), model());
        assert_eq!(look(&mut holdings, &model, 70), Held::All);
        assert_eq!(asked(&model), ALL);
        assert_eq!(look(&mut holdings, &model, 70), Held::All);
        assert!(asked(&model).is_empty());
        model.head = 74;
        assert_eq!(look(&mut holdings, &model, 70), Held::All);
        assert_eq!(asked(&model), ["block 74"]);
        // Another recovery.
        assert_eq!(look(&mut holdings, &model, 74), Held::All);
        assert_eq!(asked(&model), ["part 1 of 74", "part 2 of 74"]);
    }

    #[test]
    fn r19_2_it_takes_as_many_looks_as_it_takes() {
        let (mut holdings, model) = (Holdings::default(), model());
        for _ in 0..ALL.len() {
            let held = holdings.look(&model, &since(70), Instant::now());
            assert_eq!(held, Ok(Held::Unknown));
        }
        assert_eq!(holdings.look(&model, &since(70), Instant::now()), Ok(Held::All));
        assert_eq!(asked(&model), ALL);
    }

    #[test]
    fn r19_2_a_gap_anywhere_is_found_and_may_be_filled() {
        let (mut holdings, mut model) = (Holdings::default(), model());
        model.missing.insert(72);
        let lacks = Held::Lacks("block 72 is not kept here".into());
        assert_eq!(look(&mut holdings, &model, 70), lacks);
        assert_eq!(look(&mut holdings, &model, 70), lacks);
        model.asked.take();
        model.missing.clear();
        assert_eq!(look(&mut holdings, &model, 70), Held::All);
        assert_eq!(asked(&model), ["block 72", "block 73"]);
    }

    #[test]
    fn r19_2_who_can_make_no_page_or_has_no_state_lacks_it() {
        let (mut holdings, mut model) = (Holdings::default(), model());
        model.bad_part = Some(2);
        let text = "no page of its state can be made here: the disk is broken";
        assert_eq!(look(&mut holdings, &model, 70), Held::Lacks(text.into()));
        model.bad_part = None;
        model.asked.take();
        assert_eq!(look(&mut holdings, &model, 70), Held::All);
        assert_eq!(asked(&model), ALL[1..]);
        // It can be gone later, too.
        model.has_state = false;
        let text = "the state of block 70 is not kept here";
        assert_eq!(look(&mut holdings, &model, 70), Held::Lacks(text.into()));
    }
}
