//! A sequencer's vote that L1 left the attested branch (R19.1, ADR 0026).

use super::L1BlockContext;
use crate::l1::L1Hash;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ed25519, H256};

/// Domain of the signed message.
pub const FORK_DOMAIN: &[u8; 9] = b"CASL2FRK1";
/// Most attested L1 blocks that one fork removes: at L1's pace those of half a day and
/// more. What is deeper is for governance.
pub const MAX_FORK_DEPTH: u32 = 512;

/// L1 blocks above all replaced ones that a transaction of these has to come again in,
/// before it is taken as gone: an hour and a half at L1's target.
pub const RECOVERY_WINDOW: u32 = 36;

/// Where L1's best branch leaves the attested one.
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
pub struct ForkPoint {
    /// The highest attested block that L1 still has.
    pub common: L1BlockContext,
    /// Hash of the block that L1 has above it now.
    pub branch: L1Hash,
    /// Hash of the last attested block, which L1 has no more. It binds the vote to what
    /// the relay holds: once that changes, the vote is void.
    pub replaced: L1Hash,
}

/// A signed vote for a fork point.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ForkVote {
    /// The set the voter belongs to.
    pub set_id: u64,
    /// The voter's index in it.
    pub voter: u16,
    /// Where L1 forked.
    pub fork: ForkPoint,
    /// Time of the voter's L1 tip, seconds since 1970; later than in every vote of this
    /// voter before, so that none of these can be replayed after the fork.
    pub tip_time: u32,
    /// Over [`ForkVote::message`], by the voter's relay key.
    pub signature: ed25519::Signature,
}

impl ForkVote {
    /// What is signed: `"CASL2FRK1" ‖ genesis ‖ set_id ‖ SCALE-encoded fork point ‖
    /// tip_time u32`.
    pub fn message(genesis: &H256, set_id: u64, fork: &ForkPoint, tip_time: u32) -> Vec<u8> {
        let mut message = FORK_DOMAIN.to_vec();
        message.extend_from_slice(genesis.as_bytes());
        message.extend_from_slice(&set_id.to_le_bytes());
        message.extend_from_slice(&fork.encode());
        message.extend_from_slice(&tip_time.to_le_bytes());
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fork() -> ForkPoint {
        let common = L1BlockContext { height: 7, hash: L1Hash([1; 32]), time: 20, median_time: 10 };
        ForkPoint { common, branch: L1Hash([2; 32]), replaced: L1Hash([3; 32]) }
    }

    #[test]
    fn the_message_is_laid_out_as_documented() {
        let message = ForkVote::message(&H256::repeat_byte(9), 5, &fork(), 6);
        assert_eq!(message.len(), 9 + 32 + 8 + (4 + 32 + 4 + 4) + 32 + 32 + 4);
        assert_eq!(message[..9], *b"CASL2FRK1");
        assert_eq!(message[9..41], [9; 32]);
        assert_eq!(message[41..49], 5u64.to_le_bytes());
        assert_eq!(message[49..53], 7u32.to_le_bytes());
        assert_eq!(message[53..85], [1; 32]);
        assert_eq!(message[93..125], [2; 32]);
        assert_eq!(message[125..157], [3; 32]);
        assert_eq!(message[157..], 6u32.to_le_bytes());
    }

    #[test]
    fn no_two_fork_votes_sign_the_same() {
        let genesis = H256::zero();
        let message = ForkVote::message(&genesis, 5, &fork(), 6);
        for other in [
            ForkVote::message(&H256::repeat_byte(1), 5, &fork(), 6),
            ForkVote::message(&genesis, 6, &fork(), 6),
            ForkVote::message(&genesis, 5, &fork(), 7),
            ForkVote::message(&genesis, 5, &ForkPoint { branch: L1Hash([4; 32]), ..fork() }, 6),
        ] {
            assert_ne!(message, other);
        }
    }
}
