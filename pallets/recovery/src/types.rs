//! What is stored.

use cascoin_l2_primitives::{
    chain::{Balance, BlockNumber, MAX_SEQUENCERS},
    recovery::{Cursor, RecoveryPoint, RecoverySubject, Replay},
    relay::L1BlockContext,
    sequencers::SequencerSetProvider,
};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// What a recovery does. It goes from one to the next at the end of a block only, so that
/// the hooks of a block are run all or none.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Phase {
    /// The state goes back, page by page.
    #[codec(index = 0)]
    Restoring {
        /// The old state's root, once its header was brought.
        root: Option<H256>,
        /// How far it is. Its key is one of the state's, so it is no longer than these.
        cursor: Cursor,
    },
    /// What the two sides of the cut left between them is mended.
    #[codec(index = 1)]
    Mending {
        /// The step that the next block takes; `None` when all is done.
        step: Option<u32>,
    },
    /// L1 is delivered again.
    #[codec(index = 2)]
    L1Again,
    /// Users' transactions are repeated.
    #[codec(index = 3)]
    Replaying {
        /// The one that is due.
        next: Replay,
    },
}

/// A recovery that runs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RecoveryRun {
    /// Its number.
    pub number: u32,
    /// The block whose state is gone back to.
    pub since: RecoveryPoint,
    /// L1 is followed again from the block above this one on.
    pub common: L1BlockContext,
    /// Coins that nothing backed when it began, base units.
    pub deficit: Balance,
    /// The last block whose transactions are repeated: the one in which it began.
    pub begun_at: BlockNumber,
    /// What it does.
    pub phase: Phase,
    /// The last block in which it got on.
    pub moved_at: BlockNumber,
    /// Height of the last L1 block that was applied when it began.
    pub applied_before: u32,
    /// Transactions that hold so far.
    pub held: u32,
    /// Transactions that fell so far.
    pub fell: u32,
    /// Blocks that were passed over so far, as nobody brought all of them.
    pub abandoned: u32,
}

/// How far L1 is delivered again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Redelivery {
    /// The block after which it began.
    pub begun_at: BlockNumber,
    /// Height of the last L1 block that was applied, of those that had been before.
    pub applied: u32,
    /// Burns that had their turn again.
    pub turns: u64,
}

/// Votes for one recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Votes {
    /// The set that votes.
    pub set_id: u64,
    /// On what.
    pub subject: RecoverySubject,
    /// Indices in the set, strictly ascending.
    pub voters: BoundedVec<u16, ConstU32<MAX_SEQUENCERS>>,
}

impl Votes {
    /// What there is of votes of the set in force for this recovery: all others are void.
    #[must_use]
    pub fn in_force<S: SequencerSetProvider>(self, subject: &RecoverySubject) -> Self {
        let set_id = S::set_id();
        if self.set_id == set_id && self.subject.is_same(subject) {
            self
        } else {
            Self { set_id, subject: *subject, voters: BoundedVec::default() }
        }
    }

    /// Whether a sequencer has voted.
    pub fn has(&self, voter: u16) -> bool {
        self.voters.binary_search(&voter).is_ok()
    }

    /// Adds a voter; whether it was new.
    pub fn add(&mut self, voter: u16) -> bool {
        match self.voters.binary_search(&voter) {
            Ok(_) => false,
            Err(place) => self.voters.try_insert(place, voter).is_ok(),
        }
    }
}
