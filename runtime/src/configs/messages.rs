//! Messages from L1: what they may take of a block, and what they pay.

use super::{
    l1::L1Disputed, liveness::Emergency, recovery::users_wait, stake::ChainId,
    system::MAX_BLOCK_REF_TIME,
};
use crate::{
    AccountId, Balance, Balances, BlockNumber, BurnMint, ChainParameters, L1Relay, L2Registry,
    Rewards, Runtime, RuntimeCall, TransactionPayment,
};
use cascoin_l2_primitives::messages::ChargeMessage;
use frame_support::{
    dispatch::{DispatchClass, DispatchInfo, Pays},
    parameter_types,
    traits::{
        fungible::{Balanced, Inspect},
        tokens::{Fortitude, Precision, Preservation},
        ConstU32, Get, OnUnbalanced,
    },
    weights::Weight,
};
use pallet_rewards::discount::half;
use sp_runtime::DispatchError;

/// A minute at 500 ms.
const RETRY_PAUSE: BlockNumber = 120;
/// 30 days.
const KEEP_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

parameter_types! {
    /// A twentieth of the largest block: half of what blocks are assumed to spend when they
    /// begin.
    pub MessagesBudget: Weight = Weight::from_parts(MAX_BLOCK_REF_TIME / 20, u64::MAX);
    /// A third of that, so that a heavy message leaves room for others: 5 ms, or 500,000
    /// gas. The size of proofs is no concern, but a claim declares it: it must stay far below
    /// what a block may have.
    pub MaxMessageWeight: Weight = Weight::from_parts(MAX_BLOCK_REF_TIME / 60, 1 << 32);
    pub KeepMessages: BlockNumber = keep_blocks();
}

fn keep_blocks() -> BlockNumber {
    // A chain without parameters, as FRAME builds in tests, has no block time.
    let blocks = KEEP_MS.checked_div(ChainParameters::get().block_time_ms).unwrap_or(0);
    BlockNumber::try_from(blocks).unwrap_or(BlockNumber::MAX)
}

/// A message pays what a transaction with the same call would, by the same rule and to the
/// same: half of it where its sender has the reputation for that.
pub struct MessageFees;

/// What a call costs without the discount.
fn full_fee(length: u32, weight: Weight) -> Balance {
    let info = DispatchInfo {
        call_weight: weight,
        extension_weight: Weight::zero(),
        class: DispatchClass::Normal,
        pays_fee: Pays::Yes,
    };
    TransactionPayment::compute_fee(length, &info, 0)
}

impl ChargeMessage for MessageFees {
    fn charge(who: &AccountId, length: u32, weight: Weight) -> Result<Balance, DispatchError> {
        let full = full_fee(length, weight);
        let fee = if Rewards::has_discount(who) { half(full) } else { full };
        let paid = <Balances as Balanced<AccountId>>::withdraw(
            who,
            fee,
            Precision::Exact,
            // As transactions: the account stays.
            Preservation::Preserve,
            Fortitude::Polite,
        )?;
        Rewards::on_unbalanced(paid);
        Ok(fee)
    }

    // As if everybody had the discount: to look whether it has is not worth a read.
    fn can_pay(who: &AccountId) -> bool {
        let there = <Balances as Inspect<AccountId>>::reducible_balance(
            who,
            Preservation::Preserve,
            Fortitude::Polite,
        );
        there >= half(full_fee(0, Weight::zero()))
    }
}

/// Whether L1 may have dropped what is attested: as the quorum sees it, while the relay
/// recovers, and until all burns are judged that may be gone.
pub struct L1Unsettled;

impl Get<bool> for L1Unsettled {
    fn get() -> bool {
        L1Disputed::get() || pallet_burn_mint::Sweep::<Runtime>::exists()
    }
}

/// Whether the call filter refuses what the public does: in an emergency, while a recovery
/// runs and stakes are still to lose what offences cost (`users_wait`), and until the chain
/// opens (R32.3). A message whose call it refused would use up its
/// tries and pay for each.
pub struct PublicWaits;

impl Get<bool> for PublicWaits {
    fn get() -> bool {
        Emergency::get() || users_wait() || !L2Registry::is_open()
    }
}

impl pallet_messages::Config for Runtime {
    type MessageCall = RuntimeCall;
    type Value = BurnMint;
    type Fees = MessageFees;
    type ChainId = ChainId;
    type L1Disputed = L1Unsettled;
    type L1Blocks = L1Relay;
    type Halted = PublicWaits;
    type MaxCallWeight = MaxMessageWeight;
    type BlockBudget = MessagesBudget;
    type RetryPause = ConstU32<RETRY_PAUSE>;
    type KeepBlocks = KeepMessages;
    type WeightInfo = crate::weights::pallet_messages::WeightInfo<Runtime>;
}
