//! Which hand-overs hold, and what they lead to.

use crate::{
    mock::*,
    pallet::{Event, Last},
    MAX_ATTEMPTS,
};
use cascoin_l2_primitives::{
    chain::BlockHash,
    hand_over::{HandOver, HandOverBase, HandOverError, HandOverRecord},
    l1::L1Hash,
};
use frame_support::weights::Weight;
use sp_runtime::DigestItem;

/// The error with which a hand-over is refused in the block behind its base, which is invalid
/// if its header carries it.
fn refused(hand_over: HandOver) -> HandOverError {
    new_test_ext().execute_with(|| {
        assert!(is_invalid(vec![hand_over.item()]), "{hand_over:?}");
        // Whoever asks the state beforehand is told why.
        block(vec![]);
        let error = HandOvers::enact(&hand_over).expect_err("it does not hold");
        assert_eq!(Last::<Test>::get(), None);
        assert!(Succeeded::get().is_empty());
        assert!(System::events().is_empty());
        error
    })
}

/// R17.6: who consented is in force before anything else looks.
#[test]
fn r17_6_a_header_hands_over() {
    new_test_ext().execute_with(|| {
        let hand_over = signed(base(), &[2, 3, 5]);
        let weight = block(vec![hand_over.item()]);
        assert_eq!(weight, full(), "no room for transactions");
        let accounts = vec![account(2), account(3), account(5)];
        assert_eq!(Succeeded::get(), [(FIRST_SET + 1, accounts)]);
        let id = hand_over.id();
        let record = HandOverRecord { id, base: base(), members: 3 };
        assert_eq!(Last::<Test>::get(), Some(record));
        let told: Vec<_> = System::events().into_iter().map(|record| record.event).collect();
        let event = Event::HandedOver { id, set_id: FIRST_SET + 1, members: 3 };
        assert_eq!(told, [RuntimeEvent::HandOvers(event)]);
        assert!(HandOvers::is_enacted(PARENT + 1));
        assert!(!HandOvers::is_enacted(PARENT) && !HandOvers::is_enacted(PARENT + 2));
        for blocks in [0, 1, 10] {
            assert!(HandOvers::was_enacted_within(PARENT + 1 + blocks, blocks));
            assert!(!HandOvers::was_enacted_within(PARENT + 2 + blocks, blocks));
        }

        // Once: no later header can carry it.
        assert!(is_invalid(vec![hand_over.item()]));
        assert_eq!(Succeeded::get().len(), 1);
    });
}

#[test]
fn a_header_without_one_costs_nothing() {
    new_test_ext().execute_with(|| {
        let other = DigestItem::PreRuntime(*b"CASL", vec![1, 2, 3]);
        assert_eq!(block(vec![other]), Weight::zero());
        assert_eq!(Last::<Test>::get(), None);
        assert!(!HandOvers::was_enacted_within(System::block_number(), 100));
    });
}

/// R17.6: a hand-over is of one block, and nobody can move it to another one.
#[test]
fn r17_6_it_holds_behind_its_base_only() {
    for other in [
        HandOverBase { number: PARENT - 1, ..base() },
        HandOverBase { number: PARENT + 1, ..base() },
        HandOverBase { number: u32::MAX, ..base() },
        HandOverBase { hash: BlockHash::repeat_byte(9), ..base() },
    ] {
        assert_eq!(refused(signed(other, &[1, 2])), HandOverError::WrongBlock);
    }
}

/// R17.6: the set id rises with each attempt, and by no more than attempts take.
#[test]
fn r17_6_the_set_id_rises() {
    let least = HandOverError::SetId(FIRST_SET + 1);
    for set_id in [0, FIRST_SET - 1, FIRST_SET, FIRST_SET + MAX_ATTEMPTS + 1, u64::MAX] {
        assert_eq!(refused(signed(HandOverBase { set_id, ..base() }, &[1, 2])), least);
    }
    for set_id in [FIRST_SET + 2, FIRST_SET + MAX_ATTEMPTS] {
        new_test_ext().execute_with(|| {
            block(vec![signed(HandOverBase { set_id, ..base() }, &[1, 2]).item()]);
            assert_eq!(SetId::get(), set_id);
        });
    }
}

#[test]
fn r17_6_a_set_is_in_order_and_as_large_as_sets_are() {
    assert_eq!(refused(signed(base(), &[2, 1])), HandOverError::Unordered);
    assert_eq!(refused(signed(base(), &[1, 1])), HandOverError::Unordered);
    let size = HandOverError::Size(SIZE.0, SIZE.1);
    for seeds in [&[][..], &[1], &[1, 2, 3, 4, 5]] {
        assert_eq!(refused(signed(base(), seeds)), size);
    }
}

/// R17.6: whoever may not sequence does not by way of a hand-over either.
#[test]
fn r17_6_only_who_may_go_on_does() {
    let stranger = HandOverError::NotEligible(account(9));
    assert_eq!(refused(signed(base(), &[1, 2, 9])), stranger);
}

/// R17.6: a consent is for one base, of one chain, by the account's own key.
#[test]
fn r17_6_each_consent_is_signed_for_this_base() {
    let bad = |seed| HandOverError::BadSignature(account(seed));
    for other in [
        HandOverBase { set_id: FIRST_SET + 2, ..base() },
        HandOverBase { hash: BlockHash::repeat_byte(9), ..base() },
        HandOverBase { number: PARENT + 1, ..base() },
        HandOverBase { l1_block: L1Hash([9; 32]), ..base() },
        HandOverBase { txid: L1Hash([9; 32]), ..base() },
    ] {
        let mut hand_over = signed(base(), &[1, 2]);
        hand_over.consents[1] = signed(other, &[1, 2]).consents[1].clone();
        assert_eq!(refused(hand_over), bad(2));
    }
    let mut borrowed = signed(base(), &[1, 2]);
    borrowed.consents[0].signature = borrowed.consents[1].signature;
    assert_eq!(refused(borrowed), bad(1));
}

#[test]
fn a_block_with_a_malformed_item_or_with_two_is_invalid() {
    new_test_ext().execute_with(|| {
        let item = signed(base(), &[1, 2]).item();
        assert!(is_invalid(vec![item.clone(), item.clone()]));
        let engine = cascoin_l2_primitives::hand_over::HAND_OVER_ENGINE_ID;
        assert!(is_invalid(vec![DigestItem::PreRuntime(engine, vec![1, 2, 3])]));
        assert!(Succeeded::get().is_empty());
        // One of them alone is good.
        assert!(!is_invalid(vec![item]));
    });
}

/// R17.6: one signature spoiled by the leader, in a hand-over that has the accepted one's id.
#[test]
fn r17_6_a_leader_cannot_void_a_hand_over_by_one_signature() {
    let good = signed(base(), &[1, 2, 3]);
    let mut spoiled = good.clone();
    spoiled.consents[2].signature.0[0] ^= 1;
    assert_eq!(spoiled.id(), good.id());
    assert_eq!(refused(spoiled.clone()), HandOverError::BadSignature(account(3)));
    new_test_ext().execute_with(|| {
        assert!(is_invalid(vec![spoiled.item()]));
        // The next leader's block is as good as if that one had not been.
        assert_eq!(block(vec![good.item()]), full());
        assert_eq!(SetId::get(), FIRST_SET + 1);
    });
}

#[test]
fn the_terms_are_what_is_checked() {
    new_test_ext().execute_with(|| {
        let terms = HandOvers::terms();
        assert_eq!((terms.set_id, terms.size), (FIRST_SET + 1, SIZE));
        let accounts: Vec<_> = terms.successors.into_iter().map(|one| one.account).collect();
        assert_eq!(accounts, (1..=6).map(account).collect::<Vec<_>>());
    });
}

/// R17.6: behind the very first block others may go on, too.
#[test]
fn r17_6_it_may_follow_genesis() {
    new_test_ext().execute_with(|| {
        // Back to the state of genesis.
        frame_system::Pallet::<Test>::set_block_number(0);
        let first = HandOverBase { number: 0, hash: hash_of(0), ..base() };
        assert_eq!(block(vec![signed(first, &[1, 2]).item()]), full());
        assert_eq!(SetId::get(), FIRST_SET + 1);
    });
}
