//! Mints on L2 what was destroyed on L1, and guards the supply.
//!
//! ## Overview
//!
//! The relay hands over every `L2BURN` output that more than two thirds of the
//! sequencers attested, in L1 order. Each is keyed by its outpoint and handled
//! once. A valid one credits its recipient with the output's own value: what was
//! really destroyed, not what the payload claims (a difference is shown). An
//! invalid one is rejected with its reason ([`judge`]).
//! Sources: O5, O6, O7, R4.1; architecture.md, "Identity and money".
//!
//! ## What holds
//!
//! - An outpoint is credited at most once.
//! - A valid burn never vanishes: while minting is halted, or if a credit fails,
//!   it waits in a visible queue and is retried in every block with room.
//! - `issuance ≤ genesis + minted`, and no block raises the issuance by more than
//!   it minted; checked in each block with counters. A violation sets
//!   [`Halted`], which stops minting and is for the bridge to heed; the chain
//!   goes on. Only root clears it.
//!
//! ## Growth of the state
//!
//! Rejected outputs cost their sender only an L1 fee, so only the last
//! [`MAX_REJECTED`] are kept. Minted and waiting burns destroyed coins and are
//! kept for ever: they must never be minted again.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`resume`](Pallet::resume) | root | | `MintingResumed` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub use pallet::*;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod query;
mod supply;
pub mod weights;

#[cfg(test)]
mod mint_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod supply_tests;

pub use cascoin_l2_primitives::l1::burn::judge;
pub use weights::WeightInfo;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use cascoin_l2_primitives::{
        apis::{BurnOutcome, BurnRecord},
        chain::{AccountId, Balance, BlockNumber, ChainParameters, Moment},
        l1::{
            burn::{BurnPayload, BurnRejection},
            L1Hash, OutPoint,
        },
        relay::{L1BlockContext, L1Event, OnL1Event},
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{Inspect, Mutate},
            Time,
        },
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::SaturatedConversion;

    /// Rejected outputs that are kept.
    pub const MAX_REJECTED: u64 = 4_096;
    /// Waiting burns that one block retries.
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

        /// The chain's parameters, of which the chain id is read.
        type Parameters: Get<ChainParameters>;

        /// L2 time, in milliseconds.
        type Time: Time<Moment = Moment>;

        /// Weights of what this pallet does.
        type WeightInfo: WeightInfo;
    }

    /// Every burn output that is minted or waits, and the last rejected ones, by
    /// L1 transaction and position.
    #[pallet::storage]
    pub type Burns<T> =
        StorageDoubleMap<_, Blake2_128Concat, L1Hash, Twox64Concat, u32, BurnRecord, OptionQuery>;

    /// Minted burns in the order they were minted, from 0; its length is
    /// [`BurnCount`].
    #[pallet::storage]
    pub type MintLog<T> = StorageMap<_, Twox64Concat, u64, OutPoint, OptionQuery>;

    /// Minted burns of an account in the order they were minted, from 0.
    #[pallet::storage]
    pub type AccountBurns<T> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, u32, OutPoint, OptionQuery>;

    /// Number of minted burns of an account.
    #[pallet::storage]
    pub type AccountBurnCount<T> = StorageMap<_, Blake2_128Concat, AccountId, u32, ValueQuery>;

    /// The last rejected outputs; slot `n % MAX_REJECTED` holds the n-th.
    #[pallet::storage]
    pub type RejectedLog<T> = StorageMap<_, Twox64Concat, u32, OutPoint, OptionQuery>;

    /// Valid burns that wait to be credited, by place in the queue. It can grow
    /// no faster than coins are destroyed on L1, and each entry ends as a record
    /// in [`Burns`] anyway; the work on it is bounded by [`MAX_RETRIES`] a block.
    #[pallet::storage]
    pub type Deferred<T> = StorageMap<_, Twox64Concat, u64, OutPoint, OptionQuery>;

    /// First place of the queue that is taken, and the first behind it.
    #[pallet::storage]
    pub type DeferredRange<T> = StorageValue<_, (u64, u64), ValueQuery>;

    /// Minted for burns, ever, in base units.
    #[pallet::storage]
    pub type MintedTotal<T> = StorageValue<_, Balance, ValueQuery>;

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

    /// Burns minted.
    #[pallet::storage]
    pub type BurnCount<T> = StorageValue<_, u64, ValueQuery>;

    /// Outputs rejected.
    #[pallet::storage]
    pub type RejectedCount<T> = StorageValue<_, u64, ValueQuery>;

    /// Outputs that were seen again and ignored.
    #[pallet::storage]
    pub type RepeatedCount<T> = StorageValue<_, u64, ValueQuery>;

    /// Set when the supply invariant was violated: minting stops until root
    /// clears it.
    #[pallet::storage]
    pub type Halted<T> = StorageValue<_, bool, ValueQuery>;

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
        /// A burn was credited.
        BurnMinted {
            /// The output on L1.
            outpoint: OutPoint,
            /// Who got it.
            recipient: AccountId,
            /// What was destroyed and minted, in base units.
            value: u64,
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
        /// A valid burn waits to be credited.
        BurnDeferred {
            /// The output on L1.
            outpoint: OutPoint,
            /// What was destroyed, in base units.
            value: u64,
        },
        /// The output is on record already and was ignored
        /// (L2_MINT_ALREADY_PROCESSED).
        MintAlreadyProcessed {
            /// The output on L1.
            outpoint: OutPoint,
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
    }

    #[pallet::error]
    pub enum Error<T> {
        /// Minting is not halted.
        NotHalted,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            T::WeightInfo::check_supply()
        }

        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::retry_deferred(remaining)
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
    }

    impl<T: Config> OnL1Event for Pallet<T> {
        fn on_event(event: &L1Event, block: &L1BlockContext) {
            match event {
                L1Event::Burn { outpoint, value, payload } => {
                    Self::process(*outpoint, *value, payload, block);
                }
            }
        }

        fn max_event_weight() -> Weight {
            T::WeightInfo::process_burn()
        }
    }

    impl<T: Config> Pallet<T> {
        fn process(outpoint: OutPoint, value: u64, payload: &[u8], block: &L1BlockContext) {
            if Burns::<T>::contains_key(outpoint.txid, outpoint.vout) {
                RepeatedCount::<T>::mutate(|count| *count = count.saturating_add(1));
                Self::deposit_event(Event::MintAlreadyProcessed { outpoint });
                return;
            }
            let read = BurnPayload::decode(payload).ok();
            let mut record = BurnRecord {
                outpoint,
                value,
                encoded_amount: read.as_ref().map_or(0, |burn| burn.amount),
                recipient: read.map(|burn| burn.recipient.account()),
                outcome: BurnOutcome::Deferred,
                l1_height: block.height,
                l1_hash: block.hash,
                block: Self::now(),
                time: T::Time::now(),
            };
            match judge(payload, value, T::Parameters::get().chain_id) {
                Ok(burn) => {
                    if burn.amount != value {
                        Self::deposit_event(Event::AmountDiffers {
                            outpoint,
                            value,
                            encoded_amount: burn.amount,
                        });
                    }
                    if !Self::credit(&mut record) {
                        Self::defer(outpoint);
                        Self::deposit_event(Event::BurnDeferred { outpoint, value });
                    }
                }
                Err(reason) => {
                    record.outcome = BurnOutcome::Rejected(reason);
                    Self::log_rejected(outpoint);
                    Self::deposit_event(Event::BurnRejected { outpoint, value, reason });
                }
            }
            Burns::<T>::insert(outpoint.txid, outpoint.vout, record);
        }

        fn now() -> BlockNumber {
            frame_system::Pallet::<T>::block_number().saturated_into()
        }

        // Credits the burn and puts it on record as minted in this block; `false`
        // if it must wait.
        fn credit(record: &mut BurnRecord) -> bool {
            let Some(recipient) = record.recipient.clone() else { return false };
            let amount = Balance::from(record.value);
            if Halted::<T>::get() || T::Currency::mint_into(&recipient, amount).is_err() {
                return false;
            }
            record.outcome = BurnOutcome::Minted;
            record.block = Self::now();
            record.time = T::Time::now();
            MintedTotal::<T>::mutate(|total| *total = total.saturating_add(amount));
            MintedInBlock::<T>::mutate(|total| *total = total.saturating_add(amount));
            let position = BurnCount::<T>::mutate(|count| {
                *count = count.saturating_add(1);
                count.saturating_sub(1)
            });
            MintLog::<T>::insert(position, record.outpoint);
            let sequence = AccountBurnCount::<T>::mutate(&recipient, |count| {
                *count = count.saturating_add(1);
                count.saturating_sub(1)
            });
            AccountBurns::<T>::insert(&recipient, sequence, record.outpoint);
            Self::deposit_event(Event::BurnMinted {
                outpoint: record.outpoint,
                recipient,
                value: record.value,
            });
            true
        }

        fn log_rejected(outpoint: OutPoint) {
            let position = RejectedCount::<T>::get();
            RejectedCount::<T>::put(position.saturating_add(1));
            let slot = (position % MAX_REJECTED) as u32;
            if let Some(old) = RejectedLog::<T>::get(slot) {
                Burns::<T>::remove(old.txid, old.vout);
            }
            RejectedLog::<T>::insert(slot, outpoint);
        }

        fn defer(outpoint: OutPoint) {
            DeferredRange::<T>::mutate(|(_, end)| {
                Deferred::<T>::insert(*end, outpoint);
                *end = end.saturating_add(1);
            });
        }

        // Tries each waiting burn once, the longest waiting first. One that fails
        // again goes to the end, so that it does not keep the others waiting.
        pub(crate) fn retry_deferred(remaining: Weight) -> Weight {
            let mut used = T::WeightInfo::retry_base();
            let (start, end) = DeferredRange::<T>::get();
            if start == end || Halted::<T>::get() || !used.all_lte(remaining) {
                return used.min(remaining);
            }
            for place in start..end.min(start.saturating_add(u64::from(MAX_RETRIES))) {
                let after = used.saturating_add(T::WeightInfo::retry_burn());
                if !after.all_lte(remaining) {
                    break;
                }
                used = after;
                DeferredRange::<T>::mutate(|(start, _)| *start = place.saturating_add(1));
                let Some(outpoint) = Deferred::<T>::take(place) else { continue };
                let Some(mut record) = Burns::<T>::get(outpoint.txid, outpoint.vout) else {
                    continue;
                };
                if Self::credit(&mut record) {
                    Burns::<T>::insert(outpoint.txid, outpoint.vout, record);
                } else {
                    Self::defer(outpoint);
                }
            }
            used
        }
    }
}
