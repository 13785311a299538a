//! Logs under the `l2` targets, switched while the node runs.

use cascoin_e2e::{
    network::{with_network, Setup},
    wait::{until, Seen, PATIENCE},
};
use serde_json::json;

/// What the engine says at `debug` about each block.
const COMMITTED: &str = "committed ";

#[test]
fn logs_are_switched_at_run_time() {
    let setup = Setup {
        chain: "dev".into(),
        sequencers: 1,
        full_nodes: 0,
        l1: false,
        extra: vec!["--log=info".into(), "--enable-log-reloading".into()],
    };
    with_network(&setup, |network| {
        network.wait_for_progress(3)?;
        assert!(!network.nodes[0].logged(COMMITTED), "not at info");
        network.call(0, "system_addLogFilter", json!(["l2::bft=debug"]))?;
        until("blocks are in the log", PATIENCE, || {
            let logged = network.nodes[0].logged(COMMITTED);
            Ok(Seen::when(logged, logged))
        })?;
        network.call(0, "system_resetLogFilter", json!([]))?;
        network.wait_for_progress(2)?;
        let before = network.nodes[0].log_tail(usize::MAX).matches(COMMITTED).count();
        network.wait_for_progress(5)?;
        let after = network.nodes[0].log_tail(usize::MAX).matches(COMMITTED).count();
        assert_eq!(after, before, "back at info");
        Ok(())
    });
}
