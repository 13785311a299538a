//! How much may be minted on a day (R36.1, R36.2): pure, no storage.
//!
//! Days are those of L2 time in UTC. A limit frees as a whole when a day begins, so
//! that a burn is credited in at most one part a day for each limit, and what an
//! address may still get is two numbers ([`Spent`]).

use cascoin_l2_primitives::{
    chain::{Balance, ChainParameters, Moment},
    reputation::{Day, MS_PER_DAY},
};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::SaturatedConversion;

/// The limits of a day, in base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Limits {
    /// Of what one burn brings.
    pub burn: Balance,
    /// Of what one address gets.
    pub address: Balance,
    /// Of what is minted for all together.
    pub chain: Balance,
}

/// A day and what holds on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Today {
    /// The day.
    pub day: Day,
    /// Its limits.
    pub limits: Limits,
    /// Sequencers without which nothing is minted.
    pub min_sequencers: u32,
}

impl Today {
    /// By the table in force and the time.
    pub fn new(parameters: &ChainParameters, now: Moment) -> Self {
        Self {
            day: (now / MS_PER_DAY).saturated_into(),
            limits: Limits {
                burn: parameters.max_deposit,
                address: parameters.max_daily_deposit,
                chain: parameters.max_daily_mint,
            },
            min_sequencers: parameters.min_sequencers,
        }
    }

    /// When the day after it begins.
    pub fn ends_at(&self) -> Moment {
        begins_at(self.day.saturating_add(1))
    }

    /// The first day on which nothing of `rest` is left, if one burn brings `left` today
    /// and as much as it may on each later day.
    pub fn last_day(&self, rest: u64, left: Balance) -> Day {
        let later = Balance::from(rest).saturating_sub(left);
        let days = later.div_ceil(self.limits.burn.max(1));
        self.day.saturating_add(days.saturated_into())
    }
}

/// When a day begins, in milliseconds since 1970.
pub fn begins_at(day: Day) -> Moment {
    Moment::from(day).saturating_mul(MS_PER_DAY)
}

/// What was minted on the last day on which anything was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Spent {
    /// The day.
    pub day: Day,
    /// How much, in base units.
    pub amount: Balance,
}

impl Spent {
    /// What `limit` leaves on day `today`, which is never before the last one.
    pub fn left(&self, limit: Balance, today: Day) -> Balance {
        let spent = if self.day == today { self.amount } else { 0 };
        limit.saturating_sub(spent)
    }

    /// Counts what was minted on day `today`.
    pub fn add(&mut self, amount: Balance, today: Day) {
        let before = if self.day == today { self.amount } else { 0 };
        *self = Self { day: today, amount: before.saturating_add(amount) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(day: Day, burn: Balance) -> Today {
        let parameters = ChainParameters { max_deposit: burn, ..Default::default() };
        Today::new(&parameters, begins_at(day) + 7)
    }

    #[test]
    fn a_day_is_one_of_utc() {
        let parameters = ChainParameters::default();
        for (now, day) in [(0, 0), (MS_PER_DAY - 1, 0), (MS_PER_DAY, 1), (u64::MAX, Day::MAX)] {
            assert_eq!(Today::new(&parameters, now).day, day, "{now}");
        }
        assert_eq!(on(3, 1).ends_at(), 4 * MS_PER_DAY);
    }

    #[test]
    fn what_is_spent_counts_until_its_day_is_over() {
        let mut spent = Spent::default();
        assert_eq!(spent.left(10, 5), 10);
        spent.add(4, 5);
        spent.add(3, 5);
        assert_eq!((spent.left(10, 5), spent.left(6, 5), spent.left(10, 6)), (3, 0, 10));
        spent.add(1, 6);
        assert_eq!(spent, Spent { day: 6, amount: 1 });
    }

    #[test]
    fn the_last_day_follows_from_what_a_burn_may_bring() {
        let today = on(5, 10);
        for (rest, left, day) in [(10, 10, 5), (11, 10, 6), (30, 10, 7), (31, 10, 8), (1, 0, 6)] {
            assert_eq!(today.last_day(rest, left), day, "{rest} with {left} left");
        }
        // Such a table is refused; nothing divides by zero all the same.
        assert_eq!(on(5, 0).last_day(3, 0), 8);
    }
}
