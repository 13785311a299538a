//! The node's command line and configuration file, with wrong input too.

use cascoin_e2e::node::binary;
use std::{
    fs,
    net::TcpListener,
    process::{Command, Output},
};
use tempfile::TempDir;

struct Run {
    success: bool,
    said: String,
}

/// Runs the node to its end; every case here ends by itself at once.
fn run(arguments: &[&str]) -> Run {
    let binary = binary().unwrap_or_else(|error| panic!("{error}"));
    let Output { status, stdout, stderr } =
        Command::new(binary).args(arguments).output().unwrap_or_else(|error| panic!("{error}"));
    let said = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Run { success: status.success(), said }
}

fn folder() -> TempDir {
    TempDir::new().unwrap_or_else(|error| panic!("{error}"))
}

fn config_file(folder: &TempDir, text: &str) -> String {
    let path = folder.path().join("cascoin-l2.conf");
    fs::write(&path, text).unwrap_or_else(|error| panic!("{error}"));
    path.display().to_string()
}

#[test]
fn l2_can_be_switched_off_by_flag_and_by_file() {
    let folder = folder();
    let off = ["l2=0\n", "# quiet\n\nnol2 = 1\n", "mode=disabled", "--l2=0"].map(String::from);
    for text in off {
        let file = config_file(&folder, &text);
        for arguments in [&["--config", &file][..], &[&format!("--config={file}")]] {
            let run = run(arguments);
            assert!(run.success, "{text}: {}", run.said);
            assert!(run.said.contains("L2 is not enabled"), "{text}: {}", run.said);
        }
    }
    for arguments in [&["--nol2"][..], &["--no-l2"], &["--l2=0"], &["--l2", "0"]] {
        let run = run(arguments);
        assert!(run.success && run.said.contains("L2 is not enabled"), "{}", run.said);
    }
}

#[test]
fn the_command_line_holds_instead_of_the_file() {
    let folder = folder();
    // Were `l2=1` of the file taken, the node would run and not end.
    let file = config_file(&folder, "l2=1\nmode=full\nchain=no-such-chain\n");
    let run = run(&["--config", &file, "--l2=0", "--chain", "dev"]);
    assert!(run.success && run.said.contains("L2 is not enabled"), "{}", run.said);
}

#[test]
fn a_wrong_file_is_refused_with_its_line() {
    let folder = folder();
    for (text, said) in [
        ("l2=0\nno-such-flag=1", "line 2: `no-such-flag` is no flag"),
        ("nol2=perhaps", "line 1: `nol2` is 1 or 0, not `perhaps`"),
        ("\n\nchain=", "line 3: `chain` needs a value"),
        ("config=other", "`config` is no flag"),
        ("l2=2", "neither 0 nor 1"),
        ("mode=sometimes", "possible values: full, disabled"),
    ] {
        let file = config_file(&folder, text);
        let run = run(&["--config", &file]);
        assert!(!run.success, "{text}: {}", run.said);
        assert!(run.said.contains(said), "{text}: {}", run.said);
    }
    let missing = run(&["--config", "/no/such/file"]);
    assert!(!missing.success, "{}", missing.said);
    assert!(missing.said.contains("cannot read the configuration file"), "{}", missing.said);
}

#[test]
fn what_cannot_run_says_why() {
    let folder = folder();
    let base = folder.path().display().to_string();
    for (arguments, said) in [
        (&["--chain", "mainnet"][..], "names no sequencers"),
        (&["--chain", "no-such-chain"], "no-such-chain"),
        (&["--chain", "dev", "--l2=2"], "neither 0 nor 1"),
        (&["--chain", "dev", "--sequencer"], "key generate-node-key --file"),
        (&["--chain", "dev", "--l1-rpc-url", "ftp://127.0.0.1:1"], "http://"),
        (&["--chain", "dev", "--no-such-flag"], "--no-such-flag"),
    ] {
        let arguments = [&["--base-path", &base][..], arguments].concat();
        let run = run(&arguments);
        assert!(!run.success, "{arguments:?}: {}", run.said);
        assert!(run.said.contains(said), "{arguments:?}: {}", run.said);
        assert!(run.said.len() < 4_000, "{arguments:?}: {}", run.said);
    }
}

#[test]
fn a_port_in_use_is_not_given_up_for_another() {
    let folder = folder();
    let base = folder.path().display().to_string();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
    let port = taken.local_addr().unwrap_or_else(|error| panic!("{error}")).port().to_string();
    let run = run(&["--chain", "dev", "--base-path", &base, "--rpc-port", &port]);
    assert!(!run.success, "{}", run.said);
    assert!(run.said.contains("name a free port with --rpc-port"), "{}", run.said);
}
