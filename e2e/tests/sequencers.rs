//! Sequencers that fail, and come back.

use cascoin_e2e::{
    burns::{self, Burn, ChainFacts},
    extrinsic::{account, dev_pair},
    network::{session_key, session_uri, with_network, Network, Setup},
    node::{binary, DEV_KEYS},
    wait::{until, Seen, PATIENCE},
    Error,
};
use serde_json::{json, Value};
use std::{fs, process::Command, thread::sleep, time::Duration};

const COIN: u64 = 100_000_000;

#[test]
fn a_killed_leader_is_replaced_and_rejoins() {
    with_network(&Setup::regtest_without_l1(), |network| {
        for _ in 0..2 {
            let leader = network.leader()?;
            network.nodes[leader].kill()?;
            let reached = network.wait_for_progress(12)?;
            network.nodes[leader].start()?;
            network.nodes[leader].wait_for_rpc()?;
            network.wait_for_height(leader, reached)?;
            network.wait_for_progress(5)?;
            network.expect_one_chain()?;
            network.expect_no_equivocations()?;
        }
        Ok(())
    });
}

#[test]
fn three_of_four_mint_and_the_fourth_catches_up() {
    with_network(&Setup::regtest(), |network| {
        let facts = ChainFacts::of(network, 0)?;
        let recipient = account(&dev_pair("//ThreeOfFour")?);
        network.nodes[3].kill()?;
        let burn = Burn::to_account(facts.chain_id, &recipient, COIN);
        let txid = network.l1()?.burn(&burn)?;
        network.l1()?.mine(facts.l1_confirmations)?;
        burns::minted(network, 0, &txid)?;
        let reached = network.wait_for_progress(5)?;

        network.nodes[3].start()?;
        network.nodes[3].wait_for_rpc()?;
        network.wait_for_height(3, reached)?;
        burns::minted(network, 3, &txid)?;
        assert_eq!(burns::balance(network, 3, &recipient)?, u128::from(COIN));

        // It votes again: with another one missing it is needed for a quorum.
        network.nodes[0].kill()?;
        network.wait_for_progress(8)?;
        network.expect_one_chain()?;
        network.expect_no_equivocations()?;
        Ok(())
    });
}

/// What a node says of how a sequencer took part.
fn took_part(network: &Network, node: usize, sequencer: usize) -> Result<Participation, Error> {
    let answer = network.call(node, "l2_getsequencers", json!([]))?;
    let one = &answer["sequencers"][sequencer];
    let number = |name: &str| {
        let number = one[name].as_f64();
        number.ok_or_else(|| Error::other(format!("no {name} in {one}")))
    };
    Ok(Participation {
        cast: number("votesCast")?,
        missed: number("votesMissed")?,
        uptime: number("uptimePercent")?,
    })
}

struct Participation {
    cast: f64,
    missed: f64,
    uptime: f64,
}

#[test]
fn who_is_down_misses_its_votes_and_is_counted_again_when_it_is_back() {
    with_network(&Setup::regtest_without_l1(), |network| {
        network.wait_for_progress(5)?;
        network.nodes[3].kill()?;
        // What it signed last may still be told of.
        network.wait_for_progress(3)?;
        let gone = took_part(network, 0, 3)?;
        network.wait_for_progress(20)?;
        let later = took_part(network, 0, 3)?;
        assert_eq!(later.cast, gone.cast, "it signs nothing");
        assert!(later.missed >= gone.missed + 19.0, "{} and {}", gone.missed, later.missed);
        assert!(later.uptime < gone.uptime, "{} and {}", gone.uptime, later.uptime);

        network.nodes[3].start()?;
        network.nodes[3].wait_for_rpc()?;
        until("it is counted again", PATIENCE, || {
            let back = took_part(network, 0, 3)?;
            let counted = back.cast > later.cast + 20.0 && back.uptime > later.uptime;
            Ok(Seen::when(counted, json!({ "cast": back.cast, "uptime": back.uptime })))
        })?;
        network.expect_one_chain()?;
        network.expect_no_equivocations()?;
        Ok(())
    });
}

#[test]
fn a_node_killed_in_the_middle_of_a_round_never_splits_the_chain() {
    with_network(&Setup::regtest_without_l1(), |network| {
        // Different moments of a 100 ms block, different nodes, the leader too.
        for (step, delay_ms) in [3, 37, 61, 89, 17, 71].into_iter().enumerate() {
            let victim = if step % 2 == 0 { network.leader()? } else { step % 4 };
            sleep(Duration::from_millis(delay_ms));
            network.nodes[victim].kill()?;
            network.nodes[victim].start()?;
            network.nodes[victim].wait_for_rpc()?;
            network.wait_for_progress(6)?;
            network.expect_no_equivocations()?;
        }
        let checked = network.expect_one_chain()?;
        assert!(checked > 36, "the chain went on: {checked}");
        Ok(())
    });
}

#[test]
fn without_a_quorum_it_halts_and_goes_on_when_there_is_one() {
    with_network(&Setup::regtest_without_l1(), |network| {
        network.nodes[2].kill()?;
        network.nodes[3].kill()?;
        // What was under way may still be decided; then nothing is.
        sleep(Duration::from_secs(2));
        let halted = network.finalized_height(0)?;
        sleep(Duration::from_secs(3));
        assert_eq!(network.finalized_height(0)?, halted, "two of four are no quorum");
        let status = network.call(0, "l2_getnetworkstatus", json!([]))?;
        assert_eq!((&status["hasQuorum"], &status["partitioned"]), (&json!(false), &json!(false)));

        network.nodes[1].kill()?;
        until("a partition is noticed", PATIENCE, || {
            let status = network.call(0, "l2_getnetworkstatus", json!([]))?;
            Ok(Seen::when(status["partitioned"] == true, status))
        })?;
        assert!(network.nodes[0].logged("network partition: only 1 of 4"));
        for node in [1, 2] {
            network.nodes[node].start()?;
            network.nodes[node].wait_for_rpc()?;
        }
        network.wait_for_progress(5)?;
        until("the partition is over", PATIENCE, || {
            let status = network.call(0, "l2_getnetworkstatus", json!([]))?;
            Ok(Seen::when(status["hasQuorum"] == true, status))
        })?;
        assert!(network.nodes[0].logged("network partition over"));
        network.expect_one_chain()?;
        network.expect_no_equivocations()?;
        Ok(())
    });
}

#[test]
fn a_network_stopped_or_killed_as_a_whole_goes_on_where_it_was() {
    with_network(&Setup::regtest_without_l1(), |network| {
        for gracefully in [true, false] {
            let reached = network.wait_for_progress(5)?;
            network.expect_no_equivocations()?;
            let hash = network.block_hash(0, reached)?;
            for node in &mut network.nodes {
                if gracefully {
                    assert!(node.stop()?, "it stops when it is told to");
                } else {
                    node.kill()?;
                }
            }
            network.start_nodes()?;
            for node in 0..network.nodes.len() {
                network.wait_for_height(node, reached)?;
                assert_eq!(network.block_hash(node, reached)?, hash, "nothing final is lost");
            }
            network.wait_for_progress(5)?;
            network.expect_one_chain()?;
            network.expect_no_equivocations()?;
        }
        Ok(())
    });
}

#[test]
fn a_second_process_with_the_same_key_does_not_sign() {
    with_network(&Setup::regtest_without_l1(), |network| {
        // Once with the database of the first, which the database itself refuses;
        // once with its own, where only the lock of the key is left to refuse.
        let config = network.nodes[0].config().clone();
        let base = network.nodes[0].base_path().display().to_string();
        let cases = [
            ("same-folder", vec!["--base-path".to_string(), base], "Database file is in use"),
            ("own-folder", vec![], "is in use by another process on this machine"),
        ];
        for (name, extra, reason) in cases {
            let mut config = config.clone();
            config.name = name.into();
            config.extra = extra;
            let twin = network.add(config)?;
            twin.start()?;
            let ended = twin.process().map(|process| process.wait(PATIENCE)).transpose()?.flatten();
            let log = twin.log_tail(40);
            let status = ended.unwrap_or_else(|| panic!("{name}: it runs beside the first\n{log}"));
            assert!(!status.success(), "{name}: {status}");
            assert!(twin.logged(reason), "{name} says why:\n{log}");
            network.nodes.pop();
        }
        network.wait_for_progress(5)?;
        network.expect_one_chain()?;
        network.expect_no_equivocations()?;
        Ok(())
    });
}

#[test]
fn a_network_whose_keys_come_late_begins() {
    let outcome = late_keys();
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Sequencers that run without keys, and get them over RPC while they all wait
/// for block 1: no new height will ever tell them to look again.
fn late_keys() -> cascoin_e2e::error::Result<()> {
    let mut network = Network::prepare(&Setup::regtest_without_l1())?;
    for node in &mut network.nodes {
        let config = node.config_mut();
        config.dev_key = None;
        config.extra.push("--sequencer".into());
    }
    network.start_nodes()?;
    for node in 0..network.nodes.len() {
        assert_eq!(network.finalized_height(node)?, 0, "nobody can sign");
    }
    for (node, name) in DEV_KEYS.iter().enumerate() {
        for key_type in ["aura", "gran"] {
            let key = session_key(name).unwrap_or_default();
            let inserted = json!([key_type, session_uri(name), key]);
            network.call(node, "author_insertKey", inserted)?;
        }
    }
    network.wait_for_progress(5)?;
    network.expect_one_chain()?;
    network.expect_no_equivocations()?;
    Ok(())
}

#[test]
fn a_log_can_be_shown_and_a_key_without_its_log_is_refused() {
    with_network(&Setup::regtest_without_l1(), |network| {
        network.wait_for_progress(5)?;
        let base = network.nodes[3].base_path().display().to_string();
        let show = |more: &[&str]| {
            let shared = ["wal", "--chain", "regtest", "--base-path", &base];
            Command::new(binary()?)
                .args(shared.iter().chain(more))
                .output()
                .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
                .map_err(Error::other)
        };
        let lines = show(&[])?;
        // Not of each height: what others decided first it takes without a vote.
        let is_vote =
            |line: &str| line.starts_with("precommit height ") && line.contains(" voter ");
        assert!(lines.lines().any(is_vote), "beside the node:\n{lines}");
        let exported = show(&["--json", "--from", "3"])?;
        for line in exported.lines() {
            let record: Value = serde_json::from_str(line).map_err(Error::other)?;
            let is_header = record["record"] == "header";
            assert!(is_header || record["height"].as_u64() >= Some(3), "{record}");
        }
        assert!(exported.starts_with("{") && exported.contains("\"key\""), "whose? {exported}");
        assert!(exported.contains("\"record\":\"decided\""), "{exported}");

        network.nodes[3].kill()?;
        let chains = fs::read_dir(network.nodes[3].base_path().join("chains"));
        for chain in chains.map_err(Error::other)? {
            let logs = chain.map_err(Error::other)?.path().join("bft");
            fs::remove_dir_all(&logs).map_err(Error::other)?;
        }
        network.nodes[3].start()?;
        let process = network.nodes[3].process();
        let ended = process.map(|process| process.wait(PATIENCE)).transpose()?.flatten();
        let log = network.nodes[3].log_tail(40);
        assert!(ended.is_some_and(|status| !status.success()), "it runs without its log:\n{log}");
        assert!(log.contains("start once with --accept-missing-log"), "{log}");

        // With the operator's word it sequences; by now the others are far ahead of
        // whatever it had signed.
        network.wait_for_progress(20)?;
        network.nodes[3].config_mut().extra.push("--accept-missing-log".into());
        network.nodes[3].start()?;
        network.nodes[3].wait_for_rpc()?;
        network.nodes[0].kill()?;
        network.wait_for_progress(8)?;
        network.expect_one_chain()?;
        Ok(())
    });
}
