//! What L1 tells of chains.

use crate::{
    pallet::{Chains, Config, Ends, Event, Names, Pallet},
    WeightInfo,
};
use cascoin_l2_primitives::{
    chain::Balance,
    registry::{ChainStatus, RegisteredChain},
    relay::{L1BlockContext, L1Branch, L1Event, OnL1Event},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    traits::{Get, Time},
    weights::Weight,
};
use scale_info::TypeInfo;

/// Why a registration changes nothing.
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
pub enum Ignored {
    /// It is for another chain's registry.
    OtherRegistry,
    /// The deployer's coins are less than [`Config::MinStake`].
    StakeTooSmall,
    /// A chain has the id, and its registration stands on L1.
    IdTaken,
    /// There are as many chains as can be kept, and the coins of all are locked.
    Full,
}

impl<T: Config> Pallet<T> {
    /// Whether the registration stands on L1's attested branch.
    pub(crate) fn stands(chain: &RegisteredChain) -> bool {
        T::L1Blocks::has_block(chain.l1_height, &chain.l1_hash)
    }

    /// Keeps a chain that stands in the L1 block at `chain.l1_height`.
    ///
    /// The same registration may come in two blocks of which L1 has the second, after a fork:
    /// then nothing but the block is new. Or another one with the same id, which spends the
    /// same output: then that is the chain.
    ///
    /// # Errors
    /// [`Ignored`], and then nothing is changed.
    pub(crate) fn register(id: u32, chain: RegisteredChain) -> Result<(), Ignored> {
        if Balance::from(chain.value) < T::MinStake::get() {
            return Err(Ignored::StakeTooSmall);
        }
        let known = Chains::<T>::get(id);
        if known.as_ref().is_some_and(Self::stands) {
            return Err(Ignored::IdTaken);
        }
        let mut ends = Ends::<T>::get();
        if let Some(known) = known {
            if known.outpoint == chain.outpoint {
                let RegisteredChain { l1_height, l1_hash, .. } = chain;
                Chains::<T>::insert(id, RegisteredChain { l1_height, l1_hash, ..known });
                Self::deposit_event(Event::ChainMoved { id, l1_height });
                return Ok(());
            }
            ends.retain(|(_, kept)| *kept != id);
            Self::forget(id);
        } else if ends.is_full() {
            let (unlock, ended) = ends.first().copied().ok_or(Ignored::Full)?;
            if unlock >= chain.l1_height {
                return Err(Ignored::Full);
            }
            ends.remove(0);
            Self::forget(ended);
        }
        let entry = (chain.unlock, id);
        let place = ends.binary_search(&entry).unwrap_or_else(|place| place);
        ends.try_insert(place, entry).map_err(|_| Ignored::Full)?;
        Ends::<T>::put(ends);
        // There are no more chains of a name than there are chains.
        Names::<T>::try_mutate(&chain.name, |ids| ids.try_push(id)).map_err(|_| Ignored::Full)?;
        let RegisteredChain { name, owner, value, unlock, .. } = chain.clone();
        Chains::<T>::insert(id, chain);
        Self::deposit_event(Event::ChainRegistered { id, name, owner, value, unlock });
        Ok(())
    }

    fn forget(id: u32) {
        if let Some(chain) = Chains::<T>::take(id) {
            Names::<T>::mutate_exists(&chain.name, |stored| {
                let mut ids = stored.take().unwrap_or_default();
                ids.retain(|known| *known != id);
                *stored = (!ids.is_empty()).then_some(ids);
            });
        }
        Self::deposit_event(Event::ChainForgotten { id });
    }
}

impl<T: Config> OnL1Event for Pallet<T> {
    fn on_event(event: &L1Event, block: &L1BlockContext) {
        let L1Event::ChainRegistration {
            outpoint,
            chain_id,
            id,
            name,
            definition,
            owner,
            value,
            unlock,
        } = event
        else {
            return;
        };
        let now = T::Time::now();
        let chain = RegisteredChain {
            name: name.clone(),
            definition_hash: *definition,
            definition: None,
            owner: *owner,
            outpoint: *outpoint,
            value: *value,
            unlock: *unlock,
            l1_height: block.height,
            l1_hash: block.hash,
            registered_at: now,
            status: ChainStatus::Bootstrapping,
            status_since: now,
            opened: false,
        };
        let registered = match *chain_id == T::ChainId::get() {
            true => Self::register(*id, chain),
            false => Err(Ignored::OtherRegistry),
        };
        if let Err(reason) = registered {
            Self::deposit_event(Event::RegistrationIgnored { outpoint: *outpoint, reason });
        }
    }

    fn max_event_weight() -> Weight {
        // The relay's two values say whether another chain's registration stands on L1.
        T::WeightInfo::hear().saturating_add(T::DbWeight::get().reads(2))
    }
}
