//! What waits, and what becomes of it.

use cascoin_l2_primitives::chain::{AccountId, Balance, Moment, Nonce};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::weights::Weight;
use scale_info::TypeInfo;
use sp_runtime::DispatchResult;

/// The places of the queue that are taken: from `first` up to `next`, which is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Places {
    /// The place whose turn is next.
    pub first: u64,
    /// The place that the next transaction will have.
    pub next: u64,
}

impl Places {
    /// How many wait.
    pub const fn waiting(&self) -> u64 {
        self.next.saturating_sub(self.first)
    }
}

/// A transaction that waits, but for its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Waiting<Hash> {
    /// Its hash, as clients know it.
    pub hash: Hash,
    /// The time from which on it is overdue, milliseconds since 1970.
    pub due: Moment,
    /// The time from which on leaders are asked for it.
    pub asked: Moment,
}

/// What a transaction says of itself, as far as it is needed to know when a block could
/// begin with it. Its signature is good.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Ticket {
    /// Who signed it.
    pub signer: AccountId,
    /// Its nonce.
    pub nonce: Nonce,
    /// What it takes of a block at most.
    pub weight: Weight,
    /// Its length in bytes.
    pub length: u32,
    /// Its tip, base units.
    pub tip: Balance,
}

/// Whether a block could begin with a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It could: its nonce is the next one, and its account can pay the fee.
    Ready,
    /// Not this block.
    NotYet,
    /// None ever: its nonce is used.
    Over,
}

/// What the leader of a block is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Asked {
    /// The transaction's place in the queue.
    pub place: u64,
    /// Who makes the block.
    pub leader: AccountId,
}

/// What became of a transaction when its time was over, or when its leader included it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Outcome {
    /// No leader had included it, so the runtime did. With what its call came to.
    Applied(DispatchResult),
    /// Its nonce is used: it was included, or its account had another one instead.
    NonceUsed,
    /// Its account cannot pay the fee.
    Unpayable,
    /// This chain could include it at no time, or cannot yet: it is no signed
    /// transaction, or its nonce lies ahead, its era is over, it takes too much.
    Invalid,
    /// The block had no room for it. It is tried again.
    NoRoom,
}

impl Outcome {
    /// Whether whoever left it out when a block could begin with it is to blame for that.
    /// Coins and room may be gone by now: a cartel that fills blocks and so raises the price
    /// brings that about. What is invalid may have been so all the time.
    pub const fn could_be_included(&self) -> bool {
        matches!(self, Self::Applied(_) | Self::Unpayable | Self::NoRoom)
    }
}

/// How many transactions there were of each kind, ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Totals {
    /// Taken into the queue.
    pub heard: u64,
    /// That leaders had included, or whose accounts had used their nonces otherwise.
    pub included: u64,
    /// That no leader had included, though they could be: the runtime did.
    pub applied: u64,
    /// That could not be included when their time was over.
    pub dropped: u64,
}

/// Applies transactions as a block does.
pub trait ApplyTransaction {
    /// Applies one that is encoded as clients send it: checks its signature, charges
    /// its fee, dispatches its call. Of one that cannot be included nothing stays. MUST
    /// book the weight of what it dispatches in the block.
    fn apply(encoded: &[u8]) -> Outcome;

    /// Upper bound of the weight of finding out whether it can be included.
    fn max_check_weight() -> Weight;

    /// What one says of itself; `None` if leaders cannot be asked for it: it is no signed
    /// transaction, its signature is none by the runtime and the state of now, or it is larger
    /// than what a block has room for in any case.
    fn ticket(encoded: &[u8]) -> Option<Ticket>;

    /// Upper bound of the weight of that.
    fn max_ticket_weight() -> Weight;

    /// Whether the block that begins could begin with it.
    fn readiness(ticket: &Ticket) -> Readiness;

    /// Whether the block had room for any that has a ticket. Asked when its inherents are
    /// applied, before any transaction.
    fn had_room() -> bool;
}
