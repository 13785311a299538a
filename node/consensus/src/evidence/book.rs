//! What is kept of evidence, and how much of it.
//!
//! A sequencer can make evidence against itself without end, and more than a third
//! of them together certificates. What is enough to punish them is kept, the first
//! of it; all that comes after is not.

use super::proof::signers_of_both;
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber},
    consensus::{Certificate, DoubleSignEvidence},
};
use codec::{Decode, Encode};
use sp_core::{ed25519, H256};

/// Double signs kept: four of each sequencer in the largest set.
pub const MAX_DOUBLE_SIGNS: usize = 256;
/// Of one key in one set. The chain takes one; the others show what it was like.
pub const MAX_OF_ONE: usize = 4;
/// Heights kept of which there are two certificates. Those above the first follow
/// from it.
pub const MAX_CONFLICTS: usize = 64;

/// How far a double sign is, as far as this node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Standing {
    /// The chain does not know of it yet.
    #[codec(index = 0)]
    Pending,
    /// An offence of the same sequencer in the same set is on chain.
    #[codec(index = 1)]
    OnChain,
    /// The chain will never take it: it has forgotten the set.
    #[codec(index = 2)]
    TooOld,
}

/// A double sign that this node has proof of.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DoubleSign {
    /// The proof.
    pub evidence: DoubleSignEvidence,
    /// How far it is.
    pub standing: Standing,
}

/// Two certificates of one height: more than a third of the sequencers broke the
/// rules.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Conflict {
    /// The height.
    pub height: BlockNumber,
    /// The set that certified it.
    pub set_id: u64,
    /// The block that is final here.
    pub final_block: BlockHash,
    /// Its certificate; `None` where this node keeps none of old blocks.
    pub final_certificate: Option<Certificate>,
    /// The other block.
    pub other_block: BlockHash,
    /// Its certificate.
    pub other_certificate: Certificate,
}

impl Conflict {
    /// The keys that signed both.
    pub fn signers_of_both(&self) -> Vec<ed25519::Public> {
        let own = self.final_certificate.as_ref();
        own.map(|own| signers_of_both(own, &self.other_certificate)).unwrap_or_default()
    }
}

/// All that is kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Book {
    double_signs: Vec<DoubleSign>,
    conflicts: Vec<Conflict>,
}

impl Book {
    /// A book with what was kept before, oldest first.
    pub fn new(double_signs: Vec<DoubleSign>, conflicts: Vec<Conflict>) -> Self {
        Self { double_signs, conflicts }
    }

    /// Takes proof up. `false`: there is enough already.
    pub fn add_double_sign(&mut self, evidence: DoubleSignEvidence) -> bool {
        let same = |known: &&DoubleSign| {
            (known.evidence.set_id, known.evidence.key) == (evidence.set_id, evidence.key)
        };
        let id = evidence.id();
        let of_one = self.double_signs.iter().filter(same);
        if of_one.clone().count() >= MAX_OF_ONE || of_one.clone().any(|k| k.evidence.id() == id) {
            return false;
        }
        if self.double_signs.len() >= MAX_DOUBLE_SIGNS {
            let settled = self.double_signs.iter().position(|k| k.standing != Standing::Pending);
            let Some(oldest) = settled else { return false };
            self.double_signs.remove(oldest);
        }
        self.double_signs.push(DoubleSign { evidence, standing: Standing::Pending });
        true
    }

    /// Takes two certificates up. `false`: the height has two already, or there are
    /// enough heights.
    pub fn add_conflict(&mut self, conflict: Conflict) -> bool {
        let new = !self.has_conflict(conflict.height) && self.conflicts.len() < MAX_CONFLICTS;
        if new {
            self.conflicts.push(conflict);
        }
        new
    }

    /// Whether two certificates of a height are kept.
    pub fn has_conflict(&self, height: BlockNumber) -> bool {
        self.conflicts.iter().any(|known| known.height == height)
    }

    /// Notes how far an offence is. `false`: nothing new.
    pub fn settle(&mut self, id: H256, standing: Standing) -> bool {
        let known = self.double_signs.iter_mut().find(|known| known.evidence.id() == id);
        let changed = known.filter(|known| known.standing != standing);
        changed.map(|known| known.standing = standing).is_some()
    }

    /// Double signs, oldest first.
    pub fn double_signs(&self) -> &Vec<DoubleSign> {
        &self.double_signs
    }

    /// Those that the chain does not know of yet.
    pub fn pending(&self) -> impl Iterator<Item = &DoubleSignEvidence> {
        let pending = |known: &&DoubleSign| known.standing == Standing::Pending;
        self.double_signs.iter().filter(pending).map(|known| &known.evidence)
    }

    /// Conflicts, oldest first.
    pub fn conflicts(&self) -> &Vec<Conflict> {
        &self.conflicts
    }
}
