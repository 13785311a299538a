//! Proves on chain that a sequencer signed twice (`SEQ_DOUBLE_SIGN`).
//!
//! ## Overview
//!
//! Whoever holds two signed messages of one sequencer that contradict each other
//! ([`DoubleSignEvidence`](cascoin_l2_primitives::consensus::DoubleSignEvidence))
//! reports them here. The pallet checks both signatures against the keys of the
//! set they were signed in, records the offence and tells [`Config::OnOffence`],
//! which punishes. So that evidence may come late, the keys of a set are kept for
//! [`Config::KeptBlocks`] after it was replaced, as long as stake stays on hold, and those
//! of the last [`SETS_KEPT`](types::SETS_KEPT) sets in any case.
//!
//! ## What holds
//!
//! - Nobody is recorded for what its key did not sign: both signatures are checked
//!   over the set, the height and the round, and over the chain's genesis, but for
//!   precommits for a block: GRANDPA's payload has no place for it. So a key serves
//!   one chain; where it served another, certificates of both are two precommits.
//! - An offence counts for the account that the key stood for in that set, also
//!   when the key was changed since.
//! - **One offence for each sequencer and set.** A sequencer could make evidence
//!   against itself without end, and reports are free; so the first one of a set is
//!   taken, and all others of that sequencer and set are stale. Its punishment, and
//!   its ban from the next sets, follow from the first. Nothing gets a second free
//!   transaction but a seat in a new set.
//! - All storage is bounded: [`MAX_SETS`](types::MAX_SETS) sets of at most 64 keys
//!   and the last [`RECORDS_KEPT`](types::RECORDS_KEPT) records. A record that makes
//!   room loses nothing but its display; what followed from it stays.
//!
//! What it does not do: it neither slashes nor bans, nor does it reward.
//!
//! ## Who reports
//!
//! A report may name an account to be rewarded (R22.5); a sequencer's node names its own.
//! Nothing binds the name to the evidence: who sees a report can put another name into it,
//! and the leader that makes the block has the last word. A name that could not be
//! changed would have to be committed to before the evidence is shown, which costs two
//! blocks in which the offender is free, and protects nobody: contradicting messages are
//! sent to many nodes, which all find them at once. What is paid for is that evidence
//! gets on chain, and it does under whatever name.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`report`](Pallet::report) | anyone, with the evidence inside | none | `DoubleSigned` |
//!
//! It is a general transaction authorised by
//! [`AuthorizeCall`](frame_system::AuthorizeCall), which the runtime MUST have
//! among its transaction extensions.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub use pallet::*;

mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod query;
pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod report_tests;
#[cfg(test)]
mod set_tests;

pub use weights::WeightInfo;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::types::{KeySet, KnownKey, FORGOTTEN_AT_ONCE, MAX_SETS, RECORDS_KEPT, SETS_KEPT};
    use alloc::{boxed::Box, vec::Vec};
    use cascoin_l2_primitives::{
        apis::DoubleSignRecord,
        chain::{AccountId, BlockNumber},
        consensus::{DoubleSignEvidence, MessageKind},
        sequencers::{Offence, OffenceKind, OnOffence, SequencerSetProvider},
    };
    use frame_support::pallet_prelude::*;
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
    use sp_core::{ed25519, H256};
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
        /// The sequencers in force. They are read at the end of each block, so the
        /// pallets that hold them MUST stand before this one in the runtime.
        type Sequencers: SequencerSetProvider;

        /// The keys with which they sign votes and proposals, in the same order.
        type VotingKeys: Get<Vec<ed25519::Public>>;

        /// For how many blocks the keys of a set are kept after it was replaced. SHOULD be
        /// as long as stake can be taken for what was signed in it.
        type KeptBlocks: Get<BlockNumber>;

        /// Punishes; `()` only records.
        type OnOffence: OnOffence;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The keys of the last sets, by set id, in the order of the set.
    #[pallet::storage]
    pub type Sets<T> = StorageMap<_, Twox64Concat, u64, KeySet, OptionQuery>;

    /// The block that replaced a set, by the id of the set. Of all `Sets` but the newest.
    #[pallet::storage]
    pub type SetEnds<T> = StorageMap<_, Twox64Concat, u64, BlockNumber, OptionQuery>;

    /// The oldest set whose keys are kept.
    #[pallet::storage]
    pub type OldestSet<T> = StorageValue<_, u64, OptionQuery>;

    /// The set noted last.
    #[pallet::storage]
    pub type NewestSet<T> = StorageValue<_, u64, OptionQuery>;

    /// The last offences, by their number.
    #[pallet::storage]
    pub type Records<T> = StorageMap<_, Twox64Concat, u64, DoubleSignRecord, OptionQuery>;

    /// Offences established, ever; the number of the next one.
    #[pallet::storage]
    pub type RecordCount<T> = StorageValue<_, u64, ValueQuery>;

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
            Pallet::<T>::note_set();
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A sequencer signed two contradicting messages of one round
        /// (`SEQ_DOUBLE_SIGN`).
        DoubleSigned {
            /// Who.
            offender: AccountId,
            /// The set in which it signed.
            set_id: u64,
            /// The height of both messages.
            height: BlockNumber,
            /// Their round.
            round: u16,
            /// Their kind.
            kind: MessageKind,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The two messages do not contradict each other.
        NoConflict,
        /// The set is not in force yet.
        FutureSet,
        /// The set is so old that its keys are forgotten.
        ForgottenSet,
        /// Nobody had this key in the set.
        NotAMember,
        /// The sequencer's offence in this set is on record.
        AlreadyReported,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        // The weight of what the end of the block does. A new set's id shows at the
        // beginning of the block that puts it in force, its keys only at the end.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            let mut weight = T::WeightInfo::on_initialize();
            if NewestSet::<T>::get() != Some(T::Sequencers::set_id()) {
                weight.saturating_accrue(T::WeightInfo::note_set());
            }
            weight
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            if NewestSet::<T>::get() != Some(T::Sequencers::set_id()) {
                Self::note_set();
            }
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    // An authorised transaction has no signer and pays nothing. The call is not
    // `Pays::No`: sent by a signer it fails, and must cost what it weighs.
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Reports that a sequencer signed twice. `reporter` is whom to reward for it;
        /// nobody need be named.
        ///
        /// ## Dispatch Origin
        /// Authorised: the evidence proves itself.
        ///
        /// ## Errors
        /// - [`Error::NoConflict`]: it proves nothing;
        /// - [`Error::FutureSet`], [`Error::ForgottenSet`], [`Error::NotAMember`]:
        ///   nobody is known who could have signed it;
        /// - [`Error::AlreadyReported`]: nothing would change.
        ///
        /// ## Events
        /// `DoubleSigned`.
        #[pallet::call_index(0)]
        #[pallet::authorize(|source, evidence, _| Self::authorize_report(source, evidence))]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_report())]
        #[pallet::weight((
            T::WeightInfo::report().saturating_add(T::OnOffence::max_reported_offence_weight()),
            DispatchClass::Operational,
        ))]
        pub fn report(
            origin: OriginFor<T>,
            evidence: Box<DoubleSignEvidence>,
            reporter: Option<AccountId>,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            // Its signatures were checked when it was authorised.
            let offender = Self::mark(&evidence)?;
            let DoubleSignEvidence { set_id, height, round, .. } = *evidence;
            let kind = evidence.kind();
            Self::record(DoubleSignRecord {
                offender: offender.clone(),
                key: evidence.key,
                set_id,
                height,
                round,
                kind,
                id: evidence.id(),
                block: frame_system::Pallet::<T>::block_number().saturated_into(),
            });
            Self::deposit_event(Event::DoubleSigned {
                offender: offender.clone(),
                set_id,
                height,
                round,
                kind,
            });
            let kind = OffenceKind::DoubleSign;
            let offence = Offence { kind, offender, set_id, height };
            match reporter {
                Some(reporter) => T::OnOffence::on_reported_offence(&offence, &reporter),
                None => T::OnOffence::on_offence(&offence),
            }
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// The keys of the set that `evidence` was signed in, and the offender's
        /// place among them. Does not look at the signatures.
        pub(crate) fn find(evidence: &DoubleSignEvidence) -> Result<(KeySet, usize), Error<T>> {
            ensure!(evidence.is_conflict(), Error::<T>::NoConflict);
            let Some(set) = Sets::<T>::get(evidence.set_id) else {
                let known = NewestSet::<T>::get().is_some_and(|newest| newest >= evidence.set_id);
                return Err(if known { Error::ForgottenSet } else { Error::FutureSet });
            };
            let position = set.iter().position(|known| known.key == evidence.key);
            let position = position.ok_or(Error::<T>::NotAMember)?;
            let reported = set.get(position).is_some_and(|known| known.reported);
            ensure!(!reported, Error::<T>::AlreadyReported);
            Ok((set, position))
        }

        // Notes that the offender is reported, and returns its account.
        fn mark(evidence: &DoubleSignEvidence) -> Result<AccountId, Error<T>> {
            let (mut set, position) = Self::find(evidence)?;
            let known = set.get_mut(position).ok_or(Error::<T>::NotAMember)?;
            known.reported = true;
            let offender = known.account.clone();
            Sets::<T>::insert(evidence.set_id, set);
            Ok(offender)
        }

        fn record(record: DoubleSignRecord) {
            let number = RecordCount::<T>::get();
            Records::<T>::insert(number, record);
            RecordCount::<T>::put(number.saturating_add(1));
            if let Some(old) = number.checked_sub(RECORDS_KEPT) {
                Records::<T>::remove(old);
            }
        }

        /// Notes the keys of the set in force, and forgets those of the oldest.
        pub(crate) fn note_set() {
            let set_id = T::Sequencers::set_id();
            let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
            let mut skipped = 0;
            if let Some(before) = NewestSet::<T>::get().filter(|before| *before != set_id) {
                SetEnds::<T>::insert(before, now);
                skipped = set_id.saturating_sub(before).saturating_sub(1);
            }
            let keys = T::VotingKeys::get().into_iter().zip(0..).filter_map(|(key, index)| {
                let account = T::Sequencers::account(index)?;
                Some(KnownKey { key, account, reported: false })
            });
            // A set has no more members than fit, so nothing is cut.
            Sets::<T>::insert(set_id, KeySet::truncate_from(keys.collect()));
            NewestSet::<T>::put(set_id);
            Self::forget_sets(set_id, now, skipped);
        }

        // A few at a time; more than come, so what has expired goes. Where others took over from
        // a set that did nothing, some ids are no set's, few of them: as many more may go.
        fn forget_sets(newest: u64, now: BlockNumber, skipped: u64) {
            let begin = OldestSet::<T>::get();
            let mut oldest = begin.unwrap_or(newest);
            for _ in 0..skipped.saturating_add(FORGOTTEN_AT_ONCE.into()) {
                let kept = newest.saturating_sub(oldest).saturating_add(1);
                let has_expired = || {
                    let end = SetEnds::<T>::get(oldest).unwrap_or_default();
                    now.saturating_sub(end) > T::KeptBlocks::get()
                };
                if kept <= SETS_KEPT || (kept <= MAX_SETS && !has_expired()) {
                    break;
                }
                Sets::<T>::remove(oldest);
                SetEnds::<T>::remove(oldest);
                oldest = oldest.saturating_add(1);
            }
            if begin != Some(oldest) {
                OldestSet::<T>::put(oldest);
            }
        }
    }
}
