//! `l2_getrewards`.

use super::*;
use cascoin_l2_primitives::rewards::{
    Collected, Payout, SequencerRewards, SessionReward, SettledSession,
};

/// Of `account`, or of a set in which Alice is the second of two.
pub fn report(account: Option<AccountId>) -> RewardsReport {
    let accounts = account.map_or_else(|| vec![other(), alice()], |account| vec![account]);
    RewardsReport {
        bonus_pool: 1_234,
        last_session: Some(SettledSession { set_id: 1, last_block: 20, set_aside: 20 }),
        sequencers: accounts.into_iter().map(of).collect(),
    }
}

fn other() -> AccountId {
    [9; 32].into()
}

fn of(account: AccountId) -> SequencerRewards {
    if account != alice() {
        let payout = if account == other() { Payout::To(alice()) } else { Payout::Own };
        return SequencerRewards {
            account,
            owed: 0,
            paid: 5,
            payout,
            penalised_until: None,
            running: None,
            settled: None,
        };
    }
    let running =
        Collected { blocks: 3, base_fees: 1_000, tips: 7, producer_part: 700, others_part: 200 };
    let settled = SessionReward {
        account: account.clone(),
        weight: 100,
        uptime_permille: 999,
        penalised: true,
        blocks: 2,
        base_fees: 2_000,
        tips: 11,
        producer_part: 1_400,
        share: 60,
        bonus: 40,
        withheld: 750,
        amount: 761,
    };
    SequencerRewards {
        account,
        owed: 150_000_000,
        paid: 2,
        payout: Payout::Claimed,
        penalised_until: Some(172_900),
        running: Some(running),
        settled: Some(settled),
    }
}

#[test]
fn r38_6_rewards_are_shown_with_how_they_came_about() {
    let shown = call("l2_getrewards", json!([ALICE]));
    assert_eq!((&shown["blockNumber"], &shown["count"]), (&json!(HEAD), &json!(1)));
    assert_eq!(shown["feeSplit"], json!({ "producer": 70, "others": 20, "burned": 10 }));
    assert_eq!(shown["bonusPool"], "0.00001234");
    let settlement = json!({ "setId": 1, "lastBlock": 20, "setAside": "0.00000020" });
    assert_eq!(shown["lastSettlement"], settlement);

    let alice = &shown["sequencers"][0];
    assert_eq!(alice["address"], ALICE);
    assert_eq!((&alice["owed"], &alice["paid"]), (&json!("1.50000000"), &json!("0.00000002")));
    assert_eq!((&alice["payout"], &alice["payoutAddress"]), (&json!("claimed"), &Value::Null));
    assert_eq!(alice["penalisedUntil"], 172_900);
    let running = json!({
        "blocks": 3,
        "baseFees": "0.00001000",
        "tips": "0.00000007",
        "producerPart": "0.00000700",
        "othersPart": "0.00000200",
    });
    assert_eq!(alice["runningSession"], running);
    let reward = json!({
        "blocks": 2,
        "baseFees": "0.00002000",
        "tips": "0.00000011",
        "producerPart": "0.00001400",
        "share": "0.00000060",
        "weight": 100,
        "bonus": "0.00000040",
        "uptimePercent": 99.9,
        "withheld": "0.00000750",
        "penalised": true,
        "amount": "0.00000761",
    });
    assert_eq!(alice["lastReward"], reward);
}

#[test]
fn without_an_address_all_sequencers_are_shown_in_the_order_of_the_set() {
    for params in [json!([]), json!([null]), json!({}), Value::Null] {
        let shown = call("l2_getrewards", params);
        assert_eq!(shown["count"], 2);
        let first = &shown["sequencers"][0];
        assert_eq!(first["address"], crate::address::show_account(&other()));
        assert_eq!(
            (&first["payout"], &first["payoutAddress"]),
            (&json!("automatic"), &json!(ALICE))
        );
        assert_eq!((&first["runningSession"], &first["lastReward"]), (&Value::Null, &Value::Null));
        assert_eq!(shown["sequencers"][1]["address"], ALICE);
    }
}

#[test]
fn an_account_is_named_as_everywhere_and_may_be_nobodys() {
    let hex = format!("0x{}", hex::encode(alice()));
    let [by_hex, by_name] = [json!([hex]), json!({ "address": ALICE })]
        .map(|params| call("l2_getrewards", params)["sequencers"][0]["address"].clone());
    assert_eq!((by_hex, by_name), (json!(ALICE), json!(ALICE)));
    let nobody = call("l2_getrewards", json!([format!("0x{}", "00".repeat(32))]));
    let nobody = &nobody["sequencers"][0];
    assert_eq!(nobody["payoutAddress"], nobody["address"]);
    for bad in [json!(["rubbish"]), json!([17]), json!([[ALICE]]), json!([ALICE, 1])] {
        let (code, message) = error(Setup::default(), "l2_getrewards", bad);
        assert_eq!(code, -32_602, "{message}");
        assert!(message.contains("address"), "{message}");
    }
}
