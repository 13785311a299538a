//! Who wants to sequence, and how far it has come.

use crate::attestation::SAMPLE;
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, BlockNumber},
    reputation::Score,
    sequencers::SequencerBits,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_staking::SessionIndex;

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
    /// Who controls it, as it declares; itself if it says nothing.
    pub controller: AccountId,
    /// Whether the controller says so, too. All candidates of one controller share one
    /// entity's seats; nobody can be counted among another's without its consent.
    pub confirmed: bool,
    /// Where its node is reached; may be empty.
    pub endpoint: Endpoint,
    /// Its weight in the last draw that it stood in.
    pub weight: u64,
    /// Whether sequencers vouch for it.
    pub attestation: Attestation,
}

impl Candidate {
    /// Whose seats it takes.
    pub fn entity<'a>(&'a self, account: &'a AccountId) -> &'a AccountId {
        if self.confirmed {
            &self.controller
        } else {
            account
        }
    }
}

/// Where the check by a sample of sequencers stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Attestation {
    /// Who is asked is not decided: that takes chance that nobody knows yet.
    Waiting(Wait),
    /// A sample is asked.
    Open(Poll),
    /// More than two thirds of a sample said yes.
    Given {
        /// In which session.
        since: SessionIndex,
    },
}

/// Waiting for chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Wait {
    /// The L1 block that decides.
    pub l1_height: u32,
    /// The session in which the wait began. Where L1 stands still for an epoch, the last
    /// L2 block decides.
    pub since: SessionIndex,
}

/// Who is asked and what they said, by place in the sample.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Poll {
    /// The session in which it was opened.
    pub opened: SessionIndex,
    /// The accounts of the sequencers that are asked.
    pub sample: BoundedVec<AccountId, ConstU32<SAMPLE>>,
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

/// Somebody who could be elected, before it is weighed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender {
    /// Its account.
    pub account: AccountId,
    /// Whose weight it is part of.
    pub entity: AccountId,
    /// Its reputation.
    pub score: Score,
    /// Its stake, base units.
    pub stake: Balance,
}

/// Somebody who stands in a draw.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Standing {
    /// Its account.
    pub account: AccountId,
    /// Whose seats it took when the draw was announced.
    pub entity: AccountId,
    /// Its weight, capped with all of its entity, when the draw was announced.
    pub weight: u64,
}

/// A draw of seats that waits for chance: who stands in it and with which weight is
/// settled, and with that the order in which any chance draws them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Draw {
    /// What it waits for.
    pub wait: Wait,
    /// Whether all seats are drawn, or only those that are free.
    pub all: bool,
    /// Whether a draw of all seats is due that waits for this one.
    pub all_due: bool,
    /// Who stands, by account. Whether it still does is asked when the draw is held, and
    /// whose seats it takes again.
    pub standing: BoundedVec<Standing, ConstU32<MAX_CANDIDATES>>,
}
