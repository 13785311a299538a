//! The system pallet: what a block may hold.

use super::recovery::NotedCode;
use crate::{
    account_data::AccountData, AccountId, Block, Hash, NoPublicCallsInBootstrap,
    NoPublicCallsInEmergency, NoPublicCallsInRecovery, NobodyForcesMoney, Nonce, PalletInfo,
    Recovery, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, RuntimeTask, VERSION,
};
use cascoin_l2_primitives::chain::{MAX_BLOCK_GAS, PS_PER_GAS};
use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::{ConstU16, ConstU32, InsideBoth},
    weights::{
        constants::{BlockExecutionWeight, ExtrinsicBaseWeight, ParityDbWeight},
        Weight,
    },
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::{traits::AccountIdLookup, Perbill};
use sp_version::RuntimeVersion;

/// Execution time of the largest block: 300 ms. Where a chain's parameters give it less
/// gas, `CheckGas` holds users to that.
pub const MAX_BLOCK_REF_TIME: u64 = MAX_BLOCK_GAS * PS_PER_GAS;
/// Bytes of a full block's body.
const MAX_BODY_BYTES: u32 = 5 * 1024 * 1024;
/// Bytes of a block that inherents may fill: a recovery brings a whole old body in one, with
/// what shows its events.
const MAX_INHERENT_BYTES: u32 = 8 * 1024 * 1024;
/// What users' transactions may take; the rest is kept for the relay and other
/// operational transactions, so that users cannot crowd them out.
const NORMAL_RATIO: Perbill = Perbill::from_percent(75);
/// Share of a block assumed to go into initialisation; no transaction may be so
/// large that it would not fit beside it.
const INITIALISATION_RATIO: Perbill = Perbill::from_percent(10);

parameter_types! {
    pub const Version: RuntimeVersion = VERSION;
    /// Limits of execution. The size of proofs is no concern here.
    pub RuntimeBlockWeights: BlockWeights = {
        let max = Weight::from_parts(MAX_BLOCK_REF_TIME, u64::MAX);
        let normal = NORMAL_RATIO * max;
        BlockWeights::builder()
            .base_block(BlockExecutionWeight::get())
            .for_class(DispatchClass::all(), |w| w.base_extrinsic = ExtrinsicBaseWeight::get())
            .for_class(DispatchClass::Normal, |w| w.max_total = Some(normal))
            .for_class(DispatchClass::Operational, |w| {
                w.max_total = Some(max);
                w.reserved = Some(max.saturating_sub(normal));
            })
            .avg_block_initialization(INITIALISATION_RATIO)
            .build_or_panic()
    };
    /// Limits of size.
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(MAX_BODY_BYTES)
        .modify_max_length_for_class(DispatchClass::Normal, |max| *max = NORMAL_RATIO * *max)
        .modify_max_length_for_class(DispatchClass::Mandatory, |max| *max = MAX_INHERENT_BYTES)
        .build();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type BaseCallFilter = InsideBoth<
        NobodyForcesMoney,
        InsideBoth<
            NoPublicCallsInBootstrap,
            InsideBoth<NoPublicCallsInEmergency, NoPublicCallsInRecovery>,
        >,
    >;
    type Block = Block;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type AccountId = AccountId;
    type Lookup = AccountIdLookup<AccountId, ()>;
    type Nonce = Nonce;
    type Hash = Hash;
    // About half an hour at 500 ms: clients derive how long a transaction may
    // stay valid from it.
    type BlockHashCount = ConstU32<4096>;
    type DbWeight = ParityDbWeight;
    type Version = Version;
    type AccountData = AccountData;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
    // The generic prefix: addresses begin with 5, as every wallet knows them.
    type SS58Prefix = ConstU16<42>;
    type MaxConsumers = ConstU32<16>;
    // A recovery does not go back behind it.
    type OnSetCode = NotedCode;
    // A recovery that restores looks like a migration of several blocks: these hold inherents
    // only.
    type MultiBlockMigrator = Recovery;
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::recovery::MAX_EVENTS_BYTES;

    #[test]
    fn r19_3_a_block_has_room_for_a_whole_old_one_and_what_shows_its_events() {
        let length = RuntimeBlockLength::get();
        let most = |class| *length.max.get(class);
        assert_eq!(most(DispatchClass::Operational), MAX_BODY_BYTES);
        // The header, what stands in front of each transaction, and other inherents.
        let rest = 384 * 1024;
        assert!(
            most(DispatchClass::Mandatory) >= MAX_BODY_BYTES + MAX_EVENTS_BYTES + rest,
            "a step with the largest body is left out of every block"
        );
    }
}
