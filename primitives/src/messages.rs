//! Messages from L1 to L2 (R9, R28): what is on record of them, and the traits between the
//! pallet that executes them and those that have their value and their fees.

use crate::{
    chain::{AccountId, Balance, BlockNumber},
    l1::{envelope::MAX_BODY, L1Hash, OutPoint},
    relay::L1BlockContext,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};
use sp_runtime::{DispatchError, Weight};

/// The body of a message, as it stands on L1.
pub type MessageBody = BoundedVec<u8, ConstU32<{ MAX_BODY as u32 }>>;

/// Why a message was not executed.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum MessageFailure {
    /// Its body is none of a message.
    Malformed,
    /// Governance rejected its value, so that not all of it is minted.
    ValueRejected,
    /// Its call is none of this chain's.
    UnknownCall,
    /// Its call weighs more than the gas that it names.
    OutOfGas,
    /// Its call weighs more than any message's may.
    TooHeavy,
    /// Its sender could not pay for it.
    FeeUnpaid,
    /// Its call failed.
    Call(DispatchError),
    /// L1 dropped it and has not brought it again.
    Dropped,
    /// It was executed as an output of the same transaction under another identifier.
    Duplicate,
}

impl MessageFailure {
    /// Whether it may go well another time without anything new from L1 or a new program.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::FeeUnpaid | Self::Call(_))
    }
}

/// What became of a message.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum MessageState {
    /// It waits: for its turn, for those of its sender that came before, for its value to
    /// be minted, or to be tried again after what went wrong the last time.
    Queued(Option<MessageFailure>),
    /// Its call succeeded.
    Executed {
        /// In which block.
        block: BlockNumber,
    },
    /// It is not tried again by itself.
    Failed {
        /// In which block that was clear.
        block: BlockNumber,
        /// What went wrong the last time.
        reason: MessageFailure,
    },
}

/// What L2 knows of one message.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct MessageRecord {
    /// The output on L1.
    pub outpoint: OutPoint,
    /// What its transaction would be called without the scripts and witnesses of its inputs,
    /// which strangers can rewrite.
    pub unsigned_txid: L1Hash,
    /// The account of the key that sent it.
    pub sender: AccountId,
    /// What its output destroyed, in base units.
    pub value: u64,
    /// Its body, every byte as on L1 (P9).
    pub body: MessageBody,
    /// Height of its L1 block: the one that brought it last, if L1 forked.
    pub l1_height: u32,
    /// Hash of that block.
    pub l1_hash: L1Hash,
    /// The L2 block that applied it first.
    pub applied: BlockNumber,
    /// How often it was tried.
    pub tries: u8,
    /// What became of it.
    pub state: MessageState,
}

/// A message as RPC shows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct MessageReport {
    /// What is on record.
    pub record: MessageRecord,
    /// Whether its value waits to be minted in full.
    pub awaits_value: bool,
    /// The key of the record in the state, for a proof against a block's state root.
    pub storage_key: Vec<u8>,
}

/// How the value of a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueStanding {
    /// The sender has all of it.
    Credited,
    /// It waits, or a part of it.
    Waits,
    /// Governance rejected what waited.
    Rejected,
}

/// Credits what messages destroy on L1. It does so as with burns, by the same limits: what
/// is above one waits, and is credited in the end.
pub trait MessageValue {
    /// Credits an account with the value of an output, which is more than 0, or has it wait.
    /// `false` if the output is on record already, and nothing is done.
    fn credit(outpoint: OutPoint, value: u64, to: &AccountId, block: &L1BlockContext) -> bool;

    /// How that value stands; [`ValueStanding::Waits`] for what was never heard of.
    fn standing(outpoint: &OutPoint) -> ValueStanding;

    /// Upper bound of the weight of a credit.
    fn max_credit_weight() -> Weight;
}

/// Takes what executing a message costs.
pub trait ChargeMessage {
    /// Takes the fee for a call of so many bytes and this weight from the sender; how much
    /// it was.
    ///
    /// # Errors
    /// If the sender cannot pay. Then nothing is taken.
    fn charge(who: &AccountId, length: u32, weight: Weight) -> Result<Balance, DispatchError>;

    /// Whether the sender could pay the least that any call costs, by the prices of now.
    /// MUST be no more work than a charge.
    fn can_pay(who: &AccountId) -> bool;
}
