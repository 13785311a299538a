//! Which L1 address belongs to which account.
//!
//! Two links that contradict each other cannot be: an account has one address and an
//! address one account, until that account takes the link back. What L1 has to say of the
//! address goes to the account with it: its trust, when it acted, and what is attested. What
//! is attested bounds the account also when it has left the address, until it lapses. That an
//! account held an address once is kept for good: nobody gets rid of what its wallet did by
//! linking another one.

use crate::pallet::{
    AttestedScores, Config, Error, EverLinked, L1Accounts, L1Addresses, L1Histories, Pallet,
    ProvenAddresses, Vertices,
};
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::signed_message::{digest, key_hash, link_message, recoverable},
    reputation::{
        export::{OnLinkedScore, ScoreCause},
        l1_history::L1History,
        L1AddressProvider, Score,
    },
};
use codec::Encode;
use frame_support::ensure;
use sp_core::H160;
use sp_io::crypto::secp256k1_ecdsa_recover_compressed;

impl<T: Config> Pallet<T> {
    /// The message that the wallet of an L1 address signs to link it to `account`.
    pub fn message(account: &AccountId) -> alloc::string::String {
        let genesis = genesis_hash::<T>();
        let mut bytes = [0; 32];
        genesis.encode().iter().zip(bytes.iter_mut()).for_each(|(from, to)| *to = *from);
        link_message(&bytes, account.as_ref())
    }

    pub(crate) fn do_link(account: &AccountId, signature: &[u8; 65]) -> Result<H160, Error<T>> {
        let signature = recoverable(signature).ok_or(Error::<T>::BadSignature)?;
        let message = digest(&Self::message(account));
        let key = secp256k1_ecdsa_recover_compressed(&signature, &message)
            .map_err(|_| Error::<T>::BadSignature)?;
        let address = H160(key_hash(&key));
        ensure!(!L1Accounts::<T>::contains_key(address), Error::<T>::AddressTaken);
        ProvenAddresses::<T>::try_mutate(account, |proven| {
            if proven.contains(&address) {
                return Ok(());
            }
            proven.try_push(address).map_err(|_| Error::<T>::TooManyAddresses)
        })?;
        let old = L1Addresses::<T>::get(account);
        if let Some(old) = old {
            L1Accounts::<T>::remove(old);
        }
        L1Addresses::<T>::insert(account, address);
        L1Accounts::<T>::insert(address, account);
        EverLinked::<T>::insert(address, ());
        let trust = Vertices::<T>::get(address).score;
        let history = L1Histories::<T>::get(address).unwrap_or_default();
        let attested = AttestedScores::<T>::get(address);
        let today = Self::today();
        Self::change(account, |standing| {
            standing.leave_address(today);
            (standing.trust, standing.history, standing.attested) = (trust, history, attested);
        });
        for changed in old.iter().chain([&address]) {
            T::OnLinkedScore::on_linked_score(changed, ScoreCause::Link);
        }
        Ok(address)
    }

    /// Tells of an account's score that has changed at once, if it is linked.
    pub(crate) fn tell_of(account: &AccountId, cause: ScoreCause) {
        if let Some(address) = L1Addresses::<T>::get(account) {
            T::OnLinkedScore::on_linked_score(&address, cause);
        }
    }

    pub(crate) fn do_unlink(account: &AccountId) -> Result<H160, Error<T>> {
        let address = L1Addresses::<T>::take(account).ok_or(Error::<T>::NotLinked)?;
        L1Accounts::<T>::remove(address);
        let today = Self::today();
        Self::change(account, |standing| {
            standing.trust = Score::ZERO;
            standing.history = L1History::default();
            standing.leave_address(today);
        });
        T::OnLinkedScore::on_linked_score(&address, ScoreCause::Link);
        Ok(address)
    }
}

impl<T: Config> L1AddressProvider for Pallet<T> {
    fn has_proven(account: &AccountId, address: &H160) -> bool {
        ProvenAddresses::<T>::get(account).contains(address)
    }
}
