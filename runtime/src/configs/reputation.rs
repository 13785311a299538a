//! Reputation.

use crate::{
    account_data::ActivityStore, AccountId, ChainParameters, Runtime, RuntimeCall, Timestamp,
};
use frame_support::traits::Contains;
use pallet_reputation::{Transfer, TransferOf};
use sp_runtime::{traits::StaticLookup, MultiAddress};

impl pallet_reputation::Config for Runtime {
    type Activities = ActivityStore;
    type Transfers = Transfers;
    type Noted = NotDuty;
    type Time = Timestamp;
    type Parameters = ChainParameters;
    type WeightInfo = crate::weights::pallet_reputation::WeightInfo<Runtime>;
}

/// Everything but what sequencers and governance do as such, and claims after an outage,
/// which are free.
pub struct NotDuty;

impl Contains<RuntimeCall> for NotDuty {
    fn contains(call: &RuntimeCall) -> bool {
        !matches!(
            call,
            RuntimeCall::Compensation(_)
                | RuntimeCall::SequencerRegistry(_)
                | RuntimeCall::Session(_)
                | RuntimeCall::Stake(_)
                | RuntimeCall::Reputation(_)
                | RuntimeCall::Sudo(_)
        )
    }
}

/// Transfers of coins by the calls that wallets make.
pub struct Transfers;

impl TransferOf<RuntimeCall> for Transfers {
    fn transfer_of(call: &RuntimeCall) -> Option<Transfer> {
        use pallet_balances::Call::{transfer_allow_death, transfer_keep_alive};
        let RuntimeCall::Balances(
            transfer_allow_death { dest, value } | transfer_keep_alive { dest, value },
        ) = call
        else {
            return None;
        };
        Some(Transfer { recipient: account_of(dest)?, amount: *value })
    }
}

fn account_of(address: &MultiAddress<AccountId, ()>) -> Option<AccountId> {
    <Runtime as frame_system::Config>::Lookup::lookup(address.clone()).ok()
}
