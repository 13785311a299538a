//! Stake, between those who hold it and those who ask for it.

use crate::chain::{AccountId, Balance};

/// What accounts have at risk.
pub trait StakeProvider {
    /// What is bonded and stays so, base units; nothing that is being unbonded.
    fn stake(account: &AccountId) -> Balance;
}

/// What accounts must keep at risk.
pub trait StakeCommitment {
    /// What must stay bonded while the account does what it does; 0 for one that does
    /// nothing.
    fn committed(account: &AccountId) -> Balance;
}

/// Nobody is committed to anything.
impl StakeCommitment for () {
    fn committed(_: &AccountId) -> Balance {
        0
    }
}
