//! L1 as the follower reads it: of several nodes one at a time.
//!
//! - **One step, one node.** [`Endpoints::tip`] chooses the node, and all that follows
//!   until the next tip is asked of that one: what two nodes at different heights say does
//!   not mix. If it fails in between, the step fails, and the next one chooses again.
//! - **Preferred nodes first**, as the client has it ([`L1Client`]): the one that answered
//!   last, and now and then those named before it.
//! - **What is attested decides between nodes.** A node that has another block where more
//!   than two thirds of the sequencers attested one, or none yet, is passed over for one
//!   that has the same. Only when nothing new was attested for [`STANDSTILL`] is it read
//!   before that one, if it is more than [`MAX_LAG`] blocks ahead: then it may be the other
//!   one that hangs on a branch that L1 left. A height is a node's mere word; while the
//!   relay goes on, the sequencers' L1 nodes do have the attested block. If no node has it,
//!   what the first that answers has is read, so that a fork of L1 is seen (ADR 0026).
//! - **A node that is late**, more than [`MAX_LAG`] blocks behind what was seen already, is
//!   passed over for one that is not.
//! - With a single node there is nothing to choose, and nothing more is asked.

use super::{L1Source, RelayPosition, Tip};
use crate::{
    block::{Block, Header},
    client::{code, L1Client, L1Error},
};
use cascoin_l2_primitives::l1::L1Hash;
use std::{
    cell::Cell,
    cmp::Reverse,
    time::{Duration, Instant},
};

/// Blocks by which a node may be behind another, or behind what was seen already, and is
/// still preferred: some blocks are always under way.
pub const MAX_LAG: u32 = 3;

/// How long nothing new must have been attested before a node counts that says that L1 left
/// what is attested, although another one has it.
pub const STANDSTILL: Duration = Duration::from_secs(10 * 60);

/// Since when the relay stands where it does.
pub(super) struct LastAttested {
    attested: Option<(u32, L1Hash)>,
    since: Instant,
}

/// A source for one step of the follower.
pub struct Endpoints<'a> {
    client: &'a L1Client,
    count: usize,
    position: RelayPosition,
    /// The tip's height that was seen last.
    seen: u32,
    /// Whether nothing new was attested for [`STANDSTILL`].
    stands_still: bool,
    node: Cell<usize>,
}

impl LastAttested {
    pub(super) fn new(now: Instant) -> Self {
        Self { attested: None, since: now }
    }

    /// Takes note of where the relay stands; whether it has for [`STANDSTILL`].
    pub(super) fn stands_still(&mut self, position: &RelayPosition, now: Instant) -> bool {
        let attested = Some((position.attested_height, position.attested_hash));
        if self.attested != attested {
            (self.attested, self.since) = (attested, now);
        }
        now.duration_since(self.since) >= STANDSTILL
    }
}

/// What a node says, held against what is attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has the attested block.
    Fits,
    /// It has it, but not the blocks that were seen already.
    Late,
    /// It has another block in its place.
    Differs,
    /// It is below it.
    Behind,
}

/// An answer, and who gave it.
#[derive(Clone, Copy, Debug)]
struct Answer {
    standing: Standing,
    tip: Tip,
}

/// Of these answers, in the order in which the nodes are preferred, the one that counts.
/// `stands_still` tells whether nothing new was attested for [`STANDSTILL`].
fn choose(answers: &[Answer], stands_still: bool) -> Option<Answer> {
    let highest = |standing: Standing| {
        let of = answers.iter().filter(move |answer| answer.standing == standing);
        // Of equal ones the first.
        of.min_by_key(|answer| Reverse(answer.tip.height))
    };
    let first = |standing: Standing| answers.iter().find(|answer| answer.standing == standing);
    let fits = first(Standing::Fits).or_else(|| highest(Standing::Late));
    let ahead = |other: &&Answer| {
        let beyond = fits.map_or(0, |fits| fits.tip.height.saturating_add(MAX_LAG));
        other.standing == Standing::Differs && other.tip.height > beyond
    };
    match fits {
        Some(_) if !stands_still => fits.copied(),
        Some(_) => answers.iter().find(ahead).or(fits).copied(),
        None => first(Standing::Differs).or_else(|| highest(Standing::Behind)).copied(),
    }
}

impl<'a> Endpoints<'a> {
    /// Of `client`'s nodes, where the relay stands at `position` and the tip that was seen
    /// last has the height `seen` (0 before the first one). `stands_still` tells whether
    /// nothing new was attested for [`STANDSTILL`].
    pub fn new(
        client: &'a L1Client,
        position: RelayPosition,
        seen: u32,
        stands_still: bool,
    ) -> Self {
        let count = client.config().urls.len();
        Self { client, count, position, seen, stands_still, node: Cell::new(0) }
    }

    fn chosen(&self) -> L1Client {
        self.client.only(self.node.get())
    }

    /// What the node at `index` says of its tip.
    fn tip_of(&self, index: usize) -> Result<Tip, L1Error> {
        let client = self.client.only(index);
        let info = client.blockchain_info()?;
        let header = client.block_header(&info.best_block)?;
        Ok(Tip {
            height: info.blocks,
            hash: info.best_block,
            time: header.time,
            headers: info.headers,
            syncing: crate::client::is_syncing(&info),
            node: index,
        })
    }

    /// Why the node at `index` could not be read now, in words; `None` if it could.
    pub(super) fn objection(&self, index: usize) -> Option<String> {
        let url = self.client.url_of(index);
        let (height, hash) = (self.position.attested_height, self.position.attested_hash);
        match self.answer_of(index) {
            Ok(Answer { standing: Standing::Fits | Standing::Late, .. }) => None,
            Ok(Answer { standing: Standing::Differs, .. }) => Some(format!(
                "L1 node at {url} has another block at height {height} than {hash}, which is \
                 attested: it follows another branch of L1"
            )),
            Ok(Answer { standing: Standing::Behind, tip }) => Some(format!(
                "L1 node at {url} is behind what is attested: block {} of {height}",
                tip.height,
            )),
            Err(error) => Some(error.to_string()),
        }
    }

    fn answer_of(&self, index: usize) -> Result<Answer, L1Error> {
        let tip = self.tip_of(index)?;
        let attested = self.position.attested_height;
        let standing = if tip.height < attested {
            Standing::Behind
        } else {
            match self.client.only(index).block_hash(attested)? {
                hash if hash != self.position.attested_hash => Standing::Differs,
                _ if tip.height.saturating_add(MAX_LAG) < self.seen => Standing::Late,
                _ => Standing::Fits,
            }
        };
        Ok(Answer { standing, tip })
    }
}

impl L1Source for Endpoints<'_> {
    fn tip(&self) -> Result<Tip, L1Error> {
        if self.count == 1 {
            self.node.set(0);
            return self.tip_of(0);
        }
        let mut answers = Vec::new();
        let mut worst: Option<L1Error> = None;
        for index in self.client.order() {
            match self.answer_of(index) {
                Ok(answer) => {
                    answers.push(answer);
                    if answer.standing == Standing::Fits {
                        break;
                    }
                }
                Err(error) => {
                    if worst.as_ref().is_none_or(|worst| worst.weight() < error.weight()) {
                        worst = Some(error);
                    }
                }
            }
        }
        let Some(Answer { tip, .. }) = choose(&answers, self.stands_still) else {
            return Err(worst.unwrap_or_else(|| L1Error::Config("no L1 node".into())));
        };
        self.node.set(tip.node);
        self.client.ask_first(tip.node);
        Ok(tip)
    }

    fn hash_at(&self, height: u32) -> Result<Option<L1Hash>, L1Error> {
        match self.chosen().block_hash(height) {
            Ok(hash) => Ok(Some(hash)),
            Err(L1Error::Rpc { code: code::INVALID_PARAMETER, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn header(&self, hash: &L1Hash) -> Result<Header, L1Error> {
        self.chosen().block_header(hash)
    }

    fn block(&self, hash: &L1Hash) -> Result<Block, L1Error> {
        self.chosen().block(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::l1::params::LITECOIN_REGTEST;
    use Standing::{Behind, Differs, Fits, Late};

    /// While the relay goes on, and while it stands still.
    fn chosen(answers: &[(Standing, u32)]) -> Option<usize> {
        let going_on = chosen_when(false, answers);
        assert_eq!(going_on, chosen_when(true, answers));
        going_on
    }

    fn chosen_when(stands_still: bool, answers: &[(Standing, u32)]) -> Option<usize> {
        let answers: Vec<_> = (0..)
            .zip(answers)
            .map(|(node, &(standing, height))| {
                let hash = L1Hash::default();
                let tip = Tip { height, hash, time: 0, headers: height, syncing: false, node };
                Answer { standing, tip }
            })
            .collect();
        choose(&answers, stands_still).map(|answer| answer.tip.node)
    }

    #[test]
    fn a_node_that_has_what_is_attested_is_read_before_one_that_has_not() {
        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&[(Fits, 100)]), Some(0));
        assert_eq!(chosen(&[(Behind, 50), (Fits, 100)]), Some(1));
        assert_eq!(chosen(&[(Differs, 100), (Fits, 100)]), Some(1));
        assert_eq!(chosen(&[(Differs, 103), (Fits, 100)]), Some(1), "some are under way");
        assert_eq!(chosen(&[(Behind, 50), (Differs, 90), (Fits, 99)]), Some(2));
    }

    /// Else a node that is stuck on a branch that L1 left would hide that it did.
    #[test]
    fn a_node_that_hangs_behind_does_not_hide_a_fork() {
        let stuck = [(Differs, 104), (Fits, 100)];
        assert_eq!(chosen_when(true, &stuck), Some(0));
        // But a height is easily invented: while the relay goes on, it is no fork.
        assert_eq!(chosen_when(false, &stuck), Some(1));
        let first = LITECOIN_REGTEST.genesis;
        let mut relay =
            RelayPosition { attested_height: 7, attested_hash: first, applied_height: 1 };
        let start = Instant::now();
        let mut last = LastAttested::new(start);
        assert!(!last.stands_still(&relay, start));
        relay.applied_height = 7;
        assert!(!last.stands_still(&relay, start + STANDSTILL - Duration::from_secs(1)));
        assert!(last.stands_still(&relay, start + STANDSTILL));
        relay.attested_height = 8;
        assert!(!last.stands_still(&relay, start + STANDSTILL));
        assert!(last.stands_still(&relay, start + 2 * STANDSTILL));
    }

    #[test]
    fn of_nodes_of_which_none_or_all_have_what_is_attested_the_preferred_one_is_read() {
        assert_eq!(chosen(&[(Differs, u32::MAX), (Fits, u32::MAX)]), Some(1));
        assert_eq!(chosen(&[(Differs, 90), (Differs, 95)]), Some(0), "the preferred one");
        assert_eq!(chosen(&[(Behind, 60), (Differs, 90)]), Some(1));
    }

    #[test]
    fn a_node_that_is_late_is_passed_over_for_one_that_is_not() {
        assert_eq!(chosen(&[(Late, 100), (Fits, 150)]), Some(1));
        assert_eq!(chosen(&[(Late, 100), (Late, 120), (Late, 120)]), Some(1));
        assert_eq!(chosen(&[(Behind, 50), (Late, 100), (Differs, 103)]), Some(1));
        let answers = [(Behind, 50), (Late, 100), (Differs, 104)];
        assert_eq!(chosen_when(true, &answers), Some(2));
        assert_eq!(chosen_when(false, &answers), Some(1));
    }

    #[test]
    fn where_all_are_behind_the_highest_is_read() {
        assert_eq!(chosen(&[(Behind, 50), (Behind, 60), (Behind, 60)]), Some(1));
    }
}
