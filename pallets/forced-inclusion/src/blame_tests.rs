//! What leaders are asked for, and what becomes of those that leave it out.

use crate::{
    mock::*,
    pallet::{CensorRecords, Counts, Duty, Error, Event, LeftOut, Queue, Tickets, Unpunished},
    Asked, Censors, MAX_LEADERS, MAX_TRIES, MIN_LEFT_OUT, PUNISHED, SCANNED,
};
use cascoin_l2_primitives::{
    chain::Moment,
    sequencers::{Offence, OffenceKind},
};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use proptest::prelude::*;
use sp_runtime::DispatchError::BadOrigin;

/// From then on leaders are asked for what was heard when the chain began.
const ASKED: Moment = START + HOUR;

/// Blocks of `leader` that begin with nothing, all at this time.
fn censor(leader: u8, blocks: u32, now: Moment) {
    Author::set(Some(account(leader)));
    for _ in 0..blocks {
        assert!(block(now).is_empty(), "nothing is overdue");
    }
}

/// The runtime applies the first one, in a block of nobody that is asked.
fn overdue() {
    Author::set(None);
    assert_eq!(block(START + DAY).len(), 1);
}

fn told() -> Vec<(OffenceKind, u8)> {
    let of = |offence: Offence| (offence.kind, AsRef::<[u8]>::as_ref(&offence.offender)[0]);
    Told::get().into_iter().map(of).collect()
}

#[test]
fn r17_3_who_left_out_what_the_runtime_had_to_apply_is_punished() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        ReadyOnes::set(vec![7]);
        censor(1, MIN_LEFT_OUT, ASKED);
        censor(2, MIN_LEFT_OUT - 1, ASKED);
        assert!(told().is_empty(), "nothing is proven while anybody may still include it");
        overdue();
        // Too few blocks are nobody's pattern.
        assert_eq!(told(), [(OffenceKind::Censorship, 1)]);
        let offence = &Told::get()[0];
        assert_eq!((offence.set_id, offence.height), (5, System::block_number()));
        System::assert_last_event(Event::<Test>::Censored { place: 0, leader: account(1) }.into());
        let records = CensorRecords::<Test>::get().0;
        assert_eq!((records.len(), records[0].transactions), (1, 1));
        assert!(!LeftOut::<Test>::contains_key(0) && !Tickets::<Test>::contains_key(0));
    });
}

#[test]
fn r17_3_the_inherent_includes_it_and_nobody_is_blamed() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        ReadyOnes::set(vec![7]);
        censor(1, 9, ASKED);
        Author::set(Some(account(2)));
        assert_eq!(honest_block(ASKED), [[APPLIED, 7]]);
        let included = System::events().into_iter().any(|record| {
            matches!(
                record.event,
                RuntimeEvent::Forced(Event::Included { place: 0, leader, result: Ok(()), .. })
                    if leader == account(2)
            )
        });
        assert!(included);
        // It is asked for once.
        assert!(honest_block(ASKED).is_empty());
        // Even if the runtime could apply it again, nobody is to blame.
        overdue();
        assert!(told().is_empty());
        assert_eq!(CensorRecords::<Test>::get(), Censors::default());
    });
}

/// Attack: a user has honest leaders blamed for what nobody could include.
#[test]
fn r17_5_nobody_is_blamed_for_what_could_not_be_included() {
    // Not ready in any block: coins that come just before its time is over.
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        censor(1, 50, ASKED);
        ReadyOnes::set(vec![7]);
        censor(1, MIN_LEFT_OUT - 1, ASKED);
        overdue();
        assert!(told().is_empty());
    });
    // Blocks without room for it: those that end a session.
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        ReadyOnes::set(vec![7]);
        Room::set(false);
        censor(1, 50, ASKED);
        overdue();
        assert!(told().is_empty());
    });
    // Its account used the nonce otherwise.
    chain().execute_with(|| {
        hear_at(START, NONCE_USED, 7);
        ReadyOnes::set(vec![7]);
        censor(1, 50, ASKED);
        overdue();
        assert_eq!(Counts::<Test>::get().included, 1);
        assert!(told().is_empty());
    });
    // It turns out to be invalid: an era that is over, a runtime that is another.
    chain().execute_with(|| {
        hear_at(START, TURNED_INVALID, 7);
        ReadyOnes::set(vec![7]);
        censor(1, 50, ASKED);
        overdue();
        assert_eq!(Counts::<Test>::get().dropped, 1);
        assert!(told().is_empty());
    });
    // What is no transaction is asked for never.
    chain().execute_with(|| {
        hear_at(START, INVALID, 7);
        ReadyOnes::set(vec![7]);
        Author::set(Some(account(1)));
        assert!(honest_block(ASKED).is_empty());
    });
}

/// Attack: a cartel leaves it out for a day, fills the last blocks and so raises the price,
/// until its account cannot pay any more or no block has room for it.
#[test]
fn r17_5_what_is_dropped_for_want_of_coins_or_room_is_blamed_as_well() {
    for (kind, blocks) in [(UNPAYABLE, 1), (NO_ROOM, MAX_TRIES)] {
        chain().execute_with(|| {
            hear_at(START, kind, 7);
            ReadyOnes::set(vec![7]);
            censor(1, MIN_LEFT_OUT, ASKED);
            censor(2, MIN_LEFT_OUT - 1, ASKED);
            Author::set(None);
            for _ in 0..blocks {
                assert!(told().is_empty(), "it may still be applied");
                assert_eq!(block(START + DAY), [[kind, 7]]);
            }
            assert_eq!(Counts::<Test>::get().dropped, 1);
            assert_eq!(told(), [(OffenceKind::Censorship, 1)]);
        });
    }
}

/// An honest leader did its part if the inherent finds that it cannot be included.
#[test]
fn r17_5_what_the_inherent_cannot_include_is_asked_for_no_more() {
    for kind in [UNPAYABLE, FAILED, NONCE_USED] {
        chain().execute_with(|| {
            hear_at(START, kind, 7);
            ReadyOnes::set(vec![7]);
            censor(1, 9, ASKED);
            Author::set(Some(account(2)));
            assert_eq!(honest_block(ASKED), [[kind, 7]]);
            assert!(!Tickets::<Test>::contains_key(0) && !LeftOut::<Test>::contains_key(0));
            assert!(honest_block(ASKED).is_empty());
        });
    }
    // For want of room it is tried again.
    chain().execute_with(|| {
        hear_at(START, NO_ROOM, 7);
        ReadyOnes::set(vec![7]);
        Author::set(Some(account(2)));
        for _ in 0..3 {
            assert_eq!(honest_block(ASKED), [[NO_ROOM, 7]]);
            assert!(!LeftOut::<Test>::contains_key(0), "the leader did its part");
        }
    });
}

#[test]
fn nobody_is_asked_any_more_once_the_nonce_is_used() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        ReadyOnes::set(vec![7]);
        censor(1, 9, ASKED);
        UsedOnes::set(vec![7]);
        censor(1, 1, ASKED);
        assert!(!Tickets::<Test>::contains_key(0) && !LeftOut::<Test>::contains_key(0));
    });
}

/// The inherent takes what the block is asked for, once, and from nobody that signs.
#[test]
fn only_what_is_asked_for_is_included() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        hear_at(START, APPLIED, 8);
        Author::set(Some(account(1)));
        begin(ASKED);
        assert_noop!(Forced::include(RuntimeOrigin::none(), 0), Error::<Test>::NotAsked);
        end();
        ReadyOnes::set(vec![8]);
        begin(ASKED);
        assert_eq!(Duty::<Test>::get(), Some(Asked { place: 1, leader: account(1) }));
        let signed = RuntimeOrigin::signed(account(1));
        assert_noop!(Forced::include(signed, 1), BadOrigin);
        assert_noop!(Forced::include(RuntimeOrigin::none(), 0), Error::<Test>::NotAsked);
        assert_ok!(Forced::include(RuntimeOrigin::none(), 1));
        assert_noop!(Forced::include(RuntimeOrigin::none(), 1), Error::<Test>::NotAsked);
        end();
    });
}

/// Attack: many that nobody can include, so that leaders are never asked for the one that
/// they could.
#[test]
fn r17_5_all_that_wait_are_looked_at_by_turns() {
    chain().execute_with(|| {
        for number in 0..40 {
            hear_at(START, APPLIED, number);
        }
        ReadyOnes::set(vec![17]);
        // Of forty, four are looked at in each block.
        censor(1, 10 * MIN_LEFT_OUT * 40 / SCANNED as u32, ASKED);
        assert!(LeftOut::<Test>::get(17).0[0].blocks >= MIN_LEFT_OUT);
        assert_eq!(LeftOut::<Test>::iter_keys().count(), 1);
    });
    // Of several that could be included each has its turns.
    chain().execute_with(|| {
        for number in 0..4 {
            hear_at(START, APPLIED, number);
        }
        ReadyOnes::set(vec![0, 1, 2, 3]);
        censor(1, 200, ASKED);
        let blocks = |place: u64| LeftOut::<Test>::get(place).0[0].blocks;
        assert_eq!((0..4).map(blocks).sum::<u32>(), 200, "one in each block");
        assert!((0..4).all(|place| blocks(place) >= MIN_LEFT_OUT));
    });
}

/// Attack: as many wait as a session has blocks, all of which could be included, so that the
/// turn of one comes only with the block that ends the session, which has no room.
#[test]
fn r17_5_nobodys_turn_comes_with_the_ends_of_sessions_only() {
    const SESSION: u32 = 20;
    chain().execute_with(|| {
        for number in 0..SESSION as u8 {
            hear_at(START, APPLIED, number);
        }
        ReadyOnes::set((0..SESSION as u8).collect());
        for _ in 0..40 * SESSION {
            Room::set((System::block_number() + 1) % SESSION != 0);
            censor(1, 1, ASKED);
        }
        for place in 0..u64::from(SESSION) {
            let noted = LeftOut::<Test>::get(place).0;
            assert!(noted.iter().any(|one| one.blocks >= MIN_LEFT_OUT), "{place}");
        }
    });
}

/// Attack: copies of one that could be included, so that leaders are asked for the others
/// less often.
#[test]
fn r17_5_of_several_that_are_the_same_leaders_are_asked_for_one() {
    chain().execute_with(|| {
        for _ in 0..3 {
            hear_at(START, APPLIED, 7);
        }
        ReadyOnes::set(vec![7]);
        censor(1, MIN_LEFT_OUT, ASKED);
        assert_eq!(Tickets::<Test>::iter_keys().collect::<Vec<_>>(), [0]);
        assert_eq!(LeftOut::<Test>::get(0).0[0].blocks, MIN_LEFT_OUT);
        // When it is settled, whoever posts it again has it asked for again.
        overdue();
        assert_eq!(told(), [(OffenceKind::Censorship, 1)]);
        Now::set(START);
        hear_at(START, APPLIED, 7);
        assert_eq!(Tickets::<Test>::iter_keys().collect::<Vec<_>>(), [3]);
        assert_eq!(Forced::check_state(), Ok(()));
    });
}

/// Leaders have an hour to take it from their pools; half of one if the relay told of it so
/// late that it is overdue then.
#[test]
fn r17_5_nobody_is_asked_before_pools_had_their_time() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        ReadyOnes::set(vec![7]);
        censor(1, 50, ASKED - 1);
        assert!(!LeftOut::<Test>::contains_key(0));
        censor(1, 1, ASKED);
        assert_eq!(LeftOut::<Test>::get(0).0.len(), 1);
    });
    chain().execute_with(|| {
        hear_at(START - 30 * DAY, APPLIED, 7);
        ReadyOnes::set(vec![7]);
        censor(1, 50, START + HOUR / 2 - 1);
        assert!(!LeftOut::<Test>::contains_key(0));
    });
}

/// Attack: a set applies each L1 block an hour before what stands in it is overdue, or later,
/// so that nobody is ever asked for it.
#[test]
fn r17_3_a_set_that_lags_behind_l1_is_blamed_as_well() {
    for late in [23 * HOUR, DAY, 30 * DAY] {
        chain().execute_with(|| {
            hear_at(START - late, APPLIED, 7);
            ReadyOnes::set(vec![7]);
            censor(1, MIN_LEFT_OUT, START + HOUR / 2);
            censor(2, MIN_LEFT_OUT, START + HOUR - 1);
            Author::set(None);
            assert_eq!(block(START + HOUR), [[APPLIED, 7]]);
            assert_eq!(told(), [1, 2].map(|leader| (OffenceKind::Censorship, leader)));
        });
    }
    // Whoever includes what it is asked for is to blame for nothing.
    chain().execute_with(|| {
        hear_at(START - 23 * HOUR, APPLIED, 7);
        ReadyOnes::set(vec![7]);
        censor(1, 9, START + HOUR / 2);
        Author::set(Some(account(2)));
        assert_eq!(honest_block(START + HOUR - 1), [[APPLIED, 7]]);
        Author::set(None);
        block(START + HOUR);
        assert!(told().is_empty());
    });
}

/// In a block in which one is overdue nobody is asked for another.
#[test]
fn a_block_has_one_of_them_only() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 1);
        hear_at(START + HOUR, APPLIED, 2);
        ReadyOnes::set(vec![1, 2]);
        Author::set(Some(account(1)));
        assert_eq!(honest_block(START + DAY), [[APPLIED, 1]]);
        assert_eq!(honest_block(START + DAY), [[APPLIED, 2]], "the inherent's");
    });
}

#[test]
fn r17_5_three_epochs_of_a_month_make_a_repeat_offender() {
    chain().execute_with(|| {
        // Several at once are one occasion.
        for (epoch, number) in [(0, 1), (0, 2), (1, 3), (2, 4), (3, 5)] {
            Epoch::set(epoch);
            Now::set(START);
            hear_at(START, APPLIED, number);
            ReadyOnes::set(vec![number]);
            censor(1, MIN_LEFT_OUT, ASKED);
            overdue();
        }
        let expected = [
            OffenceKind::Censorship,
            OffenceKind::Censorship,
            OffenceKind::RepeatedCensorship,
            OffenceKind::RepeatedCensorship,
        ];
        assert_eq!(told(), expected.map(|kind| (kind, 1)));
        assert_eq!(CensorRecords::<Test>::get().0[0].transactions, 5);
    });
}

#[test]
fn what_offences_weigh_is_told() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        ReadyOnes::set(vec![7]);
        censor(1, MIN_LEFT_OUT, ASKED);
        censor(2, MIN_LEFT_OUT, ASKED);
        Now::set(START + DAY);
        let height = System::block_number() + 1;
        System::set_block_number(height);
        let weight = <Forced as frame_support::traits::Hooks<u32>>::on_initialize(height);
        assert_eq!(weight, Weight::from_parts(14, 0), "two offences");
    });
}

/// Issue: a set of the largest size that is punished in one block makes it too heavy.
#[test]
fn r17_3_a_whole_set_is_punished_within_eight_blocks() {
    let set = 1..=MAX_LEADERS as u8;
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        hear_at(START, APPLIED, 8);
        ReadyOnes::set(vec![7]);
        for leader in set.clone() {
            // The turn of one of two may be the other's; it is looked at all the same.
            censor(leader, MIN_LEFT_OUT, ASKED);
        }
        overdue();
        let established = System::block_number();
        ReadyOnes::set(vec![8]);
        for done in 1..=MAX_LEADERS / PUNISHED {
            assert_eq!(told().len() as u32, done * PUNISHED);
            // What is overdue as well waits until all are punished, and nobody is asked for it.
            assert_eq!(Queue::<Test>::get().waiting(), 1);
            Author::set(Some(account(1)));
            let height = System::block_number() + 1;
            let all = done == MAX_LEADERS / PUNISHED;
            assert_eq!(honest_block(START + DAY).len(), usize::from(all), "block {height}");
        }
        let all: Vec<_> = set.map(|leader| (OffenceKind::Censorship, leader)).collect();
        assert_eq!(told(), all, "each once, in the order in which they began");
        let told = Told::get();
        assert!(told.iter().all(|offence| offence.height == established), "when it was found");
        assert!(!Unpunished::<Test>::exists());
    });
}

/// In an emergency nobody is punished; nobody is forgotten either.
#[test]
fn r17_3_who_is_not_punished_yet_is_when_a_halt_is_over() {
    chain().execute_with(|| {
        hear_at(START, APPLIED, 7);
        ReadyOnes::set(vec![7]);
        for leader in 1..=PUNISHED as u8 + 1 {
            censor(leader, MIN_LEFT_OUT, ASKED);
        }
        overdue();
        Halted::set(true);
        block(START + DAY);
        assert_eq!(told().len() as u32, PUNISHED);
        Halted::set(false);
        block(START + DAY);
        assert_eq!(told().len() as u32, PUNISHED + 1);
    });
}

/// What a leader does with a block.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Leaves out what it is asked for.
    Censor(u8),
    /// Includes it.
    Include(u8),
    /// Whether the transaction is ready changes.
    Ready(bool),
    /// Whether blocks have room changes.
    Room(bool),
}

fn courses() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1u8..4).prop_map(Step::Censor),
        1 => (1u8..4).prop_map(Step::Include),
        1 => any::<bool>().prop_map(Step::Ready),
        1 => any::<bool>().prop_map(Step::Room),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// P19: who is blamed left it out in that many blocks in which it was ready and had room,
    /// and nobody included it. Nobody else is.
    #[test]
    fn p19_blamed_is_who_left_out_what_it_could_include(steps in courses()) {
        chain().execute_with(|| {
            hear_at(START, APPLIED, 7);
            let (mut ready, mut room, mut included) = (false, true, false);
            let mut left_out = [0u32; 4];
            for step in steps {
                match step {
                    Step::Ready(now) => {
                        ready = now;
                        ReadyOnes::set(if ready { vec![7] } else { vec![] });
                    }
                    Step::Room(now) => {
                        room = now;
                        Room::set(room);
                    }
                    Step::Censor(leader) => {
                        Author::set(Some(account(leader)));
                        assert!(block(ASKED).is_empty());
                        if ready && room && !included {
                            left_out[usize::from(leader)] += 1;
                        }
                    }
                    Step::Include(leader) => {
                        Author::set(Some(account(leader)));
                        let asked = ready && !included;
                        assert_eq!(honest_block(ASKED).len(), usize::from(asked));
                        included |= asked;
                    }
                }
            }
            Author::set(None);
            block(START + DAY);
            assert_eq!(Counts::<Test>::get().applied, 1);
            let mut blamed: Vec<_> = told().into_iter().map(|(_, leader)| leader).collect();
            blamed.sort();
            let expected: Vec<u8> = (1..4)
                .filter(|leader| !included && left_out[usize::from(*leader)] >= MIN_LEFT_OUT)
                .collect();
            assert_eq!(blamed, expected);
        });
    }
}
