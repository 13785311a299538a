//! Proofs that a transaction is in an L1 block.
//!
//! A transaction's identifier is a leaf of the Merkle tree under its block's header, so
//! the header, the leaf's position and the hashes beside its path prove that it is there.
//! Two weaknesses of these trees are minded:
//! - *Repetition* (CVE-2012-2459): a level of odd length repeats its last node. Only the
//!   left one of two equal nodes is taken, so a transaction has one position.
//! - *Short transactions*: a transaction of 64 bytes looks like an inner node, so its miner
//!   could hang what was never mined below it. No node on a path may be readable as a
//!   transaction, and a transaction of 64 bytes proves nothing. An honest node is readable
//!   as one in less than one of 10⁸ cases.

use super::{transaction::StrippedTransaction, L1Hash};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// Bytes of a header.
pub const HEADER_LEN: usize = 80;
/// Where its Merkle root stands.
const ROOT: core::ops::Range<usize> = 36..68;
/// Most bytes of a transaction, without witnesses: some 200 inputs.
pub const MAX_TRANSACTION_BYTES: u32 = 32 * 1024;
/// Most hashes beside a path: a block has at most 16,666 transactions, of 60 bytes without
/// witnesses at least, in a million.
pub const MAX_PATH: u32 = 15;
/// Bytes of an inner node of the tree.
const NODE_LEN: usize = 64;

/// A transaction, and how its block's header commits to it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct InclusionProof {
    /// The block's height.
    pub height: u32,
    /// Its header.
    pub header: [u8; HEADER_LEN],
    /// The transaction without witnesses.
    pub transaction: BoundedVec<u8, ConstU32<MAX_TRANSACTION_BYTES>>,
    /// Its position in the block.
    pub position: u32,
    /// The hashes beside its path, from below.
    pub path: BoundedVec<L1Hash, ConstU32<MAX_PATH>>,
}

impl InclusionProof {
    /// The hash of the header. Whether that is a block of L1 is for others to know.
    pub fn block(&self) -> L1Hash {
        L1Hash::of(&self.header)
    }

    /// The time in the header, seconds since 1970.
    pub fn time(&self) -> u32 {
        let [.., a, b, c, d, _, _, _, _, _, _, _, _] = self.header;
        u32::from_le_bytes([a, b, c, d])
    }

    /// The transaction's identifier.
    pub fn txid(&self) -> L1Hash {
        L1Hash::of(&self.transaction)
    }

    /// The transaction, if the header commits to it.
    pub fn included(&self) -> Option<StrippedTransaction<'_>> {
        if self.transaction.len() == NODE_LEN {
            return None;
        }
        let transaction = StrippedTransaction::read(&self.transaction)?;
        let root = root_of(self.txid(), self.position, &self.path)?;
        (self.header.get(ROOT)? == root.0.as_slice()).then_some(transaction)
    }
}

/// The root over a leaf by its path; `None` if the path is none.
pub(super) fn root_of(leaf: L1Hash, position: u32, path: &[L1Hash]) -> Option<L1Hash> {
    let (mut node, mut position) = (leaf, position);
    for beside in path {
        let is_right = position & 1 == 1;
        // Equal to the node on its left is only a repetition, which is no node.
        if is_right && *beside == node {
            return None;
        }
        let inner = if is_right { join(beside, &node) } else { join(&node, beside) };
        if StrippedTransaction::read(&inner).is_some() {
            return None;
        }
        node = L1Hash::of(&inner);
        position >>= 1;
    }
    (position == 0).then_some(node)
}

fn join(left: &L1Hash, right: &L1Hash) -> [u8; NODE_LEN] {
    let mut node = [0; NODE_LEN];
    let (first, second) = node.split_at_mut(32);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    node
}

/// The hashes beside the path of the transaction at `position`, from below, for who has
/// all identifiers of a block; `None` if there is no such position.
pub fn path_to(txids: &[L1Hash], position: usize) -> Option<Vec<L1Hash>> {
    txids.get(position)?;
    let (mut level, mut position) = (txids.to_vec(), position);
    let mut path = Vec::new();
    while level.len() > 1 {
        let beside = level.get(position ^ 1).or_else(|| level.get(position))?;
        path.push(*beside);
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => L1Hash::of(&join(left, right)),
                odd => odd.first().map_or_else(L1Hash::default, |one| L1Hash::of(&join(one, one))),
            })
            .collect();
        position >>= 1;
    }
    Some(path)
}
