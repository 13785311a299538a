//! Attests L1 blocks and delivers their events, once and in order.
//!
//! ## Overview
//!
//! Every sequencer reads its own L1 node, k confirmations deep, and votes for
//! ranges of consecutive L1 blocks
//! ([`RelayVote`](cascoin_l2_primitives::relay::RelayVote)). When more than two thirds of
//! the sequencers agree on the next block it is *attested*. Its events then come
//! in pages, from anyone, each checked against the root the voters signed, and
//! are handed to [`Config::OnEvent`]; after the last page the block is
//! *applied*. That is the confirmation of every burn, the L1 clock and the
//! L1→L2 message queue in one mechanism (architecture.md, "L1 relay"; ledger O5,
//! O6, R4.1).
//!
//! **Votes count per L1 height, not per range.** A vote for 10..=12 counts for
//! 10, 11 and 12 separately, by digest. Sequencers whose L1 nodes are at
//! different tips therefore still agree on the part they share. Nothing is lost
//! by that: each digest names its predecessor's hash, so agreement on a digest is
//! agreement on all below it, and only a digest that stands on the last attested
//! block is ever attested.
//!
//! ## What holds
//!
//! - Blocks are attested and applied strictly by height, each standing on the
//!   one before; events are delivered in L1 order; none twice.
//! - An L2 block has events of one L1 block at most. So before the block with the first
//!   event of an L1 block the state has the effects of all L1 blocks below it, in full, and
//!   of none else: what a recovery goes back to (ADR 0033). Blocks without events are applied
//!   many at once all the same.
//! - Fewer than a third of the sequencers can neither attest anything nor keep
//!   the others from it.
//! - A vote counts only in the sequencer set it was signed for, once per voter
//!   and height, and an older vote that somebody replays changes nothing
//!   ([`tally`], [`TipTimes`]).
//! - All storage is bounded: 64 heights of at most 64 voters, a fork point of each, 64
//!   waiting blocks, 32,768 applied hashes, three terms, 128 accounts that withheld votes.
//! - L1 down, slow or lying to some: the chain goes on and the relay waits. If
//!   the quorum sees another history below the next block, that is shown as a
//!   [`Mismatch`] and nothing more is attested until the quorum's votes
//!   fit again, or more than two thirds attest where L1 forked
//!   ([`fork`], ADR 0026). Then the attested branch ends at that point, at most
//!   [`MAX_FORK_DEPTH`](cascoin_l2_primitives::relay::MAX_FORK_DEPTH) blocks below the
//!   highest that any fork replaced since the relay last was beyond all of them, and
//!   the new one is attested and delivered from there like any other.
//!
//! - Who keeps L1 from being attested by casting no vote, while more than half agree on the
//!   next block, is found and punished ([`withheld`], R17.6, ADR 0034); who votes never is.
//!
//! What it does not do: money. It neither judges nor credits a burn.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`vote`](Pallet::vote) | anyone, with a sequencer's signature inside | none | `Voted`, `Attested`, `ParentMismatch`, `BlockApplied` |
//! | [`apply_page`](Pallet::apply_page) | anyone, with a valid proof | none | `PageApplied`, `BlockApplied`, `EventCountMismatch` |
//! | [`vote_fork`](Pallet::vote_fork) | anyone, with a sequencer's signature inside | none | `ForkVoted`, `ForkAttested` |
//!
//! All are general transactions authorised by
//! [`AuthorizeCall`](frame_system::AuthorizeCall), which the runtime MUST have
//! among its transaction extensions.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub use pallet::*;

mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod fork;
mod l1_clock;
mod query;
pub mod tally;
pub mod types;
pub mod weights;
pub mod withheld;
mod worker;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod fork_property_tests;
#[cfg(test)]
mod fork_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod term_tests;
#[cfg(test)]
mod vote_tests;
#[cfg(test)]
mod withheld_property_tests;
#[cfg(test)]
mod withheld_tests;
#[cfg(test)]
mod worker_tests;

pub use weights::WeightInfo;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::{
        fork::{CastForkVotes, ForkStanding},
        tally::{Clock, HeightVotes},
        types::{BlockPages, Progress, Queue, Tips, APPLIED_HASHES_KEPT},
        withheld::{Sight, Times},
    };
    use cascoin_l2_primitives::{
        apis::ParentMismatch,
        chain::{AccountId, BlockNumber, ChainParameters, Moment, MAX_SEQUENCERS},
        l1::L1Hash,
        relay::{
            EventPage, ForkVote, L1BlockContext, L1BlockDigest, OnL1BlockApplied, OnL1Event,
            OnL1Fork, PageProof, RelayVote, MAX_RANGE,
        },
        sequencers::{Offence, OnOffence, SequencerSetProvider},
    };
    use frame_support::{pallet_prelude::*, traits::Time};
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
        frame_system::Config<Hash = H256> + CreateAuthorizedTransaction<Call<Self>>
    {
        /// The sequencers in force: who may vote, and with which key.
        type Sequencers: SequencerSetProvider;

        /// The chain's parameters. `l1_start` is read at genesis, so the pallet
        /// that provides them MUST stand before this one in the runtime.
        type Parameters: Get<ChainParameters>;

        /// L2 time, in milliseconds.
        type Time: Time<Moment = Moment>;

        /// Acts on the events.
        type OnEvent: OnL1Event;

        /// Told when a block is applied; `()` if nobody needs it.
        type OnApplied: OnL1BlockApplied;

        /// Told when applied blocks are replaced, and when the relay has caught up.
        type OnFork: OnL1Fork;

        /// Told of each sequencer that withheld its votes for too long.
        type OnOffence: OnOffence;

        /// Whether nobody is judged by its votes now, nor punished.
        type Unjudged: Get<bool>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The last L1 block that more than two thirds of the sequencers agreed on.
    #[pallet::storage]
    pub type Attested<T> = StorageValue<_, L1BlockDigest, ValueQuery>;

    /// The last L1 block all of whose events are applied.
    #[pallet::storage]
    pub type Applied<T> = StorageValue<_, L1BlockContext, ValueQuery>;

    /// Hashes of the last applied L1 blocks, by height.
    #[pallet::storage]
    pub type AppliedHashes<T> = StorageMap<_, Twox64Concat, u32, L1Hash, OptionQuery>;

    /// Attested blocks whose events are not all applied, lowest first. While it
    /// is not empty its first block has events.
    #[pallet::storage]
    pub type AttestedQueue<T> = StorageValue<_, Queue, ValueQuery>;

    /// How far the first block of the queue is.
    #[pallet::storage]
    pub type PageProgress<T> = StorageValue<_, Progress, ValueQuery>;

    /// Votes for the heights above the attested one.
    #[pallet::storage]
    pub type Votes<T> = StorageMap<_, Twox64Concat, u32, HeightVotes, ValueQuery>;

    /// The latest L1 tip time that each voter has named. A vote with an earlier
    /// one is old, also at heights where its voter has no vote (any more).
    #[pallet::storage]
    pub type TipTimes<T> = StorageValue<_, Tips, ValueQuery>;

    /// The sequencer set that [`Votes`] and [`TipTimes`] belong to.
    #[pallet::storage]
    pub type VotesSetId<T> = StorageValue<_, u64, ValueQuery>;

    /// Set while the quorum sees another history below the next block.
    #[pallet::storage]
    pub type Mismatch<T> = StorageValue<_, ParentMismatch, OptionQuery>;

    /// What voters say of where L1 forked from the attested branch.
    #[pallet::storage]
    pub type ForkVotes<T> = StorageValue<_, CastForkVotes, ValueQuery>;

    /// Set after applied blocks were replaced: the L1 height at which the relay is beyond
    /// all that was, and what has not come again is gone.
    #[pallet::storage]
    pub type Recovery<T> = StorageValue<_, u32, OptionQuery>;

    /// Blocks whose pages did not hold as many events as their digest said.
    #[pallet::storage]
    pub type EventCountMismatches<T> = StorageValue<_, u64, ValueQuery>;

    /// For how long accounts have kept L1 from being attested by casting no vote.
    #[pallet::storage]
    pub type WithheldTimes<T> = StorageValue<_, Times, ValueQuery>;

    /// What the last look at who withholds its votes found.
    #[pallet::storage]
    pub type LastSight<T> = StorageValue<_, Sight, OptionQuery>;

    /// The block in which votes of an old set were dropped last.
    #[pallet::storage]
    pub type VotesSince<T> = StorageValue<_, BlockNumber, ValueQuery>;

    /// Offences that are established and not punished yet, oldest first.
    #[pallet::storage]
    pub type Unpunished<T> =
        StorageValue<_, BoundedVec<Offence, ConstU32<MAX_SEQUENCERS>>, ValueQuery>;

    /// L1 hashes that seed the ranking of leaders, by term.
    #[pallet::storage]
    pub type RankingHash<T> = StorageMap<_, Twox64Concat, u32, L1Hash, OptionQuery>;

    /// The pages that this block has applied.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type PagesInBlock<T> = StorageValue<_, BlockPages, OptionQuery>;

    /// Starts at [`ChainParameters::l1_start`]; has no values of its own, so that
    /// there is one place for them.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        #[serde(skip)]
        _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let start = T::Parameters::get().l1_start;
            let digest =
                L1BlockDigest { height: start.height, hash: start.hash, ..Default::default() };
            Attested::<T>::put(digest);
            Applied::<T>::put(L1BlockContext::from(&digest));
            AppliedHashes::<T>::insert(start.height, start.hash);
            VotesSetId::<T>::put(T::Sequencers::set_id());
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A sequencer's vote was taken.
        Voted {
            /// Its index in the set.
            voter: u16,
            /// First height of the vote.
            first: u32,
            /// Heights at which it was taken.
            heights: u32,
        },
        /// More than two thirds agreed on the next L1 block.
        Attested {
            /// Its height.
            height: u32,
            /// Its hash.
            hash: L1Hash,
            /// Events in it.
            event_count: u32,
        },
        /// More than two thirds see another L1 history than the attested one.
        ParentMismatch {
            /// Height of the first block that does not fit.
            height: u32,
            /// The block that is attested below it.
            expected: L1Hash,
            /// What the voters see below it.
            attested: L1Hash,
        },
        /// The quorum's votes fit the attested history again.
        ParentMismatchResolved {
            /// Height that was attested.
            height: u32,
        },
        /// A page's events were handed on.
        PageApplied {
            /// Height of its L1 block.
            height: u32,
            /// Its index.
            page: u32,
            /// Events in it.
            events: u32,
        },
        /// All events of an L1 block are applied.
        BlockApplied {
            /// Its height.
            height: u32,
            /// Its hash.
            hash: L1Hash,
            /// Events in it.
            events: u32,
        },
        /// A block's pages did not hold as many events as its digest said: the
        /// voters signed a digest that contradicts itself.
        EventCountMismatch {
            /// Height of the block.
            height: u32,
            /// Events its digest promised.
            expected: u32,
            /// Events its pages held.
            seen: u32,
        },
        /// A sequencer's vote for a fork point was taken.
        ForkVoted {
            /// Its index in the set.
            voter: u16,
            /// Height of the last block that L1 still has.
            height: u32,
            /// What L1 has above it.
            branch: L1Hash,
        },
        /// More than two thirds agreed where L1 left the attested branch. The relay goes
        /// on from there.
        ForkAttested {
            /// Height of the last block that stays.
            height: u32,
            /// Its hash.
            hash: L1Hash,
            /// What L1 has above it.
            branch: L1Hash,
            /// Height of the last attested block, which goes.
            replaced_height: u32,
            /// Its hash.
            replaced: L1Hash,
        },
        /// The new branch is applied beyond all that it replaced.
        Recovered {
            /// Height of the last applied block.
            height: u32,
        },
        /// What is attested goes back to a block that L1 kept, and is attested and delivered
        /// again from there: the state that its events had changed went back (ADR 0033).
        Rewound {
            /// Height of the block.
            height: u32,
            /// Height up to which all had been applied.
            applied: u32,
        },
        /// The sequencer set changed; the votes of the old one are void.
        VotesDropped {
            /// The new set.
            set_id: u64,
        },
        /// A sequencer has kept L1 from being attested for too long by casting no vote, while
        /// more than half agreed on the next block (R17.6). It is punished in the next blocks.
        VotesWithheld {
            /// The sequencer.
            sequencer: AccountId,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The vote was signed for another sequencer set.
        WrongSet,
        /// The blocks of the vote do not form a chain.
        MalformedRange,
        /// The vote changes nothing.
        NothingNew,
        /// No page is due.
        NoPageDue,
        /// Another page is due.
        WrongPage,
        /// The page does not stand under its block's root.
        WrongProof,
        /// The fork vote was cast for another last attested block.
        StaleFork,
        /// The fork point does not stand on what is attested, or does not leave it.
        NoFork,
        /// More attested blocks would go than one fork may remove, or several together
        /// before the relay is beyond what they replaced.
        ForkTooDeep,
        /// The block has pages of another L1 block.
        OneL1BlockABlock,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(block: BlockNumberFor<T>) -> Weight {
            PagesInBlock::<T>::kill();
            Self::record_ranking_hash(block.saturated_into());
            let mut weight = T::WeightInfo::on_initialize();
            if Self::drop_votes_of_old_set() {
                weight.saturating_accrue(T::WeightInfo::drop_votes());
            }
            weight.saturating_add(Self::watch(block.saturated_into()))
        }

        fn offchain_worker(block: BlockNumberFor<T>) {
            worker::run::<T>(block.saturated_into());
        }

        fn integrity_test() {
            let page = Self::page_weight(cascoin_l2_primitives::relay::MAX_EVENTS_PER_PAGE)
                .saturating_add(Self::settle_weight(Self::MAX_SETTLED));
            let limits = T::BlockWeights::get();
            let limit =
                limits.get(DispatchClass::Operational).max_extrinsic.unwrap_or(limits.max_block);
            assert!(
                page.all_lte(limit),
                "a full page ({page}) must fit into a block ({limit}), or the relay stands still",
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    // An authorised transaction has no signer and pays nothing. None of the calls
    // is `Pays::No`: sent by a signer it fails, and must cost what it weighs.
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Casts a sequencer's vote for a range of L1 blocks.
        ///
        /// ## Dispatch Origin
        /// Authorised: the transaction carries the vote's own signature.
        ///
        /// ## Errors
        /// - [`Error::WrongSet`], [`Error::MalformedRange`]: not a vote that this
        ///   set could cast;
        /// - [`Error::NothingNew`]: nothing would change.
        ///
        /// ## Events
        /// `Voted`; for what it decides `Attested`, `BlockApplied`,
        /// `ParentMismatch`, `ParentMismatchResolved`.
        #[pallet::call_index(0)]
        #[pallet::authorize(Self::authorize_vote)]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_vote(vote.range.0.len() as u32))]
        #[pallet::weight((
            T::WeightInfo::vote(MAX_RANGE)
                .saturating_add(Pallet::<T>::settle_weight(Pallet::<T>::MAX_SETTLED)),
            DispatchClass::Operational,
        ))]
        pub fn vote(origin: OriginFor<T>, vote: RelayVote) -> DispatchResultWithPostInfo {
            ensure_authorized(origin)?;
            Self::drop_votes_of_old_set();
            ensure!(vote.set_id == T::Sequencers::set_id(), Error::<T>::WrongSet);
            ensure!(vote.range.is_well_formed(), Error::<T>::MalformedRange);

            let mut tips = TipTimes::<T>::get();
            ensure!(vote.tip_time >= tips.of(vote.voter), Error::<T>::NothingNew);
            let (taken, withdrawn) = Self::cast(&vote);
            ensure!(taken > 0, Error::<T>::NothingNew);
            tips.note(vote.voter, vote.tip_time, T::Time::now());
            TipTimes::<T>::put(tips);
            Self::deposit_event(Event::Voted {
                voter: vote.voter,
                first: vote.range.first(),
                heights: taken,
            });
            let settled = Self::attest();
            let touched = (vote.range.0.len() as u32).saturating_add(withdrawn);
            let weight = T::WeightInfo::vote(touched).saturating_add(Self::settle_weight(settled));
            Ok(Some(weight).into())
        }

        /// Delivers the page that is due.
        ///
        /// ## Dispatch Origin
        /// Authorised: the transaction carries the page's proof.
        ///
        /// ## Errors
        /// - [`Error::NoPageDue`], [`Error::WrongPage`]: not this page's turn;
        /// - [`Error::WrongProof`]: not a page of the block;
        /// - [`Error::OneL1BlockABlock`]: this L2 block has pages of another.
        ///
        /// ## Events
        /// `PageApplied`; after the last page `BlockApplied`, and
        /// `EventCountMismatch` if the voters' digest contradicts itself; then
        /// whatever votes that had to wait decide.
        #[pallet::call_index(1)]
        #[pallet::authorize(Self::authorize_apply_page)]
        #[pallet::weight_of_authorize(
            T::WeightInfo::authorize_apply_page(page.events.len() as u32)
        )]
        #[pallet::weight((
            Pallet::<T>::page_weight(page.events.len() as u32)
                .saturating_add(Pallet::<T>::settle_weight(Pallet::<T>::MAX_SETTLED)),
            DispatchClass::Operational,
        ))]
        pub fn apply_page(
            origin: OriginFor<T>,
            height: u32,
            page: EventPage,
            proof: PageProof,
        ) -> DispatchResultWithPostInfo {
            ensure_authorized(origin)?;
            let block = Self::check_page(height, &page, &proof)?;

            let context = L1BlockContext::from(&block);
            for event in &page.events {
                T::OnEvent::on_event(event, &context);
            }
            let events = page.events.len() as u32;
            Self::deposit_event(Event::PageApplied { height, page: page.index, events });
            let mut progress = PageProgress::<T>::get();
            progress.events = progress.events.saturating_add(events);
            progress.count = page.count;
            progress.page = page.index.saturating_add(1);

            let mut settled = 0;
            if progress.page == page.count {
                PageProgress::<T>::kill();
                settled = Self::finish_block(&block, progress.events);
                settled = settled.saturating_add(Self::attest());
            } else {
                PageProgress::<T>::put(progress);
            }
            let weight = Self::page_weight(events);
            let used = PagesInBlock::<T>::get().map_or(Weight::zero(), |pages| pages.weight);
            let used = used.saturating_add(weight);
            PagesInBlock::<T>::put(BlockPages { height, weight: used });
            Ok(Some(weight.saturating_add(Self::settle_weight(settled))).into())
        }

        /// Casts a sequencer's vote that L1 left the attested branch. The quorum's last
        /// one has the relay go on from the fork point.
        ///
        /// ## Dispatch Origin
        /// Authorised: the transaction carries the vote's own signature.
        ///
        /// ## Errors
        /// - [`Error::WrongSet`]: not a vote that this set could cast;
        /// - [`Error::StaleFork`], [`Error::NoFork`], [`Error::ForkTooDeep`]: the relay
        ///   cannot go on from there;
        /// - [`Error::NothingNew`]: nothing would change.
        ///
        /// ## Events
        /// `ForkVoted`; for what it decides `ForkAttested`.
        #[pallet::call_index(2)]
        #[pallet::authorize(Self::authorize_vote_fork)]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_vote_fork())]
        #[pallet::weight((
            T::WeightInfo::vote_fork().saturating_add(T::OnFork::max_fork_weight()),
            DispatchClass::Operational,
        ))]
        pub fn vote_fork(origin: OriginFor<T>, vote: ForkVote) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::drop_votes_of_old_set();
            ensure!(vote.set_id == T::Sequencers::set_id(), Error::<T>::WrongSet);
            Self::check_fork(&vote.fork)?;
            let standing = Self::fork_standing(vote.voter, &vote.fork, vote.tip_time);
            ensure!(standing == ForkStanding::Taken, Error::<T>::NothingNew);
            Self::cast_fork(&vote);
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// Most blocks one call attests or applies: all heights that can have
        /// votes, and all that can wait.
        pub(crate) const MAX_SETTLED: u32 = 2 * MAX_RANGE + types::MAX_QUEUE;

        /// Weight of a page with `events` events and of all they cause.
        pub(crate) fn page_weight(events: u32) -> Weight {
            T::WeightInfo::apply_page(events)
                .saturating_add(T::OnEvent::max_event_weight().saturating_mul(u64::from(events)))
        }

        /// Weight of attesting or applying `blocks` blocks.
        pub(crate) fn settle_weight(blocks: u32) -> Weight {
            let told = T::OnApplied::max_applied_weight().saturating_mul(u64::from(blocks));
            // A recovery ends at one of them.
            let recovered = if blocks > 0 { T::OnFork::max_fork_weight() } else { Weight::zero() };
            T::WeightInfo::settle(blocks).saturating_add(told).saturating_add(recovered)
        }

        pub(crate) fn clock() -> Clock {
            Clock {
                block: frame_system::Pallet::<T>::block_number().saturated_into(),
                now: T::Time::now(),
                timeout_ms: T::Parameters::get().mint_timeout_ms,
            }
        }

        /// The heights that votes are taken for.
        pub(crate) fn window() -> core::ops::RangeInclusive<u32> {
            let attested = Attested::<T>::get().height;
            match attested.checked_add(1) {
                Some(first) => first..=attested.saturating_add(MAX_RANGE),
                #[allow(clippy::reversed_empty_ranges)]
                None => 1..=0,
            }
        }

        // Casts the vote at each height of the window. A voter that changes its
        // mind at a height has left the branch above it too: what it said of
        // heights beyond its new range is withdrawn. Returns the numbers of
        // heights where it was taken and withdrawn.
        fn cast(vote: &RelayVote) -> (u32, u32) {
            let (window, clock) = (Self::window(), Self::clock());
            let (mut taken, mut withdrawn, mut changed) = (0, 0, false);
            let mut last = 0;
            for digest in &vote.range.0 {
                last = digest.height;
                if !window.contains(&digest.height) {
                    continue;
                }
                let mut votes = Votes::<T>::get(digest.height);
                let standing = votes.cast(vote.voter, digest, vote.tip_time, clock);
                if standing.is_taken() {
                    taken += 1;
                    changed |= standing == tally::Standing::Replaces;
                    Votes::<T>::insert(digest.height, votes);
                }
            }
            if changed {
                for height in last.saturating_add(1)..=*window.end() {
                    let mut votes = Votes::<T>::get(height);
                    withdrawn += 1;
                    if votes.withdraw(vote.voter) {
                        Self::put_votes(height, votes);
                    }
                }
            }
            (taken, withdrawn)
        }

        fn put_votes(height: u32, votes: HeightVotes) {
            if votes.0.is_empty() {
                Votes::<T>::remove(height);
            } else {
                Votes::<T>::insert(height, votes);
            }
        }

        // Attests as many blocks as have a quorum and stand on each other.
        // Returns how many blocks it touched.
        pub(crate) fn attest() -> u32 {
            let members = T::Sequencers::members();
            let needed = T::Parameters::get().min_sequencers.max(1) as usize;
            if members < needed {
                return 0;
            }
            let quorum = T::Sequencers::quorum();
            let mut queue = AttestedQueue::<T>::get();
            let mut settled = 0;
            loop {
                let attested = Attested::<T>::get();
                let Some(height) = attested.height.checked_add(1) else { break };
                let Some(next) = Votes::<T>::get(height).winner(quorum).copied() else { break };
                if next.previous != attested.hash {
                    // Also while blocks wait: what they bring must not be minted then.
                    Self::note_mismatch(height, attested.hash, next.previous);
                    break;
                }
                if queue.is_full() {
                    break;
                }
                if Mismatch::<T>::take().is_some() {
                    Self::deposit_event(Event::ParentMismatchResolved { height });
                }
                Votes::<T>::remove(height);
                // They were for another last block.
                ForkVotes::<T>::kill();
                Attested::<T>::put(next);
                Self::deposit_event(Event::Attested {
                    height,
                    hash: next.hash,
                    event_count: next.event_count,
                });
                settled += 1;
                if queue.is_empty() && next.event_count == 0 {
                    Self::block_applied(&next, 0);
                    settled += 1;
                } else if queue.try_push(next).is_ok() {
                    AttestedQueue::<T>::put(&queue);
                }
            }
            settled
        }

        fn note_mismatch(height: u32, expected: L1Hash, attested: L1Hash) {
            let mismatch = ParentMismatch { height, expected, attested };
            if Mismatch::<T>::get() != Some(mismatch) {
                log::error!(
                    target: "l1-relay",
                    "L1 reorganised below what is attested: block {height} stands on {attested}, not on {expected}",
                );
                Mismatch::<T>::put(mismatch);
                Self::deposit_event(Event::ParentMismatch { height, expected, attested });
            }
        }

        /// Checks that `page` is the one that is due, and returns its block.
        pub(crate) fn check_page(
            height: u32,
            page: &EventPage,
            proof: &PageProof,
        ) -> Result<L1BlockDigest, Error<T>> {
            let block = *AttestedQueue::<T>::get().first().ok_or(Error::<T>::NoPageDue)?;
            let progress = PageProgress::<T>::get();
            let same_count = progress.page == 0 || page.count == progress.count;
            if block.height != height || page.index != progress.page || !same_count {
                return Err(Error::<T>::WrongPage);
            }
            // A block may have dropped and replaced the L1 block itself: that is none below.
            let of_another = PagesInBlock::<T>::get().is_some_and(|pages| pages.height != height);
            ensure!(!of_another, Error::<T>::OneL1BlockABlock);
            proof.verify(page, &block.pages_root).map_err(|_| Error::<T>::WrongProof)?;
            Ok(block)
        }

        // The first block of the queue is done: takes it and the blocks without
        // events behind it out. Returns how many that are.
        pub(crate) fn finish_block(block: &L1BlockDigest, seen: u32) -> u32 {
            if seen != block.event_count {
                EventCountMismatches::<T>::mutate(|count| *count = count.saturating_add(1));
                Self::deposit_event(Event::EventCountMismatch {
                    height: block.height,
                    expected: block.event_count,
                    seen,
                });
            }
            let mut queue = AttestedQueue::<T>::get();
            if !queue.is_empty() {
                queue.remove(0);
            }
            Self::block_applied(block, seen);
            let mut finished = 1;
            while let Some(empty) = queue.first().copied().filter(|next| next.event_count == 0) {
                queue.remove(0);
                Self::block_applied(&empty, 0);
                finished += 1;
            }
            AttestedQueue::<T>::put(queue);
            finished
        }

        pub(crate) fn block_applied(block: &L1BlockDigest, events: u32) {
            let context = L1BlockContext::from(block);
            Applied::<T>::put(context);
            AppliedHashes::<T>::insert(block.height, block.hash);
            if let Some(old) = block.height.checked_sub(APPLIED_HASHES_KEPT) {
                AppliedHashes::<T>::remove(old);
            }
            T::OnApplied::on_applied(&context);
            Self::deposit_event(Event::BlockApplied {
                height: block.height,
                hash: block.hash,
                events,
            });
            Self::recover(block.height);
        }

        // Votes are signed for one set and must not count in another. Returns
        // whether the set changed.
        pub(crate) fn drop_votes_of_old_set() -> bool {
            let set_id = T::Sequencers::set_id();
            if VotesSetId::<T>::get() == set_id {
                return false;
            }
            VotesSetId::<T>::put(set_id);
            VotesSince::<T>::put(Self::clock().block);
            TipTimes::<T>::kill();
            ForkVotes::<T>::kill();
            let had = Self::window().fold(false, |had, height| {
                let votes = Votes::<T>::take(height);
                had || !votes.0.is_empty()
            });
            if had {
                Self::deposit_event(Event::VotesDropped { set_id });
            }
            true
        }

        // At the first block of term T the state is that of the end of T − 1, so
        // what is applied now seeds T + 1.
        fn record_ranking_hash(block: u32) {
            let blocks_per_leader = T::Parameters::get().blocks_per_leader.max(1);
            let Some(index) = block.checked_sub(1) else { return };
            if index % blocks_per_leader != 0 {
                return;
            }
            let term = index / blocks_per_leader;
            if term > 0 {
                RankingHash::<T>::insert(term.saturating_add(1), Applied::<T>::get().hash);
            }
            if let Some(old) = term.checked_sub(2) {
                RankingHash::<T>::remove(old);
            }
        }
    }
}
