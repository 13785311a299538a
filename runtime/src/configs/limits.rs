//! What one account, and all users together, may take of a block.

use super::recovery::users_wait;
use crate::{
    AccountId, ChainParameters, NoPublicCallsInEmergency, NoPublicCallsInRecovery, Reputation,
    Runtime,
};
use frame_support::traits::{Contains, Get, InsideBoth};

/// Who may sign operational transactions: who holds the sudo key, on networks that have
/// one.
pub struct Operators;

impl Contains<AccountId> for Operators {
    fn contains(who: &AccountId) -> bool {
        pallet_sudo::Key::<Runtime>::get().as_ref() == Some(who)
    }
}

/// Whether all that is signed waits: while a recovery runs, and until what offences cost is
/// taken again. What these two follow from is read as each block begins.
pub struct SignersWait;

impl Get<bool> for SignersWait {
    fn get() -> bool {
        users_wait()
    }
}

impl pallet_rate_limit::Config for Runtime {
    // The timestamp guard reads them when a block begins.
    type Parameters = ChainParameters;
    type Reputation = Reputation;
    type Operators = Operators;
    type Accepted = InsideBoth<NoPublicCallsInEmergency, NoPublicCallsInRecovery>;
    type SignersWait = SignersWait;
    type WeightInfo = crate::weights::pallet_rate_limit::WeightInfo<Runtime>;
}
