//! How much of a block one account, and all users together, may take (R26).
//!
//! ## Overview
//!
//! Two transaction extensions; no calls.
//!
//! [`CheckRate`] stands where other chains have the system pallet's `CheckNonce`. It
//! is that one, under the same name and with the same bytes, and besides bounds
//! what an account can have
//! - in a block: `rate_limit` transactions (a parameter of the chain), twice as many
//!   from a score of 50, five times from 70, ten times from 90. One more is refused
//!   as one that a full block has no room for: it stays in the pool for a later block;
//! - in a node's pool: nonces up to [`POOL_BLOCKS`] such limits ahead of the account,
//!   and fewer of long ones, by [`POOL_BYTES`].
//!   It has to be the same extension, because nobody else is told a transaction's
//!   nonce.
//!
//! [`CheckGas`] holds users to the chain's own `block_gas_limit` where that is less
//! than what the runtime is built for, and keeps them from signing transactions that
//! are not of the normal class, or that the chain does not take at this time. It has no
//! payload.
//!
//! ## What holds
//!
//! - An account never has more transactions in a block than its limit (P14), whatever
//!   becomes of them and whatever class they are of; who signs is counted, not who is
//!   acted for. Transactions without a signer are not counted: what authorises them
//!   bounds them.
//! - A limit is that of the account's first transaction in the block.
//! - Counts live as long as their block. They are in the changes of the block that is
//!   being executed and gone before its state root is computed.
//! - Gas limits hold for transactions of the normal class only: users cannot crowd out
//!   relay votes, evidence and inherents, and neither can this. Users sign no others,
//!   but for [`Config::Operators`].
//!
//! ## Errors of transactions
//!
//! | error | means |
//! |---|---|
//! | `Invalid(ExhaustsResources)` | the account, or users together, had their share of this block; later it may fit |
//! | `Unknown(Custom(`[`TOO_FAR_AHEAD`]`))` | the nonce is too far ahead for the pool; send it again later |
//! | `Invalid(Custom(`[`TOO_MUCH_GAS`]`))` | it takes more gas than any block of this chain has for users |
//! | `Unknown(Custom(`[`CHAIN_HALTED`]`))` | the chain does not take such calls at this time (R12.5), or nothing that users sign (R19.3); send it again later |
//! | `Invalid(BadSigner)` | an operational call; its signer is no operator |
//! | `Invalid(MandatoryValidation)` | an inherent's call, which nobody signs |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod check_gas;
mod check_rate;
pub mod limits;
pub mod weights;

#[cfg(test)]
mod gas_tests;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod pool_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod rate_tests;

pub use check_gas::CheckGas;
pub use check_rate::CheckRate;
pub use pallet::*;
pub use weights::{EstimatedWeight, WeightInfo};

use cascoin_l2_primitives::{chain::AccountId, reputation::ReputationProvider};
use frame_support::{traits::Get, weights::Weight};
use sp_runtime::transaction_validity::InvalidTransaction;

/// How many blocks' limits an account may have waiting in a pool: one for the block
/// that is being built, and one for what its owner sends before that block is known to
/// every node. A node that is one block behind still takes the first half.
pub const POOL_BLOCKS: u32 = 2;
/// Bytes that an account may have waiting in a pool ahead of its next transaction, about:
/// one of length `l` may be `POOL_BYTES / l` nonces ahead. All of them together stay
/// below 2 MiB, a tenth of the queue of a node's pool.
pub const POOL_BYTES: u32 = 256 * 1024;
/// Code of the refusal of a nonce that is too far ahead, in `UnknownTransaction::Custom`.
pub const TOO_FAR_AHEAD: u8 = 1;
/// Code of the refusal of a transaction that no block has room for, in
/// `InvalidTransaction::Custom`.
pub const TOO_MUCH_GAS: u8 = 2;
/// Code of the refusal of a transaction whose call the chain does not take at this time, in
/// `UnknownTransaction::Custom`: pools ban for half an hour what is *invalid* when it is
/// submitted, and this will be good again. Only the call itself is looked at, not those inside it: this
/// spares users the fee of what the runtime's call filter refuses, and replaces no filter.
pub const CHAIN_HALTED: u8 = 3;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use cascoin_l2_primitives::chain::ChainParameters;
    use frame_support::{pallet_prelude::*, traits::Contains};
    use frame_system::pallet_prelude::*;

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The chain's parameters. Something MUST read them in each block before the
        /// first transaction does: the weights take them as read.
        type Parameters: Get<ChainParameters>;

        /// Whose score raises a limit.
        type Reputation: ReputationProvider;

        /// Who may sign operational transactions, which no limit of users holds back.
        type Operators: Contains<AccountId>;

        /// Calls that the chain takes at this time; see [`CHAIN_HALTED`]. What decides it
        /// MUST be read in each block before the first transaction.
        type Accepted: Contains<<Self as frame_system::Config>::RuntimeCall>;

        /// Whether the chain takes nothing at this time that anybody signs but
        /// [`Config::Operators`]; see [`CHAIN_HALTED`]. What decides it MUST be read in each
        /// block before the first transaction.
        type SignersWait: Get<bool>;

        /// Weights of the extensions and the hooks.
        type WeightInfo: WeightInfo;
    }

    /// Transactions that an account may still have in this block; of those that had
    /// one. No block's state root contains it, but those between transactions do, and
    /// anybody chooses account ids: so they are hashed.
    #[pallet::storage]
    pub type Remaining<T> = StorageMap<_, Blake2_128Concat, AccountId, u32, OptionQuery>;

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// Blocks' limits that an account may have waiting in a pool.
        #[pallet::constant_name(PoolBlocks)]
        fn pool_blocks() -> u32 {
            POOL_BLOCKS
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        // The weight of what the end of the block does, whoever transacts in it.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            T::WeightInfo::clear(0)
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            // All at once: a bound is for what is in the database, and this is not.
            let _ = Remaining::<T>::clear(u32::MAX, None);
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Transactions that an account may have in a block.
    pub fn limit(who: &AccountId) -> u32 {
        limits::per_block(T::Parameters::get().rate_limit, T::Reputation::score(who))
    }

    /// Counts a transaction of `who` in this block, and says whether it is the first.
    ///
    /// # Errors
    /// [`InvalidTransaction::ExhaustsResources`] at the account's limit.
    pub(crate) fn count(who: &AccountId) -> Result<bool, InvalidTransaction> {
        let known = Remaining::<T>::get(who);
        let remaining = known.unwrap_or_else(|| Self::limit(who));
        let remaining = remaining.checked_sub(1).ok_or(InvalidTransaction::ExhaustsResources)?;
        Remaining::<T>::insert(who, remaining);
        Ok(known.is_none())
    }

    /// The weight of counting an account's first transaction in a block, and of
    /// forgetting it at the end.
    pub(crate) fn first_weight() -> Weight {
        let forgetting = T::WeightInfo::clear(1).saturating_sub(T::WeightInfo::clear(0));
        T::WeightInfo::count_first().saturating_add(forgetting)
    }

    /// What must hold between blocks: nobody is counted.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        if Remaining::<T>::iter_keys().next().is_some() {
            return Err("a block's counts outlived it");
        }
        Ok(())
    }
}
