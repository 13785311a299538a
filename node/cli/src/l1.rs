//! How the node reaches its L1 node.

use crate::{cli::L1Args, l1_metrics, service::FullClient};
use cascoin_l1::{
    follower::{LocalStore, RelayPosition},
    scores::ScoreReader,
    ClientConfig, Credentials, Follower, FollowerConfig, L1Client,
};
use cascoin_l2_primitives::{
    apis::{RelayApi, ScoreAttestationApi},
    chain::{ChainParameters, Network},
    l1::params::L1Params,
    reputation::attestation::ScoreRound,
};
use cascoin_rpc::l1::L1Node;
use parking_lot::Mutex;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::offchain::{OffchainStorage, STORAGE_PREFIX};
use std::{path::PathBuf, sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

/// The node's off-chain storage as the follower sees it: where the runtime's
/// off-chain worker reads too.
struct Store<S>(Mutex<S>);

impl<S: OffchainStorage> LocalStore for Store<S> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.lock().get(STORAGE_PREFIX, key)
    }

    fn set(&self, key: &[u8], value: &[u8]) {
        self.0.lock().set(STORAGE_PREFIX, key, value);
    }

    fn remove(&self, key: &[u8]) {
        self.0.lock().remove(STORAGE_PREFIX, key);
    }
}

/// Checks the flags alone, before anything is started.
///
/// # Errors
/// A sentence for the operator.
pub fn check(args: &L1Args) -> Result<(), String> {
    if args.l1_rpc_url.is_empty() {
        return Ok(());
    }
    // Which network it is makes no difference to the flags.
    let config = client_config(args, L1Params::of(Default::default()));
    L1Client::new(config).map(drop).map_err(|error| error.to_string())
}

fn client_config(args: &L1Args, params: &'static L1Params) -> ClientConfig {
    let files = |files: &[PathBuf], kind: fn(PathBuf) -> Credentials| -> Vec<_> {
        files.iter().cloned().map(kind).collect()
    };
    // The command line lets only one kind through.
    let cookies = files(&args.l1_rpc_cookie_file, Credentials::CookieFile);
    let pairs = files(&args.l1_rpc_auth_file, Credentials::AuthFile);
    let mut credentials = [cookies, pairs].concat();
    let shared = match credentials.len() {
        0 => Credentials::None,
        // One file is for all L1 nodes.
        1 => credentials.remove(0),
        _ => Credentials::None,
    };
    let mut config = ClientConfig::new("", shared, params);
    config.credentials_of = credentials;
    config.urls.clone_from(&args.l1_rpc_url);
    config.wallet.clone_from(&args.l1_wallet);
    config
}

/// What of L1 is at work.
pub struct Started {
    /// The node, as the RPC methods use it.
    pub node: L1Node,
    /// On a sequencer, what asks L1 for scores, as long as this lives.
    pub scores: Option<ScoreReader>,
}

/// Connects to L1 as the flags say and starts following it; a sequencer's node also asks
/// it for the scores that L2 wants attested. `None` without an
/// address. An L1 node that is down, syncing or of another chain does not stop
/// the node: the follower says so and tries on.
///
/// # Errors
/// A sentence for the operator: wrong flags.
pub fn start<S: OffchainStorage + 'static>(
    args: &L1Args,
    parameters: &ChainParameters,
    client: Arc<FullClient>,
    storage: Option<S>,
    sequencing: bool,
    registry: Option<&Registry>,
) -> Result<Option<Started>, String> {
    if args.l1_rpc_url.is_empty() {
        return Ok(None);
    }
    let storage =
        storage.ok_or("this database has no off-chain storage, which --l1-rpc-url needs")?;
    let mut config = client_config(args, L1Params::of(parameters.l1_network));
    let is_test = matches!(parameters.network, Network::Regtest | Network::Dev);
    if is_test {
        config.first_return = Duration::from_secs(2);
    }
    let for_rpc = config.clone();
    // The follower has its own back-off.
    config.attempts = 1;
    let for_scores = L1Client::new(config.clone()).map_err(|error| error.to_string())?;
    let for_follower = L1Client::new(config).map_err(|error| error.to_string())?;
    let mut following = FollowerConfig::new(parameters.l1_confirmations);
    if is_test {
        following.max_backoff = Duration::from_secs(2);
    }
    let of_scores = client.clone();
    let position = move || relay_position(&client);
    let store: Arc<dyn LocalStore> = Arc::new(Store(Mutex::new(storage)));
    let follower = Follower::spawn(for_follower, following, store.clone(), Arc::new(position))
        .map_err(|error| format!("cannot start the L1 follower: {error}"))?;
    if let Some(registry) = registry {
        l1_metrics::register_all(registry, &follower.watch())
            .and_then(|()| l1_metrics::register_skipped(follower.skipped(), registry))
            .map_err(|error| format!("cannot register the metrics of L1: {error}"))?;
    }
    let asked_for = move || score_round(&of_scores);
    let scores = sequencing
        .then(|| ScoreReader::spawn(&for_scores, store, Arc::new(asked_for)))
        .transpose()
        .map_err(|error| format!("cannot start to ask L1 for scores: {error}"))?;
    let node = L1Node::new(for_rpc, follower).map_err(|error| error.to_string())?;
    Ok(Some(Started { node, scores }))
}

fn score_round(client: &FullClient) -> Option<ScoreRound> {
    client.runtime_api().score_round(client.info().best_hash).ok()
}

fn relay_position(client: &FullClient) -> Option<RelayPosition> {
    let best = client.info().best_hash;
    let status = client.runtime_api().relay_status(best).ok()?;
    Some(RelayPosition {
        attested_height: status.attested.height,
        attested_hash: status.attested.hash,
        applied_height: status.applied_height,
    })
}
