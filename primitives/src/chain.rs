//! The parameters of one L2 chain and the basic types it is built from.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::{
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiSignature,
};

use crate::l1::L1Hash;

/// Any signature a wallet of the ecosystem makes: sr25519, ed25519, ecdsa.
pub type Signature = MultiSignature;
/// An account: 32 bytes.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An amount in L2 base units; one is one L1 base unit.
pub type Balance = u128;
/// A block's height.
pub type BlockNumber = u32;
/// Transactions of an account.
pub type Nonce = u32;
/// A block header.
pub type Header = sp_runtime::generic::Header<BlockNumber, BlakeTwo256>;
/// A block's hash: BLAKE2-256 of its sealed header.
pub type BlockHash = sp_core::H256;
/// A block whose transactions are opaque bytes.
pub type OpaqueBlock = sp_runtime::generic::Block<Header, sp_runtime::OpaqueExtrinsic>;
/// Milliseconds since 1970, UTC.
pub type Moment = u64;

/// Which preset a chain was made from; a network's name as L1 says it.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The public network.
    Mainnet,
    /// The public test network.
    Testnet,
    /// A private test network over an L1 in regtest.
    #[default]
    Regtest,
    /// A developer's own node; may run without an L1.
    Dev,
}

/// Which L1 a chain stands on; [`crate::l1::params::L1Params`] holds its facts.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
#[serde(rename_all = "kebab-case")]
pub enum L1Network {
    /// Cascoin's public network.
    CascoinMainnet,
    /// Cascoin's public test network.
    CascoinTestnet,
    /// Cascoin in regtest.
    CascoinRegtest,
    /// Litecoin in regtest: the L1 of our own tests.
    #[default]
    LitecoinRegtest,
}

/// Where the relay starts: the last L1 block that is taken as known.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
pub struct L1Start {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: L1Hash,
}

/// The parameter table of one network (ledger O3). Set at genesis.
///
/// Amounts are in base units, durations in the unit their name says.
#[derive(
    Clone,
    Debug,
    Default,
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
pub struct ChainParameters {
    /// The id burns name: mainnet 1, testnet 2, regtest 3, dev 4. Never 0.
    pub chain_id: u32,
    /// The preset.
    pub network: Network,
    /// The L1 below.
    pub l1_network: L1Network,
    /// Decimals of a coin, those of L1.
    pub decimals: u8,
    /// The last L1 block taken as known at genesis.
    pub l1_start: L1Start,
    /// L1 blocks on top of one that make it readable (k; the tip has 1).
    pub l1_confirmations: u32,
    /// Distance of two blocks.
    pub block_time_ms: u64,
    /// Blocks one leader produces before the next takes over.
    pub blocks_per_leader: u32,
    /// Blocks of a session: sequencers change at the end of one only. A multiple
    /// of `blocks_per_leader`, so that a change never falls into a term.
    pub session_blocks: BlockNumber,
    /// Time a leader has to propose.
    pub propose_timeout_ms: u64,
    /// Time between a quorum of any prevotes and giving the round up.
    pub prevote_timeout_ms: u64,
    /// Time between a quorum of any precommits and the next round.
    pub precommit_timeout_ms: u64,
    /// Most sequencers that are elected and appointed together; governance may appoint
    /// more.
    pub max_sequencers: u32,
    /// Sessions of an epoch: seats are drawn at the end of one.
    pub epoch_sessions: u32,
    /// Smallest number of active sequencers that may confirm burns.
    pub min_sequencers: u32,
    /// Smallest reputation of a sequencer, 0 to 100.
    pub min_sequencer_score: u8,
    /// Smallest stake of a sequencer.
    pub min_sequencer_stake: Balance,
    /// Least part of a sequencer's stake that must be bonded on this chain, percent; the
    /// rest may be locked on L1.
    pub min_l2_stake_share: u8,
    /// Smallest number of connected peers of a sequencer.
    pub min_sequencer_peers: u32,
    /// Gas of a block, at most [`MAX_BLOCK_GAS`].
    pub block_gas_limit: u64,
    /// Challenge period of a withdrawal.
    pub challenge_period_s: u64,
    /// Challenge period for users of high reputation.
    pub fast_challenge_period_s: u64,
    /// Reputation from which the fast period holds, 0 to 100.
    pub fast_withdrawal_score: u8,
    /// Most that one burn brings its recipient on one day (R36.1). What is above waits.
    pub max_deposit: Balance,
    /// Most that all burns together bring one address on one day (R36.2).
    pub max_daily_deposit: Balance,
    /// Most that is minted on one day for all addresses together.
    pub max_daily_mint: Balance,
    /// L2 blocks between two anchors on L1.
    pub anchor_interval: u32,
    /// Time within which a transaction that stands on L1 is included (R17.2), from the L1
    /// block on that holds it.
    pub forced_inclusion_s: u64,
    /// An outage of this length is an emergency (R12.1).
    pub emergency_delay_s: u64,
    /// Time with blocks at their usual distance after which an emergency ends.
    pub emergency_recovery_s: u64,
    /// Time without news of L1 after which it counts as stalled (R27.5).
    pub l1_stall_s: u64,
    /// Time for which a sequencer may keep L1 from being attested by casting no vote (R17.6);
    /// 0: for ever.
    pub relay_withholding_s: u64,
    /// Smallest base fee of a transaction: 0.00001 coin.
    pub min_fee: Balance,
    /// Who gets base fees.
    pub fee_split: FeeSplit,
    /// Whose score is above this pays half the base fee (R18.5), 0 to 100.
    pub fee_discount_score: u8,
    /// Transactions that an account without reputation may have in a block; more
    /// with reputation (R26.2, R26.3).
    pub rate_limit: u32,
    /// Time a vote may stay open before its burns are shown as FAILED.
    pub mint_timeout_ms: u64,
    /// Least deficit after a fork of L1 for which sequencers vote that the state of users'
    /// money goes back (ADR 0033); 0: they never do. Below, all holders bear it.
    pub recovery_threshold: Balance,
}

/// Shares of the base fees of a block, in percent; the rest is burned (R18.2).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FeeSplit {
    /// Of the block's producer.
    pub producer: u8,
    /// Of the other sequencers together.
    pub others: u8,
}

/// A sequencer's public keys and ranking weight, in the order of the authority
/// set (the index is the sequencer's index in votes, slots and certificates).
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct SequencerInfo {
    /// The account that earns.
    pub account: AccountId,
    /// Seals headers (ed25519).
    pub aura: sp_core::ed25519::Public,
    /// Signs votes and certificates (ed25519).
    pub grandpa: sp_core::ed25519::Public,
    /// Signs relay votes (ed25519).
    pub relay: sp_core::ed25519::Public,
    /// Signs vault transactions (ecdsa).
    pub vault: sp_core::ecdsa::Public,
    /// Weight in the ranking of leaders (reputation and stake, from the
    /// registry); 0 ranks last.
    pub weight: u64,
    /// Whether it leads no round and signs nothing but votes for blocks, because it
    /// signed twice or its keys were revoked.
    pub barred: bool,
}

/// The sequencers of one block.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct SequencerSet {
    /// Grows by one with each change of the set.
    pub set_id: u64,
    /// In the order of the authority set.
    pub members: Vec<SequencerInfo>,
}

/// Time of execution that 1 gas buys, in picoseconds: the unit of weights.
pub const PS_PER_GAS: u64 = 10_000;

/// Gas of the largest block, for which the runtime's weights are made (300 ms). A chain
/// may have less.
pub const MAX_BLOCK_GAS: u64 = 30_000_000;

/// The smallest number of votes that is more than two thirds of `sequencers`
/// heads: ⌊2n/3⌋ + 1. The one place where this threshold is defined.
pub const fn quorum(sequencers: usize) -> usize {
    sequencers * 2 / 3 + 1
}

/// Key types of a sequencer's session keys in the keystore.
pub mod key_types {
    use sp_core::crypto::KeyTypeId;

    /// Seals headers.
    pub const AURA: KeyTypeId = KeyTypeId(*b"aura");
    /// Signs votes.
    pub const GRANDPA: KeyTypeId = KeyTypeId(*b"gran");
    /// Signs relay votes.
    pub const RELAY: KeyTypeId = KeyTypeId(*b"rlay");
    /// Signs vault transactions.
    pub const VAULT: KeyTypeId = KeyTypeId(*b"valt");
}

/// Blocks that [`ChainParameters::relay_withholding_s`] lasts at least, unless it is 0: eight
/// looks of the relay, of which each counts an eighth of it at most.
pub const MIN_WITHHOLDING_BLOCKS: u64 = 160;

/// Most sequencers a chain can have.
pub const MAX_SEQUENCERS: u32 = 64;
