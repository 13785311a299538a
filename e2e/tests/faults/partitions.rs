//! Networks that fall apart and come together again.

use crate::support::{expect_halt, seven, under_load};
use cascoin_e2e::{
    network::{with_lab, Network, Setup},
    wait::{until, Seen, PATIENCE},
    Result,
};
use serde_json::{json, Value};
use std::time::Instant;

fn status(network: &Network, node: usize) -> Result<Value> {
    network.call(node, "l2_getnetworkstatus", json!([]))
}

/// Heals the links and waits until everybody goes on.
fn heal(network: &mut Network) -> Result<()> {
    network.links()?.heal();
    let healed = Instant::now();
    network.wait_for_progress(5)?;
    eprintln!("    5 blocks {} ms after healing", healed.elapsed().as_millis());
    Ok(())
}

#[test]
fn two_halves_halt_say_so_and_go_on_together() {
    with_lab(&Setup::regtest_without_l1(), 1, |network| {
        under_load(network, |network| {
            network.links()?.partition(&[&[0, 1], &[2, 3]]);
            expect_halt(network)?;
            for node in 0..4 {
                until("a half knows that it has no quorum", PATIENCE, || {
                    let status = status(network, node)?;
                    Ok(Seen::when(status["hasQuorum"] == false, status))
                })?;
            }
            expect_halt(network)?;
            heal(network)?;
            until("a quorum is reachable again", PATIENCE, || {
                let status = status(network, 0)?;
                Ok(Seen::when(status["hasQuorum"] == true, status))
            })?;
            Ok(())
        })
    });
}

#[test]
fn three_go_on_without_the_fourth_which_halts_and_catches_up() {
    with_lab(&Setup::regtest_without_l1(), 2, |network| {
        under_load(network, |network| {
            network.links()?.partition(&[&[0, 1, 2]]);
            network.wait_for_progress_of(&[0, 1, 2], 5)?;
            let alone = network.finalized_height(3)?;
            network.wait_for_progress_of(&[0, 1, 2], 20)?;
            assert_eq!(network.finalized_height(3)?, alone, "nobody tells it anything");
            until("it knows that it is cut off", PATIENCE, || {
                let status = status(network, 3)?;
                Ok(Seen::when(status["partitioned"] == true, status))
            })?;
            assert!(network.nodes[3].logged("network partition: only 1 of 4"));
            heal(network)
        })
    });
}

#[test]
fn of_seven_four_halt_and_five_go_on() {
    let (_spec, setup) = seven();
    with_lab(&setup, 3, |network| {
        under_load(network, |network| {
            network.links()?.partition(&[&[0, 1, 2, 3], &[4, 5, 6]]);
            expect_halt(network)?;
            heal(network)?;
            network.links()?.partition(&[&[0, 2, 3, 5, 6], &[1, 4]]);
            network.wait_for_progress_of(&[0, 2, 3, 5, 6], 12)?;
            heal(network)
        })
    });
}
