//! What all tests here check.

use cascoin_e2e::{
    audit::{audit, Audit},
    load::Load,
    network::Network,
    network::Setup,
    spec,
    witness::Witness,
    Error, Result,
};
use std::path::Path;
use tempfile::TempDir;

/// Transfers a second: enough that every block has some, and two cores stand it.
const RATE: u64 = 40;

/// Does `what` to a network that carries transfers, with witnesses; in the end all
/// nodes must run and agree.
pub fn under_load(
    network: &mut Network,
    what: impl FnOnce(&mut Network) -> Result<()>,
) -> Result<()> {
    let witness = Witness::of(network);
    let load = Load::start(network.nodes.iter().map(|node| node.rpc()).collect(), RATE)?;
    network.wait_for_progress(5)?;
    what(network)?;
    network.wait_for_progress(5)?;
    load.stop();
    let Audit { agreed, signatures } = audit(network, witness)?;
    assert!(signatures > agreed.blocks, "{signatures} signatures under {} blocks", agreed.blocks);
    eprintln!("    {agreed:?}, {signatures} signatures");
    Ok(())
}

/// Starts nodes again and waits until they are where the others are.
pub fn start_again(network: &mut Network, nodes: &[usize]) -> Result<()> {
    for node in nodes {
        network.nodes[*node].start()?;
    }
    for node in nodes {
        network.nodes[*node].wait_for_rpc()?;
    }
    network.wait_for_progress(5).map(drop)
}

/// Seven sequencers with 100 ms blocks. The spec lives as long as the folder.
pub fn seven() -> (TempDir, Setup) {
    let folder = TempDir::new().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("seven.json");
    if let Err(error) = spec::write("regtest", 7, &file) {
        panic!("{error}");
    }
    let chain = file.display().to_string();
    (folder, Setup { chain, sequencers: 7, ..Setup::regtest_without_l1() })
}

/// The heights of all nodes do not change for a while.
pub fn expect_halt(network: &Network) -> Result<()> {
    // What was under way when it happened may still be decided.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let heights = |network: &Network| -> Result<Vec<u32>> {
        (0..network.nodes.len()).map(|node| network.finalized_height(node)).collect()
    };
    let before = heights(network)?;
    std::thread::sleep(std::time::Duration::from_secs(3));
    let after = heights(network)?;
    if before == after {
        return Ok(());
    }
    Err(Error::other(format!("without a quorum: {before:?}, and then {after:?}")))
}

/// Copies a folder with all in it.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([from.join("."), to.to_path_buf()])
        .status()
        .map_err(Error::other)?;
    match copied.success() {
        true => Ok(()),
        false => Err(Error::other(format!("cannot copy {}", from.display()))),
    }
}
