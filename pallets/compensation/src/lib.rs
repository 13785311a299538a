//! Gives users a part of their fees back after an outage, from what downtime cost
//! sequencers (R25.6).
//!
//! ## Overview
//!
//! - **An outage** is measured by the chain itself: a block whose time is
//!   [`Config::MinGap`] or more after its parent's. That is more than one leader can
//!   make up: with time-outs and clocks that are checked it can neither hold a block
//!   back so long nor set its time so far ahead.
//! - **Who is compensated:** whose transactions paid base fees in the block that ended
//!   the outage or in the [`Config::WindowBlocks`] that follow it, where what had to
//!   wait gets in. Nothing else of a user's loss is known on chain.
//! - **How much:** that share of the base fee which nobody gets
//!   ([`Pallet::compensable`]), or less where the fund has less.
//! - When the window is over the outage is settled: the fund sets aside what there is
//!   for it ([`Outage::budget`]). Each account then [claims](Pallet::claim) its part
//!   once, for [`Config::ClaimBlocks`]. What nobody claimed is free again.
//! - Who has nothing left cannot sign a transaction, since its fee must be there before it
//!   is known that none is due. So anybody may have an account's part [paid to
//!   it](Pallet::claim_for): the claim itself is what the transaction is allowed for, and
//!   it is gone with it.
//!
//! ## Why nobody can live on it
//!
//! A producer gets its part of a base fee back, and the other sequencers theirs. If the
//! whole fee were refunded, a sequencer that fills the first block with transactions of
//! its own would get more than it paid. What is burned of a base fee nobody gets; so
//! who gets that back, and all sequencers together besides, has at most what it paid.
//! Sybil accounts change nothing: the sum of refunds goes by the sum of fees, and where
//! the fund has too little all get the same part of theirs. To take a coin out of the
//! fund costs a user ten (with a tenth burned), and whoever is slashed gets back less
//! than it burned in fees. Tips are their producer's, and count for nothing.
//!
//! ## What holds
//!
//! - What is paid out of an outage is at most its budget, the budgets that are not
//!   claimed are in the fund, and all accounts together are owed at most the budget
//!   ([`Pallet::check_state`]). No coin is made here.
//! - An account gets at most what was burned of the base fees that it paid in the
//!   window, once.
//! - Storage is bounded: [`MAX_OUTAGES`] outages that can be claimed, each with an entry
//!   for each account that fits into the blocks of a window. Entries that can be claimed
//!   no more are removed a few a block.
//! - Without an outage a block costs three small reads, a transaction one, and nothing is
//!   written.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`claim`](Pallet::claim) | who paid fees after an outage | none if something is paid, else fee | `Compensated` |
//! | [`claim_for`](Pallet::claim_for) | anybody, unsigned, if there is something to pay | none | `Compensated` |
//!
//! The latter is a general transaction authorised by
//! [`AuthorizeCall`](frame_system::AuthorizeCall), which the runtime MUST have among its
//! transaction extensions.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod books;
mod query;
pub mod types;
pub mod weights;

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Outage, Window};
pub use weights::{EstimatedWeight, WeightInfo};

/// Outages that can be claimed at a time. During one more nobody is compensated: the
/// claims that there are come first.
pub const MAX_OUTAGES: u32 = 16;
/// Entries that are removed in a block at most.
pub const MAX_REMOVED: u32 = 32;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use cascoin_l2_primitives::chain::{AccountId, Balance, BlockNumber, FeeSplit, Moment};
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{Inspect, Mutate},
    };
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId> + CreateAuthorizedTransaction<Call<Self>>
    {
        /// The chain's own money.
        type Currency: Inspect<AccountId, Balance = Balance> + Mutate<AccountId>;

        /// The account that holds what downtime cost sequencers. Nobody else may pay from
        /// it.
        type Fund: Get<AccountId>;

        /// How the base fees of the running block will be split, whatever happens in it.
        type Split: Get<FeeSplit>;

        /// The time of the block that begins. MUST be known when this pallet begins it.
        type BlockTime: Get<Moment>;

        /// The time of its parent, when this pallet begins the block; 0 after genesis.
        type ParentTime: Get<Moment>;

        /// What lies between the times of two blocks at least if there was an outage, in
        /// milliseconds. MUST be more than a leader alone can bring about.
        #[pallet::constant]
        type MinGap: Get<Moment>;

        /// Blocks after the one that ended an outage in which fees are compensated, too.
        #[pallet::constant]
        type WindowBlocks: Get<BlockNumber>;

        /// Blocks for which a settled outage can be claimed.
        type ClaimBlocks: Get<BlockNumber>;

        /// Weights of the call, the hooks, and what other pallets tell.
        type WeightInfo: WeightInfo;
    }

    /// The outage after which fees are compensated now.
    #[pallet::storage]
    pub type Open<T> = StorageValue<_, Window, OptionQuery>;

    /// Outages that are settled and can be claimed, oldest first.
    #[pallet::storage]
    pub type Outages<T> = StorageValue<_, BoundedVec<Outage, ConstU32<MAX_OUTAGES>>, ValueQuery>;

    /// What can be compensated, by outage and account: base units, before it is known
    /// whether the fund has enough.
    #[pallet::storage]
    pub type Claims<T> =
        StorageDoubleMap<_, Twox64Concat, u32, Blake2_128Concat, AccountId, Balance, OptionQuery>;

    /// Outages measured, ever; the number of the next one.
    #[pallet::storage]
    pub type OutageCount<T> = StorageValue<_, u32, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An outage is over. Fees are compensated until a block, that one included.
        OutageEnded {
            /// Its number.
            outage: u32,
            /// How long there was no block, in milliseconds.
            gap_ms: Moment,
            /// The last block whose fees are compensated.
            until: BlockNumber,
        },
        /// An outage is over, and too many others can be claimed still: nobody is
        /// compensated for it.
        OutageNotCompensated {
            /// How long there was no block, in milliseconds.
            gap_ms: Moment,
        },
        /// It is known who gets what for an outage.
        OutageSettled {
            /// Its number.
            outage: u32,
            /// What could be compensated, base units.
            compensable: Balance,
            /// What the fund has set aside for it, base units.
            budget: Balance,
            /// The last block in which it can be claimed.
            claim_until: BlockNumber,
        },
        /// An account was compensated.
        Compensated {
            /// For which outage.
            outage: u32,
            /// Who.
            account: AccountId,
            /// How much, base units.
            amount: Balance,
        },
        /// An outage can be claimed no more, and its claims are removed.
        OutageLapsed {
            /// Its number.
            outage: u32,
            /// What of its budget is free again, base units.
            unclaimed: Balance,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such outage, or its window is not over yet, or its claims are
        /// removed.
        UnknownOutage,
        /// The outage can be claimed no more.
        ClaimExpired,
        /// The account paid nothing that could be compensated, or has its part.
        NothingToClaim,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::begin_block()
        }

        fn on_idle(_: BlockNumberFor<T>, left: Weight) -> Weight {
            Self::remove_lapsed(left)
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Pays the caller its part for an outage. Free if something is paid, since the
        /// fee would be more than the part of most; so an account can make as many free
        /// claims as it has paid in outages.
        ///
        /// ## Dispatch Origin
        /// Signed by who paid fees after the outage.
        ///
        /// ## Errors
        /// [`Error::UnknownOutage`], [`Error::ClaimExpired`], [`Error::NothingToClaim`];
        /// what the currency says, if it cannot be paid.
        ///
        /// ## Events
        /// `Compensated`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(origin: OriginFor<T>, outage: u32) -> DispatchResultWithPostInfo {
            let account = ensure_signed(origin)?;
            Self::pay(outage, account)?;
            Ok(Pays::No.into())
        }

        /// Pays an account its part for an outage. Free, and nobody need have anything for
        /// it: the transaction is valid while there is something to pay, and once.
        ///
        /// ## Dispatch Origin
        /// Authorised: the claim stands for itself. It is the account that is paid, so it
        /// matters to nobody who asked.
        ///
        /// ## Errors
        /// As [`claim`](Pallet::claim).
        ///
        /// ## Events
        /// `Compensated`.
        #[pallet::call_index(1)]
        #[pallet::authorize(Self::authorize_claim)]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_claim())]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim_for(origin: OriginFor<T>, outage: u32, account: AccountId) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::pay(outage, account)
        }
    }
}
