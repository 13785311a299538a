//! How L1 blocks are attested on L2.
//!
//! Each sequencer reads its own L1 node, `k` confirmations deep, and votes for
//! ranges of consecutive blocks. A block's [`L1BlockDigest`] commits to all its
//! events; once more than two thirds voted for the same digest of a height, and
//! all below are applied, its [`EventPage`]s are delivered, by anyone, checked
//! against the digest's root and applied in order.
//!
//! Where L1 left the attested branch, more than two thirds vote for a [`ForkPoint`].

mod chance;
mod digest;
mod event;
mod fork;
pub mod local;
mod page;
mod sink;
mod vote;

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod vote_tests;

pub use chance::L1Chance;
pub use digest::L1BlockDigest;
pub use event::{
    L1Event, TrustStatement, MAX_FORCED_PER_BLOCK, MAX_REGISTRATIONS_PER_BLOCK,
    MAX_STAKE_PER_BLOCK, MAX_TRUST_PER_BLOCK,
};
pub use fork::{ForkPoint, ForkVote, FORK_DOMAIN, MAX_FORK_DEPTH, RECOVERY_WINDOW};
pub use page::{
    pages_root, paginate, EventPage, PageError, PageProof, PageTree, MAX_EVENTS_PER_PAGE,
    MAX_PAGE_BYTES, MAX_PROOF_DEPTH,
};
pub use sink::{L1BlockContext, L1Branch, OnL1BlockApplied, OnL1Event, OnL1Fork};
pub use vote::{RelayRange, RelayVote, MAX_RANGE, VOTE_DOMAIN};
