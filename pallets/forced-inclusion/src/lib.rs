//! Transactions that stand on L1 are included, whatever sequencers want (R17).
//!
//! ## Overview
//!
//! - Whom sequencers censor puts a signed transaction on L1
//!   (`cascoin_l2_primitives::l1::forced`). The relay tells of it, and it waits here.
//! - While it waits, each node's off-chain worker submits it to the node's pool, so
//!   leaders that censor nothing include it at once, like any other. Where that does not
//!   help, leaders are asked for it.
//! - When its time is over ([`Config::Deadline`]) and its nonce is not used, **the runtime
//!   applies it itself** as a block begins: signature, nonce, fee and limits as always.
//!   That is part of executing the block. A leader cannot leave it out: a block without
//!   it has another state root, no honest sequencer votes for it, and no node imports it.
//! - What cannot be included then is dropped, with an event that says why: nobody need
//!   wait for a nonce or a fee that may never come.
//!
//! ## The time
//!
//! It begins with the median time of the L1 block that holds the transaction, which is
//! never later than that block. A transaction of which the relay tells late still has
//! a twenty-fourth of the deadline, half of it for pools and half in which leaders are asked
//! for it, so that a set that lags behind L1 is asked as well. What is overdue is judged by
//! the parent's time, since a block has none yet when it begins.
//!
//! ## What holds
//!
//! - The queue is first in, first out, and of each block one is settled. L1 blocks bring
//!   at most four, and come far less often than blocks here, so no queue builds up
//!   behind others.
//! - Storage: at most what L1 brings within a deadline, each at most
//!   [`MAX_FORCED_BYTES`] long. There is no place to run out of, so nobody can be crowded
//!   out here; in an L1 block those that pay most there come first. While
//!   [`Config::Halted`] says so nothing is settled, and what L1 brings then waits besides,
//!   however long that takes: at most four for each of its blocks, at L1's price. When it is
//!   over one is settled in each block, so the queue is short again within minutes.
//! - A transaction that finds no room is tried again for [`MAX_TRIES`] blocks: nobody can
//!   hold up the queue with one that fits no block.
//! - What it does is what it would do in a block. It emits no `ExtrinsicSuccess`; its
//!   events are those of the block's beginning, with `Settled` behind them.
//!
//! ## Who left it out
//!
//! For a twenty-fourth of the deadline leaders are left to take it from their pools, where it
//! is a transaction like any other; for half of what is left of it, if it is heard late. From
//! then on, as each block begins, the runtime looks for one of those that wait which this
//! block could begin with: the nonce is the account's next, the account can pay, and there is
//! room. It *asks* the block's leader for it ([`Duty`](pallet::Duty)). The runtime also makes the
//! inherent that includes it ([`include`](pallet::Pallet::include)), from the same state, so
//! a leader whose program is unchanged always does, whatever its pool holds. A leader that
//! does not is free to; it is noted ([`LeftOut`](pallet::LeftOut)).
//!
//! When the runtime has to apply the transaction after all, or drops it for want of coins or
//! room, each leader that left it out in [`MIN_LEFT_OUT`] blocks or more has *censored* it: one count for each transaction, one
//! offence for each epoch, and the third epoch within a month makes a repeat offender
//! ([`Censors`]). [`Config::OnOffence`] punishes (R17.3, R17.5). ADR 0032 says why.
//!
//! - Nobody is blamed for what could not be included: it is judged by the state at the
//!   beginning of the very block. Coins that come and go, other transactions of the account,
//!   and full pools make no difference. Nor does it help whoever left it out that the coins
//!   or the room are gone when its time is over: who fills blocks can bring that about.
//! - Nobody is blamed if anybody included it, if its account used the nonce otherwise, or if
//!   it turns out to be invalid.
//! - What is forged or waits already is asked for never, and whose turn it is follows from the
//!   block's number in a way that no number of others makes come at the wrong time. So whoever
//!   fills the queue, to have leaders asked for something else, needs as many accounts that
//!   could pay, and honest leaders include one of theirs in each block.
//! - A block punishes [`PUNISHED`] at most; until all are that one transaction is blamed on,
//!   the next ones do nothing else here. It takes seven more blocks for the largest set.
//! - Storage: of each that waits a ticket and at most [`MAX_LEADERS`] leaders,
//!   [`MAX_CENSORS`] records, and at most [`MAX_LEADERS`] offences that are to be punished.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`include`](pallet::Pallet::include) | inherent, mandatory | the transaction's own fee | `Included` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod ask;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod blame_tests;
pub mod censors;
#[cfg(test)]
mod censors_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use censors::{Censor, Censors, Leader, Leaders, MAX_CENSORS, MAX_LEADERS, MIN_LEFT_OUT};
pub use pallet::*;
pub use types::{ApplyTransaction, Asked, Outcome, Places, Readiness, Ticket, Totals, Waiting};
pub use weights::{EstimatedWeight, WeightInfo};

use cascoin_l2_primitives::{
    chain::Moment,
    l1::forced::MAX_FORCED_BYTES,
    relay::{L1BlockContext, L1Event, OnL1Event},
    sequencers::{Offence, OnOffence},
};
use frame_support::{
    pallet_prelude::ConstU32,
    traits::{Get, Time},
    weights::Weight,
    BoundedVec,
};
use sp_runtime::traits::Hash as _;

/// Sequencers that are punished in one block; others that the same transaction is blamed on
/// follow in the next ones.
pub const PUNISHED: u32 = 8;
/// Blocks in which a transaction that finds no room is tried.
pub const MAX_TRIES: u32 = 64;
/// Of those that wait, how many a block looks at for one to ask its leader for.
pub const SCANNED: u64 = 4;
/// Transactions that the off-chain worker submits at a time.
pub const SUBMITTED: u64 = 4;
/// Blocks between two times.
pub const SUBMIT_BLOCKS: u64 = 4;
/// What a transaction has at least from the time on when it is heard of, and what pools have
/// of that at most: this part of the deadline.
const LATE_PART: Moment = 24;

/// A transaction's bytes.
pub type Encoded = BoundedVec<u8, ConstU32<{ MAX_FORCED_BYTES as u32 }>>;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use cascoin_l2_primitives::{chain::AccountId, sequencers::SequencerSetProvider};
    use frame_support::{pallet_prelude::*, weights::WeightMeter};
    use frame_system::pallet_prelude::*;
    use sp_runtime::SaturatedConversion;

    /// The inherent's name.
    const INHERENT: InherentIdentifier = *b"l2forced";

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The time of the last block.
        type Time: Time<Moment = Moment>;

        /// The id by which transactions on L1 name this chain.
        type ChainId: Get<u32>;

        /// Time within which a transaction is included, milliseconds.
        type Deadline: Get<Moment>;

        /// Whether users' calls are refused for a while, or storage is not what calls expect
        /// (a migration of several blocks): what is overdue waits, instead of being used up in
        /// vain, and nobody is asked for anything.
        type Halted: Get<bool>;

        /// Applies what is overdue, and what leaders are asked for.
        type Apply: ApplyTransaction;

        /// Who makes the block. Read as it begins.
        type Author: Get<Option<AccountId>>;

        /// The set in force.
        type Sequencers: SequencerSetProvider;

        /// The number of the epoch that runs.
        type Epoch: Get<u32>;

        /// Told of each sequencer that censored, once for each epoch.
        type OnOffence: OnOffence;

        /// Weights of the call and the hooks, and of what the relay tells.
        type WeightInfo: WeightInfo;
    }

    /// Which places of the queue are taken.
    #[pallet::storage]
    pub type Queue<T> = StorageValue<_, Places, ValueQuery>;

    /// What waits, by place.
    #[pallet::storage]
    pub type Entries<T: Config> = StorageMap<_, Twox64Concat, u64, Waiting<T::Hash>, OptionQuery>;

    /// The bytes of what waits, by place: beside [`Entries`], which each block reads.
    #[pallet::storage]
    pub type Transactions<T> = StorageMap<_, Twox64Concat, u64, Encoded, OptionQuery>;

    /// Blocks in which the transaction whose turn it is found no room.
    #[pallet::storage]
    pub type Tries<T> = StorageValue<_, u32, ValueQuery>;

    /// What became of all transactions (R17.5).
    #[pallet::storage]
    pub type Counts<T> = StorageValue<_, Totals, ValueQuery>;

    /// Of what waits, what leaders can be asked for, by place.
    #[pallet::storage]
    pub type Tickets<T> = StorageMap<_, Twox64Concat, u64, Ticket, OptionQuery>;

    /// The places of those that have a ticket, by hash: of several that are the same and wait,
    /// one has.
    #[pallet::storage]
    pub type Asking<T: Config> = StorageMap<_, Identity, T::Hash, u64, OptionQuery>;

    /// What the leader of the running block is asked for, until it includes it.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Duty<T> = StorageValue<_, Asked, OptionQuery>;

    /// Who left out what it was asked for, by place. Of what waits only.
    #[pallet::storage]
    pub type LeftOut<T> = StorageMap<_, Twox64Concat, u64, Leaders, ValueQuery>;

    /// Who censored in the last month (R17.5).
    #[pallet::storage]
    pub type CensorRecords<T> = StorageValue<_, Censors, ValueQuery>;

    /// Offences that are established and not punished yet, oldest first. While there are any
    /// nothing is settled, so they are those of one transaction.
    #[pallet::storage]
    pub type Unpunished<T> =
        StorageValue<_, BoundedVec<Offence, ConstU32<MAX_LEADERS>>, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A transaction stands on L1, and will be included.
        Heard {
            /// Its place in the queue.
            place: u64,
            /// Its hash.
            hash: T::Hash,
            /// The time from which on it is overdue, milliseconds since 1970.
            due: Moment,
        },
        /// A transaction stands on L1 for another chain.
        OtherChain {
            /// The chain that it names.
            chain_id: u32,
        },
        /// A transaction's time is over.
        Settled {
            /// Its place in the queue.
            place: u64,
            /// Its hash.
            hash: T::Hash,
            /// What became of it.
            outcome: Outcome,
        },
        /// A leader included a transaction that it was asked for.
        Included {
            /// Its place in the queue.
            place: u64,
            /// Its hash.
            hash: T::Hash,
            /// Who made the block.
            leader: AccountId,
            /// What its call came to.
            result: DispatchResult,
        },
        /// A leader had left out a transaction that the runtime had to apply, or to drop for
        /// want of coins or room (R17.5).
        Censored {
            /// The transaction's place in the queue.
            place: u64,
            /// Who.
            leader: AccountId,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The block is not asked for that transaction, or has it already.
        NotAsked,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        // One whose time is over and one that a leader is asked for may not fit together,
        // so there is one of them only, and none in a block that punishes for an earlier one.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            if T::Halted::get() {
                return T::WeightInfo::idle();
            }
            if Unpunished::<T>::exists() {
                return T::WeightInfo::idle().saturating_add(Self::punish());
            }
            match Self::settle_next() {
                Some(weight) => weight,
                None => T::WeightInfo::idle().saturating_add(Self::ask()),
            }
        }

        // Right behind the inherents: what the leader was asked for is included by now, and
        // neither transactions nor `on_idle` have taken any room. `ask` has booked this.
        fn on_poll(_: BlockNumberFor<T>, _: &mut WeightMeter) {
            Self::note_left_out();
        }

        // A block that hooks and inherents have filled is not polled: nobody is noted.
        fn on_finalize(_: BlockNumberFor<T>) {
            Duty::<T>::kill();
        }

        fn offchain_worker(now: BlockNumberFor<T>) {
            Self::submit_waiting(now.saturated_into());
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Includes the transaction that the block's leader is asked for. What it takes of
        /// the block is booked besides, and its signer pays for it as always.
        ///
        /// ## Dispatch Origin
        /// None: an inherent.
        ///
        /// ## Errors
        /// It makes the block invalid: [`Error::NotAsked`].
        ///
        /// ## Events
        /// `Included`; none if the transaction turns out not to be includable.
        #[pallet::call_index(0)]
        #[pallet::weight((
            T::WeightInfo::include().saturating_add(T::Apply::max_check_weight()),
            DispatchClass::Mandatory,
        ))]
        pub fn include(origin: OriginFor<T>, place: u64) -> DispatchResult {
            ensure_none(origin)?;
            Self::include_asked(place)
        }
    }

    // Nobody checks that it is there: a leader may leave it out, and is noted.
    #[pallet::inherent]
    impl<T: Config> ProvideInherent for Pallet<T> {
        type Call = Call<T>;
        type Error = MakeFatalError<()>;
        const INHERENT_IDENTIFIER: InherentIdentifier = INHERENT;

        fn create_inherent(_: &InherentData) -> Option<Self::Call> {
            Duty::<T>::get().map(|asked| Call::include { place: asked.place })
        }

        fn is_inherent(call: &Self::Call) -> bool {
            matches!(call, Call::include { .. })
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Settles the transaction whose turn it is. Returns the weight of that, but for what
    /// was dispatched; `None` if none is overdue.
    fn settle_next() -> Option<Weight> {
        let mut places = Queue::<T>::get();
        if places.waiting() == 0 {
            return None;
        }
        let place = places.first;
        let entry = Entries::<T>::get(place);
        if entry.as_ref().is_some_and(|entry| T::Time::now() < entry.due) {
            return None;
        }
        let mut weight = T::WeightInfo::settle().saturating_add(T::Apply::max_check_weight());
        let leaders = LeftOut::<T>::get(place);
        // What is queued has both; what had not would be passed over.
        if let (Some(entry), Some(encoded)) = (entry, Transactions::<T>::get(place)) {
            let outcome = T::Apply::apply(&encoded);
            if outcome == Outcome::NoRoom {
                let tries = Tries::<T>::get().saturating_add(1);
                if tries < MAX_TRIES {
                    Tries::<T>::put(tries);
                    return Some(weight);
                }
            }
            Counts::<T>::mutate(|totals| {
                let count = match outcome {
                    Outcome::Applied(_) => &mut totals.applied,
                    Outcome::NonceUsed => &mut totals.included,
                    Outcome::Unpayable | Outcome::Invalid | Outcome::NoRoom => &mut totals.dropped,
                };
                *count = count.saturating_add(1);
            });
            let is_blamed = outcome.could_be_included();
            Self::deposit_event(Event::Settled { place, hash: entry.hash, outcome });
            if is_blamed && Self::blame(place, leaders) {
                weight.saturating_accrue(Self::punish());
            }
        }
        Self::excuse(place);
        Entries::<T>::remove(place);
        Transactions::<T>::remove(place);
        Tries::<T>::kill();
        places.first = places.first.saturating_add(1);
        Queue::<T>::put(places);
        Some(weight)
    }

    fn hear(encoded: &Encoded, block: &L1BlockContext) {
        let mut places = Queue::<T>::get();
        let place = places.next;
        let deadline = T::Deadline::get();
        let stood = Moment::from(block.median_time).saturating_mul(1_000);
        let least = deadline.checked_div(LATE_PART).unwrap_or(0);
        let now = T::Time::now();
        let due = stood.saturating_add(deadline).max(now.saturating_add(least));
        // Of what is heard late pools have half: leaders are asked for it in any case.
        let asked = now.saturating_add(least.min(due.saturating_sub(now) / 2));
        let hash = T::Hashing::hash(encoded);
        Entries::<T>::insert(place, Waiting { hash, due, asked });
        Transactions::<T>::insert(place, encoded);
        // Of several that are the same leaders are asked for the first one.
        let is_known = Asking::<T>::contains_key(hash);
        if let Some(ticket) = (!is_known).then(|| T::Apply::ticket(encoded)).flatten() {
            Tickets::<T>::insert(place, ticket);
            Asking::<T>::insert(hash, place);
        }
        places.next = place.saturating_add(1);
        Queue::<T>::put(places);
        Counts::<T>::mutate(|totals| totals.heard = totals.heard.saturating_add(1));
        Self::deposit_event(Event::Heard { place, hash, due });
    }

    /// Submits a few of those that wait to this node's pool, by turns. What is in the pool
    /// or was included already is refused there.
    fn submit_waiting(now: u64) {
        let places = Queue::<T>::get();
        let waiting = places.waiting();
        if waiting == 0 || now.checked_rem(SUBMIT_BLOCKS) != Some(0) {
            return;
        }
        let turn = now.checked_div(SUBMIT_BLOCKS).unwrap_or(0).saturating_mul(SUBMITTED);
        for step in 0..SUBMITTED.min(waiting) {
            let offset = turn.saturating_add(step).checked_rem(waiting).unwrap_or(0);
            let place = places.first.saturating_add(offset);
            if let Some(encoded) = Transactions::<T>::get(place) {
                // The pool says no to what it knows and to what is no transaction.
                let _ = sp_io::offchain::submit_transaction(encoded.into_inner());
            }
        }
    }

    /// What must hold between blocks: each place of the queue has an entry and its bytes,
    /// and nothing else has; nothing is asked or noted of what does not wait.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        let places = Queue::<T>::get();
        if places.first > places.next {
            return Err("the queue ends before it begins");
        }
        for place in places.first..places.next {
            if !Entries::<T>::contains_key(place) || !Transactions::<T>::contains_key(place) {
                return Err("a place of the queue is empty");
            }
        }
        let waiting = usize::try_from(places.waiting()).unwrap_or(usize::MAX);
        if Entries::<T>::iter_keys().count() != waiting
            || Transactions::<T>::iter_keys().count() != waiting
        {
            return Err("something waits outside the queue");
        }
        let waits = |place: u64| places.first <= place && place < places.next;
        if !Tickets::<T>::iter_keys().all(waits) || !LeftOut::<T>::iter_keys().all(waits) {
            return Err("leaders are asked for what does not wait");
        }
        if !LeftOut::<T>::iter_keys().all(Tickets::<T>::contains_key) {
            return Err("leaders left out what they were not asked for");
        }
        let is_of = |(hash, place): (T::Hash, u64)| {
            Tickets::<T>::contains_key(place)
                && Entries::<T>::get(place).is_some_and(|entry| entry.hash == hash)
        };
        let tickets = Tickets::<T>::iter_keys().count();
        if Asking::<T>::iter().count() != tickets || !Asking::<T>::iter().all(is_of) {
            return Err("leaders are asked for the same twice");
        }
        if Duty::<T>::exists() {
            return Err("a leader is asked between blocks");
        }
        if Tries::<T>::get() >= MAX_TRIES {
            return Err("a transaction was tried too often");
        }
        if Unpunished::<T>::exists() && Unpunished::<T>::get().is_empty() {
            return Err("nothing is to be punished and blocks wait for it");
        }
        let totals = Counts::<T>::get();
        let settled = totals.included.saturating_add(totals.applied).saturating_add(totals.dropped);
        if settled.saturating_add(places.waiting()) != totals.heard {
            return Err("a transaction was lost");
        }
        Ok(())
    }
}

impl<T: Config> OnL1Event for Pallet<T> {
    fn on_event(event: &L1Event, block: &L1BlockContext) {
        let L1Event::ForcedTransaction { chain_id, transaction, .. } = event else { return };
        if *chain_id == T::ChainId::get() {
            Self::hear(transaction, block);
        } else {
            Self::deposit_event(Event::OtherChain { chain_id: *chain_id });
        }
    }

    fn max_event_weight() -> Weight {
        T::WeightInfo::hear().saturating_add(T::Apply::max_ticket_weight())
    }
}
