//! The queues: of each sender's messages, and of the senders' turns.
//!
//! Whoever has messages that wait stands in one lane, once. In the lane
//! [`Ready`](Lane::Ready) all have their turn, one message each, and go to its end if they
//! have more. Who cannot go on is [`Paused`](Lane::Paused), so that it keeps nobody waiting.

use crate::{
    pallet::{Config, Done, DoneRange, ExecutedAs, Lanes, Messages, Pallet, Queued, Queues, Turns},
    types::{Lane, Turn},
    MAX_REMOVED, MAX_WOKEN, VALUE_PAUSE,
};
use cascoin_l2_primitives::{
    chain::{AccountId, BlockNumber},
    l1::OutPoint,
    messages::{MessageValue as _, ValueStanding},
};
use frame_support::traits::Get;

impl<T: Config> Pallet<T> {
    /// Puts a message behind those of its sender.
    pub(crate) fn enqueue(sender: &AccountId, outpoint: OutPoint) {
        let known = Queues::<T>::get(sender);
        let mut queue = known.unwrap_or_default();
        Queued::<T>::insert(sender, queue.push(), outpoint);
        Queues::<T>::insert(sender, queue);
        if known.is_none() {
            Self::line_up(Lane::Ready, sender.clone(), 0);
        }
    }

    /// The message of a sender whose turn it is.
    pub(crate) fn head(sender: &AccountId) -> Option<OutPoint> {
        let queue = Queues::<T>::get(sender)?;
        Queued::<T>::get(sender, queue.first)
    }

    /// Takes the message at the head out of its sender's queue; whether there are more.
    pub(crate) fn dequeue(sender: &AccountId) -> bool {
        let mut queue = Queues::<T>::get(sender).unwrap_or_default();
        if let Some(place) = queue.pop() {
            Queued::<T>::remove(sender, place);
        }
        if queue.is_empty() {
            Queues::<T>::remove(sender);
            return false;
        }
        Queues::<T>::insert(sender, queue);
        true
    }

    /// Puts a sender to the end of a lane.
    pub(crate) fn line_up(lane: Lane, sender: AccountId, from: BlockNumber) {
        let place = Lanes::<T>::mutate(lane, |queue| queue.push());
        Turns::<T>::insert(lane, place, Turn { sender, from });
    }

    /// Takes the sender at the head out of a lane.
    pub(crate) fn next_turn(lane: Lane) -> Option<Turn> {
        let place = Lanes::<T>::mutate(lane, |queue| queue.pop())?;
        Turns::<T>::take(lane, place)
    }

    /// Moves those who need not pause any longer to where they have their turns. Whose value
    /// still waits goes on pausing: looking here costs less than a turn, and takes none from
    /// others. How many were looked at.
    pub(crate) fn wake(now: BlockNumber) -> u32 {
        let paused = Lanes::<T>::get(Lane::Paused).len();
        let looked_at = paused.min(u64::from(MAX_WOKEN)) as u32;
        for _ in 0..looked_at {
            let Some(Turn { sender, from }) = Self::next_turn(Lane::Paused) else { break };
            if from > now {
                Self::line_up(Lane::Paused, sender, from);
            } else if Self::awaits_value(&sender) {
                Self::line_up(Lane::Paused, sender, now.saturating_add(VALUE_PAUSE));
            } else {
                Self::line_up(Lane::Ready, sender, from);
            }
        }
        looked_at
    }

    // Whether the message whose turn it would be waits for its value.
    fn awaits_value(sender: &AccountId) -> bool {
        let head = Self::head(sender);
        let record = head.and_then(|outpoint| Messages::<T>::get(outpoint.txid, outpoint.vout));
        record.is_some_and(|record| {
            record.value > 0 && T::Value::standing(&record.outpoint) == ValueStanding::Waits
        })
    }

    /// Notes that a message is done, from when on it is kept for a while.
    pub(crate) fn note_done(outpoint: OutPoint, now: BlockNumber) {
        let place = DoneRange::<T>::mutate(|range| range.push());
        Done::<T>::insert(place, (outpoint, now));
    }

    fn forget(outpoint: OutPoint) {
        let OutPoint { txid, vout } = outpoint;
        let Some(record) = Messages::<T>::take(txid, vout) else { return };
        // Not that of a duplicate.
        if ExecutedAs::<T>::get(record.unsigned_txid, vout) == Some(outpoint) {
            ExecutedAs::<T>::remove(record.unsigned_txid, vout);
        }
    }

    /// Removes records that were kept long enough; how many.
    pub(crate) fn remove_old(now: BlockNumber) -> u32 {
        let mut range = DoneRange::<T>::get();
        let mut removed = 0;
        while removed < MAX_REMOVED && !range.is_empty() {
            if let Some((outpoint, done)) = Done::<T>::get(range.first) {
                if now <= done.saturating_add(T::KeepBlocks::get()) {
                    break;
                }
                Self::forget(outpoint);
            }
            Done::<T>::remove(range.first);
            range.pop();
            removed = removed.saturating_add(1);
        }
        if removed > 0 {
            DoneRange::<T>::put(range);
        }
        removed
    }
}
