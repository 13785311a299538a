//! Where the money went, in base units.

use cascoin_l2_primitives::chain::Balance;

/// What all users and sequencers together paid and got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Base fees that users paid.
    pub fees: Balance,
    /// What sequencers were paid of it.
    pub paid: Balance,
    /// What was burned with the blocks.
    pub burned: Balance,
    /// What was withheld from the penalised, and burned.
    pub withheld: Balance,
    /// What is in the bonus pool.
    pub bonus_pool: Balance,
    /// Stake that offences moved to the users' fund.
    pub to_fund: Balance,
    /// Stake that offences burned.
    pub stake_burned: Balance,
}
