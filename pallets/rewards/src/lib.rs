//! What transactions cost, and what sequencers earn from it.
//!
//! ## Overview
//!
//! - **Price.** All base fees are multiplied by one number that follows demand and
//!   that no leader can push up within its own term ([`price`]). Who has the reputation for it pays
//!   half ([`charge`]).
//! - **Collecting.** Fees go to an account of this pallet, the *pot*
//!   ([`Pallet::pot`]). At the end of each block its base fees are split: the
//!   producer's part, the other sequencers' part, and the rest, which is burned at once
//!   ([`split`]). Tips are the producer's. One value tallies the running session, by
//!   the producer's index.
//! - **Settling.** When a session is over, and the next block has said who signed its
//!   last one, the session's set is settled ([`settlement`]): with the weights it had
//!   when the session began, its uptimes, and the offences of the last 24 hours.
//! - **Paying.** What a sequencer earned is owed to it and paid at once, to where it
//!   wants it, or when it claims it. What cannot be paid stays owed.
//!
//! ## What holds
//!
//! - No coin is made here, and none is lost: what is in the pot is what is owed, the
//!   bonus pool, and what the running session and one that waits for its settlement
//!   have collected. (Coins that somebody sends to the pot come on top; nobody gets
//!   them.)
//! - Of each block's base fees, the parts and what is burned add up to what was
//!   collected; the issuance falls by exactly what is burned.
//! - A session is paid to the set that made its blocks, whatever set follows.
//! - Storage is bounded by the set's size, but for one entry for each account that
//!   ever earned something, and one for where it wants it.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`set_payout`](Pallet::set_payout) | a sequencer, or who was one | fee | `PayoutSet` |
//! | [`claim`](Pallet::claim) | whoever is owed something | fee | `Paid` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod book;
pub mod charge;
pub mod discount;
mod payout;
mod penalties;
pub mod price;
mod query;
pub mod settlement;
pub mod split;
pub mod types;
pub mod weights;

#[cfg(test)]
mod charge_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod payout_tests;
#[cfg(test)]
mod price_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod settlement_tests;
#[cfg(test)]
mod tests;

pub use charge::ChargeFees;
pub use pallet::*;
pub use price::BaseFeeUpdate;
pub use weights::{EstimatedWeight, WeightInfo};

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::price::Averages;
    use crate::types::{
        BlockFees, Earned, EndedSession, OfEach, PenaltyList, SessionSet, Settlement,
    };
    use cascoin_l2_primitives::{
        chain::{AccountId, Balance, BlockNumber, ChainParameters, FeeSplit},
        reputation::ReputationProvider,
        rewards::{Collected, OnFeePaid, Payout, UserTime},
        sequencers::{SequencerSetProvider, SequencerWeights},
    };
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{Balanced, Inspect, Mutate},
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::{traits::AccountIdConversion, Perbill, SaturatedConversion};

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The chain's own money. Its smallest balance MUST be 1: a rest in the pot below
        /// it would vanish as dust.
        type Currency: Inspect<AccountId, Balance = Balance>
            + Balanced<AccountId>
            + Mutate<AccountId>;

        /// The chain's parameters: the split of fees, the score of the discount, the
        /// lengths of blocks, terms and sessions.
        type Parameters: Get<ChainParameters>;

        /// The sequencers in force. They are read at the end of the block that ends a
        /// session, so the pallets that hold them MUST stand before this one in the
        /// runtime.
        type Sequencers: SequencerSetProvider + SequencerWeights;

        /// Who made the block. MUST be looked up before a session ends, and before this
        /// pallet begins the block.
        type Author: Get<Option<AccountId>>;

        /// Who has the discount.
        type Reputation: ReputationProvider;

        /// The time that users have in a block, and have taken of this one: read at the
        /// end of the block, so whoever counts it MUST forget it later than that.
        type UserTime: Get<UserTime>;

        /// Told of the base fee of each transaction, after it was paid.
        type OnFeePaid: OnFeePaid;

        /// Names the pot.
        #[pallet::constant]
        type PotId: Get<PalletId>;

        /// Weights of the calls, the hooks and what other pallets tell.
        type WeightInfo: WeightInfo;
    }

    /// The set that makes the blocks of the running session.
    #[pallet::storage]
    pub type RunningSet<T> = StorageValue<_, SessionSet, ValueQuery>;

    /// What its blocks brought, by their producer's index.
    #[pallet::storage]
    pub type Running<T> = StorageValue<_, OfEach<Collected>, ValueQuery>;

    /// The session before, until it is settled.
    #[pallet::storage]
    pub type Ended<T> = StorageValue<_, EndedSession, OptionQuery>;

    /// What the block that is being executed has collected.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type InBlock<T> = StorageValue<_, BlockFees, ValueQuery>;

    /// What waits for sequencers that are there, in base units.
    #[pallet::storage]
    pub type BonusPool<T> = StorageValue<_, Balance, ValueQuery>;

    /// What each account has earned.
    #[pallet::storage]
    pub type Earnings<T> = StorageMap<_, Blake2_128Concat, AccountId, Earned, ValueQuery>;

    /// Where each account wants it; without an entry, to itself.
    #[pallet::storage]
    pub type Payouts<T> = StorageMap<_, Blake2_128Concat, AccountId, Payout, ValueQuery>;

    /// Whose rewards are halved, and until which height.
    #[pallet::storage]
    pub type Penalties<T> = StorageValue<_, PenaltyList, ValueQuery>;

    /// How the last session was settled.
    #[pallet::storage]
    pub type LastSettlement<T> = StorageValue<_, Settlement, OptionQuery>;

    /// Running averages of how full blocks are.
    #[pallet::storage]
    pub type FullnessAverages<T> = StorageValue<_, Averages, ValueQuery>;

    /// The last term of which a damped rise of the price was told.
    #[pallet::storage]
    pub type DampedTerm<T> = StorageValue<_, u32, OptionQuery>;

    /// Notes the first set; has no values of its own, because the pallets that hold
    /// the set have them.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        #[serde(skip)]
        _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            Pallet::<T>::begin_session();
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A block brought fees. What of the base fees is neither burned nor the
        /// producer's part is the others'.
        FeesCollected {
            /// Who made the block.
            producer: AccountId,
            /// Base fees of its transactions, in base units.
            base_fees: Balance,
            /// Their tips.
            tips: Balance,
            /// The producer's part of the base fees.
            producer_part: Balance,
            /// What of the base fees was burned.
            burned: Balance,
        },
        /// A session was settled.
        SessionSettled {
            /// Its set.
            set_id: u64,
            /// Its last height.
            last_block: BlockNumber,
            /// What the bonus pool holds now, in base units.
            bonus_pool: Balance,
        },
        /// A sequencer earned something in a session. How it came about is in
        /// `LastSettlement`.
        Rewarded {
            /// The sequencer.
            sequencer: AccountId,
            /// What it got, in base units.
            amount: Balance,
            /// What was withheld, because of an offence.
            withheld: Balance,
        },
        /// What was owed to a sequencer was paid.
        Paid {
            /// The sequencer.
            sequencer: AccountId,
            /// Who was paid.
            to: AccountId,
            /// How much, in base units.
            amount: Balance,
        },
        /// It could not be paid and stays owed.
        PayoutFailed {
            /// The sequencer.
            sequencer: AccountId,
            /// How much is owed, in base units.
            owed: Balance,
        },
        /// A sequencer chose where its rewards go.
        PayoutSet {
            /// The sequencer.
            sequencer: AccountId,
            /// Where.
            payout: Payout,
        },
        /// A sequencer's rewards are halved, because of an offence.
        Penalised {
            /// The sequencer.
            sequencer: AccountId,
            /// The last height at which a settlement gives it half.
            until: BlockNumber,
        },
        /// A block was so much fuller than those before it that the price rose by less
        /// than half of what it would have, or not at all: demand that just began, or
        /// a leader that fills its blocks. Once a term.
        PriceRiseDamped {
            /// Who made the block.
            author: Option<AccountId>,
            /// How full it was.
            fullness: Perbill,
            /// How full blocks were on average, now or before the term: the smaller.
            ceiling: Perbill,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The account is no sequencer and never earned anything as one.
        NotASequencer,
        /// Nothing is owed to the account.
        NothingToClaim,
        /// Rewards cannot be paid to the account that they are paid from.
        PotAsPayout,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        // The weight of what the end of the block does too. A new set's id shows at the
        // beginning of the block that puts it in force.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            let set = RunningSet::<T>::get();
            let producer = T::Author::get().and_then(|author| set.index_of(&author));
            let split = T::Parameters::get().fee_split;
            InBlock::<T>::put(BlockFees { split, producer, ..Default::default() });
            let mut weight = T::WeightInfo::block();
            if Self::session_ends(&set) {
                weight.saturating_accrue(T::WeightInfo::end_session());
            }
            weight
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Self::book_block();
            if Self::session_ends(&RunningSet::<T>::get()) {
                Self::end_session();
            }
        }

        fn integrity_test() {
            assert!(T::Currency::minimum_balance() == 1, "the pot would lose its dust");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Chooses where the caller's rewards go, from the next settlement or claim on.
        ///
        /// ## Dispatch Origin
        /// Signed by a sequencer of the running session, or by an account that earned
        /// something as one.
        ///
        /// ## Errors
        /// [`Error::NotASequencer`], [`Error::PotAsPayout`].
        ///
        /// ## Events
        /// `PayoutSet`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::set_payout())]
        pub fn set_payout(origin: OriginFor<T>, payout: Payout) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::choose(&who, payout)
        }

        /// Pays what is owed to the caller: to itself, or to the account that its
        /// payout names.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::NothingToClaim`]; what the currency says, if it cannot be paid.
        ///
        /// ## Events
        /// `Paid`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let to = match Payouts::<T>::get(&who) {
                Payout::To(account) => account,
                Payout::Own | Payout::Claimed => who.clone(),
            };
            Self::pay(&who, &to)
        }
    }

    impl<T: Config> Pallet<T> {
        /// The account that holds what is collected and not paid yet.
        pub fn pot() -> AccountId {
            T::PotId::get().into_account_truncating()
        }

        pub(crate) fn now() -> BlockNumber {
            frame_system::Pallet::<T>::block_number().saturated_into()
        }

        /// How the base fees of the block that is being executed are split.
        pub fn split() -> FeeSplit {
            InBlock::<T>::get().split
        }

        /// Who makes the block.
        pub(crate) fn producer() -> Option<AccountId> {
            let index = usize::from(InBlock::<T>::get().producer?);
            RunningSet::<T>::get().seats.get(index).map(|seat| seat.account.clone())
        }
    }
}
