//! `l2_getrecoverypoint` and `l2_rehearserecovery`.

use super::*;
use cascoin_l2_primitives::recovery::{Doubt, RecoveryPoint};
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    transaction_validity::InvalidTransaction,
};

/// What users' transactions begin with.
pub const SIGNED: u8 = 9;

/// Two of users in blocks 23 and 24, behind the inherent: the block and a number.
pub fn users_of(number: BlockNumber) -> Vec<Vec<u8>> {
    let of = |index| vec![SIGNED, number as u8, index];
    if (23..=24).contains(&number) {
        vec![of(1), of(2)]
    } else {
        vec![]
    }
}

/// The first of block 23 falls; all others hold.
pub fn rehearsed(
    at: BlockHash,
    credits: &[(AccountId, Balance)],
    blocks: &[Vec<Past<Vec<u8>>>],
) -> Vec<Vec<Verdict<Fall>>> {
    assert_eq!(at, H256::repeat_byte(3));
    // Its one burn, which the history has many times, if it came after the block.
    assert!(credits.is_empty() || credits == [(alice(), 150)]);
    let verdict = |past: &Past<Vec<u8>>| match past.transaction.as_slice() {
        _ if past.outcome == Outcome::Failed => Verdict::HadFailed,
        _ if past.outcome == Outcome::PartlyFailed => Verdict::Fell(Fall::PartlyFailed),
        [SIGNED, 23, 1] => Verdict::Fell(Fall::Refused(InvalidTransaction::Payment.into())),
        _ => Verdict::Holds,
    };
    blocks.iter().map(|block| block.iter().map(verdict).collect()).collect()
}

fn doubt_since(number: BlockNumber, stands: bool) -> RecoveryStatus {
    let point = RecoveryPoint { l1_height: 98, number, hash: H256::repeat_byte(3) };
    RecoveryStatus { doubt: Some(Doubt { since: Some(point), stands }), deficit: 150 }
}

fn rehearsal(recovery: RecoveryStatus) -> Value {
    let setup = Setup { recovery, ..Setup::default() };
    setup.call("l2_rehearserecovery", json!([])).expect("an answer")
}

#[test]
fn r19_4_what_does_not_hold_without_the_dropped_coins_is_listed() {
    let shown = rehearsal(doubt_since(21, true));
    assert_eq!((&shown["state"], &shown["since"]["number"]), (&json!("stands"), &json!(21)));
    assert_eq!((&shown["until"], &shown["complete"]), (&json!(HEAD), &json!(true)));
    // Of block 24 the second one had failed, and the first in part.
    assert_eq!((&shown["holds"], &shown["hadFailed"]), (&json!(1), &json!(1)));
    let fallen = json!([{
        "block": 23,
        "index": 1,
        "hash": BlakeTwo256::hash(&[SIGNED, 23, 1]),
        "from": ALICE,
        "reason": "Inability to pay some fees (e.g. account balance too low)",
    }, {
        "block": 24,
        "index": 1,
        "hash": BlakeTwo256::hash(&[SIGNED, 24, 1]),
        "from": ALICE,
        "reason": "a call inside of it had failed in its block",
    }]);
    assert_eq!(shown["fell"], fallen);
}

#[test]
fn a_rehearsal_with_more_burns_than_it_looks_at_says_so() {
    let shown = rehearsal(doubt_since(19, true));
    assert_eq!((&shown["until"], &shown["complete"]), (&json!(HEAD), &json!(false)));
}

#[test]
fn nothing_is_rehearsed_while_all_may_come_again() {
    for recovery in [doubt_since(21, false), RecoveryStatus::default()] {
        let shown = rehearsal(recovery);
        assert_eq!((&shown["since"], &shown["fell"]), (&Value::Null, &json!([])));
        assert_eq!(shown["holds"], 0);
    }
}

#[test]
fn a_rehearsal_is_for_the_operator() {
    let deny = Some(DenyUnsafe::Yes);
    let setup = Setup { deny, recovery: doubt_since(21, true), ..Setup::default() };
    assert!(setup.call("l2_rehearserecovery", json!([])).is_err());
}

fn shown(recovery: RecoveryStatus) -> Value {
    let setup = Setup { recovery, ..Setup::default() };
    setup.call("l2_getrecoverypoint", json!([])).expect("an answer")
}

#[test]
fn r19_4_since_when_payments_are_in_doubt_is_shown() {
    let clear = shown(RecoveryStatus::default());
    assert_eq!((&clear["blockNumber"], &clear["state"]), (&json!(HEAD), &json!("clear")));
    assert_eq!((&clear["since"], &clear["deficit"]), (&Value::Null, &json!("0.00000000")));

    let point = RecoveryPoint { l1_height: 98, number: 12, hash: H256::repeat_byte(3) };
    for (stands, deficit, state, coins) in
        [(false, 0, "open", "0.00000000"), (true, 150, "stands", "0.00000150")]
    {
        let doubt = Some(Doubt { since: Some(point), stands });
        let answer = shown(RecoveryStatus { doubt, deficit });
        assert_eq!((&answer["state"], &answer["deficit"]), (&json!(state), &json!(coins)));
        let since = json!({"number": 12, "hash": H256::repeat_byte(3), "l1Height": 98});
        assert_eq!(answer["since"], since);
    }
}

#[test]
fn a_point_that_is_not_known_any_more_is_null() {
    let doubt = Some(Doubt { since: None, stands: true });
    let answer = shown(RecoveryStatus { doubt, deficit: 1 });
    assert_eq!((&answer["state"], &answer["since"]), (&json!("stands"), &Value::Null));
}
