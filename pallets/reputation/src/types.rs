//! What is stored, and what a transaction transfers.

use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    l1::cvm::TrustKind,
    reputation::{
        attestation::BOUND_DAYS,
        l1_history::L1History,
        l1_stake::StakeTerms,
        trust::{Levels, DEPTH},
        Day, Score,
    },
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32, H160};

/// Most seeds of the web of trust.
pub const MAX_SEEDS: u32 = 16;
/// Most L1 addresses that an account can prove to hold in its life.
pub const MAX_PROVEN: u32 = 16;
/// Most statements kept about one address.
pub const MAX_HEARD: u32 = 32;
/// Most statements kept of one address about others.
pub const MAX_SAID: u32 = 32;

/// A score of L1 that more than two thirds of the sequencers attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Attested {
    /// The score.
    pub score: Score,
    /// Day on which it was attested.
    pub day: Day,
}

impl Attested {
    /// The bound that it is on `today`; none once it lapsed.
    pub fn on(&self, today: Day) -> Option<Score> {
        (today.saturating_sub(self.day) < BOUND_DAYS).then_some(self.score)
    }
}

/// What L1 and offences say of an account. What they say of the L1 address that is linked
/// to it stands here once more, so that a score is computed from one value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Standing {
    /// Its score on L1 as it was imported; 0 if it was not.
    pub l1: Score,
    /// The web of trust's score of the L1 address that is linked to it.
    pub trust: Score,
    /// When that address acted on L1.
    pub history: L1History,
    /// What is attested of that address.
    pub attested: Option<Attested>,
    /// What was attested of addresses that were linked before: the lowest score and the last
    /// day, so that no bound is got rid of by leaving its address.
    pub carried: Option<Attested>,
    /// What the account keeps locked on L1 for half a year or more.
    pub stake: StakeTerms,
    /// Points for offences, as they stood on `penalty_day`.
    pub penalty: Score,
    /// Day of the last offence.
    pub penalty_day: Day,
}

impl Standing {
    /// Whether anything would be lost with it.
    pub fn says_something(&self) -> bool {
        [self.l1, self.trust, self.penalty].iter().any(|points| *points > Score::ZERO)
            || self.history != L1History::default()
            || self.attested.is_some()
            || self.carried.is_some()
            || !self.stake.is_empty()
    }

    /// The bound of what is computed of L1 on `today`; none if all lapsed.
    pub fn bound_on(&self, today: Day) -> Option<Score> {
        let all = [self.attested, self.carried];
        all.into_iter().flatten().filter_map(|attested| attested.on(today)).min()
    }

    /// Lets go of the address on `today`. What is attested of it bounds the account as long
    /// as it would have.
    pub fn leave_address(&mut self, today: Day) {
        let all = [self.carried, self.attested.take()];
        let in_force = all.into_iter().flatten().filter(|attested| attested.on(today).is_some());
        self.carried = in_force.reduce(|one, other| Attested {
            score: one.score.min(other.score),
            day: one.day.max(other.day),
        });
    }

    /// Points still taken away on `day`: one less each day.
    pub fn penalty_on(&self, day: Day) -> u8 {
        let forgiven = day.saturating_sub(self.penalty_day);
        self.penalty.get().saturating_sub(u8::try_from(forgiven).unwrap_or(u8::MAX))
    }

    /// Adds the points of another offence.
    pub fn punish(&mut self, day: Day, points: u8) {
        let together = u64::from(self.penalty_on(day)).saturating_add(points.into());
        self.penalty = Score::saturating(together);
        self.penalty_day = day;
    }
}

/// What was said of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Heard {
    /// By whom.
    pub speaker: H160,
    /// Edge or vote.
    pub kind: TrustKind,
    /// From −100 to 100, never 0.
    pub weight: i8,
    /// Base units that are locked for it on L1.
    pub bond: u64,
    /// What its speaker could pass on of its own trust, by the number of edges from a
    /// seed, when it was heard or when the address was computed last.
    pub trust: [u32; DEPTH],
}

impl Heard {
    /// What goes first is lowest.
    pub fn rank(&self) -> ([u32; DEPTH], u64, H160, TrustKind) {
        (self.trust, self.bond, self.speaker, self.kind)
    }
}

/// What an address said of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Said {
    /// Of whom.
    pub subject: H160,
    /// Edge or vote.
    pub kind: TrustKind,
    /// From −100 to 100, never 0.
    pub weight: i8,
    /// Base units that are locked for it on L1.
    pub bond: u64,
}

impl Said {
    /// What goes first is lowest.
    pub fn rank(&self) -> (u64, H160, TrustKind) {
        (self.bond, self.subject, self.kind)
    }
}

/// An L1 address in the web of trust.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Vertex {
    /// What is said of it.
    pub incoming: BoundedVec<Heard, ConstU32<MAX_HEARD>>,
    /// What it says of others.
    pub outgoing: BoundedVec<Said, ConstU32<MAX_SAID>>,
    /// Its trust, as computed last.
    pub levels: Levels,
    /// Its score, as computed last.
    pub score: Score,
    /// Whether it waits to be computed anew.
    pub queued: bool,
}

impl Vertex {
    /// Whether nothing is lost if it is forgotten.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a statement was not kept.
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
pub enum Ignored {
    /// Somebody speaks of itself.
    OfItself,
    /// A statement of its weight needs a larger bond.
    SmallBond,
    /// Its speaker or its subject has as many that rank above it as are kept.
    NoRoom,
}

/// A transfer to somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who gets it.
    pub recipient: AccountId,
    /// Base units.
    pub amount: Balance,
}

/// Tells what a call moves.
pub trait TransferOf<Call> {
    /// The transfer that `call` makes if it succeeds; `None` for any other call.
    fn transfer_of(call: &Call) -> Option<Transfer>;
}
