//! What the pallet stores besides the records that others read.

use crate::limits::{Limits, Spent};
use cascoin_l2_primitives::{
    chain::{BlockNumber, Moment},
    l1::OutPoint,
    reputation::Day,
};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A burn, or a part of one, that was credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Credit {
    /// The burn.
    pub outpoint: OutPoint,
    /// How much, in base units.
    pub amount: u64,
    /// In which block.
    pub block: BlockNumber,
    /// Its time.
    pub time: Moment,
}

/// What burns brought an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct AccountMinted {
    /// Burns that were credited to it, in full or in part.
    pub burns: u32,
    /// What of its daily limit is used.
    pub spent: Spent,
}

/// A burn in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Waiting {
    /// Its place.
    pub place: u64,
    /// What it brought on the last day on which it brought anything.
    pub spent: Spent,
}

/// What a burn had brought when the state went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Before {
    /// The burn.
    pub outpoint: OutPoint,
    /// How much, in base units.
    pub minted: u64,
}

/// Whose turn it is. A round of turns begins with each day and each change of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Round {
    /// The day for which it began.
    pub day: Day,
    /// The limits for which it began.
    pub limits: Limits,
    /// Places below it have not had their turn.
    pub until: u64,
}

/// A burn of an L1 block that a fork can still remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct RecentBurn {
    /// The burn.
    pub outpoint: OutPoint,
    /// Height of the block that it was noted for.
    pub height: u32,
}
