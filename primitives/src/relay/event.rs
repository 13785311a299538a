//! What L1 tells L2.

use crate::{
    chain::AccountId,
    l1::{
        burn, cvm::TrustKind, forced::MAX_FORCED_BYTES, registration::ChainName, L1Hash, OutPoint,
    },
    messages::MessageBody,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ecdsa, ConstU32, H160};

/// Most [`L1Event::Trust`] of one L1 block: those with the largest bonds. Trust carries
/// no money, so burns never wait long for it.
pub const MAX_TRUST_PER_BLOCK: usize = 64;
/// Most [`L1Event::Stake`] of one L1 block: those with the most coin-blocks
/// ([`coin_blocks`](crate::l1::stake::coin_blocks)).
pub const MAX_STAKE_PER_BLOCK: usize = 16;
/// Most [`L1Event::ForcedTransaction`] of one L1 block: those whose messages destroy the
/// most coins. What is heard in a day is bounded by it, so no queue on L2 is ever full.
pub const MAX_FORCED_PER_BLOCK: usize = 4;
/// Most [`L1Event::ChainRegistration`] of one L1 block: those with the most coin-blocks.
pub const MAX_REGISTRATIONS_PER_BLOCK: usize = 4;

/// One event of an L1 block, in the order of its outputs.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum L1Event {
    /// An output marked `L2BURN`. Whether it is valid is judged on L2
    /// ([`burn::judge`]), so that the reason for a rejection is on record.
    #[codec(index = 0)]
    Burn {
        /// The output.
        outpoint: OutPoint,
        /// Its value in L1 units: what it destroys.
        value: u64,
        /// Its payload, cut after [`burn::MAX_KEPT_PAYLOAD`] bytes.
        payload: BoundedVec<u8, ConstU32<{ burn::MAX_KEPT_PAYLOAD }>>,
    },
    /// Somebody said how far it trusts somebody (R10.1). What is no proper statement
    /// is no event: it carries no money, so nobody needs to learn why.
    #[codec(index = 1)]
    Trust(TrustStatement),
    /// Somebody revoked a sequencer's session keys (R30.5). Every one of an L1 block is
    /// an event, for whatever layer 2 it is: none can be crowded out.
    #[codec(index = 2)]
    KeyRevocation {
        /// The layer 2 that it is for.
        chain_id: u32,
        /// Who says it: HASH160 of the key that signed the transaction's first input,
        /// over all outputs.
        signer: H160,
        /// Whose keys.
        account: AccountId,
    },
    /// Coins are locked as an account's stake (R2.3). For which layer 2 is judged on L2;
    /// what locks nothing is no event.
    #[codec(index = 3)]
    Stake {
        /// The output that holds the coins.
        outpoint: OutPoint,
        /// The layer 2 that the message names.
        chain_id: u32,
        /// Whose stake they are.
        account: AccountId,
        /// HASH160 of the key that can spend them later.
        owner: H160,
        /// How many, in L1 units.
        value: u64,
        /// The L1 height that no transaction can spend them at or below.
        unlock: u32,
    },
    /// Somebody sent a message to a layer 2 (R9.1). Every one of an L1 block is an event,
    /// whatever its body: it may destroy coins, which L2 credits to who sent it.
    #[codec(index = 4)]
    Message {
        /// The output that carries it.
        outpoint: OutPoint,
        /// What the transaction would be called without the scripts and witnesses of its
        /// inputs: the same however strangers rewrite these, which changes its identifier
        /// ([`unsigned_txid`](crate::l1::transaction::StrippedTransaction::unsigned_txid)).
        /// A message is what was signed, once, whatever L1 calls its transaction.
        unsigned_txid: L1Hash,
        /// The layer 2 that it is for.
        chain_id: u32,
        /// The key that signed the transaction's first input, over all outputs.
        sender: ecdsa::Public,
        /// The output's value in L1 units: what it destroys.
        value: u64,
        /// Its body ([`CrossLayerPayload`](crate::l1::cross_layer::CrossLayerPayload), if
        /// it is well-formed).
        body: MessageBody,
    },
    /// A layer 2 chain is registered (R1.5). Whether this chain's registry takes it is
    /// judged on L2; what locks nothing is no event.
    #[codec(index = 5)]
    ChainRegistration {
        /// The output that holds the deployer's coins.
        outpoint: OutPoint,
        /// The layer 2 whose registry the message names.
        chain_id: u32,
        /// The id of the chain that is registered
        /// ([`chain_id_of`](crate::l1::registration::chain_id_of)).
        id: u32,
        /// Its name.
        name: ChainName,
        /// Hash of its definition
        /// ([`ChainDefinition::hash`](crate::registry::ChainDefinition::hash)).
        definition: L1Hash,
        /// HASH160 of the deployer's key, which can spend the coins later.
        owner: H160,
        /// How many coins, in L1 units.
        value: u64,
        /// The L1 height that no transaction can spend them at or below.
        unlock: u32,
    },
    /// A transaction of the layer 2 that is to be included whatever sequencers want (R17).
    /// Whether it is one is judged on L2; data that no input shows is no event.
    #[codec(index = 6)]
    ForcedTransaction {
        /// The layer 2 that the message names.
        chain_id: u32,
        /// What the message's output destroys, in L1 units. It only ranks.
        paid: u64,
        /// The transaction, as `author_submitExtrinsic` takes it.
        transaction: BoundedVec<u8, ConstU32<{ MAX_FORCED_BYTES as u32 }>>,
    },
    /// Coins in an output that may be the vault's, and a message that says whose they
    /// are (R4.1). Every one is an event, whatever its body and for whatever layer 2:
    /// it carries coins, so that the reason for a rejection is on record.
    #[codec(index = 7)]
    VaultDeposit {
        /// The output that holds the coins.
        outpoint: OutPoint,
        /// The layer 2 that the message names.
        chain_id: u32,
        /// Coins in it, in L1 units.
        value: u64,
        /// SHA-256 of the script that it pays to.
        script: [u8; 32],
        /// The message's body ([`deposit::read`](crate::l1::deposit::read), if it is
        /// well-formed).
        body: MessageBody,
    },
}

/// A trust edge or a bonded vote, as far as L1 proves it.
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
)]
pub struct TrustStatement {
    /// Edge or vote.
    pub kind: TrustKind,
    /// Who says it: HASH160 of the key that signed the transaction's first input, over
    /// all outputs.
    pub speaker: H160,
    /// Of whom: HASH160 of a key.
    pub subject: H160,
    /// From −100 to 100.
    pub weight: i8,
    /// What the bond's output really locks, in L1 units.
    pub bond: u64,
}
