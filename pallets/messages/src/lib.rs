//! Executes messages from L1 (R9.1, R9.5, R28).
//!
//! ## Overview
//!
//! The relay hands over every message that more than two thirds of the sequencers
//! attested, in L1 order. Whoever holds the L1 key that sent it holds the L2 account of
//! the same key: the message's call is dispatched as if that account had signed it.
//!
//! - **Value:** what the message's output destroyed is credited to the sender's account by
//!   [`Config::Value`], under the limits of deposits. The message waits until all of it is
//!   there. It is the sender's from then on, whatever becomes of the message: nothing is
//!   kept in escrow, so nothing can be locked up in one.
//! - **Fee:** each try costs its sender what a transaction with the same call would,
//!   whether the call succeeds or not. A call that weighs more than the gas that the
//!   message names is not executed.
//! - **Failure:** what fails is tried again [`MAX_RETRIES`] times, with pauses that grow.
//!   After that it is for its sender to [`claim`](Pallet::claim), while it is on record.
//!
//! ## What holds
//!
//! - A message is executed in a block after the one that applied it, never in the same
//!   (R28.2), and, as long as there is room, in the next (R9.5).
//! - Messages of one sender are executed in L1 order: one that waits or is to be tried
//!   again has those behind it wait. Other senders never wait for it: senders take turns.
//! - A message succeeds at most once, also if a fork of L1 brings its transaction under
//!   another identifier, which strangers can give it ([`ExecutedAs`]). What that one
//!   destroyed is credited all the same.
//! - Nothing is executed while a message is ([`Entered`], R28.1): a call that leads back
//!   here fails ([`Error::Reentrant`], R28.5). The record says what is done before a call
//!   is made (R28.3).
//! - What one block does is bounded by [`Config::BlockBudget`], whatever L1 brings.
//! - Nothing is executed while L1 may have dropped what is attested, and nothing that L1
//!   has dropped: it fails ([`MessageFailure::Dropped`](cascoin_l2_primitives::messages::MessageFailure::Dropped)),
//!   and is for its sender to claim if L1 brings it after all (ADR 0026).
//!
//! ## Growth of the state
//!
//! A message that waits costs its sender an L1 output, as a burn does. One that is done
//! stays on record for [`Config::KeepBlocks`], as the proof of its delivery, and then goes.
//! One that cannot be read is no longer of use to anybody: it is only told by an event, and
//! its value is credited. So is one whose sender cannot pay even the least fee, and has
//! nothing on the way: an L1 output without value costs next to nothing, to a miner nothing.
//!
//! ## Pallet API
//!
//! | call | caller | payment | events |
//! |---|---|---|---|
//! | [`claim`](Pallet::claim) | the message's sender, once it has failed | fee | `MessageExecuted` |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod execute;
mod hear;
mod query;
mod queue;
pub mod types;
pub mod weights;

#[cfg(test)]
mod fork_property_tests;
#[cfg(test)]
mod fork_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Lane, Queue, Turn};
pub use weights::{EstimatedWeight, WeightInfo};

/// How often a message that failed is tried again by itself.
pub const MAX_RETRIES: u8 = 3;
/// Senders whose messages are looked at in one block because they were due to be.
pub const MAX_WOKEN: u32 = 8;
/// Turns of senders in one block, if the budget allows.
pub const MAX_TURNS: u32 = 64;
/// Old records that are removed in one block.
pub const MAX_REMOVED: u32 = 16;
/// Blocks after which it is looked again whether a value is minted.
pub const VALUE_PAUSE: u32 = 20;
/// How deep a call's encoding may be nested.
pub const MAX_DEPTH: u32 = 16;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use cascoin_l2_primitives::{
        chain::{AccountId, BlockNumber},
        l1::{L1Hash, OutPoint},
        messages::{ChargeMessage, MessageFailure, MessageRecord, MessageValue},
        relay::{L1BlockContext, L1Branch, L1Event, OnL1Event},
    };
    use frame_support::{
        dispatch::{GetDispatchInfo, PostDispatchInfo},
        pallet_prelude::*,
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::{traits::Dispatchable, SaturatedConversion};

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// What messages may call: the runtime's calls. The runtime's call filter holds for
        /// them as for those that an account signs.
        type MessageCall: Decode
            + GetDispatchInfo
            + Dispatchable<RuntimeOrigin = Self::RuntimeOrigin, PostInfo = PostDispatchInfo>;

        /// Credits what messages destroy on L1.
        type Value: MessageValue;

        /// Takes the fees.
        type Fees: ChargeMessage;

        /// The number of this layer 2, by which messages name it.
        type ChainId: Get<u32>;

        /// Whether the quorum sees another L1 history below what is attested, or it is not
        /// settled yet what of it L1 has dropped.
        type L1Disputed: Get<bool>;

        /// The attested branch of L1.
        type L1Blocks: L1Branch;

        /// Whether users' calls are refused for a while: messages wait, instead of failing.
        type Halted: Get<bool>;

        /// The most that a message's call may weigh.
        #[pallet::constant]
        type MaxCallWeight: Get<Weight>;

        /// The most that this pallet does when a block begins. MUST have room for a call of
        /// [`Config::MaxCallWeight`] and all around it.
        #[pallet::constant]
        type BlockBudget: Get<Weight>;

        /// Blocks after a first failure before a message is tried again; after the second
        /// twice as many, after the third three times.
        #[pallet::constant]
        type RetryPause: Get<BlockNumber>;

        /// Blocks for which a message that is done stays on record.
        type KeepBlocks: Get<BlockNumber>;

        /// Weights of what this pallet does.
        type WeightInfo: WeightInfo;
    }

    /// Messages that wait, and those that are done and not too old, by L1 transaction and
    /// position.
    #[pallet::storage]
    pub type Messages<T> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        L1Hash,
        Twox64Concat,
        u32,
        MessageRecord,
        OptionQuery,
    >;

    /// As which output a message was executed, by what its transaction would be called
    /// without the scripts of its inputs, and position. It is there as long as the record.
    #[pallet::storage]
    pub type ExecutedAs<T> =
        StorageDoubleMap<_, Blake2_128Concat, L1Hash, Twox64Concat, u32, OutPoint, OptionQuery>;

    /// Which places of a sender's queue are taken. There is none for who has no message
    /// that waits.
    #[pallet::storage]
    pub type Queues<T> = StorageMap<_, Blake2_128Concat, AccountId, Queue, OptionQuery>;

    /// The messages of a sender that wait, in L1 order, by place.
    #[pallet::storage]
    pub type Queued<T> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, u64, OutPoint, OptionQuery>;

    /// The senders of messages that wait, each once, by lane and place.
    #[pallet::storage]
    pub type Turns<T> =
        StorageDoubleMap<_, Twox64Concat, Lane, Twox64Concat, u64, Turn, OptionQuery>;

    /// Which places of a lane are taken.
    #[pallet::storage]
    pub type Lanes<T> = StorageMap<_, Twox64Concat, Lane, Queue, ValueQuery>;

    /// Messages that are done, and in which block they were, in that order.
    #[pallet::storage]
    pub type Done<T> = StorageMap<_, Twox64Concat, u64, (OutPoint, BlockNumber), OptionQuery>;

    /// Which places of [`Done`] are taken.
    #[pallet::storage]
    pub type DoneRange<T> = StorageValue<_, Queue, ValueQuery>;

    /// Set while a message is executed (R28.1). Pallets that send to L1 MUST heed it.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Entered<T> = StorageValue<_, bool, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A message came and waits for its turn.
        MessageQueued {
            /// The output on L1.
            outpoint: OutPoint,
            /// The account of the key that sent it.
            sender: AccountId,
            /// What it destroyed on L1, in base units.
            value: u64,
        },
        /// The output is on record already and was ignored.
        MessageAlreadyKnown {
            /// The output on L1.
            outpoint: OutPoint,
        },
        /// L1 brought a message again, in another block than before.
        MessageConfirmedAgain {
            /// The output on L1.
            outpoint: OutPoint,
            /// Height of the block that it stands in now.
            l1_height: u32,
            /// Its hash.
            l1_hash: L1Hash,
        },
        /// A message's call succeeded.
        MessageExecuted {
            /// The output on L1.
            outpoint: OutPoint,
            /// The account that it was executed for.
            sender: AccountId,
        },
        /// A message failed and will be tried again.
        MessageDelayed {
            /// The output on L1.
            outpoint: OutPoint,
            /// How often it was tried.
            tries: u8,
            /// Why it failed.
            reason: MessageFailure,
        },
        /// A message failed and is not tried again by itself. What it destroyed on L1 is its
        /// sender's all the same.
        MessageFailed {
            /// The output on L1.
            outpoint: OutPoint,
            /// The account of the key that sent it.
            sender: AccountId,
            /// Why it failed.
            reason: MessageFailure,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// A message is being executed.
        Reentrant,
        /// No message of this output is on record.
        UnknownMessage,
        /// Another account sent it.
        NotSender,
        /// It has not failed, or not so that it could succeed, or L1 does not have it.
        NotClaimable,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(block: BlockNumberFor<T>) -> Weight {
            Self::begin_block(block.saturated_into())
        }

        fn integrity_test() {
            let least = T::WeightInfo::block()
                .saturating_add(T::WeightInfo::wake(MAX_WOKEN))
                .saturating_add(T::WeightInfo::remove(MAX_REMOVED))
                .saturating_add(T::WeightInfo::turn())
                .saturating_add(T::MaxCallWeight::get());
            assert!(
                least.all_lte(T::BlockBudget::get()),
                "the budget of a block has room for the heaviest message"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Executes a message that has failed for good, once more. It costs the fee of a
        /// transaction that does so, and nothing besides; the gas that the message names is
        /// of no account, since its sender signs. If the call fails, nothing changes.
        ///
        /// ## Dispatch Origin
        /// Signed by the message's sender.
        ///
        /// ## Errors
        /// [`Error::Reentrant`], [`Error::UnknownMessage`], [`Error::NotSender`],
        /// [`Error::NotClaimable`]; what the call says.
        ///
        /// ## Events
        /// `MessageExecuted`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::claim().saturating_add(T::MaxCallWeight::get()))]
        pub fn claim(origin: OriginFor<T>, outpoint: OutPoint) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::claim_message(who, outpoint)
        }
    }

    impl<T: Config> OnL1Event for Pallet<T> {
        fn on_event(event: &L1Event, block: &L1BlockContext) {
            match event {
                L1Event::Message { outpoint, unsigned_txid, chain_id, sender, value, body } => {
                    if *chain_id == T::ChainId::get() {
                        let output = (*outpoint, *unsigned_txid);
                        Self::hear(output, sender, *value, body, block);
                    }
                }
                L1Event::Burn { .. }
                | L1Event::Trust(_)
                | L1Event::KeyRevocation { .. }
                | L1Event::Stake { .. }
                | L1Event::ForcedTransaction { .. }
                | L1Event::ChainRegistration { .. }
                | L1Event::VaultDeposit { .. } => (),
            }
        }

        fn max_event_weight() -> Weight {
            T::WeightInfo::hear().saturating_add(T::Value::max_credit_weight())
        }
    }
}
