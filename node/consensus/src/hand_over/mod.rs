//! Taking over from a set that stands still: what this node's operator accepted (R17.6, ADR
//! 0035).
//!
//! - [`HandOvers`]: the list, shared by import, verifier, engine and desk, and on disk.
//! - [`Desk`]: what operators do: consent with their relay keys, accept.
//! - [`Halt`]: where the node stops following, so that operators who leave a set that goes on
//!   without applying L1 have a base in common.
//!
//! A hand-over that was accepted is *in force* from when its base is the finalized head: then
//! its set is the one of the height above ([`crate::authority_sets`]), the engine begins that
//! height with it ([`crate::schedule`]), and the block there is valid only with the hand-over
//! in its header ([`crate::header::check_hand_over`]) and the state takes that one
//! ([`crate::executor::execute`]). Nothing of it is ever taken back.
//!
//! # What happens at the same time
//!
//! Let `B` be the base, `O` a block that the old set puts on it, `N` one of the new set. On no
//! node both become final, and no node that accepted makes `O` final afterwards:
//!
//! - *`O` is final here.* Accepting is refused ([`DeskError::Above`]), under the lock that all
//!   imports go through.
//! - *`O` is decided here and not yet imported* (it is being executed, or the disk is full).
//!   A decision is noted before it counts ([`CertifiedImport::claim`]), and that and accepting
//!   exclude each other: if the decision came first, accepting is refused; if accepting came
//!   first, the decision is dropped, and the height begins anew.
//! - *`O` comes by sync, from a peer that helps, or out of the log* and was checked before the
//!   hand-over was accepted. The import looks again under its lock: a block behind the base
//!   must carry what is accepted, and its certificate must be that of the set in force then.
//!   `O` does not, and is refused.
//! - *`N` comes while the engine still works with the old set.* The engine cannot use it; sync
//!   or the next attempt imports it, and the engine goes on above it.
//! - *Votes of the old set under way when the hand-over is accepted.* The engine looks before
//!   each signature whether its height is still its set's, so none is signed afterwards. What
//!   peers say under another set's id counts nowhere.
//! - *Work for the old set that comes back from other threads* (a block built, executed or
//!   fetched) is told by its set's id, and dropped.
//! - *A hand-over that waits does not come into force at its base*, for this node's disk or
//!   runtime fails. Then the height above is nobody's here: nothing is signed, decided or imported
//!   at it, and it is tried again all the time. Only if the state does not take it does the set
//!   before go on, or one with a lower set id take over.
//! - *Two hand-overs from one base with one set id*, both accepted, each by another database with
//!   the same log and keys. What the log holds of that set is then not all of its members. Such a
//!   height is left to others: nothing is signed at it ([`crate::engine`]'s recall).
//! - *A crash before the acceptance is on disk*: it was not accepted. *A crash after it*: it and
//!   the set were written together. *A node below the base that accepted* writes the set when
//!   the base is final; a crash between the two is made good at the start.
//! - *A database that lost its end in a power cut*, the acceptance with it, beside a log that has
//!   votes of the new set: the log's word holds. A key signs at no height for a set below one
//!   that it has signed for ([`crate::wal::Memory::highest`], and the HSM's high-water mark).
//!   The operator accepts again.
//! - *`O` is in this node's log as decided, and its database lost it*: if the operator accepts
//!   before it is imported again, the log's block is not taken, for it is another set's. Whether
//!   `O` is final elsewhere no node can see; who has it refuses the hand-over there.
//!
//! A candidate that comes into a set this way needs a log for its key. It is made by itself if
//! the node ran when the base was made, as with any rotation; else the operator says with
//! `--accept-missing-log` that the key has never signed.
//!
//! [`CertifiedImport::claim`]: crate::import::CertifiedImport::claim

mod desk;
pub(crate) mod halt;
mod list;

pub use desk::Desk;
pub use halt::Halt;
#[cfg(test)]
pub(crate) use list::testing;
pub use list::{HandOvers, HandOversError};

use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber},
    hand_over::{Consent, HandOver, HandOverBase, HandOverError},
};
use sp_core::H256;
use std::sync::Arc;

/// What this node's operator decides (and the RPC asks).
pub trait HandOverDesk: Send + Sync + 'static {
    /// What was accepted here, oldest first.
    fn accepted(&self) -> Vec<AcceptedHandOver>;

    /// Signs with each relay key that this node holds of an account that may go on.
    /// `base.hash` must be the finalized head.
    ///
    /// # Errors
    /// [`DeskError`]; nothing is signed then.
    fn consent(&self, base: &HandOverBase) -> Result<Vec<Consent>, DeskError>;

    /// Accepts. Blocking: it waits for the block that is being imported, runs the runtime and
    /// writes to the disk. The same once more changes nothing.
    ///
    /// # Errors
    /// [`DeskError`]; nothing is stored then.
    fn accept(&self, hand_over: HandOver) -> Result<AcceptedHandOver, DeskError>;

    /// The last block that this node takes, if any is.
    fn halts_at(&self) -> Option<BlockNumber>;

    /// Has this node take no block above that of a height, and sign none, until it is told
    /// otherwise (`None`) or a hand-over from there comes into force. Blocking, as
    /// [`accept`](Self::accept).
    ///
    /// # Errors
    /// [`DeskError`]; nothing is stored then.
    fn halt_at(&self, height: Option<BlockNumber>) -> Result<(), DeskError>;
}

/// A hand-over that was accepted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedHandOver {
    /// The hand-over.
    pub hand_over: HandOver,
    /// Its set certifies the height above its base here.
    pub in_force: bool,
}

/// Why the desk does not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// To consent: the base is not this node's finalized head.
    #[error("the base is not the finalized head, which is block {} ({:?})", .head.0, .head.1)]
    NotTheHead {
        /// Number and hash of the finalized head.
        head: (BlockNumber, BlockHash),
    },
    /// To consent: this node holds no relay key of anybody who may go on.
    #[error("this node holds the relay key of nobody who may go on")]
    NoKeys,
    /// The state behind the base does not take it.
    #[error("the state behind the base does not take it: {0:?}")]
    Refused(HandOverError),
    /// One with this or a higher set id is accepted on this base. Holds its id.
    #[error("another one with this set id or a higher one is accepted: {0:?}")]
    OtherAccepted(H256),
    /// A block above the base that does not carry it, or above the height at which the node is
    /// to stop, is final here.
    #[error("block {number} ({hash:?}) above it is final here")]
    Above {
        /// Its number.
        number: BlockNumber,
        /// Its hash.
        hash: BlockHash,
    },
    /// Such a block is decided here, and is about to be final: it waits for its import.
    #[error("block {number} ({hash:?}) above it is decided here")]
    Decided {
        /// Its number.
        number: BlockNumber,
        /// Its hash.
        hash: BlockHash,
    },
    /// The base is not known here though it is below the head, or the database, the runtime or
    /// the keystore failed.
    #[error("{0}")]
    Unknown(String),
}

/// The hand-over that is in force behind a block, of those that a desk has accepted.
pub fn in_force_behind(desk: &dyn HandOverDesk, base: &BlockHash) -> Option<Arc<HandOver>> {
    let mut accepted = desk.accepted().into_iter();
    let found = accepted.find(|one| one.in_force && one.hand_over.base.hash == *base)?;
    Some(Arc::new(found.hand_over))
}

/// Whether both are the same hand-over, or both none.
pub(crate) fn are_same(one: Option<&HandOver>, other: Option<&HandOver>) -> bool {
    one.map(HandOver::id) == other.map(HandOver::id)
}
