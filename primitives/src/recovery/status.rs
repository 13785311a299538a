//! What users and operators are told of recoveries (R19.4).

use super::{Fall, Place, RecoveryPoint};
use crate::{
    chain::{AccountId, Balance, BlockNumber},
    relay::L1BlockContext,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// Most fallen transactions that are on record, of the newest recovery; of all there is an
/// event.
pub const MAX_FALLEN: u32 = 65_536;

/// The index, in [`FallenTransaction::place`], of what L1 had forced into a block: it stands in
/// no block's body.
pub const FORCED_INDEX: u32 = u32::MAX;

/// What a recovery does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum RecoveryPhase {
    /// The state of users' money goes back. Blocks hold no transactions.
    #[codec(index = 0)]
    Restoring {
        /// Which part of it.
        part: u32,
        /// Of how many.
        parts: u32,
    },
    /// References between what went back and what did not are set right. Blocks hold no
    /// transactions.
    #[codec(index = 1)]
    Mending,
    /// What L1 has now is applied. Users' calls are refused.
    #[codec(index = 2)]
    L1Again,
    /// Users' transactions are repeated. New ones are refused.
    #[codec(index = 3)]
    Replaying {
        /// Of this block.
        block: BlockNumber,
        /// Up to and with this one.
        last: BlockNumber,
    },
}

/// A recovery that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct RecoveryProgress {
    /// Its number.
    pub number: u32,
    /// The block whose state is gone back to.
    pub since: RecoveryPoint,
    /// The L1 block from which on L1 is followed again.
    pub common: L1BlockContext,
    /// Coins that nothing backed when it began, base units.
    pub deficit: Balance,
    /// The last block whose transactions are repeated.
    pub begun_at: BlockNumber,
    /// What it does.
    pub phase: RecoveryPhase,
    /// Transactions that hold so far.
    pub held: u32,
    /// Transactions that fell so far.
    pub fell: u32,
    /// Blocks that were passed over so far: nobody brought them, or not all of what they had.
    pub abandoned: u32,
}

/// A recovery that is over.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct LastRecovery {
    /// Its number.
    pub number: u32,
    /// The block whose state was gone back to.
    pub since: RecoveryPoint,
    /// The last block whose transactions were repeated.
    pub begun_at: BlockNumber,
    /// The block in which it ended.
    pub ended_at: BlockNumber,
    /// Coins that nothing backed when it began, base units.
    pub deficit: Balance,
    /// Transactions that hold.
    pub held: u32,
    /// Transactions that fell. What L1 had forced into blocks is among them once its turn
    /// comes again.
    pub fell: u32,
    /// Blocks that were passed over: nobody brought them, or not all of what they had. What
    /// of their transactions was not repeated fell, and is not listed.
    pub abandoned: u32,
}

/// Why no recovery can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum NoRecovery {
    /// Nothing is in doubt, or what L1 dropped may still come again.
    #[codec(index = 0)]
    NothingStands,
    /// It is not known any more where the doubt began.
    #[codec(index = 1)]
    PointForgotten,
    /// It began so long ago that nodes need not have its state any more.
    #[codec(index = 2)]
    TooFarBack,
    /// The runtime's code changed since: it cannot read the old state.
    #[codec(index = 3)]
    CodeChanged,
    /// It began before the end of an earlier recovery: what that one did stands in no body.
    #[codec(index = 4)]
    EarlierRecovery,
    /// The deficit is too small for sequencers to vote. Root can begin it.
    #[codec(index = 5)]
    BelowThreshold,
    /// One to that block was called off: nobody brought the old state. Root can try again.
    #[codec(index = 6)]
    CalledOff,
}

/// How it stands with recoveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct RecoveryOverview {
    /// The one that runs.
    pub running: Option<RecoveryProgress>,
    /// The last one that is over.
    pub last: Option<LastRecovery>,
    /// Votes of the set in force that one begins.
    pub votes: u32,
    /// How many are needed.
    pub quorum: u32,
    /// Why none can begin; `None` if one runs or is voted on.
    pub why_not: Option<NoRecovery>,
}

/// A transaction that had been in force, and is not after a recovery.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct FallenTransaction {
    /// Its block, and its index among the transactions of the block that are signed;
    /// [`FORCED_INDEX`] where L1 had forced it into the block.
    pub place: Place,
    /// BLAKE2-256 of the encoded transaction: what wallets call its hash.
    pub hash: H256,
    /// Who signed it.
    pub sender: Option<AccountId>,
    /// Why it does not hold.
    pub fall: Fall,
}
