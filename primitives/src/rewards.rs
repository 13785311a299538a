//! What sequencers earn, and how it came about: what the chain keeps of it and what it
//! answers when asked (R38.6).
//!
//! All amounts are in base units.

use crate::chain::{AccountId, Balance, BlockNumber};
use alloc::vec::Vec;
use codec::{Compact, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Weight;

/// Told of each base fee, once it is final what it is. `()` does not care.
pub trait OnFeePaid {
    /// `who` paid `base_fee`, in base units and without the tip. What this takes beyond
    /// [`weight`](Self::weight) MUST be registered by whoever is told.
    fn on_fee_paid(who: &AccountId, base_fee: Balance);

    /// What it takes in the usual case.
    fn weight() -> Weight;
}

impl OnFeePaid for () {
    fn on_fee_paid(_: &AccountId, _: Balance) {}

    fn weight() -> Weight {
        Weight::zero()
    }
}

/// The time that a block has for users' transactions, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserTime {
    /// What they took of it.
    pub taken: u64,
    /// All of it.
    pub room: u64,
}

/// Where a sequencer's rewards go.
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
    Serialize,
    Deserialize,
)]
pub enum Payout {
    /// To the sequencer's own account, whenever a session is settled.
    #[default]
    #[codec(index = 0)]
    Own,
    /// To another account of this chain, whenever a session is settled.
    #[codec(index = 1)]
    To(AccountId),
    /// Nowhere until the sequencer claims them.
    #[codec(index = 2)]
    Claimed,
}

/// What a sequencer's blocks of one session brought. One of these for each sequencer is
/// written with every block, so they are kept small.
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
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct Collected {
    /// Blocks it made.
    #[codec(compact)]
    pub blocks: u32,
    /// Base fees of their transactions, before they were split.
    #[codec(compact)]
    pub base_fees: Balance,
    /// Tips of their transactions: the producer's.
    #[codec(compact)]
    pub tips: Balance,
    /// The producer's part of the base fees.
    #[codec(compact)]
    pub producer_part: Balance,
    /// The part of the other sequencers. What is in neither part was burned.
    #[codec(compact)]
    pub others_part: Balance,
}

/// The derived one would take the fields' own lengths, which compact ones may exceed.
impl MaxEncodedLen for Collected {
    fn max_encoded_len() -> usize {
        Compact::<u32>::max_encoded_len()
            .saturating_add(Compact::<Balance>::max_encoded_len().saturating_mul(4))
    }
}

/// How a sequencer's reward for one session came about: `amount` is `tips` +
/// `producer_part` + `share` + `bonus` − `withheld`.
#[derive(
    Clone,
    Debug,
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
pub struct SessionReward {
    /// The sequencer.
    pub account: AccountId,
    /// Its ranking weight when the session began.
    pub weight: u64,
    /// Share of the session's blocks that it signed, in thousandths, rounded down.
    pub uptime_permille: u16,
    /// Whether it got half because of an offence of the last 24 hours.
    pub penalised: bool,
    /// Blocks it made.
    pub blocks: u32,
    /// Base fees of their transactions, before they were split.
    pub base_fees: Balance,
    /// Their tips.
    pub tips: Balance,
    /// The producer's part of their base fees.
    pub producer_part: Balance,
    /// Its share of what other sequencers' blocks set aside for the others.
    pub share: Balance,
    /// For its uptime.
    pub bonus: Balance,
    /// Kept back because of an offence.
    pub withheld: Balance,
    /// What it got.
    pub amount: Balance,
}

/// Where a sequencer stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SequencerRewards {
    /// The account.
    pub account: AccountId,
    /// Settled and not paid yet.
    pub owed: Balance,
    /// Paid so far, ever.
    pub paid: Balance,
    /// Where payments go.
    pub payout: Payout,
    /// The last height at which a settlement gives it half.
    pub penalised_until: Option<BlockNumber>,
    /// What its blocks of the running session brought; `None` if it is not in the set.
    pub running: Option<Collected>,
    /// Its part of the last settlement; `None` if it was not in that set.
    pub settled: Option<SessionReward>,
}

/// The session that was settled last.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct SettledSession {
    /// Its set.
    pub set_id: u64,
    /// Its last height.
    pub last_block: BlockNumber,
    /// What its others' parts added to the bonus.
    pub set_aside: Balance,
}

/// What `l2_getrewards` shows.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct RewardsReport {
    /// What waits for sequencers that are there.
    pub bonus_pool: Balance,
    /// The session that was settled last, if one was.
    pub last_session: Option<SettledSession>,
    /// The account that was asked for, or each sequencer of the set in force.
    pub sequencers: Vec<SequencerRewards>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tally_is_longer_than_it_says() {
        let most = Collected {
            blocks: u32::MAX,
            base_fees: Balance::MAX,
            tips: Balance::MAX,
            producer_part: Balance::MAX,
            others_part: Balance::MAX,
        };
        assert_eq!(most.encoded_size(), Collected::max_encoded_len());
        assert_eq!(Collected::decode(&mut &most.encode()[..]), Ok(most));
        assert_eq!(Collected::default().encoded_size(), 5);
    }
}
