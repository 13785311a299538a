//! What L1 tells of chains.

use crate::{
    pallet::{Chains, Config, Ends, Event, Names, Pallet},
    WeightInfo,
};
use cascoin_l2_primitives::{
    chain::Balance,
    registry::{ChainStatus, RegisteredChain},
    relay::{L1BlockContext, L1Event, OnL1Event},
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
    /// A chain has the id.
    IdTaken,
    /// There are as many chains as can be kept, and the coins of all are locked.
    Full,
}

impl<T: Config> Pallet<T> {
    /// Keeps a chain that stands in the L1 block at `chain.l1_height`.
    ///
    /// # Errors
    /// [`Ignored`], and then nothing is changed.
    pub(crate) fn register(id: u32, chain: RegisteredChain) -> Result<(), Ignored> {
        if Balance::from(chain.value) < T::MinStake::get() {
            return Err(Ignored::StakeTooSmall);
        }
        if Chains::<T>::contains_key(id) {
            return Err(Ignored::IdTaken);
        }
        let mut ends = Ends::<T>::get();
        if ends.is_full() {
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
        Chains::<T>::insert(id, chain);
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
            registered_at: now,
            status: ChainStatus::Bootstrapping,
            status_since: now,
            opened: false,
        };
        let registered = match *chain_id == T::ChainId::get() {
            true => Self::register(*id, chain),
            false => Err(Ignored::OtherRegistry),
        };
        Self::deposit_event(match registered {
            Ok(()) => Event::ChainRegistered {
                id: *id,
                name: name.clone(),
                owner: *owner,
                value: *value,
                unlock: *unlock,
            },
            Err(reason) => Event::RegistrationIgnored { outpoint: *outpoint, reason },
        });
    }

    fn max_event_weight() -> Weight {
        T::WeightInfo::hear()
    }
}
