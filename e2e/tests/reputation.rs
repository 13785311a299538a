//! Reputation on real nodes over a real L1.

use base64::{engine::general_purpose::STANDARD, Engine};
use cascoin_e2e::{
    extrinsic::{account, dev_pair},
    network::{with_network, Setup},
    set_changes::call,
    Error,
};
use cascoin_l2_runtime::RuntimeCall;
use pallet_reputation::Call as Reputation;
use serde_json::{json, Value};

#[test]
fn an_l1_wallet_links_its_address_with_signmessage() {
    let setup = Setup { chain: "dev".into(), sequencers: 1, ..Setup::regtest() };
    with_network(&setup, |network| {
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
        Ok(())
    });
}
