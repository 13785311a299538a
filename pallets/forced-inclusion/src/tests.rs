//! When what waits is settled, and what becomes of it.

use crate::{
    mock::*,
    pallet::{Counts, Entries, Event, LeftOut, Queue, Transactions},
    ApplyTransaction, Outcome, Places, Totals, MAX_TRIES, MIN_LEFT_OUT, SUBMITTED, SUBMIT_BLOCKS,
};
use cascoin_l2_primitives::relay::OnL1Event;
use codec::Encode;
use frame_support::{
    inherent::{InherentData, ProvideInherent},
    traits::Hooks,
    weights::Weight,
};
use proptest::prelude::*;
use sp_core::offchain::{testing::TestTransactionPoolExt, TransactionPoolExt};

/// What became of transactions, oldest first.
fn settled() -> Vec<(u64, Outcome)> {
    let of = |record: frame_system::EventRecord<RuntimeEvent, _>| match record.event {
        RuntimeEvent::Forced(Event::Settled { place, outcome, .. }) => Some((place, outcome)),
        _ => None,
    };
    System::events().into_iter().filter_map(of).collect()
}

#[test]
fn r17_2_the_runtime_applies_what_is_overdue_and_nothing_earlier() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        let due = Entries::<Test>::get(0).expect("it waits").due;
        assert_eq!(due, START + DAY);
        assert!(block(due - 1).is_empty());
        assert_eq!(block(due), [[APPLIED, 7]]);
        assert_eq!(settled(), [(0, Outcome::Applied(Ok(())))]);
        assert!(block(due + DAY).is_empty(), "once");
        assert_eq!(Counts::<Test>::get(), Totals { heard: 1, applied: 1, ..Default::default() });
        assert!(!Entries::<Test>::contains_key(0) && !Transactions::<Test>::contains_key(0));
    });
}

/// The relay was down, or its voters held it back.
#[test]
fn r17_2_one_that_is_heard_late_has_an_hour() {
    chain().execute_with(|| {
        hear_at(START - 23 * HOUR, APPLIED, 1);
        hear_at(START - 23 * HOUR + 1_000, APPLIED, 2);
        hear_at(START - 30 * DAY, APPLIED, 3);
        let due = |place: u64| Entries::<Test>::get(place).expect("it waits").due;
        assert_eq!((due(0), due(1), due(2)), (START + HOUR, START + HOUR + 1_000, START + HOUR));
    });
}

#[test]
fn what_becomes_of_each_is_told_and_counted() {
    chain().execute_with(|| {
        let kinds = [APPLIED, FAILED, NONCE_USED, UNPAYABLE, INVALID];
        for (number, kind) in (0..).zip(kinds) {
            hear_at(START, kind, number);
        }
        for _ in kinds {
            assert_eq!(block(START + DAY).len(), 1, "one in each block");
        }
        let expected: Vec<_> = (0..).zip(kinds.map(outcome)).collect();
        assert_eq!(settled(), expected);
        let totals = Totals { heard: 5, included: 1, applied: 2, dropped: 2 };
        assert_eq!(Counts::<Test>::get(), totals);
        assert_eq!(Queue::<Test>::get(), Places { first: 5, next: 5 });
    });
}

/// Attack: one that fits no block, to hold up all behind it.
#[test]
fn r17_2_one_that_finds_no_room_holds_nobody_up_for_long() {
    chain().execute_with(|| {
        hear_at(START, NO_ROOM, 1);
        hear_at(START, APPLIED, 2);
        for _ in 1..MAX_TRIES {
            assert_eq!(block(START + DAY), [[NO_ROOM, 1]]);
            assert!(settled().is_empty());
        }
        assert_eq!(block(START + DAY), [[NO_ROOM, 1]]);
        assert_eq!(settled(), [(0, Outcome::NoRoom)]);
        assert_eq!(block(START + DAY), [[APPLIED, 2]]);
        // The next one has all its tries again.
        hear_at(START, NO_ROOM, 3);
        block(START + 2 * DAY);
        assert_eq!(settled().len(), 2);
    });
}

#[test]
fn r12_5_while_the_chain_is_halted_what_is_overdue_waits() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 1);
        ReadyOnes::set(vec![1]);
        Author::set(Some(account(1)));
        Halted::set(true);
        // Nobody is asked for what could be included, nor noted.
        for _ in 0..MIN_LEFT_OUT {
            begin(START + HOUR);
            assert!(Forced::create_inherent(&InherentData::new()).is_none());
            end();
        }
        assert!(block(START + DAY).is_empty());
        assert!(settled().is_empty());
        assert_eq!(LeftOut::<Test>::iter_keys().count(), 0);
        // Were it not halted, the same blocks would be noted.
        Halted::set(false);
        block(START + HOUR);
        assert_eq!(LeftOut::<Test>::get(0).0[0].blocks, 1);
        assert_eq!(block(START + DAY), [[APPLIED, 1]]);
        assert_eq!(settled(), [(0, Outcome::Applied(Ok(())))]);
        assert!(Told::get().is_empty());
    });
}

/// Looking into it, for which its signature is checked, is a part of hearing of it.
#[test]
fn what_looking_into_a_transaction_weighs_is_told() {
    assert_eq!(Forced::max_event_weight(), Apply::max_ticket_weight());
    assert_ne!(Apply::max_ticket_weight(), Weight::zero());
}

#[test]
fn what_is_for_another_chain_does_not_wait() {
    chain().execute_with(|| {
        hear_for(CHAIN + 1, START, APPLIED, 1);
        System::assert_last_event(Event::<Test>::OtherChain { chain_id: CHAIN + 1 }.into());
        assert_eq!(Queue::<Test>::get().waiting(), 0);
    });
}

/// Leaders that censor nothing include it themselves.
#[test]
fn r17_1_the_worker_submits_all_that_wait_by_turns() {
    let (pool, state) = TestTransactionPoolExt::new();
    let mut ext = chain();
    ext.register_extension(TransactionPoolExt::new(pool));
    ext.execute_with(|| {
        Forced::offchain_worker(0);
        assert!(state.read().transactions.is_empty(), "nothing waits");
        for number in 0..10 {
            hear_at(START, APPLIED, number);
        }
        let mut seen = Vec::new();
        // All ten in three turns: of four each.
        for now in 0..3 * SUBMIT_BLOCKS as u32 {
            Forced::offchain_worker(now);
            let mut submitted = core::mem::take(&mut state.write().transactions);
            let turn = u64::from(now) % SUBMIT_BLOCKS == 0;
            assert_eq!(submitted.len() as u64, if turn { SUBMITTED } else { 0 });
            seen.append(&mut submitted);
        }
        seen.sort();
        seen.dedup();
        let all: Vec<_> = (0..10).map(|number| vec![APPLIED, number]).collect();
        assert_eq!(seen, all);
    });
}

#[test]
fn what_waits_is_stored_as_small_as_it_is() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 1);
        assert_eq!(Transactions::<Test>::get(0).expect("it waits").encoded_size(), 3);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is heard and whenever, all of it is settled in the order in which it was
    /// heard, none before it is due, and each as soon as it is due and all before it are
    /// settled.
    #[test]
    fn p19_what_stands_on_l1_is_settled_when_it_is_due(
        heard in proptest::collection::vec((0u64..120, 0u8..=NO_ROOM), 1..12),
        step in 1u64..30,
    ) {
        chain().execute_with(|| {
            let minute = HOUR / 60;
            let mut stood = START;
            let mut dues = Vec::new();
            for (number, (later, kind)) in (0..).zip(&heard) {
                stood += later * minute;
                Now::set(stood);
                hear_at(stood, *kind, number);
                dues.push(stood + DAY);
            }
            let mut done = 0;
            let mut now = START + DAY - HOUR;
            while done < heard.len() {
                now += step * minute;
                let before = settled().len();
                let tried = block(now);
                let is_due = dues[done] <= now;
                assert_eq!(tried.len(), usize::from(is_due));
                done = settled().len();
                assert!(done - before <= tried.len());
                // But for want of room, what is due is settled at once.
                if is_due && heard[before].1 != NO_ROOM {
                    assert_eq!(done, before + 1);
                }
            }
            let outcomes: Vec<_> = settled();
            let expected: Vec<_> =
                (0..).zip(heard.iter().map(|(_, kind)| outcome(*kind))).collect();
            assert_eq!(outcomes, expected);
            assert!(block(now + DAY).is_empty());
        });
    }
}
