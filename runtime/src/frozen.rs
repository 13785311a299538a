//! Which hooks run while a recovery has the state of users' money half restored (ADR 0033).
//!
//! Then blocks hold inherents only, and of the hooks run those of pallets that keep the chain
//! going and whose state does not go back:
//!
//! | runs | why |
//! |---|---|
//! | System, Timestamp, Aura, Grandpa, Authorship | without them there is no block |
//! | HandOver | a set can stand still then as well, and others must be able to take over |
//! | ChainParameters | checks only |
//! | Liveness | a silence is measured whatever else goes on |
//! | L1Relay | the ranking of leaders is seeded each term |
//! | Equivocation, Participation, TimestampGuard | they note sets and who took part; what they punish waits where it is money (`configs::recovery`) |
//! | RateLimit | clears what it counted in the block |
//! | Recovery | it runs the recovery |
//!
//! The others wait: Session, whose end elects by stake and takes references off accounts, so
//! no session ends but with a hand-over (`configs::hand_over`); Balances, Rewards, BurnMint, Stake, Compensation, Messages,
//! ForcedInclusion and L2Registry, whose state goes back; TransactionPayment, whose price
//! follows what Rewards keeps; RecoveryPoint, which would take a deficit that is restored for
//! one that is gone; and Reputation, ReputationExport and ScoreAttestation, which read the
//! others and lose nothing but a turn. `on_idle` and `on_poll` rest altogether, as the
//! executive has it while a migration of several blocks goes on, which is what a recovery
//! looks like to it.
//!
//! The phase changes in Recovery's own `on_finalize`, the last hook of a block: so of each
//! pallet's hooks a block runs all or none. Upgrades of the runtime pass through, and are
//! noted: a changed runtime cannot go back to a state of before.

use crate::{
    configs::{catch_up, note_code_change},
    AllPalletsWithSystem, Aura, Authorship, BlockNumber, ChainParameters, Equivocation, Grandpa,
    HandOver, L1Relay, Liveness, Participation, RateLimit, Recovery, Runtime, System, Timestamp,
    TimestampGuard,
};
use frame_executive::OnInitializeWithWeightRegistration;
use frame_support::{
    traits::{
        BeforeAllRuntimeMigrations, OffchainWorker, OnFinalize, OnIdle, OnPoll, OnRuntimeUpgrade,
    },
    weights::{Weight, WeightMeter},
};

/// Those whose hooks run always, in the runtime's order.
type Always = (
    System,
    Timestamp,
    HandOver,
    Aura,
    Grandpa,
    Authorship,
    ChainParameters,
    Liveness,
    L1Relay,
    Equivocation,
    Participation,
    TimestampGuard,
    RateLimit,
    Recovery,
);

/// The hooks of all pallets; while the state is half restored, of some.
pub struct RuntimeHooks;

impl OnInitializeWithWeightRegistration<Runtime> for RuntimeHooks {
    fn on_initialize_with_weight_registration(block: BlockNumber) -> Weight {
        if Recovery::is_frozen() {
            <Always as OnInitializeWithWeightRegistration<Runtime>>::on_initialize_with_weight_registration(block)
        } else {
            catch_up();
            <AllPalletsWithSystem as OnInitializeWithWeightRegistration<Runtime>>::on_initialize_with_weight_registration(block)
        }
    }
}

impl OnFinalize<BlockNumber> for RuntimeHooks {
    fn on_finalize(block: BlockNumber) {
        if Recovery::is_frozen() {
            <Always as OnFinalize<BlockNumber>>::on_finalize(block);
        } else {
            <AllPalletsWithSystem as OnFinalize<BlockNumber>>::on_finalize(block);
        }
    }
}

impl OnIdle<BlockNumber> for RuntimeHooks {
    fn on_idle(block: BlockNumber, left: Weight) -> Weight {
        if Recovery::is_frozen() {
            return Weight::zero();
        }
        <AllPalletsWithSystem as OnIdle<BlockNumber>>::on_idle(block, left)
    }
}

impl OnPoll<BlockNumber> for RuntimeHooks {
    fn on_poll(block: BlockNumber, meter: &mut WeightMeter) {
        if !Recovery::is_frozen() {
            <AllPalletsWithSystem as OnPoll<BlockNumber>>::on_poll(block, meter);
        }
    }
}

impl OffchainWorker<BlockNumber> for RuntimeHooks {
    fn offchain_worker(block: BlockNumber) {
        if Recovery::is_frozen() {
            <Always as OffchainWorker<BlockNumber>>::offchain_worker(block);
        } else {
            <AllPalletsWithSystem as OffchainWorker<BlockNumber>>::offchain_worker(block);
        }
    }
}

impl BeforeAllRuntimeMigrations for RuntimeHooks {
    fn before_all_runtime_migrations() -> Weight {
        <AllPalletsWithSystem as BeforeAllRuntimeMigrations>::before_all_runtime_migrations()
    }
}

impl OnRuntimeUpgrade for RuntimeHooks {
    fn on_runtime_upgrade() -> Weight {
        note_code_change()
            .saturating_add(<AllPalletsWithSystem as OnRuntimeUpgrade>::on_runtime_upgrade())
    }

    #[cfg(feature = "try-runtime")]
    fn try_on_runtime_upgrade(checks: bool) -> Result<Weight, sp_runtime::TryRuntimeError> {
        let noted = note_code_change();
        let upgraded = <AllPalletsWithSystem as OnRuntimeUpgrade>::try_on_runtime_upgrade(checks)?;
        Ok(noted.saturating_add(upgraded))
    }
}

#[cfg(feature = "try-runtime")]
impl frame_support::traits::TryState<BlockNumber> for RuntimeHooks {
    // What must hold between blocks does not while the state is half restored.
    fn try_state(
        block: BlockNumber,
        select: frame_support::traits::TryStateSelect,
    ) -> Result<(), sp_runtime::TryRuntimeError> {
        use frame_support::traits::TryState;
        if Recovery::is_frozen() {
            <Always as TryState<BlockNumber>>::try_state(block, select)
        } else {
            <AllPalletsWithSystem as TryState<BlockNumber>>::try_state(block, select)
        }
    }
}

#[cfg(feature = "try-runtime")]
impl frame_support::traits::TryDecodeEntireStorage for RuntimeHooks {
    fn try_decode_entire_state(
    ) -> Result<usize, alloc::vec::Vec<frame_support::traits::TryDecodeEntireStorageError>> {
        <AllPalletsWithSystem as frame_support::traits::TryDecodeEntireStorage>::try_decode_entire_state()
    }
}
