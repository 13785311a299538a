//! What the nodes of sequencers and candidates say of themselves to other nodes
//! (`SEQANNOUNCE`, R2.5), and what they say of each other to the chain (R2.4). All of it
//! is signed with the relay key: the account's own key stays cold (R30.6).

use crate::chain::{AccountId, BlockHash, BlockNumber};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ed25519, ConstU32};

/// Domain of an announcement.
pub const ANNOUNCEMENT_DOMAIN: &[u8; 9] = b"CASL2ANN1";
/// Domain of an answer to a probe.
pub const PROBE_DOMAIN: &[u8; 9] = b"CASL2PRB1";
/// Domain of an attestation.
pub const ATTESTATION_DOMAIN: &[u8; 9] = b"CASL2ATT1";
/// Most addresses of a node.
pub const MAX_ADDRESSES: u32 = 4;
/// Bytes of an address: a DNS name and a port fit.
pub const MAX_ADDRESS_BYTES: u32 = 256;
/// Bytes of a network identity.
pub const MAX_PEER_BYTES: u32 = 64;

/// "My node is here, and knows the chain up to there."
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Announcement {
    /// Who sequences or wants to.
    pub account: AccountId,
    /// The node's network identity, as a multihash.
    pub peer: BoundedVec<u8, ConstU32<MAX_PEER_BYTES>>,
    /// Where it listens: multiaddresses in UTF-8, without the identity.
    pub addresses: BoundedVec<BoundedVec<u8, ConstU32<MAX_ADDRESS_BYTES>>, ConstU32<MAX_ADDRESSES>>,
    /// A block that was final when this was said: nobody can say it earlier.
    pub height: BlockNumber,
    /// Its hash.
    pub hash: BlockHash,
}

impl Announcement {
    /// What is signed: `"CASL2ANN1" ‖ genesis ‖ the SCALE-encoded announcement`.
    pub fn message(&self, genesis: &BlockHash) -> Vec<u8> {
        (ANNOUNCEMENT_DOMAIN, genesis, self).encode()
    }
}

/// An announcement and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedAnnouncement {
    /// What is said.
    pub announcement: Announcement,
    /// Over [`Announcement::message`], by a relay key that the account has registered.
    pub signature: ed25519::Signature,
}

/// What a node signs that is asked whether it is there: `"CASL2PRB1" ‖ genesis ‖ account ‖
/// nonce`.
pub fn probe_message(genesis: &BlockHash, account: &AccountId, nonce: &[u8; 32]) -> Vec<u8> {
    (PROBE_DOMAIN, genesis, account, nonce).encode()
}

/// A sequencer's answer in the poll about a candidate, as its node gives it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct NodeAttestation {
    /// The set the sequencer belongs to.
    pub set_id: u64,
    /// Its index in it.
    pub voter: u16,
    /// About whom.
    pub candidate: AccountId,
    /// The session in which the poll was opened: an answer counts in no other one.
    pub opened: u32,
    /// Whether the sequencer vouches for the candidate.
    pub approves: bool,
}

impl NodeAttestation {
    /// What is signed: `"CASL2ATT1" ‖ genesis ‖ the SCALE-encoded attestation`.
    pub fn message(&self, genesis: &BlockHash) -> Vec<u8> {
        (ATTESTATION_DOMAIN, genesis, self).encode()
    }
}
