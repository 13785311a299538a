//! What a vote says of one L1 block.

use crate::l1::L1Hash;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sp_core::H256;

/// One L1 block as the relay sees it.
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
pub struct L1BlockDigest {
    /// Height on L1.
    pub height: u32,
    /// Its hash.
    pub hash: L1Hash,
    /// The hash of the block below.
    pub previous: L1Hash,
    /// The time in its header, seconds since 1970.
    pub time: u32,
    /// Median of the times of the last 11 blocks up to this one, seconds since
    /// 1970 (BIP 113): the L1 clock that never runs backwards.
    pub median_time: u32,
    /// Events in it.
    pub event_count: u32,
    /// Root over its event pages, see [`super::pages_root`]; zero if there are
    /// no events.
    pub pages_root: H256,
}

impl L1BlockDigest {
    /// What votes are counted by: SHA-256 of the SCALE encoding.
    pub fn id(&self) -> H256 {
        H256(Sha256::digest(self.encode()).into())
    }
}
