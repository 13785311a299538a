//! Reputation, what L1 is told of it, and what L1's nodes say of it.

use crate::{
    account_data::ActivityStore, AccountId, BlockNumber, ChainParameters, Reputation,
    ReputationExport, Runtime, RuntimeCall, SequencerRegistry, Timestamp,
};
use cascoin_l2_primitives::reputation::export::MAX_EXPORT_ENTRIES;
use frame_support::{
    parameter_types,
    traits::{ConstU32, ConstU8, Contains, Get},
};
use pallet_reputation::{Transfer, TransferOf};
use sp_runtime::{traits::StaticLookup, MultiAddress};

impl pallet_reputation::Config for Runtime {
    type Activities = ActivityStore;
    type Transfers = Transfers;
    type Noted = NotDuty;
    type Time = Timestamp;
    type Parameters = ChainParameters;
    type OnLinkedScore = ReputationExport;
    type WeightInfo = crate::weights::pallet_reputation::WeightInfo<Runtime>;
}

/// Points by which a score must move before L1 is told again.
const EXPORT_THRESHOLD: u8 = 5;

/// Entries of a batch that only L1's scores and offences may take: more than there can be
/// sequencers.
const RESERVED_ENTRIES: u32 = 128;

parameter_types! {
    pub EpochBlocks: BlockNumber = epoch_blocks();
}

/// An epoch; 0 on a chain without parameters, as FRAME builds in tests.
fn epoch_blocks() -> BlockNumber {
    let parameters = ChainParameters::get();
    parameters.session_blocks.saturating_mul(parameters.epoch_sessions)
}

impl pallet_reputation_export::Config for Runtime {
    type Sequencers = SequencerRegistry;
    type Scores = Reputation;
    type Threshold = ConstU8<EXPORT_THRESHOLD>;
    type MaxEntries = ConstU32<MAX_EXPORT_ENTRIES>;
    type ReservedEntries = ConstU32<RESERVED_ENTRIES>;
    type Interval = EpochBlocks;
    type WeightInfo = crate::weights::pallet_reputation_export::WeightInfo<Runtime>;
}

impl pallet_score_attestation::Config for Runtime {
    type Sequencers = SequencerRegistry;
    type Addresses = Reputation;
    type OnScore = Reputation;
    type Interval = EpochBlocks;
    type WeightInfo = crate::weights::pallet_score_attestation::WeightInfo<Runtime>;
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
                | RuntimeCall::ReputationExport(_)
                | RuntimeCall::ScoreAttestation(_)
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
