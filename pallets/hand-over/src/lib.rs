//! Puts those into force who take over from a set of sequencers that does nothing (R17.6,
//! ADR 0035).
//!
//! ## Overview
//!
//! Where the set in force is gone, stands still, or keeps L1 from being attested, others who
//! may sequence sign that they go on from its last block: a *hand-over*
//! ([`cascoin_l2_primitives::hand_over`]). Operators accept it on their nodes; no chain can
//! find out by itself whether a set is gone or only cut off. The header of the block behind
//! that one carries the hand-over, and this pallet reads it there, before any other pallet
//! looks for the set or for the block's author.
//!
//! If it holds on the state, [`Config::Succession`] puts its accounts into force at once, so
//! that they are whom everything in this block is counted for. If it does not, the block is
//! invalid. Nodes know a hand-over by its id, which says nothing of the signatures: a leader
//! that spoils one would else make a block that all of them take for the one that hands over,
//! and that the old set is in force behind.
//!
//! ## What holds
//!
//! - A hand-over holds on one block only: its parent's height and hash stand in it.
//! - Each of its accounts may go on ([`Succession::successor_key`]) and has signed this very base
//!   with the relay key that is registered for it; the set is as large as a set may be.
//! - The set's id rises, by [`MAX_ATTEMPTS`] at most: so nothing that was signed in an older
//!   set counts in the new one, nor what was signed for an attempt that came to nothing.
//! - A block whose header carries a hand-over puts exactly its accounts into force, or is
//!   invalid; so is one that carries several, or what is none.
//! - Storage: one record, of the last one that took place.
//!
//! There are no calls.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod property_tests;
mod succession;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use succession::Succession;
pub use weights::{EstimatedWeight, WeightInfo};

use alloc::vec::Vec;
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, BlockNumber},
    hand_over::{
        consent_message, HandOver, HandOverBase, HandOverError, HandOverRecord, HandOverTerms,
        MalformedHandOver,
    },
};
use frame_support::ensure;
use sp_runtime::SaturatedConversion;

/// By so much at most the id of the new set is above that of the set in force. With each
/// attempt it rises by one. It would be the end of the chain if it rose to the last one there
/// is, and pallets that keep something for each set look through the ids in between.
pub const MAX_ATTEMPTS: u64 = 64;

// Missing docs: FRAME generates items that carry none.
#[allow(missing_docs)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_core::H256;

    /// The layout of this pallet's storage.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The pallet MUST stand before all that look for the set in force or the block's author
    /// when a block begins.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId, Hash = BlockHash> {
        /// Who may go on, and how they do.
        type Succession: Succession;

        /// Weights of the hook.
        type WeightInfo: WeightInfo;
    }

    /// The last hand-over that took place.
    #[pallet::storage]
    pub type Last<T> = StorageValue<_, HandOverRecord, OptionQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Others took over from a set that did nothing. They made this block.
        HandedOver {
            /// The hand-over.
            id: H256,
            /// Id of the new set.
            set_id: u64,
            /// Its size.
            members: u32,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// A block that changes the set has no room for anything but inherents, as one that
        /// ends a session has none.
        ///
        /// # Panics
        /// If the header carries a hand-over that does not hold, several, or what is none.
        /// That makes the block invalid, whoever checks it, as with a wrong slot.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            let digest = frame_system::Pallet::<T>::digest();
            let hand_over = match HandOver::find(digest.logs()) {
                Ok(None) => return T::WeightInfo::idle(),
                Ok(Some(hand_over)) => hand_over,
                Err(MalformedHandOver) => panic!("a header has no single hand-over"),
            };
            if let Err(why) = Self::enact(&hand_over) {
                panic!("the header's hand-over does not hold: {why:?}");
            }
            T::WeightInfo::hand_over().max(T::BlockWeights::get().max_block)
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_state().map_err(Into::into)
        }
    }
}

impl<T: Config> Pallet<T> {
    /// What a hand-over behind this block must fit, and who may consent to one.
    pub fn terms() -> HandOverTerms {
        HandOverTerms {
            set_id: T::Succession::set_id().saturating_add(1),
            size: T::Succession::size(),
            successors: T::Succession::successors(),
        }
    }

    /// Whether this block is the one in which others took over.
    pub fn is_enacted(now: BlockNumber) -> bool {
        Last::<T>::get().is_some_and(|last| last.base.number.checked_add(1) == Some(now))
    }

    /// Whether others took over in this block or one of so many right below it.
    pub fn was_enacted_within(now: BlockNumber, blocks: BlockNumber) -> bool {
        Last::<T>::get().is_some_and(|last| {
            let enacted = last.base.number.saturating_add(1);
            now <= enacted.saturating_add(blocks)
        })
    }

    /// Checks a hand-over in the block that begins, and puts its accounts into force.
    ///
    /// # Errors
    /// Why it does not hold; then nothing has changed.
    pub fn enact(hand_over: &HandOver) -> Result<(), HandOverError> {
        Self::check(hand_over)?;
        let HandOver { base, .. } = hand_over;
        let (id, set_id) = (hand_over.id(), base.set_id);
        let accounts: Vec<AccountId> = hand_over.accounts().cloned().collect();
        let members: u32 = accounts.len().saturated_into();
        Last::<T>::put(HandOverRecord { id, base: *base, members });
        T::Succession::succeed(&accounts, set_id);
        Self::deposit_event(Event::HandedOver { id, set_id, members });
        Ok(())
    }

    fn check(hand_over: &HandOver) -> Result<(), HandOverError> {
        let HandOverBase { number, hash, set_id, .. } = hand_over.base;
        let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
        let is_parent =
            number.checked_add(1) == Some(now) && hash == frame_system::Pallet::<T>::parent_hash();
        ensure!(is_parent, HandOverError::WrongBlock);

        let in_force = T::Succession::set_id();
        let attempts = 1..=MAX_ATTEMPTS;
        let rise = set_id.checked_sub(in_force);
        let rises = rise.is_some_and(|rise| attempts.contains(&rise));
        ensure!(rises, HandOverError::SetId(in_force.saturating_add(1)));

        ensure!(hand_over.is_in_order(), HandOverError::Unordered);
        let (least, most) = T::Succession::size();
        let size: u32 = hand_over.consents.len().saturated_into();
        ensure!((least..=most).contains(&size), HandOverError::Size(least, most));

        // The hash of genesis is known from the first block on, which this one is at least.
        let message = consent_message(&genesis_hash::<T>(), &hand_over.base);
        for consent in &hand_over.consents {
            let account = &consent.account;
            let relay = T::Succession::successor_key(account)
                .ok_or_else(|| HandOverError::NotEligible(account.clone()))?;
            let is_signed = sp_io::crypto::ed25519_verify(&consent.signature, &message, &relay);
            ensure!(is_signed, HandOverError::BadSignature(account.clone()));
        }
        Ok(())
    }

    /// What must hold between blocks: the last hand-over is of a past block, and its set is
    /// not younger than the one in force.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        let Some(HandOverRecord { base, members, .. }) = Last::<T>::get() else { return Ok(()) };
        let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
        if base.number >= now {
            return Err("a hand-over is on record that is yet to come");
        }
        if base.set_id > T::Succession::set_id() {
            return Err("a hand-over put a set into force that is not there yet");
        }
        if members == 0 || members > cascoin_l2_primitives::chain::MAX_SEQUENCERS {
            return Err("a hand-over put a set into force that no set can be");
        }
        Ok(())
    }
}
