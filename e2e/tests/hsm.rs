//! A sequencer whose keys are in an HSM (R30.1).

use cascoin_e2e::{
    hsm::{Token, LABEL, MODULE},
    network::{Network, Setup},
    set_changes::{rotate_keys, wait_for_set},
    signed::expect_no_double_signs,
    spec,
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use serde_json::json;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    thread::sleep,
    time::Duration,
};
use tempfile::TempDir;

/// The node that has the token.
const ON_TOKEN: usize = 3;

#[test]
fn a_sequencer_with_its_keys_in_an_hsm_signs_through_kills_a_wrong_pin_and_a_lost_token() {
    if let Err(error) = life_of_a_token() {
        panic!("{error}");
    }
}

fn life_of_a_token() -> Result<()> {
    let mut network = Network::prepare(&Setup::regtest_without_l1())?;
    let token = Token::make(&network.folder().join("hsm"))?;
    let keys = token.generate("regtest", &network.nodes[ON_TOKEN].base_path())?;
    let chain = network.folder().join("spec.json");
    spec::write_with_keys("regtest", 4, &[("dave", keys)], &chain)?;
    for node in &mut network.nodes {
        node.config_mut().chain = chain.display().to_string();
    }
    token.give_to(&mut network.nodes[ON_TOKEN]);
    network.start_nodes()?;
    network.wait_for_progress(5)?;
    assert!(sequencing(&network)?);
    expect_no_key_files(&network.nodes[ON_TOKEN].base_path())?;

    // With another one missing no block is final without its votes. It is killed at whatever step
    // it is, and each time the chain goes on with it.
    network.nodes[0].kill()?;
    network.wait_for_progress(8)?;
    for delay_ms in [3, 37, 61, 89] {
        sleep(Duration::from_millis(delay_ms));
        restart(&mut network)?;
        network.wait_for_progress(5)?;
    }
    network.expect_no_equivocations()?;

    // A wrong PIN ends the start, and says so.
    assert!(network.nodes[ON_TOKEN].stop()?, "it stops when it is told to");
    token.write_pin("654321")?;
    let said = failed_start(&mut network)?;
    assert!(said.contains("does not accept the PIN"), "{said}");
    token.write_pin(cascoin_e2e::hsm::PIN)?;
    start(&mut network)?;
    network.wait_for_progress(5)?;

    // The token is pulled out: the node says why it does not vote, and follows the others.
    start_first(&mut network)?;
    token.take_away()?;
    until("it no longer sequences", PATIENCE, || {
        let sequencing = sequencing(&network)?;
        Ok(Seen::when(!sequencing, sequencing))
    })?;
    let node = &network.nodes[ON_TOKEN];
    assert!(node.logged("signs nothing with its keys until it is back"), "{}", node.log_tail(40));
    network.wait_for_progress(10)?;
    token.bring_back()?;
    until("it sequences again", PATIENCE, || {
        let sequencing = sequencing(&network)?;
        Ok(Seen::when(sequencing, sequencing))
    })?;
    assert!(network.nodes[ON_TOKEN].logged("the token is back"));
    network.nodes[0].kill()?;
    network.wait_for_progress(8)?;
    start_first(&mut network)?;

    // New keys, made in the HSM while the node runs.
    let key = rotate_keys(&network, ON_TOKEN, "//Dave")?;
    wait_for_set(&network, 0, 4, &key)?;
    network.nodes[0].kill()?;
    network.wait_for_progress(8)?;
    restart(&mut network)?;
    network.wait_for_progress(5)?;
    expect_no_key_files(&network.nodes[ON_TOKEN].base_path())?;
    start_first(&mut network)?;

    network.expect_one_chain()?;
    network.expect_no_equivocations()?;
    expect_no_double_signs(&network)?;
    Ok(())
}

fn sequencing(network: &Network) -> Result<bool> {
    let info = network.call(ON_TOKEN, "l2_getchaininfo", json!([]))?;
    let sequencing = info["engine"]["sequencing"].as_bool();
    sequencing.ok_or_else(|| Error::other(format!("it does not say whether it sequences: {info}")))
}

fn restart(network: &mut Network) -> Result<()> {
    network.nodes[ON_TOKEN].kill()?;
    start(network)
}

fn start(network: &mut Network) -> Result<()> {
    network.nodes[ON_TOKEN].start()?;
    network.nodes[ON_TOKEN].wait_for_rpc()
}

/// Brings the first node back to where the others are.
fn start_first(network: &mut Network) -> Result<()> {
    network.nodes[0].start()?;
    network.nodes[0].wait_for_rpc()?;
    network.wait_for_progress(5).map(drop)
}

/// Starts the node with the token, which must end by itself; what it said last.
fn failed_start(network: &mut Network) -> Result<String> {
    let node = &mut network.nodes[ON_TOKEN];
    node.start()?;
    let ended = node.process().map(|process| process.wait(PATIENCE)).transpose()?.flatten();
    let said = node.log_tail(20);
    let status = ended.ok_or_else(|| Error::other(format!("it runs:\n{said}")))?;
    assert!(!status.success(), "{said}");
    Ok(said)
}

/// No secret of a session key is in the node's folder.
fn expect_no_key_files(base_path: &Path) -> Result<()> {
    for chain in fs::read_dir(base_path.join("chains")).map_err(Error::other)? {
        let keys = chain.map_err(Error::other)?.path().join("keystore");
        let files = keys.exists().then(|| fs::read_dir(&keys)).transpose().map_err(Error::other)?;
        if let Some(file) = files.into_iter().flatten().next() {
            return Err(Error::other(format!("a key in the folder: {file:?}")));
        }
    }
    Ok(())
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    if let Err(error) = wrong_input() {
        panic!("{error}");
    }
}

fn wrong_input() -> Result<()> {
    let folder = TempDir::new().map_err(Error::other)?;
    let token = Token::make(&folder.path().join("hsm"))?;
    let base = folder.path().join("data").display().to_string();
    let shared = ["--chain", "regtest", "--base-path", &base];
    let run = |command: &str, flags: &[String]| -> Result<(bool, String)> {
        let output = token.command(command, &shared, flags)?;
        let said = [output.stdout, output.stderr].map(|bytes| lossy(&bytes)).concat();
        Ok((output.status.success(), said))
    };
    let fails = |command: &str, flags: &[String], expected: &str| -> Result<()> {
        let (success, said) = run(command, flags)?;
        assert!(!success && said.contains(expected), "{flags:?}: {said}");
        assert!(said.len() < 4_000, "{said}");
        Ok(())
    };
    let with = |module: &str, label: &str, pin: &str| -> Vec<String> {
        let flags = ["--pkcs11-module", module, "--pkcs11-token", label, "--pkcs11-pin-file", pin];
        flags.map(String::from).to_vec()
    };
    let pin = token.pin_file().display().to_string();
    for command in ["list", "generate"] {
        fails(command, &[], "--pkcs11-module")?;
        fails(command, &with("/no/such.so", LABEL, &pin), "there is no such file")?;
        fails(command, &with("/etc/hostname", LABEL, &pin), "/etc/hostname")?;
        fails(command, &with(MODULE, "other", &pin), LABEL)?;
        fails(command, &with(MODULE, LABEL, "/no/such/pin"), "/no/such/pin")?;
        fs::set_permissions(&pin, Permissions::from_mode(0o644)).map_err(Error::other)?;
        fails(command, &token.flags(), "chmod 600")?;
        token.write_pin("wrong1")?;
        fails(command, &token.flags(), "does not accept the PIN")?;
        token.write_pin(cascoin_e2e::hsm::PIN)?;
    }
    assert_eq!(run("list", &token.flags())?, (true, String::new()), "there are no keys yet");
    let keys = token.generate("regtest", Path::new(&base))?;
    let (success, listed) = run("list", &token.flags())?;
    assert!(success, "{listed}");
    for key in keys.as_object().into_iter().flat_map(|keys| keys.values()) {
        assert!(key.as_str().is_some_and(|key| listed.contains(key)), "{key} is not in {listed}");
    }
    fails("generate", &token.flags(), "has session keys already")?;
    // A node with these keys and without their mark, on a chain that is not new, is a unit test's
    // business; here the mark is where the node looks for it.
    let marks = Path::new(&base).join("chains/cascoin-l2-regtest/hsm");
    assert_eq!(fs::read_dir(marks).map_err(Error::other)?.count(), 1);
    Ok(())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
