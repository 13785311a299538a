//! How the parts of a node are put together.

use crate::{
    cli::{L1Args, Pkcs11Args},
    genesis::LazyGenesis,
    hsm, l1, new_keys,
};
use cascoin_consensus::{
    announce::{announce_certified, CertifiedAnnounceValidator},
    announcements::{
        attest::{self, NetworkFinder},
        gossip::{self, AnnouncementProtocols, GossipParams},
        Announcements,
    },
    engine::{Engine, EngineParams},
    evidence::{self, EvidenceStore},
    hand_over::{Desk, HandOverDesk},
    import::{import_queue, CertifiedImport},
    light::{LightPeers, WarpProvider},
    liveness::{self, LivenessMetrics},
    mesh::{Mesh, MeshProtocols},
    metrics::Metrics,
    recovery::{keeper::Keeper, voter},
    sockets, EngineHandle,
};
use cascoin_l2_primitives::{
    apis::ChainApi,
    chain::{BlockHash, ChainParameters, OpaqueBlock},
};
use cascoin_l2_runtime::RuntimeApi;
use cascoin_rpc::{
    front::{Front, FrontConfig},
    l1::{L1Access, L1Node},
    FullDeps,
};
use futures::FutureExt;
use sc_basic_authorship::ProposerFactory;
use sc_client_api::Backend;
use sc_consensus::BasicQueue;
use sc_executor::{HeapAllocStrategy, WasmExecutor, DEFAULT_HEAP_ALLOC_STRATEGY};
use sc_network::config::MultiaddrWithPeerId;
use sc_network_sync::strategy::warp::WarpSyncConfig;
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_service::{
    error::Error as ServiceError, Configuration, PartialComponents, Role, TaskManager,
};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool::TransactionPoolHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus_grandpa::GrandpaApi;
use std::{net::SocketAddr, path::PathBuf, sync::Arc};

/// The client: the runtime runs as WASM, with Substrate's host functions.
pub type FullClient =
    sc_service::TFullClient<OpaqueBlock, RuntimeApi, WasmExecutor<sp_io::SubstrateHostFunctions>>;
type FullBackend = sc_service::TFullBackend<OpaqueBlock>;
type FullPool = TransactionPoolHandle<OpaqueBlock, FullClient>;
type FullImport = CertifiedImport<FullClient, FullClient>;

/// A node's parts before it has a network.
pub type Components = PartialComponents<
    FullClient,
    FullBackend,
    (),
    BasicQueue<OpaqueBlock>,
    FullPool,
    (FullImport, Option<Telemetry>),
>;

/// Flags of ours.
pub struct Options {
    /// Sequencers that are dialled always.
    pub sequencer_peers: Vec<MultiaddrWithPeerId>,
    /// How to reach L1.
    pub l1: L1Args,
    /// Whether a key may sequence whose log is missing.
    pub accept_missing_log: bool,
    /// Which HSM holds the keys.
    pub pkcs11: Pkcs11Args,
    /// Port of the JSON-RPC 1.0 front.
    pub json_rpc_1_port: Option<u16>,
}

/// Builds the client and what stands directly around it.
///
/// # Errors
/// What the SDK says; a genesis without sequencers.
pub fn new_partial(config: &Configuration) -> Result<Components, ServiceError> {
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;
    let executor = wasm_executor(config);
    let backend = sc_service::new_db_backend(config.db_config())?;
    let genesis = LazyGenesis { config, backend: backend.clone(), executor: executor.clone() };
    let (client, backend, keystore_container, task_manager) =
        sc_service::new_full_parts_with_genesis_builder::<OpaqueBlock, RuntimeApi, _, _>(
            config,
            telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
            executor,
            backend,
            genesis,
            false,
        )?;
    let client = Arc::new(client);
    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager.spawn_handle().spawn("telemetry", None, worker.run());
        telemetry
    });
    let transaction_pool = Arc::from(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );
    let genesis = genesis_authorities(&client)?;
    let import = CertifiedImport::new(client.clone(), client.clone(), || genesis)
        .map_err(|error| ServiceError::Other(error.to_string()))?;
    let import_queue = import_queue(
        import.clone(),
        &task_manager.spawn_essential_handle(),
        config.prometheus_registry(),
    );
    Ok(PartialComponents {
        client,
        backend,
        task_manager,
        import_queue,
        keystore_container,
        select_chain: (),
        transaction_pool,
        other: (import, telemetry),
    })
}

/// Substrate's executor, but with a cache on disk: compiling the runtime takes
/// seconds, in which a sequencer that restarts would miss its votes.
fn wasm_executor(config: &Configuration) -> WasmExecutor<sp_io::SubstrateHostFunctions> {
    let settings = &config.executor;
    let heap = settings.default_heap_pages.map_or(DEFAULT_HEAP_ALLOC_STRATEGY, |pages| {
        HeapAllocStrategy::Static { extra_pages: u32::try_from(pages).unwrap_or(u32::MAX) }
    });
    // Several nodes of one machine, as in tests, may share a cache.
    let cache = std::env::var_os("CASCOIN_L2_WASM_CACHE")
        .map_or_else(|| config.base_path.path().join("wasm-cache"), PathBuf::from);
    // wasmtime takes no relative path.
    let cache = std::path::absolute(&cache).unwrap_or(cache);
    WasmExecutor::builder()
        .with_execution_method(settings.wasm_method)
        .with_onchain_heap_alloc_strategy(heap)
        .with_offchain_heap_alloc_strategy(heap)
        .with_max_runtime_instances(settings.max_runtime_instances)
        .with_runtime_cache_size(settings.runtime_cache_size)
        .with_cache_path(cache)
        .build()
}

/// The sequencers of block 1. A database that has forgotten the state of genesis
/// has stored them long ago, and does not need them.
fn genesis_authorities(
    client: &FullClient,
) -> Result<Vec<sp_consensus_grandpa::AuthorityId>, ServiceError> {
    let genesis = client.info().genesis_hash;
    let Ok(authorities) = client.runtime_api().grandpa_authorities(genesis) else {
        return Ok(Vec::new());
    };
    if authorities.is_empty() {
        return Err(ServiceError::Other(
            "this chain specification names no sequencers: nobody could produce its first block. \
             Fill in `session.keys` and `sequencerRegistry.members` (docs/operating.md), or take \
             the network's published specification with --chain FILE"
                .into(),
        ));
    }
    Ok(authorities.into_iter().map(|(id, _)| id).collect())
}

/// Where the write-ahead logs are.
pub fn wal_folder(config: &Configuration) -> PathBuf {
    config.base_path.config_dir(config.chain_spec.id()).join("bft")
}

/// Builds and starts a full node or a sequencer.
///
/// # Errors
/// What stops it, as a sentence for the operator.
pub async fn new_full<N: sc_network::NetworkBackend<OpaqueBlock, BlockHash>>(
    mut config: Configuration,
    options: Options,
) -> Result<TaskManager, ServiceError> {
    let PartialComponents {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain: (),
        transaction_pool,
        other: (import, mut telemetry),
    } = new_partial(&config)?;
    // Before any block comes in: the first one would prune what is not held.
    let mut keeper = Keeper::new(backend.clone());
    if matches!(config.role, Role::Authority) {
        if let Err(error) = keeper.look(&*client) {
            log::warn!(target: "l2", "cannot look which state a recovery needs: {error}");
        }
    }
    let best = client.info().best_hash;
    let parameters: ChainParameters = client
        .runtime_api()
        .chain_parameters(best)
        .map_err(|error| ServiceError::Other(format!("the chain has no parameters: {error}")))?;

    let wal_folder = wal_folder(&config);
    if options.accept_missing_log {
        log::warn!(
            target: "l2",
            "--accept-missing-log: a key without its write-ahead log or high-water mark is taken \
             for one that has never signed. Remove the flag from unit files and --config now: at a \
             later start it would hide that a log was lost",
        );
    }
    let new_keys = new_keys::may_be_new(
        options.accept_missing_log,
        &config.chain_spec.chain_type(),
        client.info().finalized_number,
    );
    let (marks, genesis) = (hsm::marks_folder(&wal_folder), client.info().genesis_hash);
    let keys = hsm::key_source(&options.pkcs11, &keystore_container, marks, genesis, new_keys)
        .map_err(ServiceError::Other)?;

    config.network.listen_addresses = sockets::dialling_first(&config.network.listen_addresses);
    let registry = config.prometheus_registry().cloned();
    let network_metrics = N::register_notification_metrics(config.prometheus_registry());
    let mut net_config = sc_network::config::FullNetworkConfiguration::<_, _, N>::new(
        &config.network,
        registry.clone(),
    );
    let sequencing = matches!(config.role, Role::Authority);
    if sequencing && config.network.sync_mode.is_warp() {
        return Err(ServiceError::Other(
            "a sequencer does not warp sync: start it once without --sequencer until it has caught \
             up, then with --sequencer and without --sync warp"
                .into(),
        ));
    }
    let mesh = sequencing.then(|| {
        MeshProtocols::register(
            client.info().genesis_hash,
            options.sequencer_peers.clone(),
            network_metrics.clone(),
            &mut net_config,
        )
    });
    let announcement_protocols = AnnouncementProtocols::register(
        client.info().genesis_hash,
        network_metrics.clone(),
        &mut net_config,
    );
    let light_peers =
        LightPeers::register(client.info().genesis_hash, network_metrics.clone(), &mut net_config);
    let (sets, warp) = (import.sets(), WarpProvider::new(client.clone(), import.sets()));
    let validator = CertifiedAnnounceValidator::new(import.watch());
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _) =
        sc_service::build_network(sc_service::BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: transaction_pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: Some(Box::new(|_| Box::new(validator))),
            warp_sync_config: Some(WarpSyncConfig::WithProvider(Arc::new(warp))),
            block_relay: None,
            metrics: network_metrics,
            gap_sync_body_policy: None,
        })?;
    task_manager.spawn_handle().spawn(
        "socket-options",
        Some("networking"),
        sockets::watch(network.clone()),
    );
    task_manager.spawn_handle().spawn(
        "announce-certified",
        Some("block-announcing"),
        announce_certified(client.clone(), sync_service.clone()),
    );

    task_manager.spawn_handle().spawn(
        "light-peers",
        Some("networking"),
        light_peers.serve(client.clone(), sets, network.clone()),
    );

    let announcements = Announcements::default();
    let probe_protocol = announcement_protocols.probe_protocol();
    // On threads of their own: a token takes its time to sign.
    task_manager.spawn_handle().spawn_blocking(
        "announcements",
        Some("networking"),
        gossip::run(GossipParams {
            client: client.clone(),
            network: network.clone(),
            protocols: announcement_protocols,
            keystore: sequencing.then(|| keys.keystore.clone()),
            block_time_ms: parameters.block_time_ms,
            announcements: announcements.clone(),
        }),
    );
    if sequencing {
        let finder = NetworkFinder {
            network: network.clone(),
            protocol: probe_protocol,
            announcements: announcements.clone(),
            genesis: client.info().genesis_hash,
        };
        task_manager.spawn_handle().spawn_blocking(
            "attest",
            Some("consensus"),
            attest::run(
                client.clone(),
                keys.keystore.clone(),
                finder,
                transaction_pool.clone(),
                attest::LOOK_EVERY,
            ),
        );
        task_manager.spawn_handle().spawn_blocking(
            "recovery-voter",
            Some("consensus"),
            voter::run(
                client.clone(),
                backend.clone(),
                keeper,
                keys.keystore.clone(),
                transaction_pool.clone(),
                voter::LOOK_EVERY,
            ),
        );
    }

    if sequencing && !config.offchain_worker.enabled {
        log::warn!(
            target: "l2",
            "sequencing with --offchain-worker never: no relay votes are cast from here",
        );
    }
    if config.offchain_worker.enabled {
        let workers = OffchainWorkers::new(OffchainWorkerOptions {
            runtime_api_provider: client.clone(),
            keystore: Some(keys.keystore.clone()),
            offchain_db: backend.offchain_storage(),
            transaction_pool: Some(OffchainTransactionPoolFactory::new(transaction_pool.clone())),
            network_provider: Arc::new(network.clone()),
            is_validator: sequencing,
            // L1 is read by the follower; the worker only signs and submits.
            enable_http_requests: false,
            custom_extensions: |_| Vec::new(),
        })?;
        task_manager.spawn_handle().spawn(
            "offchain-workers-runner",
            Some("offchain-worker"),
            workers.run(client.clone(), task_manager.spawn_handle()).boxed(),
        );
    }

    let storage = backend.offchain_storage();
    let registry_of_l1 = registry.as_ref();
    let l1 =
        l1::start(&options.l1, &parameters, client.clone(), storage, sequencing, registry_of_l1)
            .map_err(ServiceError::Other)?;
    let (l1, scores) = l1.map_or((None, None), |l1| (Some(l1.node), l1.scores));
    task_manager.keep_alive(scores);
    if sequencing && l1.is_none() {
        log::warn!(
            target: "l2",
            "sequencing without an L1 node (--l1-rpc-url): no relay votes are cast from here",
        );
    }

    // Full nodes too: they see certificates, and whoever has proof reports it.
    let evidence = import.evidence().clone();
    evidence.register(registry.as_ref())?;
    task_manager.spawn_handle().spawn(
        "evidence-reporter",
        Some("consensus"),
        evidence::report(
            client.clone(),
            transaction_pool.clone(),
            evidence.clone(),
            keys.keystore.clone(),
            evidence::REPORT_AGAIN,
        ),
    );

    task_manager.spawn_handle().spawn_blocking(
        "liveness",
        Some("consensus"),
        liveness::watch(
            client.clone(),
            sync_service.clone(),
            LivenessMetrics::new(registry.as_ref())?,
            liveness::LOOK_EVERY,
        ),
    );

    let engine_handle = EngineHandle::default();
    // What the engine needs of what `spawn_tasks` takes.
    let keystore = keys.keystore.clone();
    let hand_over = Arc::new(Desk::new(import.clone(), keystore.clone()));
    let proposers = ProposerFactory::new(
        task_manager.spawn_handle(),
        client.clone(),
        transaction_pool.clone(),
        registry.as_ref(),
        telemetry.as_ref().map(Telemetry::handle),
    );
    let engine = mesh
        .map(|protocols| -> Result<_, ServiceError> {
            Ok(Engine::new(EngineParams {
                client: client.clone(),
                backend: backend.clone(),
                import,
                environment: proposers,
                keys,
                mesh: Mesh::new(protocols, network.clone()),
                wal_folder,
                may_make_log: new_keys,
                handle: engine_handle.clone(),
                metrics: Metrics::new(registry.as_ref())?,
            }))
        })
        .transpose()?;

    let upstream = rpc_address(&config);
    let rpc_builder = rpc_builder(RpcParts {
        client: client.clone(),
        backend: backend.clone(),
        pool: transaction_pool.clone(),
        engine: engine_handle,
        evidence,
        announcements,
        hand_over,
        l1,
        sync: sync_service.clone(),
        chain_name: config.chain_spec.name().into(),
    });
    let _ = sc_service::spawn_tasks(sc_service::SpawnTasksParams {
        network,
        client,
        keystore,
        task_manager: &mut task_manager,
        transaction_pool,
        rpc_builder,
        backend,
        system_rpc_tx,
        tx_handler_controller,
        sync_service,
        config,
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })
    .map_err(|error| {
        let text = error.to_string();
        match text.contains("in use") {
            true => ServiceError::Other(format!(
                "RPC cannot listen on {upstream} ({text}): name a free port with --rpc-port"
            )),
            false => error,
        }
    })?;
    // Only now: `spawn_tasks` puts the keys of `--alice` and the like into the
    // keystore, and an engine without its keys does not vote.
    if let Some(engine) = engine {
        task_manager.spawn_essential_handle().spawn_blocking(
            "bft",
            Some("consensus"),
            engine.run(),
        );
    }

    if let Some(port) = options.json_rpc_1_port {
        let listen = SocketAddr::from(([127, 0, 0, 1], port));
        let front = Front::bind(FrontConfig::new(listen, upstream))
            .await
            .map_err(|error| ServiceError::Other(error.to_string()))?;
        log::info!(target: "l2::rpc", "JSON-RPC 1.0 on {}", front.local_addr());
        task_manager.spawn_handle().spawn("json-rpc-1", Some("rpc"), front.run());
    }
    Ok(task_manager)
}

/// Where the node's real RPC listens, as seen from this machine.
fn rpc_address(config: &Configuration) -> SocketAddr {
    let named = config.rpc.addr.as_ref().and_then(|endpoints| endpoints.first());
    let port = named.map_or(config.rpc.port, |endpoint| endpoint.listen_addr.port());
    SocketAddr::from(([127, 0, 0, 1], port))
}

struct RpcParts {
    client: Arc<FullClient>,
    backend: Arc<FullBackend>,
    pool: Arc<FullPool>,
    engine: EngineHandle,
    evidence: EvidenceStore,
    announcements: Announcements,
    hand_over: Arc<dyn HandOverDesk>,
    l1: Option<L1Node>,
    sync: Arc<sc_network_sync::SyncingService<OpaqueBlock>>,
    chain_name: String,
}

type RpcBuilder = Box<
    dyn Fn(Arc<dyn sp_core::traits::SpawnNamed>) -> Result<jsonrpsee::RpcModule<()>, ServiceError>,
>;

fn rpc_builder(parts: RpcParts) -> RpcBuilder {
    Box::new(move |_| {
        cascoin_rpc::create_full(FullDeps {
            client: parts.client.clone(),
            backend: parts.backend.clone(),
            pool: parts.pool.clone(),
            engine: parts.engine.clone(),
            evidence: parts.evidence.clone(),
            announcements: parts.announcements.clone(),
            hand_over: parts.hand_over.clone(),
            l1: parts.l1.clone().map(|node| Arc::new(node) as Arc<dyn L1Access>),
            sync: parts.sync.clone(),
            chain_name: parts.chain_name.clone(),
            mode: "full",
        })
        .map_err(|error| ServiceError::Other(error.to_string()))
    })
}
