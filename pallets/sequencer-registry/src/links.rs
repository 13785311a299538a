//! Sequencers that were found not to act independently count as one entity's (R22.1).
//!
//! Statistics prove no guilt: two that miss votes together may share an owner, or only a
//! roof. Either way the set is less than it seems with both in it. So nothing is taken
//! from them but seats that one entity would not have, and a link ends by itself: who
//! moves apart is two again.

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
    /// Of pairs of entities: whoever is connected by any number of them is one, by the
    /// name of the smallest account.
    pub(crate) fn of(pairs: impl IntoIterator<Item = (AccountId, AccountId)>) -> Self {
        let mut groups: Vec<BTreeSet<AccountId>> = Vec::new();
        for (first, second) in pairs {
            let mut joined = BTreeSet::from([first.clone(), second.clone()]);
            groups.retain_mut(|group| {
                let touches = group.contains(&first) || group.contains(&second);
                if touches {
                    joined.append(group);
                }
                !touches
            });
            groups.push(joined);
        }
        let mut names = BTreeMap::new();
        for group in groups {
            let Some(name) = group.first().cloned() else { continue };
            names.extend(group.into_iter().map(|member| (member, name.clone())));
        }
        Self(names)
    }

    /// The one that an entity is part of; itself, if it is not linked.
    pub(crate) fn name(&self, entity: AccountId) -> AccountId {
        self.0.get(&entity).cloned().unwrap_or(entity)
    }
}

impl<T: Config> Pallet<T> {
    /// What the links that hold make one, of entities that are named by their wallets.
    pub(crate) fn groups(wallets: &Wallets) -> Groups {
        let now = Clock::<T>::get();
        let links = Links::<T>::get().into_iter().filter(|link| link.until > now);
        let of = |account: &AccountId| wallets.name(Self::entity_of(account));
        Groups::of(links.map(|link| (of(&link.first), of(&link.second))))
    }
}

impl<T: Config> Entities for Pallet<T> {
    fn are_one(one: &AccountId, other: &AccountId) -> bool {
        if one == other {
            return true;
        }
        let known = Self::known_entities();
        known.name(Self::entity_of(one)) == known.name(Self::entity_of(other))
    }

    fn max_weight() -> Weight {
        T::WeightInfo::are_one()
    }
}

impl<T: Config> OnCorrelation for Pallet<T> {
    fn is_known(one: &AccountId, other: &AccountId) -> bool {
        Self::are_one(one, other)
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
