//! How the node reaches its L1 node.

use crate::{cli::L1Args, l1_metrics, service::FullClient};
use cascoin_l1::{
    follower::{LocalStore, RelayPosition},
    ClientConfig, Credentials, Follower, FollowerConfig, L1Client,
};
use cascoin_l2_primitives::{
    apis::RelayApi,
    chain::{ChainParameters, Network},
    l1::params::L1Params,
};
use cascoin_rpc::l1::L1Node;
use parking_lot::Mutex;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::offchain::{OffchainStorage, STORAGE_PREFIX};
use std::{sync::Arc, time::Duration};
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
    let credentials = match (&args.l1_rpc_cookie_file, &args.l1_rpc_auth_file) {
        (Some(file), _) => Credentials::CookieFile(file.clone()),
        (None, Some(file)) => Credentials::AuthFile(file.clone()),
        (None, None) => Credentials::None,
    };
    let mut config = ClientConfig::new("", credentials, params);
    config.urls.clone_from(&args.l1_rpc_url);
    config.wallet.clone_from(&args.l1_wallet);
    config
}

/// Connects to L1 as the flags say and starts following it. `None` without an
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
    registry: Option<&Registry>,
) -> Result<Option<L1Node>, String> {
    if args.l1_rpc_url.is_empty() {
        return Ok(None);
    }
    let storage =
        storage.ok_or("this database has no off-chain storage, which --l1-rpc-url needs")?;
    let mut config = client_config(args, L1Params::of(parameters.l1_network));
    let for_rpc = config.clone();
    // The follower has its own back-off.
    config.attempts = 1;
    let for_follower = L1Client::new(config).map_err(|error| error.to_string())?;
    let mut following = FollowerConfig::new(parameters.l1_confirmations);
    if matches!(parameters.network, Network::Regtest | Network::Dev) {
        following.max_backoff = Duration::from_secs(2);
    }
    let position = move || relay_position(&client);
    let store = Arc::new(Store(Mutex::new(storage)));
    let follower = Follower::spawn(for_follower, following, store, Arc::new(position))
        .map_err(|error| format!("cannot start the L1 follower: {error}"))?;
    if let Some(registry) = registry {
        l1_metrics::register_skipped(follower.skipped(), registry)
            .map_err(|error| format!("cannot register the metrics of L1: {error}"))?;
    }
    L1Node::new(for_rpc, follower).map(Some).map_err(|error| error.to_string())
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
