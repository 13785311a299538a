//! Mainnet's figures, from where the chain itself has them: the genesis preset, the
//! limits of a block and the weights of the runtime.

use cascoin_l2_primitives::chain::{AccountId, Balance, BlockNumber, ChainParameters};
use cascoin_l2_runtime::{
    configs::RuntimeBlockWeights, genesis_config_presets::mainnet, Runtime, RuntimeCall,
};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
use frame_system::offchain::CreateAuthorizedTransaction;
use sp_runtime::traits::TransactionExtension;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What holds on mainnet.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The table of the preset.
    pub chain: ChainParameters,
    /// Transfers that fill what users have of a block.
    pub transfers: u32,
}

impl Rules {
    /// Of the preset `mainnet`.
    pub fn mainnet() -> Self {
        let transfers = room().checked_div(transfer_time()).and_then(|n| u32::try_from(n).ok());
        Self { chain: mainnet(), transfers: transfers.unwrap_or(u32::MAX) }
    }

    /// Base units of a coin.
    pub fn coin(&self) -> Balance {
        10u128.pow(self.chain.decimals.into())
    }

    /// As a number of coins, to be shown.
    pub fn coins(&self, units: Balance) -> f64 {
        units as f64 / self.coin() as f64
    }

    /// Blocks of a day, if each comes in time.
    pub fn blocks_a_day(&self) -> BlockNumber {
        BlockNumber::try_from(DAY_MS / self.chain.block_time_ms).unwrap_or(BlockNumber::MAX)
    }

    /// Sessions of a day.
    pub fn sessions_a_day(&self) -> u32 {
        self.blocks_a_day() / self.chain.session_blocks
    }

    /// Epochs of a day.
    pub fn epochs_a_day(&self) -> u32 {
        self.sessions_a_day() / self.chain.epoch_sessions
    }

    /// Terms of a session.
    pub fn terms_a_session(&self) -> u32 {
        self.chain.session_blocks / self.chain.blocks_per_leader
    }
}

/// Execution that users have in a block, picoseconds. Mainnet's blocks have all the gas
/// that the runtime allows, so its own limit is the chain's.
fn room() -> u64 {
    let weights = RuntimeBlockWeights::get();
    let normal = weights.get(DispatchClass::Normal).max_total;
    normal.unwrap_or(weights.max_block).ref_time()
}

/// Execution of a transfer with all that is checked and noted around it, picoseconds.
pub fn transfer_time() -> u64 {
    let dest = AccountId::new([1; 32]).into();
    let call = RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value: 1 });
    let around = <Runtime as CreateAuthorizedTransaction<RuntimeCall>>::create_extension();
    let weight = call.get_dispatch_info().call_weight.saturating_add(around.weight(&call));
    let base = RuntimeBlockWeights::get().get(DispatchClass::Normal).base_extrinsic;
    weight.saturating_add(base).ref_time()
}
