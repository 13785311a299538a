//! A network of sequencers that can be stopped and started again.

use super::{
    chain::{genesis, Author, Backend, Chain, Client, Reports},
    net::Net,
    soft_token::SoftToken,
    until,
};
use cascoin_consensus::{
    engine::{Engine, EngineParams},
    evidence::{self, EvidenceStore},
    import::{CertifiedImport, SharedSets},
    metrics::Metrics,
    schedule::Schedule,
    wire::Instance,
    EngineHandle, EngineStatus, KeySource,
};
use cascoin_l2_primitives::{
    apis::{DoubleSignRecord, EvidenceApi, HandOverApi, SequencerApi},
    chain::{key_types, BlockHash, ChainParameters, Header, SequencerSet},
};
use parking_lot::Mutex;
use sc_keystore::LocalKeystore;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus_grandpa::AuthorityId;
use sp_core::{ed25519, Pair, H256};
use sp_io::hashing::blake2_256;
use sp_keystore::{Keystore, KeystorePtr};
use sp_runtime::Storage;
use sp_state_machine::BasicExternalities;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// The sequencers of one test and their network.
pub struct Cluster {
    pub net: Net,
    pub keys: Vec<ed25519::Pair>,
    /// Keys that nodes get besides, for a set to come.
    pub successors: BTreeMap<usize, ed25519::Pair>,
    pub genesis_hash: BlockHash,
    /// Whose messages the test falsifies: they come back to it, and its engine
    /// passes them on, signed by its own key.
    pub liars: Vec<usize>,
    genesis: Storage,
    /// Sequencers of block 1: the first so many nodes.
    first: usize,
    /// The sets by height, if they change: asked from the chain once.
    sets: Option<Mutex<BTreeMap<u32, Set>>>,
    /// The sets of hand-overs, by their ids: asked from the chain once.
    handed_over: Mutex<BTreeMap<H256, Set>>,
    nodes: Vec<Node>,
    folder: tempfile::TempDir,
    /// Whether nodes that are started report what they find.
    pub reporting: bool,
}

pub type Import = CertifiedImport<Client, Client>;

/// Who certifies a height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    pub id: u64,
    /// Grandpa keys, by index.
    pub keys: Vec<ed25519::Public>,
}

impl From<SequencerSet> for Set {
    fn from(set: SequencerSet) -> Self {
        let keys = set.members.iter().map(|member| member.grandpa).collect();
        Self { id: set.set_id, keys }
    }
}

/// What outlives a crash of a node, and the engine that runs on it.
struct Node {
    chain: Chain,
    metrics: Metrics,
    handle: EngineHandle,
    engine: Option<JoinHandle<()>>,
    /// The door to the database of the engine that was started last.
    import: Option<Import>,
    reporter: Option<JoinHandle<()>>,
    /// Whether keys without a log may be new; none: if its chain is.
    may_make_log: Option<bool>,
    /// Its keys, if they are not in its folder.
    keys: Option<KeySource>,
}

impl Cluster {
    /// `size` sequencers with their keys, none of them started.
    pub fn new(size: usize) -> Self {
        Self::with(size, |_| {})
    }

    /// The same, with other chain parameters.
    pub fn with(size: usize, change: impl FnOnce(&mut ChainParameters)) -> Self {
        Self::build(size, size, change, None)
    }

    /// A network whose sequencers change: the first `first` of the `size` nodes
    /// begin. `state` gets the keys of all nodes, and writes into genesis what
    /// transactions would have written.
    pub fn changing(
        size: usize,
        first: usize,
        change: impl FnOnce(&mut ChainParameters),
        state: impl FnOnce(&[ed25519::Pair]),
    ) -> Self {
        Self::build(size, first, change, Some(Box::new(state)))
    }

    fn build(
        size: usize,
        first: usize,
        change: impl FnOnce(&mut ChainParameters),
        state: Option<Box<dyn FnOnce(&[ed25519::Pair]) + '_>>,
    ) -> Self {
        super::logger::install();
        // A key is used once per machine, so each network of each run has its own.
        static NETWORKS: AtomicU64 = AtomicU64::new(0);
        let network = NETWORKS.fetch_add(1, Ordering::Relaxed);
        let key = |index: usize| {
            let seed = format!("engine test {} {network} {index}", std::process::id());
            ed25519::Pair::from_seed(&blake2_256(seed.as_bytes()))
        };
        let keys: Vec<_> = (0..size).map(key).collect();
        let mut genesis = genesis(&keys[..first], change);
        let sets = state.map(|state| {
            BasicExternalities::execute_with_storage(&mut genesis, || state(&keys));
            Mutex::default()
        });
        let node = |_| Node {
            chain: Chain::new(&genesis),
            metrics: Metrics::new(None).expect("metrics without a registry"),
            handle: EngineHandle::default(),
            engine: None,
            import: None,
            reporter: None,
            may_make_log: None,
            keys: None,
        };
        let nodes: Vec<_> = (0..size).map(node).collect();
        let cluster = Self {
            // One place more, for a stranger.
            net: Net::new(size + 1, network),
            keys,
            successors: BTreeMap::new(),
            liars: Vec::new(),
            genesis_hash: nodes[0].chain.client.info().genesis_hash,
            genesis,
            first,
            sets,
            handed_over: Mutex::default(),
            nodes,
            folder: tempfile::tempdir().expect("a folder for logs and keys"),
            reporting: true,
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
        let members = self.first_members();
        let (keystore, wal_folder): (KeystorePtr, _) = (self.keystore(index), self.logs(index));
        let node = &mut self.nodes[index];
        assert!(node.engine.is_none(), "node {index} runs already");
        // What the engine before it said is no longer true.
        node.handle = EngineHandle::default();
        let client = node.chain.client.clone();
        let import = CertifiedImport::new(client.clone(), client.clone(), || members)
            .expect("the authority sets load");
        let reports = Reports::default();
        node.import = Some(import.clone());
        if self.reporting {
            let again = Duration::from_millis(300);
            let evidence = import.evidence().clone();
            let (client, reports) = (client.clone(), reports.clone());
            let reporter = evidence::report(client, reports, evidence, keystore.clone(), again);
            node.reporter = Some(tokio::spawn(reporter));
        }
        let engine = Engine::new(EngineParams {
            client: client.clone(),
            backend: node.chain.backend.clone(),
            import,
            environment: Author(client, reports),
            keys: node.keys.clone().unwrap_or_else(|| KeySource::signing_only(keystore)),
            mesh: socket,
            wal_folder,
            may_make_log: node
                .may_make_log
                .unwrap_or_else(|| node.chain.client.info().finalized_number == 0),
            handle: node.handle.clone(),
            metrics: node.metrics.clone(),
        });
        node.engine = Some(tokio::spawn(engine.run()));
    }

    /// The door to a stopped node's database, opened anew as at a start.
    pub fn reopen(&mut self, index: usize) {
        let members = self.first_members();
        let node = &mut self.nodes[index];
        assert!(node.engine.is_none(), "node {index} runs");
        let client = node.chain.client.clone();
        let import = CertifiedImport::new(client.clone(), client, || members);
        node.import = Some(import.expect("the authority sets load"));
    }

    /// A database with nothing but genesis, and the door to it.
    pub fn newcomer(&self) -> (Import, Arc<Client>) {
        let client = Chain::new(&self.genesis).client;
        let import = CertifiedImport::new(client.clone(), client.clone(), || self.first_members())
            .expect("the authority sets load");
        (import, client)
    }

    /// Stops a node where it stands; what is on its disk stays.
    pub async fn crash(&mut self, index: usize) {
        self.net.leave(index);
        if let Some(reporter) = self.nodes[index].reporter.take() {
            reporter.abort();
            let _ = reporter.await;
        }
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
        self.nodes[index].may_make_log = Some(true);
    }

    /// Has a node take an empty database for no new chain, as on public networks.
    pub fn is_public(&mut self, index: usize) {
        self.nodes[index].may_make_log = Some(false);
    }

    /// Has a stopped node sign with a token, as an HSM has one, which remembers what it signed.
    pub fn use_token(&mut self, index: usize, token: &SoftToken) {
        assert!(self.nodes[index].engine.is_none());
        // The marks are locked by whoever used them before.
        self.nodes[index].keys = None;
        let marks = self.folder.path().join(format!("marks-{index}"));
        self.nodes[index].keys = Some(token.keys(marks));
    }

    /// Takes a stopped node's database away.
    pub fn lose_database(&mut self, index: usize) {
        assert!(self.nodes[index].engine.is_none());
        self.nodes[index].chain = Chain::new(&self.genesis);
    }

    fn first_members(&self) -> Vec<AuthorityId> {
        self.keys[..self.first].iter().map(|key| key.public().into()).collect()
    }

    /// The authority sets as a node stores them.
    pub fn stored_sets(&self, index: usize) -> SharedSets {
        let client = self.client(index);
        let import = CertifiedImport::new(client.clone(), client, || self.first_members());
        import.expect("the authority sets load").sets()
    }

    /// Gives a node a key besides its own, for a set to come.
    pub fn give_successor(&mut self, index: usize, key: ed25519::Pair) {
        self.insert_key(index, &key);
        self.successors.insert(index, key);
    }

    /// Puts a node's keys into its keystore.
    pub fn give_key(&self, index: usize) {
        self.insert_key(index, &self.keys[index]);
    }

    fn insert_key(&self, index: usize, key: &ed25519::Pair) {
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
        self.segments_of(index, &self.keys[index].public())
    }

    /// The same of one of its keys.
    pub fn segments_of(&self, index: usize, key: &ed25519::Public) -> PathBuf {
        self.logs(index).join(hex::encode(key.0))
    }

    /// The node that holds a key.
    pub fn owner(&self, key: &ed25519::Public) -> Option<usize> {
        let own = self.keys.iter().enumerate();
        let all = own.chain(self.successors.iter().map(|(index, key)| (*index, key)));
        let mut all = all.map(|(index, pair)| (index, pair.public()));
        all.find(|(_, known)| known == key).map(|(index, _)| index)
    }

    /// All keys, each with the node that holds it.
    pub fn all_keys(&self) -> Vec<(usize, ed25519::Public)> {
        let own = self.keys.iter().enumerate();
        let all = own.chain(self.successors.iter().map(|(index, key)| (*index, key)));
        all.map(|(index, pair)| (index, pair.public())).collect()
    }

    /// Who certifies a height: the set of a hand-over that is in force at some node, or else
    /// the one that the chain says.
    pub fn set_at(&self, height: u32) -> Set {
        self.handed_over_at(height).unwrap_or_else(|| self.named_at(height))
    }

    /// One set of those that sign at a height: behind the base of a hand-over there are two.
    pub fn set_of(&self, at: Instance) -> Option<Set> {
        let handed_over = self.handed_over_at(at.height.0).filter(|set| set.id == at.set_id);
        let named = || Some(self.named_at(at.height.0)).filter(|set| set.id == at.set_id);
        handed_over.or_else(named)
    }

    /// The set of a hand-over from the block below a height, in force at some node.
    fn handed_over_at(&self, height: u32) -> Option<Set> {
        self.nodes.iter().find_map(|node| {
            let accepted = node.import.as_ref()?.hand_overs().accepted().into_iter();
            let mut in_force = accepted.filter(|one| one.in_force).map(|one| one.hand_over);
            let hand_over = in_force.find(|one| one.base.number.checked_add(1) == Some(height))?;
            let (id, at) = (hand_over.id(), hand_over.base.hash);
            let mut known = self.handed_over.lock();
            if let Some(set) = known.get(&id) {
                return Some(set.clone());
            }
            let set = node.chain.client.runtime_api().hand_over_set(at, hand_over);
            let set = Set::from(set.ok()?.ok()?);
            Some(known.entry(id).or_insert(set).clone())
        })
    }

    /// Who certifies a height, as the chain says.
    fn named_at(&self, height: u32) -> Set {
        let Some(known) = &self.sets else {
            return Set { id: 0, keys: self.keys.iter().map(Pair::public).collect() };
        };
        let ask = || {
            (0..self.len()).find_map(|index| {
                let client = self.client(index);
                let parent = client.hash(height.checked_sub(1)?).ok()??;
                Some(client.runtime_api().sequencer_set(parent).ok()?.into())
            })
        };
        let mut known = known.lock();
        let set = known.get(&height).cloned().or_else(ask).expect("somebody is that far");
        known.entry(height).or_insert(set).clone()
    }

    /// Whether the sequencer `voter` of a height is this node.
    pub fn is_own(&self, index: usize, height: u32, voter: u16) -> bool {
        self.owner_in(&self.set_at(height), voter) == Some(index)
    }

    /// Whether the sequencer `voter` of one set of a height is this node.
    pub fn is_own_in(&self, index: usize, at: Instance, voter: u16) -> bool {
        self.set_of(at).and_then(|set| self.owner_in(&set, voter)) == Some(index)
    }

    fn owner_in(&self, set: &Set, voter: u16) -> Option<usize> {
        set.keys.get(usize::from(voter)).and_then(|key| self.owner(key))
    }

    pub fn client(&self, index: usize) -> Arc<Client> {
        self.nodes[index].chain.client.clone()
    }

    pub fn backend(&self, index: usize) -> Arc<Backend> {
        self.nodes[index].chain.backend.clone()
    }

    pub fn status(&self, index: usize) -> EngineStatus {
        self.nodes[index].handle.status()
    }

    /// The door to a node's database, of a node that was started.
    pub fn import(&self, index: usize) -> &Import {
        self.nodes[index].import.as_ref().expect("the node was started")
    }

    /// What a node that was started found of evidence.
    pub fn evidence(&self, index: usize) -> &EvidenceStore {
        self.import(index).evidence()
    }

    /// Double signs that a node's final chain has established, newest first.
    pub fn double_signs(&self, index: usize) -> Vec<DoubleSignRecord> {
        let client = self.client(index);
        let at = client.info().finalized_hash;
        client.runtime_api().double_signs(at, 100).expect("the runtime answers")
    }

    /// A node's final block at a height.
    pub fn client_block(&self, index: usize, height: u32) -> Option<BlockHash> {
        self.client(index).hash(height).expect("a database in memory")
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
        let head = client.info().finalized_hash;
        let parent = client.header(head).expect("a database in memory");
        let import = self.nodes[index].import.as_ref();
        let hand_over = import.and_then(|import| import.hand_overs().on(&head));
        let parent = parent.expect("the final block");
        Schedule::after(&**client, self.genesis_hash, hand_over, parent).expect("a schedule")
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
        for key in self.keys.iter().chain(self.successors.values()) {
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
