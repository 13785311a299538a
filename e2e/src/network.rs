//! A local network: L1, sequencers, full nodes; and what tests ask of it.
//!
//! Everything runs on loopback in one temporary folder. Whatever happens, also a
//! panic, the processes end with the [`Network`]; after a panic the folder stays
//! and the ends of all logs are printed.

use crate::{
    error::{Error, IoContext, Result},
    extrinsic::hash,
    l1::L1,
    lab::{Lab, Links},
    node::{Node, NodeConfig, ALL_DEV_KEYS},
    process,
    wait::{until, Seen, PATIENCE},
};
use serde_json::{json, Value};
use sp_core::{ed25519, Pair, H256};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    thread,
};
use tempfile::TempDir;

/// Lines of each log shown when a test fails.
const SHOWN_LINES: usize = 40;

/// What to start.
#[derive(Clone, Debug)]
pub struct Setup {
    /// A preset or the path of a chain spec.
    pub chain: String,
    /// Sequencers with development keys: four or fewer, or seven of a chain spec
    /// that names seven ([`crate::spec`]).
    pub sequencers: usize,
    /// Further nodes that only follow.
    pub full_nodes: usize,
    /// Whether there is an L1 below.
    pub l1: bool,
    /// Further flags of each node.
    pub extra: Vec<String>,
}

impl Setup {
    /// Four sequencers of the fast `regtest` preset over an L1.
    pub fn regtest() -> Self {
        Self { chain: "regtest".into(), sequencers: 4, full_nodes: 0, l1: true, extra: Vec::new() }
    }

    /// Four sequencers of the fast `regtest` preset that have no L1.
    pub fn regtest_without_l1() -> Self {
        Self { l1: false, ..Self::regtest() }
    }
}

/// A running network. Sequencers come first among the nodes, in the order of
/// the authority set.
pub struct Network {
    /// The nodes. Dropped, that is killed, before their L1.
    pub nodes: Vec<Node>,
    l1: Option<L1>,
    lab: Option<Lab>,
    // Last: nothing may be left in it when it is removed.
    folder: Folder,
}

struct Folder(Option<TempDir>);

impl Folder {
    fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new("."), TempDir::path)
    }
}

impl Network {
    /// Starts a network and waits until it makes blocks.
    ///
    /// # Errors
    /// Whatever keeps a process from starting or blocks from being made.
    pub fn start(setup: &Setup) -> Result<Self> {
        let mut network = Self::prepare(setup)?;
        network.start_nodes()?;
        network.wait_for_progress(2)?;
        Ok(network)
    }

    /// Starts L1 and prepares the nodes; a test may change their configuration
    /// before [`Network::start_nodes`].
    ///
    /// # Errors
    /// Whatever keeps L1 from starting.
    pub fn prepare(setup: &Setup) -> Result<Self> {
        Self::prepare_in(setup, None)
    }

    /// As [`Network::prepare`], with the nodes in a laboratory. It must have a
    /// place for each; L1 is not reached from there.
    ///
    /// # Errors
    /// As [`Network::prepare`].
    pub fn prepare_in(setup: &Setup, lab: Option<Lab>) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("cascoin-")
            .tempdir()
            .attempt(|| "making a temporary folder".into())?;
        let l1 = if setup.l1 { Some(L1::start()?) } else { None };
        let mut network = Self { nodes: Vec::new(), l1, lab, folder: Folder(Some(folder)) };
        for index in 0..setup.sequencers + setup.full_nodes {
            let dev_key = ALL_DEV_KEYS.get(index).copied().filter(|_| index < setup.sequencers);
            let name = dev_key.map_or_else(|| format!("full-{index}"), String::from);
            let l1 = network.l1.as_ref().map(L1::access).transpose()?;
            network.add(NodeConfig {
                name,
                chain: setup.chain.clone(),
                dev_key,
                l1,
                bootnodes: Vec::new(),
                sequencer_peers: Vec::new(),
                extra: setup.extra.clone(),
            })?;
        }
        let places = network.lab.as_ref().map_or(&[][..], Lab::places);
        for (node, place) in network.nodes.iter_mut().zip(places) {
            node.move_to(place.clone());
        }
        network.introduce_all();
        Ok(network)
    }

    /// Adds a node that is not started.
    ///
    /// # Errors
    /// [`Error::Io`] if its folder cannot be made.
    pub fn add(&mut self, config: NodeConfig) -> Result<&mut Node> {
        let node = Node::new(config, self.folder.path())?;
        self.nodes.push(node);
        self.nodes.last_mut().ok_or_else(|| Error::other("no node"))
    }

    /// Adds a node with its folder under another one, whose parent is its folder for
    /// temporary files too: what is locked there is locked for it alone, as on
    /// another machine.
    ///
    /// # Errors
    /// [`Error::Io`] if its folder cannot be made.
    pub fn add_under(&mut self, config: NodeConfig, folder: &Path) -> Result<&mut Node> {
        self.nodes.push(Node::new(config, folder)?);
        self.nodes.last_mut().ok_or_else(|| Error::other("no node"))
    }

    /// Tells every node the addresses of the others: sequencers reserve each
    /// other, full nodes boot from the sequencers.
    fn introduce_all(&mut self) {
        let sequencers: Vec<String> = self
            .nodes
            .iter()
            .filter(|node| node.config().dev_key.is_some())
            .map(Node::multiaddr)
            .collect();
        for node in &mut self.nodes {
            let own = node.multiaddr();
            let others: Vec<String> =
                sequencers.iter().filter(|address| **address != own).cloned().collect();
            let config = node.config_mut();
            config.bootnodes = others.clone();
            if config.dev_key.is_some() {
                config.sequencer_peers = others;
            }
        }
    }

    /// Starts all nodes that do not run and waits until all answer.
    ///
    /// # Errors
    /// Whatever keeps one from starting.
    pub fn start_nodes(&mut self) -> Result<()> {
        // Where nothing is compiled yet, one node does it for all.
        if process::wasm_cache().is_some_and(|cache| !cache.exists()) {
            if let Some(first) = self.nodes.first_mut() {
                first.start()?;
                first.wait_for_rpc()?;
            }
        }
        let mut waiting = self.nodes.iter_mut().filter(|node| !node.was_started());
        waiting.try_for_each(Node::start)?;
        self.nodes.iter_mut().try_for_each(Node::wait_for_rpc)
    }

    /// The L1 below.
    ///
    /// # Errors
    /// [`Error::Other`] if the network was made without one.
    pub fn l1(&self) -> Result<&L1> {
        self.l1.as_ref().ok_or_else(|| Error::other("this network has no L1"))
    }

    /// The links between the nodes.
    ///
    /// # Errors
    /// [`Error::Other`] if the network is in no laboratory.
    pub fn links(&self) -> Result<&Links> {
        let lab = self.lab.as_ref().map(Lab::links);
        lab.ok_or_else(|| Error::other("this network is in no laboratory"))
    }

    /// Where everything is kept.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// Positions of the nodes that run.
    pub fn running(&mut self) -> Vec<usize> {
        let nodes = self.nodes.iter_mut().enumerate();
        nodes.filter_map(|(index, node)| node.is_running().then_some(index)).collect()
    }

    /// Calls a node's RPC.
    ///
    /// # Errors
    /// [`Error::Rpc`], [`Error::Transport`].
    pub fn call(&self, node: usize, method: &str, params: Value) -> Result<Value> {
        self.nodes[node].call(method, params)
    }

    /// Height of a node's best block.
    ///
    /// # Errors
    /// [`Error::Rpc`], [`Error::Transport`].
    pub fn height(&self, node: usize) -> Result<u32> {
        header_height(&self.call(node, "chain_getHeader", json!([]))?)
    }

    /// Height of a node's last finalized block.
    ///
    /// # Errors
    /// [`Error::Rpc`], [`Error::Transport`].
    pub fn finalized_height(&self, node: usize) -> Result<u32> {
        let head = self.call(node, "chain_getFinalizedHead", json!([]))?;
        header_height(&self.call(node, "chain_getHeader", json!([head]))?)
    }

    /// A node's block at a height.
    ///
    /// # Errors
    /// [`Error::Rpc`], [`Error::Transport`]; [`Error::Other`] if it has none.
    pub fn block_hash(&self, node: usize, height: u32) -> Result<H256> {
        hash(&self.call(node, "chain_getBlockHash", json!([height]))?)
    }

    /// Waits until a node has finalized `height`.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Ended`].
    pub fn wait_for_height(&mut self, node: usize, height: u32) -> Result<u32> {
        let what = format!("{} finalizes height {height}", self.nodes[node].name());
        until(&what, PATIENCE, || {
            self.nodes[node].expect_running()?;
            let finalized = self.finalized_height(node)?;
            Ok(Seen::when(finalized >= height, finalized))
        })
    }

    /// Waits until every running node is `blocks` above where the highest is now;
    /// the height they reached.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Ended`].
    pub fn wait_for_progress(&mut self, blocks: u32) -> Result<u32> {
        let running = self.running();
        self.wait_for_progress_of(&running, blocks)
    }

    /// As [`Network::wait_for_progress`], of some nodes.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Ended`].
    pub fn wait_for_progress_of(&mut self, nodes: &[usize], blocks: u32) -> Result<u32> {
        // A node that does not answer yet counts as standing at genesis.
        let heights = nodes.iter().map(|node| self.finalized_height(*node).unwrap_or(0));
        let target = heights.max().unwrap_or(0) + blocks;
        for node in nodes {
            self.wait_for_height(*node, target)?;
        }
        Ok(target)
    }

    /// Checks that the running nodes hold the same block at every height that
    /// all of them have finalized; that height.
    ///
    /// # Errors
    /// [`Error::Other`] naming the first height that differs.
    pub fn expect_one_chain(&mut self) -> Result<u32> {
        let running = self.running();
        let mut common = u32::MAX;
        for node in &running {
            common = common.min(self.finalized_height(*node)?);
        }
        let heights: Vec<u32> = (0..=common).collect();
        let mut chains = Vec::new();
        for node in &running {
            chains.push(self.call(*node, "chain_getBlockHash", json!([heights]))?);
        }
        for height in heights {
            let at_height: BTreeSet<_> =
                chains.iter().map(|chain| chain[height as usize].to_string()).collect();
            if at_height.len() != 1 || at_height.contains("null") {
                return Err(Error::other(format!(
                    "different blocks at height {height}: {at_height:?}"
                )));
            }
        }
        Ok(common)
    }

    /// Checks that no running sequencer has seen anybody sign two votes or blocks of
    /// one round since it was started; nodes that only follow do not count. To be
    /// asked before nodes are stopped, for the count begins anew with each start.
    ///
    /// # Errors
    /// [`Error::Other`] if one has, or does not count; [`Error::Transport`].
    pub fn expect_no_equivocations(&mut self) -> Result<()> {
        const METRIC: &str = "cascoin_l2_consensus_equivocations_total";
        let mut running = self.running();
        running.retain(|node| self.nodes[*node].config().sequences());
        let mut total = 0.0;
        for node in &running {
            let name = self.nodes[*node].name();
            let count = self.nodes[*node].metric(METRIC)?;
            total += count.ok_or_else(|| Error::other(format!("{name} has no {METRIC}")))?;
        }
        if running.is_empty() || total > 0.0 {
            let count = running.len();
            return Err(Error::other(format!("{total} equivocations, of {count} running nodes")));
        }
        Ok(())
    }

    /// Position of the node that leads now, as one of the running nodes sees it.
    ///
    /// # Errors
    /// [`Error::Other`] if nobody leads or the leader is no node of ours.
    pub fn leader(&mut self) -> Result<usize> {
        let asked = *self.running().first().ok_or_else(|| Error::other("no node runs"))?;
        let leader = self.call(asked, "l2_getleader", json!([]))?;
        let set = self.call(asked, "l2_getsequencers", json!([]))?;
        // The set's order is the chain's business: keys tell who is who.
        let key = leader["index"]
            .as_u64()
            .map(|index| set["sequencers"][index as usize]["keys"]["grandpa"].clone())
            .unwrap_or_default();
        let is_leader = |node: &Node| {
            node.config().dev_key.and_then(session_key).is_some_and(|own| key == json!(own))
        };
        self.nodes
            .iter()
            .position(is_leader)
            .ok_or_else(|| Error::other(format!("no leader of ours in {leader}")))
    }

    /// Prints the ends of all logs and keeps the folder.
    pub fn explain_failure(&mut self) {
        for node in &self.nodes {
            eprintln!("\n--- {} ({})", node.name(), node.log().display());
            eprintln!("{}", node.log_tail(SHOWN_LINES));
        }
        if let Some(folder) = self.folder.0.take() {
            eprintln!("\nlogs and databases are kept in {}", folder.keep().display());
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if thread::panicking() {
            self.explain_failure();
        }
        for node in &mut self.nodes {
            let _ = node.kill();
        }
    }
}

/// Runs a test on a fresh network: an error becomes a panic while the network
/// still stands, so that its logs are shown.
///
/// # Panics
/// If the network does not start or the test fails.
pub fn with_network(setup: &Setup, test: impl FnOnce(&mut Network) -> Result<()>) {
    with_prepared(Network::prepare(setup), test);
}

/// As [`with_network`], in a laboratory with the given `seed`.
///
/// # Panics
/// As [`with_network`].
pub fn with_lab(setup: &Setup, seed: u64, test: impl FnOnce(&mut Network) -> Result<()>) {
    let lab = Lab::start(setup.sequencers + setup.full_nodes, seed);
    with_prepared(lab.and_then(|lab| Network::prepare_in(setup, Some(lab))), test);
}

/// As [`with_network`], on nodes that are prepared and perhaps changed, and not started.
///
/// # Panics
/// As [`with_network`].
pub fn with_prepared(network: Result<Network>, test: impl FnOnce(&mut Network) -> Result<()>) {
    let mut network = match network {
        Ok(network) => network,
        Err(error) => panic!("the network does not start: {error}"),
    };
    let outcome = network
        .start_nodes()
        .and_then(|()| network.wait_for_progress(2).map(drop))
        .and_then(|()| test(&mut network));
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// The secret of a development sequencer such as `alice`.
pub fn session_uri(name: &str) -> String {
    let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
    format!("//{}{rest}", first.to_uppercase())
}

/// The ed25519 session key of a development sequencer such as `alice`, as RPC
/// shows it.
pub fn session_key(name: &str) -> Option<String> {
    let pair = ed25519::Pair::from_string(&session_uri(name), None).ok()?;
    Some(format!("0x{}", hex::encode(pair.public())))
}

fn header_height(header: &Value) -> Result<u32> {
    header["number"]
        .as_str()
        .and_then(|number| u32::from_str_radix(number.trim_start_matches("0x"), 16).ok())
        .ok_or_else(|| Error::other(format!("not a header: {header}")))
}

/// The last lines of a log, for error messages.
pub fn log_tail(log: &Path) -> String {
    process::tail(log, SHOWN_LINES)
}
