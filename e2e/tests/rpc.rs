//! RPC under bad input, and L1's own client program against the node.

use cascoin_e2e::{
    burns,
    extrinsic::{account, dev_pair},
    l1::litecoin_cli,
    network::{with_network, Network, Setup},
    rpc::RpcClient,
    Error, Result,
};
use serde_json::{json, Value};

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const INVALID_PARAMS: i64 = -32602;
/// Named errors are −32050 − i.
const NAMED: std::ops::RangeInclusive<i64> = -32099..=-32050;

fn one_node() -> Setup {
    Setup { chain: "dev".into(), sequencers: 1, full_nodes: 0, l1: true, extra: Vec::new() }
}

fn code_of(network: &Network, method: &str, params: &Value) -> Result<i64> {
    match network.call(0, method, params.clone()) {
        Err(Error::Rpc { code, message, .. }) => {
            assert!(!message.is_empty(), "{method} {params}: an error without words");
            assert!(message.len() < 1_000, "{method} {params}: {message}");
            Ok(code)
        }
        Ok(result) => Err(Error::other(format!("{method} {params} is answered with {result}"))),
        Err(error) => Err(error),
    }
}

#[test]
fn garbage_parameters_and_unknown_addresses_get_clean_errors() {
    with_network(&one_node(), |network| {
        let long = "f".repeat(100_000);
        let no_account = [
            json!(""),
            json!("alice"),
            json!("0x"),
            json!("0x1234"),
            json!(format!("{}Z", &ALICE[..47])),
            json!("15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"),
            json!("LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9"),
            json!("rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
            json!(format!("02{}", "ff".repeat(32))),
            json!("0x00112233445566778899aabbccddeeff00112233"),
            json!("\u{0}\u{1}ünï\u{202e}"),
            json!(long),
            json!(7),
            json!(-1.5),
            json!(true),
            json!(null),
            json!([]),
            json!({}),
        ];
        for method in ["l2_getbalance", "l2_gettransactioncount", "l2_getburnsforaddress"] {
            for address in &no_account {
                assert_eq!(
                    code_of(network, method, &json!([address]))?,
                    INVALID_PARAMS,
                    "{method} {address}"
                );
            }
            assert_eq!(code_of(network, method, &json!([]))?, INVALID_PARAMS);
            assert_eq!(code_of(network, method, &json!([ALICE, 1]))?, INVALID_PARAMS);
            assert_eq!(code_of(network, method, &json!({ "who": ALICE }))?, INVALID_PARAMS);
        }

        let invalid = [
            ("l2_getchaininfo", json!(["x"])),
            ("l2_getchaininfo", json!([-1])),
            ("l2_getchaininfo", json!([4_294_967_296_u64])),
            ("l2_getblockbynumber", json!([])),
            ("l2_getblockbynumber", json!(["-1"])),
            ("l2_getblockbynumber", json!([1.5])),
            ("l2_getblockbynumber", json!(["1e3"])),
            ("l2_getblockbynumber", json!([99_999_999_999_u64])),
            ("l2_getblockbynumber", json!([1, "perhaps"])),
            ("l2_getsequencers", json!(["maybe"])),
            ("l2_getleader", json!([1])),
            ("l2_getburnstatus", json!([])),
            ("l2_getburnstatus", json!(["00"])),
            ("l2_getburnstatus", json!(["zz".repeat(32)])),
            ("l2_getminthistory", json!(["a", "b"])),
            ("l2_getminthistory", json!([-5])),
            ("l2_createburntx", json!([])),
            ("l2_createburntx", json!(["1"])),
            ("l2_createburntx", json!(["abc", ALICE])),
            ("l2_createburntx", json!([0, ALICE])),
            ("l2_createburntx", json!([-1, ALICE])),
            ("l2_createburntx", json!(["1e3", ALICE])),
            ("l2_createburntx", json!(["0.000000001", ALICE])),
            ("l2_createburntx", json!(["99999999999999999999999999", ALICE])),
            ("l2_createburntx", json!(["1", "nobody"])),
            ("l2_sendburntx", json!([])),
            ("l2_sendburntx", json!(["not hex"])),
            ("l2_sendburntx", json!(["00"])),
            ("l2_sendburntx", json!(["deadbeef".repeat(50)])),
            ("l2_createstaketx", json!([ALICE, "1"])),
            ("l2_createstaketx", json!([ALICE, "1", 5])),
            ("l2_createstaketx", json!([ALICE, "0", 9_000])),
            ("l2_createstaketx", json!(["nobody", "1", 9_000])),
            ("l2_sendstaketx", json!(["00"])),
            ("l2_releasestaketx", json!(["zz".repeat(32)])),
            ("l2_getregisteredchain", json!(["no name"])),
            ("l2_deploy", json!(["demo", 1])),
            ("l2_registerchain", json!(["demo", "1000"])),
        ];
        for (method, params) in &invalid {
            assert_eq!(code_of(network, method, params)?, INVALID_PARAMS, "{method} {params}");
        }

        let named = [
            ("l2_getchaininfo", json!([99])),
            ("l2_getblockbynumber", json!([4_000_000_000_u32])),
            ("l2_createburntx", json!(["80000000", ALICE])),
        ];
        for (method, params) in &named {
            let code = code_of(network, method, params)?;
            assert!(NAMED.contains(&code), "{method} {params}: {code}");
        }

        // What names nothing is no error: there is just nothing.
        let unknown = network.call(0, "l2_getburnstatus", json!(["00".repeat(32)]))?;
        assert_eq!(unknown["found"], false);
        let empty = network.call(0, "l2_getminthistory", json!([9, 3]))?;
        assert_eq!(empty["count"], 0);
        let nobody = account(&dev_pair("//Nobody")?);
        assert_eq!(burns::balance(network, 0, &nobody)?, 0);

        // What is not JSON-RPC at all.
        let rpc = network.nodes[0].rpc();
        for body in ["", "{", "[]", "null", "\u{0}", "{\"jsonrpc\":\"2.0\"}", &"[".repeat(50_000)] {
            raw(&rpc, body)?;
            raw(&network.nodes[0].front(), body)?;
        }
        network.nodes[0].expect_running()?;
        network.wait_for_progress(3)?;
        Ok(())
    });
}

/// Posts a body; whatever comes back must be HTTP, and never a success.
fn raw(rpc: &RpcClient, body: &str) -> Result<()> {
    let answer = rpc.post(body, &[("Content-Type", "application/json")])?;
    // JSON-RPC 1.0 has both members always, the one that does not apply as null.
    let parsed = serde_json::from_str::<serde_json::Value>(&answer.body).unwrap_or_default();
    let result = parsed.get("result").filter(|result| !result.is_null());
    assert!(result.is_none(), "{body:.40}: {}", answer.body);
    Ok(())
}

#[test]
fn numbers_strings_and_names_are_accepted_alike() {
    with_network(&one_node(), |network| {
        let by_number = network.call(0, "l2_getblockbynumber", json!([1, false]))?;
        for params in
            [json!(["1", "false"]), json!([1, 0]), json!({ "blocknumber": "1", "verbose": false })]
        {
            assert_eq!(network.call(0, "l2_getblockbynumber", params)?, by_number);
        }
        let ss58 = network.call(0, "l2_getbalance", json!([ALICE]))?;
        let hex = network.call(0, "l2_getbalance", json!([ss58["account"]]))?;
        assert_eq!(ss58["units"], hex["units"]);
        assert_eq!(ss58["address"], hex["address"]);
        let id = network.call(0, "l2_getchaininfo", json!([]))?["chainId"].clone();
        network.call(0, "l2_getchaininfo", json!([id]))?;
        network.call(0, "l2_getchaininfo", json!([id.to_string()]))?;
        Ok(())
    });
}

#[test]
fn litecoin_cli_works_against_the_front() {
    with_network(&one_node(), |network| {
        let port = network.nodes[0].ports().front;
        let info = litecoin_cli(port, &["l2_getchaininfo"])?;
        assert!(info.success, "{info:?}");
        let info: Value = serde_json::from_str(&info.stdout).map_err(Error::other)?;
        assert!(info["blockHeight"].as_u64().is_some_and(|height| height > 0), "{info}");

        let block = litecoin_cli(port, &["l2_getblockbynumber", "1"])?;
        let block: Value = serde_json::from_str(&block.stdout).map_err(Error::other)?;
        assert_eq!(block["number"], 1);
        let balance = litecoin_cli(port, &["l2_getbalance", ALICE])?;
        assert!(balance.success && balance.stdout.contains("\"balance\""), "{balance:?}");
        let created = litecoin_cli(port, &["l2_createburntx", "0.1", ALICE])?;
        assert!(created.success && created.stdout.contains("\"hex\""), "{created:?}");
        let supply = litecoin_cli(port, &["-named", "l2_verifysupply"])?;
        assert!(supply.success && supply.stdout.contains("\"valid\": true"), "{supply:?}");

        // Errors come as that client shows them: code, message, exit status.
        let missing = litecoin_cli(port, &["l2_getblockbynumber", "4000000000"])?;
        assert!(!missing.success, "{missing:?}");
        assert!(missing.stderr.contains("error code: -320"), "{missing:?}");
        assert!(missing.stderr.contains("Block not found"), "{missing:?}");
        let unknown = litecoin_cli(port, &["l2_nosuchmethod"])?;
        assert!(!unknown.success && unknown.stderr.contains("-32601"), "{unknown:?}");
        let bad = litecoin_cli(port, &["l2_getbalance", "nobody"])?;
        assert!(!bad.success && bad.stderr.contains("-32602"), "{bad:?}");
        Ok(())
    });
}

#[test]
fn methods_that_use_the_wallet_are_refused_where_only_safe_ones_are_served() {
    let mut setup = one_node();
    setup.extra = vec!["--rpc-methods=safe".into()];
    with_network(&setup, |network| {
        for (method, params) in
            [("l2_createburntx", json!([1, ALICE])), ("l2_sendburntx", json!(["00"]))]
        {
            for client in [network.nodes[0].rpc(), network.nodes[0].front()] {
                let refused = client.call(method, params.clone());
                let said = match &refused {
                    Err(Error::Rpc { message, .. }) => message.to_lowercase(),
                    other => panic!("{method} is not refused: {other:?}"),
                };
                assert!(said.contains("unsafe"), "{method}: {said}");
            }
        }
        network.call(0, "l2_getchaininfo", json!([]))?;
        Ok(())
    });
}
