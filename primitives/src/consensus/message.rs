//! The bytes that sequencers sign.

use super::GrandpaRound;
use crate::chain::{BlockHash, BlockNumber};
use alloc::vec::Vec;
use sp_consensus_grandpa::localized_payload;

/// Domain of proposals, prevotes and nil votes.
pub const BFT_DOMAIN: &[u8; 9] = b"CASL2BFT1";
/// Domain of the first message two sequencers exchange.
pub const HELLO_DOMAIN: &[u8; 9] = b"CASL2HEL1";

/// What kind of message [`bft_message`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Step {
    /// A leader's proposal of a block.
    Proposal = 0,
    /// A prevote, for a block or nil.
    Prevote = 1,
    /// A precommit for nil. A precommit for a block signs
    /// [`precommit_payload`] instead.
    NilPrecommit = 2,
}

/// `"CASL2BFT1" ‖ genesis 32 ‖ epoch u8 ‖ set_id u64 ‖ height u32 ‖ round u16 ‖
/// step u8 ‖ hash or 0³² ‖ valid_round i32` (93 bytes, −1 for none; integers
/// little-endian). Its length differs from that of a GRANDPA payload (53), so no
/// signature serves as the other.
pub fn bft_message(
    genesis: &BlockHash,
    set_id: u64,
    round: GrandpaRound,
    step: Step,
    block: Option<&BlockHash>,
    valid_round: Option<u16>,
) -> Vec<u8> {
    let mut message = Vec::with_capacity(93);
    message.extend_from_slice(BFT_DOMAIN);
    message.extend_from_slice(genesis.as_bytes());
    message.push(round.epoch);
    message.extend_from_slice(&set_id.to_le_bytes());
    message.extend_from_slice(&round.height.to_le_bytes());
    message.extend_from_slice(&round.round.to_le_bytes());
    message.push(step as u8);
    message.extend_from_slice(block.copied().unwrap_or_default().as_bytes());
    message.extend_from_slice(&valid_round.map_or(-1, i32::from).to_le_bytes());
    message
}

/// Whether a proposal or vote can be for this block. The zero hash stands for nil in
/// [`bft_message`]: a vote "for" it has the very signature of the nil vote, which
/// anybody who saw that one could show as a second vote of the same signer.
pub fn is_a_block(hash: &BlockHash) -> bool {
    !hash.is_zero()
}

/// What a precommit for a block signs: exactly the payload of a GRANDPA
/// precommit, `(Message::Precommit(..), round, set_id)` in SCALE, 53 bytes.
pub fn precommit_payload(
    block: BlockHash,
    number: BlockNumber,
    round: GrandpaRound,
    set_id: u64,
) -> Vec<u8> {
    let message = sp_consensus_grandpa::Message::<
        sp_runtime::generic::Header<BlockNumber, sp_runtime::traits::BlakeTwo256>,
    >::Precommit(finality_precommit(block, number));
    localized_payload(u64::from(round), set_id, &message)
}

fn finality_precommit(
    target_hash: BlockHash,
    target_number: BlockNumber,
) -> sp_consensus_grandpa::Precommit<crate::chain::Header> {
    sp_consensus_grandpa::Precommit::<crate::chain::Header> { target_hash, target_number }
}

/// What a sequencer signs to show a peer who it is: `"CASL2HEL1" ‖ genesis 32 ‖
/// set_id u64 ‖ own peer id ‖ other's peer id ‖ nonce u64`, the ids with their
/// length (u8) in front. It binds the key to this connection's two ends.
pub fn hello_message(
    genesis: &BlockHash,
    set_id: u64,
    own_peer: &[u8],
    other_peer: &[u8],
    nonce: u64,
) -> Vec<u8> {
    let mut message = Vec::with_capacity(140);
    message.extend_from_slice(HELLO_DOMAIN);
    message.extend_from_slice(genesis.as_bytes());
    message.extend_from_slice(&set_id.to_le_bytes());
    for peer in [own_peer, other_peer] {
        message.push(peer.len() as u8);
        message.extend_from_slice(peer);
    }
    message.extend_from_slice(&nonce.to_le_bytes());
    message
}
