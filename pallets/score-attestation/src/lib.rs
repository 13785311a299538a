//! Agrees on what sequencers' own L1 nodes say of linked L1 addresses (`getsecuretrust`), as
//! an upper bound of the scores that are computed here (R10.1, ADR 0029).
//!
//! ## Overview
//!
//! 1. Every [`Config::Interval`] blocks a *round* begins: the next addresses that are or were
//!    linked to accounts, at most [`MAX_SCORED`], in turn.
//! 2. Sequencers' nodes ask their L1 nodes for the scores of these addresses, natively, and
//!    leave the answers in their off-chain storage; the off-chain worker signs them with the
//!    relay key and sends them ([`attest`](Pallet::attest)). A node whose L1 node does not
//!    serve such scores sends nothing.
//! 3. When the next round begins, each address for which more than two thirds of the set
//!    gave a score gets the median ([`median`]). Of others nothing is known, and nothing
//!    changes.
//! 4. The medians are told to [`Config::OnScore`], [`MAX_TOLD`] a block, in time that is left
//!    of it.
//!
//! ## What holds
//!
//! - A third of the sequencers cannot move a median above or below all that the others say,
//!   and cannot bring one about. More than a third can keep any from coming about.
//! - A vote counts for one round, one set and one chain, and a sequencer has one in each.
//! - Storage is bounded: one round, the votes of one set, one list of medians. So is work,
//!   however many addresses were linked; the more, the longer is a turn.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`attest`](Pallet::attest) | anyone, with a sequencer's signature inside | none | |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod round;
pub mod types;
pub mod weights;
mod worker;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worker_tests;

pub use pallet::*;
pub use weights::{EstimatedWeight, WeightInfo};

#[cfg(doc)]
use cascoin_l2_primitives::reputation::attestation::{median, MAX_SCORED};

/// Medians that are told in a block.
pub const MAX_TOLD: u32 = 4;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::types::{AgreedScores, Votes};
    use cascoin_l2_primitives::{
        chain::BlockNumber,
        reputation::attestation::{LinkedAddresses, OnAttestedScore, ScoreRound, ScoreVote},
        sequencers::SequencerSetProvider,
    };
    use frame_support::pallet_prelude::*;
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
    use sp_core::{H160, H256};
    use sp_runtime::SaturatedConversion;

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<Hash = H256> + CreateAuthorizedTransaction<Call<Self>>
    {
        /// The sequencers in force: who may attest, and with which key.
        type Sequencers: SequencerSetProvider;

        /// The addresses that are asked for.
        type Addresses: LinkedAddresses;

        /// Told the medians.
        type OnScore: OnAttestedScore;

        /// Blocks of a round.
        type Interval: Get<BlockNumber>;

        /// Weights of the call and of the hooks.
        type WeightInfo: WeightInfo;
    }

    /// What is asked for now.
    #[pallet::storage]
    pub type Round<T> = StorageValue<_, ScoreRound, ValueQuery>;

    /// The last address of the last round that had as many as it could; none at the end of a
    /// turn.
    #[pallet::storage]
    pub type Cursor<T> = StorageValue<_, H160, OptionQuery>;

    /// The votes of this round, as they come.
    #[pallet::storage]
    pub type Cast<T> = StorageValue<_, Votes, ValueQuery>;

    /// Medians that are still to be told.
    #[pallet::storage]
    pub type Medians<T> = StorageValue<_, AgreedScores, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// More than two thirds of the sequencers gave scores of L1 addresses.
        ScoresAgreed {
            /// The round that asked for them.
            round: u32,
            /// Of how many addresses more than two thirds gave one.
            scores: u32,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The vote is of another sequencer set.
        WrongSet,
        /// The vote is of another round.
        WrongRound,
        /// It does not have a score, or the lack of one, for each address of the round.
        WrongCount,
        /// Nobody in the set has this index.
        NotAMember,
        /// The sequencer has voted in this round.
        AlreadyVoted,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            let now: BlockNumber = now.saturated_into();
            // One block after others' work of an epoch's end. Without parameters, as FRAME
            // builds a genesis in tests, there is never a round.
            if now.checked_rem(T::Interval::get()) != Some(1) {
                return T::WeightInfo::block();
            }
            Self::next_round();
            T::WeightInfo::next_round()
        }

        fn on_idle(_: BlockNumberFor<T>, left: Weight) -> Weight {
            Self::tell(left)
        }

        fn offchain_worker(now: BlockNumberFor<T>) {
            worker::run::<T>(now.saturated_into());
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
        /// Takes what a sequencer's L1 node says of the addresses of the round.
        ///
        /// ## Dispatch Origin
        /// Authorised: the signature proves itself.
        ///
        /// ## Errors
        /// [`Error::WrongSet`], [`Error::WrongRound`], [`Error::WrongCount`],
        /// [`Error::NotAMember`], [`Error::AlreadyVoted`].
        #[pallet::call_index(0)]
        #[pallet::authorize(Self::authorize_vote)]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_vote())]
        #[pallet::weight(T::WeightInfo::attest())]
        pub fn attest(origin: OriginFor<T>, vote: ScoreVote) -> DispatchResult {
            ensure_authorized(origin)?;
            // Its signature was checked when the call was authorised.
            Self::do_attest(vote)?;
            Ok(())
        }
    }
}
