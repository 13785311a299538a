//! Reputation on real nodes over a real L1.

use base64::{engine::general_purpose::STANDARD, Engine};
use cascoin_e2e::{
    burns::ChainFacts,
    error::Result,
    extrinsic::{account, dev_pair, SigningContext},
    network::{with_network, Network, Setup},
    set_changes::call,
    spec,
    trust::{Form, Speaker},
    wait::{until, Seen, PATIENCE},
    Error,
};
use cascoin_l2_primitives::l1::{address::L1Address, params::LITECOIN_REGTEST};
use cascoin_l2_primitives::reputation::export::SignedExport;
use cascoin_l2_runtime::RuntimeCall;
use codec::Decode;
use pallet_reputation::Call as Reputation;
use serde_json::{json, Value};
use sp_core::{ed25519, H160};
use std::time::Duration;

/// Epochs of the `regtest` preset are six seconds; a busy machine takes many times that.
const EPOCHS: Duration = Duration::from_secs(180);

/// Links a new address of the L1 wallet to the account of a derivation path; the address.
fn link(network: &Network, path: &str) -> Result<Value> {
    let who = account(&dev_pair(path)?).to_string();
    let shown = network.call(0, "l2_getreputation", json!([who]))?;
    let address = network.l1()?.call("getnewaddress", json!(["", "legacy"]))?;
    let message = shown["linkMessage"].clone();
    let signed = network.l1()?.call("signmessage", json!([address, message]))?;
    let signed = STANDARD.decode(signed.as_str().unwrap_or_default()).map_err(Error::other)?;
    let signature = signed.try_into().map_err(|_| Error::other("not 65 bytes"))?;
    let link = Reputation::link_l1_address { signature };
    call(network, 0, path, RuntimeCall::Reputation(link))?;
    Ok(address)
}

fn bytes(hex: &Value) -> Result<Vec<u8>> {
    let digits = hex.as_str().unwrap_or_default().trim_start_matches("0x");
    hex::decode(digits).map_err(Error::other)
}

#[test]
fn an_l1_wallet_links_its_address_with_signmessage() {
    let setup = Setup { chain: "dev".into(), sequencers: 1, ..Setup::regtest() };
    with_network(&setup, |network| {
        let eve = account(&dev_pair("//Eve")?).to_string();
        let shown = network.call(0, "l2_getreputation", json!([eve]))?;
        assert_eq!((&shown["score"], &shown["l1Address"]), (&json!(0), &Value::Null));

        let address = link(network, "//Eve")?;
        let shown = network.call(0, "l2_getreputation", json!([eve]))?;
        assert_eq!(shown["l1Address"], address);
        Ok(())
    });
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
        let address = link(network, "//Eve")?;
        let address = address.as_str().unwrap_or_default();
        let address = L1Address::parse(address, &LITECOIN_REGTEST);
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

/// R10.4: the nodes sign what the chain tells L1, and whoever has the set's keys can check
/// it.
#[test]
fn r10_4_four_sequencers_sign_what_l1_is_told_of_reputations() {
    with_network(&Setup::regtest(), |network| {
        let address = link(network, "//Alice")?;
        let shown = until("a signed export", EPOCHS, || {
            let shown = network.call(1, "l2_getreputationexports", json!([]))?;
            Ok(Seen::when(shown["count"].as_u64() > Some(0), shown))
        })?;
        let export = &shown["exports"][0];
        let entry = export["entries"]
            .as_array()
            .and_then(|entries| entries.iter().find(|entry| entry["address"] == address));
        // 90 in the preset, less what slow starts of its node may have cost.
        let score = entry.and_then(|entry| entry["score"].as_u64());
        assert!(score.is_some_and(|score| (80..=90).contains(&score)), "{export}");

        let set = network.call(0, "l2_getsequencers", json!([]))?;
        let members = set["sequencers"].as_array().cloned().unwrap_or_default();
        let key = |member: &Value| {
            let key = bytes(&member["keys"]["relay"])?.try_into();
            let key: [u8; 32] = key.map_err(|_| Error::other("not 32 bytes"))?;
            Ok(ed25519::Public::from_raw(key))
        };
        let keys = members.iter().map(key).collect::<Result<Vec<_>>>()?;
        assert_eq!(keys.len(), 4);
        let proof = bytes(&export["proof"])?;
        let signed = SignedExport::decode(&mut &proof[..]).map_err(Error::other)?;
        let genesis = SigningContext::of(&network.nodes[0].rpc())?.genesis;
        assert_eq!(shown["genesis"], json!(genesis));
        let set_id = export["setId"].as_u64().unwrap_or(u64::MAX);
        assert_eq!(signed.verify(&genesis, set_id, &keys), Ok(()));
        assert_eq!(json!(signed.export.hash()), export["hash"]);
        Ok(())
    });
}
