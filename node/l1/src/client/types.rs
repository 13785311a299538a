//! What the L1 node answers, as far as we read it.

use cascoin_l2_primitives::l1::{amount::parse_amount, L1Hash};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Answer of `getblockchaininfo`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BlockchainInfo {
    /// `main`, `test` or `regtest`.
    pub chain: String,
    /// Height of the best block it has.
    pub blocks: u32,
    /// Height of the best header it has.
    pub headers: u32,
    /// Hash of the best block.
    #[serde(rename = "bestblockhash")]
    pub best_block: L1Hash,
    /// Whether it thinks to be far behind. In regtest always so while the newest
    /// block is older than a day.
    #[serde(rename = "initialblockdownload", default)]
    pub initial_block_download: bool,
}

/// Answer of `fundrawtransaction`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundedTransaction {
    /// The transaction with inputs and change, raw.
    pub raw: Vec<u8>,
    /// Its fee, in base units.
    pub fee: u64,
}

/// Answer of the calls that sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// The transaction, raw.
    pub raw: Vec<u8>,
    /// Whether all inputs are signed.
    pub complete: bool,
}

/// One entry of `listunspent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unspent {
    /// The transaction.
    pub txid: L1Hash,
    /// The output's position in it.
    pub vout: u32,
    /// Its value, in base units.
    pub value: u64,
    /// Blocks on top of it, its own included.
    pub confirmations: u32,
    /// Its address, if it has one.
    pub address: Option<String>,
    /// Whether the wallet can sign for it: it may only watch it.
    pub spendable: bool,
}

/// Answer of `validateaddress`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ValidatedAddress {
    /// Whether it is an address of this network.
    #[serde(rename = "isvalid")]
    pub is_valid: bool,
    /// The script that pays to it, in hex.
    #[serde(rename = "scriptPubKey")]
    pub script: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RawFunded {
    pub hex: Hex,
    pub fee: RawAmount,
}

#[derive(Deserialize)]
pub(super) struct RawSigned {
    pub hex: Hex,
    pub complete: bool,
}

#[derive(Deserialize)]
pub(super) struct RawUnspent {
    pub txid: L1Hash,
    pub vout: u32,
    pub amount: RawAmount,
    pub confirmations: u32,
    pub address: Option<String>,
    // Core says it; what does not knows no coins that it only watches.
    #[serde(default = "yes")]
    pub spendable: bool,
}

const fn yes() -> bool {
    true
}

/// Bytes that travel as hex.
pub(super) struct Hex(pub Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        hex::decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// An amount as the node wrote it. Never read as a float: 0.1 has none.
pub(super) struct RawAmount(String);

impl<'de> Deserialize<'de> for RawAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(raw.get().trim_matches('"').to_owned()))
    }
}

impl RawAmount {
    /// In base units of a coin with `decimals`; the reason if it is no amount.
    pub(super) fn units(&self, decimals: u8) -> Result<u64, String> {
        let bad = |reason: String| format!("amount {}: {reason}", self.0);
        let units = parse_amount(&self.0, decimals).map_err(|error| bad(error.to_string()))?;
        u64::try_from(units).map_err(|_| bad("too large".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_that_a_wallet_only_watches_are_told_apart() {
        let spendable = |more: &str| {
            let txid = L1Hash::default();
            let text =
                format!(r#"{{"txid":"{txid}","vout":0,"amount":1,"confirmations":1{more}}}"#);
            serde_json::from_str::<RawUnspent>(&text).expect("the shape is right").spendable
        };
        assert!(spendable(""));
        assert!(spendable(r#","spendable":true"#));
        assert!(!spendable(r#","address":"m","spendable":false,"solvable":true"#));
    }

    #[test]
    fn amounts_are_read_exactly_with_the_l1s_decimals() {
        let funded = |fee: &str| {
            let text = format!(r#"{{"hex":"00ff","changepos":1,"fee":{fee}}}"#);
            serde_json::from_str::<RawFunded>(&text).expect("the shape is right")
        };
        // 83,999,999.9999999: a double would lose the last digits.
        let raw = funded("83999999.9999999");
        assert_eq!(raw.hex.0, [0, 255]);
        assert_eq!(raw.fee.units(7), Ok(839_999_999_999_999));
        assert_eq!(funded("0.00000001").fee.units(8), Ok(1));
        assert!(funded("0.00000001").fee.units(7).is_err(), "8 decimals on a 7-decimal L1");
        assert!(funded("-1").fee.units(8).is_err());
        assert!(funded("null").fee.units(8).is_err());
    }
}
