//! Money that sequencers put at risk, and what becomes of it when they do wrong.
//!
//! ## Overview
//!
//! An account *bonds* coins: they stay in its balance, on hold. What it *unbonds* is
//! no stake any more, but stays on hold, and can be slashed, for
//! [`Config::UnbondingBlocks`]; then the account *withdraws* it. So nobody escapes by
//! leaving right before the proof comes (R30.6: the account's key is a cold one,
//! which no node needs).
//!
//! An offence takes a share of all that is on hold, bonded or not (`SEQ_DOUBLE_SIGN`,
//! `SEQ_OFFLINE`; see [`slashing`]). What is taken goes to the users' compensation fund
//! and is burned, in shares that depend on the offence. Who brought the evidence gets a
//! tenth of it first, unless it is the offender, stands behind it, or signed twice itself
//! (R22.5). One that signs twice may have
//! made a mistake; two of one set that do so within a session's blocks have conspired,
//! and lose everything (R22.6).
//!
//! Coins can also be locked on L1 ([`l1_locks`]). They count beside what is bonded here,
//! as far as that covers them.
//!
//! ## What holds
//!
//! - What is on hold for an account is what its ledger says, to the unit
//!   ([`Pallet::check_state`]). It can be bonded once: coins are on hold or free.
//! - Nobody but their owner moves coins out of hold, but for offences.
//! - Storage is bounded: one ledger an account, only while something is on hold, with
//!   [`MAX_CHUNKS`] chunks.
//! - A slash takes what it should or all there is, and each unit of it is in the fund,
//!   the reporter's, or burned (P17). A reporter gets no more than a tenth of what was
//!   taken from whom it reported.
//! - An output of L1 counts once, for one account, until shortly before it can be spent;
//!   never again once an offence has voided it. An account has at most
//!   [`MAX_L1_LOCKS`] locks, and L1 makes at most
//!   [`MAX_STAKE_PER_BLOCK`](cascoin_l2_primitives::relay::MAX_STAKE_PER_BLOCK) a block,
//!   none smaller than [`Config::MinL1Lock`]; what has ended is cleared away. One that was
//!   crowded out of its block can be claimed, for a fee.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`bond`](Pallet::bond) | anybody | fee | `Bonded` |
//! | [`unbond`](Pallet::unbond) | who bonded | fee | `Unbonded` |
//! | [`rebond`](Pallet::rebond) | who unbonds | fee | `Bonded` |
//! | [`withdraw`](Pallet::withdraw) | who unbonded | fee | `Withdrawn` |
//! | [`claim_lock`](Pallet::claim_lock) | anybody | fee | `L1Locked`, `L1LockConfirmedAgain` |
//!
//! What the relay tells: `L1Locked`, `L1LockDisplaced`, `L1LockIgnored`.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod l1_claims;
pub mod l1_forks;
pub mod l1_locks;
pub mod ledger;
pub mod slashing;
pub mod weights;

#[cfg(test)]
mod l1_claim_tests;
#[cfg(test)]
mod l1_fork_tests;
#[cfg(test)]
mod l1_lock_tests;
#[cfg(test)]
mod l1_term_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod reporter_tests;
#[cfg(test)]
mod slashing_tests;
#[cfg(test)]
mod tests;

pub use cascoin_l2_primitives::sequencers::MAX_L1_LOCKS;
pub use l1_locks::{GenesisLock, L1Lock, NoStake};
pub use ledger::{Chunk, Ledger};
pub use pallet::*;
pub use slashing::DoubleSign;
pub use weights::{EstimatedWeight, WeightInfo};

/// Amounts of one account that may be in the course of being unbonded.
pub const MAX_CHUNKS: u32 = 16;
/// Double signs that are remembered, to see who signed twice together.
pub const MAX_DOUBLE_SIGNS: u32 = 64;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use cascoin_l2_primitives::{
        chain::{AccountId, Balance, BlockNumber},
        l1::{inclusion::InclusionProof, OutPoint},
        relay::{L1Branch, L1Chance},
        reputation::l1_stake::OnL1Stake,
        sequencers::{Entities, OffenceKind, StakeCommitment, StakeParts, StakeProvider},
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{Balanced, BalancedHold, Inspect, InspectHold, MutateHold},
            tokens::Precision,
        },
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use sp_core::H160;
    use sp_runtime::{traits::AccountIdConversion, SaturatedConversion};

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The chain's own money.
        type Currency: Inspect<AccountId, Balance = Balance>
            + InspectHold<AccountId, Reason = Self::RuntimeHoldReason>
            + MutateHold<AccountId>
            + Balanced<AccountId>
            + BalancedHold<AccountId>;

        /// The reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;

        /// What accounts must keep bonded.
        type Commitment: StakeCommitment;

        /// Who stands behind whom: nobody is rewarded for reporting itself.
        type Entities: Entities;

        /// How long unbonded coins stay on hold, in blocks. MUST be as long as an
        /// offence may take to be proven.
        type UnbondingBlocks: Get<BlockNumber>;

        /// What a double sign costs at least, base units (P17).
        type MinPenalty: Get<Balance>;

        /// Double signs of one set that are no further apart than this, in blocks, are one
        /// conspiracy.
        type ConspiracyBlocks: Get<BlockNumber>;

        /// The id by which L1 names this chain.
        type ChainId: Get<u32>;

        /// The last L1 block all of whose events are applied. At genesis the block that
        /// the relay starts at: the relay MUST stand before this pallet in the runtime.
        type L1Height: Get<u32>;

        /// How many more L1 blocks a lock must last to count. MUST take L1 as long as
        /// [`Config::UnbondingBlocks`] takes this chain.
        type L1Margin: Get<u32>;

        /// The attested branch of L1.
        type L1Blocks: L1Branch;

        /// Told what accounts keep locked on L1 for long.
        type OnL1Stake: OnL1Stake;

        /// The hashes of the last applied L1 blocks.
        type L1Hashes: L1Chance;

        /// Smallest lock on L1 that is taken into account, base units.
        type MinL1Lock: Get<Balance>;

        /// Least share of what counts that must be bonded here, percent.
        type MinL2Share: Get<u8>;

        /// The pallet's own account: the users' compensation fund.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// Weights of the calls and of a slash.
        type WeightInfo: WeightInfo;
    }

    /// Why coins are on hold.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// They are a sequencer's stake.
        Stake,
    }

    /// What each account has on hold.
    #[pallet::storage]
    pub type Ledgers<T> = StorageMap<_, Blake2_128Concat, AccountId, Ledger, OptionQuery>;

    /// The last double signs, oldest first.
    #[pallet::storage]
    pub type DoubleSigns<T> =
        StorageValue<_, BoundedVec<DoubleSign, ConstU32<MAX_DOUBLE_SIGNS>>, ValueQuery>;

    /// What each account has locked on L1.
    #[pallet::storage]
    pub type L1Locks<T> = StorageMap<_, Blake2_128Concat, AccountId, l1_locks::Locks, ValueQuery>;

    /// Outpoints that were somebody's stake and have not ended, and where L1 showed them.
    #[pallet::storage]
    pub type L1Outpoints<T> =
        StorageMap<_, Blake2_128Concat, OutPoint, l1_locks::SeenIn, OptionQuery>;

    /// The same by the L1 height at which they end, and whose they are or were.
    #[pallet::storage]
    pub type L1Ends<T> =
        StorageDoubleMap<_, Twox64Concat, u32, Blake2_128Concat, OutPoint, AccountId, OptionQuery>;

    /// Set while locks are looked at after L1 forked: the last one, by its end; none yet at
    /// first.
    #[pallet::storage]
    pub type L1Judged<T> = StorageValue<_, Option<(u32, OutPoint)>, OptionQuery>;

    /// What ends below this L1 height is cleared away.
    #[pallet::storage]
    pub type L1Swept<T> = StorageValue<_, u32, ValueQuery>;

    /// What the first sequencers have locked on L1.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The locks.
        pub l1_locks: Vec<GenesisLock>,
        #[serde(skip)]
        #[allow(missing_docs)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        /// # Panics
        /// If one of the locks cannot count.
        fn build(&self) {
            L1Swept::<T>::put(T::L1Height::get());
            for GenesisLock { account, outpoint, value, unlock } in &self.l1_locks {
                let (outpoint, unlock) = (*outpoint, *unlock);
                let (counts, term_since) = (*value, None);
                let lock = L1Lock { outpoint, counts, unlock, named: true, term_since };
                let added = Pallet::<T>::add_lock(account, lock, None);
                assert!(added.is_ok(), "the lock {outpoint} cannot count: {added:?}");
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Coins are stake now.
        Bonded {
            /// Whose.
            account: AccountId,
            /// How many more.
            amount: Balance,
            /// Its stake.
            stake: Balance,
        },
        /// Coins are no stake any more, and free from a block on.
        Unbonded {
            /// Whose.
            account: AccountId,
            /// How many.
            amount: Balance,
            /// The block from which they can be withdrawn.
            free_at: BlockNumber,
        },
        /// Coins are free again.
        Withdrawn {
            /// Whose.
            account: AccountId,
            /// How many.
            amount: Balance,
        },
        /// An offence cost stake.
        Slashed {
            /// Whose.
            account: AccountId,
            /// What it did.
            offence: OffenceKind,
            /// What was taken.
            amount: Balance,
            /// What of it went to the users' compensation fund.
            to_fund: Balance,
            /// What of it was burned.
            burned: Balance,
            /// What of it went to who reported the offence.
            to_reporter: Balance,
        },
        /// Who reported an offence got its share of what that cost.
        ReporterRewarded {
            /// Who.
            reporter: AccountId,
            /// Whom it reported.
            offender: AccountId,
            /// How much, base units.
            amount: Balance,
        },
        /// Coins on L1 are stake.
        L1Locked {
            /// Whose.
            account: AccountId,
            /// The output that holds them.
            outpoint: OutPoint,
            /// HASH160 of the key that can spend them later.
            owner: H160,
            /// How many, base units.
            value: u64,
            /// The L1 height that nobody can spend them at or below.
            unlock: u32,
        },
        /// A lock on L1 is no stake.
        L1LockIgnored {
            /// The output.
            outpoint: OutPoint,
            /// Why.
            reason: NoStake,
        },
        /// A lock on L1 gave way to a larger one, and is no stake any more.
        L1LockDisplaced {
            /// Whose.
            account: AccountId,
            /// The output.
            outpoint: OutPoint,
        },
        /// A lock on L1 can be spent. It counted nothing since shortly before.
        L1LockEnded {
            /// Whose.
            account: AccountId,
            /// The output.
            outpoint: OutPoint,
        },
        /// L1 dropped the block of a lock and did not bring it again: it counts no more.
        L1LockLost {
            /// Whose.
            account: AccountId,
            /// The output that L1 had.
            outpoint: OutPoint,
        },
        /// L1 dropped the block of a lock, and somebody proved the one that it stands in now:
        /// it goes on.
        L1LockConfirmedAgain {
            /// Whose.
            account: AccountId,
            /// The output.
            outpoint: OutPoint,
        },
        /// What is locked on L1 counts less for ever, because of an offence.
        L1StakeStruck {
            /// Whose.
            account: AccountId,
            /// What it did.
            offence: OffenceKind,
            /// By how much, base units.
            amount: Balance,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The amount is zero.
        ZeroAmount,
        /// The account has not so much bonded, or unbonding.
        NotEnough,
        /// A sequencer or candidate must keep its minimum stake: it has to resign
        /// first.
        StillCommitted,
        /// Too many amounts are being unbonded: withdraw some, or wait.
        TooManyChunks,
        /// Nothing is free yet.
        NothingToWithdraw,
        /// The block is not applied, or too old, or not of L1.
        UnknownL1Block,
        /// The transaction was not mined in the block.
        NotIncluded,
        /// It locks nothing as stake, or for less than a week.
        NoLock,
        /// The outpoint is or was somebody's stake.
        LockKnown,
        /// The lock is for another chain.
        LockOfOtherChain,
        /// It is less than the least lock.
        LockTooSmall,
        /// It ends too soon.
        LockTooShort,
        /// The account has as many locks as it can, all of more coin-blocks.
        TooManyLocks,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Makes coins stake.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::ZeroAmount`]; `TokenError` if the balance is too low.
        ///
        /// ## Events
        /// `Bonded`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::bond())]
        pub fn bond(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
            let account = ensure_signed(origin)?;
            ensure!(amount > 0, Error::<T>::ZeroAmount);
            T::Currency::hold(&HoldReason::Stake.into(), &account, amount)?;
            let stake = Ledgers::<T>::mutate(&account, |stored| {
                let ledger = stored.get_or_insert_default();
                // What exists fits, so nothing saturates.
                ledger.bonded = ledger.bonded.saturating_add(amount);
                ledger.bonded
            });
            Self::deposit_event(Event::Bonded { account, amount, stake });
            Ok(())
        }

        /// Begins to take coins back: they are no stake from now on, and can be
        /// withdrawn after the unbonding period.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::ZeroAmount`], [`Error::NotEnough`], [`Error::StillCommitted`],
        /// [`Error::TooManyChunks`].
        ///
        /// ## Events
        /// `Unbonded`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::unbond())]
        pub fn unbond(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
            let account = ensure_signed(origin)?;
            ensure!(amount > 0, Error::<T>::ZeroAmount);
            let free_at = Self::now().saturating_add(T::UnbondingBlocks::get());
            Ledgers::<T>::try_mutate_exists(&account, |stored| {
                let ledger = stored.as_mut().ok_or(Error::<T>::NotEnough)?;
                let left = ledger.bonded.checked_sub(amount).ok_or(Error::<T>::NotEnough)?;
                let left = StakeParts { bonded: left, ..Self::locked(&account) };
                let left = left.counting(T::MinL2Share::get());
                ensure!(left >= T::Commitment::committed(&account), Error::<T>::StillCommitted);
                ledger.unbond(amount, free_at).map_err(|()| Error::<T>::TooManyChunks)
            })?;
            Self::deposit_event(Event::Unbonded { account, amount, free_at });
            Ok(())
        }

        /// Makes stake again of what is being unbonded, the last first.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::ZeroAmount`], [`Error::NotEnough`].
        ///
        /// ## Events
        /// `Bonded`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::unbond())]
        pub fn rebond(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
            let account = ensure_signed(origin)?;
            ensure!(amount > 0, Error::<T>::ZeroAmount);
            let stake = Ledgers::<T>::try_mutate_exists(&account, |stored| {
                let ledger = stored.as_mut().ok_or(Error::<T>::NotEnough)?;
                ledger.rebond(amount).map_err(|()| Error::<T>::NotEnough)?;
                Ok::<_, Error<T>>(ledger.bonded)
            })?;
            Self::deposit_event(Event::Bonded { account, amount, stake });
            Ok(())
        }

        /// Frees all coins whose unbonding period is over.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::NothingToWithdraw`].
        ///
        /// ## Events
        /// `Withdrawn`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
            let account = ensure_signed(origin)?;
            let amount = Ledgers::<T>::mutate_exists(&account, |stored| {
                let Some(ledger) = stored.as_mut() else { return 0 };
                let amount = ledger.withdraw(Self::now());
                if ledger.total() == 0 {
                    *stored = None;
                }
                amount
            });
            ensure!(amount > 0, Error::<T>::NothingToWithdraw);
            T::Currency::release(&HoldReason::Stake.into(), &account, amount, Precision::Exact)?;
            Self::deposit_event(Event::Withdrawn { account, amount });
            Ok(())
        }

        /// Has a lock on L1 count that the relay did not tell of, because larger ones of its
        /// block crowded it out. It must stand in one of the last blocks whose hashes the
        /// relay keeps. Anybody may claim it: it is the stake of whom it names. If L1 forks,
        /// it must be claimed again, in its new block, before the relay has recovered.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::UnknownL1Block`], [`Error::NotIncluded`], [`Error::NoLock`],
        /// [`Error::LockOfOtherChain`], [`Error::LockKnown`], [`Error::LockTooSmall`],
        /// [`Error::LockTooShort`], [`Error::TooManyLocks`].
        ///
        /// ## Events
        /// `L1Locked`, and `L1LockDisplaced` if the account has as many as it can;
        /// `L1LockConfirmedAgain` if it has this one.
        #[pallet::call_index(4)]
        #[pallet::weight(
            T::WeightInfo::claim_lock(proof.transaction.len() as u32)
                .saturating_add(T::OnL1Stake::weight())
        )]
        pub fn claim_lock(origin: OriginFor<T>, proof: InclusionProof) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_claim_lock(&proof)?;
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let judged = Self::judge_locks(remaining);
            judged.saturating_add(Self::sweep(remaining.saturating_sub(judged)))
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }

    impl<T: Config> Pallet<T> {
        /// The users' compensation fund (R25.6).
        pub fn fund() -> AccountId {
            T::PalletId::get().into_account_truncating()
        }

        pub(crate) fn now() -> BlockNumber {
            frame_system::Pallet::<T>::block_number().saturated_into()
        }

        /// What must hold between blocks: each ledger says what is on hold, and says
        /// something; locks on L1 are remembered until they end.
        ///
        /// # Errors
        /// The rule that is broken.
        #[cfg(any(test, feature = "try-runtime"))]
        pub fn check_state() -> Result<(), &'static str> {
            for (account, ledger) in Ledgers::<T>::iter() {
                let held = T::Currency::balance_on_hold(&HoldReason::Stake.into(), &account);
                if held != ledger.total() {
                    return Err("a ledger differs from what is on hold");
                }
                if held == 0 {
                    return Err("an empty ledger is kept");
                }
            }
            Self::check_locks()
        }
    }

    impl<T: Config> StakeProvider for Pallet<T> {
        fn parts(account: &AccountId) -> StakeParts {
            let bonded = Ledgers::<T>::get(account).map_or(0, |ledger| ledger.bonded);
            StakeParts { bonded, ..Self::locked(account) }
        }

        fn min_l2_share() -> u8 {
            T::MinL2Share::get()
        }
    }
}
