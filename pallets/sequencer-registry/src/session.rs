//! How the registry meets pallet-session: it chooses the set, and it learns the
//! relay and vault keys of the set that a session puts in force.
//!
//! Aura and GRANDPA learn theirs in the same way and from the same list, so an
//! index means the same sequencer everywhere.

use crate::{
    crypto, ActiveSequencer, ActiveSequencers, Candidates, Config, Elected, ElectionDue,
    Member, Members, Pallet, VaultKeys,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::chain::{AccountId, MAX_SEQUENCERS};
use core::marker::PhantomData;
use frame_support::{
    traits::{Contains, Get, OneSessionHandler},
    BoundedVec,
};
use sp_core::ConstU32;
use sp_runtime::{traits::Convert, BoundToRuntimeAppPublic};
use sp_staking::SessionIndex;

/// Plans the set after next: members and elected with session keys, in a stable order.
/// `None` where that is the set that comes into force now: pallet-session then
/// keeps it, and takes over only new session keys of its members.
impl<T: Config> pallet_session::SessionManager<AccountId> for Pallet<T> {
    fn new_session(index: SessionIndex) -> Option<Vec<AccountId>> {
        let epoch = T::Parameters::get().epoch_sessions;
        if ElectionDue::<T>::take() || index.checked_rem(epoch) == Some(0) {
            Self::hold_election();
        }
        Self::open_polls();
        let now = T::InForce::get();
        let next = next_set(&now, eligible::<T>(&seated::<T>(&Members::<T>::get())));
        // In genesis there are no members yet: pallet-session's own list holds.
        (next.len() >= least::<T>() && next != now).then_some(next)
    }
    fn start_session(_: SessionIndex) {}
    fn end_session(_: SessionIndex) {}
}

/// Everybody who has a seat in the next set: these members, then the elected.
pub(crate) fn seated<T: Config>(members: &[Member]) -> Vec<Member> {
    members.iter().cloned().chain(Elected::<T>::get()).collect()
}

/// Members with session keys, in the order in which they became members.
fn eligible<T: Config>(members: &[Member]) -> Vec<AccountId> {
    let accounts = members.iter().map(|member| &member.account);
    accounts.filter(|account| T::HasKeys::contains(account)).cloned().collect()
}

/// Least number of sequencers of a set.
fn least<T: Config>() -> usize {
    (T::MinSequencers::get() as usize).max(1)
}

/// Whether these members are enough for a set.
pub(crate) fn can_form_a_set<T: Config>(members: &[Member]) -> bool {
    eligible::<T>(members).len() >= least::<T>()
}

/// `eligible`, ordered: who is in `now` keeps its place, others come behind. Both
/// have at most [`MAX_SEQUENCERS`] accounts.
fn next_set(now: &[AccountId], eligible: Vec<AccountId>) -> Vec<AccountId> {
    let staying = now.iter().filter(|account| eligible.contains(account));
    let joining = eligible.iter().filter(|account| !now.contains(account));
    staying.chain(joining).cloned().collect()
}

/// A sequencer's id in pallet-session is its account; `None` for anyone who is
/// neither member nor candidate, so that only these may set session keys.
pub struct MemberOf<T>(PhantomData<T>);

impl<T: Config> Convert<AccountId, Option<AccountId>> for MemberOf<T> {
    fn convert(account: AccountId) -> Option<AccountId> {
        let known = Members::<T>::get().iter().any(|member| member.account == account)
            || Candidates::<T>::contains_key(&account);
        known.then_some(account)
    }
}

/// Follows the relay keys of the set in force.
pub struct Relay<T>(PhantomData<T>);

impl<T> BoundToRuntimeAppPublic for Relay<T> {
    type Public = crypto::relay::AuthorityId;
}

impl<T: Config> OneSessionHandler<AccountId> for Relay<T> {
    type Key = crypto::relay::AuthorityId;

    fn on_genesis_session<'a, I>(sequencers: I)
    where
        I: Iterator<Item = (&'a AccountId, Self::Key)> + 'a,
    {
        ActiveSequencers::<T>::put(bounded(sequencers.map(|(account, relay)| ActiveSequencer {
            account: account.clone(),
            relay: relay.into(),
        })));
    }

    fn on_new_session<'a, I>(changed: bool, sequencers: I, _: I)
    where
        I: Iterator<Item = (&'a AccountId, Self::Key)> + 'a,
    {
        if changed {
            Self::on_genesis_session(sequencers);
        }
    }

    // A disabled sequencer is skipped by the schedule of leaders; its vote still
    // counts until the set changes.
    fn on_disabled(_: u32) {}
}

/// Follows the vault keys of the set in force.
pub struct Vault<T>(PhantomData<T>);

impl<T> BoundToRuntimeAppPublic for Vault<T> {
    type Public = crypto::vault::AuthorityId;
}

impl<T: Config> OneSessionHandler<AccountId> for Vault<T> {
    type Key = crypto::vault::AuthorityId;

    fn on_genesis_session<'a, I>(sequencers: I)
    where
        I: Iterator<Item = (&'a AccountId, Self::Key)> + 'a,
    {
        VaultKeys::<T>::put(bounded(sequencers.map(|(_, vault)| vault.into())));
    }

    fn on_new_session<'a, I>(changed: bool, sequencers: I, _: I)
    where
        I: Iterator<Item = (&'a AccountId, Self::Key)> + 'a,
    {
        if changed {
            Self::on_genesis_session(sequencers);
        }
    }

    fn on_disabled(_: u32) {}
}

/// Members are at most [`MAX_SEQUENCERS`], so nothing is ever cut.
fn bounded<K>(keys: impl Iterator<Item = K>) -> BoundedVec<K, ConstU32<MAX_SEQUENCERS>> {
    BoundedVec::truncate_from(keys.collect())
}
