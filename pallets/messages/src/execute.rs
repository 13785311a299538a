//! Executing messages: turns when a block begins, and claims.
//!
//! The order within one try is checks, effects, interaction (R28.3): what the record will
//! say is written before the call is made, and taken back only if the call fails.

use crate::{
    pallet::{Config, Entered, Error, Event, ExecutedAs, Lanes, Messages, Pallet},
    types::{Lane, Turn},
    WeightInfo, MAX_DEPTH, MAX_RETRIES, MAX_TURNS, VALUE_PAUSE,
};
use cascoin_l2_primitives::{
    chain::{AccountId, BlockNumber, PS_PER_GAS},
    l1::{cross_layer::CrossLayerPayload, OutPoint},
    messages::{
        ChargeMessage as _, MessageFailure, MessageRecord, MessageState, MessageValue as _,
        ValueStanding,
    },
};
use codec::DecodeLimit;
use frame_support::{
    dispatch::{DispatchErrorWithPostInfo, DispatchResultWithPostInfo, GetDispatchInfo as _},
    ensure,
    traits::Get,
    weights::Weight,
};
use frame_system::RawOrigin;
use sp_runtime::{traits::Dispatchable as _, DispatchError, SaturatedConversion};

/// A call that was read, and the most that it weighs.
type Call<T> = (<T as Config>::MessageCall, Weight);

impl<T: Config> Pallet<T> {
    /// Gives senders their turns when a block begins. What it weighs, which is at most
    /// [`Config::BlockBudget`].
    pub(crate) fn begin_block(now: BlockNumber) -> Weight {
        let mut used = T::WeightInfo::block();
        if T::L1Disputed::get() || T::Halted::get() {
            return used;
        }
        let removed = Self::remove_old(now);
        let woken = Self::wake(now);
        used = used
            .saturating_add(T::WeightInfo::remove(removed))
            .saturating_add(T::WeightInfo::wake(woken));
        let most = T::WeightInfo::turn().saturating_add(T::MaxCallWeight::get());
        let waiting = Lanes::<T>::get(Lane::Ready).len();
        // Who goes to the end has no second turn in this block.
        for _ in 0..waiting.min(u64::from(MAX_TURNS)) {
            if !used.saturating_add(most).all_lte(T::BlockBudget::get()) {
                break;
            }
            let Some(Turn { sender, .. }) = Self::next_turn(Lane::Ready) else { break };
            used = used
                .saturating_add(T::WeightInfo::turn())
                .saturating_add(Self::take_turn(sender, now));
        }
        used
    }

    // The turn of a sender, who is in no lane. What its call weighs.
    fn take_turn(sender: AccountId, now: BlockNumber) -> Weight {
        // None is ever missing (`check_state`).
        let Some(outpoint) = Self::head(&sender) else { return Weight::zero() };
        let Some(mut record) = Messages::<T>::get(outpoint.txid, outpoint.vout) else {
            Self::go_on(sender);
            return Weight::zero();
        };
        // Hooks run before what applies L1's events; if that ever changes, this holds.
        if record.applied >= now {
            Self::line_up(Lane::Ready, sender, now);
            return Weight::zero();
        }
        // Whether L1 brings it again is settled by now: nothing is executed before.
        if Self::is_dropped(&record) {
            Self::fail(record, MessageFailure::Dropped, now);
            Self::go_on(sender);
            return Weight::zero();
        }
        if Self::is_duplicate(&record) {
            Self::fail(record, MessageFailure::Duplicate, now);
            Self::go_on(sender);
            return Weight::zero();
        }
        if record.value > 0 {
            match T::Value::standing(&outpoint) {
                ValueStanding::Credited => (),
                ValueStanding::Waits => {
                    Self::line_up(Lane::Paused, sender, now.saturating_add(VALUE_PAUSE));
                    return Weight::zero();
                }
                ValueStanding::Rejected => {
                    Self::fail(record, MessageFailure::ValueRejected, now);
                    Self::go_on(sender);
                    return Weight::zero();
                }
            }
        }
        record.tries = record.tries.saturating_add(1);
        let (weight, failure) = Self::try_once(&mut record, now);
        match failure {
            None => {
                Self::note_done(outpoint, now);
                Self::deposit_event(Event::MessageExecuted { outpoint, sender: sender.clone() });
            }
            Some(reason) if Self::is_tried_again(&record, reason) => {
                let tries = record.tries;
                let pause = T::RetryPause::get().saturating_mul(tries.into());
                record.state = MessageState::Queued(Some(reason));
                Messages::<T>::insert(outpoint.txid, outpoint.vout, record);
                Self::deposit_event(Event::MessageDelayed { outpoint, tries, reason });
                Self::line_up(Lane::Paused, sender, now.saturating_add(pause));
                return weight;
            }
            Some(reason) => Self::fail(record, reason, now),
        }
        Self::go_on(sender);
        weight
    }

    // Whether it was executed under another identifier of its transaction. One of which L1
    // dropped the other output before that was executed is none: it is the message.
    fn is_duplicate(record: &MessageRecord) -> bool {
        let executed = ExecutedAs::<T>::get(record.unsigned_txid, record.outpoint.vout);
        executed.is_some_and(|outpoint| outpoint != record.outpoint)
    }

    // A message that brought nothing and whose sender cannot pay is not: else it would cost
    // nobody anything to have others wait.
    fn is_tried_again(record: &MessageRecord, reason: MessageFailure) -> bool {
        let costs_nothing = reason == MessageFailure::FeeUnpaid && record.value == 0;
        reason.may_pass() && !costs_nothing && record.tries <= MAX_RETRIES
    }

    // The message at the head is done: the next one of its sender has a turn.
    fn go_on(sender: AccountId) {
        if Self::dequeue(&sender) {
            Self::line_up(Lane::Ready, sender, 0);
        }
    }

    fn fail(mut record: MessageRecord, reason: MessageFailure, now: BlockNumber) {
        let (outpoint, sender) = (record.outpoint, record.sender.clone());
        record.state = MessageState::Failed { block: now, reason };
        Messages::<T>::insert(outpoint.txid, outpoint.vout, record);
        Self::note_done(outpoint, now);
        Self::deposit_event(Event::MessageFailed { outpoint, sender, reason });
    }

    // Executes a message. What its call weighs, and why it failed, if it did: then the
    // caller stores the record.
    fn try_once(record: &mut MessageRecord, now: BlockNumber) -> (Weight, Option<MessageFailure>) {
        let (gas, length, (call, weight)) = match Self::read(record) {
            Ok(read) => read,
            Err(reason) => return (Weight::zero(), Some(reason)),
        };
        if weight.ref_time() > u64::from(gas).saturating_mul(PS_PER_GAS) {
            return (Weight::zero(), Some(MessageFailure::OutOfGas));
        }
        // No call is made. What asking for the fee costs is a part of the turn.
        if T::Fees::charge(&record.sender, length, weight).is_err() {
            return (Weight::zero(), Some(MessageFailure::FeeUnpaid));
        }
        match Self::enter(record, call, now) {
            Ok(_) => (weight, None),
            Err(failed) => (weight, Some(MessageFailure::Call(failed.error))),
        }
    }

    // The gas that a message names, the length of its call, and the call with its weight.
    fn read(record: &MessageRecord) -> Result<(u32, u32, Call<T>), MessageFailure> {
        let CrossLayerPayload { gas, call } =
            CrossLayerPayload::read(&record.body).ok_or(MessageFailure::Malformed)?;
        // At most 64.
        let length = call.len() as u32;
        let call = T::MessageCall::decode_all_with_depth_limit(MAX_DEPTH, &mut &call[..])
            .map_err(|_| MessageFailure::UnknownCall)?;
        let weight = call.get_dispatch_info().call_weight;
        if !weight.all_lte(T::MaxCallWeight::get()) {
            return Err(MessageFailure::TooHeavy);
        }
        Ok((gas, length, (call, weight)))
    }

    // Makes the call for the sender. Before it the record says that it is executed, and so
    // does what its transaction is without its scripts: there is no moment at which it could
    // be executed a second time.
    fn enter(
        record: &mut MessageRecord,
        call: T::MessageCall,
        now: BlockNumber,
    ) -> DispatchResultWithPostInfo {
        ensure!(!Entered::<T>::get(), Error::<T>::Reentrant);
        let (unsigned_txid, OutPoint { txid, vout }) = (record.unsigned_txid, record.outpoint);
        record.state = MessageState::Executed { block: now };
        Messages::<T>::insert(txid, vout, &*record);
        ExecutedAs::<T>::insert(unsigned_txid, vout, record.outpoint);
        Entered::<T>::put(true);
        let result = call.dispatch(RawOrigin::Signed(record.sender.clone()).into());
        Entered::<T>::kill();
        if result.is_err() {
            ExecutedAs::<T>::remove(unsigned_txid, vout);
        }
        result
    }

    /// Executes a message that has failed, for its sender. An error undoes all of it.
    pub(crate) fn claim_message(who: AccountId, outpoint: OutPoint) -> DispatchResultWithPostInfo {
        ensure!(!Entered::<T>::get(), Error::<T>::Reentrant);
        let mut record =
            Messages::<T>::get(outpoint.txid, outpoint.vout).ok_or(Error::<T>::UnknownMessage)?;
        ensure!(record.sender == who, Error::<T>::NotSender);
        let claimable = match record.state {
            MessageState::Failed {
                reason: MessageFailure::Malformed | MessageFailure::Duplicate,
                ..
            } => false,
            // What L1 had dropped, if it has brought it after all.
            MessageState::Failed {
                reason: MessageFailure::Dropped | MessageFailure::ValueRejected,
                ..
            } => record.value == 0 || T::Value::standing(&outpoint) == ValueStanding::Credited,
            MessageState::Failed { .. } => true,
            MessageState::Queued(_) | MessageState::Executed { .. } => false,
        };
        let stands = !Self::is_dropped(&record) && !Self::is_duplicate(&record);
        ensure!(claimable && stands, Error::<T>::NotClaimable);
        let (_, _, (call, weight)) = Self::read(&record).map_err(|_| Error::<T>::NotClaimable)?;
        let now = frame_system::Pallet::<T>::block_number().saturated_into();
        let used = Some(T::WeightInfo::claim().saturating_add(weight));
        Self::enter(&mut record, call, now).map_err(|failed| DispatchErrorWithPostInfo {
            post_info: used.into(),
            error: failed.error,
        })?;
        Self::deposit_event(Event::MessageExecuted { outpoint, sender: who });
        Ok(used.into())
    }

    /// Whether a message is being executed (R28.1): what must not happen within one asks
    /// this first.
    ///
    /// # Errors
    /// [`Error::Reentrant`] if one is.
    pub fn ensure_not_entered() -> Result<(), DispatchError> {
        ensure!(!Entered::<T>::get(), Error::<T>::Reentrant);
        Ok(())
    }
}
