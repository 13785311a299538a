//! The seam between the relay, which orders L1 events, and the pallets that act
//! on them.

use super::{L1BlockDigest, L1Event};
use crate::l1::L1Hash;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Weight;

/// The L1 block an event stands in.
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
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct L1BlockContext {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: L1Hash,
    /// The time in its header, seconds since 1970.
    pub time: u32,
    /// Median of the times of the last 11 blocks up to it, seconds since 1970.
    pub median_time: u32,
}

impl From<&L1BlockDigest> for L1BlockContext {
    fn from(digest: &L1BlockDigest) -> Self {
        Self {
            height: digest.height,
            hash: digest.hash,
            time: digest.time,
            median_time: digest.median_time,
        }
    }
}

/// Acts on L1 events. The relay calls it once per event, in L1 order, and never
/// twice for one event of one attested block.
///
/// Implementations cannot refuse: they must record what they cannot do.
pub trait OnL1Event {
    /// Acts on `event` of `block`.
    fn on_event(event: &L1Event, block: &L1BlockContext);

    /// Upper bound of one call's weight.
    fn max_event_weight() -> Weight;
}

impl OnL1Event for () {
    fn on_event(_: &L1Event, _: &L1BlockContext) {}

    fn max_event_weight() -> Weight {
        Weight::zero()
    }
}

/// Told once when all events of an L1 block are applied.
pub trait OnL1BlockApplied {
    /// `block` is applied; all below are too.
    fn on_applied(block: &L1BlockContext);

    /// Upper bound of one call's weight.
    fn max_applied_weight() -> Weight;
}

impl OnL1BlockApplied for () {
    fn on_applied(_: &L1BlockContext) {}

    fn max_applied_weight() -> Weight {
        Weight::zero()
    }
}

/// Told when L1 left the attested branch, and when the relay has caught up (ADR 0026).
pub trait OnL1Fork {
    /// L1 has no applied block above `common` any more. Events of the new branch follow;
    /// those that it shares with the old one come a second time, in other blocks.
    fn on_fork(common: &L1BlockContext);

    /// The new branch is applied beyond all that it replaced: what it has not brought
    /// again by now is taken as gone. Not told of a fork that another one overtakes.
    fn on_recovered();

    /// Upper bound of the weight of one call of either.
    fn max_fork_weight() -> Weight;
}

impl OnL1Fork for () {
    fn on_fork(_: &L1BlockContext) {}

    fn on_recovered() {}

    fn max_fork_weight() -> Weight {
        Weight::zero()
    }
}

/// The attested branch of L1, as far down as the relay remembers it.
pub trait L1Branch {
    /// Whether the block stands on the attested branch. One that is too old to be
    /// remembered does: no fork is as deep.
    fn has_block(height: u32, hash: &L1Hash) -> bool;
}
