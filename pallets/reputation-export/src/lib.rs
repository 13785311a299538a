//! Tells L1 what has changed in reputations, in batches that sequencers sign (R10.4).
//!
//! ## Overview
//!
//! 1. An address of L1 that is linked to an account is *known* here, with what was said
//!    of it last. It is looked at when its account is linked, scored by L1 or punished
//!    ([`OnLinkedScore`]), and in turn, [`MAX_SWEPT`] a block: activity and
//!    time change scores as well, slowly. (To look with each transaction would cost each
//!    transaction a read.)
//! 2. Where the score has moved by [`Config::Threshold`], or suspicion has changed, it
//!    goes into the *draft*, and takes the place of what the draft said of that address.
//!    A full draft waits, and with it who comes next in turn. Links, turns and what is
//!    said again leave [`Config::ReservedEntries`] of it to L1's scores and offences: users
//!    cannot fill those, so that L1 is told of a penalty however many links there are.
//! 3. Every [`Config::Interval`] blocks the draft becomes a *batch*
//!    ([`ReputationExport`]), if the one before is signed.
//! 4. Sequencers' nodes sign it with their relay keys, and send the signatures
//!    ([`sign_export`](Pallet::sign_export)). With those of more than two thirds of the
//!    set it is *signed*, and waits for settlement, which takes batches in their order
//!    ([`ExportOrder`], [`settled`](Pallet::settled)). There is no settlement on L1 yet:
//!    nobody calls it.
//! 5. When [`MAX_KEPT`] batches wait and there is more to say, the oldest is *superseded*:
//!    what no later one replaced is said again, in the draft. Each batch says which is the
//!    oldest that is kept, so that L1 leaves out what is superseded and nothing else.
//!
//! ## What holds
//!
//! - Whoever applies the settled batches in their order, knows of each address its score
//!   within the threshold, once all batches are settled and each known address was looked
//!   at. A superseded batch takes nothing with it.
//! - An address that is linked no more is exported with score 0, if anything else was said
//!   of it. Before settlement began ([`begin_settlement`](Pallet::begin_settlement)) that is
//!   said once, and then until L1 has it.
//! - Batches are chained: each names the hash of the one before. A signature counts for
//!   one batch, one set and one chain.
//! - Storage is bounded by the links that accounts paid for (known), and 16 batches of
//!   512 entries. Work is bounded: [`MAX_SWEPT`] and [`MAX_RETIRED`] addresses a block, in
//!   time that is left of it.
//! - If sequencers do not sign, nothing is lost: the draft waits.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`sign_export`](Pallet::sign_export) | anyone, with a sequencer's signature inside | none | `ExportSigned` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod draft;
mod query;
mod queue;
pub mod types;
pub mod weights;
mod worker;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worker_tests;

pub use pallet::*;
pub use weights::{EstimatedWeight, WeightInfo};

#[cfg(doc)]
use cascoin_l2_primitives::reputation::{
    export::{OnLinkedScore, ReputationExport},
    export_order::ExportOrder,
};

/// Batches that are kept: the one that is being signed, and those that wait.
pub const MAX_KEPT: u32 = 16;
/// Known addresses that are looked at in a block.
pub const MAX_SWEPT: u32 = 8;
/// Addresses of a superseded batch that are looked at in a block.
pub const MAX_RETIRED: u32 = 8;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::types::{Known, LastExport, Signing};
    use cascoin_l2_primitives::{
        chain::BlockNumber,
        reputation::export::{
            ExportCertificate, ExportEntries, ExportVote, LinkedScores, ReputationExport,
            MAX_EXPORT_ENTRIES,
        },
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
        /// The sequencers in force: who may sign, and with which key.
        type Sequencers: SequencerSetProvider;

        /// What L2 says of L1 addresses.
        type Scores: LinkedScores;

        /// Points by which a score must have moved to be exported again.
        #[pallet::constant]
        type Threshold: Get<u8>;

        /// Most entries of a batch; at most [`MAX_EXPORT_ENTRIES`].
        #[pallet::constant]
        type MaxEntries: Get<u32>;

        /// How many of them only L1's scores and offences may take.
        #[pallet::constant]
        type ReservedEntries: Get<u32>;

        /// Blocks between two batches.
        type Interval: Get<BlockNumber>;

        /// Weights of the call, the hooks, and what other pallets tell.
        type WeightInfo: WeightInfo;
    }

    /// The addresses that are linked, or were and are to be taken back: what was said of
    /// each last.
    #[pallet::storage]
    pub type KnownAddresses<T> = StorageMap<_, Blake2_128Concat, H160, Known, OptionQuery>;

    /// The known address that was looked at last in turn; none at the end of a turn.
    #[pallet::storage]
    pub type Cursor<T> = StorageValue<_, H160, OptionQuery>;

    /// What the next batch will say.
    #[pallet::storage]
    pub type Draft<T> = StorageValue<_, ExportEntries, ValueQuery>;

    /// The batch that was made last.
    #[pallet::storage]
    pub type Last<T> = StorageValue<_, LastExport, ValueQuery>;

    /// Sequence number of the oldest batch that is kept; one more than that of the last
    /// one if none is.
    #[pallet::storage]
    pub type Oldest<T> = StorageValue<_, u32, ValueQuery, ConstU32<1>>;

    /// The batches that are kept, by sequence number.
    #[pallet::storage]
    pub type Exports<T> = StorageMap<_, Twox64Concat, u32, ReputationExport, OptionQuery>;

    /// Who signed them.
    #[pallet::storage]
    pub type Certificates<T> = StorageMap<_, Twox64Concat, u32, ExportCertificate, OptionQuery>;

    /// The last batch, while it is being signed.
    #[pallet::storage]
    pub type InSigning<T> = StorageValue<_, Signing, OptionQuery>;

    /// Entries of the oldest batch that were looked at, while it is being superseded.
    #[pallet::storage]
    pub type Retired<T> = StorageValue<_, u32, ValueQuery>;

    /// Whether settlement on L1 has begun, or is about to.
    #[pallet::storage]
    pub type SettlementBegan<T> = StorageValue<_, bool, ValueQuery>;

    /// Batches that L1 has applied while it left out an older one that is kept, ascending.
    #[pallet::storage]
    pub type SettledAhead<T> = StorageValue<_, BoundedVec<u32, ConstU32<MAX_KEPT>>, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A batch was made, and is to be signed.
        ExportMade {
            /// Its sequence number.
            sequence: u32,
            /// Its hash.
            hash: H256,
            /// Its entries.
            entries: u32,
        },
        /// More than two thirds of a set have signed a batch.
        ExportSigned {
            /// Its sequence number.
            sequence: u32,
            /// Its hash.
            hash: H256,
            /// The set.
            set_id: u64,
        },
        /// Too many batches waited, or L1 left the oldest out: what that said and no later
        /// one replaced is said again.
        ExportSuperseded {
            /// Its sequence number.
            sequence: u32,
        },
        /// L1 has applied the oldest batches.
        ExportsSettled {
            /// Sequence number of the last one.
            through: u32,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The signature is of another sequencer set.
        WrongSet,
        /// The batch is not the one that is being signed.
        NotInSigning,
        /// Nobody in the set has this index.
        NotAMember,
        /// The sequencer has signed already.
        AlreadySigned,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            let now: BlockNumber = now.saturated_into();
            // Without parameters, as FRAME builds a genesis in tests, none is ever made.
            if now.checked_rem(T::Interval::get()) != Some(0) {
                return T::WeightInfo::block();
            }
            Self::make_export(now);
            T::WeightInfo::make_export()
        }

        fn on_idle(_: BlockNumberFor<T>, left: Weight) -> Weight {
            Self::look_around(left)
        }

        fn offchain_worker(now: BlockNumberFor<T>) {
            worker::run::<T>(now.saturated_into());
        }

        fn integrity_test() {
            assert!(T::Threshold::get() > 0, "each score would be exported each time");
            let most = T::MaxEntries::get();
            assert!(most <= MAX_EXPORT_ENTRIES, "a batch could not hold them");
            assert!(T::ReservedEntries::get() < most, "nobody's link would be exported");
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
        /// Takes a sequencer's signature of the batch that is being signed.
        ///
        /// ## Dispatch Origin
        /// Authorised: the signature proves itself.
        ///
        /// ## Errors
        /// [`Error::WrongSet`], [`Error::NotInSigning`], [`Error::NotAMember`],
        /// [`Error::AlreadySigned`].
        ///
        /// ## Events
        /// `ExportSigned`, with the signature that makes a quorum.
        #[pallet::call_index(0)]
        #[pallet::authorize(Self::authorize_signature)]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_signature())]
        #[pallet::weight(T::WeightInfo::sign_export())]
        pub fn sign_export(origin: OriginFor<T>, vote: ExportVote) -> DispatchResult {
            ensure_authorized(origin)?;
            // It was checked when the call was authorised.
            Self::do_sign(vote)?;
            Ok(())
        }
    }
}
