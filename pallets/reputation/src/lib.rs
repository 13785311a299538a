//! Keeps what reputations are computed from, and computes them when asked.
//!
//! ## Overview
//!
//! The rule is in [`cascoin_l2_primitives::reputation`]; this pallet holds its facts:
//!
//! - L1's score of an account, from genesis or as governance imports it. Where it is not
//!   imported, it is computed from what L1 proves (R10.1): the web of trust gives up to 30
//!   points, coins that are locked on L1 up to 20, and acting on L1 over time up to 10.
//! - The web of trust: trust edges and bonded votes that the relay reads on L1, between
//!   L1 addresses, as seen from seeds that governance names
//!   ([`trust`](cascoin_l2_primitives::reputation::trust); the modules `graph` and
//!   `spread`). An account has the score of the address that is linked to it.
//! - When L1 addresses acted: which key signed a trust statement, a message to a layer 2 or
//!   a revocation of keys, and on which day (the module `on_l1`).
//! - What accounts keep locked on L1, as who keeps stakes tells it ([`OnL1Stake`]).
//! - What more than two thirds of the sequencers' L1 nodes say of a linked address
//!   ([`OnAttestedScore`]): an upper bound of what is computed, for 30 days. It outlives the
//!   link, for the address and for the account.
//! - What the account did on L2, which [`RecordActivity`] notes with each transaction
//!   it signs. It stands beside the account's balance, in a value that a transaction
//!   reads and writes anyway, so it costs no access to the database
//!   ([`Config::Activities`]).
//! - The L1 address that an account proved to hold, by a signature of its wallet, and all
//!   that it ever proved: what an address did on L1 is its account's, also when another
//!   address takes its place (R22.2). [`Config::OnLinkedScore`] is told when a linked
//!   account is scored or punished.
//! - Penalties for offences ([`OnOffence`](cascoin_l2_primitives::sequencers::OnOffence)).
//!   One point is forgiven each day.
//!
//! ## What holds
//!
//! - A score is a function of the state of a block (P10), and costs nothing for accounts
//!   that nobody asks about. Only the web of trust's is kept: it spreads over some
//!   blocks, a bounded number of addresses in each, and is right when its queue is empty.
//! - Storage grows with accounts that L1 scores, that were punished or that pay for a
//!   link, and with addresses that somebody on L1 locked coins to speak of; never with
//!   what anybody does for free. An account that is removed for want of a balance loses
//!   its record with its nonce; its penalties stay.
//! - What is kept of an L1 address is bounded: 32 statements about it and 32 of it, and one
//!   record of when it acted, which begins with a statement that somebody locked coins for
//!   or once the address is linked. So is what is kept of an account: it proves at most 16
//!   addresses, ever.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`set_l1_score`](Pallet::set_l1_score) | root | | `L1ScoreSet` |
//! | [`set_trust_seeds`](Pallet::set_trust_seeds) | root | | `TrustSeedsSet` |
//! | [`link_l1_address`](Pallet::link_l1_address) | who holds its key | fee | `Linked` |
//! | [`unlink_l1_address`](Pallet::unlink_l1_address) | who is linked | fee | `Unlinked` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod graph;
mod link;
#[cfg(test)]
mod link_tests;
mod offences;
mod on_l1;
#[cfg(test)]
mod on_l1_tests;
mod query;
mod record;
mod spread;
pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod record_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trust_reference;
#[cfg(test)]
mod trust_tests;

pub use offences::points;
pub use pallet::*;
pub use record::RecordActivity;
pub use spread::MAX_SPREAD;
pub use types::{Attested, Standing, Transfer, TransferOf};
pub use weights::{EstimatedWeight, WeightInfo};

#[cfg(doc)]
use cascoin_l2_primitives::reputation::{attestation::OnAttestedScore, l1_stake::OnL1Stake};

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::types::{Attested, Ignored, Vertex, MAX_PROVEN, MAX_SEEDS};
    use alloc::vec::Vec;
    use cascoin_l2_primitives::{
        chain::{AccountId, ChainParameters, Moment},
        relay::TrustStatement,
        reputation::{
            export::{OnLinkedScore, ScoreCause},
            l1_history::L1History,
            Activity, Score,
        },
        sequencers::OffenceKind,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{Contains, StoredMap, Time},
    };
    use frame_system::pallet_prelude::*;
    use sp_core::H160;

    /// The layout of this pallet's storage. Version 2 brought the web of trust, version 3
    /// the other parts of L1's score; nothing migrates from those before, which no chain was
    /// launched with.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(3);

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

    /// All L1 addresses that an account ever proved to hold, the first one first.
    #[pallet::storage]
    pub type ProvenAddresses<T> = StorageMap<
        _,
        Blake2_128Concat,
        AccountId,
        BoundedVec<H160, ConstU32<MAX_PROVEN>>,
        ValueQuery,
    >;

    /// The L1 addresses from which trust spreads.
    #[pallet::storage]
    pub type TrustSeeds<T> = StorageValue<_, BoundedVec<H160, ConstU32<MAX_SEEDS>>, ValueQuery>;

    /// L1 addresses of whom something is said, or who say something, or who are seeds.
    #[pallet::storage]
    pub type Vertices<T> = StorageMap<_, Blake2_128Concat, H160, Vertex, ValueQuery>;

    /// When L1 addresses acted on L1: of those that spoke with a bond, and of those that
    /// acted while they were linked.
    #[pallet::storage]
    pub type L1Histories<T> = StorageMap<_, Blake2_128Concat, H160, L1History, OptionQuery>;

    /// All L1 addresses that were ever linked: those that scores are asked for, also when no
    /// account is linked to them now. Each has cost its account the fee of a link, and they are
    /// no more than there are in [`ProvenAddresses`].
    #[pallet::storage]
    pub type EverLinked<T> = StorageMap<_, Blake2_128Concat, H160, (), OptionQuery>;

    /// What was attested last of L1 addresses that were linked. It stays when a link ends,
    /// so that nobody gets rid of it by linking anew.
    #[pallet::storage]
    pub type AttestedScores<T> = StorageMap<_, Blake2_128Concat, H160, Attested, OptionQuery>;

    /// Addresses whose trust is to be computed anew, by their place in the queue.
    #[pallet::storage]
    pub type TrustQueue<T> = StorageMap<_, Twox64Concat, u64, H160, OptionQuery>;

    /// The first place of the queue and the one behind its last.
    #[pallet::storage]
    pub type TrustQueueRange<T> = StorageValue<_, (u64, u64), ValueQuery>;

    /// Scores that L1 gave before the chain began.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Accounts and their scores on L1.
        pub l1_scores: Vec<(AccountId, Score)>,
        /// L1 addresses (HASH160 of a key) from which trust spreads; at most 16.
        #[serde(default)]
        pub trust_seeds: Vec<H160>,
        #[serde(skip)]
        #[allow(missing_docs)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        /// # Panics
        /// If an account is named twice, or there are too many seeds.
        fn build(&self) {
            let seeds = BoundedVec::try_from(self.trust_seeds.clone());
            Pallet::<T>::do_set_trust_seeds(seeds.expect("at most 16 reputation.trustSeeds"));
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
        /// Trust spreads from these L1 addresses.
        TrustSeedsSet {
            /// HASH160 of a key each.
            seeds: BoundedVec<H160, ConstU32<MAX_SEEDS>>,
        },
        /// Somebody said on L1 how far it trusts somebody, and it is kept.
        TrustStated {
            /// What it said.
            statement: TrustStatement,
        },
        /// What somebody said on L1 is not kept.
        TrustIgnored {
            /// Who said it.
            speaker: H160,
            /// Of whom.
            subject: H160,
            /// Why.
            reason: Ignored,
        },
        /// The web of trust has another score for an L1 address.
        TrustComputed {
            /// HASH160 of its key.
            address: H160,
            /// The score.
            score: Score,
        },
        /// More than two thirds of the sequencers attested L1's score of an address.
        L1ScoreAttested {
            /// HASH160 of its key.
            address: H160,
            /// The score: what is computed of L1 is no more, for 30 days.
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
        /// The account has proven as many addresses as one can.
        TooManyAddresses,
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
            Self::tell_of(&account, ScoreCause::L1Score);
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
        /// [`Error::BadSignature`], [`Error::AddressTaken`], [`Error::TooManyAddresses`]. A
        /// signature of another message is one of another, unknown address.
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

        /// Lets trust spread from other L1 addresses than before. Scores follow within
        /// some blocks.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Events
        /// `TrustSeedsSet`; `TrustComputed` for what follows of it.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::set_trust_seeds())]
        pub fn set_trust_seeds(
            origin: OriginFor<T>,
            seeds: BoundedVec<H160, ConstU32<MAX_SEEDS>>,
        ) -> DispatchResult {
            ensure_root(origin)?;
            Self::do_set_trust_seeds(seeds.clone());
            Self::deposit_event(Event::TrustSeedsSet { seeds });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::spread(remaining)
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }
}
