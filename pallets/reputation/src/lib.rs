//! Keeps what reputations are computed from, and computes them when asked.
//!
//! ## Overview
//!
//! The rule is in [`cascoin_l2_primitives::reputation`]; this pallet holds its facts:
//!
//! - L1's score of an account, from genesis or as governance imports it. Computing it
//!   here, from trust edges and stakes that the relay reads on L1, is not there yet.
//! - What the account did on L2, which [`RecordActivity`] notes with each transaction
//!   it signs. It stands beside the account's balance, in a value that a transaction
//!   reads and writes anyway, so it costs no access to the database
//!   ([`Config::Activities`]).
//! - The L1 address that an account proved to hold, by a signature of its wallet.
//!   [`Config::OnLinkedScore`] is told when a linked account is scored or punished.
//! - Penalties for offences ([`OnOffence`](cascoin_l2_primitives::sequencers::OnOffence)).
//!   One point is forgiven each day.
//!
//! ## What holds
//!
//! - A score is a function of the state of a block (P10): nothing is cached, so
//!   nothing can be out of date, and no work is done for accounts that nobody asks
//!   about.
//! - Storage grows with accounts that L1 scores, that were punished or that pay for a
//!   link, never with what anybody does for free. An account that is removed for want of a balance
//!   loses its record with its nonce; its penalties stay.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`set_l1_score`](Pallet::set_l1_score) | root | | `L1ScoreSet` |
//! | [`link_l1_address`](Pallet::link_l1_address) | who holds its key | fee | `Linked` |
//! | [`unlink_l1_address`](Pallet::unlink_l1_address) | who is linked | fee | `Unlinked` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod link;
#[cfg(test)]
mod link_tests;
mod offences;
mod query;
mod record;
pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod record_tests;
#[cfg(test)]
mod tests;

pub use offences::points;
pub use pallet::*;
pub use record::RecordActivity;
pub use types::{Standing, Transfer, TransferOf};
pub use weights::{EstimatedWeight, WeightInfo};

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use cascoin_l2_primitives::{
        chain::{AccountId, ChainParameters, Moment},
        reputation::{export::OnLinkedScore, Activity, Score},
        sequencers::OffenceKind,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{Contains, StoredMap, Time},
    };
    use frame_system::pallet_prelude::*;
    use sp_core::H160;

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// Where each account's activity stands. It MUST go when the account goes, and
        /// a write to it MUST cost nothing beside a transaction that its account signs.
        type Activities: StoredMap<AccountId, Activity>;

        /// What a call transfers.
        type Transfers: TransferOf<Self::RuntimeCall>;

        /// Calls that say something about how an account behaves. What belongs to the
        /// duty of a sequencer MUST NOT be among them: who does it would look like a
        /// spammer.
        type Noted: Contains<Self::RuntimeCall>;

        /// The block's time.
        type Time: Time<Moment = Moment>;

        /// The chain's parameters: decimals.
        type Parameters: Get<ChainParameters>;

        /// Told when what L2 says of a linked L1 address may have changed at once.
        type OnLinkedScore: OnLinkedScore;

        /// Weights of the call and of what else this pallet does.
        type WeightInfo: WeightInfo;
    }

    /// What L1 and offences say of an account; none where neither says anything.
    #[pallet::storage]
    pub type Standings<T> = StorageMap<_, Blake2_128Concat, AccountId, Standing, OptionQuery>;

    /// The L1 address (HASH160 of a key) of an account.
    #[pallet::storage]
    pub type L1Addresses<T> = StorageMap<_, Blake2_128Concat, AccountId, H160, OptionQuery>;

    /// The account of an L1 address.
    #[pallet::storage]
    pub type L1Accounts<T> = StorageMap<_, Blake2_128Concat, H160, AccountId, OptionQuery>;

    /// Scores that L1 gave before the chain began.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Accounts and their scores on L1.
        pub l1_scores: Vec<(AccountId, Score)>,
        #[serde(skip)]
        #[allow(missing_docs)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        /// # Panics
        /// If an account is named twice.
        fn build(&self) {
            for (account, l1) in &self.l1_scores {
                let known = Standings::<T>::contains_key(account);
                assert!(!known, "an account has two scores in reputation.l1Scores");
                Pallet::<T>::change(account, |standing| standing.l1 = *l1);
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account has proven that it holds the key of an L1 address.
        Linked {
            /// The account.
            account: AccountId,
            /// HASH160 of the key.
            address: H160,
        },
        /// An account is linked no more.
        Unlinked {
            /// The account.
            account: AccountId,
            /// HASH160 of the key.
            address: H160,
        },
        /// L1's score of an account is known anew.
        L1ScoreSet {
            /// Whose.
            account: AccountId,
            /// The score.
            score: Score,
        },
        /// An offence cost an account part of its reputation.
        Penalised {
            /// Whose.
            account: AccountId,
            /// What it did.
            offence: OffenceKind,
            /// Points taken away from its score now, all offences together.
            penalty: u8,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// It is no signature of a compressed key.
        BadSignature,
        /// The address is linked to an account already; only that one can give it up.
        AddressTaken,
        /// The account is not linked.
        NotLinked,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Imports L1's score of an account (R10.1).
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Events
        /// `L1ScoreSet`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::set_l1_score().saturating_add(T::OnLinkedScore::weight()))]
        pub fn set_l1_score(
            origin: OriginFor<T>,
            account: AccountId,
            score: Score,
        ) -> DispatchResult {
            ensure_root(origin)?;
            Self::change(&account, |standing| standing.l1 = score);
            Self::tell_of(&account);
            Self::deposit_event(Event::L1ScoreSet { account, score });
            Ok(())
        }

        /// Links the L1 address whose wallet signed [`message`](Pallet::message) to the
        /// account, instead of one it may have had. The signature is that of the
        /// wallet's `signmessage`, decoded from base64.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::BadSignature`], [`Error::AddressTaken`]. A signature of another
        /// message is one of another, unknown address.
        ///
        /// ## Events
        /// `Linked`.
        #[pallet::call_index(1)]
        #[pallet::weight(
            T::WeightInfo::link().saturating_add(T::OnLinkedScore::weight().saturating_mul(2))
        )]
        pub fn link_l1_address(origin: OriginFor<T>, signature: [u8; 65]) -> DispatchResult {
            let account = ensure_signed(origin)?;
            let address = Self::do_link(&account, &signature)?;
            Self::deposit_event(Event::Linked { account, address });
            Ok(())
        }

        /// Ends the link to an L1 address.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::NotLinked`].
        ///
        /// ## Events
        /// `Unlinked`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::unlink().saturating_add(T::OnLinkedScore::weight()))]
        pub fn unlink_l1_address(origin: OriginFor<T>) -> DispatchResult {
            let account = ensure_signed(origin)?;
            let address = Self::do_unlink(&account)?;
            Self::deposit_event(Event::Unlinked { account, address });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }
}
