//! A block that ends a set of sequencers, with its certificate: one that announces another,
//! or the base of a hand-over (R17.6).
//!
//! Kept in the auxiliary store for ever, in the transaction that imports the
//! block: blocks and certificates may be pruned, and after a warp sync most of
//! them were never here. By hand, because the database's own filter for what to
//! keep sees a certificate only, and every block has one.

use crate::import::certificate_of;
use cascoin_l2_primitives::{
    chain::{Header, OpaqueBlock},
    consensus::Certificate,
};
use codec::{Decode, Encode};
use sc_client_api::AuxStore;
use sc_consensus::BlockImportParams;

const PREFIX: &[u8] = b"cascoin-l2/set-change/1/";

/// A header with the certificate that makes it final. In a proof all but the last
/// have a `ScheduledChange`. Its encoding is GRANDPA's `WarpSyncFragment`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Fragment {
    /// The sealed header.
    pub header: Header,
    /// By the set in force at the header's height.
    pub certificate: Certificate,
}

/// A stored fragment is missing or unreadable.
#[derive(Debug, thiserror::Error)]
pub enum FragmentError {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sp_blockchain::Error),
    /// It cannot be read.
    #[error("the block that ends a set is damaged in the database: {0}")]
    Damaged(#[from] codec::Error),
    /// It is not there.
    #[error("the database misses the block that ends set {0}")]
    Missing(u64),
}

fn key(set_id: u64) -> Vec<u8> {
    // Big-endian: in the order of the sets.
    [PREFIX, &set_id.to_be_bytes()].concat()
}

impl Fragment {
    /// The last block that the set `set_id` certified.
    ///
    /// # Errors
    /// [`FragmentError`].
    pub fn load(store: &impl AuxStore, set_id: u64) -> Result<Self, FragmentError> {
        let bytes = store.get_aux(&key(set_id))?.ok_or(FragmentError::Missing(set_id))?;
        Ok(Self::decode(&mut &bytes[..])?)
    }

    /// How to store it as the end of the set `set_id`.
    pub fn entry(&self, set_id: u64) -> (Vec<u8>, Vec<u8>) {
        (key(set_id), self.encode())
    }

    /// That of a block about to be imported; `None` if it comes without its
    /// certificate, as the blocks of a warp sync do: the proof's verifier has
    /// stored those.
    pub(crate) fn of(block: &BlockImportParams<OpaqueBlock>) -> Option<Self> {
        let certificate = certificate_of(block.justifications.as_ref()?).ok()?;
        Some(Self { header: block.post_header(), certificate })
    }
}
