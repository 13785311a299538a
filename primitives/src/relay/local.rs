//! Where a node's L1 follower leaves finished blocks for the off-chain worker.
//!
//! The follower writes, the worker reads (and takes requests away); both run in one node and meet in the
//! node's persistent off-chain storage (never part of the state). Values are
//! SCALE-encoded.

use super::{EventPage, L1BlockDigest};
use alloc::vec::Vec;
use codec::{Decode, Encode};

/// Key of the [`LocalTip`].
pub const TIP_KEY: &[u8] = b"cascoin-l2/l1/tip";

/// Key of a request to send again at once what is not on chain yet, whenever it was sent
/// last. The worker takes it away.
pub const RETRY_KEY: &[u8] = b"cascoin-l2/l1/retry";

/// The L1 node's tip as the follower saw it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LocalTip {
    /// Highest L1 block that has enough confirmations and is stored here.
    pub readable_height: u32,
    /// Height of the tip.
    pub height: u32,
    /// Time in the tip's header, seconds since 1970.
    pub time: u32,
}

/// One L1 block, ready to be voted for and delivered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LocalBlock {
    /// What to vote for.
    pub digest: L1BlockDigest,
    /// Its pages, the ones under the digest's root.
    pub pages: Vec<EventPage>,
}

/// Key of the [`LocalBlock`] at `height`.
pub fn block_key(height: u32) -> Vec<u8> {
    [b"cascoin-l2/l1/block/".as_slice(), &height.to_be_bytes()].concat()
}
