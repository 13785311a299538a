//! Counts who makes blocks and who signs them, and finds sequencers that are not
//! there (`SEQ_OFFLINE`) or not in time (`SEQ_TIMEOUT`).
//!
//! ## Overview
//!
//! A block's signatures stand beside it and not in its hash. So each block says in
//! an inherent ([`note`](Pallet::note)) whose precommits its leader has of the
//! block before, and who led the rounds of its own height that failed. Sequencers
//! check both before they vote: that they know these precommits themselves, and that
//! the schedule names these leaders. It says too whose votes of any kind its leader heard,
//! which nobody checks and which only speaks for who is named.
//!
//! Counted for each sequencer of the set in force: blocks made, heights at which it
//! led a round in vain, blocks signed and not signed. A session's counts stand in
//! one value, written with each block, and are added to the sequencer's own when the
//! session is over. Who then has signed less than [`Config::MinUptime`] of the
//! session's blocks was *offline*, and who led rounds in vain *timed out*: that is
//! recorded and told to [`Config::OnOffence`], once for each session. A session in
//! which the first leader failed at more than one of a hundred heights is told to
//! [`Config::OnLowLiveness`] (R25.5). Everybody's share of the session goes to
//! [`Config::OnSessionJudged`].
//!
//! A change of the set between two regular ends cuts a session in two, each of which is
//! paid for. Judged is at regular ends only, by all that was counted since the last one, and
//! who leaves, when it leaves. Who has not seen half a session by then is judged with the
//! next one. So cuts neither excuse anybody nor multiply what an absence costs.
//!
//! Kept, too, is in which leaders' terms each one began to be missing
//! (`absences`). Once in an epoch each sequencer's node looks through all pairs of the set
//! and [reports](Pallet::report_correlation_unsigned) those that go missing together more
//! often than chance explains ([`correlation`]); anybody may
//! [name two](Pallet::report_correlation) as well. [`Config::OnCorrelation`] is told of them
//! (R22.1).
//!
//! ## What holds
//!
//! - Every block has the inherent, once, or is invalid; its signers are a quorum of
//!   the set that signed the parent, which is the old set in the first block of a
//!   new one. The first block of the chain names nobody: genesis is not signed.
//! - Nobody counts as present who has not signed: more than a third of the
//!   sequencers, all honest, have checked that. Absent may count who is late, and
//!   whom a lying leader leaves out: nobody can tell the two apart. So only who
//!   misses most of a session's blocks is offline, which takes more than a few
//!   liars' blocks. Nobody is judged by less than half a session.
//! - Storage is bounded: one value of 64 tallies and one of 64 tenures, one entry for each
//!   member of the set in force, removed when it leaves the set, [`MAX_OFFENCES`] records,
//!   and 13 bytes of each of the last [`MAX_RECORDS`](types::MAX_RECORDS) terms in which
//!   somebody began to be missing.
//! - Two honest sequencers are not found to be correlated by what a third of the sequencers
//!   say or withhold, unless an honest leader really hears nothing of both ([`correlation`],
//!   ADR 0018).
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`note`](Pallet::note) | inherent, mandatory | none | `SequencerOffline`, `SequencerTimedOut` |
//! | [`report_correlation`](Pallet::report_correlation) | anybody | none if it is so, else fee | `CorrelationFound` |
//! | [`report_correlation_unsigned`](Pallet::report_correlation_unsigned) | a sequencer's node, in its own block | none | `CorrelationFound` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod absences;
mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod correlation;
mod count;
mod query;
pub mod types;
pub mod weights;
mod worker;

#[cfg(test)]
mod correlation_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod pair_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worker_tests;

pub use pallet::*;
pub use weights::{EstimatedWeight, WeightInfo};

/// Records of sequencers that were offline or too late kept.
pub const MAX_OFFENCES: u32 = 64;
/// Share of a session's blocks that their first leaders should make, in thousandths
/// (R25.5).
pub const MIN_LIVENESS_PERMILLE: u16 = 990;
/// Offences of one sequencer in one session: offline and too late.
const MAX_OFFENCES_EACH: u32 = 2;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::{
        correlation::Testimony,
        types::{Accounts, RecordPage, Session, Tenures, Total},
    };
    use cascoin_l2_primitives::{
        chain::{AccountId, BlockNumber, MAX_SEQUENCERS},
        sequencers::{
            Commit, Offence, OnCorrelation, OnLowLiveness, OnOffence, OnSessionJudged,
            ParticipationData, ParticipationError, SequencerBits, SequencerSetProvider,
            PARTICIPATION_IDENTIFIER,
        },
    };
    use frame_support::pallet_prelude::*;
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
    use sp_inherents::InherentIdentifier;
    use sp_runtime::SaturatedConversion;

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId> + CreateAuthorizedTransaction<Call<Self>>
    {
        /// The sequencers in force. They are read at the end of each block, so the
        /// pallets that hold them MUST stand before this one in the runtime. Where a block
        /// is made by others than the last one left behind, since they took over, it MUST be
        /// told at once ([`Pallet::follow`]).
        type Sequencers: SequencerSetProvider;

        /// Who made the block. MUST be looked up before a session ends.
        type Author: Get<Option<AccountId>>;

        /// Blocks of a session; 0: one without end.
        type SessionBlocks: Get<BlockNumber>;

        /// Blocks after which sequencers' nodes look for pairs again: an epoch; 0: they never
        /// do.
        type ReportInterval: Get<BlockNumber>;

        /// Who signs less than this share of a session's blocks, in thousandths, was
        /// offline.
        type MinUptime: Get<u16>;

        /// Told of each sequencer that was offline, and of each that was too late.
        type OnOffence: OnOffence;

        /// Told of a session in which first leaders made less than
        /// [`MIN_LIVENESS_PERMILLE`] of the blocks.
        type OnLowLiveness: OnLowLiveness;

        /// Told of two sequencers that go missing together.
        type OnCorrelation: OnCorrelation;

        /// Told of each session that is over, after its offences.
        type OnSessionJudged: OnSessionJudged;

        /// Weights of the inherent and the hooks.
        type WeightInfo: WeightInfo;
    }

    /// The set that makes and signs the block after the last one.
    #[pallet::storage]
    pub type Members<T> = StorageValue<_, Accounts, ValueQuery>;

    /// How many of them may lead.
    #[pallet::storage]
    pub type LeaderCount<T> = StorageValue<_, u32, ValueQuery>;

    /// Its id.
    #[pallet::storage]
    pub type MembersSetId<T> = StorageValue<_, u64, ValueQuery>;

    /// The set that signed the last block, with its id, if it was its last one.
    #[pallet::storage]
    pub type Outgoing<T> = StorageValue<_, (u64, Accounts), OptionQuery>;

    /// The session that runs, of the set that signed the last block.
    #[pallet::storage]
    pub type Current<T> = StorageValue<_, Session, ValueQuery>;

    /// What the members of the set did in the sessions before.
    #[pallet::storage]
    pub type Totals<T> = StorageMap<_, Blake2_128Concat, AccountId, Total, OptionQuery>;

    /// The last sequencers that were offline or too late, oldest first.
    #[pallet::storage]
    pub type Offences<T> = StorageValue<_, BoundedVec<Offence, ConstU32<MAX_OFFENCES>>, ValueQuery>;

    /// In which of the last terms who began to be missing: a ring, in pages.
    #[pallet::storage]
    pub type AbsencePages<T> = StorageMap<_, Twox64Concat, u32, RecordPage, ValueQuery>;

    /// Since when the members of the set that signed the last block are in it, and how often
    /// they led, by index.
    #[pallet::storage]
    pub type LeaderTenures<T> = StorageValue<_, Tenures, ValueQuery>;

    /// Whether this block had its inherent.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Noted<T> = StorageValue<_, bool, ValueQuery>;

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
            let members = Pallet::<T>::read_set();
            LeaderCount::<T>::put(Pallet::<T>::read_leaders());
            Current::<T>::put(Session::of(members.len()));
            LeaderTenures::<T>::put(Pallet::<T>::new_tenures(members.len(), 0));
            Members::<T>::put(members);
            MembersSetId::<T>::put(T::Sequencers::set_id());
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A sequencer signed too few of the blocks of a session (`SEQ_OFFLINE`).
        SequencerOffline {
            /// The sequencer.
            sequencer: AccountId,
            /// Share of the session's blocks that it signed, in thousandths.
            uptime_permille: u16,
        },
        /// A sequencer led rounds of a session in vain (`SEQ_TIMEOUT`).
        SequencerTimedOut {
            /// The sequencer.
            sequencer: AccountId,
            /// Heights at which it did.
            missed_proposals: u32,
        },
        /// In a session that ended first leaders made too few of the blocks (R25.5).
        LivenessLow {
            /// Their share, in thousandths.
            liveness_permille: u16,
        },
        /// Two sequencers go missing together more often than chance explains (R22.1).
        /// Counted are the terms in which they began to be missing, of the leaders that are
        /// heard.
        CorrelationFound {
            /// One.
            first: AccountId,
            /// The other.
            second: AccountId,
            /// Terms that count.
            terms: u32,
            /// In which the first one began.
            first_began: u32,
            /// In which the second one did.
            second_began: u32,
            /// In which both did.
            together: u32,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// This block has its inherent already.
        NotedAlready,
        /// The signers are no quorum of the set, or not of the set at all.
        NoQuorum,
        /// Genesis has signers, by this.
        GenesisIsNotSigned,
        /// There are more or fewer leaders than failed rounds, or they are not of the
        /// set.
        WrongLeaders,
        /// The account is not in the set that signs.
        NotAMember,
        /// It is the same account twice.
        NoPair,
        /// Chance explains it.
        NotCorrelated,
        /// It is known of the two already.
        KnownAlready,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        // The weight of what the end of the block does. A new set's id shows at the
        // beginning of the block that puts it in force.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            let mut weight = T::WeightInfo::block();
            if MembersSetId::<T>::get() != T::Sequencers::set_id() {
                weight.saturating_accrue(T::WeightInfo::note_set());
            }
            weight
        }

        /// # Panics
        /// If the block has no inherent. That makes it invalid, whoever checks it, as
        /// with the time stamp.
        fn on_finalize(_: BlockNumberFor<T>) {
            assert!(Noted::<T>::take(), "Participation must be noted once in the block");
            // They decide the schedule of the next block, whatever its beginning changes.
            Self::follow();
        }

        fn offchain_worker(now: BlockNumberFor<T>) {
            worker::run::<T>(now.saturated_into());
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Notes who signed the last block, and in which round; who voted for anything at
        /// its height, as far as the leader heard; and who led this height's failed rounds.
        ///
        /// ## Dispatch Origin
        /// None: an inherent.
        ///
        /// ## Errors
        /// Each makes the block invalid: [`Error::NotedAlready`], [`Error::NoQuorum`],
        /// [`Error::GenesisIsNotSigned`], [`Error::WrongLeaders`].
        ///
        /// ## Events
        /// `SequencerTimedOut`, `SequencerOffline` and `LivenessLow`, when a session is
        /// over.
        #[pallet::call_index(0)]
        #[pallet::weight((
            T::WeightInfo::note_last(MAX_SEQUENCERS)
                .saturating_add(T::WeightInfo::follow_set())
                .saturating_add(
                    T::OnOffence::max_offence_weight()
                        .saturating_mul((MAX_OFFENCES_EACH * MAX_SEQUENCERS).into()),
                )
                .saturating_add(T::OnLowLiveness::max_low_liveness_weight())
                .saturating_add(T::OnSessionJudged::max_judgement_weight()),
            DispatchClass::Mandatory,
        ))]
        pub fn note(
            origin: OriginFor<T>,
            round: u16,
            signers: SequencerBits,
            heard: SequencerBits,
            failed_leaders: SequencerBits,
        ) -> DispatchResultWithPostInfo {
            ensure_none(origin)?;
            ensure!(!Noted::<T>::get(), Error::<T>::NotedAlready);
            Noted::<T>::put(true);
            let weight = Self::count(Commit { round, signers }, heard, failed_leaders)?;
            Ok(Some(weight).into())
        }

        /// Names two sequencers that go missing together. Free if that is so.
        ///
        /// ## Dispatch Origin
        /// Signed.
        ///
        /// ## Errors
        /// [`Error::NoPair`], [`Error::NotAMember`], [`Error::KnownAlready`],
        /// [`Error::NotCorrelated`].
        ///
        /// ## Events
        /// `CorrelationFound`.
        #[pallet::call_index(1)]
        #[pallet::weight(
            T::WeightInfo::report_correlation().saturating_add(T::OnCorrelation::max_weight())
        )]
        pub fn report_correlation(
            origin: OriginFor<T>,
            first: AccountId,
            second: AccountId,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::correlate(first, second)?;
            Ok(Pays::No.into())
        }

        /// As [`report_correlation`](Pallet::report_correlation), by a sequencer's node, which
        /// looks for pairs by itself. Nodes do not pass it on: it stands in blocks of those
        /// who found it, and once.
        ///
        /// ## Dispatch Origin
        /// Authorised: the records prove it.
        ///
        /// ## Errors
        /// As [`report_correlation`](Pallet::report_correlation).
        ///
        /// ## Events
        /// `CorrelationFound`.
        #[pallet::call_index(2)]
        #[pallet::authorize(Self::authorize_correlation)]
        #[pallet::weight_of_authorize(
            T::WeightInfo::report_correlation().saturating_add(T::OnCorrelation::max_weight())
        )]
        #[pallet::weight(
            T::WeightInfo::report_correlation().saturating_add(T::OnCorrelation::max_weight())
        )]
        pub fn report_correlation_unsigned(
            origin: OriginFor<T>,
            first: AccountId,
            second: AccountId,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::correlate(first, second)?;
            Ok(())
        }
    }

    #[pallet::inherent]
    impl<T: Config> ProvideInherent for Pallet<T> {
        type Call = Call<T>;
        type Error = ParticipationError;
        const INHERENT_IDENTIFIER: InherentIdentifier = PARTICIPATION_IDENTIFIER;

        fn create_inherent(data: &InherentData) -> Option<Self::Call> {
            let data = Self::data(data)?;
            let Commit { round, signers } = data.best();
            let ParticipationData { heard, failed_leaders, .. } = data;
            Some(Call::note { round, signers, heard, failed_leaders })
        }

        fn check_inherent(call: &Self::Call, data: &InherentData) -> Result<(), Self::Error> {
            let Call::note { round, signers, failed_leaders, .. } = call else { return Ok(()) };
            let data = Self::data(data).ok_or(ParticipationError::NoData)?;
            data.check(Commit { round: *round, signers: *signers }, *failed_leaders)
        }

        fn is_inherent(call: &Self::Call) -> bool {
            matches!(call, Call::note { .. })
        }
    }

    impl<T: Config> Pallet<T> {
        /// What leaders say of two, if chance does not explain it and it says something new.
        pub(crate) fn find_correlation(
            first: &AccountId,
            second: &AccountId,
        ) -> Result<Testimony, Error<T>> {
            ensure!(first != second, Error::<T>::NoPair);
            ensure!(!T::OnCorrelation::is_known(first, second), Error::<T>::KnownAlready);
            let found = Self::testimony(first, second)?;
            ensure!(found.is_correlated(), Error::<T>::NotCorrelated);
            Ok(found)
        }

        fn correlate(first: AccountId, second: AccountId) -> Result<(), Error<T>> {
            let found = Self::find_correlation(&first, &second)?.sum();
            T::OnCorrelation::on_correlation(&first, &second);
            Self::deposit_event(Event::CorrelationFound {
                first,
                second,
                terms: found.terms,
                first_began: found.first,
                second_began: found.second,
                together: found.together,
            });
            Ok(())
        }

        fn data(data: &InherentData) -> Option<ParticipationData> {
            data.get_data(&PARTICIPATION_IDENTIFIER).ok().flatten()
        }
    }
}
