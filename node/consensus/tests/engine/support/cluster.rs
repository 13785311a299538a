//! A network of sequencers that can be stopped and started again.

use super::{
    chain::{genesis, Author, Chain, Client},
    net::Net,
    until,
};
use cascoin_consensus::{
    engine::{Engine, EngineParams},
    import::CertifiedImport,
    metrics::Metrics,
    schedule::Schedule,
    EngineHandle, EngineStatus, KeySource,
};
use cascoin_l2_primitives::chain::{key_types, BlockHash, ChainParameters, Header};
use sc_keystore::LocalKeystore;
use sp_blockchain::HeaderBackend;
use sp_core::{ed25519, Pair};
use sp_io::hashing::blake2_256;
use sp_keystore::{Keystore, KeystorePtr};
use sp_runtime::Storage;
use std::{
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};
use tokio::task::JoinHandle;

/// The sequencers of one test and their network.
pub struct Cluster {
    pub net: Net,
    pub keys: Vec<ed25519::Pair>,
    pub genesis_hash: BlockHash,
    /// Whose messages the test falsifies: they come back to it, and its engine
    /// passes them on, signed by its own key.
    pub liars: Vec<usize>,
    genesis: Storage,
    nodes: Vec<Node>,
    folder: tempfile::TempDir,
}

/// What outlives a crash of a node, and the engine that runs on it.
struct Node {
    chain: Chain,
    metrics: Metrics,
    handle: EngineHandle,
    engine: Option<JoinHandle<()>>,
    accept_missing_log: bool,
}

impl Cluster {
    /// `size` sequencers with their keys, none of them started.
    pub fn new(size: usize) -> Self {
        Self::with(size, |_| {})
    }

    /// The same, with other chain parameters.
    pub fn with(size: usize, change: impl FnOnce(&mut ChainParameters)) -> Self {
        super::logger::install();
        // A key is used once per machine, so each network of each run has its own.
        static NETWORKS: AtomicU64 = AtomicU64::new(0);
        let network = NETWORKS.fetch_add(1, Ordering::Relaxed);
        let key = |index: usize| {
            let seed = format!("engine test {} {network} {index}", std::process::id());
            ed25519::Pair::from_seed(&blake2_256(seed.as_bytes()))
        };
        let keys: Vec<_> = (0..size).map(key).collect();
        let genesis = genesis(&keys, change);
        let node = |_| Node {
            chain: Chain::new(&genesis),
            metrics: Metrics::new(None).expect("metrics without a registry"),
            handle: EngineHandle::default(),
            engine: None,
            accept_missing_log: false,
        };
        let nodes: Vec<_> = (0..size).map(node).collect();
        let cluster = Self {
            // One place more, for a stranger.
            net: Net::new(size + 1, network),
            keys,
            liars: Vec::new(),
            genesis_hash: nodes[0].chain.client.info().genesis_hash,
            genesis,
            nodes,
            folder: tempfile::tempdir().expect("a folder for logs and keys"),
        };
        (0..size).for_each(|index| cluster.give_key(index));
        cluster
    }

    /// The same, all started.
    pub fn running(size: usize) -> Self {
        let mut cluster = Self::new(size);
        cluster.start_all();
        cluster
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn start_all(&mut self) {
        (0..self.len()).for_each(|index| self.start(index));
    }

    /// Starts a node on what it has: database, log, keys.
    pub fn start(&mut self, index: usize) {
        let socket = self.net.join(index);
        let members: Vec<_> = self.keys.iter().map(|key| key.public().into()).collect();
        let (keystore, wal_folder): (KeystorePtr, _) = (self.keystore(index), self.logs(index));
        let node = &mut self.nodes[index];
        assert!(node.engine.is_none(), "node {index} runs already");
        // What the engine before it said is no longer true.
        node.handle = EngineHandle::default();
        let client = node.chain.client.clone();
        let import = CertifiedImport::new(client.clone(), client.clone(), || members)
            .expect("the authority sets load");
        let engine = Engine::new(EngineParams {
            client: client.clone(),
            backend: node.chain.backend.clone(),
            import,
            environment: Author(client),
            keys: KeySource::signing_only(keystore),
            mesh: socket,
            wal_folder,
            accept_missing_log: node.accept_missing_log,
            handle: node.handle.clone(),
            metrics: node.metrics.clone(),
        });
        node.engine = Some(tokio::spawn(engine.run()));
    }

    /// Stops a node where it stands; what is on its disk stays.
    pub async fn crash(&mut self, index: usize) {
        self.net.leave(index);
        let Some(engine) = self.nodes[index].engine.take() else { return };
        engine.abort();
        // Also frees the log. An engine that panicked fails the test here.
        if let Err(error) = engine.await {
            assert!(error.is_cancelled(), "the engine of node {index} failed: {error}");
        }
    }

    /// Whether a node's engine ended by itself.
    pub fn gave_up(&self, index: usize) -> bool {
        self.nodes[index].engine.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// The operator's word that a key without a log has not signed.
    pub fn accept_missing_log(&mut self, index: usize) {
        self.nodes[index].accept_missing_log = true;
    }

    /// Takes a stopped node's database away.
    pub fn lose_database(&mut self, index: usize) {
        assert!(self.nodes[index].engine.is_none());
        self.nodes[index].chain = Chain::new(&self.genesis);
    }

    /// Puts a node's keys into its keystore.
    pub fn give_key(&self, index: usize) {
        let key = &self.keys[index];
        let secret = format!("0x{}", hex::encode(key.seed()));
        for key_type in [key_types::AURA, key_types::GRANDPA] {
            self.keystore(index).insert(key_type, &secret, &key.public().0).expect("a key file");
        }
    }

    /// Takes a node's keys out of its keystore.
    pub fn take_key(&self, index: usize) {
        std::fs::remove_dir_all(self.key_folder(index)).expect("the keystore's folder");
        std::fs::create_dir(self.key_folder(index)).expect("an empty folder");
    }

    pub fn keystore(&self, index: usize) -> Arc<LocalKeystore> {
        Arc::new(LocalKeystore::open(self.key_folder(index), None).expect("a keystore"))
    }

    fn key_folder(&self, index: usize) -> PathBuf {
        self.folder.path().join(format!("keys-{index}"))
    }

    /// Folder of a node's logs.
    pub fn logs(&self, index: usize) -> PathBuf {
        self.folder.path().join(format!("logs-{index}"))
    }

    /// Folder of the segments of a node's log.
    pub fn segments(&self, index: usize) -> PathBuf {
        self.logs(index).join(hex::encode(self.keys[index].public().0))
    }

    pub fn client(&self, index: usize) -> Arc<Client> {
        self.nodes[index].chain.client.clone()
    }

    pub fn status(&self, index: usize) -> EngineStatus {
        self.nodes[index].handle.status()
    }

    pub fn metrics(&self, index: usize) -> &Metrics {
        &self.nodes[index].metrics
    }

    /// Height of a node's last final block.
    pub fn height(&self, index: usize) -> u32 {
        self.nodes[index].chain.client.info().finalized_number
    }

    pub fn header(&self, index: usize, height: u32) -> Option<Header> {
        let client = &self.nodes[index].chain.client;
        client.header(client.hash(height).ok()??).ok()?
    }

    /// Waits until all of these have a final block at `height`.
    pub async fn reach(&self, nodes: &[usize], height: u32) {
        let what = format!("nodes {nodes:?} at height {height}");
        until(&what, || nodes.iter().all(|index| self.height(*index) >= height)).await;
    }

    /// The greatest height among some nodes.
    pub fn top(&self, nodes: &[usize]) -> u32 {
        nodes.iter().map(|index| self.height(*index)).max().unwrap_or(0)
    }

    /// Who may do what at the height above a node's last final block.
    pub fn schedule(&self, index: usize) -> Schedule {
        let client = &self.nodes[index].chain.client;
        let parent = client.header(client.info().finalized_hash).expect("a database in memory");
        Schedule::after(&**client, self.genesis_hash, parent.expect("the final block"))
            .expect("a schedule")
    }

    /// Stops all nodes and checks what must hold after every run.
    pub async fn finish(mut self) {
        for index in 0..self.len() {
            self.crash(index).await;
        }
        super::checks::check(&self);
    }
}

impl Drop for Cluster {
    /// The lock files of keys that nobody will use again.
    fn drop(&mut self) {
        let chain = hex::encode(&self.genesis_hash.as_bytes()[..8]);
        for key in &self.keys {
            let name = format!("cascoin-l2-{chain}-{}.lock", hex::encode(key.public().0));
            let _ = std::fs::remove_file(std::env::temp_dir().join(name));
        }
    }
}

/// The newest segment of a log.
pub fn newest_segment(folder: &Path) -> PathBuf {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the log's folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files.pop().expect("a segment")
}
