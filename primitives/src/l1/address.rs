//! L1 addresses: base58check (pay to public-key hash, pay to script hash) and
//! bech32 (BIP 173, witness version 0).
//!
//! An address is read for one network and refused for another, with its own
//! error, because that is the mistake people make. Networks that share their
//! bytes (Cascoin's test networks and Litecoin's regtest share the base58 ones)
//! cannot be told apart by an address.

use super::params::L1Params;
use alloc::{string::String, vec::Vec};
use bech32::{segwit, Fe32, Hrp};
use core::fmt;

/// No address of any kind read here is longer (BIP 173); base58 decoding is
/// quadratic, so longer texts are not tried.
const MAX_LEN: usize = 90;

/// What an address stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum L1Address {
    /// HASH160 of a public key, spent with a plain signature (P2PKH).
    PublicKeyHash([u8; 20]),
    /// HASH160 of a script (P2SH).
    ScriptHash([u8; 20]),
    /// HASH160 of a compressed public key, spent with a witness (P2WPKH).
    WitnessPublicKeyHash([u8; 20]),
    /// SHA-256 of a script, spent with a witness (P2WSH).
    WitnessScriptHash([u8; 32]),
}

/// Why a text is not an address of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Neither base58check nor bech32, or its checksum is wrong.
    Malformed,
    /// A well-formed address of some other network.
    WrongNetwork,
    /// A segwit address of a witness version this L1's scripts do not have.
    UnsupportedWitnessVersion,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an L1 address, or mistyped",
            Self::WrongNetwork => "an address of another network",
            Self::UnsupportedWitnessVersion => "a witness version that is not supported",
        })
    }
}

impl core::error::Error for AddressError {}

impl L1Address {
    /// Reads an address of the network of `params`.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str, params: &L1Params) -> Result<Self, AddressError> {
        if text.len() > MAX_LEN || !text.is_ascii() {
            return Err(AddressError::Malformed);
        }
        // No base58check text is a valid bech32 text, so the order is free.
        match segwit::decode(text) {
            Ok((hrp, version, program)) => Self::from_segwit(hrp, version, &program, params),
            Err(_) => Self::from_base58(text, params),
        }
    }

    fn from_segwit(
        hrp: Hrp,
        version: Fe32,
        program: &[u8],
        params: &L1Params,
    ) -> Result<Self, AddressError> {
        if !hrp.lowercase_char_iter().eq(params.hrp.chars()) {
            return Err(AddressError::WrongNetwork);
        }
        if version != segwit::VERSION_0 {
            return Err(AddressError::UnsupportedWitnessVersion);
        }
        if let Ok(hash) = program.try_into() {
            return Ok(Self::WitnessPublicKeyHash(hash));
        }
        program.try_into().map(Self::WitnessScriptHash).map_err(|_| AddressError::Malformed)
    }

    fn from_base58(text: &str, params: &L1Params) -> Result<Self, AddressError> {
        let bytes =
            bs58::decode(text).with_check(None).into_vec().map_err(|_| AddressError::Malformed)?;
        let (&version, hash) = bytes.split_first().ok_or(AddressError::Malformed)?;
        let hash: [u8; 20] = hash.try_into().map_err(|_| AddressError::Malformed)?;
        if version == params.p2pkh {
            Ok(Self::PublicKeyHash(hash))
        } else if params.p2sh.contains(&version) {
            Ok(Self::ScriptHash(hash))
        } else {
            Err(AddressError::WrongNetwork)
        }
    }

    /// Writes the address as the network of `params` does.
    pub fn encode(&self, params: &L1Params) -> String {
        match self {
            Self::PublicKeyHash(hash) => base58(params.p2pkh, hash),
            // Each row of the table has a first version to write.
            Self::ScriptHash(hash) => base58(params.p2sh.first().copied().unwrap_or(0), hash),
            Self::WitnessPublicKeyHash(hash) => bech32_v0(params.hrp, hash),
            Self::WitnessScriptHash(hash) => bech32_v0(params.hrp, hash),
        }
    }

    /// The output script that pays to the address.
    pub fn script(&self) -> Vec<u8> {
        match self {
            // DUP HASH160 <20> EQUALVERIFY CHECKSIG
            Self::PublicKeyHash(hash) => {
                [&[0x76, 0xa9, 20][..], hash.as_slice(), &[0x88, 0xac]].concat()
            }
            // HASH160 <20> EQUAL
            Self::ScriptHash(hash) => [&[0xa9, 20][..], hash.as_slice(), &[0x87]].concat(),
            // 0 <program>
            Self::WitnessPublicKeyHash(hash) => [&[0, 20][..], hash.as_slice()].concat(),
            Self::WitnessScriptHash(hash) => [&[0, 32][..], hash.as_slice()].concat(),
        }
    }
}

fn base58(version: u8, hash: &[u8; 20]) -> String {
    let mut bytes = [0; 21];
    bytes[0] = version;
    bytes[1..].copy_from_slice(hash);
    bs58::encode(bytes).with_check().into_string()
}

/// Empty only for an hrp that is none, which no row of the table has (tested).
fn bech32_v0(hrp: &str, program: &[u8]) -> String {
    Hrp::parse(hrp).ok().and_then(|hrp| segwit::encode_v0(hrp, program).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::l1::params::{CASCOIN_MAINNET, CASCOIN_REGTEST, CASCOIN_TESTNET, LITECOIN_REGTEST};
    use proptest::prelude::*;

    const ALL: [&L1Params; 4] =
        [&CASCOIN_MAINNET, &CASCOIN_TESTNET, &CASCOIN_REGTEST, &LITECOIN_REGTEST];
    /// HASH160 of the generator point's compressed key (BIP 173's example).
    const HASH: [u8; 20] = [
        0x75, 0x1e, 0x76, 0xe8, 0x19, 0x91, 0x96, 0xd4, 0x54, 0x94, 0x1c, 0x45, 0xd1, 0xb3, 0xa3,
        0x23, 0xf1, 0x43, 0x3b, 0xd6,
    ];

    #[test]
    fn cascoin_mainnet_addresses_begin_as_its_node_prints_them() {
        // Version 40 gives `H`; version 50 `M` (spec: "begin with M/H").
        assert!(L1Address::PublicKeyHash(HASH).encode(&CASCOIN_MAINNET).starts_with('H'));
        assert!(L1Address::ScriptHash(HASH).encode(&CASCOIN_MAINNET).starts_with('M'));
        assert!(L1Address::WitnessPublicKeyHash(HASH)
            .encode(&CASCOIN_MAINNET)
            .starts_with("cas1q"));
    }

    #[test]
    fn the_older_script_version_is_read_and_the_newer_written() {
        let old = base58(8, &HASH);
        let address = L1Address::parse(&old, &CASCOIN_MAINNET);
        assert_eq!(address, Ok(L1Address::ScriptHash(HASH)));
        assert_ne!(L1Address::ScriptHash(HASH).encode(&CASCOIN_MAINNET), old);
    }

    #[test]
    fn another_networks_address_has_its_own_error() {
        assert_eq!(
            L1Address::parse("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", &CASCOIN_MAINNET),
            Err(AddressError::WrongNetwork)
        );
        assert_eq!(
            L1Address::parse("1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", &LITECOIN_REGTEST),
            Err(AddressError::WrongNetwork)
        );
    }

    #[test]
    fn typing_errors_are_malformed() {
        for text in [
            "",
            "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMh",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "ünï",
        ] {
            assert_eq!(
                L1Address::parse(text, &LITECOIN_REGTEST),
                Err(AddressError::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn later_witness_versions_are_named() {
        let hrp = Hrp::parse(CASCOIN_MAINNET.hrp).expect("a valid hrp");
        let text = segwit::encode_v1(hrp, &[7; 32]).expect("a valid program");
        assert_eq!(
            L1Address::parse(&text, &CASCOIN_MAINNET),
            Err(AddressError::UnsupportedWitnessVersion)
        );
    }

    #[test]
    fn scripts_are_the_standard_ones() {
        assert_eq!(
            hex::encode(L1Address::PublicKeyHash(HASH).script()),
            "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac"
        );
        assert_eq!(
            hex::encode(L1Address::ScriptHash(HASH).script()),
            "a914751e76e8199196d454941c45d1b3a323f1433bd687"
        );
        assert_eq!(
            hex::encode(L1Address::WitnessPublicKeyHash(HASH).script()),
            "0014751e76e8199196d454941c45d1b3a323f1433bd6"
        );
    }

    proptest! {
        #[test]
        fn every_address_survives_every_network(hash: [u8; 20], program: [u8; 32]) {
            for params in ALL {
                for address in [
                    L1Address::PublicKeyHash(hash),
                    L1Address::ScriptHash(hash),
                    L1Address::WitnessPublicKeyHash(hash),
                    L1Address::WitnessScriptHash(program),
                ] {
                    prop_assert_eq!(
                        L1Address::parse(&address.encode(params), params),
                        Ok(address)
                    );
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,120}") {
            for params in ALL {
                let _ = L1Address::parse(&text, params);
            }
        }
    }
}
