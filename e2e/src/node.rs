//! One L2 node as an operating-system process.

use crate::{
    error::{Error, IoContext, Result},
    genesis,
    lab::Place,
    peer_id::peer_id,
    ports,
    process::{self, Process, Surroundings},
    rpc::{self, RpcClient},
    wait::{until, Seen},
};
use serde_json::{json, Value};
use sp_core::{Blake2Hasher, Hasher};
use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// Names the node's binary, if it is not where cargo puts it.
pub const BINARY_ENV: &str = "CASCOIN_L2_BIN";
/// A node that is told to stop has this long; then it is killed.
pub const STOP_LIMIT: Duration = Duration::from_secs(20);
/// The first start compiles the runtime, on a loaded machine for all at once.
const START_LIMIT: Duration = Duration::from_secs(90);

/// The node's binary: `$CASCOIN_L2_BIN`, or the one that cargo built beside
/// this program.
///
/// # Errors
/// [`Error::Other`] with what to do if there is none.
pub fn binary() -> Result<PathBuf> {
    let build = "build it with `scripts/demo --build-only`";
    if let Some(named) = env::var_os(BINARY_ENV).map(PathBuf::from) {
        if named.exists() {
            return Ok(named);
        }
        let named = named.display();
        return Err(Error::other(format!(
            "{BINARY_ENV} names {named}, which is not there; {build}"
        )));
    }
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let exe = env::current_exe().ok();
    // Programs are in `release`, tests in `release/deps`.
    let beside = exe.iter().flat_map(|exe| exe.ancestors().skip(1).take(2).map(Path::to_path_buf));
    target
        .map(|target| target.join("release"))
        .into_iter()
        .chain(beside)
        .map(|folder| folder.join("cascoin-l2"))
        .find(|path| path.exists())
        .ok_or_else(|| Error::other(format!("no node binary: {build}, or name it in {BINARY_ENV}")))
}

/// The development keys: one sequencer each, in the order of the presets.
pub const DEV_KEYS: [&str; 4] = ["alice", "bob", "charlie", "dave"];

/// All development keys that the node's flags name, for chains with more
/// sequencers than the presets have ([`crate::spec`]). They begin as [`DEV_KEYS`].
pub const ALL_DEV_KEYS: [&str; 7] = ["alice", "bob", "charlie", "dave", "eve", "ferdie", "one"];

/// How a node reaches its L1 node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L1Access {
    /// `http://host:port`.
    pub url: String,
    /// `user:password`.
    pub credentials: String,
    /// The wallet whose coins `l2_sendburntx` burns, if any.
    pub wallet: Option<String>,
}

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Names its folder and its log.
    pub name: String,
    /// A preset or the path of a chain spec.
    pub chain: String,
    /// Whose development keys it holds (of [`DEV_KEYS`]); a full node holds none.
    pub dev_key: Option<&'static str>,
    /// Its L1 node.
    pub l1: Option<L1Access>,
    /// Addresses of other nodes to start from.
    pub bootnodes: Vec<String>,
    /// Addresses of the other sequencers.
    pub sequencer_peers: Vec<String>,
    /// Further flags; they replace those of the same name that every node gets.
    pub extra: Vec<String>,
}

impl NodeConfig {
    /// Whether it is to sequence, with development keys or others.
    pub fn sequences(&self) -> bool {
        self.dev_key.is_some() || self.extra.iter().any(|flag| flag == "--sequencer")
    }
}

/// The ports of a node, all on loopback.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// libp2p.
    pub p2p: u16,
    /// JSON-RPC 2.0 over HTTP and WebSocket.
    pub rpc: u16,
    /// JSON-RPC 1.0 for L1's own client programs.
    pub front: u16,
    /// Metrics.
    pub prometheus: u16,
}

/// A node that runs or can run again.
pub struct Node {
    config: NodeConfig,
    folder: PathBuf,
    ports: Ports,
    node_key: [u8; 32],
    place: Option<Place>,
    environment: Vec<(String, String)>,
    process: Option<Process>,
}

impl Node {
    /// Prepares a node with its own folder under `root`; nothing runs yet.
    ///
    /// # Errors
    /// [`Error::Io`] if its folder cannot be made, [`Error::Other`] if no port is
    /// free.
    pub fn new(config: NodeConfig, root: &Path) -> Result<Self> {
        let folder = root.join(&config.name);
        fs::create_dir_all(&folder).attempt(|| format!("making {}", folder.display()))?;
        let ports = Ports {
            p2p: ports::free()?,
            rpc: ports::free()?,
            front: ports::free()?,
            prometheus: ports::free()?,
        };
        let identity = format!("cascoin-e2e {} {}", config.name, ports.p2p);
        let node_key = Blake2Hasher::hash(identity.as_bytes()).0;
        let environment = Vec::new();
        Ok(Self { config, folder, ports, node_key, place: None, environment, process: None })
    }

    /// Moves it into a laboratory; to be called before it is started and before
    /// others are told its address.
    pub fn move_to(&mut self, place: Place) {
        self.place = Some(place);
    }

    /// Sets an environment variable of the process, from the next start.
    pub fn set_environment(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
    }

    /// Where this machine reaches it.
    fn host(&self) -> IpAddr {
        self.place.as_ref().map_or(Ipv4Addr::LOCALHOST.into(), |place| place.control)
    }

    /// Where other nodes reach it.
    fn address(&self) -> Ipv4Addr {
        self.place.as_ref().map_or(Ipv4Addr::LOCALHOST, |place| place.address)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Its configuration; a change holds from the next start.
    pub fn config_mut(&mut self) -> &mut NodeConfig {
        &mut self.config
    }

    /// Its configuration.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// Its ports.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// Where other nodes reach it.
    pub fn multiaddr(&self) -> String {
        let (address, peer) = (self.address(), peer_id(&self.node_key));
        format!("/ip4/{address}/tcp/{}/p2p/{peer}", self.ports.p2p)
    }

    /// Its log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("node.log")
    }

    /// Where it keeps its database, keys and write-ahead log.
    pub fn base_path(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its JSON-RPC endpoint.
    pub fn rpc(&self) -> RpcClient {
        RpcClient::at(SocketAddr::new(self.host(), self.ports.rpc))
    }

    /// Its JSON-RPC 1.0 front.
    pub fn front(&self) -> RpcClient {
        RpcClient::local(self.ports.front)
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.ended(), Ok(None)))
    }

    /// Whether it was started and not stopped since.
    pub fn was_started(&self) -> bool {
        self.process.is_some()
    }

    /// The process, while one was started.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// Starts it. Returns at once; [`Node::wait_for_rpc`] waits.
    ///
    /// # Errors
    /// [`Error::Io`] if files or the process cannot be made.
    pub fn start(&mut self) -> Result<()> {
        let args = self.arguments()?;
        // A sequencer's key is locked in the machine's temporary folder, so that
        // it signs in one process only. Each network has its own, or two networks
        // of one preset could not run side by side.
        let temporary = self.folder.parent().unwrap_or(&self.folder);
        let log = self.log();
        let surroundings = Surroundings {
            namespace: self.place.as_ref().map(|place| place.namespace.clone()),
            environment: self.environment.clone(),
        };
        let (name, binary) = (&self.config.name, binary()?);
        let process = Process::start_in(name, &binary, &args, &log, temporary, &surroundings)?;
        self.process = Some(process);
        Ok(())
    }

    /// Waits until it answers calls.
    ///
    /// # Errors
    /// [`Error::Ended`] if it ended instead, [`Error::TimedOut`].
    pub fn wait_for_rpc(&mut self) -> Result<()> {
        let rpc = self.rpc();
        let what = format!("{} answers calls", self.config.name);
        until(&what, START_LIMIT, || {
            self.expect_running()?;
            rpc.call("system_health", json!([])).map(Seen::Done)
        })
        .map(drop)
    }

    /// Fails if it does not run.
    ///
    /// # Errors
    /// [`Error::Ended`], or [`Error::Other`] if it was never started.
    pub fn expect_running(&mut self) -> Result<()> {
        match &mut self.process {
            Some(process) => process.expect_running(),
            None => Err(Error::other(format!("{} was not started", self.config.name))),
        }
    }

    /// Stops it as a service manager does. Returns whether it went by itself.
    ///
    /// # Errors
    /// [`Error::Io`] if signals cannot be sent.
    pub fn stop(&mut self) -> Result<bool> {
        match self.process.take() {
            Some(mut process) => process.terminate(STOP_LIMIT),
            None => Ok(true),
        }
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// [`Error::Io`] if signals cannot be sent.
    pub fn kill(&mut self) -> Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    /// Calls its RPC.
    ///
    /// # Errors
    /// [`Error::Rpc`], [`Error::Transport`].
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.rpc().call(method, params)
    }

    /// The last lines of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        process::tail(&self.log(), lines)
    }

    /// Whether a line of its log contains `text`.
    pub fn logged(&self, text: &str) -> bool {
        fs::read(self.log()).is_ok_and(|log| String::from_utf8_lossy(&log).contains(text))
    }

    /// A metric of its Prometheus endpoint: the sum over all label sets of
    /// `name`; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::Transport`] if the endpoint does not answer.
    pub fn metric(&self, name: &str) -> Result<Option<f64>> {
        let values: Vec<f64> = self.metrics(name)?.into_iter().map(|(_, value)| value).collect();
        Ok((!values.is_empty()).then(|| values.iter().sum()))
    }

    /// All samples of a metric: labels as written, value.
    ///
    /// # Errors
    /// [`Error::Transport`] if the endpoint does not answer.
    pub fn metrics(&self, name: &str) -> Result<Vec<(String, f64)>> {
        let text = rpc::get(SocketAddr::new(self.host(), self.ports.prometheus), "/metrics")?;
        Ok(text.lines().filter_map(|line| sample(line, name)).collect())
    }

    fn arguments(&self) -> Result<Vec<String>> {
        let config = &self.config;
        let mut args: Vec<String> = Vec::new();
        // What `extra` says holds instead.
        let overridden =
            |name: &str| config.extra.iter().any(|extra| extra.split('=').next() == Some(name));
        let mut flag = |name: &str, value: String| {
            if !overridden(name) {
                args.extend([name.to_string(), value]);
            }
        };
        flag("--chain", genesis::raw(&config.chain)?.display().to_string());
        flag("--base-path", self.base_path().display().to_string());
        flag("--name", config.name.clone());
        flag("--listen-addr", format!("/ip4/{}/tcp/{}", self.address(), self.ports.p2p));
        flag("--rpc-port", self.ports.rpc.to_string());
        flag("--json-rpc-1-port", self.ports.front.to_string());
        flag("--prometheus-port", self.ports.prometheus.to_string());
        flag("--node-key", hex::encode(self.node_key));
        flag("--rpc-methods", "unsafe".into());
        flag("--rpc-cors", "all".into());
        flag("--log", "info,l2=debug".into());
        if let Some(l1) = &config.l1 {
            let file = self.folder.join("l1-auth");
            fs::write(&file, &l1.credentials).attempt(|| format!("writing {}", file.display()))?;
            flag("--l1-rpc-url", l1.url.clone());
            flag("--l1-rpc-auth-file", file.display().to_string());
            if let Some(wallet) = &l1.wallet {
                flag("--l1-wallet", wallet.clone());
            }
        }
        for address in &config.bootnodes {
            flag("--bootnodes", address.clone());
        }
        for address in &config.sequencer_peers {
            flag("--sequencer-peers", address.clone());
        }
        args.extend(config.dev_key.map(|key| format!("--{key}")));
        for switch in ["--no-mdns", "--no-telemetry", "--disable-log-color"] {
            args.push(switch.into());
        }
        // Its namespace is a machine of its own, and this process is outside.
        if self.place.is_some() {
            args.extend(["--unsafe-rpc-external", "--prometheus-external"].map(String::from));
        }
        args.extend(config.extra.iter().cloned());
        Ok(args)
    }
}

/// The labels and value of a line of the exposition format, if it is a sample of
/// `name`.
fn sample(line: &str, name: &str) -> Option<(String, f64)> {
    let rest = line.strip_prefix(name)?;
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => rest.rsplit_once('}')?,
        None => ("", rest.strip_prefix(' ')?),
    };
    Some((labels.to_string(), value.split_whitespace().next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_by_their_whole_name() {
        assert_eq!(sample("a_b 3", "a_b"), Some((String::new(), 3.0)));
        assert_eq!(sample("a_b{x=\"1\"} 4.5", "a_b"), Some(("x=\"1\"".into(), 4.5)));
        assert_eq!(sample("a_bc 3", "a_b"), None);
        assert_eq!(sample("# HELP a_b what", "a_b"), None);
    }
}
