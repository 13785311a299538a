//! All machines lose power at once.

use crate::support::under_load;
use cascoin_e2e::network::{with_network, Setup};

#[test]
fn all_killed_at_once_under_load_lose_nothing() {
    with_network(&Setup::regtest_without_l1(), |network| {
        under_load(network, |network| {
            for _ in 0..2 {
                let reached = network.wait_for_progress(10)?;
                for node in &mut network.nodes {
                    node.kill()?;
                }
                network.start_nodes()?;
                network.wait_for_progress(5)?;
                assert!(network.finalized_height(0)? > reached, "from where it was");
            }
            Ok(())
        })
    });
}
