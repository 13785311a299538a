//! A sequencer's vote for a range of L1 blocks.

use super::L1BlockDigest;
use crate::l1::L1Hash;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sha2::{Digest, Sha256};
use sp_core::{bounded::BoundedVec, ed25519, ConstU32, H256};

/// Most blocks of one vote.
pub const MAX_RANGE: u32 = 64;
/// Domain of the signed message.
pub const VOTE_DOMAIN: &[u8; 9] = b"CASL2RLY1";

/// Consecutive L1 blocks, lowest first.
///
/// Well-formed means: not empty, heights rise by one, and each block's
/// `previous` is the hash of the one before ([`RelayRange::is_well_formed`]).
#[derive(
    Clone,
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
pub struct RelayRange(pub BoundedVec<L1BlockDigest, ConstU32<MAX_RANGE>>);

impl RelayRange {
    /// Whether the blocks form a chain.
    pub fn is_well_formed(&self) -> bool {
        !self.0.is_empty()
            && self.0.windows(2).all(|pair| {
                pair[0].height.checked_add(1) == Some(pair[1].height)
                    && pair[1].previous == pair[0].hash
            })
    }

    /// Height of the first block; 0 for an empty range.
    pub fn first(&self) -> u32 {
        self.0.first().map_or(0, |digest| digest.height)
    }

    /// The block the range stands on.
    pub fn previous(&self) -> L1Hash {
        self.0.first().map_or_else(L1Hash::default, |digest| digest.previous)
    }
}

/// A signed vote.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RelayVote {
    /// The set the voter belongs to.
    pub set_id: u64,
    /// The voter's index in it.
    pub voter: u16,
    /// The blocks voted for.
    pub range: RelayRange,
    /// Time of the voter's L1 tip, seconds since 1970. Of two votes of one voter
    /// for one height the later tip time counts, so an old vote cannot be
    /// replayed over a newer one.
    pub tip_time: u32,
    /// Over [`RelayVote::message`], by the voter's relay key.
    pub signature: ed25519::Signature,
}

impl RelayVote {
    /// What is signed: `"CASL2RLY1" ‖ genesis ‖ set_id ‖ first u32 ‖ count u32 ‖
    /// previous 32 ‖ SHA-256 of the SCALE-encoded digests ‖ tip_time u32`.
    pub fn message(genesis: &H256, set_id: u64, range: &RelayRange, tip_time: u32) -> Vec<u8> {
        let mut message = Vec::with_capacity(125);
        message.extend_from_slice(VOTE_DOMAIN);
        message.extend_from_slice(genesis.as_bytes());
        message.extend_from_slice(&set_id.to_le_bytes());
        message.extend_from_slice(&range.first().to_le_bytes());
        message.extend_from_slice(&(range.0.len() as u32).to_le_bytes());
        message.extend_from_slice(&range.previous().0);
        message.extend_from_slice(&Sha256::digest(range.0.encode()));
        message.extend_from_slice(&tip_time.to_le_bytes());
        message
    }
}
