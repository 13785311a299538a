//! Sequencers that were found not to act independently count as one entity's (R22.1).
//!
//! Statistics prove no guilt: two that go missing together may share an owner, or only a
//! roof. Either way the set is less than it seems with both in it. So nothing is taken
//! from them but seats that one entity would not have, and a link ends by itself: who
//! moves apart is two again.
//!
//! Entities are one where *every* two of them are linked. A sequencer that is absent with
//! each of several others is linked with each, and makes no one of them.

use crate::{
    clusters::Wallets,
    pallet::{Clock, Config, Event, Links, Pallet},
    WeightInfo,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    sequencers::{Entities, OnCorrelation},
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::weights::Weight;
use scale_info::TypeInfo;
use sp_staking::SessionIndex;

/// Links that are kept; one more, and the oldest ends early.
pub const MAX_LINKS: u32 = 64;
/// Epochs for which two are linked: as long as an attestation lasts.
pub const LINKED_EPOCHS: u32 = 24;

/// Two sequencers that count as one entity's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Link {
    /// One.
    pub first: AccountId,
    /// The other.
    pub second: AccountId,
    /// The first session in which they do not any more.
    pub until: SessionIndex,
}

/// Entities that links make one.
#[derive(Debug, Default)]
pub(crate) struct Groups(BTreeMap<AccountId, AccountId>);

impl Groups {
    /// Of pairs of entities, in this order: the groups of the two become one if every two
    /// across them are paired. A group goes by the name of its smallest account.
    ///
    /// A pair that does not join its groups would not later either, for they only grow. So
    /// no two groups are left that could be joined.
    pub(crate) fn of(pairs: impl IntoIterator<Item = (AccountId, AccountId)>) -> Self {
        let pairs: Vec<_> = pairs.into_iter().filter(|(one, other)| one != other).collect();
        let linked: BTreeSet<(&AccountId, &AccountId)> =
            pairs.iter().flat_map(|(one, other)| [(one, other), (other, one)]).collect();
        let mut groups: Vec<BTreeSet<&AccountId>> = Vec::new();
        for (first, second) in &pairs {
            let [one, other] = [first, second].map(|account| {
                let group = groups.iter().find(|group| group.contains(account));
                group.cloned().unwrap_or_else(|| BTreeSet::from([account]))
            });
            let all_linked =
                one.iter().all(|one| other.iter().all(|other| linked.contains(&(*one, *other))));
            if all_linked {
                groups.retain(|group| *group != one && *group != other);
                groups.push(one.into_iter().chain(other).collect());
            }
        }
        let mut names = BTreeMap::new();
        for group in groups {
            let Some(name) = group.first().copied() else { continue };
            names.extend(group.into_iter().map(|member| (member.clone(), name.clone())));
        }
        Self(names)
    }

    /// The one that an entity is part of; itself, if it is not linked.
    pub(crate) fn name(&self, entity: AccountId) -> AccountId {
        self.0.get(&entity).cloned().unwrap_or(entity)
    }
}

impl<T: Config> Pallet<T> {
    /// What the links that hold now make one, of the entities that there are now, named by
    /// their wallets.
    pub(crate) fn groups(wallets: &Wallets) -> Groups {
        let of = |account: &AccountId| wallets.name(Self::entity_of(account));
        let links = Self::links_that_hold().into_iter();
        Groups::of(links.map(|link| (of(&link.first), of(&link.second))))
    }

    /// Links that have not ended, oldest first.
    fn links_that_hold() -> Vec<Link> {
        let now = Clock::<T>::get();
        Links::<T>::get().into_iter().filter(|link| link.until > now).collect()
    }
}

/// One by their own word or by their wallets, or linked, whatever other links make of that.
impl<T: Config> Entities for Pallet<T> {
    fn are_one(one: &AccountId, other: &AccountId) -> bool {
        if one == other {
            return true;
        }
        let wallets = Self::wallets();
        let of = |account: &AccountId| wallets.name(Self::entity_of(account));
        let (one, other) = (of(one), of(other));
        let between = |link: &Link| {
            let ends = (of(&link.first), of(&link.second));
            ends == (one.clone(), other.clone()) || ends == (other.clone(), one.clone())
        };
        one == other || Self::links_that_hold().iter().any(between)
    }

    fn max_weight() -> Weight {
        T::WeightInfo::are_one()
    }
}

impl<T: Config> OnCorrelation for Pallet<T> {
    /// As a draw would have it: a link that says nothing new would push out another one.
    fn is_known(one: &AccountId, other: &AccountId) -> bool {
        <Self as Entities>::are_one(one, other)
    }

    fn on_correlation(one: &AccountId, other: &AccountId) {
        let (first, second) = (one.clone(), other.clone());
        let now = Clock::<T>::get();
        let until = now.saturating_add(Self::epoch().saturating_mul(LINKED_EPOCHS));
        Links::<T>::mutate(|links| {
            links.retain(|link| link.until > now);
            if links.is_full() {
                links.remove(0);
            }
            let link = Link { first: first.clone(), second: second.clone(), until };
            let _ = links.try_push(link);
        });
        Self::deposit_event(Event::Linked { first, second, until });
    }

    fn max_weight() -> Weight {
        T::WeightInfo::are_one().saturating_add(T::WeightInfo::on_correlation())
    }
}
