//! When addresses acted on L1, what is locked there, and what is attested.

use crate::{
    link_tests::{address, wallet_signs},
    mock::*,
    pallet::{AttestedScores, Event, L1Histories, Standings},
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{cvm::TrustKind, L1Hash, OutPoint},
    messages::MessageBody,
    relay::{L1BlockContext, L1Event, OnL1Event, TrustStatement},
    reputation::{
        attestation::{LinkedAddresses, OnAttestedScore, BOUND_DAYS},
        l1_stake::{OnL1Stake, StakeTerm, StakeTerms},
        rule::Breakdown,
        Score,
    },
};
use frame_support::assert_ok;
use sp_core::{ecdsa, Pair, H160};

/// An L1 block of a day.
fn block(day: u32) -> L1BlockContext {
    L1BlockContext { median_time: day * 86_400 + 5, ..Default::default() }
}

/// The key 1 sends a message on L1.
fn act(day: u32) {
    let event = L1Event::Message {
        outpoint: OutPoint { txid: L1Hash::default(), vout: 0 },
        unsigned_txid: L1Hash::default(),
        chain_id: 9,
        sender: ecdsa::Pair::from_seed(&[1; 32]).public(),
        value: 0,
        body: MessageBody::default(),
    };
    Reputation::on_event(&event, &block(day));
}

fn link(account: AccountId, seed: u8) {
    let signature = wallet_signs(seed, &Reputation::message(&account));
    assert_ok!(Reputation::link_l1_address(RuntimeOrigin::signed(account), signature));
}

fn unlink(account: AccountId) {
    assert_ok!(Reputation::unlink_l1_address(RuntimeOrigin::signed(account)));
}

/// L1's score, its economic part and its temporal one.
fn parts(account: &AccountId) -> (u8, u8, u8) {
    let Breakdown { l1, l1_economic, l1_temporal, .. } = Reputation::breakdown(account);
    assert_eq!(Reputation::check_state(), Ok(()));
    (l1.get(), l1_economic.get(), l1_temporal.get())
}

fn attested(account: &AccountId) -> Option<u8> {
    Reputation::breakdown(account).attested.map(Score::get)
}

fn terms(since: u32, coins: u64) -> StakeTerms {
    let amount = coins * COIN as u64;
    StakeTerms::truncate_from(vec![StakeTerm { since, amount }])
}

#[test]
fn r10_1_who_acts_on_l1_month_after_month_has_up_to_ten_points() {
    new_test_ext().execute_with(|| {
        link(BOB, 1);
        assert_eq!(parts(&BOB), (0, 0, 0));
        for month in 0..13 {
            act(FIRST_DAY + 30 * month);
        }
        go_to(FIRST_DAY + 365);
        // 365 of 730 days, in each month of them.
        assert_eq!(parts(&BOB), (5, 0, 50));
        // Then it does nothing for four months: 13 of 17, and what four steps leave.
        go_to(FIRST_DAY + 360 + 120);
        assert_eq!(parts(&BOB), (1, 0, 13));
    });
}

/// What an address did is kept from when it is linked on, and taken along by who links it.
#[test]
fn a_history_belongs_to_the_address() {
    new_test_ext().execute_with(|| {
        act(FIRST_DAY - 100);
        assert!(!L1Histories::<Test>::contains_key(address(1)), "nobody is linked to it");
        link(BOB, 1);
        act(FIRST_DAY);
        let first_day = |account: &AccountId| {
            Standings::<Test>::get(account).map(|standing| standing.history.first_day)
        };
        assert_eq!(first_day(&BOB), Some(FIRST_DAY));
        unlink(BOB);
        assert!(!Standings::<Test>::contains_key(BOB));
        // It goes on, and Alice links it.
        act(FIRST_DAY + 10);
        link(ALICE, 1);
        let history = Standings::<Test>::get(ALICE).expect("L1 knows her").history;
        assert_eq!((history.first_day, history.last_day), (FIRST_DAY, FIRST_DAY + 10));
        link(ALICE, 2);
        assert_eq!(first_day(&ALICE), Some(0), "the other one never acted");
        assert_eq!(Reputation::check_state(), Ok(()));
    });
}

/// Attack: filling the state with addresses that cost nothing but a transaction.
#[test]
fn a_history_begins_with_a_bond_or_a_link() {
    new_test_ext().execute_with(|| {
        let say = |speaker, bond| {
            let (kind, subject) = (TrustKind::Edge, H160([9; 20]));
            let statement = TrustStatement { kind, speaker, subject, weight: 50, bond };
            Reputation::on_event(&L1Event::Trust(statement), &block(7));
        };
        let revoke = |signer| {
            let revocation = L1Event::KeyRevocation { chain_id: 1, signer, account: BOB };
            Reputation::on_event(&revocation, &block(7));
        };
        let known = |who| L1Histories::<Test>::get(who).map(|history| history.first_day);
        let (poor, rich) = (H160([1; 20]), H160([2; 20]));
        say(poor, COIN as u64);
        revoke(poor);
        say(rich, 2 * COIN as u64);
        assert_eq!((known(poor), known(rich)), (None, Some(7)));
        // Of whom is spoken has done nothing, nor has who gets locked coins back.
        assert_eq!(known(H160([9; 20])), None);
        link(BOB, 1);
        let lock = L1Event::Stake {
            outpoint: OutPoint { txid: L1Hash::default(), vout: 0 },
            chain_id: 1,
            account: BOB,
            owner: address(1),
            value: 1,
            unlock: 1,
        };
        Reputation::on_event(&lock, &block(7));
        assert_eq!(known(address(1)), None);
        revoke(address(1));
        assert_eq!(known(address(1)), Some(7));
        assert_eq!(Reputation::check_state(), Ok(()));
    });
}

#[test]
fn r10_1_coins_locked_on_l1_are_up_to_twenty_points() {
    new_test_ext().execute_with(|| {
        Reputation::on_l1_stake(&BOB, terms(FIRST_DAY, 9_999));
        assert_eq!(parts(&BOB), (0, 0, 0));
        go_to(FIRST_DAY + 92);
        assert_eq!(parts(&BOB), (10, 50, 0));
        go_to(FIRST_DAY + 365);
        assert_eq!(parts(&BOB), (20, 100, 0));
        // A link has nothing to do with it.
        link(BOB, 1);
        unlink(BOB);
        assert_eq!(parts(&BOB), (20, 100, 0));
        // L1's score as governance gave it holds instead.
        Reputation::on_l1_stake(&ALICE, terms(FIRST_DAY, 9_999));
        assert_eq!(parts(&ALICE), (70, 100, 0));
        Reputation::on_l1_stake(&BOB, StakeTerms::default());
        assert!(!Standings::<Test>::contains_key(BOB));
    });
}

#[test]
fn r10_1_an_attested_score_bounds_what_is_computed_until_it_lapses() {
    new_test_ext().execute_with(|| {
        link(BOB, 1);
        Reputation::on_l1_stake(&BOB, terms(FIRST_DAY - 365, 9_999));
        assert_eq!(parts(&BOB), (20, 100, 0));
        Reputation::on_attested_score(&address(1), Score::saturating(12));
        System::assert_last_event(
            Event::<Test>::L1ScoreAttested { address: address(1), score: Score::saturating(12) }
                .into(),
        );
        assert_eq!((parts(&BOB).0, attested(&BOB)), (12, Some(12)));
        go_to(FIRST_DAY + BOUND_DAYS - 1);
        assert_eq!(parts(&BOB).0, 12);
        go_to(FIRST_DAY + BOUND_DAYS);
        assert_eq!((parts(&BOB).0, attested(&BOB)), (20, None));
        // More than is computed gives nothing.
        Reputation::on_attested_score(&address(1), Score::MAX);
        assert_eq!((parts(&BOB).0, attested(&BOB)), (20, Some(100)));
    });
}

/// Attack: leaving the address, linking it anew, linking another one, or by another account,
/// to get rid of the bound.
#[test]
fn r10_5_nobody_gets_rid_of_a_bound_by_linking_anew() {
    new_test_ext().execute_with(|| {
        link(BOB, 1);
        Reputation::on_l1_stake(&BOB, terms(FIRST_DAY - 365, 9_999));
        Reputation::on_attested_score(&address(1), Score::ZERO);
        let bounded = (0, Some(0));
        let now = || (parts(&BOB).0, attested(&BOB));
        unlink(BOB);
        assert_eq!(now(), bounded, "coins are the account's, and so is the bound");
        link(BOB, 1);
        assert_eq!(now(), bounded);
        link(BOB, 2);
        assert_eq!(now(), bounded);
        // What is attested of another address lifts nothing.
        go_to(FIRST_DAY + 5);
        Reputation::on_attested_score(&address(2), Score::saturating(15));
        assert_eq!(now(), bounded);
        go_to(FIRST_DAY + BOUND_DAYS - 1);
        assert_eq!(now(), bounded);
        go_to(FIRST_DAY + BOUND_DAYS);
        assert_eq!(now(), (15, Some(15)), "it lapses as it would have");
        unlink(BOB);
        assert_eq!(now(), (15, Some(15)));
        go_to(FIRST_DAY + 5 + BOUND_DAYS);
        assert_eq!(now(), (20, None));
        // Attested of nobody's address by now: it waits for who links it.
        Reputation::on_attested_score(&address(1), Score::saturating(3));
        assert!(AttestedScores::<Test>::contains_key(address(1)));
        link(ALICE, 1);
        assert_eq!(attested(&ALICE), Some(3));
        assert_eq!(Reputation::check_state(), Ok(()));
    });
}

/// Attack: two bounds, of which the one that lasts hides behind the lower one.
#[test]
fn r10_5_of_two_bounds_that_are_left_neither_is_lost() {
    new_test_ext().execute_with(|| {
        Reputation::on_l1_stake(&BOB, terms(FIRST_DAY - 365, 9_999));
        link(BOB, 1);
        Reputation::on_attested_score(&address(1), Score::saturating(4));
        go_to(FIRST_DAY + 20);
        link(BOB, 2);
        Reputation::on_attested_score(&address(2), Score::saturating(9));
        unlink(BOB);
        assert_eq!((parts(&BOB).0, attested(&BOB)), (4, Some(4)));
        go_to(FIRST_DAY + 20 + BOUND_DAYS - 1);
        let (score, bound) = (parts(&BOB).0, attested(&BOB));
        assert!(score <= 9 && bound <= Some(9) && bound.is_some(), "{score} {bound:?}");
        go_to(FIRST_DAY + 20 + BOUND_DAYS);
        assert_eq!((parts(&BOB).0, attested(&BOB)), (20, None));
    });
}

#[test]
fn linked_addresses_come_in_turn() {
    new_test_ext().execute_with(|| {
        assert!(Reputation::following(None, 9).is_empty());
        for seed in 1..=5 {
            link(AccountId::new([seed; 32]), seed);
        }
        let all = Reputation::following(None, 9);
        let mut sorted = all.clone();
        sorted.sort_unstable();
        let mut expected: Vec<_> = (1..=5).map(address).collect();
        expected.sort_unstable();
        assert_eq!(sorted, expected);
        assert_eq!(Reputation::following(None, 2), all[..2]);
        assert_eq!(Reputation::following(Some(all[1]), 2), all[2..4]);
        assert!(Reputation::following(Some(all[4]), 2).is_empty());
        // One that is linked no more is asked for all the same: else who leaves its address
        // when its turn comes would never be bound.
        unlink(AccountId::new([(1..=5).find(|seed| address(*seed) == all[1]).expect("one"); 32]));
        assert_eq!(Reputation::following(None, 9), all);
        assert_eq!(Reputation::following(Some(all[1]), 9), all[2..]);
        assert_eq!(Reputation::check_state(), Ok(()));
    });
}
