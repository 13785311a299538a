//! A sequencer whose node has no L1 keeps L1 from being attested, until it is out.

use cascoin_e2e::{
    burns::{self, Burn, ChainFacts},
    extrinsic::{account, dev_pair},
    network::{with_prepared, Network, Setup},
    spec,
    wait::{until, Seen},
};
use serde_json::json;
use std::time::Duration;

/// A minute's blocks, and then some on a loaded machine.
const LONG: Duration = Duration::from_secs(600);
const DEADLINE_S: u64 = 60;
/// The one without L1.
const WITHOUT: usize = 2;
const COIN: u64 = 100_000_000;

/// Three sequencers, of whom all must vote.
#[test]
fn r17_6_who_casts_no_relay_votes_loses_its_seat_and_burns_arrive() {
    let folder = tempfile::tempdir().expect("a folder for the chain's specification");
    let file = folder.path().join("withholding.json");
    let deadline = ("relayWithholdingS", json!(DEADLINE_S));
    spec::write_with_parameters("regtest", 3, &[deadline], &file).expect("a specification");

    let setup = Setup { chain: file.display().to_string(), sequencers: 3, ..Setup::regtest() };
    let network = Network::prepare(&setup).map(|mut network| {
        network.nodes[WITHOUT].config_mut().l1 = None;
        network
    });
    with_prepared(network, |network| {
        let facts = ChainFacts::of(network, 0)?;
        let to = account(&dev_pair("//Patient")?);
        let burn = Burn::to_account(facts.chain_id, &to, COIN);
        let txid = network.l1()?.burn(&burn)?;
        network.l1()?.mine(facts.l1_confirmations)?;

        // Two of three agree, and everybody sees who keeps it waiting.
        until("it is seen who withholds its votes", LONG, || {
            let set = network.call(0, "l2_getsequencers", json!([]))?["sequencers"].clone();
            let withheld = |index: usize| set[index]["relayVotesWithheldSeconds"].as_u64();
            let seen = withheld(WITHOUT).is_some_and(|seconds| seconds > 0);
            Ok(Seen::when(seen && withheld(0) == Some(0) && withheld(1) == Some(0), set))
        })?;
        assert_eq!(burns::balance(network, 0, &to)?, 0);

        until("it is out of the set", LONG, || {
            let count = network.call(0, "l2_getsequencers", json!([]))?["count"].clone();
            Ok(Seen::when(count == 2, count))
        })?;
        for node in 0..WITHOUT {
            burns::minted(network, node, &txid)?;
            assert_eq!(burns::balance(network, node, &to)?, u128::from(COIN));
        }
        network.wait_for_progress(10)?;
        network.expect_one_chain()?;
        Ok(())
    });
}
