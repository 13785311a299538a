//! A sequencer that really signs twice: two processes with one key.

use cascoin_e2e::{
    error::IoContext,
    network::{session_key, with_network, Setup},
    wait::{until, Seen, PATIENCE},
};
use serde_json::json;
use std::fs;

/// Dave runs on two machines, that is, with two folders for the lock of its key.
/// Both processes build when Dave leads, at slightly different times, so within a
/// few of its terms they propose different blocks.
#[test]
fn one_key_on_two_machines_ends_as_a_double_sign_on_chain() {
    let setup = Setup::regtest_without_l1();
    with_network(&setup, |network| {
        const DAVE: usize = 3;
        let honest = [0, 1, 2];
        // `with_network` has started the four; the twin joins them.
        let mut config = network.nodes[DAVE].config().clone();
        config.name = "dave-again".into();
        let machine = network.folder().join("another-machine");
        fs::create_dir_all(&machine).attempt(|| "making a folder".into())?;
        // TMPDIR of a node is its folder's parent.
        let twin = network.add_under(config, &machine)?;
        twin.start()?;
        twin.wait_for_rpc()?;

        for node in honest {
            let shown = until("the double sign is on chain", PATIENCE, || {
                let shown = network.call(node, "l2_getevidence", json!([]))?;
                let done = !shown["doubleSigns"].as_array().is_none_or(Vec::is_empty)
                    && shown["pendingDoubleSigns"] == json!([]);
                Ok(Seen::when(done, shown))
            })?;
            let record = &shown["doubleSigns"][0];
            assert_eq!(record["code"], "SEQ_DOUBLE_SIGN", "{shown}");
            assert_eq!(record["key"], json!(session_key("dave")), "{shown}");
            assert!(record["height"].as_u64() > Some(0), "{shown}");
            assert_eq!(shown["conflictingCertificates"], json!([]), "one liar of four");
            let conflicts = network.nodes[node].metric("cascoin_l2_conflicting_certificates")?;
            assert_eq!(conflicts, Some(0.0));
        }
        // Core's clients see the same.
        let shown = network.nodes[0].front().call("l2_getevidence", json!(["1"]))?;
        assert_eq!(shown["doubleSigns"][0]["key"], json!(session_key("dave")), "{shown}");
        network.wait_for_progress_of(&honest, 5)?;
        network.expect_one_chain()?;
        Ok(())
    });
}
