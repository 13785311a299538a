//! What is counted, what is refused, and who was offline.

use crate::{
    mock::*,
    pallet::{Call, Error, Event, Offences, Outgoing, Totals},
    MAX_OFFENCES,
};
use cascoin_l2_primitives::{
    apis::SequencerParticipation,
    sequencers::{
        Commit, Offence, OffenceKind, ParticipationData, ParticipationError, SequencerBits,
        PARTICIPATION_IDENTIFIER,
    },
};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo, RawOrigin},
    inherent::{InherentData, ProvideInherent},
    traits::Hooks,
    weights::Weight,
};
use std::panic::{catch_unwind, AssertUnwindSafe};

fn of(seed: u8) -> SequencerParticipation {
    let all = Participation::participation();
    all.into_iter().find(|known| known.account == account(seed)).expect("a member")
}

/// Made, missed, signed, not signed.
fn counts(seed: u8) -> [u64; 4] {
    let of = of(seed);
    [of.produced, of.missed_proposals, of.votes, of.missed_votes]
}

fn first_block(author: u8) {
    block(Made::by(author, [])).expect("the first block");
}

#[test]
fn who_makes_blocks_and_who_signs_them_is_counted() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        block(Made::by(1, [0, 1, 2])).unwrap();
        block(Made::by(2, [0, 1, 2, 3])).unwrap();
        block(Made::by(2, [1, 2, 3])).unwrap();
        assert_eq!(counts(1), [2, 0, 2, 1]);
        assert_eq!(counts(2), [2, 0, 3, 0]);
        assert_eq!(counts(3), [0, 0, 3, 0]);
        assert_eq!(counts(4), [0, 0, 2, 1]);
        assert_eq!(of(4).uptime_permille, 666);
        let order: Vec<_> =
            Participation::participation().into_iter().map(|one| one.account).collect();
        assert_eq!(order, [1, 2, 3, 4].map(account));
    });
}

#[test]
fn r2b6_leaders_of_failed_rounds_have_missed_their_proposal() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        let made = |author, round, failed: &[u16]| Made {
            round,
            failed: bits(failed.iter().copied()),
            ..Made::by(author, [0, 1, 2])
        };
        block(made(3, 2, &[0, 1])).unwrap();
        assert_eq!((counts(1)[1], counts(2)[1], counts(3)[1]), (1, 1, 0));
        // In round 5 of four, all have led in vain, its maker too.
        block(made(2, 5, &[0, 1, 2, 3])).unwrap();
        assert_eq!((counts(1)[1], counts(2)[1], counts(4)[1]), (2, 2, 1));
        for (round, failed) in [(0, vec![0]), (1, vec![]), (1, vec![0, 1]), (1, vec![4])] {
            let outcome = block(made(1, round, &failed));
            assert_eq!(outcome, refused(Error::WrongLeaders), "round {round}: {failed:?}");
        }
    });
}

/// Whoever is barred leads no round: of five failed ones each of the three others led
/// one at least. What a block says of its leaders is what held when its parent ended.
#[test]
fn r30_4_who_is_barred_has_led_no_failed_round() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        let made = |round, failed: &[u16]| Made {
            round,
            failed: bits(failed.iter().copied()),
            ..Made::by(3, [0, 1, 2])
        };
        Leading::set(Some(3));
        // It is noted at the end of this one, in which all could lead yet.
        block(made(5, &[0, 1, 2, 3])).unwrap();
        block(made(5, &[0, 2, 3])).unwrap();
        assert_eq!(block(made(5, &[0, 1, 2, 3])), refused(Error::WrongLeaders));
        // A smaller set begins: that counts for the block after.
        Leading::set(None);
        let last = Made { changes_to: Some(vec![1, 3]), ..made(5, &[0, 2, 3]) };
        block(last).unwrap();
        block(made(4, &[0, 1])).unwrap();
    });
}

/// R17.6: who takes over makes that block, above one that the old set signed.
#[test]
fn r17_6_a_set_that_takes_over_is_counted_from_its_first_block_on() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        block(Made::by(2, [0, 1, 2])).unwrap();
        // Two of the four and a newcomer, of whom the second one led in vain.
        let (takes_over, failed) = (Some(vec![2, 4, 9]), bits([1]));
        let made = Made { takes_over, failed, round: 1, ..Made::by(9, [0, 1, 3]) };
        block(made).unwrap();
        assert_eq!(Outgoing::<Test>::get(), None);
        let uptimes = [(1, 1_000), (2, 1_000), (3, 500), (4, 500)];
        assert_eq!(Judged::get(), [uptimes.map(|(seed, uptime)| (account(seed), uptime))]);
        assert_eq!(counts(2), [1, 0, 2, 0]);
        assert_eq!(counts(4), [0, 1, 1, 1]);
        assert_eq!(counts(9), [1, 0, 0, 0]);
        assert_eq!(Totals::<Test>::iter_keys().count(), 2, "who left is forgotten");
        assert!(Told::get().is_empty(), "two blocks are too few to judge by");

        assert_eq!(block(Made::by(2, [0, 1, 3])), refused(Error::NoQuorum), "of the old set");
        block(Made::by(2, [0, 1, 2])).unwrap();
        assert_eq!(counts(2), [2, 0, 3, 0]);
        assert_eq!(counts(9), [1, 0, 1, 0]);
    });
}

/// R17.6: a set that never made a block has signed none.
#[test]
fn r17_6_who_takes_over_may_do_so_before_a_new_set_made_any_block() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        block(Made { changes_to: Some(vec![1, 2, 5]), ..Made::by(1, [0, 1, 2]) }).unwrap();
        let takes_over = Some(vec![4, 9]);
        block(Made { takes_over, ..Made::by(9, [0, 1, 2, 3]) }).unwrap();
        assert_eq!(Outgoing::<Test>::get(), None);
        assert_eq!(Judged::get().len(), 1);
        assert_eq!(counts(4), [0, 0, 1, 1]);
        assert_eq!(counts(9), [1, 0, 0, 0]);
        assert_eq!(Totals::<Test>::iter_keys().count(), 1);
        block(Made::by(4, [0, 1])).unwrap();
    });
}

/// R17.6: with a session's end right below, its set is judged as always.
#[test]
fn r17_6_who_takes_over_behind_a_regular_end_excuses_nobody() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        for _ in 2..=10 {
            block(Made::by(1, [0, 1, 2])).unwrap();
        }
        let takes_over = Some(vec![3, 4]);
        block(Made { takes_over, ..Made::by(3, [0, 1, 2]) }).unwrap();
        let told: Vec<_> =
            Told::get().into_iter().map(|told| (told.kind, told.offender, told.set_id)).collect();
        assert_eq!(told, [(OffenceKind::Offline, account(4), 0)]);
    });
}

/// R30.5: where revoked keys cut a session short, nobody is offline for a moment's absence.
/// Who leaves is judged then, if half a session is over, others at its regular end.
#[test]
fn r30_5_a_session_that_is_cut_short_is_too_short_to_judge_by() {
    for (last, offline) in [(4, false), (5, true)] {
        new_test_ext(4).execute_with(|| {
            first_block(1);
            Slow::set(vec![]);
            for height in 2..=last {
                let changes_to = (height == last).then(|| vec![1, 2, 3]);
                let failed = if height == 2 { bits([1]) } else { SequencerBits::NOBODY };
                let round = u16::from(height == 2);
                let made = Made::by(1, [0, 1, 2]);
                block(Made { changes_to, failed, round, ..made }).unwrap();
            }
            assert!(Judged::get().is_empty());
            block(Made::by(1, [0, 1, 2])).unwrap();
            assert_eq!(Judged::get().len(), 1, "it is paid for");
            let told = || -> Vec<_> {
                Told::get().into_iter().map(|told| (told.kind, told.offender)).collect()
            };
            let mut expected = match offline {
                true => vec![(OffenceKind::Offline, account(4))],
                false => vec![],
            };
            assert_eq!(told(), expected);
            assert!(Slow::get().is_empty());
            for _ in last + 1..=10 {
                block(Made::by(1, [0, 1, 2])).unwrap();
            }
            expected.push((OffenceKind::Timeout, account(2)));
            assert_eq!(told(), expected);
            assert_eq!(Slow::get(), [vec![account(2)]], "of the whole session");
        });
    }
}

/// R30.5: nobody hides behind sessions that are cut short, nor pays for them. 4 is away, 5
/// comes and goes and 2 leads in vain once in each piece.
#[test]
fn r30_5_pieces_of_a_session_are_judged_as_one() {
    new_test_ext(4).execute_with(|| {
        SessionBlocks::set(12);
        Slow::set(vec![]);
        first_block(1);
        let mut paid = 0;
        for height in 2..=25 {
            // Pieces of three blocks.
            let cut = height % 3 == 0 && height % 12 != 0;
            let fifth = (height / 3 % 2 == 1).then_some(5);
            let set = [1, 2, 3, 4].into_iter().chain(fifth).collect();
            let fails = height % 3 == 1;
            // Of four and of five all but 4 sign.
            let in_force = Set::get().len();
            let signed = Outgoing::<Test>::get().map_or(in_force, |(_, set)| set.len());
            let signers = (0..signed as u16).filter(|index| *index != 3);
            block(Made {
                changes_to: cut.then_some(set),
                failed: if fails { bits([1]) } else { SequencerBits::NOBODY },
                round: u16::from(fails),
                ..Made::by(1, signers)
            })
            .unwrap();
            if cut || height % 12 == 0 {
                paid += 1;
            }
        }
        assert_eq!(Judged::get().len(), paid, "each piece is paid for");
        let told: Vec<_> =
            Told::get().into_iter().map(|told| (told.kind, told.offender, told.height)).collect();
        let each = |height| {
            let timeout = (OffenceKind::Timeout, account(2), height);
            [timeout, (OffenceKind::Offline, account(4), height)]
        };
        assert_eq!(told, [each(12), each(24)].concat(), "once a session");
        assert_eq!(Slow::get(), [vec![account(2)], vec![account(2)]]);
    });
}

#[test]
fn signers_must_be_a_quorum_of_the_set() {
    new_test_ext(4).execute_with(|| {
        let signed = Made::by(1, [0, 1, 2]);
        assert_eq!(block(signed), refused(Error::GenesisIsNotSigned));
    });
    for (signers, fits) in
        [(vec![0, 1], false), (vec![], false), (vec![0, 1, 4], false), (vec![1, 2, 3], true)]
    {
        new_test_ext(4).execute_with(|| {
            first_block(1);
            let made = block(Made::by(1, signers.clone()));
            let expected = if fits { Ok(Weight::zero()) } else { refused(Error::NoQuorum) };
            assert_eq!(made, expected, "{signers:?}");
        });
    }
}

#[test]
fn a_block_has_the_inherent_once_and_nobody_sends_it() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        System::set_block_number(2);
        let without = catch_unwind(AssertUnwindSafe(|| Participation::on_finalize(2)));
        assert!(without.is_err(), "a block without it is not valid");
        let note = |origin: RawOrigin<_>| {
            let nobody = SequencerBits::NOBODY;
            Participation::note(origin.into(), 0, bits([0, 1, 2]), nobody, nobody)
        };
        assert!(note(RawOrigin::Signed(account(1))).is_err());
        assert!(note(RawOrigin::Root).is_err());
        assert!(note(RawOrigin::None).is_ok());
        let twice = note(RawOrigin::None).map_err(|error| error.error);
        assert_eq!(twice.err(), Some(Error::<Test>::NotedAlready.into()));
    });
}

#[test]
fn seq_offline_who_signs_less_than_half_of_a_session_was_offline() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        // Blocks 1 to 10 are a session, of which 4 signs four and 3 the others.
        for parent in 1..=10 {
            assert!(Told::get().is_empty());
            block(Made::by(1, [0, 1, if parent <= 4 { 3 } else { 2 }])).unwrap();
        }
        let offence =
            Offence { kind: OffenceKind::Offline, offender: account(4), set_id: 0, height: 10 };
        assert_eq!(Told::get(), std::slice::from_ref(&offence));
        assert_eq!(Offences::<Test>::get().into_inner(), [offence]);
        System::assert_last_event(
            Event::<Test>::SequencerOffline { sequencer: account(4), uptime_permille: 400 }.into(),
        );
        assert_eq!((of(4).uptime_permille, counts(4)), (400, [0, 0, 4, 6]));
        assert_eq!(counts(3), [0, 0, 6, 4]);
        // It is back: its uptime grows with each block, over both sessions.
        block(Made::by(1, [0, 1, 2, 3])).unwrap();
        assert_eq!((of(4).uptime_permille, counts(4)), (454, [0, 0, 5, 6]));
        for _ in 12..=20 {
            block(Made::by(1, [0, 1, 2, 3])).unwrap();
        }
        assert_eq!(Told::get().len(), 1, "a session on time is no offence");
        assert_eq!(of(4).uptime_permille, 1_000, "the session before is forgotten");
        assert_eq!(counts(4), [0, 0, 14, 6], "and its counts are not");
    });
}

#[test]
fn seq_timeout_who_led_in_vain_is_told_of_once_a_session() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        for _ in 2..=10 {
            let failed = bits([1]);
            block(Made { round: 1, failed, ..Made::by(1, [0, 1, 2, 3]) }).unwrap();
            assert!(Told::get().is_empty());
        }
        block(Made::by(1, [0, 1, 2, 3])).unwrap();
        let offence =
            Offence { kind: OffenceKind::Timeout, offender: account(2), set_id: 0, height: 10 };
        assert_eq!(Told::get(), std::slice::from_ref(&offence));
        assert_eq!(Offences::<Test>::get().into_inner(), [offence]);
        System::assert_last_event(
            Event::<Test>::SequencerTimedOut { sequencer: account(2), missed_proposals: 9 }.into(),
        );
        // R25.5: of ten blocks the first leader made one.
        System::assert_has_event(Event::<Test>::LivenessLow { liveness_permille: 100 }.into());
        assert_eq!(Slow::get(), [vec![account(2)]]);
        for _ in 12..=21 {
            block(Made::by(1, [0, 1, 2, 3])).unwrap();
        }
        assert_eq!(Told::get().len(), 1, "a session on time is no offence");
        assert_eq!(Slow::get().len(), 1);
    });
}

#[test]
fn the_weight_is_that_of_a_sessions_end_only_then() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        for _ in 1..10 {
            assert_eq!(block(Made::by(1, [0, 1, 2])), Ok(Weight::zero()));
        }
        // One offence, of a weight of 7, and the session, of 100.
        assert_eq!(block(Made::by(1, [0, 1, 2])), Ok(Weight::from_parts(107, 0)));
        // With blocks that came late: another offence, and 20,000 for telling that.
        let late = Made { round: 1, failed: bits([0]), ..Made::by(2, [0, 1, 2]) };
        assert_eq!(block(late), Ok(Weight::zero()));
        for _ in 1..9 {
            assert_eq!(block(Made::by(1, [0, 1, 2])), Ok(Weight::zero()));
        }
        assert_eq!(block(Made::by(1, [0, 1, 2])), Ok(Weight::from_parts(20_114, 0)));
        let info = call(0, bits([0]), bits([])).get_dispatch_info();
        assert_eq!(info.class, DispatchClass::Mandatory);
        assert_eq!(info.call_weight, Weight::from_parts(2 * 64 * 7 + 1_000 + 20_000, 0));
    });
}

/// R38.3: whoever rewards sees each session once, with the set that signed it.
#[test]
fn r38_3_each_session_is_told_of_with_the_uptimes_of_its_set() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        for height in 2..=11 {
            let changes_to = (height == 10).then(|| vec![2, 3, 9]);
            let signers = if height <= 6 { [0, 1, 3] } else { [0, 1, 2] };
            assert!(Judged::get().is_empty());
            block(Made { changes_to, ..Made::by(2, signers) }).unwrap();
        }
        let uptimes = |of: &[(u8, u16)]| -> Vec<_> {
            of.iter().map(|(seed, permille)| (account(*seed), *permille)).collect()
        };
        let first = uptimes(&[(1, 1_000), (2, 1_000), (3, 500), (4, 500)]);
        assert_eq!(Judged::get(), std::slice::from_ref(&first));
        for _ in 12..=21 {
            block(Made::by(9, [0, 1, 2])).unwrap();
        }
        let second = uptimes(&[(2, 1_000), (3, 1_000), (9, 1_000)]);
        assert_eq!(Judged::get(), [first, second]);
    });
}

#[test]
fn the_last_block_of_a_set_is_judged_by_that_set() {
    new_test_ext(4).execute_with(|| {
        first_block(1);
        for _ in 2..10 {
            block(Made::by(4, [0, 1, 3])).unwrap();
        }
        // Block 10 puts 2, 3 and 9 in force: 1 and 4 leave.
        block(Made { changes_to: Some(vec![2, 3, 9]), ..Made::by(4, [0, 1, 3]) }).unwrap();
        let order: Vec<_> =
            Participation::participation().into_iter().map(|one| one.account).collect();
        assert_eq!(order, [2, 3, 9].map(account));
        assert_eq!((counts(2), counts(9)), ([0, 0, 9, 0], [0, 0, 0, 0]));
        assert_eq!(of(3).uptime_permille, 0);
        assert_eq!(of(9).uptime_permille, 1_000, "nothing was due yet");

        // Its signers are four, of the old set; its maker is of the new one.
        block(Made::by(9, [0, 1, 3])).unwrap();
        let offence = |seed| Offence {
            kind: OffenceKind::Offline,
            offender: account(seed),
            set_id: 0,
            height: 10,
        };
        assert_eq!(Told::get(), [offence(3)]);
        assert_eq!((counts(2), counts(3)), ([0, 0, 10, 0], [0, 0, 0, 10]));
        assert_eq!(counts(9), [1, 0, 0, 0]);
        assert!(Totals::<Test>::get(account(1)).is_none(), "who left is forgotten");
        assert!(Totals::<Test>::get(account(4)).is_none());

        let too_many = block(Made::by(2, [0, 1, 3]));
        assert_eq!(too_many, refused(Error::NoQuorum), "from now on there are three");
    });
}

#[test]
fn who_leaves_and_comes_back_begins_anew() {
    new_test_ext(3).execute_with(|| {
        first_block(1);
        for height in 2..=40 {
            let members = if (11..=30).contains(&(height - 1)) { 0..2 } else { 0..3 };
            let set = match height {
                10 => Some(vec![1, 2]),
                30 => Some(vec![1, 2, 3]),
                _ => None,
            };
            block(Made { changes_to: set, ..Made::by(1, members) }).unwrap();
        }
        assert_eq!(counts(1), [40, 0, 39, 0]);
        assert_eq!(counts(3), [0, 0, 9, 0]);
    });
}

#[test]
fn records_are_bounded() {
    new_test_ext(4).execute_with(|| {
        SessionBlocks::set(1);
        first_block(1);
        for _ in 0..MAX_OFFENCES + 10 {
            block(Made::by(1, [0, 1, 2])).unwrap();
        }
        let kept = Offences::<Test>::get();
        assert_eq!(kept.len() as u32, MAX_OFFENCES);
        assert_eq!(kept.last().map(|offence| offence.height), Some(MAX_OFFENCES + 10));
    });
}

#[test]
fn without_an_end_a_session_goes_on() {
    new_test_ext(4).execute_with(|| {
        SessionBlocks::set(0);
        first_block(1);
        for _ in 0..30 {
            block(Made::by(1, [0, 1, 2])).unwrap();
        }
        assert_eq!(counts(4), [0, 0, 0, 30]);
        assert!(Told::get().is_empty());
    });
}

fn inherent_data(commits: Vec<Commit>, failed_leaders: SequencerBits) -> InherentData {
    let mut data = InherentData::new();
    let participation = ParticipationData { commits, heard: bits([0, 4]), failed_leaders };
    data.put_data(PARTICIPATION_IDENTIFIER, &participation).expect("there is none yet");
    data
}

#[test]
fn the_inherent_is_made_of_what_the_leader_knows_and_checked_against_what_others_know() {
    let three = Commit { round: 1, signers: bits([0, 1, 2]) };
    let four = Commit { round: 2, signers: bits([0, 1, 2, 3]) };
    let leader = inherent_data(vec![three, four], bits([3]));
    let made = Participation::create_inherent(&leader).expect("an inherent");
    assert_eq!(
        made,
        Call::note {
            round: 2,
            signers: four.signers,
            heard: bits([0, 4]),
            failed_leaders: bits([3]),
        }
    );
    assert!(Participation::is_inherent(&made));
    let check = |data: &InherentData| Participation::check_inherent(&made, data);
    assert_eq!(check(&leader), Ok(()));
    assert_eq!(check(&inherent_data(vec![four], bits([3]))), Ok(()));
    let unproven = Err(ParticipationError::NotProven);
    assert_eq!(check(&inherent_data(vec![three], bits([3]))), unproven);
    assert_eq!(check(&inherent_data(vec![], bits([3]))), unproven);
    let wrong = Err(ParticipationError::WrongLeaders);
    assert_eq!(check(&inherent_data(vec![four], bits([2]))), wrong);
    assert_eq!(check(&InherentData::new()), Err(ParticipationError::NoData));
    assert_eq!(Participation::create_inherent(&InherentData::new()), None);
}
