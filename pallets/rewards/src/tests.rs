//! Fees of a block: collected, split, burned, tallied. And who is penalised.

use crate::{
    mock::*,
    pallet::{Ended, Event, LastSettlement, Penalties, Running, RunningSet},
    penalties::PENALTY_MS,
    types::MAX_PENALTIES,
};
use cascoin_l2_primitives::{
    chain::FeeSplit,
    rewards::Collected,
    sequencers::{Offence, OffenceKind, OnOffence},
};
use frame_support::traits::Hooks;

fn tally(seed: u8) -> Collected {
    of(seed).running.expect("a sequencer of the set")
}

#[test]
fn p18_a_blocks_fees_are_split_and_the_tip_is_the_producers() {
    new_test_ext(4).execute_with(|| {
        let issuance = Balances::total_issuance();
        block(Made::by(2, &[(1_000, 50), (9, 0), (0, 7)]));
        // 1,009 of base fees: 706, 201, and 102 burned.
        let expected = Collected {
            blocks: 1,
            base_fees: 1_009,
            tips: 57,
            producer_part: 706,
            others_part: 201,
        };
        assert_eq!(tally(2), expected);
        assert_eq!(Balances::total_issuance(), issuance - 102);
        assert_eq!(balance_of(&Rewards::pot()), 706 + 201 + 57);
        assert_eq!(
            events(),
            [Event::FeesCollected {
                producer: account(2),
                base_fees: 1_009,
                tips: 57,
                producer_part: 706,
                burned: 102,
            }]
        );
        block(Made::by(2, &[(100, 1)]));
        let tally = tally(2);
        assert_eq!((tally.blocks, tally.base_fees, tally.tips), (2, 1_109, 58));
    });
}

#[test]
fn o8_empty_blocks_earn_nothing() {
    new_test_ext(4).execute_with(|| {
        block(Made::by(1, &[]));
        assert_eq!(tally(1), Collected { blocks: 1, ..Default::default() });
        assert_eq!(tally(3), Collected::default());
        assert!(events().is_empty());
        assert_eq!(balance_of(&Rewards::pot()), 0);
    });
}

#[test]
fn r18_2_the_split_is_the_chains() {
    new_test_ext(2).execute_with(|| {
        for (producer, others, parts) in [(100, 0, (999, 0)), (0, 0, (0, 0)), (33, 33, (329, 329))]
        {
            Split::set(FeeSplit { producer, others });
            let before = (tally(1), Balances::total_issuance());
            block(Made::by(1, &[(999, 0)]));
            let after = tally(1);
            let got = (
                after.producer_part - before.0.producer_part,
                after.others_part - before.0.others_part,
            );
            assert_eq!(got, parts, "{producer} and {others} percent");
            let burned = before.1 - Balances::total_issuance();
            assert_eq!(burned, 999 - parts.0 - parts.1);
        }
    });
}

/// What is burned of a fee is known when it is paid.
#[test]
fn a_split_holds_from_the_next_block_on() {
    new_test_ext(2).execute_with(|| {
        begin_block(Some(1), None);
        Split::set(FeeSplit { producer: 100, others: 0 });
        assert_eq!(Rewards::split(), FeeSplit { producer: 70, others: 20 });
        pay(1_000, 0);
        end_block();
        assert_eq!((tally(1).producer_part, tally(1).others_part), (700, 200));
        block(Made::by(1, &[(1_000, 0)]));
        assert_eq!((tally(1).producer_part, tally(1).others_part), (1_700, 200));
    });
}

#[test]
fn without_a_producer_fees_are_burned() {
    new_test_ext(2).execute_with(|| {
        for author in [None, Some(77)] {
            let issuance = Balances::total_issuance();
            block(Made { author, fees: vec![(1_000, 30)], ..Default::default() });
            assert_eq!(Balances::total_issuance(), issuance - 1_030);
            assert_eq!(Running::<Test>::get().into_inner(), vec![Collected::default(); 2]);
        }
    });
}

#[test]
fn what_is_sent_to_the_pot_changes_no_reward() {
    new_test_ext(2).execute_with(|| {
        grow_to(9, 1);
        begin_block(Some(1), None);
        pay(1_000, 0);
        let gift = 12_345;
        let pot = Rewards::pot();
        Balances::transfer_allow_death(RuntimeOrigin::signed(account(OTHER_PAYER)), pot, gift)
            .expect("it is rich");
        // Not `end_block`: it wants the pot to have what is owed and nothing else.
        Rewards::on_finalize(10);
        begin_block(Some(2), None);
        judge(None);
        Rewards::on_finalize(11);
        assert_eq!((balance(1), balance(2)), (700 + 10, 180 + 10));
        Rewards::check_state().expect("more than is owed is no fault");
        assert_eq!(balance_of(&Rewards::pot()), Rewards::liabilities() + gift);
    });
}

/// A session's last block belongs to the set that made it, also where it puts another in
/// force.
#[test]
fn a_session_is_paid_to_the_set_that_made_its_blocks() {
    new_test_ext(3).execute_with(|| {
        grow_to(9, 1);
        let changes_to = Some(vec![(2, 100), (9, 100)]);
        block(Made { changes_to, ..Made::by(3, &[(1_000, 5)]) });
        let ended = Ended::<Test>::get().expect("a session that waits");
        assert_eq!((ended.set.set_id, ended.set.seats.len(), ended.last_block), (0, 3, 10));
        assert_eq!(ended.tallies[2].base_fees, 1_000);
        let set = RunningSet::<Test>::get();
        assert_eq!((set.set_id, set.seats.len()), (1, 2));

        // The new set's first block tells of the old one.
        block(Made::by(9, &[(100, 0)]));
        assert!(Ended::<Test>::get().is_none());
        assert_eq!(balance(3), 700 + 5 + 6, "its part, the tip, and its bonus of 20/3");
        assert_eq!((balance(1), balance(2)), (90 + 6, 90 + 6));
        assert_eq!(balance(9), 0, "nothing of what was before it");
        assert_eq!(tally(9).base_fees, 100);
    });
}

/// Should no block tell of a session, it is settled when the next one ends.
#[test]
fn a_session_that_nobody_judged_is_not_lost() {
    new_test_ext(2).execute_with(|| {
        for height in 1..=20 {
            begin_block(Some(1), None);
            if height == 5 {
                pay(1_000, 0);
            }
            end_block();
        }
        assert_eq!((balance(1), balance(2)), (700, 180));
        assert_eq!(pool(), 20, "nobody is known to have been there");
    });
}

#[test]
fn a_session_ends_by_its_length_or_with_its_set() {
    new_test_ext(2).execute_with(|| {
        SessionBlocks::set(0);
        grow_to(25, 1);
        assert!(Ended::<Test>::get().is_none());
        block(Made { changes_to: Some(vec![(1, 7)]), ..Made::by(1, &[]) });
        assert_eq!(Ended::<Test>::get().map(|ended| ended.last_block), Some(26));
        assert_eq!(RunningSet::<Test>::get().seats[0].weight, 7);
    });
}

fn offend(seed: u8) {
    Rewards::on_offence(&Offence {
        kind: OffenceKind::DoubleSign,
        offender: account(seed),
        set_id: 0,
        height: 1,
    });
}

#[test]
fn r38_4_an_offence_counts_for_24_hours() {
    const DAY: u32 = (PENALTY_MS / BLOCK_TIME_MS) as u32;
    new_test_ext(2).execute_with(|| {
        SessionBlocks::set(0);
        grow_to(3, 1);
        offend(2);
        assert_eq!(
            events().last(),
            Some(&Event::Penalised { sequencer: account(2), until: 3 + DAY })
        );
        assert_eq!((of(1).penalised_until, of(2).penalised_until), (None, Some(3 + DAY)));
        grow_to(10, 1);
        offend(2);
        assert_eq!(of(2).penalised_until, Some(10 + DAY), "anew");
        assert_eq!(Penalties::<Test>::get().len(), 1);
        System::set_block_number(10 + DAY);
        assert_eq!(of(2).penalised_until, Some(10 + DAY));
        System::set_block_number(11 + DAY);
        assert_eq!(of(2).penalised_until, None);
        offend(1);
        assert_eq!(Penalties::<Test>::get().len(), 1, "the old one is forgotten");
    });
}

#[test]
fn penalties_are_bounded() {
    new_test_ext(2).execute_with(|| {
        block(Made::by(1, &[]));
        for seed in 0..=MAX_PENALTIES as u8 {
            offend(seed);
        }
        let kept = Penalties::<Test>::get();
        assert_eq!(kept.len() as u32, MAX_PENALTIES);
        assert_eq!(kept[0].0, account(1), "the oldest went");
        check();
    });
}

#[test]
fn r38_6_the_report_tells_how_the_last_rewards_came_about() {
    new_test_ext(3).execute_with(|| {
        grow_to(8, 1);
        block(Made::by(2, &[(1_000, 5)]));
        offend(1);
        grow_to(10, 1);
        block(Made { uptimes: Some(vec![1_000, 999, 998]), ..Made::by(3, &[(10, 0)]) });

        let report = Rewards::rewards(None);
        let session = report.last_session.expect("a settled one");
        assert_eq!((session.set_id, session.last_block, session.set_aside), (0, 10, 20));
        let accounts: Vec<_> = report.sequencers.iter().map(|one| one.account.clone()).collect();
        assert_eq!(accounts, [1, 2, 3].map(account));
        let settled = |seed: u8| of(seed).settled.expect("it was in the set");
        let two = settled(2);
        assert_eq!((two.weight, two.uptime_permille, two.penalised), (100, 999, false));
        assert_eq!((two.blocks, two.base_fees, two.tips, two.producer_part), (1, 1_000, 5, 700));
        assert_eq!((two.share, two.bonus, two.withheld, two.amount), (0, 6, 0, 711));
        let one = settled(1);
        assert_eq!((one.blocks, one.share, one.bonus), (9, 90, 6));
        assert_eq!((one.penalised, one.withheld, one.amount), (true, 48, 48));
        assert_eq!((settled(3).bonus, settled(3).amount), (0, 90));
        // Of 20: 6 and 6 are paid. What is withheld is nobody's.
        assert_eq!(report.bonus_pool, 20 - 12);
        assert_eq!((of(3).owed, of(3).paid), (0, 90));
        assert_eq!(tally(3).base_fees, 10);
        let stranger = of(77);
        assert_eq!((stranger.running, stranger.settled, stranger.paid), (None, None, 0));
    });
}

#[test]
fn p20_what_restored_books_had_collected_is_for_who_is_there() {
    new_test_ext(4).execute_with(|| {
        block(Made::by(2, &[(1_000, 50)]));
        Rewards::end_session();
        assert!(Ended::<Test>::exists());
        Rewards::begin_again();
        // 700, 200 and 50 of the session that had ended.
        assert_eq!((pool(), Ended::<Test>::exists()), (950, false));
        check();
        block(Made::by(1, &[(100, 1)]));
        assert_ne!(tally(1), Collected::default());
        Rewards::begin_again();
        // 70, 20 and 1 of the one that ran.
        assert_eq!((pool(), tally(1)), (950 + 91, Collected::default()));
        assert_eq!(RunningSet::<Test>::get().seats.len(), 4);
        check();
    });
}

/// Makes the next block by `author`, of a set that takes over with it; it pays a base fee of 100.
fn take_over(set_id: u64, set: Vec<(u8, u64)>, author: u8) {
    let height = System::block_number() + 1;
    System::reset_events();
    System::initialize(&height, &Default::default(), &Default::default());
    Author::set(Some(account(author)));
    SetId::set(set_id);
    Set::set(set);
    Rewards::set_was_replaced();
    Rewards::on_initialize(height);
    judge(None);
    pay(100, 3);
    end_block();
}

/// R17.6: what the old set's blocks brought is its own, and what the block in which others take
/// over brings is theirs.
#[test]
fn r17_6_a_set_that_takes_over_earns_from_its_first_block_on() {
    new_test_ext(3).execute_with(|| {
        block(Made::by(2, &[(1_000, 0)]));
        take_over(5, vec![(2, 100), (7, 100)], 7);
        let settled = LastSettlement::<Test>::get().expect("its uptimes were told in this block");
        let of_old = (settled.session.set_id, settled.session.last_block, settled.rewards.len());
        assert_eq!(of_old, (0, 1, 3));
        assert!(owed(2) > 0 || balance(2) > 0, "it is paid");
        assert!(!Ended::<Test>::exists());
        assert_eq!(RunningSet::<Test>::get().set_id, 5);
        assert_eq!((tally(7).base_fees, tally(2).blocks), (100, 0));
    });
}

/// R17.6: a session that ended regularly with the last block is settled all the same.
#[test]
fn r17_6_who_takes_over_behind_a_regular_end_takes_nothing_from_who_earned() {
    new_test_ext(3).execute_with(|| {
        grow_to(9, 1);
        block(Made::by(2, &[(1_000, 0)]));
        assert!(Ended::<Test>::exists(), "block 10 ends the session");
        take_over(5, vec![(7, 100), (8, 100)], 7);
        let settled = LastSettlement::<Test>::get().expect("it is settled");
        assert_eq!((settled.session.set_id, settled.session.last_block), (0, 10));
        assert_eq!((RunningSet::<Test>::get().set_id, tally(7).base_fees), (5, 100));
    });
}

/// R17.6: where the block ends a session as well, that one has a single block.
#[test]
fn r17_6_who_takes_over_with_the_last_block_of_a_session_has_earned_it() {
    new_test_ext(3).execute_with(|| {
        grow_to(9, 1);
        take_over(5, vec![(7, 100), (8, 100)], 7);
        let ended = Ended::<Test>::get().expect("block 10 ends the session");
        assert_eq!((ended.set.set_id, ended.last_block), (5, 10));
        assert_eq!(ended.tallies.iter().map(|one| one.base_fees).sum::<u128>(), 100);
        let settled = LastSettlement::<Test>::get().expect("the old set's is settled");
        assert_eq!((settled.session.set_id, settled.session.last_block), (0, 9));
    });
}
