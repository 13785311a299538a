//! A typed JSON-RPC client for the L1 node.
//!
//! It assumes nothing of the node but that it speaks what Core 0.16 and 0.21
//! share: no `"jsonrpc"` member in replies, errors as JSON under any HTTP status.
//! It guarantees:
//! - No call is sent to a node before that node proved, by chain name and genesis
//!   hash, to be on the chain of the client's [`L1Params`], on the very connection
//!   that the call goes over. A connection lasts as long as the process at its
//!   other end: who puts another node behind the address cannot get a call meant
//!   for the old one, however long the client was idle.
//! - Every call to a node ends within its time-out, and a reply has bounded size.
//! - Connection errors are retried with exponential back-off, on the next of
//!   several nodes first; nodes named earlier are preferred, and get another chance
//!   now and then. A call that may act twice is never repeated once it may
//!   have been delivered ([`L1Client::send_raw_transaction`] looks first), and it
//!   goes over a new connection, so that it does not get lost in one that died.
//! - Calls to a wallet go to the node that was named first and to no other: it has the
//!   operator's.
//! - A node that answers, but uselessly (its blocks are pruned, damaged, or in a
//!   form that cannot be read), is left for the next one after
//!   [`MAX_USELESS_ANSWERS`] such answers in a row.
//! - Credentials are read again when they are refused, so a restarted node with
//!   a new cookie needs nobody's attention.

mod auth;
mod chain;
mod error;
mod http;
mod line;
mod preference;
mod types;
mod useless;
mod wallet;

pub use auth::Credentials;
pub(crate) use chain::is_syncing;
pub use error::{code, L1Error};
pub use http::{CONNECT_TIMEOUT, MAX_BODY};
pub use preference::{FIRST_RETURN, LONGEST_RETURN};
pub use types::{BlockchainInfo, FundedTransaction, SignedTransaction, Unspent, ValidatedAddress};
pub use useless::MAX_USELESS_ANSWERS;

use crate::{
    backoff::{doubled, jittered},
    follower::LOG,
};
use cascoin_l2_primitives::l1::params::L1Params;
use http::{Connection, Endpoint};
use parking_lot::Mutex;
use preference::Preference;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    fmt,
    sync::{atomic::AtomicU64, Arc},
    thread,
    time::{Duration, Instant},
};
use useless::Useless;

/// How to reach L1.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Nodes, the preferred one first: `http://host:port`.
    pub urls: Vec<String>,
    /// How to identify ourselves to the nodes that have nothing in `credentials_of`.
    pub credentials: Credentials,
    /// How to identify ourselves to each node, in the order of `urls`; empty where all
    /// take the same `credentials`.
    pub credentials_of: Vec<Credentials>,
    /// The node's wallet to use, where it has several.
    pub wallet: Option<String>,
    /// The chain the nodes must be on.
    pub params: &'static L1Params,
    /// Longest duration of one call to one node.
    pub timeout: Duration,
    /// How often all nodes are tried before a connection error is returned.
    pub attempts: u32,
    /// Pause before the second attempt; doubles with each further one. A random part
    /// of each, at most half, is left out.
    pub first_backoff: Duration,
    /// How long a preferred node that failed is left alone at first.
    pub first_return: Duration,
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
            credentials_of: Vec::new(),
            wallet: None,
            params,
            timeout: Duration::from_secs(30),
            attempts: 3,
            first_backoff: Duration::from_millis(250),
            first_return: FIRST_RETURN,
        }
    }
}

/// The client; clones share connections and state.
#[derive(Clone)]
pub struct L1Client {
    inner: Arc<Inner>,
    /// How often all nodes are tried.
    attempts: u32,
    /// The only node to ask, if it is not to be any of them.
    only: Option<usize>,
}

struct Inner {
    config: ClientConfig,
    nodes: Vec<Node>,
    preference: Mutex<Preference>,
    next_id: AtomicU64,
    wallet_path: String,
}

struct Node {
    endpoint: Endpoint,
    credentials: Credentials,
    /// What is made of the credentials, once they are read.
    authorization: Mutex<Option<String>>,
    /// A connection, not in use now, on which the node proved to be on our chain.
    kept: Mutex<Option<Connection>>,
    useless: Useless,
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
    /// [`L1Error::Config`] for no or bad URLs, or other credentials than one for each.
    pub fn new(config: ClientConfig) -> Result<Self, L1Error> {
        let (urls, own) = (config.urls.len(), config.credentials_of.len());
        if own != 0 && own != urls {
            return Err(L1Error::Config(format!(
                "{urls} URLs of L1 nodes, but {own} files with credentials: give one for all \
                 of them, or one for each in the same order"
            )));
        }
        let nodes = config
            .urls
            .iter()
            .enumerate()
            .map(|(index, url)| {
                let endpoint = Endpoint::parse(url, config.params.default_rpc_port)
                    .map_err(|why| L1Error::Config(format!("L1 URL {}: {why}", index + 1)))?;
                let credentials = config.credentials_of.get(index).unwrap_or(&config.credentials);
                Ok(Node {
                    endpoint,
                    credentials: credentials.clone(),
                    authorization: Mutex::default(),
                    kept: Mutex::default(),
                    useless: Useless::default(),
                })
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
        let preference = Mutex::new(Preference::new(config.first_return, Instant::now()));
        let next_id = AtomicU64::new(1);
        let inner = Inner { config, nodes, preference, next_id, wallet_path };
        Ok(Self { inner: Arc::new(inner), attempts, only: None })
    }

    /// The same client, trying all nodes only once: for callers that wait and try
    /// again by themselves.
    #[must_use]
    pub fn single_attempt(&self) -> Self {
        Self { attempts: 1, ..self.clone() }
    }

    /// The same client, asking none but the node at `index` of the configuration's URLs.
    pub(crate) fn only(&self, index: usize) -> Self {
        Self { only: Some(index), ..self.clone() }
    }

    /// The same client, asking none but the preferred node: its wallet is the operator's.
    /// A stand-in's wallet has other coins and other keys, so an operation of several calls
    /// must not begin with one and go on with the other.
    #[must_use]
    pub(crate) fn of_wallet(&self) -> Self {
        self.only(0)
    }

    /// The nodes, by index, in the order in which they are asked.
    pub(crate) fn order(&self) -> Vec<usize> {
        if let Some(only) = self.only {
            return vec![only];
        }
        let count = self.inner.nodes.len();
        let first = self.inner.preference.lock().first(Instant::now());
        (first..count).chain(0..first).collect()
    }

    /// From now on the node at `index` is asked first.
    pub(crate) fn ask_first(&self, index: usize) {
        self.inner.preference.lock().set(index, Instant::now());
    }

    /// The address of the node at `index`.
    pub(crate) fn url_of(&self, index: usize) -> String {
        self.inner.nodes.get(index).map(|node| node.endpoint.to_string()).unwrap_or_default()
    }

    /// The chain this client insists on.
    pub fn params(&self) -> &'static L1Params {
        self.inner.config.params
    }

    /// The node that is asked first: the one that answered last, at the start the
    /// first, and after too many useless answers the next.
    pub fn url(&self) -> String {
        let active = self.only.unwrap_or_else(|| self.inner.preference.lock().active());
        self.url_of(active)
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

    /// Calls any method on the wallet's path of the preferred node, once.
    ///
    /// # Errors
    /// [`L1Error`]; after [`L1Error::Unreachable`] the node may have acted.
    pub fn wallet_call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Vec<Value>,
    ) -> Result<T, L1Error> {
        self.of_wallet().call(&Call { method, params, wallet: true, repeatable: false })
    }

    /// As [`L1Client::query`], for an answer that `read` makes something of; what
    /// it cannot read counts against the node.
    fn query_read<T: DeserializeOwned, U>(
        &self,
        method: &str,
        params: Vec<Value>,
        read: impl Fn(T) -> Result<U, L1Error>,
    ) -> Result<U, L1Error> {
        self.call_read(&Call { method, params, wallet: false, repeatable: true }, &read)
    }

    fn call<T: DeserializeOwned>(&self, call: &Call) -> Result<T, L1Error> {
        self.call_read(call, &Ok)
    }

    fn call_read<T: DeserializeOwned, U>(
        &self,
        call: &Call,
        read: &dyn Fn(T) -> Result<U, L1Error>,
    ) -> Result<U, L1Error> {
        let mut backoff = self.inner.config.first_backoff;
        for _ in 1..self.attempts {
            match self.try_nodes(call, read) {
                Err(Fault { error: L1Error::Unreachable { .. }, may_have_acted })
                    if call.repeatable || !may_have_acted =>
                {
                    thread::sleep(jittered(backoff));
                    backoff = doubled(backoff, self.inner.config.timeout);
                }
                done => return done.map_err(|fault| fault.error),
            }
        }
        self.try_nodes(call, read).map_err(|fault| fault.error)
    }

    /// Asks each node once, beginning with the one that answered last.
    fn try_nodes<T: DeserializeOwned, U>(
        &self,
        call: &Call,
        read: &dyn Fn(T) -> Result<U, L1Error>,
    ) -> Result<U, Fault> {
        let mut worst: Option<Fault> = None;
        for index in self.order() {
            let answer = self.ask(&self.inner.nodes[index], call);
            match answer.and_then(|answer| Ok(read(answer)?)) {
                Err(fault) if fault.error.is_endpoint_fault() => {
                    if fault.may_have_acted && !call.repeatable {
                        return Err(fault);
                    }
                    if worst.as_ref().is_none_or(|w| w.error.weight() < fault.error.weight()) {
                        worst = Some(fault);
                    }
                }
                answered => {
                    self.judge(index, call.method, answered.as_ref().err());
                    return answered;
                }
            }
        }
        Err(worst.unwrap_or_else(|| L1Error::Config("no L1 node".into()).into()))
    }

    /// Decides which node is asked first from now on: the one that has answered,
    /// or the next one if its answers have been useless for too long.
    fn judge(&self, index: usize, method: &str, error: Option<&Fault>) {
        let nodes = &self.inner.nodes;
        let mut active = index;
        if nodes[index].useless.counts_to_the_limit(method, error.map(|fault| &fault.error)) {
            active = (index + 1) % nodes.len();
            if let (Some(fault), true) = (error, active != index) {
                log::warn!(
                    target: LOG,
                    "L1 node at {} gave {MAX_USELESS_ANSWERS} useless answers in a row ({}); \
                     asking {} from now on",
                    nodes[index].endpoint,
                    fault.error,
                    nodes[active].endpoint,
                );
            }
        }
        // Who asks one node alone decides by itself which one that is, unless it is useless.
        if self.only.is_none() || active != index {
            self.ask_first(active);
        }
    }
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

    #[test]
    fn wallet_names_become_safe_paths() {
        assert_eq!(percent_encode("w"), "w");
        assert_eq!(percent_encode("my wallet/../x"), "my%20wallet%2F..%2Fx");
    }
}
