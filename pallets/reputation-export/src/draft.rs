//! What is worth saying, and the draft that says it.

use crate::{
    pallet::{Config, Cursor, Draft, KnownAddresses, Last, Pallet},
    types::Known,
    weights::WeightInfo,
    MAX_RETIRED, MAX_SWEPT,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::reputation::export::{
    ExportEntry, LinkedScores, OnLinkedScore, ScoreCause,
};
use frame_support::{traits::Get, weights::Weight};
use sp_core::H160;

/// How much of the draft a new entry may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// All but what is kept for L1's scores and offences.
    Common,
    /// All of it.
    Whole,
}

impl Room {
    fn entries<T: Config>(self) -> u32 {
        match self {
            Self::Common => T::MaxEntries::get().saturating_sub(T::ReservedEntries::get()),
            Self::Whole => T::MaxEntries::get(),
        }
    }
}

/// What became of a look at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// There is nothing to say, or the draft says it now.
    Done,
    /// There is, and the draft is full.
    Full,
}

impl<T: Config> Pallet<T> {
    /// Puts what L2 says of an address into the draft, if that is news.
    pub(crate) fn look_at(address: &H160, room: Room) -> Looked {
        let Some(known) = KnownAddresses::<T>::get(address) else { return Looked::Done };
        let linked = T::Scores::of_address(address);
        // Of who is linked no more nothing must be left.
        let threshold = if linked.is_some() { T::Threshold::get() } else { 1 };
        let exported = linked.unwrap_or_default();
        let room = if known.has_reserve { Room::Whole } else { room };
        let is_news = known.said.is_none_or(|said| said.differs(&exported, threshold));
        if is_news && !Self::draft(ExportEntry { address: *address, exported }, room) {
            return Looked::Full;
        }
        if linked.is_none() {
            KnownAddresses::<T>::remove(address);
        } else if is_news {
            let batch = Last::<T>::get().sequence.saturating_add(1);
            KnownAddresses::<T>::insert(address, Known { said: Some(exported), batch, ..known });
        }
        Looked::Done
    }

    /// Says it in the draft, instead of what that said of the same address. `false` if
    /// there is no room.
    fn draft(entry: ExportEntry, room: Room) -> bool {
        Draft::<T>::try_mutate(|entries| {
            let is_full = entries.len() >= room.entries::<T>() as usize;
            match entries.iter_mut().find(|known| known.address == entry.address) {
                Some(known) => {
                    known.exported = entry.exported;
                    Ok(())
                }
                None if is_full => Err(()),
                None => entries.try_push(entry).map_err(drop),
            }
        })
        .is_ok()
    }

    /// Looks at who comes next, and at what a superseded batch said; returns the weight of
    /// that.
    pub(crate) fn look_around(left: Weight) -> Weight {
        let most =
            T::WeightInfo::retire(MAX_RETIRED).saturating_add(T::WeightInfo::sweep(MAX_SWEPT));
        if most.any_gt(left) {
            return Weight::zero();
        }
        let retired = Self::retire();
        let swept = Self::sweep();
        T::WeightInfo::retire(retired).saturating_add(T::WeightInfo::sweep(swept))
    }

    /// Looks at the next known addresses; at how many.
    fn sweep() -> u32 {
        let before = Cursor::<T>::get();
        let keys = match before {
            Some(last) => KnownAddresses::<T>::iter_keys_from_key(last),
            None => KnownAddresses::<T>::iter_keys(),
        };
        // Before any is changed or removed.
        let next: Vec<H160> = keys.take(MAX_SWEPT as usize).collect();
        let (mut cursor, mut looked) = (before, 0usize);
        for address in &next {
            if Self::look_at(address, Room::Common) == Looked::Full {
                break;
            }
            cursor = Some(*address);
            looked = looked.saturating_add(1);
        }
        let turn_is_over = looked == next.len() && looked < MAX_SWEPT as usize;
        let after = if turn_is_over { None } else { cursor };
        if after != before {
            Cursor::<T>::set(after);
        }
        u32::try_from(next.len()).unwrap_or(MAX_SWEPT)
    }
}

impl<T: Config> OnLinkedScore for Pallet<T> {
    fn on_linked_score(address: &H160, cause: ScoreCause) {
        let known = KnownAddresses::<T>::get(address);
        if known.is_some() || T::Scores::of_address(address).is_some() {
            let before = known.unwrap_or_default();
            let has_reserve = before.has_reserve || cause.has_reserve();
            if known.is_none() || has_reserve != before.has_reserve {
                KnownAddresses::<T>::insert(address, Known { has_reserve, ..before });
            }
        }
        // If the draft is full, its turn comes.
        let _ = Self::look_at(address, Room::Common);
    }

    fn weight() -> Weight {
        T::WeightInfo::look_at()
    }
}
