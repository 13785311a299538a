//! The set in force follows the sessions, by index and with all keys.

use crate::{mock::*, Member, MemberOf, Members};
use cascoin_l2_primitives::{
    chain::{AccountId, MAX_SEQUENCERS},
    sequencers::{SequencerSetProvider, SequencerWeights},
};
use pallet_session::SessionManager;
use sp_runtime::traits::Convert;

#[test]
fn the_set_is_listed_in_the_order_of_the_session_with_all_keys_and_weights() {
    three_members().execute_with(|| {
        SetId::set(7);
        put_in_force(&[3, 1], true);
        let set = Registry::sequencer_set();
        assert_eq!(set.set_id, 7);
        assert_eq!(set.members.len(), 2);
        for (info, n) in set.members.iter().zip([3u8, 1]) {
            assert_eq!(info.account, account(n));
            assert_eq!(info.aura, ed(n, SEALING_KEY));
            assert_eq!(info.grandpa, ed(n, VOTING_KEY));
            assert_eq!(info.relay, ed(n, RELAY_KEY));
            assert_eq!(info.vault, ec(n));
            // Of two nobody has more than half.
            assert_eq!(info.weight, 10);
        }
        assert_eq!(Registry::check_state(), Ok(()));
    });
}

#[test]
fn the_provider_answers_by_index() {
    three_members().execute_with(|| {
        SetId::set(2);
        put_in_force(&[2, 3, 1], true);
        assert_eq!(<Registry as SequencerSetProvider>::set_id(), 2);
        assert_eq!(<Registry as SequencerSetProvider>::members(), 3);
        assert_eq!(<Registry as SequencerSetProvider>::quorum(), 3);
        assert_eq!(Registry::relay_key(1), Some(ed(3, RELAY_KEY)));
        assert_eq!(Registry::relay_key(3), None);
        assert_eq!(Registry::account(1), Some(account(3)));
        assert_eq!(Registry::account(3), None);
        assert_eq!(Registry::index_of_relay_key(&ed(1, RELAY_KEY)), Some(2));
        assert_eq!(Registry::index_of_relay_key(&ed(9, RELAY_KEY)), None);
    });
}

#[test]
fn weights_stand_in_the_order_of_the_set_and_who_leaves_weighs_nothing() {
    let _ = three_members();
    let member = |n: u8| Member { account: account(n), weight: 20 + u64::from(n) };
    // So many and so much alike that none has more than a fifth.
    genesis((1..=7).map(member).collect()).execute_with(|| {
        let order = [2, 3, 1, 7, 4, 6, 5];
        put_in_force(&order, true);
        let weights = || Registry::weighted().into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        assert_eq!(weights(), (order.map(account).to_vec(), vec![22, 23, 21, 27, 24, 26, 25]));
        Registry::remove_member(RuntimeOrigin::root(), account(3)).expect("six are enough");
        assert_eq!(weights().1, [22, 0, 21, 27, 24, 26, 25]);
    });
}

#[test]
fn an_unchanged_session_leaves_the_set_as_it_is() {
    three_members().execute_with(|| {
        put_in_force(&[1, 2, 3], true);
        put_in_force(&[3, 2, 1], false);
        assert_eq!(Registry::relay_key(0), Some(ed(1, RELAY_KEY)));
        assert_eq!(<Registry as SessionManager<AccountId>>::new_session(5), None);
    });
}

#[test]
fn only_members_may_set_session_keys() {
    three_members().execute_with(|| {
        assert_eq!(MemberOf::<Test>::convert(account(2)), Some(account(2)));
        assert_eq!(MemberOf::<Test>::convert(account(4)), None);
    });
}

#[test]
fn the_state_check_finds_a_missing_key_a_double_and_too_few() {
    three_members().execute_with(|| {
        put_in_force(&[1, 2], true);
        Voting::set(Vec::new());
        assert_eq!(
            Registry::check_state(),
            Err("the key lists of the set in force differ in length")
        );
        put_in_force(&[1, 2], true);
        assert_eq!(Registry::check_state(), Ok(()));
        Members::<Test>::mutate(|members| members[2] = members[0].clone());
        assert_eq!(Registry::check_state(), Err("somebody is a member twice"));
        Members::<Test>::mutate(|members| members.truncate(1));
        assert_eq!(Registry::check_state(), Err("there are too few members with keys"));
    });
}

#[test]
#[should_panic(expected = "named twice")]
fn a_member_named_twice_has_no_genesis() {
    genesis(vec![Member { account: account(1), weight: 1 }; 2]);
}

#[test]
#[should_panic(expected = "more than 64 sequencers")]
fn more_members_than_seats_have_no_genesis() {
    let one_too_many = MAX_SEQUENCERS as u8 + 1;
    genesis((0..one_too_many).map(|n| Member { account: account(n), weight: 1 }).collect());
}
