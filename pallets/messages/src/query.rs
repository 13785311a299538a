//! What others read, and what must hold between blocks.

use crate::pallet::{Config, Messages, Pallet};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    l1::L1Hash,
    messages::{MessageReport, MessageState, MessageValue as _, ValueStanding},
};

/// Most records that one query returns.
pub const MAX_RECORDS: usize = 1_000;

impl<T: Config> Pallet<T> {
    /// All messages on record of one L1 transaction, by position; at most [`MAX_RECORDS`].
    pub fn messages_of_transaction(txid: L1Hash) -> Vec<MessageReport> {
        let mut reports: Vec<_> = Messages::<T>::iter_prefix_values(txid)
            .take(MAX_RECORDS)
            .map(|record| {
                let waits = matches!(record.state, MessageState::Queued(_)) && record.value > 0;
                MessageReport {
                    awaits_value: waits
                        && T::Value::standing(&record.outpoint) == ValueStanding::Waits,
                    storage_key: Messages::<T>::hashed_key_for(txid, record.outpoint.vout),
                    record,
                }
            })
            .collect();
        reports.sort_by_key(|report| report.record.outpoint.vout);
        reports
    }

    /// Checks what must hold between blocks.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(feature = "try-runtime", test))]
    pub fn check_state() -> Result<(), &'static str> {
        use crate::{
            pallet::{Done, DoneRange, Entered, ExecutedAs, Lanes, Queued, Queues, Turns},
            types::Lane,
        };
        use alloc::collections::BTreeSet;
        use frame_support::ensure;

        ensure!(!Entered::<T>::exists(), "no message is being executed between blocks");
        let (mut queued, mut done, mut executed) = (0u64, 0u64, 0usize);
        for (_, vout, record) in Messages::<T>::iter() {
            if matches!(record.state, MessageState::Executed { .. }) {
                executed = executed.saturating_add(1);
                let known = ExecutedAs::<T>::get(record.unsigned_txid, vout);
                ensure!(known == Some(record.outpoint), "what is executed is so once");
            }
            match record.state {
                MessageState::Queued(_) => queued = queued.saturating_add(1),
                MessageState::Executed { .. } | MessageState::Failed { .. } => {
                    done = done.saturating_add(1);
                }
            }
        }
        ensure!(executed == ExecutedAs::<T>::iter().count(), "nothing else is executed");
        let mut places = 0u64;
        for (sender, queue) in Queues::<T>::iter() {
            ensure!(!queue.is_empty(), "who has no message has no queue");
            places = places.saturating_add(queue.len());
            for place in queue.first..queue.next {
                let record = Queued::<T>::get(&sender, place)
                    .and_then(|outpoint| Messages::<T>::get(outpoint.txid, outpoint.vout));
                let waits = record.is_some_and(|record| {
                    record.sender == sender && matches!(record.state, MessageState::Queued(_))
                });
                ensure!(waits, "a sender's queue holds its messages, without gaps");
            }
        }
        ensure!(places == queued, "every message that waits has one place");
        ensure!(places == Queued::<T>::iter().count() as u64, "nothing else is queued");
        let mut senders = BTreeSet::new();
        let mut turns = 0u64;
        for lane in [Lane::Ready, Lane::Paused] {
            let queue = Lanes::<T>::get(lane);
            turns = turns.saturating_add(queue.len());
            for place in queue.first..queue.next {
                let turn = Turns::<T>::get(lane, place).ok_or("a lane has no gaps")?;
                ensure!(Queues::<T>::contains_key(&turn.sender), "who has a turn has a message");
                ensure!(senders.insert(turn.sender), "every sender stands in one lane, once");
            }
        }
        ensure!(turns == Turns::<T>::iter().count() as u64, "nobody else has a turn");
        ensure!(senders.len() == Queues::<T>::iter().count(), "every sender has its turn");
        let range = DoneRange::<T>::get();
        ensure!(range.len() == done, "every message that is done will be removed");
        ensure!(range.len() == Done::<T>::iter().count() as u64, "nothing else will be");
        for place in range.first..range.next {
            let (outpoint, _) = Done::<T>::get(place).ok_or("what is done has no gaps")?;
            let known = Messages::<T>::contains_key(outpoint.txid, outpoint.vout);
            ensure!(known, "what is to be removed is there");
        }
        Ok(())
    }
}
