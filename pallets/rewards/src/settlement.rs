//! What each sequencer gets for a session: pure arithmetic.
//!
//! - A producer keeps its part of its blocks' base fees, and their tips.
//! - A tenth of the others' part of its blocks is set aside for the bonus. The rest
//!   goes to the other sequencers of the set in proportion to their weights, to all of
//!   them alike if none weighs anything. Where there are no others, the producer gets
//!   all of it.
//! - The bonus pool is split into one equal share for each sequencer. Who signed at
//!   least 99.9 % of the session's blocks gets its share (R38.3); the shares of the
//!   rest stay in the pool. They do not go to those who were there: somebody who leaves
//!   others out of the blocks it makes must not gain by it.
//! - Who is penalised gets half of all that but the tips, which are the payers' own
//!   choice (R38.4). What is withheld is burned: nobody may gain by another's penalty,
//!   whom it could leave waiting in vain.
//! - What rounding leaves goes to the pool.
//!
//! So what is handed out, what is withheld and what is in the pool afterwards is what
//! was collected and what was in the pool before, to the unit.

use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::{chain::Balance, rewards::Collected};
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// One in so many units of the others' part is for the bonus.
pub const BONUS_SHARE: Balance = 10;
/// Who signed this much of a session's blocks, in thousandths, gets the bonus.
pub const BONUS_UPTIME_PERMILLE: u16 = 999;

/// How a sequencer stands at the end of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its weight among the others.
    pub weight: u64,
    /// What its blocks brought.
    pub collected: Collected,
    /// Share of the session's blocks that it signed, in thousandths.
    pub uptime_permille: u16,
    /// Whether it gets half.
    pub penalised: bool,
}

/// What it gets: `amount`, of which `share` and `bonus` are parts and from which
/// `withheld` is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reward {
    /// Of the others' parts of other sequencers' blocks.
    pub share: Balance,
    /// For its uptime.
    pub bonus: Balance,
    /// Because it is penalised.
    pub withheld: Balance,
    /// All it gets.
    pub amount: Balance,
}

/// A session, settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Of each sequencer, by index.
    pub rewards: Vec<Reward>,
    /// What the session itself set aside for the bonus.
    pub set_aside: Balance,
    /// The bonus pool afterwards.
    pub bonus_pool: Balance,
    /// What was withheld of all.
    pub withheld: Balance,
}

/// Settles a session of these sequencers.
pub fn settle(standings: &[Standing], bonus_pool: Balance) -> Outcome {
    let Shares { of_each, set_aside, left_over } = share_out(standings);
    let available = bonus_pool.saturating_add(set_aside);
    let each = available.checked_div(standings.len() as Balance).unwrap_or(0);
    let mut bonus_pool = available.saturating_add(left_over);
    let mut withheld_of_all: Balance = 0;
    let mut rewards = Vec::with_capacity(standings.len());
    for (standing, share) in standings.iter().zip(of_each) {
        let was_there = standing.uptime_permille >= BONUS_UPTIME_PERMILLE;
        let bonus = if was_there { each } else { 0 };
        let Collected { producer_part, tips, .. } = standing.collected;
        let full = producer_part.saturating_add(share).saturating_add(bonus);
        // The larger half is the sequencer's.
        let withheld = if standing.penalised { full / 2 } else { 0 };
        bonus_pool = bonus_pool.saturating_sub(bonus);
        withheld_of_all = withheld_of_all.saturating_add(withheld);
        let amount = full.saturating_sub(withheld).saturating_add(tips);
        rewards.push(Reward { share, bonus, withheld, amount });
    }
    Outcome { rewards, set_aside, bonus_pool, withheld: withheld_of_all }
}

struct Shares {
    of_each: Vec<Balance>,
    set_aside: Balance,
    left_over: Balance,
}

/// Shares out the others' parts of all producers' blocks.
fn share_out(standings: &[Standing]) -> Shares {
    if let [only] = standings {
        let of_each = vec![only.collected.others_part];
        return Shares { of_each, set_aside: 0, left_over: 0 };
    }
    let mut shares = Shares { of_each: vec![0; standings.len()], set_aside: 0, left_over: 0 };
    let all: u128 = standings.iter().map(|standing| u128::from(standing.weight)).sum();
    let others = (standings.len() as u128).saturating_sub(1);
    for (producer, standing) in standings.iter().enumerate() {
        let part = standing.collected.others_part;
        let bonus = part / BONUS_SHARE;
        let to_share = part.saturating_sub(bonus);
        let mut left = to_share;
        let weight_of_others = all.saturating_sub(standing.weight.into());
        for (index, (other, share)) in standings.iter().zip(&mut shares.of_each).enumerate() {
            if index == producer {
                continue;
            }
            let due = match weight_of_others {
                0 => to_share.checked_div(others),
                _ => proportion(to_share, other.weight.into(), weight_of_others),
            };
            // Rounded down, so that all of them never exceed the whole.
            let due = due.unwrap_or(0).min(left);
            *share = share.saturating_add(due);
            left = left.saturating_sub(due);
        }
        shares.set_aside = shares.set_aside.saturating_add(bonus);
        shares.left_over = shares.left_over.saturating_add(left);
    }
    shares
}

fn proportion(amount: Balance, weight: u128, of: u128) -> Option<Balance> {
    multiply_by_rational_with_rounding(amount, weight, of, Rounding::Down)
}
