//! Tests of [`super`]: what each kind of request becomes, and that nothing a
//! client or the node may send makes it panic or lose an answer.

use super::*;
use proptest::prelude::*;
use serde_json::{json, Value};

fn read(body: &str) -> Request {
    Request::read(body.as_bytes()).expect("the test's request is well-formed")
}

fn upward(body: &str) -> Value {
    let upward = read(body).upstream_body().expect("there is something to send");
    serde_json::from_slice(&upward).expect("what goes up is JSON")
}

fn reply(request: &str, answer: &Value) -> (u16, Value) {
    let reply = read(request).reply(Ok(answer.to_string().as_bytes()));
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
}

fn refused(body: &[u8]) -> (u16, i64) {
    let reply = Request::read(body).expect_err("the test's request is bad");
    let body: Value = serde_json::from_slice(&reply.body).expect("a refusal is JSON");
    assert_eq!(body["result"], Value::Null);
    (reply.status, body["error"]["code"].as_i64().expect("a refusal has a code"))
}

#[test]
fn core_requests_become_2_0() {
    // As litecoin-cli 0.21 sends it.
    let cli = r#"{"method":"l2_getbalance","params":["5Grw"],"id":1}"#;
    let expected =
        json!({"jsonrpc": "2.0", "id": 0, "method": "l2_getbalance", "params": ["5Grw"]});
    assert_eq!(upward(cli), expected);
    // As python-bitcoinrpc and curl examples send it.
    let one = r#"{"jsonrpc":"1.0","id":"curltest","method":"l2_getbalance","params":["5Grw"]}"#;
    assert_eq!(upward(one), expected);
}

#[test]
fn missing_and_null_params_are_left_out_and_named_ones_kept() {
    for request in [r#"{"method":"m"}"#, r#"{"method":"m","params":null}"#] {
        assert_eq!(upward(request), json!({"jsonrpc": "2.0", "id": 0, "method": "m"}));
    }
    assert_eq!(upward(r#"{"method":"m","params":{"a":1}}"#)["params"], json!({"a": 1}));
}

#[test]
fn numbers_are_not_rounded_on_the_way() {
    let request = read(r#"{"method":"m","params":[0.12345678901234567890, 1e400]}"#);
    let upward = String::from_utf8(request.upstream_body().expect("a call")).expect("text");
    assert!(upward.contains("[0.12345678901234567890, 1e400]"), "{upward}");
    let answer = br#"{"jsonrpc":"2.0","id":0,"result":123456789012345678901234567890.10}"#;
    let down = String::from_utf8(request.reply(Ok(answer)).body).expect("text");
    assert!(down.contains("123456789012345678901234567890.10"), "{down}");
}

#[test]
fn results_get_the_clients_id_back_whatever_it_is() {
    for id in [json!(7), json!("x"), json!(null), json!([1, {"a": 2}]), json!(1.5), json!(true)] {
        let request = json!({"method": "m", "id": id}).to_string();
        let answer = json!({"jsonrpc": "2.0", "id": 0, "result": {"a": 1}});
        let expected = json!({"result": {"a": 1}, "error": null, "id": id});
        assert_eq!(reply(&request, &answer), (200, expected));
    }
}

#[test]
fn a_null_result_is_a_result() {
    let answer = json!({"jsonrpc": "2.0", "id": 0, "result": null});
    let expected = json!({"result": null, "error": null, "id": 1});
    assert_eq!(reply(r#"{"method":"m","id":1}"#, &answer), (200, expected));
}

#[test]
fn errors_get_the_status_core_gives() {
    for (code, status) in [(-32_601, 404), (-32_600, 400), (-32_602, 500), (-32_050, 500), (1, 500)]
    {
        let answer = json!({"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": "no"}});
        let expected = json!({"result": null, "error": {"code": code, "message": "no"}, "id": 1});
        assert_eq!(reply(r#"{"method":"m","id":1}"#, &answer), (status, expected));
    }
}

#[test]
fn textual_data_joins_the_message_and_other_data_stays() {
    let answer = json!({"jsonrpc": "2.0", "id": 0,
        "error": {"code": -32_602, "message": "Invalid params", "data": "expected a height"}});
    let (_, body) = reply(r#"{"method":"m"}"#, &answer);
    assert_eq!(body["error"]["message"], "Invalid params: expected a height");
    let answer = json!({"jsonrpc": "2.0", "id": 0,
        "error": {"code": -32_055, "message": "Block not found", "data": {"name": "BLOCK_NOT_FOUND"}}});
    let (_, body) = reply(r#"{"method":"m"}"#, &answer);
    assert_eq!(body["error"]["message"], "Block not found");
    assert_eq!(body["error"]["data"]["name"], "BLOCK_NOT_FOUND");
}

#[test]
fn a_batch_is_answered_in_order_with_status_200() {
    let request =
        r#"[{"method":"a","id":"A"},{"id":"bad"},5,{"method":"b","id":"B","params":[1]}]"#;
    let sent = upward(request);
    assert_eq!(sent[0], json!({"jsonrpc": "2.0", "id": 0, "method": "a"}));
    assert_eq!(sent[1], json!({"jsonrpc": "2.0", "id": 3, "method": "b", "params": [1]}));
    let answer = json!([
        {"jsonrpc": "2.0", "id": 3, "result": 2},
        {"jsonrpc": "2.0", "id": 0, "error": {"code": -32_601, "message": "Method not found"}},
    ]);
    let (status, body) = reply(request, &answer);
    assert_eq!(status, 200);
    assert_eq!(body[0]["error"]["code"], -32_601);
    assert_eq!(body[0]["id"], "A");
    assert_eq!(body[1]["error"]["message"], "Missing method");
    assert_eq!(body[1]["id"], "bad");
    assert_eq!(body[2]["error"]["code"], -32_600);
    assert_eq!(body[3], json!({"result": 2, "error": null, "id": "B"}));
}

#[test]
fn an_empty_batch_gets_an_empty_batch() {
    let request = read("[]");
    assert_eq!(request.upstream_body(), None);
    assert_eq!(request.reply(Ok(&[])), Reply { status: 200, body: b"[]\n".to_vec() });
}

#[test]
fn bad_requests_are_refused_as_core_does() {
    assert_eq!(refused(b""), (500, PARSE_ERROR));
    assert_eq!(refused(b"{"), (500, PARSE_ERROR));
    assert_eq!(refused(b"\xff\xfe"), (500, PARSE_ERROR));
    assert_eq!(refused(b"\"text\""), (500, PARSE_ERROR));
    let many = format!("[{}1]", "1,".repeat(MAX_BATCH));
    assert_eq!(refused(many.as_bytes()), (400, INVALID_REQUEST));
    for (request, message) in [
        (r#"{"id":3}"#, "Missing method"),
        (r#"{"id":3,"method":4}"#, "Method must be a string"),
        (r#"{"id":3,"method":"m","params":"x"}"#, "Params must be an array or object"),
    ] {
        assert_eq!(read(request).upstream_body(), None);
        let (status, body) = reply(request, &Value::Null);
        assert_eq!((status, body["error"]["message"].as_str()), (400, Some(message)));
        assert_eq!(body["id"], 3);
    }
}

#[test]
fn who_speaks_2_0_is_answered_in_2_0() {
    let request = r#"{"jsonrpc":"2.0","method":"m","id":9}"#;
    let answer = json!({"jsonrpc": "2.0", "id": 0, "error": {"code": -32_601, "message": "no"}});
    let expected = json!({"jsonrpc": "2.0", "error": {"code": -32_601, "message": "no"}, "id": 9});
    assert_eq!(reply(request, &answer), (200, expected));
    let notification = read(r#"{"jsonrpc":"2.0","method":"m"}"#);
    let reply = notification.reply(Ok(br#"{"jsonrpc":"2.0","id":0,"result":1}"#));
    assert_eq!(reply, Reply { status: 204, body: Vec::new() });
}

#[test]
fn a_node_that_is_not_up_reads_as_warming_up() {
    let reply = read(r#"{"method":"m","id":1}"#).reply(Err(UpstreamError::Unreachable));
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!((reply.status, body["error"]["code"].as_i64()), (500, Some(IN_WARMUP)));
}

#[test]
fn one_error_without_id_answers_all_calls_of_a_batch() {
    let request = r#"[{"method":"a","id":1},{"method":"b","id":2}]"#;
    let answer = json!({"jsonrpc": "2.0", "id": null,
        "error": {"code": -32_005, "message": "Batched requests are not supported by this server"}});
    let (_, body) = reply(request, &answer);
    assert_eq!(body[0]["error"]["code"], -32_005);
    assert_eq!(body[1]["error"]["code"], -32_005);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2.0")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("jsonrpc|id|method|params|result|error|code", inner, 0..5)
                .prop_map(|members| Value::from(
                    members.into_iter().collect::<serde_json::Map<_, _>>()
                )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_bytes_never_panic(request in any::<Vec<u8>>(), answer in any::<Vec<u8>>()) {
        if let Ok(request) = Request::read(&request) {
            let _ = request.upstream_body();
            let _ = request.reply(Ok(&answer));
        }
    }

    #[test]
    fn arbitrary_json_gets_json_back(request in any_json(), answer in any_json()) {
        let reply = match Request::read(request.to_string().as_bytes()) {
            Ok(request) => {
                if let Some(upward) = request.upstream_body() {
                    prop_assert!(serde_json::from_slice::<Value>(&upward).is_ok());
                }
                request.reply(Ok(answer.to_string().as_bytes()))
            }
            Err(reply) => reply,
        };
        prop_assert!(reply.status == 204 || serde_json::from_slice::<Value>(&reply.body).is_ok());
        prop_assert!([200, 204, 400, 404, 500].contains(&reply.status));
    }

    #[test]
    fn a_call_keeps_its_id_and_params(id in any_json(), params in prop::collection::vec(any_json(), 0..4)) {
        let request = json!({"method": "m", "params": params, "id": id}).to_string();
        prop_assert_eq!(&upward(&request)["params"], &Value::from(params));
        let (status, body) = reply(&request, &json!({"jsonrpc": "2.0", "id": 0, "result": 1}));
        prop_assert_eq!(status, 200);
        prop_assert_eq!(&body["id"], &id);
    }
}
