//! What accounts and addresses do on L1, besides saying whom they trust: when they act,
//! what they keep locked, and what L1's own nodes say of them.
//!
//! A record of when an address acted begins with a statement that somebody locked coins
//! for, or with anything that a linked address signs. So nobody fills the state with
//! addresses that cost it nothing but a transaction on L1. It is kept for good, as what was
//! said is, also where L1 forks: what the new branch brings again changes nothing.

use crate::{
    pallet::{
        AttestedScores, Config, Event, EverLinked, L1Accounts, L1Histories, Pallet, Standings,
    },
    types::Attested,
    WeightInfo,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::AccountId,
    relay::L1BlockContext,
    reputation::{
        attestation::{LinkedAddresses, OnAttestedScore},
        l1_history::day_of,
        l1_stake::{OnL1Stake, StakeTerms},
        Score,
    },
};
use frame_support::weights::Weight;
use sp_core::H160;

impl<T: Config> Pallet<T> {
    /// Notes that the key of an L1 address signed something in `block`. `has_bond` tells
    /// whether coins are locked for that, so that it may begin a record.
    pub(crate) fn note_act(address: &H160, block: &L1BlockContext, has_bond: bool) {
        let known = L1Histories::<T>::get(address);
        let account = L1Accounts::<T>::get(address);
        if known.is_none() && account.is_none() && !has_bond {
            return;
        }
        let mut history = known.unwrap_or_default();
        if !history.note(day_of(block.median_time)) {
            return;
        }
        L1Histories::<T>::insert(address, history);
        if let Some(account) = account {
            Self::change(&account, |standing| standing.history = history);
        }
    }

    /// Upper bound of the weight of noting who signed an L1 event.
    pub fn max_act_weight() -> Weight {
        T::WeightInfo::note_act()
    }

    /// What must hold between blocks: what stands with an account of its L1 address is what is
    /// known of that. What it carries on of others is its own.
    #[cfg(any(test, feature = "try-runtime"))]
    pub(crate) fn check_l1() -> Result<(), &'static str> {
        use crate::pallet::L1Addresses;

        for (account, standing) in Standings::<T>::iter() {
            let address = L1Addresses::<T>::get(&account);
            let history = address.and_then(L1Histories::<T>::get).unwrap_or_default();
            if standing.history != history {
                return Err("an account has another history than its L1 address");
            }
            if standing.attested != address.and_then(AttestedScores::<T>::get) {
                return Err("an account has another attested score than its L1 address");
            }
        }
        let is_one = |(account, address): (AccountId, H160)| {
            let known = L1Histories::<T>::contains_key(address)
                || AttestedScores::<T>::contains_key(address);
            !known || Standings::<T>::contains_key(account)
        };
        if !L1Addresses::<T>::iter().all(is_one) {
            return Err("what is known of an L1 address does not stand with its account");
        }
        if L1Histories::<T>::iter_values().any(|history| history.months == 0) {
            return Err("a history is kept of an address that never acted");
        }
        Ok(())
    }
}

impl<T: Config> OnL1Stake for Pallet<T> {
    fn on_l1_stake(account: &AccountId, terms: StakeTerms) {
        let before = Standings::<T>::get(account).map(|standing| standing.stake);
        if before.unwrap_or_default() != terms {
            Self::change(account, |standing| standing.stake = terms);
        }
    }

    fn weight() -> Weight {
        T::WeightInfo::on_l1_stake()
    }
}

impl<T: Config> LinkedAddresses for Pallet<T> {
    fn following(last: Option<H160>, most: u32) -> Vec<H160> {
        let keys = match last {
            Some(last) => EverLinked::<T>::iter_keys_from_key(last),
            None => EverLinked::<T>::iter_keys(),
        };
        keys.take(most as usize).collect()
    }
}

// The export finds what it changes in turn.
impl<T: Config> OnAttestedScore for Pallet<T> {
    fn on_attested_score(address: &H160, score: Score) {
        let attested = Attested { score, day: Self::today() };
        AttestedScores::<T>::insert(address, attested);
        if let Some(account) = L1Accounts::<T>::get(address) {
            Self::change(&account, |standing| standing.attested = Some(attested));
        }
        Self::deposit_event(Event::L1ScoreAttested { address: *address, score });
    }

    fn weight() -> Weight {
        T::WeightInfo::on_attested_score()
    }
}
