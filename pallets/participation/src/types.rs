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

/// Of each member of a set, by index.
pub type Tenures = BoundedVec<Tenure, ConstU32<MAX_SEQUENCERS>>;

/// Some terms' records.
pub type RecordPage = BoundedVec<TermRecord, ConstU32<PAGE_RECORDS>>;

/// Who began to be missing in one leader's term, by its word. Somebody did, and not too
/// many for it to count.
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
    /// Index of the leader that made the last block, and the term; `None` if that is not
    /// known.
    pub speaker: Option<(u8, u32)>,
    /// Who signed the block before the last one, by that leader's word, if both are its
    /// own.
    pub signed: SequencerBits,
    /// Who did not sign one of that leader's blocks in this term and had signed the block
    /// before.
    pub began: SequencerBits,
    /// Whether that leader could have told of anybody.
    pub compared: bool,
    /// Terms that are over.
    pub terms: u32,
    /// Records made, ever; wraps.
    pub recorded: u32,
}

/// Since when somebody is in the set, and how often it led there. Times are numbers of
/// terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Tenure {
    /// When it came.
    pub joined: u32,
    /// Since when its terms are counted.
    pub counted_from: u32,
    /// Terms that it led since then and that count.
    pub led: u32,
}

impl Tenure {
    /// Of one that comes now.
    pub fn from(now: u32) -> Self {
        Self { joined: now, counted_from: now, led: 0 }
    }

    /// It led one more. Of more than a window the older half is forgotten, as if it had led
    /// as often in both.
    pub fn leads(&mut self, now: u32) {
        self.led = self.led.saturating_add(1);
        let counted = now.saturating_sub(self.counted_from);
        if counted > WINDOW_TERMS {
            self.counted_from = self.counted_from.saturating_add(counted / 2);
            self.led = self.led.div_ceil(2);
        }
    }

    /// How many of the terms from `since` on it led, as if it had always led as often.
    pub fn led_since(&self, since: u32, now: u32) -> u32 {
        let asked = now.saturating_sub(since.max(self.joined));
        let counted = now.saturating_sub(self.counted_from);
        let led = u64::from(self.led).saturating_mul(asked.into());
        let led = led.checked_div(counted.into()).unwrap_or(0);
        u32::try_from(led).unwrap_or(u32::MAX)
    }
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
    /// Blocks made since the last regular end, and those of them whose first leader failed.
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
    /// What it was not judged by yet.
    pub unjudged: Unjudged,
}

/// What a sequencer did since it was judged last. Sessions that were cut short add up; a
/// regular end judges, so these are less than two sessions' blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Unjudged {
    /// Blocks whose signers are known.
    pub judged: u32,
    /// Those of them that it signed.
    pub votes: u32,
    /// Heights at which it led a round that failed.
    pub missed_proposals: u32,
}

impl Unjudged {
    /// These with one more session, of `judged` blocks.
    fn and(self, tally: &Tally, judged: u32) -> Self {
        Self {
            judged: self.judged.saturating_add(judged),
            votes: self.votes.saturating_add(tally.votes),
            missed_proposals: self.missed_proposals.saturating_add(tally.missed_proposals),
        }
    }
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
            unjudged: self.unjudged.and(tally, judged),
        }
    }
}

/// `votes` of `judged`, in thousandths, rounded down; 1,000 of none.
pub fn permille(votes: u64, judged: u64) -> u16 {
    let share = votes.saturating_mul(1_000).checked_div(judged).unwrap_or(1_000);
    u16::try_from(share.min(1_000)).unwrap_or(1_000)
}
