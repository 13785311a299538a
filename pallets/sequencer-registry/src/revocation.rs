//! Revocation of session keys by an L1 transaction (R30.5).
//!
//! A sequencer names an L1 key for it beforehand, which it keeps offline. Whoever signs a
//! revocation with it on L1 need not reach L2 at all, nor have the account's key at hand.
//!
//! With the block that applies the revocation, all session keys of the account are
//! [barred](crate::barred). The next two blocks end a session each, so that the set of
//! the block after them is without the account; the keys are unregistered, and a
//! candidate loses its seat and its attestation. With new keys, set by the account, it is
//! back as a newcomer would be: a member with the next sessions, a candidate once it is
//! vouched for and has a seat.
//!
//! Where too few would be left for a set, the account stays in it, barred, with the keys
//! it had, until there are enough or it has new ones.
//!
//! Sessions that end early are none by the registry's clock, and an account ends some early
//! once an epoch, however often its keys are revoked. So whoever revokes its own keys again
//! and again gains no chance by it, and changes the set no more often than that.

use crate::{
    barred::BarredKey,
    candidates::MAX_CANDIDATES,
    pallet::{
        ActiveSequencers, BarredKeys, Candidates, Clock, Config, Elected, Error, Event,
        ForcedRotations, Members, Pallet, RevocationKeys,
    },
    WeightInfo,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{AccountId, BlockNumber, MAX_SEQUENCERS},
    relay::{L1BlockContext, L1Event, OnL1Event},
    sequencers::RevocationKey,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{ensure, pallet_prelude::ConstU32, traits::Get, weights::Weight, BoundedVec};
use scale_info::TypeInfo;
use sp_core::{ed25519, H160};
use sp_runtime::SaturatedConversion;
use sp_staking::SessionIndex;

/// Sessions that a revocation ends early: one plans the set without the account, and one
/// puts it in force.
pub(crate) const ROTATIONS: u8 = 2;

/// Accounts that may end sessions early in one epoch: as many as there can be that could be
/// in its sets.
pub const MAX_ROTATED: u32 = MAX_SEQUENCERS + MAX_CANDIDATES;

/// Sessions that end early, because keys were revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct EarlyEnds {
    /// How many are to come.
    pub due: u8,
    /// How many there were, ever, and how many while elections rested, which the clock does
    /// not count either.
    pub ever: u32,
    /// Whose revocations brought them about in this epoch.
    pub accounts: BoundedVec<AccountId, ConstU32<MAX_ROTATED>>,
}

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionEnd {
    /// Whether it is for revoked keys alone, or elections rest: it takes accounts out and does
    /// nothing else.
    pub is_early: bool,
    /// The registry's clock after it.
    pub clock: SessionIndex,
}

/// Session keys as pallet-session knows them, by the relay key among them.
pub trait RegisteredKeys {
    /// Those that an account registered last, if it has any.
    fn registered(account: &AccountId) -> Option<ed25519::Public>;

    /// Those with which an account is in the set that comes into force when the session
    /// ends, if it is.
    fn planned(account: &AccountId) -> Option<ed25519::Public>;

    /// Unregisters those that an account registered last.
    fn unregister(account: &AccountId);
}

/// Why nothing follows from a revocation.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum RevocationIgnored {
    /// The account has not named the key that signed it.
    #[codec(index = 0)]
    WrongSigner,
    /// The account has no keys, or all of them are revoked.
    #[codec(index = 1)]
    NothingToRevoke,
}

impl<T: Config> Pallet<T> {
    /// The key with which an account's session keys can be revoked on L1, as it stands in
    /// this block.
    pub fn revocation_key(account: &AccountId) -> RevocationKey {
        RevocationKeys::<T>::get(account).unwrap_or_default().at(Self::now())
    }

    pub(crate) fn name_revocation_key(
        account: AccountId,
        key: Option<H160>,
    ) -> Result<(), Error<T>> {
        let (before, now) = (Self::revocation_key(&account), Self::now());
        let after = before.named(key, now, T::RevocationKeyDelay::get());
        ensure!(before != after, Error::<T>::NothingChanges);
        RevocationKeys::<T>::insert(&account, after);
        let from = after.change.map_or(now, |change| change.from);
        Self::deposit_event(Event::RevocationKeyNamed { account, key, from });
        Ok(())
    }

    /// Revokes all keys of an account, because `signer` says so.
    pub(crate) fn revoke(signer: H160, account: &AccountId) -> Result<(), RevocationIgnored> {
        let named = RevocationKeys::<T>::get(account).unwrap_or_default();
        let named = named.kept(Self::now());
        ensure!(named.key == Some(signer), RevocationIgnored::WrongSigner);
        // A change that was to come may be the thief's.
        RevocationKeys::<T>::insert(account, named);
        let active = ActiveSequencers::<T>::get();
        let in_force = active.iter().find(|one| one.account == *account).map(|one| one.relay);
        let (planned, registered) = (T::Keys::planned(account), T::Keys::registered(account));
        let sequences = in_force.is_some() || planned.is_some();
        if !sequences && !Self::has_seat(account) {
            ensure!(registered.is_some(), RevocationIgnored::NothingToRevoke);
            Self::leave_out(account);
            T::Keys::unregister(account);
            return Ok(());
        }
        let mut news = false;
        let keys = [in_force, planned, registered];
        // Those that it had in between are of no use any more. So there are no more than fit.
        BarredKeys::<T>::mutate(|all| {
            all.retain(|one| one.account != *account || keys.contains(&Some(one.relay)));
        });
        for relay in keys.into_iter().flatten() {
            let account = account.clone();
            news |= Self::bar_keys(BarredKey { account, relay, revoked: true });
        }
        ensure!(news, RevocationIgnored::NothingToRevoke);
        if sequences {
            Self::force_rotations(account);
        }
        Ok(())
    }

    /// Has the next sessions end early, once an epoch for each account. Later ones of it are
    /// out with the regular ends.
    fn force_rotations(account: &AccountId) {
        ForcedRotations::<T>::mutate(|ends| {
            let again = ends.accounts.contains(account);
            if !again && ends.accounts.try_push(account.clone()).is_ok() {
                ends.due = ROTATIONS;
            }
        });
    }

    /// Whether the next block ends the session, because keys were revoked.
    pub fn rotation_is_forced() -> bool {
        ForcedRotations::<T>::get().due > 0
    }

    /// A session ends, and `index` is planned: one that was to end early need not any more.
    pub(crate) fn note_end(index: SessionIndex) -> SessionEnd {
        let before = ForcedRotations::<T>::get();
        let is_regular = Self::now().checked_rem(T::Parameters::get().session_blocks) == Some(0);
        let is_early = (before.due > 0 && !is_regular) || T::ElectionsRest::get();
        let mut ends = before.clone();
        ends.due = ends.due.saturating_sub(1);
        if is_early {
            ends.ever = ends.ever.saturating_add(1);
        }
        let clock = index.saturating_sub(ends.ever);
        if !is_early && clock.checked_rem(Self::epoch()) == Some(0) {
            ends.accounts = BoundedVec::default();
        }
        if ends != before {
            ForcedRotations::<T>::put(&ends);
        }
        SessionEnd { is_early, clock }
    }

    /// Whether revoked keys stay registered: those of an account that has a seat, and
    /// without which too few would be left. Those of others are unregistered now.
    pub(crate) fn stay_registered(account: &AccountId, relay: &ed25519::Public) -> bool {
        if T::Keys::registered(account) != Some(*relay) {
            return false;
        }
        let stay = Self::has_seat(account);
        if !stay {
            T::Keys::unregister(account);
        }
        stay
    }

    /// The accounts with revoked keys, each once.
    pub(crate) fn revoked() -> Vec<AccountId> {
        let keys = BarredKeys::<T>::get().into_iter();
        let mut accounts: Vec<_> = keys.filter(|key| key.revoked).map(|key| key.account).collect();
        accounts.sort();
        accounts.dedup();
        accounts
    }

    /// Plans a set without accounts whose keys are revoked, as many as it can do without,
    /// and takes keys and seats of those. `plan` is the set without some accounts, and
    /// `enough` says whether it can be without them.
    pub(crate) fn plan(
        plan: impl Fn(&[AccountId]) -> Vec<AccountId>,
        enough: impl Fn(&[AccountId], &[AccountId]) -> bool,
    ) -> Vec<AccountId> {
        let mut out = Self::revoked();
        let next = loop {
            let next = plan(&out);
            if enough(&next, &out) || out.pop().is_none() {
                break next;
            }
        };
        for account in &out {
            Self::leave_out(account);
            let registered = T::Keys::registered(account);
            if registered.is_some_and(|relay| Self::is_barred(account, &relay)) {
                T::Keys::unregister(account);
            }
        }
        next
    }

    fn has_seat(account: &AccountId) -> bool {
        let (members, elected) = (Members::<T>::get(), Elected::<T>::get());
        members.iter().chain(&elected).any(|seat| seat.account == *account)
    }

    /// Takes the seat of a candidate, which must be vouched for again. Others can do
    /// without it.
    fn leave_out(account: &AccountId) {
        let Some(candidate) = Candidates::<T>::get(account) else { return };
        Elected::<T>::mutate(|elected| elected.retain(|seat| seat.account != *account));
        Self::ask_again(account, candidate, Clock::<T>::get());
    }

    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// Whether the account may name a revocation key: who may set session keys.
    pub(crate) fn may_name_key(account: &AccountId) -> bool {
        Members::<T>::get().iter().any(|member| member.account == *account)
            || Candidates::<T>::contains_key(account)
    }
}

impl<T: Config> OnL1Event for Pallet<T> {
    fn on_event(event: &L1Event, block: &L1BlockContext) {
        let L1Event::KeyRevocation { chain_id, signer, account } = event else { return };
        if *chain_id != T::Parameters::get().chain_id {
            return;
        }
        let (account, signer) = (account.clone(), *signer);
        let l1_height = block.height;
        Self::deposit_event(match Self::revoke(signer, &account) {
            Ok(()) => Event::KeysRevoked { account, l1_height },
            Err(reason) => Event::RevocationIgnored { account, signer, l1_height, reason },
        });
    }

    fn max_event_weight() -> Weight {
        T::WeightInfo::on_revocation()
    }
}
