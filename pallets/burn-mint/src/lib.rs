//! Mints on L2 what was destroyed on L1, and guards the supply.
//!
//! ## Overview
//!
//! The relay hands over every `L2BURN` output that more than two thirds of the
//! sequencers attested, in L1 order. Each is keyed by its outpoint and handled
//! once; where L1 reorganised it may come again, in another block. A valid one credits its recipient with the output's own value: what was
//! really destroyed, not what the payload claims (a difference is shown). An
//! invalid one is rejected with its reason ([`judge`]).
//! Sources: O5, O6, O7, R4.1; architecture.md, "Identity and money".
//!
//! What a message from L1 destroys is credited to its sender likewise, as a burn that names
//! it ([`MessageValue`](cascoin_l2_primitives::messages::MessageValue), ADR 0025).
//!
//! A deposit in the vault (R4.1) is credited by the same books, limits and queue, and
//! counted apart ([`VaultedTotal`]): its coins still exist on L1. On a chain without a vault
//! ([`Config::VaultScript`]) every deposit is rejected, with that reason on record.
//!
//! Minting is limited (R36.1, R36.2, ADR 0024): of what one burn brings on a day, of
//! what one address gets, and of what is minted for all together. The limits are chain
//! parameters. What is above one waits and is minted, in parts, as the limits free.
//!
//! ## What holds
//!
//! - An outpoint is credited with its value at most, and in the end with all of it.
//! - A valid burn never vanishes: while minting is halted or stopped, the chain is in an
//!   emergency, L1's history is disputed below what is attested, fewer sequencers are in the
//!   set than `min_sequencers`, a limit is used up, or if a credit fails, it waits in a visible
//!   queue, in which turns go round (`queue.rs`). Only root takes one out, and only while
//!   nothing is minted; its record stays.
//! - Nothing is minted while L1 may have dropped what is attested ([`Config::L1Disputed`]),
//!   nor until all burns that it may have dropped are judged. A burn that L1 dropped is
//!   taken back, or is a deficit that everybody sees ([`revert`], ADR 0026).
//! - On no day of L2 time more is minted than the limits in force allow; but for what had
//!   been minted before a recovery let the state go back: that is minted again at once, be
//!   minting stopped or not (`again.rs`, ADR 0033).
//! - `issuance ≤ genesis + minted`, and no block raises the issuance by more than
//!   it minted; checked in each block with counters. A violation sets
//!   [`Halted`], which stops minting and is for the bridge to heed; the chain
//!   goes on. Only root clears it.
//! - Root can stop minting ([`Stopped`]) where the supply adds up and something else is
//!   wrong: a burn that L1 never had, say. That is no violation, and each of the two
//!   is undone on its own.
//!
//! ## Growth of the state
//!
//! Outputs rejected when they come cost their sender only an L1 fee, so only the last
//! [`MAX_REJECTED`] are kept. Minted and waiting burns, and those that root rejected
//! while they waited, destroyed coins and are kept for ever: they must never be minted again. A burn that is minted in parts adds
//! to the log once a part, which is once a day and once a change of the limits at most.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`resume`](Pallet::resume) | root | | `MintingResumed` |
//! | [`stop`](Pallet::stop) | root | | `MintingStopped` |
//! | [`lift_stop`](Pallet::lift_stop) | root | | `StopLifted` |
//! | [`reject_waiting`](Pallet::reject_waiting) | root, while minting is stopped or L1 disputed | | `WaitingRejected` |
//! | [`claw_back`](Pallet::claw_back) | anyone | fee | `DeficitReduced` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub use pallet::*;

mod again;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod deposit;
pub mod limits;
mod mint;
mod query;
mod queue;
pub mod revert;
mod supply;
pub mod types;
mod vault;
pub mod weights;

#[cfg(test)]
mod again_tests;
#[cfg(test)]
mod deposit_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod mint_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod revert_property_tests;
#[cfg(test)]
mod revert_tests;
#[cfg(test)]
mod stop_tests;
#[cfg(test)]
mod supply_tests;
#[cfg(test)]
mod vault_tests;

pub use cascoin_l2_primitives::l1::burn::judge;
pub use weights::WeightInfo;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::{
        limits::Spent,
        types::{AccountMinted, Before, Credit, RecentBurn, Round, Waiting},
    };
    use cascoin_l2_primitives::{
        apis::{BurnRecord, WaitCause},
        chain::{AccountId, Balance, ChainParameters, Moment},
        l1::{burn::BurnRejection, deposit::Deposit, L1Hash, OutPoint},
        relay::{L1BlockContext, L1Branch, L1Event, OnL1Event},
        sequencers::SequencerSetProvider,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{Inspect, Mutate},
            Time,
        },
    };
    use frame_system::pallet_prelude::*;

    /// Rejected outputs that are kept.
    pub const MAX_REJECTED: u64 = 4_096;
    /// Waiting burns that have their turn in one block.
    pub const MAX_RETRIES: u32 = 32;

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The chain's own money. Its genesis endowments MUST be made before this
        /// pallet's genesis, so it stands before this one in the runtime.
        type Currency: Inspect<AccountId, Balance = Balance> + Mutate<AccountId>;

        /// The chain's parameters, of which the chain id, the limits of deposits and the
        /// smallest number of sequencers are read.
        type Parameters: Get<ChainParameters>;

        /// The sequencers in force, of which the number is read.
        type Sequencers: SequencerSetProvider;

        /// Whether the quorum sees another L1 history below what is attested, or the relay
        /// is not yet beyond what such a one replaced. What is attested may then be
        /// dropped by L1, so that nothing of it may be minted.
        type L1Disputed: Get<bool>;

        /// Whether the chain is in an emergency: nothing is minted then.
        type Emergency: Get<bool>;

        /// The attested branch of L1.
        type L1Blocks: L1Branch;

        /// SHA-256 of the script that the vault's outputs on L1 pay to; `None` while there
        /// is no vault, and then nothing can be deposited.
        type VaultScript: Get<Option<[u8; 32]>>;

        /// L2 time, in milliseconds.
        type Time: Time<Moment = Moment>;

        /// Weights of what this pallet does.
        type WeightInfo: WeightInfo;
    }

    /// Every burn output that is minted or waits, or that root rejected while it waited,
    /// and the last that were rejected when they came, by L1 transaction and position.
    #[pallet::storage]
    pub type Burns<T> =
        StorageDoubleMap<_, Blake2_128Concat, L1Hash, Twox64Concat, u32, BurnRecord, OptionQuery>;

    /// Credits in the order they were made, from 0; its length is [`MintCount`].
    #[pallet::storage]
    pub type MintLog<T> = StorageMap<_, Twox64Concat, u64, Credit, OptionQuery>;

    /// Credits made: burns, and parts of such as were minted in parts.
    #[pallet::storage]
    pub type MintCount<T> = StorageValue<_, u64, ValueQuery>;

    /// Burns credited to an account, in full or in part, in the order of their first
    /// credit, from 0.
    #[pallet::storage]
    pub type AccountBurns<T> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, u32, OutPoint, OptionQuery>;

    /// How many burns were credited to an account, and what it got on its last day.
    #[pallet::storage]
    pub type AccountMints<T> =
        StorageMap<_, Blake2_128Concat, AccountId, AccountMinted, ValueQuery>;

    /// What was minted for all together on the last day on which anything was.
    #[pallet::storage]
    pub type MintedOnDay<T> = StorageValue<_, Spent, ValueQuery>;

    /// The last outputs rejected when they came; slot `n % MAX_REJECTED` holds the n-th.
    #[pallet::storage]
    pub type RejectedLog<T> = StorageMap<_, Twox64Concat, u32, OutPoint, OptionQuery>;

    /// Valid burns that wait, by place in the queue. It can grow no faster than coins
    /// are destroyed on L1, and each entry ends as a record in [`Burns`] anyway; the
    /// work on it is bounded by [`MAX_RETRIES`] a block.
    #[pallet::storage]
    pub type Deferred<T> = StorageMap<_, Twox64Concat, u64, OutPoint, OptionQuery>;

    /// First place of the queue that is taken, and the first behind it. All between
    /// are taken.
    #[pallet::storage]
    pub type DeferredRange<T> = StorageValue<_, (u64, u64), ValueQuery>;

    /// Where each burn of the queue stands in it, and what it brought today.
    #[pallet::storage]
    pub type Waits<T> =
        StorageDoubleMap<_, Blake2_128Concat, L1Hash, Twox64Concat, u32, Waiting, OptionQuery>;

    /// What the burns of the queue have still to bring, in base units.
    #[pallet::storage]
    pub type DeferredTotal<T> = StorageValue<_, Balance, ValueQuery>;

    /// Who of the queue has not had a turn.
    #[pallet::storage]
    pub type RoundOfTurns<T> = StorageValue<_, Round, ValueQuery>;

    /// Minted for burns and deposits, less what was taken back, in base units.
    #[pallet::storage]
    pub type MintedTotal<T> = StorageValue<_, Balance, ValueQuery>;

    /// What of [`MintedTotal`] was minted for deposits in the vault, in base units.
    #[pallet::storage]
    pub type VaultedTotal<T> = StorageValue<_, Balance, ValueQuery>;

    /// Burns of the L1 blocks that a fork can still remove, in the order the relay brought
    /// them. It holds what comes in that many L1 blocks, each of which destroyed coins.
    #[pallet::storage]
    pub type RecentBurns<T> = StorageMap<_, Twox64Concat, u64, RecentBurn, OptionQuery>;

    /// First place of [`RecentBurns`] that is taken, and the first behind it.
    #[pallet::storage]
    pub type RecentRange<T> = StorageValue<_, (u64, u64), ValueQuery>;

    /// Places of [`RecentBurns`] that are still to be judged after the relay caught up
    /// with a new branch of L1. Nothing is minted before they are.
    #[pallet::storage]
    pub type Sweep<T> = StorageValue<_, (u64, u64), OptionQuery>;

    /// What was ever taken back of a burn, in base units.
    #[pallet::storage]
    pub type ClawedBack<T> =
        StorageDoubleMap<_, Blake2_128Concat, L1Hash, Twox64Concat, u32, Balance, ValueQuery>;

    /// What was taken back of all burns, ever, in base units.
    #[pallet::storage]
    pub type ClawedBackTotal<T> = StorageValue<_, Balance, ValueQuery>;

    /// What was minted for burns that L1 dropped and could not be taken back, in base
    /// units.
    #[pallet::storage]
    pub type Deficit<T> = StorageValue<_, Balance, ValueQuery>;

    /// Burns that L1 dropped and has not brought again.
    #[pallet::storage]
    pub type RevertedCount<T> = StorageValue<_, u64, ValueQuery>;

    /// Reverted burns that root had rejected while they waited, after a part was minted: if
    /// L1 brings one again it is rejected as before.
    #[pallet::storage]
    pub type RejectedBefore<T> =
        StorageDoubleMap<_, Blake2_128Concat, L1Hash, Twox64Concat, u32, (), OptionQuery>;

    /// What burns had brought, in full or in part, when a recovery let the state go back, by
    /// place: so much of each is minted again at once if L1 brings it again. It holds burns of
    /// the blocks that a recovery reaches back, until each had its turn.
    #[pallet::storage]
    pub type MintedBefore<T> = StorageMap<_, Twox64Concat, u64, Before, OptionQuery>;

    /// First place of [`MintedBefore`] that is taken, and the first behind it. All between
    /// are taken.
    #[pallet::storage]
    pub type MintedBeforeRange<T> = StorageValue<_, (u64, u64), ValueQuery>;

    /// Minted in the block that is being executed, in base units.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type MintedInBlock<T> = StorageValue<_, Balance, ValueQuery>;

    /// Issuance of the genesis block, in base units.
    #[pallet::storage]
    pub type GenesisIssuance<T> = StorageValue<_, Balance, ValueQuery>;

    /// Issuance at the end of the last block, in base units.
    #[pallet::storage]
    pub type LastIssuance<T> = StorageValue<_, Balance, ValueQuery>;

    /// Burns minted in full.
    #[pallet::storage]
    pub type BurnCount<T> = StorageValue<_, u64, ValueQuery>;

    /// Outputs rejected when they came.
    #[pallet::storage]
    pub type RejectedCount<T> = StorageValue<_, u64, ValueQuery>;

    /// Burns that root rejected while they waited.
    #[pallet::storage]
    pub type RejectedWaitingCount<T> = StorageValue<_, u64, ValueQuery>;

    /// Outputs that were seen again and ignored.
    #[pallet::storage]
    pub type RepeatedCount<T> = StorageValue<_, u64, ValueQuery>;

    /// Set when the supply invariant was violated: minting stops until root
    /// clears it.
    #[pallet::storage]
    pub type Halted<T> = StorageValue<_, bool, ValueQuery>;

    /// Set when root stopped minting, until root lifts it. The supply may add up.
    #[pallet::storage]
    pub type Stopped<T> = StorageValue<_, bool, ValueQuery>;

    /// Records the issuance at genesis; has no values of its own.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        #[serde(skip)]
        _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let issuance = T::Currency::total_issuance();
            GenesisIssuance::<T>::put(issuance);
            LastIssuance::<T>::put(issuance);
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A burn was credited, or a part of it.
        BurnMinted {
            /// The output on L1.
            outpoint: OutPoint,
            /// Who got it.
            recipient: AccountId,
            /// What was minted, in base units.
            amount: u64,
            /// What of the burn still waits, in base units.
            rest: u64,
        },
        /// The payload of a valid burn claims another amount than was destroyed.
        /// The value holds.
        AmountDiffers {
            /// The output on L1.
            outpoint: OutPoint,
            /// What was destroyed, in base units.
            value: u64,
            /// What the payload claims, in base units.
            encoded_amount: u64,
        },
        /// A marked output is not valid.
        BurnRejected {
            /// The output on L1.
            outpoint: OutPoint,
            /// Its value, in base units.
            value: u64,
            /// Why.
            reason: BurnRejection,
        },
        /// A valid burn, or what is left of it, waits to be credited
        /// (BRIDGE_DEPOSIT_LIMIT if for a limit).
        BurnDeferred {
            /// The output on L1.
            outpoint: OutPoint,
            /// What waits, in base units.
            rest: u64,
            /// For what.
            cause: WaitCause,
        },
        /// The output is on record already and was ignored
        /// (L2_MINT_ALREADY_PROCESSED).
        MintAlreadyProcessed {
            /// The output on L1.
            outpoint: OutPoint,
        },
        /// L1 brought a burn again, in another block than before. What was minted of it
        /// stays.
        BurnConfirmedAgain {
            /// The output on L1.
            outpoint: OutPoint,
            /// Height of the block that it stands in now.
            l1_height: u32,
            /// Its hash.
            l1_hash: L1Hash,
        },
        /// L1 dropped a burn and has not brought it again.
        BurnReverted {
            /// The output that L1 had.
            outpoint: OutPoint,
            /// Who was to get it.
            recipient: Option<AccountId>,
            /// What was taken back from it, in base units.
            clawed_back: u64,
            /// What was minted and is not there, in base units.
            deficit: u64,
        },
        /// All burns that L1 may have dropped are judged. Minting goes on.
        OrphansJudged {
            /// What is minted for burns that L1 dropped, in base units.
            deficit: Balance,
        },
        /// More of a reverted burn was taken back.
        DeficitReduced {
            /// The output that L1 had.
            outpoint: OutPoint,
            /// What was taken back now, in base units.
            clawed_back: u64,
            /// What is left, in base units.
            deficit: u64,
        },
        /// The supply does not add up (L2_SUPPLY_INVARIANT_VIOLATED). Minting
        /// stops.
        SupplyInvariantViolated {
            /// All coins on L2, in base units.
            issuance: Balance,
            /// The most there may be, in base units.
            allowed: Balance,
        },
        /// Root cleared the halt.
        MintingResumed,
        /// Root stopped minting.
        MintingStopped,
        /// Root lifted its stop.
        StopLifted,
        /// Root rejected a burn that waited: no more of it is minted.
        WaitingRejected {
            /// The output on L1.
            outpoint: OutPoint,
            /// What was minted of it before, in base units.
            minted: u64,
            /// What is not minted any more, in base units.
            rest: u64,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// Minting is not halted.
        NotHalted,
        /// Minting is stopped already.
        AlreadyStopped,
        /// Minting is not stopped.
        NotStopped,
        /// Minting is neither stopped nor L1 disputed, so that no burn is rejected.
        MintingOpen,
        /// This output is not in the queue.
        NotWaiting,
        /// Nothing of this burn is to be taken back.
        NothingOwed,
        /// The recipient has no free balance to take back.
        NothingThere,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            T::WeightInfo::check_supply()
        }

        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let judged = Self::judge_orphans(remaining);
            let again = Self::mint_again(remaining.saturating_sub(judged));
            let used = judged.saturating_add(again);
            used.saturating_add(Self::retry_deferred(remaining.saturating_sub(used)))
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Self::check_supply();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Lets minting go on after a violation of the supply invariant was
        /// understood and repaired. If it still does not hold, the same block
        /// halts minting again.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::NotHalted`].
        ///
        /// ## Events
        /// `MintingResumed`.
        #[pallet::call_index(0)]
        #[pallet::weight((T::WeightInfo::resume(), DispatchClass::Operational))]
        pub fn resume(origin: OriginFor<T>) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(Halted::<T>::take(), Error::<T>::NotHalted);
            Self::deposit_event(Event::MintingResumed);
            Ok(())
        }

        /// Stops minting: burns wait until the stop is lifted. For a fault that the supply
        /// does not show, such as burns that L1 never had.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::AlreadyStopped`].
        ///
        /// ## Events
        /// `MintingStopped`.
        #[pallet::call_index(1)]
        #[pallet::weight((T::WeightInfo::stop(), DispatchClass::Operational))]
        pub fn stop(origin: OriginFor<T>) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(!Stopped::<T>::get(), Error::<T>::AlreadyStopped);
            Stopped::<T>::put(true);
            Self::deposit_event(Event::MintingStopped);
            Ok(())
        }

        /// Lifts a stop. A halt stands: [`resume`](Pallet::resume) clears that.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::NotStopped`].
        ///
        /// ## Events
        /// `StopLifted`.
        #[pallet::call_index(2)]
        #[pallet::weight((T::WeightInfo::lift_stop(), DispatchClass::Operational))]
        pub fn lift_stop(origin: OriginFor<T>) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(Stopped::<T>::take(), Error::<T>::NotStopped);
            Self::deposit_event(Event::StopLifted);
            Ok(())
        }

        /// Takes a burn that waits out of the queue for good: no more of it is minted,
        /// also if L1 shows it again. For burns that L1 does not have. What was minted of
        /// it stays minted, unless L1 drops it.
        ///
        /// ## Dispatch Origin
        /// Root, while minting is stopped or L1 is disputed: else it might be minted
        /// before it is rejected.
        ///
        /// ## Errors
        /// [`Error::MintingOpen`], [`Error::NotWaiting`].
        ///
        /// ## Events
        /// `WaitingRejected`.
        #[pallet::call_index(3)]
        #[pallet::weight((T::WeightInfo::reject_waiting(), DispatchClass::Operational))]
        pub fn reject_waiting(origin: OriginFor<T>, outpoint: OutPoint) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(Stopped::<T>::get() || T::L1Disputed::get(), Error::<T>::MintingOpen);
            Self::reject(outpoint)
        }

        /// Takes back more of what was minted for a burn that L1 dropped, as far as its
        /// recipient has a free balance now.
        ///
        /// ## Dispatch Origin
        /// Anyone.
        ///
        /// ## Errors
        /// [`Error::NothingOwed`], [`Error::NothingThere`].
        ///
        /// ## Events
        /// `DeficitReduced`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::claw_back())]
        pub fn claw_back(origin: OriginFor<T>, outpoint: OutPoint) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_claw_back(outpoint)
        }
    }

    impl<T: Config> OnL1Event for Pallet<T> {
        fn on_event(event: &L1Event, block: &L1BlockContext) {
            match event {
                L1Event::Burn { outpoint, value, payload } => {
                    Self::process(*outpoint, *value, payload, block);
                }
                L1Event::VaultDeposit { outpoint, chain_id, value, script, body } => {
                    let (chain_id, value) = (*chain_id, *value);
                    let deposit = Deposit { chain_id, value, script, body };
                    Self::process_deposit(*outpoint, &deposit, block);
                }
                L1Event::Trust(_)
                | L1Event::KeyRevocation { .. }
                | L1Event::Stake { .. }
                | L1Event::Message { .. }
                | L1Event::ForcedTransaction { .. }
                | L1Event::ChainRegistration { .. } => (),
            }
        }

        fn max_event_weight() -> Weight {
            T::WeightInfo::process_burn()
        }
    }
}
