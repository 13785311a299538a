//! A real client for each node: the runtime's WASM over a database in memory.

use cascoin_consensus::submit::TransactionSink;
use cascoin_l2_primitives::chain::{BlockHash, ChainParameters, OpaqueBlock};
use cascoin_l2_runtime::{
    genesis_config_presets::regtest, ChainParametersConfig, RuntimeApi, RuntimeGenesisConfig,
    SequencerRegistryConfig, SessionConfig, SessionKeys, WASM_BINARY,
};
use futures::future::{ready, BoxFuture, FutureExt, Ready};
use parking_lot::Mutex;
use sc_block_builder::BlockBuilderBuilder;
use sc_client_db::{BlocksPruning, DatabaseSettings, DatabaseSource, PruningMode};
use sc_executor::WasmExecutor;
use sc_service::client::new_with_backend;
use sp_consensus::{Environment, Proposal, ProposeArgs, Proposer};
use sp_core::{ecdsa, ed25519, storage::well_known_keys, traits::SpawnNamed, Pair};
use sp_runtime::{
    traits::{Block as _, Header as _},
    AccountId32, BuildStorage, OpaqueExtrinsic, Storage,
};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

pub type Executor = WasmExecutor<sp_io::SubstrateHostFunctions>;
pub type Client = sc_service::TFullClient<OpaqueBlock, RuntimeApi, Executor>;
pub type Backend = sc_service::TFullBackend<OpaqueBlock>;

/// A client and its database.
#[derive(Clone)]
pub struct Chain {
    pub client: Arc<Client>,
    pub backend: Arc<Backend>,
}

impl Chain {
    /// A new database that holds genesis.
    pub fn new(genesis: &Storage) -> Self {
        let settings = DatabaseSettings {
            trie_cache_maximum_size: Some(16 * 1024 * 1024),
            state_pruning: Some(PruningMode::ArchiveAll),
            source: DatabaseSource::Custom {
                db: Arc::new(sp_database::MemDb::new()),
                // Of a new database: it is to be initialised.
                require_create_flag: true,
            },
            blocks_pruning: BlocksPruning::KeepAll,
            pruning_filters: Vec::new(),
            metrics_registry: None,
        };
        let backend = sc_service::new_db_backend(settings).expect("a database in memory opens");
        let executor = executor();
        let genesis = sc_chain_spec::GenesisBlockBuilder::new(
            genesis,
            true,
            backend.clone(),
            executor.clone(),
        )
        .expect("genesis builds");
        let client = new_with_backend(
            backend.clone(),
            executor,
            genesis,
            Box::new(Spawner(tokio::runtime::Handle::current())),
            None,
            None,
            Default::default(),
        )
        .expect("a client over genesis");
        Self { client: Arc::new(client), backend }
    }
}

/// One executor for all clients, so that the runtime is compiled once; and once
/// for several runs, by the cache on disk.
fn executor() -> Executor {
    static EXECUTOR: OnceLock<Executor> = OnceLock::new();
    let make = || {
        let cache = std::env::var_os("CASCOIN_L2_WASM_CACHE").map_or_else(
            || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wasm-cache"),
            PathBuf::from,
        );
        WasmExecutor::builder()
            .with_max_runtime_instances(32)
            .with_runtime_cache_size(2)
            .with_cache_path(cache)
            .build()
    };
    EXECUTOR.get_or_init(make).clone()
}

/// The genesis of a network whose sequencers have these keys, as aura and
/// grandpa keys at once.
pub fn genesis(keys: &[ed25519::Pair], change: impl FnOnce(&mut ChainParameters)) -> Storage {
    let mut parameters = regtest();
    // The least that still lets a proposal be executed in time on a busy machine:
    // tests wait for these.
    parameters.propose_timeout_ms = 500;
    parameters.prevote_timeout_ms = 100;
    parameters.precommit_timeout_ms = 100;
    change(&mut parameters);
    let member = |key: &ed25519::Pair| (account(key), session_keys(key));
    let members: Vec<_> = keys.iter().map(member).collect();
    let config = RuntimeGenesisConfig {
        session: SessionConfig {
            keys: members
                .iter()
                .map(|(account, keys)| (account.clone(), account.clone(), keys.clone()))
                .collect(),
            ..Default::default()
        },
        chain_parameters: ChainParametersConfig { parameters, ..Default::default() },
        sequencer_registry: SequencerRegistryConfig {
            members: members
                .into_iter()
                .map(|(account, _)| pallet_sequencer_registry::Member { account, weight: 100 })
                .collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut storage = config.build_storage().expect("the genesis is well formed");
    storage.top.insert(well_known_keys::CODE.to_vec(), runtime());
    storage
}

/// The account of a sequencer.
pub fn account(key: &ed25519::Pair) -> AccountId32 {
    AccountId32::new(key.public().0)
}

/// The session keys of a sequencer: one key for almost all of them.
pub fn session_keys(key: &ed25519::Pair) -> SessionKeys {
    SessionKeys {
        aura: key.public().into(),
        grandpa: key.public().into(),
        relay: key.public().into(),
        vault: ecdsa::Pair::from_seed(&key.seed()).public().into(),
    }
}

/// The runtime's WASM: the one built in, or the file that `scripts/coverage` names,
/// which builds with counters and without WASM.
fn runtime() -> Vec<u8> {
    let built_elsewhere = || std::env::var_os("CASCOIN_L2_RUNTIME_WASM").map(std::fs::read);
    match WASM_BINARY {
        Some(wasm) => wasm.to_vec(),
        None => built_elsewhere()
            .expect("the runtime is built with its WASM, or named in CASCOIN_L2_RUNTIME_WASM")
            .expect("the named runtime can be read"),
    }
}

/// Builds blocks of inherents, for consensus does not care what is in them, and
/// of reports.
#[derive(Clone)]
pub struct Author(pub Arc<Client>, pub Reports);

/// A pool as forgetful as can be: what is in it goes into the next block that is
/// built here, or nowhere.
#[derive(Clone, Default)]
pub struct Reports(Arc<Mutex<Vec<OpaqueExtrinsic>>>);

impl Reports {
    /// All that is in it.
    pub fn all(&self) -> Vec<OpaqueExtrinsic> {
        self.0.lock().clone()
    }
}

impl TransactionSink for Reports {
    async fn submit(&self, _: BlockHash, report: OpaqueExtrinsic) -> Result<(), String> {
        self.0.lock().push(report);
        Ok(())
    }
}

/// Builds one block.
pub struct AuthorOf {
    client: Arc<Client>,
    reports: Reports,
    parent: <OpaqueBlock as sp_runtime::traits::Block>::Header,
}

impl Environment<OpaqueBlock> for Author {
    type Proposer = AuthorOf;
    type CreateProposer = Ready<Result<AuthorOf, Self::Error>>;
    type Error = sp_blockchain::Error;

    fn init(
        &mut self,
        parent: &<OpaqueBlock as sp_runtime::traits::Block>::Header,
    ) -> Self::CreateProposer {
        let Self(client, reports) = self.clone();
        ready(Ok(AuthorOf { client, reports, parent: parent.clone() }))
    }
}

impl Proposer<OpaqueBlock> for AuthorOf {
    type Error = sp_blockchain::Error;
    type Proposal = BoxFuture<'static, Result<Proposal<OpaqueBlock>, Self::Error>>;

    fn propose(self, args: ProposeArgs<OpaqueBlock>) -> Self::Proposal {
        async move {
            let mut builder = BlockBuilderBuilder::new(&*self.client)
                .on_parent_block(self.parent.hash())
                .with_parent_block_number(*self.parent.number())
                .with_inherent_digests(args.inherent_digests)
                .build()?;
            for inherent in builder.create_inherents(args.inherent_data)? {
                builder.push(inherent)?;
            }
            for report in std::mem::take(&mut *self.reports.0.lock()) {
                // It may be on chain by now.
                let _ = builder.push(report);
            }
            let (block, storage_changes) = builder.build()?.into_inner();
            let (header, body) = block.deconstruct();
            Ok(Proposal { block: OpaqueBlock::new(header, body), storage_changes })
        }
        .boxed()
    }
}

/// Runs the client's few tasks on the test's runtime.
#[derive(Clone)]
struct Spawner(tokio::runtime::Handle);

impl SpawnNamed for Spawner {
    fn spawn_blocking(
        &self,
        name: &'static str,
        group: Option<&'static str>,
        future: BoxFuture<'static, ()>,
    ) {
        self.spawn(name, group, future);
    }

    fn spawn(&self, _: &'static str, _: Option<&'static str>, future: BoxFuture<'static, ()>) {
        self.0.spawn(future);
    }
}
