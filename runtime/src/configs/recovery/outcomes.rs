//! What events say of transactions: which failed, and which in part.
//!
//! A call that wraps others can succeed though these failed: it tells so by an event, and
//! nothing else does. So what became of a transaction is asked of the events, then (of the
//! block in which it stood) and now (of what it told while it was repeated).

use crate::{Hash, RuntimeCall, RuntimeEvent, System};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::recovery::{events_key, Outcome};
use codec::{Compact, Decode, Encode};
use frame_support::weights::Weight;
use frame_system::{EventRecord, Phase};
use sp_runtime::DispatchError;

type Record = EventRecord<RuntimeEvent, Hash>;

/// Picoseconds for reading a byte of events. The shortest have eight.
const READ_BYTE: u64 = 25_000;
/// Picoseconds for each byte of all that the block has told so far: the host copies it when
/// it is asked for a part.
const COPY_BYTE: u64 = 4_000;

/// Whether a call makes others, and succeeds though these may fail.
pub(super) fn wraps(call: &RuntimeCall) -> bool {
    matches!(
        call,
        RuntimeCall::Utility(_)
            | RuntimeCall::Multisig(_)
            | RuntimeCall::Proxy(_)
            // A claim makes the call of a message.
            | RuntimeCall::Messages(_)
    )
}

/// Why a call failed inside of one that succeeded, if an event tells of such a one. Of a batch
/// that goes on each of its calls that failed is told by itself.
fn failed_inside(event: &RuntimeEvent) -> Option<DispatchError> {
    match event {
        RuntimeEvent::Utility(
            pallet_utility::Event::BatchInterrupted { error, .. }
            | pallet_utility::Event::ItemFailed { error }
            | pallet_utility::Event::DispatchedAs { result: Err(error) }
            | pallet_utility::Event::IfElseFallbackCalled { main_error: error },
        )
        | RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result: Err(error) })
        | RuntimeEvent::Multisig(pallet_multisig::Event::MultisigExecuted {
            result: Err(error),
            ..
        })
        | RuntimeEvent::Sudo(
            pallet_sudo::Event::Sudid { sudo_result: Err(error) }
            | pallet_sudo::Event::SudoAsDone { sudo_result: Err(error) },
        ) => Some(*error),
        _ => None,
    }
}

/// What became of a block's transactions, by its encoded events: the index of each that did
/// not succeed in all, ascending. `None` if they are no events of this runtime.
pub fn transaction_outcomes(mut events: &[u8]) -> Option<Vec<(u32, Outcome)>> {
    if events.is_empty() {
        return Some(Vec::new());
    }
    let Compact(count) = Compact::<u32>::decode(&mut events).ok()?;
    let mut outcomes = Vec::<(u32, Outcome)>::new();
    // One by one: together they would be long.
    for _ in 0..count {
        let Record { phase, event, .. } = Record::decode(&mut events).ok()?;
        let Phase::ApplyExtrinsic(index) = phase else { continue };
        let outcome = match &event {
            RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { .. }) => Outcome::Failed,
            event if failed_inside(event).is_some() => Outcome::PartlyFailed,
            _ => continue,
        };
        // They come in the order of the transactions.
        match outcomes.last_mut() {
            Some((last, worst)) if *last == index => *worst = (*worst).max(outcome),
            _ => outcomes.push((index, outcome)),
        }
    }
    events.is_empty().then_some(outcomes)
}

/// The most that [`transaction_outcomes`] weighs.
pub(super) fn outcomes_weight(bytes: u32) -> Weight {
    Weight::from_parts(READ_BYTE.saturating_mul(bytes.into()), 0)
}

/// How many events this block has, and their bytes.
pub(super) struct Told {
    count: u32,
    bytes: u32,
}

impl Told {
    /// Up to now.
    pub(super) fn so_far() -> Self {
        let bytes = sp_io::storage::read(&events_key(), &mut [], 0).unwrap_or(0);
        Self { count: System::event_count(), bytes }
    }

    /// Bytes in front of the events: their number.
    fn prefix(&self) -> u32 {
        Compact(self.count).encoded_size() as u32
    }

    /// Bytes of the events.
    fn records(&self) -> u32 {
        self.bytes.saturating_sub(self.prefix())
    }

    /// Why a call failed inside of one that was made since, if one did; and what it weighed
    /// to look.
    pub(super) fn failed_since(&self) -> (Option<DispatchError>, Weight) {
        let now = Self::so_far();
        let new = now.records().saturating_sub(self.records());
        let mut events = vec![0; new as usize];
        let offset = now.prefix().saturating_add(self.records());
        sp_io::storage::read(&events_key(), &mut events, offset);
        let weight = now.weight().saturating_add(outcomes_weight(new));

        let mut events = &events[..];
        for _ in self.count..now.count {
            let failed = match Record::decode(&mut events) {
                Ok(record) => failed_inside(&record.event),
                // There is no such event. What is not understood does not hold.
                Err(_) => Some(DispatchError::Corruption),
            };
            if failed.is_some() {
                return (failed, weight);
            }
        }
        (None, weight)
    }

    /// What looking weighs besides what is new.
    pub(super) fn weight(&self) -> Weight {
        Weight::from_parts(COPY_BYTE.saturating_mul(self.bytes.into()), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Runtime;
    use frame_system::DispatchEventInfo;

    const WHY: DispatchError = DispatchError::CannotLookup;

    fn of(phase: Phase, event: impl Into<RuntimeEvent>) -> Record {
        Record { phase, event: event.into(), topics: vec![] }
    }

    fn failed() -> frame_system::Event<Runtime> {
        let dispatch_info = DispatchEventInfo::default();
        frame_system::Event::ExtrinsicFailed { dispatch_error: WHY, dispatch_info }
    }

    fn succeeded() -> frame_system::Event<Runtime> {
        frame_system::Event::ExtrinsicSuccess { dispatch_info: DispatchEventInfo::default() }
    }

    /// Events that tell of a call that failed inside of one that succeeded.
    fn inside() -> Vec<RuntimeEvent> {
        let executed = pallet_multisig::Event::<Runtime>::MultisigExecuted {
            approving: [1; 32].into(),
            timepoint: pallet_multisig::Timepoint { height: 1, index: 1 },
            multisig: [2; 32].into(),
            call_hash: [3; 32],
            result: Err(WHY),
        };
        vec![
            pallet_utility::Event::BatchInterrupted { index: 1, error: WHY }.into(),
            pallet_utility::Event::ItemFailed { error: WHY }.into(),
            pallet_utility::Event::DispatchedAs { result: Err(WHY) }.into(),
            pallet_utility::Event::IfElseFallbackCalled { main_error: WHY }.into(),
            pallet_proxy::Event::<Runtime>::ProxyExecuted { result: Err(WHY) }.into(),
            executed.into(),
            pallet_sudo::Event::<Runtime>::Sudid { sudo_result: Err(WHY) }.into(),
            pallet_sudo::Event::<Runtime>::SudoAsDone { sudo_result: Err(WHY) }.into(),
        ]
    }

    #[test]
    fn r19_3_what_failed_and_what_did_in_part_is_told_by_events() {
        for event in inside() {
            let events = vec![
                of(Phase::Initialization, event.clone()),
                of(Phase::ApplyExtrinsic(1), succeeded()),
                of(Phase::ApplyExtrinsic(2), failed()),
                of(Phase::ApplyExtrinsic(3), event.clone()),
                of(Phase::ApplyExtrinsic(3), event.clone()),
                of(Phase::ApplyExtrinsic(3), succeeded()),
                // Of this one nothing was done after all.
                of(Phase::ApplyExtrinsic(5), event.clone()),
                of(Phase::ApplyExtrinsic(5), failed()),
                of(Phase::Finalization, failed()),
            ];
            let expected =
                vec![(2, Outcome::Failed), (3, Outcome::PartlyFailed), (5, Outcome::Failed)];
            assert_eq!(transaction_outcomes(&events.encode()), Some(expected), "{event:?}");
        }
    }

    #[test]
    fn what_went_well_inside_is_no_failure() {
        let well: [RuntimeEvent; 5] = [
            pallet_utility::Event::ItemCompleted.into(),
            pallet_utility::Event::BatchCompleted.into(),
            pallet_utility::Event::DispatchedAs { result: Ok(()) }.into(),
            pallet_proxy::Event::<Runtime>::ProxyExecuted { result: Ok(()) }.into(),
            pallet_sudo::Event::<Runtime>::Sudid { sudo_result: Ok(()) }.into(),
        ];
        assert!(well.iter().all(|event| failed_inside(event).is_none()));
        assert!(inside().iter().all(|event| failed_inside(event) == Some(WHY)));
    }

    #[test]
    fn what_are_no_events_is_refused() {
        let one = vec![of(Phase::ApplyExtrinsic(1), succeeded())].encode();
        assert_eq!(transaction_outcomes(&one), Some(vec![]));
        assert_eq!(transaction_outcomes(&[]), Some(vec![]));
        assert_eq!(transaction_outcomes(&[4]), None);
        assert_eq!(transaction_outcomes(&one[..one.len() - 1]), None);
        assert_eq!(transaction_outcomes(&[&one[..], &[0]].concat()), None);
    }

    #[test]
    fn r19_3_only_what_was_told_since_is_looked_at() {
        sp_io::TestExternalities::default().execute_with(|| {
            System::set_block_number(1);
            let nothing = Told::so_far();
            assert_eq!((nothing.count, nothing.bytes), (0, 0));
            assert_eq!(nothing.failed_since().0, None);
            for event in inside() {
                let before = Told::so_far();
                System::deposit_event(succeeded());
                assert_eq!(before.failed_since().0, None);
                System::deposit_event(event);
                // Their number grows by a byte on the way.
                (0..70).for_each(|_| System::deposit_event(succeeded()));
                assert_eq!(before.failed_since().0, Some(WHY));
                assert_eq!(Told::so_far().failed_since().0, None);
            }
            assert_eq!(nothing.failed_since().0, Some(WHY));
            let all = Told::so_far();
            assert_eq!(all.count, 8 * 72);
            assert!(all.weight().ref_time() > 0);
        });
    }
}
