//! Pieces of a past block's state, checked against its state root.
//!
//! A page is a set of trie nodes. From the root down they show the entries of a part of
//! the state, from a key on, in the order of their keys, up to where a node is missing.
//! Whoever makes pages can leave nodes out, and so end a page early; it cannot leave out,
//! add or change an entry before that place, since each node is found by the hash that
//! stands in the one above it.

use crate::chain::BlockHash;
use alloc::vec::Vec;
use core::fmt;
use sp_runtime::traits::BlakeTwo256;
use sp_trie::{LayoutV1, StorageProof, TrieDBBuilder, TrieDBRawIterator, TrieError};

/// Reads tries of both versions.
type Layout = LayoutV1<BlakeTwo256>;

/// What a page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatePage {
    /// Keys and values, by key.
    pub entries: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether there is none behind them.
    pub complete: bool,
}

/// Why a page cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageError {
    /// It shows nothing: a node on the way to its first entry is missing.
    ShowsNothing,
    /// A node is none that a state has.
    Malformed,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::ShowsNothing => "a node on the way to the page's first entry is missing",
            Self::Malformed => "the page holds a node that no state has",
        })
    }
}

impl core::error::Error for PageError {}

/// Reads the entries whose keys begin with `prefix` and come after `after`, of the state
/// with this root.
///
/// # Errors
/// [`PageError`], when the proof shows nothing that could be used.
pub fn read_page(
    root: &BlockHash,
    proof: &StorageProof,
    prefix: &[u8],
    after: Option<&[u8]>,
) -> Result<StatePage, PageError> {
    let nodes = proof.to_memory_db::<BlakeTwo256>();
    let trie = TrieDBBuilder::<Layout>::new(&nodes, root).build();
    let begin = after.unwrap_or(prefix);
    let mut items = TrieDBRawIterator::new_prefixed_then_seek(&trie, prefix, begin)
        .map_err(|error| PageError::of(&error))?;
    let mut page = StatePage::default();
    loop {
        match items.next_item(&trie) {
            // The iterator begins with `after` itself.
            Some(Ok((key, _))) if after.is_some_and(|after| key.as_slice() <= after) => {}
            Some(Ok(entry)) => page.entries.push(entry),
            None => {
                page.complete = true;
                return Ok(page);
            }
            Some(Err(error)) => {
                return match PageError::of(&error) {
                    PageError::ShowsNothing if !page.entries.is_empty() => Ok(page),
                    error => Err(error),
                }
            }
        }
    }
}

impl PageError {
    pub(super) fn of(error: &TrieError<Layout>) -> Self {
        match error {
            TrieError::<Layout>::InvalidStateRoot(_)
            | TrieError::<Layout>::IncompleteDatabase(_) => Self::ShowsNothing,
            _ => Self::Malformed,
        }
    }
}
