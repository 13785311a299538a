//! `l2_getrecoverypoint`.

use super::*;
use cascoin_l2_primitives::recovery::{Doubt, RecoveryPoint};
use sp_core::H256;

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
