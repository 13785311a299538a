//! The JSON-RPC 1.0 front before a real JSON-RPC server, with the real
//! `litecoin-cli` and with requests written by hand (ledger R40.1, ADR 0003).

use cascoin_rpc::front::{Front, FrontConfig, FrontError};
use jsonrpsee::{
    server::{Server, ServerHandle},
    types::ErrorObjectOwned,
    RpcModule,
};
use serde_json::{json, Value};
use std::{
    net::SocketAddr,
    process::{Command, Output},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A front and the server behind it; both end with this.
struct Setup {
    address: SocketAddr,
    front: JoinHandle<()>,
    _server: ServerHandle,
}

impl Drop for Setup {
    fn drop(&mut self) {
        self.front.abort();
    }
}

/// What the server behind the front answers: its parameters back, a named error,
/// and more than fits.
fn methods() -> RpcModule<()> {
    let mut module = RpcModule::new(());
    module
        .register_method("l2_ping", |params, (), _| {
            let params = params.as_str().unwrap_or("null");
            serde_json::from_str::<Value>(params).unwrap_or(Value::Null)
        })
        .expect("a new name");
    module
        .register_method("l2_fail", |_, (), _| -> Result<(), ErrorObjectOwned> {
            let data = json!({"name": "BLOCK_NOT_FOUND"});
            Err(ErrorObjectOwned::owned(-32_055, "Block not found", Some(data)))
        })
        .expect("a new name");
    module.register_method("l2_long", |_, (), _| "x".repeat(100_000)).expect("a new name");
    module
}

async fn start(change: impl FnOnce(&mut FrontConfig)) -> Setup {
    let server = Server::builder().build(LOOPBACK).await.expect("a port");
    let upstream = server.local_addr().expect("an address");
    let _server = server.start(methods());
    let mut config = FrontConfig::new(LOOPBACK, upstream);
    change(&mut config);
    let front = Front::bind(config).await.expect("a port");
    let address = front.local_addr();
    Setup { address, front: tokio::spawn(front.run()), _server }
}

/// Sends bytes as they are and reads until the front closes: status and body.
async fn raw(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("the front listens");
    stream.write_all(request.as_bytes()).await.expect("the front reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the front answers");
    let answer = String::from_utf8(answer).expect("the answer is text");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

async fn post(address: SocketAddr, headers: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let request = format!(
        "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    raw(address, &request).await
}

const LOCAL: &str = "Host: 127.0.0.1\r\n";

async fn litecoin_cli(address: SocketAddr, args: &[&str]) -> Output {
    let data = tempfile::tempdir().expect("a directory");
    let mut command = Command::new("litecoin-cli");
    command
        .arg(format!("-datadir={}", data.path().display()))
        .args(["-rpcconnect=127.0.0.1", "-rpcuser=x", "-rpcpassword=y"])
        .arg(format!("-rpcport={}", address.port()))
        .args(args);
    tokio::task::spawn_blocking(move || {
        let output = command.output();
        drop(data);
        output.expect("litecoin-cli is installed: scripts/setup installs it")
    })
    .await
    .expect("the command ran")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_litecoin_cli_calls_methods_through_the_front() {
    let setup = start(|_| {}).await;
    let output = litecoin_cli(setup.address, &["l2_ping", "0.1", "true", "text"]).await;
    assert!(output.status.success(), "{output:?}");
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // It does not know the method, so all arguments are strings.
    assert_eq!(result, json!(["0.1", "true", "text"]));

    let output = litecoin_cli(setup.address, &["-named", "l2_ping", "a=1"]).await;
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(result, json!({"a": "1"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_litecoin_cli_shows_errors() {
    let setup = start(|_| {}).await;
    let output = litecoin_cli(setup.address, &["l2_fail"]).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert_eq!(text.trim(), "error code: -32055\nerror message:\nBlock not found");

    let output = litecoin_cli(setup.address, &["getwalletinfo"]).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("error code: -32601"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_litecoin_cli_reads_a_missing_node_as_warming_up() {
    // A port where nothing listens: bound once, and closed again.
    let closed = TcpListener::bind(LOOPBACK).await.expect("a port").local_addr().expect("bound");
    let setup = start(|config| config.upstream = closed).await;
    let output = litecoin_cli(setup.address, &["l2_ping"]).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("error code: -28") && text.contains("does not answer"), "{text}");
}

#[tokio::test]
async fn any_content_type_and_credentials_are_taken() {
    let setup = start(|_| {}).await;
    for headers in [
        "",
        "Content-Type: text/plain\r\nAuthorization: Basic eDp5\r\n",
        "Content-Type: application/json; charset=utf-8\r\n",
    ] {
        let body = r#"{"jsonrpc":"1.0","id":"curltest","method":"l2_ping","params":[1]}"#;
        let (status, body) = post(setup.address, &format!("{LOCAL}{headers}"), body).await;
        assert_eq!(
            (status, body.as_str()),
            (200, "{\"result\":[1],\"error\":null,\"id\":\"curltest\"}\n")
        );
    }
}

#[tokio::test]
async fn statuses_are_those_of_core() {
    let setup = start(|_| {}).await;
    for (request, expected) in [
        (r#"{"method":"l2_ping","id":1}"#, 200),
        (r#"{"method":"l2_none","id":1}"#, 404),
        (r#"{"method":"l2_fail","id":1}"#, 500),
        (r#"{"id":1}"#, 400),
        ("not json", 500),
        (r#"[{"method":"l2_none"},{"method":"l2_ping"}]"#, 200),
    ] {
        let (status, body) = post(setup.address, LOCAL, request).await;
        assert_eq!(status, expected, "{request}: {body}");
        assert!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
    }
}

#[tokio::test]
async fn a_batch_goes_up_and_comes_back_in_order() {
    let setup = start(|_| {}).await;
    let request = r#"[{"method":"l2_ping","params":[1],"id":"a"},{"method":"l2_fail","id":"b"}]"#;
    let (_, body) = post(setup.address, LOCAL, request).await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&body[0]["id"], &body[0]["result"]), (&json!("a"), &json!([1])));
    assert_eq!(
        (&body[1]["id"], &body[1]["error"]["data"]["name"]),
        (&json!("b"), &json!("BLOCK_NOT_FOUND"))
    );
}

#[tokio::test]
async fn web_pages_and_rebound_names_do_not_get_through() {
    let setup = start(|_| {}).await;
    let call = r#"{"method":"l2_ping","id":1}"#;
    for headers in [
        "Host: evil.example\r\n",
        "",
        "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n",
        "Host: 127.0.0.1\r\nOrigin: null\r\n",
    ] {
        let (status, body) = post(setup.address, headers, call).await;
        // Without any Host hyper itself may refuse it first.
        assert!(
            status == 403 || (headers.is_empty() && status == 400),
            "{headers}: {status} {body}"
        );
        assert!(!body.contains("\"error\":null"), "{body}");
    }
    let (status, _) =
        raw(setup.address, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn sizes_are_limited_both_ways() {
    let setup = start(|config| {
        config.max_request_bytes = 1_000;
        config.max_reply_bytes = 1_000;
    })
    .await;
    let (status, _) = post(setup.address, LOCAL, &" ".repeat(1_001)).await;
    assert_eq!(status, 413);
    let (status, body) = post(setup.address, LOCAL, r#"{"method":"l2_long","id":1}"#).await;
    assert_eq!(status, 500);
    assert!(body.contains("too large"), "{body}");
}

#[tokio::test]
async fn slow_clients_and_a_silent_node_are_given_up() {
    let silent = TcpListener::bind(LOOPBACK).await.expect("a port");
    let upstream = silent.local_addr().expect("an address");
    let setup = start(|config| {
        config.upstream = upstream;
        config.upstream_timeout = Duration::from_millis(200);
        config.client_timeout = Duration::from_millis(300);
    })
    .await;
    let (status, body) = post(setup.address, LOCAL, r#"{"method":"l2_ping","id":1}"#).await;
    assert_eq!(status, 500);
    assert!(body.contains("did not answer in time"), "{body}");

    let begun = Instant::now();
    for unfinished in [
        "POST / HTTP/1.1\r\nHost: 127",
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n{",
        "",
    ] {
        raw(setup.address, unfinished).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn more_connections_than_allowed_wait_their_turn() {
    let setup = start(|config| config.max_connections = 1).await;
    let idle = TcpStream::connect(setup.address).await.expect("the front listens");
    let call = post(setup.address, LOCAL, r#"{"method":"l2_ping","id":1}"#);
    let waiting = tokio::spawn(call);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    drop(idle);
    assert_eq!(waiting.await.expect("it ends").0, 200);
}

#[tokio::test]
async fn the_front_listens_on_loopback_only() {
    let public = "0.0.0.0:0".parse().expect("an address");
    let error = Front::bind(FrontConfig::new(public, LOOPBACK)).await.expect_err("refused");
    assert!(matches!(error, FrontError::NotLoopback(address) if address == public));
}
