//! What the pallet keeps.

use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, BlockNumber, FeeSplit, MAX_SEQUENCERS},
    rewards::{Collected, SessionReward, SettledSession},
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// One for each sequencer of a set, by index.
pub type OfEach<V> = BoundedVec<V, ConstU32<MAX_SEQUENCERS>>;

/// Sequencers whose rewards are halved, each with the last height at which they are;
/// the heights rise.
pub type PenaltyList = BoundedVec<(AccountId, BlockNumber), ConstU32<MAX_PENALTIES>>;

/// Most sequencers that are penalised at a time: two full sets, since the set may
/// change meanwhile. One more, and the oldest penalty ends early.
pub const MAX_PENALTIES: u32 = 2 * MAX_SEQUENCERS;

/// A sequencer's place in a set.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Seat {
    /// Who.
    pub account: AccountId,
    /// Its ranking weight when the session began.
    pub weight: u64,
}

/// The set of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct SessionSet {
    /// Its id.
    pub set_id: u64,
    /// Its sequencers, by index.
    pub seats: OfEach<Seat>,
}

impl SessionSet {
    /// The index of an account; `None` if it is not in the set.
    pub fn index_of(&self, account: &AccountId) -> Option<u16> {
        let position = self.seats.iter().position(|seat| seat.account == *account)?;
        u16::try_from(position).ok()
    }

    /// One empty tally for each sequencer.
    pub fn empty_tallies(&self) -> OfEach<Collected> {
        let empty = self.seats.iter().map(|_| Collected::default()).collect::<Vec<_>>();
        // As many as seats, which fit.
        BoundedVec::truncate_from(empty)
    }
}

/// A session that is over and not settled yet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct EndedSession {
    /// Its set.
    pub set: SessionSet,
    /// Its last height.
    pub last_block: BlockNumber,
    /// What its blocks brought, by their producer's index.
    pub tallies: OfEach<Collected>,
}

/// What the transactions of a block have paid so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct BlockFees {
    /// How its base fees are split: as the parameters said when it began, so that whoever
    /// asks meanwhile knows what will be burned.
    pub split: FeeSplit,
    /// Index of its producer; `None` for a block that no sequencer of the set made, as
    /// only tests have them.
    pub producer: Option<u16>,
    /// Base fees.
    pub base_fees: Balance,
    /// Tips.
    pub tips: Balance,
    /// What of the room for users transactions took for which nobody pays.
    pub free: Room,
}

/// A part of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Room {
    /// Of its time, in picoseconds.
    pub time: u64,
    /// Of its length, in bytes.
    pub bytes: u64,
}

impl Room {
    /// What is left without a part of it.
    #[must_use]
    pub fn without(self, part: Self) -> Self {
        Self {
            time: self.time.saturating_sub(part.time),
            bytes: self.bytes.saturating_sub(part.bytes),
        }
    }
}

/// What an account has earned as a sequencer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Earned {
    /// Settled and not paid yet.
    pub owed: Balance,
    /// Paid, ever.
    pub paid: Balance,
}

/// How the last session was settled.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Settlement {
    /// The session.
    pub session: SettledSession,
    /// What each sequencer of its set got, by index.
    pub rewards: OfEach<SessionReward>,
}

/// What of this stands in the pot and is not owed yet.
pub fn held(collected: &Collected) -> Balance {
    let parts = collected.producer_part.saturating_add(collected.others_part);
    parts.saturating_add(collected.tips)
}
