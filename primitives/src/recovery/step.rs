//! What a leader brings for a recovery, in its block: an inherent, which everybody checks
//! against what the chain itself knows (R19.2, ADR 0033).

use crate::chain::{BlockHash, BlockNumber, Header};
use alloc::{boxed::Box, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_inherents::InherentIdentifier;

/// Where the inherent data of a block have the encoded [`RecoveryStep`].
pub const RECOVERY_IDENTIFIER: InherentIdentifier = *b"casrecov";
/// Most keys of the state that one page sets, removes or looks at.
pub const MAX_KEYS_PER_STEP: u32 = 2_000;
/// Most bytes of a page's trie nodes.
pub const MAX_PAGE_BYTES: u32 = 1024 * 1024;
/// Most trie nodes of a page. It needs some for each key; a page of tiny ones would cost
/// more than its bytes say.
pub const MAX_PAGE_NODES: u32 = 16_384;

/// A piece of a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum RecoveryStep {
    /// The header of the block whose state is gone back to; its hash is known.
    #[codec(index = 0)]
    Point(Box<Header>),
    /// Trie nodes of that state ([`read_page`](super::read_page)).
    #[codec(index = 1)]
    Page(Vec<Vec<u8>>),
    /// A block whose transactions are repeated; its hash is known, the header's
    /// `extrinsics_root` proves the body, and its `state_root` what became of them.
    #[codec(index = 2)]
    Block {
        /// Its header, with its seal.
        header: Box<Header>,
        /// All of its transactions, each as the block has it: SCALE-encoded, with the
        /// length in front (`OpaqueExtrinsic::encode`).
        body: Vec<Vec<u8>>,
        /// Trie nodes of its state, which show its events
        /// ([`read_events`](super::read_events)).
        events: Vec<Vec<u8>>,
    },
}

/// What the next block's leader may bring.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Wanted {
    /// [`RecoveryStep::Point`].
    #[codec(index = 0)]
    Point {
        /// The block's hash.
        hash: BlockHash,
    },
    /// [`RecoveryStep::Page`].
    #[codec(index = 1)]
    Page {
        /// The block whose state is wanted.
        hash: BlockHash,
        /// Keys that begin with it are.
        prefix: Vec<u8>,
        /// Only those behind this one, if it is given.
        after: Option<Vec<u8>>,
        /// No more keys than these are looked at in one step.
        max_keys: u32,
        /// Most bytes of all nodes together.
        max_bytes: u32,
    },
    /// [`RecoveryStep::Block`].
    #[codec(index = 2)]
    Block {
        /// Its number.
        number: BlockNumber,
        /// Its hash.
        hash: BlockHash,
    },
}
