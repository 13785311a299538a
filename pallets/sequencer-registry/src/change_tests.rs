//! Members come and go; the next set follows them.

use crate::{mock::*, pallet::Error, pallet::Event, Member, Members};
use cascoin_l2_primitives::chain::{AccountId, MAX_SEQUENCERS};
use frame_support::{assert_noop, assert_ok};
use pallet_session::SessionManager;
use sp_runtime::DispatchError::BadOrigin;

fn member(n: u8) -> Member {
    Member { account: account(n), weight: 1 }
}

fn add(n: u8) {
    assert_ok!(Registry::add_member(RuntimeOrigin::root(), member(n)));
}

fn remove(n: u8) {
    assert_ok!(Registry::remove_member(RuntimeOrigin::root(), account(n)));
}

/// What pallet-session is told when a session ends with `now` coming into force.
fn planned(now: &[u8]) -> Option<Vec<AccountId>> {
    put_in_force(now, true);
    <Registry as SessionManager<AccountId>>::new_session(5)
}

fn accounts(order: &[u8]) -> Option<Vec<AccountId>> {
    Some(order.iter().map(|n| account(*n)).collect())
}

#[test]
fn who_joins_comes_last_and_who_stays_keeps_its_place() {
    three_members().execute_with(|| {
        assert_eq!(planned(&[3, 1, 2]), None, "nothing changed, whatever the order");
        add(4);
        assert_eq!(planned(&[3, 1, 2]), accounts(&[3, 1, 2, 4]));
        assert_eq!(planned(&[3, 1, 2, 4]), None, "it is in force now");
        remove(1);
        assert_eq!(planned(&[3, 1, 2, 4]), accounts(&[3, 2, 4]));
        add(1);
        assert_eq!(planned(&[3, 2, 4]), accounts(&[3, 2, 4, 1]));
    });
}

#[test]
fn a_member_without_keys_waits() {
    three_members().execute_with(|| {
        Keyless::set(vec![account(4)]);
        add(4);
        assert_eq!(planned(&[1, 2, 3]), None);
        Keyless::set(Vec::new());
        assert_eq!(planned(&[1, 2, 3]), accounts(&[1, 2, 3, 4]));
    });
}

#[test]
fn r2b8_a_set_never_falls_below_the_minimum() {
    three_members().execute_with(|| {
        remove(1);
        let refused = Registry::remove_member(RuntimeOrigin::root(), account(2));
        assert_noop!(refused, Error::<Test>::TooFewSequencers);
        // Members without keys do not count.
        add(4);
        Keyless::set(vec![account(4)]);
        let refused = Registry::remove_member(RuntimeOrigin::root(), account(2));
        assert_noop!(refused, Error::<Test>::TooFewSequencers);
        Keyless::set(vec![account(3), account(4)]);
        assert_eq!(planned(&[2, 3]), None, "should it happen all the same, the set stays");
        // A chain without a minimum still needs one.
        MinSequencers::set(0);
        Keyless::set(vec![account(2), account(3), account(4)]);
        assert_eq!(planned(&[2, 3]), None);
    });
}

#[test]
fn only_root_changes_members_and_each_change_is_told() {
    three_members().execute_with(|| {
        frame_system::Pallet::<Test>::set_block_number(1);
        let signed = || RuntimeOrigin::signed(account(1));
        assert_noop!(Registry::add_member(signed(), member(4)), BadOrigin);
        assert_noop!(Registry::remove_member(signed(), account(1)), BadOrigin);
        assert_noop!(Registry::set_weight(signed(), account(1), 5), BadOrigin);

        add(4);
        assert_ok!(Registry::set_weight(RuntimeOrigin::root(), account(4), 5));
        assert_eq!(Members::<Test>::get()[3].weight, 5);
        remove(4);
        let told = frame_system::Pallet::<Test>::read_events_for_pallet::<Event<Test>>();
        let account = account(4);
        assert_eq!(
            told,
            [
                Event::MemberAdded { account: account.clone(), weight: 1 },
                Event::WeightSet { account: account.clone(), weight: 5 },
                Event::MemberRemoved { account },
            ]
        );
    });
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    three_members().execute_with(|| {
        let root = RuntimeOrigin::root;
        assert_noop!(Registry::add_member(root(), member(1)), Error::<Test>::AlreadyMember);
        assert_noop!(Registry::remove_member(root(), account(9)), Error::<Test>::NotAMember);
        assert_noop!(Registry::set_weight(root(), account(9), 5), Error::<Test>::NotAMember);
        (4..=MAX_SEQUENCERS as u8).for_each(add);
        let one_more = Registry::add_member(root(), member(99));
        assert_noop!(one_more, Error::<Test>::TooManyMembers);
    });
}
