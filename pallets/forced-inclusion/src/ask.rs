//! What leaders are asked for, and what becomes of those that leave it out (R17.3, R17.5).

use crate::{
    pallet::{
        Asking, CensorRecords, Config, Duty, Entries, Error, Event, LeftOut, Pallet, Queue,
        Tickets, Transactions, Unpunished,
    },
    types::{Asked, Outcome, Readiness},
    ApplyTransaction, Leaders, WeightInfo, PUNISHED, SCANNED,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::sequencers::{Offence, OnOffence, SequencerSetProvider};
use frame_support::{
    traits::{Get, Time},
    weights::Weight,
    BoundedVec,
};
use sp_runtime::{DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
    /// Asks the leader of the block that begins for one of those that wait: by turns, the
    /// first of a few that the block could begin with and that pools had their time for.
    pub(crate) fn ask() -> Weight {
        let places = Queue::<T>::get();
        let waiting = places.waiting();
        if waiting == 0 {
            return Weight::zero();
        }
        let now: u64 = frame_system::Pallet::<T>::block_number().saturated_into();
        let time = T::Time::now();
        let turn = Self::turn(now, waiting);
        for step in 0..SCANNED.min(waiting) {
            let offset = turn.saturating_add(step).checked_rem(waiting).unwrap_or(0);
            let place = places.first.saturating_add(offset);
            let asked = Entries::<T>::get(place).is_some_and(|entry| entry.asked <= time);
            let Some(ticket) = Tickets::<T>::get(place).filter(|_| asked) else { continue };
            match T::Apply::readiness(&ticket) {
                Readiness::Ready => {
                    if let Some(leader) = T::Author::get() {
                        Duty::<T>::put(Asked { place, leader });
                    }
                    break;
                }
                Readiness::Over => Self::excuse(place),
                Readiness::NotYet => {}
            }
        }
        T::WeightInfo::ask()
    }

    /// Nobody is asked for it any more, nor blamed for having left it out. Before its entry is
    /// removed.
    pub(crate) fn excuse(place: u64) {
        if Tickets::<T>::take(place).is_some() {
            if let Some(entry) = Entries::<T>::get(place) {
                Asking::<T>::remove(entry.hash);
            }
        }
        LeftOut::<T>::remove(place);
    }

    /// Whose turn it is of so many. The number of a block, which nobody chooses, gives it by a
    /// hash: of a number that only counts up, whoever brings the right number of others has
    /// somebody's turn come with blocks that end sessions, which have no room. And a parent's
    /// hash is its leader's choice, who mostly makes the next block as well.
    fn turn(block: u64, waiting: u64) -> u64 {
        let hash = sp_io::hashing::twox_64(&block.to_le_bytes());
        u64::from_le_bytes(hash).checked_rem(waiting).unwrap_or(0)
    }

    /// The leader includes what it was asked for.
    pub(crate) fn include_asked(place: u64) -> DispatchResult {
        let asked = Duty::<T>::get().filter(|asked| asked.place == place);
        let asked = asked.ok_or(Error::<T>::NotAsked)?;
        let entry = Entries::<T>::get(place).ok_or(Error::<T>::NotAsked)?;
        let encoded = Transactions::<T>::get(place).ok_or(Error::<T>::NotAsked)?;
        Duty::<T>::kill();
        let outcome = T::Apply::apply(&encoded);
        // What was refused is refused whenever it is tried, or was not ready after all: the
        // leader did its part.
        if outcome != Outcome::NoRoom {
            Self::excuse(place);
        }
        if let Outcome::Applied(result) = outcome {
            let leader = asked.leader;
            Self::deposit_event(Event::Included { place, hash: entry.hash, leader, result });
        }
        Ok(())
    }

    /// The inherents are applied: if what the leader was asked for is still asked for, it left
    /// it out.
    pub(crate) fn note_left_out() {
        let Some(Asked { place, leader }) = Duty::<T>::take() else { return };
        if T::Apply::had_room() {
            LeftOut::<T>::mutate(place, |leaders| leaders.note(leader));
        }
    }

    /// These left out what the runtime had to apply, or to drop. Returns whether any of them
    /// is to be punished.
    pub(crate) fn blame(place: u64, leaders: Leaders) -> bool {
        let now = T::Time::now();
        let epoch = T::Epoch::get();
        let accounts: Vec<_> = leaders.to_blame().collect();
        if accounts.is_empty() {
            return false;
        }
        let mut records = CensorRecords::<T>::get();
        records.forget(now);
        let set_id = T::Sequencers::set_id();
        let height = frame_system::Pallet::<T>::block_number().saturated_into();
        let mut offences = Vec::new();
        for account in accounts {
            if let Some(kind) = records.count(account.clone(), epoch, now) {
                offences.push(Offence { kind, offender: account.clone(), set_id, height });
            }
            Self::deposit_event(Event::Censored { place, leader: account });
        }
        CensorRecords::<T>::put(records);
        if offences.is_empty() {
            return false;
        }
        // There are no more leaders than fit, and nothing else waits.
        Unpunished::<T>::put(BoundedVec::truncate_from(offences));
        true
    }

    /// Punishes those that are first, as many as one block does. Returns the weight.
    pub(crate) fn punish() -> Weight {
        let mut left = Unpunished::<T>::take().into_inner();
        let now = left.len().min(PUNISHED as usize);
        let later = left.split_off(now);
        if !later.is_empty() {
            Unpunished::<T>::put(BoundedVec::truncate_from(later));
        }
        for offence in &left {
            T::OnOffence::on_offence(offence);
        }
        let each = T::OnOffence::max_offence_weight();
        T::WeightInfo::punish().saturating_add(each.saturating_mul(left.len() as u64))
    }
}
