//! Users' transactions are repeated, each once, in their order (R19.3).
//!
//! - What had succeeded is applied again, and **holds** if it succeeds again. If it does not,
//!   it **fell**: nothing of it stays, no fee is taken, and its sender is told (R19.4).
//! - What had failed is not tried again: its sender knows that it failed, and may have sent
//!   another one for it. In the state that was gone back to, its fee is not paid.
//! - What had succeeded but for a call inside of it **fell**, too, and is not tried: what of
//!   it was in force nobody can tell apart from what its sender has done since in its stead.
//! - Nonces do not go back. So nothing that fell can be sent in by somebody else later: its
//!   sender signs anew or lets it be. And one that fell keeps none of its sender's others
//!   from holding.
//!
//! No signature is checked again: that a transaction stands in a certified block proves
//! it. Who applies the transactions has to see that they do.

use crate::chain::BlockNumber;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_runtime::{transaction_validity::TransactionValidityError, DispatchError};

/// What became of a user's transaction in its block, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub enum Outcome {
    /// All of it was done.
    #[codec(index = 0)]
    Succeeded,
    /// It succeeded, and a call inside of it failed: one of a batch, or a proxy's.
    #[codec(index = 1)]
    PartlyFailed,
    /// It failed.
    #[codec(index = 2)]
    Failed,
}

/// A user's transaction in a past block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Past<T> {
    /// The transaction.
    pub transaction: T,
    /// What became of it there.
    pub outcome: Outcome,
}

/// What transactions are applied to.
pub trait Ledger {
    /// A transaction, by somebody whom its block proves.
    type Transaction;
    /// Why one does not hold.
    type Refusal;

    /// Applies a transaction with its fee, or changes nothing. Its nonce is not looked at.
    ///
    /// # Errors
    /// Why it cannot be applied in full.
    fn apply(&mut self, transaction: &Self::Transaction) -> Result<(), Self::Refusal>;

    /// Takes note of a transaction that is not repeated: its nonce is used all the same.
    fn pass_over(&mut self, transaction: &Self::Transaction);

    /// Why one does not hold of which a part had failed.
    fn in_part() -> Self::Refusal;
}

/// Why a transaction of the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Fall {
    /// No block could hold it; most often because its sender cannot pay the fee.
    Refused(TransactionValidityError),
    /// Its call fails, or one inside of it.
    Failed(DispatchError),
    /// The runtime cannot read it, or nobody signed it.
    Unreadable,
    /// A call inside of it had failed in its block, so it is not repeated.
    PartlyFailed,
}

// By hand, as `TransactionValidityError` has neither; nothing of it lies on the heap.
impl DecodeWithMemTracking for Fall {}

impl MaxEncodedLen for Fall {
    fn max_encoded_len() -> usize {
        // The validity error: its kind, its reason, and the number of a reason of our own.
        const REFUSED: usize = 3;
        REFUSED.max(DispatchError::max_encoded_len()).saturating_add(1)
    }
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Verdict<R> {
    /// It is in force again.
    Holds,
    /// It is not, and had been.
    Fell(R),
    /// It had failed, and was not tried.
    HadFailed,
}

/// Where a transaction stands.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Place {
    /// Its block.
    pub block: BlockNumber,
    /// Its index among the users' transactions of the block.
    pub index: u32,
}

/// There is no block left to be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayError;

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("no block is left to be replayed")
    }
}

impl core::error::Error for ReplayError {}

/// How far a replay is. It is kept with the state that it changes, so that a crash between
/// two steps repeats nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Replay {
    next: Place,
    last: BlockNumber,
}

impl Replay {
    /// A replay of all blocks after `point`, up to and with `last`.
    pub fn between(point: BlockNumber, last: BlockNumber) -> Self {
        Self { next: Place { block: point.saturating_add(1), index: 0 }, last }
    }

    /// The transaction, or the end of a block, that is due; `None` when all is done.
    pub fn due(&self) -> Option<Place> {
        Some(self.next).filter(|next| next.block <= self.last)
    }

    /// The block that is due has no transactions of users: the next one is due.
    ///
    /// # Errors
    /// [`ReplayError`] when all is done.
    pub fn pass_over(&mut self) -> Result<(), ReplayError> {
        let block = self.due().ok_or(ReplayError)?.block;
        self.next = Place { block: block.saturating_add(1), index: 0 };
        Ok(())
    }

    /// Repeats transactions of the block that is due, at most `limit`. `block` are all
    /// users' transactions of it. Tells the verdict on each, and returns how many it
    /// looked at. Once all are repeated the next block is due.
    ///
    /// # Errors
    /// [`ReplayError`] when all is done.
    pub fn step<L: Ledger>(
        &mut self,
        ledger: &mut L,
        block: &[Past<L::Transaction>],
        limit: u32,
        mut tell: impl FnMut(Place, &Past<L::Transaction>, Verdict<L::Refusal>),
    ) -> Result<u32, ReplayError> {
        let first = self.due().ok_or(ReplayError)?;
        let skipped = usize::try_from(first.index).unwrap_or(usize::MAX);
        let mut looked_at = 0;
        for past in block.iter().skip(skipped) {
            if looked_at >= limit {
                return Ok(looked_at);
            }
            looked_at = looked_at.saturating_add(1);
            let verdict = match past.outcome {
                Outcome::Succeeded => match ledger.apply(&past.transaction) {
                    Ok(()) => Verdict::Holds,
                    Err(refusal) => Verdict::Fell(refusal),
                },
                Outcome::PartlyFailed => {
                    ledger.pass_over(&past.transaction);
                    Verdict::Fell(L::in_part())
                }
                Outcome::Failed => {
                    ledger.pass_over(&past.transaction);
                    Verdict::HadFailed
                }
            };
            tell(self.next, past, verdict);
            self.next.index = self.next.index.saturating_add(1);
        }
        self.next = Place { block: first.block.saturating_add(1), index: 0 };
        Ok(looked_at)
    }
}
