//! A recovery from a fork of L1: users' money goes back to before the L1 blocks that L1
//! dropped, L1 is followed again, and what users did since is repeated (R19.2, R19.3, R19.4,
//! P20, ADR 0033).
//!
//! ## Overview
//!
//! No block is undone: a recovery is a row of blocks. It begins when more than two thirds of
//! the sequencers vote for it ([`vote`](Pallet::vote)), or when Root says so
//! ([`force`](Pallet::force)), and has four phases ([`types::Phase`]):
//!
//! 1. *Restoring*: leaders bring the header of the block that is gone back to, then pages of
//!    its state, which its state root proves ([`advance`](Pallet::advance), an inherent).
//! 2. *Mending*: what the two sides of the cut left between them is set right
//!    ([`Books::mend`]).
//! 3. *L1 again*: the relay delivers L1's branch from the fork point on.
//! 4. *Replaying*: leaders bring the blocks since that had users' transactions, and those
//!    that had succeeded are applied again. Each holds or falls. What became of them then
//!    is shown by the blocks' own events ([`read_events`]).
//!
//! In the first two the chain is *frozen* ([`Pallet::is_frozen`]): blocks hold inherents only
//! (this pallet is `frame_system`'s multi-block migrator), and the runtime leaves out the
//! hooks of pallets whose state goes back. In the others nothing that users
//! sign is taken ([`Pallet::is_running`]).
//!
//! In ordinary times the pallet notes which blocks had users' transactions
//! ([`NoteOutcome`]), for the last [`NOTES_KEPT`] blocks.
//!
//! ## What holds
//!
//! - What is brought is checked against hashes that the chain has: nobody can restore
//!   another state or repeat another block. A step that is not the one wanted makes the block
//!   invalid; a block without one is valid.
//! - A phase changes at the end of a block only, so the hooks of a block are run all or none.
//! - It begins while no L1 block is delivered in part, so that each is heard again by all or
//!   by none of those whose state stays.
//! - Phases 3 and 4 get on by themselves when nothing moves for [`Config::PatienceBlocks`], and
//!   phase 3 ends after [`MAX_PATIENCE`] times as many, however slowly L1 gets on: a third of
//!   the sequencers that withhold relay votes, or bodies that nobody has, lock up nobody's
//!   money. Of the blocks to be repeated the one is passed over that cannot be: that nobody
//!   has, that is too large, or with a transaction that the runtime fails on. For each further
//!   one there are [`Config::NextPatienceBlocks`]. A recovery of which nothing was restored is
//!   called off likewise.
//! - A recovery never goes back into or behind an earlier one.
//! - Storage and the work of a block are bounded: one run, one vote of each sequencer, at
//!   most [`MAX_FALLEN`] fallen transactions, notes of [`NOTES_KEPT`] blocks.
//!
//! This pallet MUST stand last in the runtime: the hooks at the end of the block in which
//! something ends have to be run before.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`vote`](Pallet::vote) | anyone, with a sequencer's signature inside | none | |
//! | [`force`](Pallet::force) | Root | fee | |
//! | [`advance`](Pallet::advance) | inherent | none | `Fell` |
//!
//! `Begun`, `Restored`, `BlockAbandoned`, `Recovered` and `CalledOff` are told at the end of
//! blocks.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod forced;
mod outcome;
mod phases;
mod query;
mod steps;
pub mod types;
mod votes;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod phase_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod vote_tests;

pub use outcome::NoteOutcome;
pub use pallet::*;
pub use weights::{EstimatedWeight, WeightInfo};

#[cfg(doc)]
use cascoin_l2_primitives::recovery::{read_events, Books, MAX_FALLEN};
use cascoin_l2_primitives::{chain::BlockNumber, recovery::NoRecovery};

/// Blocks for which it is known which had users' transactions: as many as sequencers' nodes
/// keep states of.
pub const NOTES_KEPT: BlockNumber = 180_000;
/// Most blocks without users' transactions that one block passes over.
pub const MAX_SCANNED: u32 = 1_000;
/// Times [`pallet::Config::PatienceBlocks`] that L1 may be delivered again at most, however
/// slowly it gets on: a day where these are an hour.
pub const MAX_PATIENCE: BlockNumber = 24;
/// Most fallen transactions that a query returns.
pub const MAX_LISTED: u32 = 1_000;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::types::{RecoveryRun, Redelivery, Votes};
    use cascoin_l2_primitives::{
        chain::{AccountId, Balance, BlockHash},
        recovery::{
            self, Books, DoubtProvider, Fall, FallenTransaction, Place, RecoveryPoint,
            RecoveryStep, RecoverySubject, RecoveryVote, RelayRewind, RECOVERY_IDENTIFIER,
        },
        sequencers::SequencerSetProvider,
    };
    use frame_support::pallet_prelude::*;
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
    use sp_core::H256;
    use sp_runtime::SaturatedConversion;

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, Hash = BlockHash>
        + CreateAuthorizedTransaction<Call<Self>>
    {
        /// The sequencers in force: who may vote, and with which key.
        type Sequencers: SequencerSetProvider;

        /// Least deficit for which sequencers vote, base units; 0: they never do.
        type Threshold: Get<Balance>;

        /// What is in doubt.
        type Doubt: DoubtProvider;

        /// The relay.
        type Relay: RelayRewind;

        /// What goes back, and how transactions are repeated.
        type Books: Books;

        /// How many blocks a recovery may reach back: fewer than nodes keep states of, so
        /// that there is time for it.
        type KeptBlocks: Get<BlockNumber>;

        /// Blocks without progress after which a phase is given up.
        type PatienceBlocks: Get<BlockNumber>;

        /// Blocks without progress after which a block is passed over, once one was.
        type NextPatienceBlocks: Get<BlockNumber>;

        /// What repeating transactions may weigh in one block.
        type ReplayBudget: Get<Weight>;

        /// Weights of the calls, the hooks and the extension.
        type WeightInfo: WeightInfo;
    }

    /// The recovery that runs. Unbounded, as it may hold a key of the state.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type Running<T> = StorageValue<_, RecoveryRun, OptionQuery>;

    /// The last recovery that came to its end.
    #[pallet::storage]
    pub type LastRecovery<T> = StorageValue<_, recovery::LastRecovery, OptionQuery>;

    /// Where the last recovery that was called off would have gone back to.
    #[pallet::storage]
    pub type CalledOff<T> = StorageValue<_, RecoveryPoint, OptionQuery>;

    /// How many recoveries began, those that were called off as well.
    #[pallet::storage]
    pub type Count<T> = StorageValue<_, u32, ValueQuery>;

    /// The votes that one begins.
    #[pallet::storage]
    pub type Cast<T> = StorageValue<_, Votes, OptionQuery>;

    /// What Root said shall begin. It does at the end of the block, or of the first one after
    /// which no L1 block is delivered in part.
    #[pallet::storage]
    pub type Forced<T> = StorageValue<_, RecoverySubject, OptionQuery>;

    /// Whether this block had its step. Gone at its end.
    #[pallet::storage]
    pub type Advanced<T> = StorageValue<_, bool, ValueQuery>;

    /// L1 blocks up to this height were delivered before the last recovery, and are delivered
    /// again; gone when they are.
    #[pallet::storage]
    pub type RedeliveredTo<T> = StorageValue<_, u32, OptionQuery>;

    /// How far L1 is delivered again, while it is waited for.
    #[pallet::storage]
    pub type DeliveredAgain<T> = StorageValue<_, Redelivery, OptionQuery>;

    /// Whether this block had transactions of users, so far. Gone at its end: some run before
    /// this pallet's hook at the beginning of the next one.
    #[pallet::storage]
    pub type HadUsers<T> = StorageValue<_, bool, ValueQuery>;

    /// The last block, if it had transactions of users. Gone at the beginning of the next one,
    /// which knows its hash.
    #[pallet::storage]
    pub type UsersIn<T> = StorageValue<_, BlockNumber, OptionQuery>;

    /// Hashes of the last blocks that had transactions of users, by number.
    #[pallet::storage]
    pub type UserBlocks<T> = StorageMap<_, Twox64Concat, BlockNumber, BlockHash, OptionQuery>;

    /// The lowest block of which there may still be a note.
    #[pallet::storage]
    pub type NotesFrom<T> = StorageValue<_, BlockNumber, ValueQuery>;

    /// Transactions that fell in the newest recovery, by their number modulo
    /// [`MAX_FALLEN`](recovery::MAX_FALLEN). Entries of an earlier one are overwritten; what
    /// counts is how many fell in the newest.
    #[pallet::storage]
    pub type Fallen<T> = StorageMap<_, Twox64Concat, u32, FallenTransaction, OptionQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A recovery begins with the next block. What users did after `since` is repeated,
        /// as far as it holds; until then they can do nothing.
        Begun {
            /// Its number.
            number: u32,
            /// The block whose state is gone back to.
            since: RecoveryPoint,
            /// Coins that nothing backs.
            deficit: Balance,
        },
        /// The state of users' money is that of the block again, and L1 is followed anew.
        Restored {
            /// Number of the recovery.
            number: u32,
            /// The block.
            block: BlockNumber,
        },
        /// A transaction does not hold: nothing of it stays, and its fee is not paid.
        Fell {
            /// How many fell before it in this recovery.
            index: u32,
            /// Where it stood.
            place: Place,
            /// BLAKE2-256 of it.
            hash: H256,
            /// Who signed it.
            sender: Option<AccountId>,
            /// Why it does not hold.
            fall: Fall,
        },
        /// Nobody brought a block, or not all of what it had: what of its transactions was
        /// not repeated fell, without being listed.
        BlockAbandoned {
            /// The block.
            number: BlockNumber,
            /// Index of the first transaction that was not repeated, among those of the block
            /// that are signed.
            from: u32,
        },
        /// A recovery is over.
        Recovered {
            /// Its number.
            number: u32,
            /// Transactions that hold.
            held: u32,
            /// Transactions that fell and are listed.
            fell: u32,
        },
        /// Nobody brought the old state, or new code came first that cannot read it; so
        /// nothing was restored, and all is as it was.
        CalledOff {
            /// Number of the recovery.
            number: u32,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The vote is of another sequencer set.
        WrongSet,
        /// Another recovery is due, or none.
        WrongSubject,
        /// Nobody in the set has this index.
        NotAMember,
        /// The sequencer has voted for it.
        AlreadyVoted,
        /// A recovery runs.
        Running,
        /// Nothing is in doubt, or what L1 dropped may still come again.
        NothingStands,
        /// It is not known any more where the doubt began.
        PointForgotten,
        /// It began too long ago.
        TooFarBack,
        /// The runtime's code changed since.
        CodeChanged,
        /// It began before the end of an earlier recovery.
        EarlierRecovery,
        /// The deficit is too small.
        BelowThreshold,
        /// Another step is wanted, or none.
        NotWanted,
        /// The block had its step.
        OneStepABlock,
        /// The header is another block's.
        WrongBlock,
        /// The transactions are not those of the block.
        WrongBody,
        /// What shows the block's events has too many nodes, or too large ones.
        EventsTooLarge,
        /// It does not show them.
        BadEvents,
        /// The page has too many nodes, or too large ones.
        PageTooLarge,
        /// The page proves nothing that is wanted.
        BadPage,
        /// One to that block was called off.
        CalledOff,
    }

    impl<T> From<NoRecovery> for Error<T> {
        fn from(why: NoRecovery) -> Self {
            match why {
                NoRecovery::NothingStands => Self::NothingStands,
                NoRecovery::PointForgotten => Self::PointForgotten,
                NoRecovery::TooFarBack => Self::TooFarBack,
                NoRecovery::CodeChanged => Self::CodeChanged,
                NoRecovery::EarlierRecovery => Self::EarlierRecovery,
                NoRecovery::BelowThreshold => Self::BelowThreshold,
                NoRecovery::CalledOff => Self::CalledOff,
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            Self::begin_block(now.saturated_into())
        }

        fn on_finalize(now: BlockNumberFor<T>) {
            Self::end_block(now.saturated_into());
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }

    // An authorised transaction has no signer and pays nothing. It is not `Pays::No`: sent
    // by a signer it fails, and must cost what it weighs.
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Takes a sequencer's vote that a recovery begins. With more than two thirds of the
        /// set it begins at the end of the block.
        ///
        /// ## Dispatch Origin
        /// Authorised: the signature proves itself.
        ///
        /// ## Errors
        /// [`Error::WrongSet`], [`Error::WrongSubject`], [`Error::NotAMember`],
        /// [`Error::AlreadyVoted`].
        #[pallet::call_index(0)]
        #[pallet::authorize(Self::authorize_vote)]
        #[pallet::weight_of_authorize(
            T::WeightInfo::authorize_vote().saturating_add(T::Doubt::weight())
        )]
        #[pallet::weight(
            T::WeightInfo::vote()
                .saturating_add(T::WeightInfo::begin())
                .saturating_add(T::Doubt::weight().saturating_mul(2))
        )]
        pub fn vote(origin: OriginFor<T>, vote: RecoveryVote) -> DispatchResult {
            ensure_authorized(origin)?;
            // Its signature was checked when the call was authorised.
            Self::do_vote(vote)?;
            Ok(())
        }

        /// Begins a recovery at the end of this block, or of the first one after which no L1
        /// block is delivered in part, however small the deficit is. The
        /// caller has to know that sequencers' nodes have the state of the block that is gone
        /// back to, and the blocks since.
        ///
        /// ## Dispatch Origin
        /// Root.
        ///
        /// ## Errors
        /// [`Error::Running`], or why none can begin ([`NoRecovery`]).
        #[pallet::call_index(1)]
        #[pallet::weight(
            T::WeightInfo::force()
                .saturating_add(T::WeightInfo::begin())
                .saturating_add(T::Doubt::weight().saturating_mul(2))
        )]
        pub fn force(origin: OriginFor<T>) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(!Running::<T>::exists(), Error::<T>::Running);
            let subject = Self::possible().map_err(Error::<T>::from)?;
            Forced::<T>::put(subject);
            Ok(())
        }

        /// Takes the step of the recovery that is due.
        ///
        /// ## Dispatch Origin
        /// None: an inherent. If it fails, the block is invalid.
        ///
        /// ## Errors
        /// [`Error::NotWanted`], [`Error::OneStepABlock`], [`Error::WrongBlock`],
        /// [`Error::WrongBody`], [`Error::EventsTooLarge`], [`Error::BadEvents`],
        /// [`Error::PageTooLarge`], [`Error::BadPage`].
        #[pallet::call_index(2)]
        #[pallet::weight((Pallet::<T>::most_of_step(step), DispatchClass::Mandatory))]
        pub fn advance(origin: OriginFor<T>, step: RecoveryStep) -> DispatchResultWithPostInfo {
            ensure_none(origin)?;
            let weight = Self::take_step(step)?;
            Ok(Some(weight).into())
        }
    }

    #[pallet::inherent]
    impl<T: Config> ProvideInherent for Pallet<T> {
        type Call = Call<T>;
        type Error = MakeFatalError<()>;
        const INHERENT_IDENTIFIER: InherentIdentifier = RECOVERY_IDENTIFIER;

        // A step that this leader's node has, and that is of the kind and the block wanted.
        fn create_inherent(data: &InherentData) -> Option<Self::Call> {
            let step = data.get_data::<RecoveryStep>(&RECOVERY_IDENTIFIER).ok().flatten()?;
            Self::wants(&step).then_some(Call::advance { step })
        }

        fn is_inherent(call: &Self::Call) -> bool {
            matches!(call, Call::advance { .. })
        }
    }
}
