//! What is counted.

use cascoin_l2_primitives::{
    chain::{AccountId, MAX_SEQUENCERS},
    sequencers::SequencerBits,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// The accounts of a set, by index.
pub type Accounts = BoundedVec<AccountId, ConstU32<MAX_SEQUENCERS>>;

/// How far back absences count, in leaders' terms: at 500 ms and ten blocks a term 7.6
/// days.
pub const WINDOW_TERMS: u32 = 1 << 17;
/// Terms with beginnings of absences that are kept, the last ones.
pub const MAX_RECORDS: u32 = 1_024;
/// Of these, in one value.
pub const PAGE_RECORDS: u32 = 64;

// A place stays in its page, and the number of records may wrap.
const _: () = assert!(MAX_RECORDS.is_power_of_two() && MAX_RECORDS.is_multiple_of(PAGE_RECORDS));

/// Some terms' records.
pub type RecordPage = BoundedVec<TermRecord, ConstU32<PAGE_RECORDS>>;

/// Who began to be missing in one leader's term: by its word, who was not missing in the
/// term before. Somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct TermRecord {
    /// The number of the term, counted from genesis.
    pub term: u32,
    /// The leader's index; one that no set has, if it is not in the set any more.
    pub leader: u8,
    /// Who, by index.
    pub began: SequencerBits,
}

/// The term that runs, and where its record goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Watch {
    /// Index of the leader that makes the blocks now, and the term; `None` if nothing is
    /// known of it.
    pub speaker: Option<(u8, u32)>,
    /// Who did not sign one of the blocks, by that leader's word.
    pub missing: SequencerBits,
    /// Who was missing in the term before.
    pub before: SequencerBits,
    /// Terms that are over.
    pub terms: u32,
    /// Records made, ever; wraps.
    pub recorded: u32,
}

/// What a sequencer did in the session that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Tally {
    /// Blocks it made.
    pub produced: u32,
    /// Heights at which it led a round that failed.
    pub missed_proposals: u32,
    /// Blocks it signed.
    pub votes: u32,
}

/// The session that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Session {
    /// Blocks whose signers are known.
    pub judged: u32,
    /// Blocks it made, and those of them whose first leader failed.
    pub blocks: u32,
    /// The latter.
    pub late: u32,
    /// Of each member of its set, by index.
    pub tallies: BoundedVec<Tally, ConstU32<MAX_SEQUENCERS>>,
    /// Who is missing in the term that runs. Outlives the session.
    pub watch: Watch,
}

impl Session {
    /// One that begins, of a set of this size.
    pub fn of(members: usize) -> Self {
        let tallies = core::iter::repeat_n(Tally::default(), members).collect();
        let tallies = BoundedVec::truncate_from(tallies);
        Self { judged: 0, blocks: 0, late: 0, tallies, watch: Watch::default() }
    }

    /// Share of its blocks that the first leader made, in thousandths.
    pub fn liveness_permille(&self) -> u16 {
        permille(self.blocks.saturating_sub(self.late).into(), self.blocks.into())
    }

    /// Whom it counts, each with its index.
    pub fn numbered(&mut self) -> impl Iterator<Item = (usize, &mut Tally)> {
        self.tallies.iter_mut().enumerate()
    }
}

/// What a sequencer did in all sessions before, since it joined the set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Total {
    /// Blocks it made.
    pub produced: u64,
    /// Heights at which it led a round that failed.
    pub missed_proposals: u64,
    /// Blocks it signed.
    pub votes: u64,
    /// Blocks it did not sign.
    pub missed_votes: u64,
    /// Blocks of the last session that it signed.
    pub last_votes: u32,
    /// Blocks of the last session.
    pub last_judged: u32,
}

impl Total {
    /// These with one more session, of `judged` blocks.
    pub fn and(self, tally: &Tally, judged: u32) -> Self {
        Self {
            produced: self.produced.saturating_add(tally.produced.into()),
            missed_proposals: self.missed_proposals.saturating_add(tally.missed_proposals.into()),
            votes: self.votes.saturating_add(tally.votes.into()),
            missed_votes: self
                .missed_votes
                .saturating_add(judged.saturating_sub(tally.votes).into()),
            last_votes: tally.votes,
            last_judged: judged,
        }
    }
}

/// `votes` of `judged`, in thousandths, rounded down; 1,000 of none.
pub fn permille(votes: u64, judged: u64) -> u16 {
    let share = votes.saturating_mul(1_000).checked_div(judged).unwrap_or(1_000);
    u16::try_from(share.min(1_000)).unwrap_or(1_000)
}
