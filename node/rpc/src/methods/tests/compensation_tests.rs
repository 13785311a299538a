//! `l2_getcompensation`.

use super::*;
use cascoin_l2_primitives::apis::ClaimStanding;

/// A transaction of three bytes.
fn transaction() -> OpaqueExtrinsic {
    codec::Decode::decode(&mut &vec![1u8, 2, 3].encode()[..]).expect("its length, and bytes")
}

/// Alice paid after three outages, the last of which is not settled.
pub fn report(account: &AccountId) -> Vec<OutageClaim<OpaqueExtrinsic>> {
    if *account != alice() {
        return Vec::new();
    }
    let claimable =
        |amount, until| ClaimStanding::Claimable { amount, until, transaction: transaction() };
    vec![
        OutageClaim { outage: 4, compensable: 200, standing: claimable(150, 90) },
        OutageClaim { outage: 6, compensable: 1_000, standing: claimable(1_000, 95) },
        OutageClaim { outage: 7, compensable: 30, standing: ClaimStanding::Open { until: 27 } },
    ]
}

#[test]
fn r25_6_an_account_is_shown_what_it_may_claim() {
    let shown = call("l2_getcompensation", json!([ALICE]));
    assert_eq!((&shown["address"], &shown["count"]), (&json!(ALICE), &json!(3)));
    assert_eq!(shown["claimable"], "0.00001150");
    let first = json!({
        "outage": 4,
        "status": "claimable",
        "compensable": "0.00000200",
        "amount": "0.00000150",
        "until": 90,
        "transaction": "0x0c010203",
    });
    assert_eq!(shown["outages"][0], first);
    let open = json!({
        "outage": 7,
        "status": "open",
        "compensable": "0.00000030",
        "amount": null,
        "until": 27,
        "transaction": null,
    });
    assert_eq!(shown["outages"][2], open);
    let nobody = call("l2_getcompensation", json!([format!("0x{}", "00".repeat(32))]));
    assert_eq!((&nobody["claimable"], &nobody["outages"]), (&json!("0.00000000"), &json!([])));
}

#[test]
fn compensation_is_asked_for_by_address() {
    for bad in [json!([]), json!(["rubbish"]), json!([ALICE, 1])] {
        let (code, message) = error(Setup::default(), "l2_getcompensation", bad);
        assert_eq!(code, -32_602, "{message}");
    }
}
