//! What the registry of layer 2 chains knows of a chain (R1, R32).

use crate::{
    chain::{BlockHash, Moment, MAX_BLOCK_GAS},
    l1::{
        registration::{ChainName, FIRST_CHAIN_ID},
        L1Hash, OutPoint,
    },
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H160;

/// Most registered chains that are shown at once.
pub const MAX_LISTED: u32 = 100;

/// Stands before what is hashed of a definition.
const DEFINITION_VERSION: u8 = 1;

/// What a chain is. Its registration on L1 binds it by its hash.
///
/// Its encoding is its fields in their order, numbers little-endian, a flag as one byte:
/// 57 bytes.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct ChainDefinition {
    /// Whether it is to hold money. If not, it is a test network.
    pub mainnet: bool,
    /// Hash of its block 0, which holds the whole genesis state (R32.1).
    pub genesis: BlockHash,
    /// Distance of two blocks, milliseconds.
    pub block_time_ms: u32,
    /// Gas of a block.
    pub gas_limit: u64,
    /// Challenge period of a withdrawal, seconds.
    pub challenge_period_s: u32,
    /// Sequencers that its genesis names (R32.2).
    pub sequencers: u32,
    /// For a mainnet the id of the same deployer's test network, which came first (R32.6);
    /// for a test network 0.
    pub rehearsal: u32,
}

impl ChainDefinition {
    /// What a registration binds it by: SHA-256 twice of a version byte, 1, and the
    /// encoding.
    pub fn hash(&self) -> L1Hash {
        L1Hash::of(&(DEFINITION_VERSION, self).encode())
    }

    /// Whether a chain can run with it: the limits of the registry on L1's prototype, as far
    /// as this program runs such chains.
    pub fn is_usable(&self) -> bool {
        (100..=30_000).contains(&self.block_time_ms)
            && (1_000_000..=MAX_BLOCK_GAS).contains(&self.gas_limit)
            && (3_600..=2_592_000).contains(&self.challenge_period_s)
            && self.sequencers > 0
            && (self.rehearsal >= FIRST_CHAIN_ID) == self.mainnet
            && (self.mainnet || self.rehearsal == 0)
    }
}

/// Where a chain is in its life.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChainStatus {
    /// It is registered and has not opened yet.
    #[codec(index = 0)]
    Bootstrapping,
    /// It is in use.
    #[codec(index = 1)]
    Active,
    /// Its deployer has stopped it for a while.
    #[codec(index = 2)]
    Paused,
    /// Governance warns of it.
    #[codec(index = 3)]
    Emergency,
    /// It is given up, for good.
    #[codec(index = 4)]
    Deprecated,
}

impl ChainStatus {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Bootstrapping, Self::Active, Self::Paused, Self::Emergency, Self::Deprecated];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bootstrapping => "BOOTSTRAPPING",
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Emergency => "EMERGENCY",
            Self::Deprecated => "DEPRECATED",
        }
    }

    /// Whether a chain's deployer may change one into the other.
    pub const fn deployer_may(self, to: Self) -> bool {
        use ChainStatus::{Active, Bootstrapping, Deprecated, Paused};
        matches!(
            (self, to),
            (Bootstrapping, Active | Deprecated)
                | (Active, Paused | Deprecated)
                | (Paused, Active | Deprecated)
        )
    }

    /// Whether governance may: what the deployer may, and declare an emergency and end it.
    /// An emergency ends in a pause, so that a chain that was never opened is opened by the
    /// rules of opening.
    pub const fn governance_may(self, to: Self) -> bool {
        use ChainStatus::{Active, Bootstrapping, Deprecated, Emergency, Paused};
        self.deployer_may(to)
            || matches!(
                (self, to),
                (Bootstrapping | Active | Paused, Emergency) | (Emergency, Paused | Deprecated)
            )
    }
}

impl fmt::Display for ChainStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is no status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAStatus;

impl FromStr for ChainStatus {
    type Err = NotAStatus;

    /// Takes a name in any case, or a number.
    fn from_str(text: &str) -> Result<Self, NotAStatus> {
        if let Ok(number) = text.parse::<usize>() {
            return Self::ALL.get(number).copied().ok_or(NotAStatus);
        }
        let named = |status: &Self| status.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or(NotAStatus)
    }
}

/// A chain in the registry.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RegisteredChain {
    /// Its name. Another chain may have the same.
    pub name: ChainName,
    /// Hash of its definition, from L1.
    pub definition_hash: L1Hash,
    /// The definition, once somebody has shown it.
    pub definition: Option<ChainDefinition>,
    /// Who deploys it: HASH160 of the key that can spend its coins later.
    pub owner: H160,
    /// The output on L1 that holds the coins.
    pub outpoint: OutPoint,
    /// How many, base units.
    pub value: u64,
    /// The L1 height that nobody can spend them at or below.
    pub unlock: u32,
    /// Height of the L1 block of the registration.
    pub l1_height: u32,
    /// Its hash: after a fork of L1 the registration may stand in another one, or in none.
    pub l1_hash: L1Hash,
    /// When the registry took it, milliseconds since 1970.
    pub registered_at: Moment,
    /// Where it is in its life.
    pub status: ChainStatus,
    /// Since when, milliseconds since 1970.
    pub status_since: Moment,
    /// Whether it was ever active.
    pub opened: bool,
}

/// A chain as the registry shows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ListedChain {
    /// Its id.
    pub id: u32,
    /// The chain.
    pub chain: RegisteredChain,
    /// Whether it is found by its name: of several with one name the first is.
    pub holds_name: bool,
    /// Whether nobody can spend the deployer's coins yet, at the last L1 block applied. Not so
    /// while L1 has left the block of the registration.
    pub stake_locked: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChainStatus::{Active, Bootstrapping, Deprecated, Emergency, Paused};

    fn definition() -> ChainDefinition {
        ChainDefinition {
            mainnet: true,
            genesis: BlockHash::repeat_byte(0x44),
            block_time_ms: 500,
            gas_limit: 30_000_000,
            challenge_period_s: 604_800,
            sequencers: 5,
            rehearsal: 1_000,
        }
    }

    /// Byte by byte, as docs/l1-formats.md shows it.
    #[test]
    fn r32_1_a_definition_has_the_bytes_that_are_documented() {
        let expected =
            format!("01{}f401000080c3c90100000000803a090005000000e8030000", "44".repeat(32));
        let encoded = definition().encode();
        assert_eq!(hex::encode(&encoded), expected);
        assert_eq!(encoded.len(), ChainDefinition::max_encoded_len());
        assert_eq!(definition().hash(), L1Hash::of(&[&[1][..], &encoded].concat()));
    }

    #[test]
    fn r1_2_definitions_that_no_chain_can_run_with_are_not_usable() {
        let good = definition();
        assert!(good.is_usable());
        let bad = [
            ChainDefinition { block_time_ms: 99, ..good },
            ChainDefinition { block_time_ms: 30_001, ..good },
            ChainDefinition { gas_limit: 999_999, ..good },
            ChainDefinition { gas_limit: 30_000_001, ..good },
            ChainDefinition { challenge_period_s: 3_599, ..good },
            ChainDefinition { challenge_period_s: 2_592_001, ..good },
            ChainDefinition { sequencers: 0, ..good },
            // R32.6: a mainnet names a test network, and nothing else does.
            ChainDefinition { rehearsal: 0, ..good },
            ChainDefinition { rehearsal: 999, ..good },
            ChainDefinition { mainnet: false, ..good },
            ChainDefinition { mainnet: false, rehearsal: 999, ..good },
        ];
        for definition in bad {
            assert!(!definition.is_usable(), "{definition:?}");
        }
        assert!(ChainDefinition { mainnet: false, rehearsal: 0, ..good }.is_usable());
    }

    #[test]
    fn statuses_are_read_by_name_and_number() {
        for (number, status) in ChainStatus::ALL.into_iter().enumerate() {
            assert_eq!(status.name().parse(), Ok(status));
            assert_eq!(status.name().to_lowercase().parse(), Ok(status));
            assert_eq!(format!("{number}").parse(), Ok(status));
            assert_eq!(status.encode(), [number as u8]);
        }
        for bad in ["5", "", "OPEN", "-1"] {
            assert_eq!(bad.parse::<ChainStatus>(), Err(NotAStatus), "{bad}");
        }
    }

    /// Every pair, so that no way is open by oversight.
    #[test]
    fn only_these_changes_are_anybodys() {
        let deployers = [
            (Bootstrapping, Active),
            (Bootstrapping, Deprecated),
            (Active, Paused),
            (Active, Deprecated),
            (Paused, Active),
            (Paused, Deprecated),
        ];
        let governances = [
            (Bootstrapping, Emergency),
            (Active, Emergency),
            (Paused, Emergency),
            (Emergency, Paused),
            (Emergency, Deprecated),
        ];
        for from in ChainStatus::ALL {
            for to in ChainStatus::ALL {
                let deployer = deployers.contains(&(from, to));
                let governance = deployer || governances.contains(&(from, to));
                assert_eq!(from.deployer_may(to), deployer, "{from} {to}");
                assert_eq!(from.governance_may(to), governance, "{from} {to}");
            }
        }
    }
}
