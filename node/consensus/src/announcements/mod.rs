//! Nodes of sequencers and candidates tell the others that they are there
//! (`SEQANNOUNCE`), and sequencers look whether they are.
//!
//! - [`book`]: what was heard, and what is believed (R2.5, R2.6). Pure.
//! - [`gossip`]: hears, passes on, says it of this node, answers probes.
//! - [`attest`]: answers polls about candidates whose nodes are there (R2.4).
//!
//! Every node keeps a book, and passes on what is new in it. Whom the chain does not
//! know as a sequencer or candidate is not heard, so a book has no more entries than
//! the registry.

pub mod attest;
pub mod book;
#[cfg(test)]
mod book_tests;
pub mod gossip;

use book::Book;
use cascoin_l2_primitives::{
    chain::{AccountId, BlockNumber},
    sequencers::Announcement,
};
use parking_lot::Mutex;
use sc_network_types::PeerId;
use std::sync::Arc;

/// The book of this node, shared by those who write it and those who read it.
#[derive(Clone, Default)]
pub struct Announcements(Arc<Mutex<Book>>);

/// A node as it announced itself last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its network identity.
    pub peer: PeerId,
    /// Where it listens: multiaddresses without the identity.
    pub addresses: Vec<String>,
    /// A block that was final for it when it said so.
    pub height: BlockNumber,
}

impl Heard {
    fn of(said: &Announcement) -> Option<Self> {
        let text = |address: &[u8]| String::from_utf8(address.to_vec()).ok();
        Some(Self {
            peer: PeerId::from_bytes(&said.peer).ok()?,
            addresses: said.addresses.iter().filter_map(|address| text(address)).collect(),
            height: said.height,
        })
    }
}

impl Announcements {
    /// What the node of `account` said last, unless that was long ago.
    pub fn heard_of(&self, account: &AccountId) -> Option<Heard> {
        self.0.lock().of(account).and_then(Heard::of)
    }
}
