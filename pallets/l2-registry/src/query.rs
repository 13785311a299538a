//! What the registry can be asked, and what must hold in it.

#[cfg(any(test, feature = "try-runtime"))]
use crate::{pallet::OwnBootstrap, Bootstrap};
use crate::{
    pallet::{Chains, Config, Ends, Names, Pallet},
    MAX_CHAINS,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    l1::registration::ChainName,
    registry::{ChainStatus, ListedChain, RegisteredChain},
};
use frame_support::traits::Get;

impl<T: Config> Pallet<T> {
    /// A chain by its id.
    pub fn chain(id: u32) -> Option<ListedChain> {
        Chains::<T>::get(id).map(|chain| Self::listed(id, chain, T::L1Height::get()))
    }

    /// A chain by its name: of several the first.
    pub fn chain_named(name: &ChainName) -> Option<ListedChain> {
        Names::<T>::get(name).first().copied().and_then(Self::chain)
    }

    /// All chains, or those that are active, by their ids.
    pub fn chains(active_only: bool) -> Vec<ListedChain> {
        Self::chains_from(active_only, 0, MAX_CHAINS)
    }

    /// The same from the id `from` on, at most `limit`.
    pub fn chains_from(active_only: bool, from: u32, limit: u32) -> Vec<ListedChain> {
        let all = Ends::<T>::get().into_iter().map(|(_, id)| id);
        let mut ids: Vec<_> = all.filter(|id| *id >= from).collect();
        ids.sort_unstable();
        let l1_height = T::L1Height::get();
        ids.into_iter()
            .filter_map(|id| Some((id, Chains::<T>::get(id)?)))
            .filter(|(_, chain)| !active_only || chain.status == ChainStatus::Active)
            .take(limit as usize)
            .map(|(id, chain)| Self::listed(id, chain, l1_height))
            .collect()
    }

    fn listed(id: u32, chain: RegisteredChain, l1_height: u32) -> ListedChain {
        ListedChain {
            id,
            holds_name: Names::<T>::get(&chain.name).first() == Some(&id),
            stake_locked: chain.unlock > l1_height && Self::stands(&chain),
            chain,
        }
    }

    /// What must hold between blocks.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub(crate) fn check_state() -> Result<(), &'static str> {
        if matches!(OwnBootstrap::<T>::get(), Bootstrap::Left { ms: 0, .. }) {
            return Err("the bootstrap is over and was not ended");
        }
        let ends = Ends::<T>::get();
        if ends.windows(2).any(|pair| matches!(pair, [one, other] if one >= other)) {
            return Err("the chains are not in the order of their ends");
        }
        if ends.len() != Chains::<T>::iter_keys().count() {
            return Err("a chain is not listed by its end");
        }
        // Each of them is among those of its name, below: so nothing else is.
        if ends.len() != Names::<T>::iter_values().map(|ids| ids.len()).sum::<usize>() {
            return Err("a name leads to no chain, or to one twice");
        }
        if Names::<T>::iter_values().any(|ids| ids.is_empty()) {
            return Err("a name of no chain is kept");
        }
        for (unlock, id) in ends {
            let chain = Chains::<T>::get(id).ok_or("a chain is listed and not known")?;
            if chain.unlock != unlock {
                return Err("a chain is listed by another end");
            }
            if !Names::<T>::get(&chain.name).contains(&id) {
                return Err("a chain is not found by its name");
            }
            if chain.definition.is_some_and(|known| known.hash() != chain.definition_hash) {
                return Err("a definition is not the one that L1 bound");
            }
            if chain.opened && chain.definition.is_none() {
                return Err("a chain was opened without a definition");
            }
            if chain.status == ChainStatus::Active && !chain.opened {
                return Err("a chain is active and was not opened");
            }
        }
        Ok(())
    }
}
