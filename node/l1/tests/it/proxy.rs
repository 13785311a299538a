//! A node that is reached through something that loses or forges answers.

use crate::{eventually, funded, payload};
use cascoin_l1::{
    burn,
    follower::{LocalStore, RelayPosition},
    testing::{Litecoind, MemoryStore},
    ClientConfig, Follower, FollowerConfig, L1Client, L1Error,
};
use cascoin_l2_primitives::{
    l1::params::LITECOIN_REGTEST,
    relay::local::{block_key, TIP_KEY},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        atomic::{AtomicU32, Ordering},
        Arc,
    },
    thread,
    time::Duration,
};

/// What happens to one answer; `None` loses it.
pub type Tamper = dyn Fn(&str, Vec<u8>) -> Option<Vec<u8>> + Send + Sync;

/// Stands before `node`; gives each request's body and its answer's to `tamper`.
pub fn proxy(node: &Litecoind, tamper: Arc<Tamper>) -> String {
    proxy_in_eras(node, tamper, Arc::default())
}

/// As [`proxy`]; a connection ends with the era in which it was made, as those of
/// a process end with it.
pub fn proxy_in_eras(node: &Litecoind, tamper: Arc<Tamper>, era: Arc<AtomicU32>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let port = node.rpc_port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (tamper, era) = (tamper.clone(), era.clone());
            let own = era.load(Ordering::SeqCst);
            let alive = move || era.load(Ordering::SeqCst) == own;
            thread::spawn(move || while serve(&client, port, &*tamper, &alive).is_some() {});
        }
    });
    url
}

fn serve(client: &TcpStream, port: u16, tamper: &Tamper, alive: &dyn Fn() -> bool) -> Option<()> {
    let (head, body) = read_message(client)?;
    if !alive() {
        return None;
    }
    let mut node = TcpStream::connect(("127.0.0.1", port)).ok()?;
    node.write_all(&[head.as_bytes(), &body].concat()).ok()?;
    let (head, answer) = read_message(&node)?;
    let answer = tamper(std::str::from_utf8(&body).ok()?, answer)?;
    let status = head.lines().next()?;
    let head = format!("{status}\r\nContent-Length: {}\r\n\r\n", answer.len());
    let mut client = client;
    client.write_all(&[head.as_bytes(), &answer].concat()).ok()
}

fn read_message(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let start = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        let line = head[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

pub fn client(node: &Litecoind, url: String) -> L1Client {
    let config = ClientConfig::new(url, node.credentials(), &LITECOIN_REGTEST);
    let wallet = Some(node.wallet().into());
    L1Client::new(ClientConfig { attempts: 1, wallet, ..config }).expect("a good configuration")
}

#[test]
fn a_lost_answer_to_a_send_is_looked_up_not_repeated_blindly() {
    let node = funded();
    let sends = Arc::new(AtomicU32::new(0));
    let counted = sends.clone();
    let losing = move |request: &str, answer| {
        let is_send = request.contains("\"sendrawtransaction\"");
        if is_send {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        (!is_send).then_some(answer)
    };
    let client = client(&node, proxy(&node, Arc::new(losing)));
    let unsigned = burn::create(&client, &payload(4_000)).expect("funded");
    let sent = burn::sign_and_send(&client, &unsigned.raw, crate::CHAIN).expect("found again");
    assert_eq!(sends.load(Ordering::SeqCst), 1);
    let pool: Vec<String> = client.query("getrawmempool", vec![]).expect("an answer");
    assert_eq!(pool, [sent.txid.to_string()]);
}

#[test]
fn forged_blocks_and_transactions_are_refused() {
    let node = funded();
    let txid = node.burn(&payload(4_000)).expect("sent");
    let hash = node.mine(1).expect("mined")[0];
    // One digit of the hex changed: in a block's transactions, and in a
    // transaction.
    let forging = |request: &str, mut answer: Vec<u8>| {
        if request.contains("\"getblock\"") || request.contains("\"getrawtransaction\"") {
            let at = answer.windows(12).position(|part| part == b"4c324255524e")? + 13;
            answer[at] = if answer[at] == b'1' { b'2' } else { b'1' };
        }
        Some(answer)
    };
    let client = client(&node, proxy(&node, Arc::new(forging)));
    let block = client.block(&hash);
    assert!(matches!(block, Err(L1Error::BadReply { .. })), "{block:?}");
    let transaction = client.raw_transaction(&txid);
    assert!(matches!(transaction, Err(L1Error::BadReply { .. })), "{transaction:?}");

    // The follower takes nothing from it and says why.
    let start = || {
        let attested_hash = LITECOIN_REGTEST.genesis;
        Some(RelayPosition { attested_height: 110, attested_hash, applied_height: 110 })
    };
    let config =
        FollowerConfig { poll_interval: Duration::from_millis(20), ..FollowerConfig::new(1) };
    let store = Arc::new(MemoryStore::default());
    let follower =
        Follower::spawn(client, config, store.clone(), Arc::new(start)).expect("a thread");
    let status =
        eventually("the complaint", || Some(follower.status()).filter(|s| s.error.is_some()));
    assert_eq!(status.error_name, Some("BadReply"));
    assert!(follower.recent_burns().is_empty());
    assert_eq!((store.get(TIP_KEY), store.get(&block_key(111))), (None, None));
}
