//! What an offence costs whoever commits it.
//!
//! Shares of the stake, what of it goes to users, and points of reputation are the
//! pallets' own functions. Three rules are repeated by hand, since the pallets have them
//! only where they read and write the chain's state, or private:
//!
//! - The least that a double sign costs is half of the smallest stake, and of two that
//!   sign twice together everything is taken (`pallet_stake`, `Pallet::penalty` and
//!   `Pallet::double_sign`). A test compares with that pallet, in the real runtime.
//! - Rewards are halved for 24 hours of blocks (`pallet_rewards`, `PENALTY_MS`).
//! - Who signs twice is barred for ever (`pallet_sequencer_registry`, `Pallet::bar`).

use crate::{agents::Agent, books::Books, rules::Rules};
use cascoin_l2_primitives::{
    chain::{Balance, BlockNumber},
    reputation::Day,
    sequencers::OffenceKind,
};
use pallet_stake::slashing;

/// When an offence is established.
#[derive(Clone, Copy)]
pub struct When {
    /// The day.
    pub day: Day,
    /// The height.
    pub height: BlockNumber,
}

/// Of `total`, what an offence takes. `together` is whether another sequencer of the
/// set signed twice, too, within a session's blocks.
pub fn penalty(rules: &Rules, kind: OffenceKind, together: bool, total: Balance) -> Balance {
    let least = match kind {
        OffenceKind::DoubleSign if together => total,
        OffenceKind::DoubleSign => rules.chain.min_sequencer_stake / 2,
        _ => 0,
    };
    slashing::share(kind).mul_ceil(total).max(least).min(total)
}

impl Agent {
    /// Pays for an offence with stake, reputation and a day's rewards.
    pub fn commit(
        &mut self,
        rules: &Rules,
        kind: OffenceKind,
        together: bool,
        when: When,
        books: &mut Books,
    ) {
        let taken = penalty(rules, kind, together, self.ledger.bonded);
        // Nobody here unbonds, so all that is on hold is bonded.
        self.ledger.bonded -= taken;
        self.slashed += taken;
        let to_fund = slashing::to_fund(kind).mul_floor(taken);
        books.to_fund += to_fund;
        books.stake_burned += taken - to_fund;
        self.standing.punish(when.day, pallet_reputation::points(kind));
        self.penalised_until = when.height.saturating_add(rules.blocks_a_day());
        self.barred |= matches!(kind, OffenceKind::DoubleSign | OffenceKind::RepeatedCensorship);
    }
}
