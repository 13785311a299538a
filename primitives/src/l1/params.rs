//! The facts of each L1 network that our code depends on, in one place.
//!
//! Nothing else in the workspace may write down a number of decimals, an
//! address version or a genesis hash of an L1. Sources:
//! - Cascoin Core: `chainparams.cpp` (genesis, spacing, address bytes of the `cvm`
//!   branch), `chainparamsbase.cpp` (RPC ports), `amount.h` (unit, supply),
//!   `script/interpreter.h` (`SIGHASH_FORKID`), `policy/policy.h` (relay policy).
//!   Branch `main` uses mainnet's address bytes on its test networks; a preset for
//!   it would be one more row here.
//! - Litecoin regtest: Litecoin Core 0.21.2 `chainparams.cpp`, and checked
//!   against a running `litecoind` by the tests of `cascoin-l1`.

use super::L1Hash;
use crate::chain::L1Network;

/// What our code must know of one L1 network.
///
/// Amounts are in L1 base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1Params {
    /// Which network.
    pub network: L1Network,
    /// What `getblockchaininfo` calls it: `main`, `test` or `regtest`.
    pub chain: &'static str,
    /// Decimals of a coin: 7 on Cascoin, 8 on Litecoin.
    pub decimals: u8,
    /// Base units of one coin: 10 to the power of `decimals`.
    pub coin: u64,
    /// Human-readable part of segwit addresses (BIP 173).
    pub hrp: &'static str,
    /// Base58 version of pay-to-public-key-hash addresses.
    pub p2pkh: u8,
    /// Base58 versions of pay-to-script-hash addresses: the first is written,
    /// all are read.
    pub p2sh: &'static [u8],
    /// Base58 version of private keys (WIF).
    pub wif: u8,
    /// Bit to set in a signature's hash type: 0x40 (`SIGHASH_FORKID`) where it is
    /// mandatory, else 0.
    pub sighash_flag: u8,
    /// Hash of block 0.
    pub genesis: L1Hash,
    /// Where the node's RPC listens unless told otherwise.
    pub default_rpc_port: u16,
    /// Smallest fee for 1,000 virtual bytes that is relayed.
    pub min_relay_fee_per_kb: u64,
    /// Fee for 1,000 virtual bytes from which the dust threshold is computed.
    pub dust_rate: u64,
    /// Intended distance of two blocks, in seconds.
    pub spacing_s: u32,
    /// No amount is ever larger.
    pub max_money: u64,
}

const CASCOIN_COIN: u64 = 10_000_000;
const LITECOIN_COIN: u64 = 100_000_000;
const MAX_COINS: u64 = 84_000_000;
const SIGHASH_FORKID: u8 = 0x40;

/// Cascoin's public network.
pub const CASCOIN_MAINNET: L1Params = L1Params {
    network: L1Network::CascoinMainnet,
    chain: "main",
    decimals: 7,
    coin: CASCOIN_COIN,
    hrp: "cas",
    p2pkh: 40,
    p2sh: &[50, 8],
    wif: 188,
    sighash_flag: SIGHASH_FORKID,
    // The same block on all three Cascoin networks.
    genesis: rpc_order("00000928be1f2ccc448590307e4f6e165702244b5be0f79c08e48d1fc7128c82"),
    default_rpc_port: 62457,
    min_relay_fee_per_kb: 1_000,
    dust_rate: 3_000,
    spacing_s: 150,
    max_money: MAX_COINS * CASCOIN_COIN,
};

/// Cascoin's public test network.
pub const CASCOIN_TESTNET: L1Params = L1Params {
    network: L1Network::CascoinTestnet,
    chain: "test",
    hrp: "tcas",
    p2pkh: 111,
    p2sh: &[58, 196],
    wif: 239,
    default_rpc_port: 62455,
    ..CASCOIN_MAINNET
};

/// Cascoin in regtest.
pub const CASCOIN_REGTEST: L1Params = L1Params {
    network: L1Network::CascoinRegtest,
    chain: "regtest",
    hrp: "rcas",
    default_rpc_port: 19443,
    ..CASCOIN_TESTNET
};

/// Litecoin in regtest, the L1 of our own tests and of the demo.
pub const LITECOIN_REGTEST: L1Params = L1Params {
    network: L1Network::LitecoinRegtest,
    chain: "regtest",
    decimals: 8,
    coin: LITECOIN_COIN,
    hrp: "rltc",
    p2pkh: 111,
    p2sh: &[58, 196],
    wif: 239,
    sighash_flag: 0,
    genesis: rpc_order("530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9"),
    default_rpc_port: 19443,
    min_relay_fee_per_kb: 1_000,
    dust_rate: 30_000,
    spacing_s: 150,
    max_money: MAX_COINS * LITECOIN_COIN,
};

impl L1Params {
    /// The parameters of `network`.
    pub const fn of(network: L1Network) -> &'static Self {
        match network {
            L1Network::CascoinMainnet => &CASCOIN_MAINNET,
            L1Network::CascoinTestnet => &CASCOIN_TESTNET,
            L1Network::CascoinRegtest => &CASCOIN_REGTEST,
            L1Network::LitecoinRegtest => &LITECOIN_REGTEST,
        }
    }
}

/// Reads a hash as nodes print it. Only called for constants: bad input stops
/// the build.
const fn rpc_order(hex: &str) -> L1Hash {
    const fn nibble(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a lower-case hex digit"),
        }
    }
    let hex = hex.as_bytes();
    assert!(hex.len() == 64, "a hash has 64 hex digits");
    let mut raw = [0; 32];
    let mut index = 0;
    while index < 32 {
        raw[31 - index] = nibble(hex[2 * index]) << 4 | nibble(hex[2 * index + 1]);
        index += 1;
    }
    L1Hash(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [L1Network; 4] = [
        L1Network::CascoinMainnet,
        L1Network::CascoinTestnet,
        L1Network::CascoinRegtest,
        L1Network::LitecoinRegtest,
    ];

    #[test]
    fn each_network_has_its_own_row_and_a_coin_that_fits_its_decimals() {
        for network in ALL {
            let params = L1Params::of(network);
            assert_eq!(params.network, network);
            assert_eq!(params.coin, 10u64.pow(params.decimals.into()));
            assert!(params.max_money <= i64::MAX as u64);
        }
    }

    #[test]
    fn genesis_hashes_print_as_nodes_print_them() {
        use alloc::string::ToString;
        assert_eq!(
            CASCOIN_MAINNET.genesis.to_string(),
            "00000928be1f2ccc448590307e4f6e165702244b5be0f79c08e48d1fc7128c82"
        );
        assert_eq!(
            LITECOIN_REGTEST.genesis.to_string(),
            "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9"
        );
    }
}
