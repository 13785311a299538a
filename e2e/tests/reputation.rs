//! Reputation on real nodes over a real L1.

use base64::{engine::general_purpose::STANDARD, Engine};
use cascoin_e2e::{
    burns::ChainFacts,
    extrinsic::{account, dev_pair},
    network::{with_network, Network, Setup},
    set_changes::call,
    spec,
    trust::{Form, Speaker},
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use cascoin_l2_primitives::l1::{address::L1Address, params::LITECOIN_REGTEST};
use cascoin_l2_runtime::RuntimeCall;
use pallet_reputation::Call as Reputation;
use serde_json::{json, Value};
use sp_core::H160;

/// Links an address of the L1's wallet to Eve's account; the address.
fn link_eve(network: &Network) -> Result<String> {
    let eve = account(&dev_pair("//Eve")?).to_string();
    let shown = network.call(0, "l2_getreputation", json!([eve]))?;
    assert_eq!((&shown["score"], &shown["l1Address"]), (&json!(0), &Value::Null));

    let address = network.l1()?.call("getnewaddress", json!(["", "legacy"]))?;
    let message = shown["linkMessage"].clone();
    let signed = network.l1()?.call("signmessage", json!([address, message]))?;
    let signed = STANDARD.decode(signed.as_str().unwrap_or_default()).map_err(Error::other)?;
    let signature = signed.try_into().map_err(|_| Error::other("not 65 bytes"))?;
    let link = Reputation::link_l1_address { signature };
    call(network, 0, "//Eve", RuntimeCall::Reputation(link))?;

    let shown = network.call(0, "l2_getreputation", json!([eve]))?;
    assert_eq!(shown["l1Address"], address);
    Ok(address.as_str().unwrap_or_default().into())
}

#[test]
fn an_l1_wallet_links_its_address_with_signmessage() {
    let setup = Setup { chain: "dev".into(), sequencers: 1, ..Setup::regtest() };
    with_network(&setup, |network| link_eve(network).map(drop));
}

/// A seed that genesis names trusts a friend, who trusts Eve's wallet; their transactions
/// are signed in the two forms that count, in a script and in a witness.
#[test]
fn r10_1_trust_on_l1_reaches_the_score_of_a_linked_account_on_all_nodes() {
    const COIN: u64 = LITECOIN_REGTEST.coin;
    let seed = Speaker::new([0x51; 32], Form::PublicKeyHash);
    let friend = Speaker::new([0x52; 32], Form::NestedWitness);
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("seeded.json");
    if let Err(error) = spec::write_with_trust_seeds("regtest", &[seed.address()], &file) {
        panic!("{error}");
    }
    let setup = Setup { chain: file.display().to_string(), ..Setup::regtest() };
    with_network(&setup, |network| {
        let facts = ChainFacts::of(network, 0)?;
        let address = L1Address::parse(&link_eve(network)?, &LITECOIN_REGTEST);
        let L1Address::PublicKeyHash(address) = address.map_err(Error::other)? else {
            return Err(Error::other("the wallet has another form of address"));
        };

        seed.trust(network.l1()?, friend.address(), 100, 2 * COIN)?;
        friend.trust(network.l1()?, H160(address), 90, 2 * COIN)?;
        network.l1()?.mine(facts.l1_confirmations)?;

        let eve = account(&dev_pair("//Eve")?).to_string();
        let expected = (json!(90), json!(27));
        until("all nodes have the score", PATIENCE, || {
            let mut scores = Vec::new();
            for node in 0..network.nodes.len() {
                let shown = network.call(node, "l2_getreputation", json!([eve]))?;
                scores.push((shown["parts"]["trust"].clone(), shown["score"].clone()));
            }
            Ok(Seen::when(scores.iter().all(|score| *score == expected), scores))
        })?;
        network.expect_one_chain()?;
        Ok(())
    });
}
