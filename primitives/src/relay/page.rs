//! Pages of events and the tree that a digest's root commits them with.
//!
//! A block's events are cut into pages by a fixed rule ([`paginate`]), so that
//! every honest node makes the same pages. The tree is a binary Merkle tree over
//! SHA-256 with distinct domains for leaves and nodes; a leaf binds the page's
//! index and the number of pages, and an odd node moves up unchanged (nothing is
//! duplicated).

use super::L1Event;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sha2::{Digest, Sha256};
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// Most events of one page.
pub const MAX_EVENTS_PER_PAGE: u32 = 64;
/// Most bytes of one page, encoded.
pub const MAX_PAGE_BYTES: usize = 64 * 1024;
/// Most hashes of a page's proof: enough for any block L1 allows.
pub const MAX_PROOF_DEPTH: u32 = 16;

/// One page of a block's events.
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
)]
pub struct EventPage {
    /// Position among the block's pages.
    pub index: u32,
    /// Number of the block's pages.
    pub count: u32,
    /// The events.
    pub events: BoundedVec<L1Event, ConstU32<MAX_EVENTS_PER_PAGE>>,
}

impl EventPage {
    fn leaf(&self) -> H256 {
        hash(b"CASL2PAGE1", &[&self.encode()])
    }
}

/// The path from a page to its block's root: the siblings, lowest first.
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
)]
pub struct PageProof(pub BoundedVec<H256, ConstU32<MAX_PROOF_DEPTH>>);

/// Why a page is not part of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageError {
    /// The index is not below the count.
    IndexOutOfRange,
    /// The proof has too many or too few hashes, or leads to another root.
    WrongProof,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IndexOutOfRange => "page index out of range",
            Self::WrongProof => "page is not under the root",
        })
    }
}

/// Cuts events into pages: each as full as both limits allow, in order.
pub fn paginate(events: Vec<L1Event>) -> Vec<EventPage> {
    // Index, count and the events' own length prefix.
    const OVERHEAD: usize = 16;
    let mut pages: Vec<Vec<L1Event>> = Vec::new();
    let mut bytes = 0;
    for event in events {
        let size = event.encoded_size();
        let fits = pages.last().is_some_and(|page| {
            page.len() < MAX_EVENTS_PER_PAGE as usize && bytes + size + OVERHEAD <= MAX_PAGE_BYTES
        });
        if !fits {
            pages.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(page) = pages.last_mut() {
            page.push(event);
        }
    }
    let count = pages.len() as u32;
    pages
        .into_iter()
        .enumerate()
        .map(|(index, events)| EventPage {
            index: index as u32,
            count,
            events: BoundedVec::truncate_from(events),
        })
        .collect()
}

/// The root over all pages of a block; zero for none.
pub fn pages_root(pages: &[EventPage]) -> H256 {
    PageTree::of(pages).root()
}

/// The tree over a block's pages. Made once, it gives the proof of each without hashing
/// the pages again.
#[derive(Clone, Debug)]
pub struct PageTree(Vec<Vec<H256>>);

impl PageTree {
    /// Hashes all pages.
    pub fn of(pages: &[EventPage]) -> Self {
        let mut levels = Vec::from([pages.iter().map(EventPage::leaf).collect::<Vec<_>>()]);
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let next = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => parent(left, right),
                    odd => odd[0],
                })
                .collect();
            levels.push(next);
        }
        Self(levels)
    }

    /// Zero for no pages.
    pub fn root(&self) -> H256 {
        self.0.last().and_then(|level| level.first().copied()).unwrap_or_default()
    }

    /// The proof of the page at `index`; `None` if there is no such page or the tree is
    /// deeper than [`MAX_PROOF_DEPTH`].
    pub fn proof(&self, index: u32) -> Option<PageProof> {
        let mut position = index as usize;
        self.0.first()?.get(position)?;
        let mut path = BoundedVec::new();
        for level in &self.0 {
            if let Some(sibling) = level.get(position ^ 1).filter(|_| level.len() > 1) {
                path.try_push(*sibling).ok()?;
            }
            position /= 2;
        }
        Some(PageProof(path))
    }
}

impl PageProof {
    /// The proof of one page of a block: [`PageTree::proof`], where only one is wanted.
    pub fn of(pages: &[EventPage], index: u32) -> Option<Self> {
        PageTree::of(pages).proof(index)
    }

    /// Checks that `page` stands under `root`.
    ///
    /// # Errors
    /// [`PageError`] when it does not.
    pub fn verify(&self, page: &EventPage, root: &H256) -> Result<(), PageError> {
        (self.root(page)? == *root).then_some(()).ok_or(PageError::WrongProof)
    }

    /// The root that the proof leads to from `page`.
    ///
    /// # Errors
    /// [`PageError`] when it is no proof of a page in this place.
    pub fn root(&self, page: &EventPage) -> Result<H256, PageError> {
        if page.index >= page.count {
            return Err(PageError::IndexOutOfRange);
        }
        let mut path = self.0.iter();
        let (mut node, mut position, mut width) = (page.leaf(), page.index, page.count);
        while width > 1 {
            // The last node of an odd level has no sibling and moves up as it is.
            if position ^ 1 < width {
                let sibling = path.next().ok_or(PageError::WrongProof)?;
                node =
                    if position % 2 == 0 { parent(&node, sibling) } else { parent(sibling, &node) };
            }
            position /= 2;
            width = width.div_ceil(2);
        }
        path.next().is_none().then_some(node).ok_or(PageError::WrongProof)
    }
}

fn parent(left: &H256, right: &H256) -> H256 {
    hash(b"CASL2NODE1", &[left.as_bytes(), right.as_bytes()])
}

fn hash(domain: &[u8], parts: &[&[u8]]) -> H256 {
    let hasher = parts.iter().fold(Sha256::new_with_prefix(domain), |h, part| h.chain_update(part));
    H256(hasher.finalize().into())
}
