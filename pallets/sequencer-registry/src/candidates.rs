//! Who wants to sequence, and how far it has come.

use cascoin_l2_primitives::{
    chain::{AccountId, BlockNumber},
    sequencers::SequencerBits,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Candidates there can be. More than a chain can have sequencers by far; who comes
/// when all places are taken needs a larger weight than the smallest of them.
pub const MAX_CANDIDATES: u32 = 256;
/// Bytes of an endpoint: a multiaddress with a DNS name and a peer id fits.
pub const MAX_ENDPOINT_BYTES: u32 = 256;

/// Where a node is reached, as a multiaddress in UTF-8.
pub type Endpoint = BoundedVec<u8, ConstU32<MAX_ENDPOINT_BYTES>>;

/// Somebody who announced itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Candidate {
    /// The block of the announcement.
    pub announced_at: BlockNumber,
    /// Who controls it, as it declares; itself if it says nothing. All candidates of
    /// one controller share one entity's seats.
    pub controller: AccountId,
    /// Where its node is reached; may be empty.
    pub endpoint: Endpoint,
    /// Whether sequencers vouch for it.
    pub attestation: Attestation,
}

/// Where the check by a sample of sequencers stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Attestation {
    /// A sample of the set in force is asked.
    Open(Poll),
    /// More than two thirds of a sample said yes.
    Given,
}

/// Who is asked and what they said, by index in the set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Poll {
    /// The set that is asked.
    pub set_id: u64,
    /// The sample.
    pub sample: SequencerBits,
    /// Who said yes.
    pub approved: SequencerBits,
    /// Who said no.
    pub refused: SequencerBits,
}

/// What a poll came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not decided.
    Open,
    /// Attested.
    Given,
    /// It cannot be attested any more.
    Refused,
}
