//! What is known of the blocks of one height, and which questions are out.
//!
//! A block has two properties: *sound* (it executes and obeys the rules that any node checks at
//! any time; it never changes) and *timely* (its timestamp was acceptable when it was a first
//! proposal here). A first proposal needs both; a block that a quorum vouches for needs only the
//! first, since f + 1 honest nodes found it timely.
//!
//! At most one question about a block is out at a time, so a slow execution is not doubled when a
//! quorum overtakes it: the weaker question waits for the answer to the stronger one, and is only
//! asked if that answer is "untimely".

use std::collections::BTreeMap;

use crate::types::BlockId;

/// The caller's answer about a block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// It executes, obeys all rules and, if that was asked, is timely.
    Valid,
    /// It breaks a rule; final.
    Invalid,
    /// Its timestamp is not acceptable as a first proposal now. Says nothing about the rest.
    Untimely,
}

/// What is known of the blocks of one height.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Verdicts {
    by_block: BTreeMap<BlockId, Known>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Known {
    sound: Option<bool>,
    timely: Option<bool>,
    asked: Asked,
    /// The question out, by its `first_proposal` flag.
    out: Option<bool>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Asked {
    first_proposal: bool,
    later: bool,
}

impl Verdicts {
    /// Whether the caller must be asked about the block now; marks the question as out.
    pub(crate) fn ask(&mut self, block: BlockId, first_proposal: bool) -> bool {
        let known = self.by_block.entry(block).or_default();
        let settled = match known.sound {
            Some(false) => true,
            Some(true) => !first_proposal || known.timely.is_some(),
            None => first_proposal && known.timely.is_some(),
        };
        let asked =
            if first_proposal { &mut known.asked.first_proposal } else { &mut known.asked.later };
        if settled || *asked || known.out.is_some() {
            return false;
        }
        *asked = true;
        known.out = Some(first_proposal);
        true
    }

    /// Takes an answer. Answers about blocks never asked about are ignored; a block's soundness,
    /// once known, stays.
    pub(crate) fn answer(&mut self, block: BlockId, verdict: Verdict) {
        let Some(known) = self.by_block.get_mut(&block) else {
            return;
        };
        let question = known.out.take();
        match verdict {
            Verdict::Valid => {
                known.sound = known.sound.or(Some(true));
                // Not an answer to the weaker question: the timestamp was looked at.
                if question != Some(false) {
                    known.timely = Some(true);
                }
            }
            Verdict::Invalid => known.sound = known.sound.or(Some(false)),
            Verdict::Untimely => known.timely = known.timely.or(Some(false)),
        }
    }

    /// Notes a block built here: valid and timely.
    pub(crate) fn built(&mut self, block: BlockId) {
        let known = self.by_block.entry(block).or_default();
        (known.sound, known.timely) = (Some(true), Some(true));
    }

    /// Notes a block built here before a restart: timely, but its execution is lost.
    pub(crate) fn built_earlier(&mut self, block: BlockId) {
        self.by_block.entry(block).or_default().timely = Some(true);
    }

    /// Whether the block is sound, if known.
    pub(crate) fn sound(&self, block: BlockId) -> Option<bool> {
        self.by_block.get(&block)?.sound
    }

    /// Whether the block is sound and timely, if known.
    pub(crate) fn good_first_proposal(&self, block: BlockId) -> Option<bool> {
        match self.by_block.get(&block).map(|known| (known.sound, known.timely))? {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }
}
