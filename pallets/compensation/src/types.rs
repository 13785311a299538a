//! What is kept of an outage.

use cascoin_l2_primitives::chain::{Balance, BlockNumber};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// An outage after which fees are compensated now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Window {
    /// The outage's number.
    pub outage: u32,
    /// The last block whose fees are compensated.
    pub until: BlockNumber,
    /// What can be compensated so far, base units.
    pub compensable: Balance,
}

/// An outage that is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Outage {
    /// Its number.
    pub outage: u32,
    /// What could be compensated, base units: of all accounts together.
    pub compensable: Balance,
    /// What the fund has for it, base units; at most that.
    pub budget: Balance,
    /// What of the budget was paid, base units.
    pub paid: Balance,
    /// The last block in which it can be claimed.
    pub claim_until: BlockNumber,
}

impl Outage {
    /// The part of an account with so much to compensate: all of it, or as much less as
    /// the fund has less, rounded down. The parts of all are at most the budget.
    pub fn part(&self, compensable: Balance) -> Balance {
        let budget = self.budget;
        multiply_by_rational_with_rounding(compensable, budget, self.compensable, Rounding::Down)
            // The account's is not more than that of all, so the quotient fits.
            .unwrap_or(0)
    }

    /// What of the budget may be claimed still.
    pub fn owed(&self) -> Balance {
        self.budget.saturating_sub(self.paid)
    }
}
