//! How the registry meets pallet-session: it chooses the set, and it learns the
//! relay and vault keys of the set that a session puts in force.
//!
//! Aura and GRANDPA learn theirs in the same way and from the same list, so an
//! index means the same sequencer everywhere.

use crate::{
    candidates::Attestation, crypto, revocation::SessionEnd, ActiveSequencer, ActiveSequencers,
    Banned, Candidates, Clock, Config, Elected, Member, Members, Pallet, SeatsFreed, VaultKeys,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::chain::{AccountId, MAX_SEQUENCERS};
use core::marker::PhantomData;
use frame_support::{
    traits::{Contains, Get, OneSessionHandler},
    BoundedVec,
};
use sp_core::{ed25519, ConstU32};
use sp_runtime::{traits::Convert, BoundToRuntimeAppPublic};
use sp_staking::SessionIndex;

/// Plans the set after next: members and elected with session keys, in a stable order, and
/// without those whose keys are revoked, as far as it can be. `None` where that is the set
/// that comes into force now: pallet-session then keeps it, and takes over only new session
/// keys of its members.
///
/// A session that ends early, because keys were revoked, takes accounts out and does nothing
/// else: the clock stands still, nothing is drawn and no poll opens, and nobody joins, unless
/// too few would be left. Else whoever revokes its keys often enough would have chance fall
/// back on the last L2 block, and two that revoke in turn would bring each other back. It is the
/// same with each session that ends while elections rest ([`Config::ElectionsRest`]).
impl<T: Config> pallet_session::SessionManager<AccountId> for Pallet<T> {
    fn new_session(index: SessionIndex) -> Option<Vec<AccountId>> {
        let SessionEnd { is_early, clock } = Self::note_end(index);
        let now = T::InForce::get();
        for member in Members::<T>::get() {
            // One that was barred while too few would have been left.
            if Banned::<T>::contains_key(&member.account) {
                Self::dismiss(&member.account);
            }
        }
        if !is_early {
            Clock::<T>::put(clock);
            Self::try_draw(clock);
            // One that waits already draws them, too.
            let is_freed = SeatsFreed::<T>::take();
            if clock.checked_rem(Self::epoch()) == Some(0) {
                Self::schedule_draw(clock, true, &[]);
            } else if is_freed {
                Self::schedule_draw(clock, false, &[]);
            }
            Self::open_polls(clock, &now);
        }
        let members = eligible::<T>(&Members::<T>::get());
        let elected = eligible::<T>(&Elected::<T>::get());
        let may_stay = |account: &AccountId| {
            let attested = Candidates::<T>::get(account)
                .is_some_and(|one| matches!(one.attestation, Attestation::Given { .. }));
            attested && !Banned::<T>::contains_key(account) && T::HasKeys::contains(account)
        };
        let enough = |next: &[AccountId], out: &[AccountId]| {
            // Of those with seats there must be enough, too: some of them are let in later.
            let seats = members.iter().chain(&elected).filter(|account| !out.contains(account));
            next.len() >= least::<T>() && seats.count() >= least::<T>()
        };
        let plan = |out: &[AccountId]| {
            let without = |all: &[AccountId]| -> Vec<AccountId> {
                all.iter().filter(|account| !out.contains(account)).cloned().collect()
            };
            let may_stay = |account: &AccountId| !out.contains(account) && may_stay(account);
            let (members, elected) = (without(&members), without(&elected));
            if is_early {
                let wanted: Vec<&AccountId> = members.iter().chain(&elected).collect();
                let stays = |account: &&AccountId| wanted.contains(account) || may_stay(account);
                let stay: Vec<AccountId> = now.iter().filter(stays).cloned().collect();
                if enough(&stay, out) {
                    return stay;
                }
            }
            next_set(&now, &members, &elected, may_stay)
        };
        // Nobody in it is left without keys: pallet-session would drop it silently.
        let next = Self::plan(plan, enough);
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
pub(crate) fn least<T: Config>() -> usize {
    (T::MinSequencers::get() as usize).max(1)
}

/// Whether these members are enough for a set.
pub(crate) fn can_form_a_set<T: Config>(members: &[Member]) -> bool {
    eligible::<T>(members).len() >= least::<T>()
}

/// The next set. Who is in `now` and stays keeps its place, others come behind.
///
/// A change must not stop the chain, whatever the nodes of newcomers do:
/// - those who stay are a quorum of the new set without the elected newcomers. (Whom
///   governance appoints is its own risk.)
/// - at most a third of `now`, rounded down, loses its seat by the draw alone at one
///   change; `may_stay` says of whom that is asked.
///
/// Whoever has to wait comes or goes with the next sessions. All lists have at most
/// `MAX_SEQUENCERS` accounts, and so has the result.
fn next_set(
    now: &[AccountId],
    members: &[AccountId],
    elected: &[AccountId],
    may_stay: impl Fn(&AccountId) -> bool,
) -> Vec<AccountId> {
    let wanted = |account: &AccountId| members.contains(account) || elected.contains(account);
    let gone = |account: &&AccountId| !wanted(account) && !may_stay(account);
    let forced = now.iter().filter(gone).count();
    let mut free_to_go = (now.len().saturating_sub(1) / 3).saturating_sub(forced);
    let mut next: Vec<AccountId> = Vec::new();
    // From behind: who came last goes first.
    for account in now.iter().rev() {
        let stays = wanted(account)
            || (may_stay(account) && {
                let goes = free_to_go > 0;
                free_to_go = free_to_go.saturating_sub(1);
                !goes
            });
        if stays {
            next.push(account.clone());
        }
    }
    next.reverse();
    let joins = |account: &&AccountId| !now.contains(account);
    next.extend(members.iter().filter(joins).cloned());
    // s stay, j join: s is a quorum of s + j if and only if j ≤ (s − 1) / 2.
    let room = (next.len().saturating_sub(1) / 2)
        .min((MAX_SEQUENCERS as usize).saturating_sub(next.len()));
    next.extend(elected.iter().filter(joins).take(room).cloned());
    next.truncate(MAX_SEQUENCERS as usize);
    next
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
        let known = Pallet::<T>::known_entities();
        ActiveSequencers::<T>::put(bounded(sequencers.map(|(account, relay)| ActiveSequencer {
            account: account.clone(),
            relay: relay.into(),
            entity: known.name(Pallet::<T>::entity_of(account)),
        })));
    }

    fn on_new_session<'a, I>(changed: bool, sequencers: I, next: I)
    where
        I: Iterator<Item = (&'a AccountId, Self::Key)> + 'a,
    {
        let sequencers: Vec<(&AccountId, Self::Key)> = sequencers.collect();
        if changed {
            Self::on_genesis_session(sequencers.iter().cloned());
        } else {
            Pallet::<T>::name_entities();
        }
        let in_use = sequencers.into_iter().chain(next);
        let in_use = in_use.map(|(account, relay)| (account.clone(), relay.into()));
        let in_use: Vec<(AccountId, ed25519::Public)> = in_use.collect();
        Pallet::<T>::follow_barred(&in_use);
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
