//! A sequencer's vote that a recovery begins (R19.2, ADR 0033).
//!
//! It says more than an opinion: a node votes only if it has the state that would be gone
//! back to and the blocks since. So none begins that nobody could finish.

use super::RecoveryPoint;
use crate::{
    chain::{Balance, BlockHash},
    relay::L1BlockContext,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ed25519;

/// Domain of the signed message.
pub const RECOVERY_DOMAIN: &[u8; 9] = b"CASL2RCV1";

/// What is voted on.
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
)]
pub struct RecoverySubject {
    /// The number of the recovery: 1 for a chain's first. It rises with each, so that no
    /// vote counts for two.
    pub number: u32,
    /// The block whose state is gone back to.
    pub since: RecoveryPoint,
    /// The highest L1 block that L1 never dropped since: from there on L1 is followed again.
    pub common: L1BlockContext,
    /// Coins that nothing backs, base units. It says what the voter knew.
    pub deficit: Balance,
}

impl RecoverySubject {
    /// Whether both are the same recovery. The deficit may be another: anybody can have a
    /// unit of it taken back in any block, so votes must not hang on it.
    pub fn is_same(&self, other: &Self) -> bool {
        let Self { number, since, common, deficit: _ } = self;
        (number, since, common) == (&other.number, &other.since, &other.common)
    }
}

/// A signed vote that a recovery begins.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RecoveryVote {
    /// The set the voter belongs to.
    pub set_id: u64,
    /// The voter's index in it.
    pub voter: u16,
    /// Which recovery.
    pub subject: RecoverySubject,
    /// Over [`recovery_message`], by the voter's relay key.
    pub signature: ed25519::Signature,
}

/// What a sequencer signs: `"CASL2RCV1" ‖ genesis ‖ set_id u64 ‖ SCALE-encoded subject`.
pub fn recovery_message(genesis: &BlockHash, set_id: u64, subject: &RecoverySubject) -> Vec<u8> {
    let mut message = RECOVERY_DOMAIN.to_vec();
    message.extend_from_slice(genesis.as_bytes());
    message.extend_from_slice(&set_id.to_le_bytes());
    subject.encode_to(&mut message);
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::l1::L1Hash;

    fn subject() -> RecoverySubject {
        RecoverySubject {
            number: 3,
            since: RecoveryPoint { l1_height: 8, number: 20, hash: BlockHash::repeat_byte(1) },
            common: L1BlockContext { height: 7, hash: L1Hash([2; 32]), time: 20, median_time: 10 },
            deficit: 5,
        }
    }

    #[test]
    fn the_message_is_laid_out_as_documented() {
        let message = recovery_message(&BlockHash::repeat_byte(9), 4, &subject());
        assert_eq!(message.len(), 9 + 32 + 8 + 4 + (4 + 4 + 32) + (4 + 32 + 4 + 4) + 16);
        assert_eq!(message[..9], *b"CASL2RCV1");
        assert_eq!(message[9..41], [9; 32]);
        assert_eq!(message[41..49], 4u64.to_le_bytes());
        assert_eq!(message[49..53], 3u32.to_le_bytes());
        assert_eq!(message[53..57], 8u32.to_le_bytes());
        assert_eq!(message[57..61], 20u32.to_le_bytes());
        assert_eq!(message[61..93], [1; 32]);
        assert_eq!(message[93..97], 7u32.to_le_bytes());
        assert_eq!(message[97..129], [2; 32]);
        assert_eq!(message[137..], 5u128.to_le_bytes());
    }

    #[test]
    fn a_recovery_is_the_same_whatever_the_deficit() {
        let other = RecoverySubject { deficit: 6, ..subject() };
        assert!(subject().is_same(&other) && other.is_same(&subject()));
        for other in [
            RecoverySubject { number: 4, ..subject() },
            RecoverySubject { since: RecoveryPoint::default(), ..subject() },
            RecoverySubject { common: L1BlockContext::default(), ..subject() },
        ] {
            assert!(!subject().is_same(&other));
        }
    }

    #[test]
    fn no_two_recovery_votes_sign_the_same() {
        let genesis = BlockHash::zero();
        let message = recovery_message(&genesis, 4, &subject());
        for other in [
            recovery_message(&BlockHash::repeat_byte(1), 4, &subject()),
            recovery_message(&genesis, 5, &subject()),
            recovery_message(&genesis, 4, &RecoverySubject { number: 4, ..subject() }),
            recovery_message(&genesis, 4, &RecoverySubject { deficit: 6, ..subject() }),
        ] {
            assert_ne!(message, other);
        }
    }
}
