//! The pre-runtime digest that says who led which round.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{generic::DigestItem, ConsensusEngineId};

/// Engine id of [`LeaderDigest`].
pub const LEADER_ENGINE_ID: ConsensusEngineId = *b"CASL";

/// Who built a block, and in which term and round. A round's number is that of
/// the first proposal: a re-proposal in a later round is the same block.
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
pub struct LeaderDigest {
    /// Term of the schedule.
    pub term: u32,
    /// Round in which the block was first proposed.
    pub round: u16,
    /// Index of the leader in the authority set.
    pub leader: u16,
}

impl LeaderDigest {
    /// As a digest item.
    pub fn item(&self) -> DigestItem {
        DigestItem::PreRuntime(LEADER_ENGINE_ID, self.encode())
    }

    /// Finds it among a header's logs; `None` if it is missing, malformed or
    /// there twice.
    pub fn find(logs: &[DigestItem]) -> Option<Self> {
        let mut found = logs.iter().filter_map(|log| match log {
            DigestItem::PreRuntime(LEADER_ENGINE_ID, data) => Some(data),
            _ => None,
        });
        let data = found.next()?;
        if found.next().is_some() {
            return None;
        }
        Self::decode(&mut &data[..]).ok()
    }
}
