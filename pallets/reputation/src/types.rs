//! What is stored, and what a transaction transfers.

use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    reputation::{Day, Score},
};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What L1 and offences say of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Standing {
    /// Its score on L1.
    pub l1: Score,
    /// Points for offences, as they stood on `penalty_day`.
    pub penalty: Score,
    /// Day of the last offence.
    pub penalty_day: Day,
}

impl Standing {
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
