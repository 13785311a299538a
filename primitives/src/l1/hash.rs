//! Hashes and outpoints of L1.

use alloc::{string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A double SHA-256 hash of L1 (block or transaction), bytes in *raw order* (as
/// hashed). Displayed, parsed and serialised in *RPC order* (reversed hex), as
/// every Bitcoin-family node prints it.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct L1Hash(pub [u8; 32]);

impl L1Hash {
    /// The hash of `data`: SHA-256 applied twice.
    pub fn of(data: &[u8]) -> Self {
        Self(Sha256::digest(Sha256::digest(data)).into())
    }
}

impl fmt::Display for L1Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for L1Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not an L1 hash: it must be 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnL1Hash;

impl fmt::Display for NotAnL1Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an L1 hash: 64 hex digits expected")
    }
}

impl FromStr for L1Hash {
    type Err = NotAnL1Hash;

    fn from_str(text: &str) -> Result<Self, NotAnL1Hash> {
        let mut bytes: Vec<u8> = hex::decode(text).map_err(|_| NotAnL1Hash)?;
        bytes.reverse();
        Ok(Self(bytes.try_into().map_err(|_| NotAnL1Hash)?))
    }
}

impl Serialize for L1Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for L1Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One output of an L1 transaction; what a burn is keyed by.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct OutPoint {
    /// The transaction's id.
    pub txid: L1Hash,
    /// The output's position in it.
    pub vout: u32,
}

impl fmt::Display for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.txid, self.vout)
    }
}
