//! A disk that is full.

use crate::support::{copy_folder, start_again, under_load};
use cascoin_e2e::{
    lab::SmallDisk,
    network::{with_network, Setup},
    wait::{until, Seen, PATIENCE},
    Error,
};
use std::fs;

/// What a node needs for the blocks of this test, and little more.
const DISK_MIB: usize = 256;

#[test]
fn a_full_disk_stops_one_node_and_nobody_else() {
    with_network(&Setup::regtest_without_l1(), |network| {
        network.nodes[3].kill()?;
        let data = network.nodes[3].base_path();
        let aside = data.with_extension("aside");
        fs::rename(&data, &aside).map_err(Error::other)?;
        let disk = SmallDisk::mount(&data, DISK_MIB)?;
        copy_folder(&aside, &data)?;
        start_again(network, &[3])?;
        under_load(network, |network| {
            disk.fill()?;
            network.wait_for_progress_of(&[0, 1, 2], 30)?;
            until("the node says why it does not take part", PATIENCE, || {
                let said = network.nodes[3].logged("No space left on device");
                Ok(Seen::when(said || !network.nodes[3].is_running(), said))
            })?;
            let ended = !network.nodes[3].is_running();
            eprintln!("    on a full disk the node {}", if ended { "ended" } else { "ran on" });
            network.wait_for_progress_of(&[0, 1, 2], 10)?;

            // With space it takes part again, at the latest after a restart: with
            // another one missing it is needed for a quorum.
            disk.free()?;
            if !ended {
                network.nodes[3].kill()?;
            }
            start_again(network, &[3])?;
            network.nodes[0].kill()?;
            network.wait_for_progress(10)?;
            start_again(network, &[0])
        })
    });
}
