//! A typed JSON-RPC client for the L1 node.
//!
//! It assumes nothing of the node but that it speaks what Core 0.16 and 0.21
//! share: no `"jsonrpc"` member in replies, errors as JSON under any HTTP status.
//! It guarantees:
//! - No answer of a node is used before that node proved, by chain name and
//!   genesis hash, to be on the chain of the client's [`L1Params`]. The proof is
//!   asked for again after every broken connection.
//! - Every call ends within its time-out, and a reply has bounded size.
//! - Connection errors are retried with exponential back-off, on the next of
//!   several nodes first. A call that may act twice is never repeated once it may
//!   have been delivered ([`L1Client::send_raw_transaction`] looks first).
//! - Credentials are read again when they are refused, so a restarted node with
//!   a new cookie needs nobody's attention.

mod auth;
mod chain;
mod error;
mod http;
mod types;
mod wallet;

pub use auth::Credentials;
pub(crate) use chain::is_syncing;
pub use error::{code, L1Error};
pub use types::{BlockchainInfo, FundedTransaction, SignedTransaction, Unspent, ValidatedAddress};

use cascoin_l2_primitives::l1::{params::L1Params, L1Hash};
use http::{Endpoint, Http, HttpError, Reply, Request};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::{value::RawValue, Value};
use std::{
    fmt,
    sync::{
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        Arc,
    },
    thread,
    time::Duration,
};

/// How to reach L1.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Nodes, the preferred one first: `http://host:port`. They share the
    /// credentials.
    pub urls: Vec<String>,
    /// How to identify ourselves.
    pub credentials: Credentials,
    /// The node's wallet to use, where it has several.
    pub wallet: Option<String>,
    /// The chain the nodes must be on.
    pub params: &'static L1Params,
    /// Longest duration of one call to one node.
    pub timeout: Duration,
    /// How often all nodes are tried before a connection error is returned.
    pub attempts: u32,
    /// Pause before the second attempt; doubles with each further one.
    pub first_backoff: Duration,
}

impl ClientConfig {
    /// A configuration for one node with the usual time-outs (30 s a call, three
    /// attempts, 250 ms before the second).
    pub fn new(
        url: impl Into<String>,
        credentials: Credentials,
        params: &'static L1Params,
    ) -> Self {
        Self {
            urls: vec![url.into()],
            credentials,
            wallet: None,
            params,
            timeout: Duration::from_secs(30),
            attempts: 3,
            first_backoff: Duration::from_millis(250),
        }
    }
}

/// The client; clones share connections and state.
#[derive(Clone)]
pub struct L1Client {
    inner: Arc<Inner>,
    /// How often all nodes are tried.
    attempts: u32,
}

struct Inner {
    config: ClientConfig,
    nodes: Vec<Node>,
    /// Index of the node that answered last.
    active: AtomicUsize,
    authorization: Mutex<Option<String>>,
    next_id: AtomicU64,
    wallet_path: String,
}

struct Node {
    http: Http,
    /// Whether it proved to be on our chain since the last broken connection.
    verified: AtomicBool,
}

impl fmt::Debug for L1Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("L1Client").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

/// One call.
struct Call<'a> {
    method: &'a str,
    params: Vec<Value>,
    /// To the wallet's own path instead of the node's.
    wallet: bool,
    /// Whether acting twice does no harm.
    repeatable: bool,
}

/// A failed exchange with one node.
struct Fault {
    error: L1Error,
    /// Whether the node may have acted on the call all the same.
    may_have_acted: bool,
}

impl From<L1Error> for Fault {
    fn from(error: L1Error) -> Self {
        Self { error, may_have_acted: false }
    }
}

impl L1Client {
    /// Makes a client. Nothing is connected yet.
    ///
    /// # Errors
    /// [`L1Error::Config`] for no or bad URLs.
    pub fn new(config: ClientConfig) -> Result<Self, L1Error> {
        let nodes = config
            .urls
            .iter()
            .map(|url| {
                let endpoint = Endpoint::parse(url, config.params.default_rpc_port)
                    .map_err(L1Error::Config)?;
                let http = Http::new(endpoint, config.timeout);
                Ok(Node { http, verified: AtomicBool::new(false) })
            })
            .collect::<Result<Vec<_>, L1Error>>()?;
        if nodes.is_empty() {
            return Err(L1Error::Config("no URL of an L1 node".into()));
        }
        let wallet_path = config
            .wallet
            .as_deref()
            .map_or_else(|| "/".into(), |name| format!("/wallet/{}", percent_encode(name)));
        let attempts = config.attempts;
        let inner = Inner {
            config,
            nodes,
            active: AtomicUsize::new(0),
            authorization: Mutex::new(None),
            next_id: AtomicU64::new(1),
            wallet_path,
        };
        Ok(Self { inner: Arc::new(inner), attempts })
    }

    /// The same client, trying all nodes only once: for callers that wait and try
    /// again by themselves.
    #[must_use]
    pub fn single_attempt(&self) -> Self {
        Self { attempts: 1, ..self.clone() }
    }

    /// The chain this client insists on.
    pub fn params(&self) -> &'static L1Params {
        self.inner.config.params
    }

    /// The node that answered last (or the first one).
    pub fn url(&self) -> String {
        self.inner.nodes[self.inner.active.load(Ordering::Relaxed)].http.endpoint().to_string()
    }

    /// The configuration; for a client of another wallet or with other time-outs.
    pub fn config(&self) -> &ClientConfig {
        &self.inner.config
    }

    /// Calls any method that may be repeated, for what has no typed method here.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn query<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Vec<Value>,
    ) -> Result<T, L1Error> {
        self.call(&Call { method, params, wallet: false, repeatable: true })
    }

    /// Calls any method on the wallet's path, once.
    ///
    /// # Errors
    /// [`L1Error`]; after [`L1Error::Unreachable`] the node may have acted.
    pub fn wallet_call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Vec<Value>,
    ) -> Result<T, L1Error> {
        self.call(&Call { method, params, wallet: true, repeatable: false })
    }

    fn call<T: DeserializeOwned>(&self, call: &Call) -> Result<T, L1Error> {
        let mut backoff = self.inner.config.first_backoff;
        for _ in 1..self.attempts {
            match self.try_nodes(call) {
                Err(Fault { error: L1Error::Unreachable { .. }, may_have_acted })
                    if call.repeatable || !may_have_acted =>
                {
                    thread::sleep(backoff);
                    backoff = backoff.saturating_mul(2);
                }
                done => return done.map_err(|fault| fault.error),
            }
        }
        self.try_nodes(call).map_err(|fault| fault.error)
    }

    /// Asks each node once, beginning with the one that answered last.
    fn try_nodes<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Fault> {
        let nodes = &self.inner.nodes;
        let first = self.inner.active.load(Ordering::Relaxed);
        let mut worst: Option<Fault> = None;
        for index in (first..nodes.len()).chain(0..first) {
            match self.ask(&nodes[index], call) {
                Err(fault) if fault.error.is_endpoint_fault() => {
                    if fault.may_have_acted && !call.repeatable {
                        return Err(fault);
                    }
                    if worst.as_ref().is_none_or(|w| w.error.weight() < fault.error.weight()) {
                        worst = Some(fault);
                    }
                }
                answered => {
                    self.inner.active.store(index, Ordering::Relaxed);
                    return answered;
                }
            }
        }
        Err(worst.unwrap_or_else(|| L1Error::Config("no L1 node".into()).into()))
    }

    fn ask<T: DeserializeOwned>(&self, node: &Node, call: &Call) -> Result<T, Fault> {
        if !node.verified.load(Ordering::Relaxed) {
            self.verify(node)?;
            node.verified.store(true, Ordering::Relaxed);
        }
        self.exchange(node, call)
    }

    /// Makes `node` prove that it is on our chain.
    fn verify(&self, node: &Node) -> Result<(), Fault> {
        let ask = |method, params| Call { method, params, wallet: false, repeatable: true };
        let info: BlockchainInfo = self.exchange(node, &ask("getblockchaininfo", vec![]))?;
        let genesis: L1Hash = self.exchange(node, &ask("getblockhash", vec![0.into()]))?;
        let params = self.params();
        if info.chain == params.chain && genesis == params.genesis {
            return Ok(());
        }
        Err(L1Error::WrongChain {
            url: node.http.endpoint().to_string(),
            expected: format!("{} with genesis {}", params.chain, params.genesis),
            found: format!("{} with genesis {genesis}", info.chain),
        }
        .into())
    }

    /// One call to one node; new credentials are tried once.
    fn exchange<T: DeserializeOwned>(&self, node: &Node, call: &Call) -> Result<T, Fault> {
        let id = Value::from(self.inner.next_id.fetch_add(1, Ordering::Relaxed));
        let params =
            jsonrpc::try_arg(&call.params).map_err(|error| L1Error::Config(error.to_string()))?;
        let request = jsonrpc::Request {
            method: call.method,
            params: Some(&params),
            id: id.clone(),
            // What every Core speaks; 28 and later answer in 2.0 form only if asked.
            jsonrpc: Some("1.0"),
        };
        let body =
            serde_json::to_vec(&request).map_err(|error| L1Error::Config(error.to_string()))?;
        let path = if call.wallet { self.inner.wallet_path.as_str() } else { "/" };
        let send = |authorization: Option<&str>| {
            let repeatable = call.repeatable;
            node.http.send(&Request { path, authorization, body: &body, repeatable })
        };

        let authorization = self.authorization()?;
        let mut result = send(authorization.as_deref());
        if matches!(result, Err(HttpError::Unauthorized(_))) {
            if let Some(fresh) = self.renew_authorization(&authorization)? {
                result = send(Some(&fresh));
            }
        }
        let Reply(body) = result.map_err(|error| self.fault(node, error))?;
        Ok(read_reply(call.method, &id, &body)?)
    }

    fn authorization(&self) -> Result<Option<String>, L1Error> {
        let mut cached = self.inner.authorization.lock();
        if cached.is_none() {
            *cached = self.inner.config.credentials.header()?;
        }
        Ok(cached.clone())
    }

    /// Reads the credentials again; `None` if they are the refused ones.
    fn renew_authorization(&self, refused: &Option<String>) -> Result<Option<String>, L1Error> {
        if !self.inner.config.credentials.may_change() {
            return Ok(None);
        }
        let fresh = self.inner.config.credentials.header()?;
        *self.inner.authorization.lock() = fresh.clone();
        Ok(if fresh == *refused { None } else { fresh })
    }

    fn fault(&self, node: &Node, error: HttpError) -> Fault {
        let url = node.http.endpoint().to_string();
        let may_have_acted = matches!(error, HttpError::Lost(_));
        let error = match error {
            HttpError::Unauthorized(_) => {
                L1Error::WrongCredentials { url, reason: error.to_string() }
            }
            HttpError::NotSent(_) | HttpError::Lost(_) => {
                // Whoever answers next at this address must prove itself again.
                node.verified.store(false, Ordering::Relaxed);
                L1Error::Unreachable { url, reason: error.to_string() }
            }
            HttpError::Status(_) => L1Error::Unreachable { url, reason: error.to_string() },
        };
        Fault { error, may_have_acted }
    }
}

fn read_reply<T: DeserializeOwned>(method: &str, id: &Value, body: &[u8]) -> Result<T, L1Error> {
    let bad = |reason: &dyn ToString| L1Error::bad_reply(method, reason.to_string());
    let reply: jsonrpc::Response = serde_json::from_slice(body).map_err(|error| bad(&error))?;
    if let Some(error) = reply.error {
        // A node's words end up in logs and RPC answers: keep them short.
        let message: String = error.message.chars().take(500).collect();
        return Err(match error.code {
            code::IN_WARMUP => L1Error::WarmingUp { message },
            code => L1Error::Rpc { method: method.into(), code, message },
        });
    }
    if reply.id != *id {
        return Err(bad(&"the reply is to another request"));
    }
    let result = reply.result.as_deref().map_or("null", RawValue::get);
    serde_json::from_str(result).map_err(|error| bad(&error))
}

fn percent_encode(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply<T: DeserializeOwned>(body: &str) -> Result<T, L1Error> {
        read_reply("m", &Value::from(7), body.as_bytes())
    }

    #[test]
    fn replies_need_no_version_member() {
        assert_eq!(reply::<u32>(r#"{"result":5,"error":null,"id":7}"#), Ok(5));
        assert_eq!(reply::<u32>(r#"{"jsonrpc":"2.0","result":5,"id":7}"#), Ok(5));
        assert_eq!(reply::<()>(r#"{"result":null,"error":null,"id":7}"#), Ok(()));
    }

    #[test]
    fn bad_replies_and_refusals_are_told_apart() {
        let is_bad = |body| matches!(reply::<u32>(body), Err(L1Error::BadReply { .. }));
        assert!(is_bad(r#"{"result":5,"error":null,"id":8}"#), "another request's reply");
        assert!(is_bad(r#"{"result":"five","error":null,"id":7}"#));
        assert!(is_bad("[]") && is_bad("") && is_bad("\u{0}"));
        let refused =
            r#"{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":7}"#;
        assert!(matches!(reply::<u32>(refused), Err(L1Error::Rpc { code: -8, .. })));
        let warming = r#"{"result":null,"error":{"code":-28,"message":"Loading…"},"id":null}"#;
        assert!(matches!(reply::<u32>(warming), Err(L1Error::WarmingUp { .. })));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_replies_never_panic(body: Vec<u8>, text in "\\PC{0,80}") {
            let id = Value::from(7);
            let _ = read_reply::<BlockchainInfo>("m", &id, &body);
            let _ = read_reply::<u32>("m", &id, text.as_bytes());
            let wrapped = format!(r#"{{"result":{text},"error":null,"id":7}}"#);
            let _ = read_reply::<L1Hash>("m", &id, wrapped.as_bytes());
        }
    }

    #[test]
    fn wallet_names_become_safe_paths() {
        assert_eq!(percent_encode("w"), "w");
        assert_eq!(percent_encode("my wallet/../x"), "my%20wallet%2F..%2Fx");
    }
}
