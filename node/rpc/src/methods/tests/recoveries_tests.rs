//! `l2_getrecovery` and `l2_getfallentransactions`.

use super::*;
use cascoin_l2_primitives::{
    recovery::{LastRecovery, NoRecovery, Place, RecoveryPhase, RecoveryPoint, RecoveryProgress},
    relay::L1BlockContext,
};
use sp_core::H256;
use sp_runtime::{transaction_validity::InvalidTransaction, DispatchError};

/// Three fell: two of block 13, one of block 15 whose sender nobody can read.
pub fn fallen(from: u32, limit: u32) -> Vec<(u32, FallenTransaction)> {
    let one = |number: u8, block, index, sender, fall| {
        let place = Place { block, index };
        (u32::from(number), FallenTransaction { place, hash: hash(number), sender, fall })
    };
    let unpaid = Fall::Refused(InvalidTransaction::Payment.into());
    let all = [
        one(0, 13, 0, Some(alice()), unpaid),
        one(1, 13, 4, Some(alice()), Fall::Failed(DispatchError::CannotLookup)),
        one(2, 15, 0, None, Fall::Unreadable),
    ];
    all.into_iter().filter(|(number, _)| *number >= from).take(limit as usize).collect()
}

fn hash(number: u8) -> H256 {
    H256::repeat_byte(number + 1)
}

fn since() -> RecoveryPoint {
    RecoveryPoint { l1_height: 98, number: 12, hash: H256::repeat_byte(3) }
}

fn progress(phase: RecoveryPhase) -> RecoveryProgress {
    let common = L1BlockContext { height: 97, hash: L1Hash([7; 32]), ..Default::default() };
    RecoveryProgress {
        number: 2,
        since: since(),
        common,
        deficit: 150,
        begun_at: 21,
        phase,
        held: 5,
        fell: 3,
        abandoned: 1,
    }
}

fn last() -> LastRecovery {
    LastRecovery {
        number: 1,
        since: since(),
        begun_at: 18,
        ended_at: 24,
        deficit: 150,
        held: 6,
        fell: 1,
        abandoned: 0,
    }
}

fn shown(recoveries: RecoveryOverview) -> Value {
    let setup = Setup { recoveries, ..Setup::default() };
    setup.call("l2_getrecovery", json!([])).expect("an answer")
}

#[test]
fn r19_4_how_far_a_recovery_is_is_shown() {
    let point = json!({"number": 12, "hash": H256::repeat_byte(3), "l1Height": 98});
    for (phase, expected) in [
        (RecoveryPhase::Restoring { part: 2, parts: 9 }, json!(["restoring", 2, 9, null])),
        (RecoveryPhase::Mending, json!(["mending", null, null, null])),
        (RecoveryPhase::L1Again, json!(["l1Again", null, null, null])),
        (RecoveryPhase::Replaying { block: 14, last: 21 }, json!(["replaying", null, null, 14])),
    ] {
        let running = Some(progress(phase));
        let answer = shown(RecoveryOverview { running, quorum: 3, ..Default::default() });
        let run = &answer["running"];
        assert_eq!(json!([run["phase"], run["part"], run["parts"], run["block"]]), expected);
        assert_eq!((&run["number"], &run["since"]), (&json!(2), &point));
        assert_eq!((&run["until"], &run["deficit"]), (&json!(21), &json!("0.00000150")));
        assert_eq!(run["l1From"], json!({"height": 97, "hash": L1Hash([7; 32])}));
        assert_eq!((&run["holds"], &run["fell"]), (&json!(5), &json!(3)));
        assert_eq!(run["blocksAbandoned"], 1);
        assert_eq!((&answer["last"], &answer["whyNot"]), (&Value::Null, &Value::Null));
    }
}

#[test]
fn r19_4_what_came_of_the_last_recovery_is_shown() {
    let abandoned = LastRecovery { abandoned: 2, ..last() };
    for (last, blocks) in [(last(), 0), (abandoned, 2)] {
        let answer = shown(RecoveryOverview { last: Some(last), ..Default::default() });
        assert_eq!((&answer["blockNumber"], &answer["running"]), (&json!(HEAD), &Value::Null));
        let over = &answer["last"];
        assert_eq!((&over["number"], &over["endedAt"]), (&json!(1), &json!(24)));
        assert_eq!((&over["until"], &over["since"]["number"]), (&json!(18), &json!(12)));
        assert_eq!((&over["holds"], &over["fell"]), (&json!(6), &json!(1)));
        assert_eq!(over["blocksAbandoned"], blocks);
    }
}

#[test]
fn why_no_recovery_begins_is_shown_with_the_votes() {
    let voted = shown(RecoveryOverview { votes: 2, quorum: 3, ..Default::default() });
    assert_eq!((&voted["votes"], &voted["votesNeeded"]), (&json!(2), &json!(3)));
    assert_eq!(voted["whyNot"], Value::Null);
    for (reason, name) in [
        (NoRecovery::NothingStands, "nothingStands"),
        (NoRecovery::PointForgotten, "pointForgotten"),
        (NoRecovery::TooFarBack, "tooFarBack"),
        (NoRecovery::CodeChanged, "codeChanged"),
        (NoRecovery::EarlierRecovery, "earlierRecovery"),
        (NoRecovery::BelowThreshold, "belowThreshold"),
        (NoRecovery::CalledOff, "calledOff"),
    ] {
        let answer = shown(RecoveryOverview { why_not: Some(reason), ..Default::default() });
        assert_eq!(answer["whyNot"], name);
    }
}

#[test]
fn r19_4_what_fell_is_listed_with_its_reason() {
    let recoveries = RecoveryOverview { last: Some(last()), ..Default::default() };
    let list = |recoveries, params| {
        let setup = Setup { recoveries, ..Setup::default() };
        setup.call("l2_getfallentransactions", params)
    };
    let all = list(recoveries, json!([])).expect("an answer");
    assert_eq!((&all["recovery"], &all["fell"]), (&json!(1), &json!(1)));
    let unpaid = "Inability to pay some fees (e.g. account balance too low)";
    let expected = json!([
        {"number": 0, "block": 13, "signedIndex": 0, "hash": hash(0), "from": ALICE,
         "reason": unpaid},
        {"number": 1, "block": 13, "signedIndex": 4, "hash": hash(1), "from": ALICE,
         "reason": "CannotLookup"},
        {"number": 2, "block": 15, "signedIndex": 0, "hash": hash(2), "from": null,
         "reason": "this runtime cannot read it"},
    ]);
    assert_eq!(all["transactions"], expected);
    let one = list(recoveries, json!([1, 1])).expect("an answer");
    assert_eq!(one["transactions"], json!([expected[1]]));
    // Of the one that runs, if one does.
    let running = Some(progress(RecoveryPhase::Mending));
    let newer = list(RecoveryOverview { running, ..recoveries }, json!([])).expect("an answer");
    assert_eq!((&newer["recovery"], &newer["fell"]), (&json!(2), &json!(3)));
    for limit in [0, 1_001] {
        assert!(list(recoveries, json!([0, limit])).is_err());
    }
}
