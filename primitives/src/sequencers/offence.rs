//! What a sequencer did wrong, on the way to whoever punishes it.
//!
//! Pallets establish offences and record them; what they cost is others' business.

use crate::chain::{AccountId, BlockNumber};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Weight;

/// The kinds of offences.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OffenceKind {
    /// Signed two conflicting messages of one height and round
    /// (`SEQ_DOUBLE_SIGN`). Proven by both signatures.
    #[codec(index = 0)]
    DoubleSign,
    /// Moved the chain's time in a pattern that no honest clock makes (R27.6).
    #[codec(index = 1)]
    TimestampManipulation,
    /// Took no part in most of the blocks of a session (`SEQ_OFFLINE`).
    #[codec(index = 2)]
    Offline,
    /// Led rounds of a session in vain (`SEQ_TIMEOUT`). More than two thirds went on
    /// without its block.
    #[codec(index = 3)]
    Timeout,
    /// Left out a transaction that stood on L1 and that its blocks were asked for, until
    /// the runtime had to apply it, or to drop it for want of coins or room (R17.3).
    #[codec(index = 4)]
    Censorship,
    /// Did so in three epochs of a month (R17.5).
    #[codec(index = 5)]
    RepeatedCensorship,
    /// Kept L1 blocks from being attested by casting no vote, while more than half agreed on
    /// them (R17.6). Nobody can tell it from a node whose L1 is away.
    #[codec(index = 6)]
    Withholding,
}

/// An offence that the chain has established.
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
pub struct Offence {
    /// What was done.
    pub kind: OffenceKind,
    /// Who did it.
    pub offender: AccountId,
    /// The set in which the offender was a sequencer then.
    pub set_id: u64,
    /// The height at which it was done.
    pub height: BlockNumber,
}

/// Told of each offence once, to punish it; `()` only lets the offence stand where
/// it was recorded.
pub trait OnOffence {
    /// `offence` is established.
    fn on_offence(offence: &Offence);

    /// The same, by evidence that names who brought it. Who rewards nobody for that does
    /// the same.
    fn on_reported_offence(offence: &Offence, _reporter: &AccountId) {
        Self::on_offence(offence);
    }

    /// Upper bound of the weight of an offence.
    fn max_offence_weight() -> Weight;

    /// Upper bound of the weight of one that names a reporter.
    fn max_reported_offence_weight() -> Weight {
        Self::max_offence_weight()
    }
}

impl OnOffence for () {
    fn on_offence(_: &Offence) {}

    fn max_offence_weight() -> Weight {
        Weight::zero()
    }
}

/// Both are told, in this order.
impl<A: OnOffence, B: OnOffence> OnOffence for (A, B) {
    fn on_offence(offence: &Offence) {
        A::on_offence(offence);
        B::on_offence(offence);
    }

    fn on_reported_offence(offence: &Offence, reporter: &AccountId) {
        A::on_reported_offence(offence, reporter);
        B::on_reported_offence(offence, reporter);
    }

    fn max_offence_weight() -> Weight {
        A::max_offence_weight().saturating_add(B::max_offence_weight())
    }

    fn max_reported_offence_weight() -> Weight {
        A::max_reported_offence_weight().saturating_add(B::max_reported_offence_weight())
    }
}
