//! The state is made to be as pages say, in bounded steps.
//!
//! A restoration goes through *parts* of the state, each all that begins with a prefix,
//! one after the other and by the order of keys. What a page shows is written, and what
//! is there and not in the page is removed. Where it stands is a [`Cursor`], which is kept
//! with the state: after a crash, or when a step's limit is reached in the middle of a
//! page, it goes on from there, and nothing is done twice that matters.
//!
//! While it lasts nothing else may change these parts. What is outside of them is never
//! touched.

use super::StatePage;
use alloc::vec::Vec;
use codec::{Decode, Encode};
use core::fmt;
use scale_info::TypeInfo;

/// The state that is restored.
pub trait State {
    /// The first key after this one; the empty key comes before all.
    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>>;
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// Sets the value of a key.
    fn put(&mut self, key: &[u8], value: &[u8]);
    /// Removes a key.
    fn remove(&mut self, key: &[u8]);
}

/// How far a restoration is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Cursor {
    /// The part it is in; as many as there are parts when it is done.
    pub part: u32,
    /// The last key of the part that is as it shall be; `None` before the first.
    pub after: Option<Vec<u8>>,
}

/// Why a page is not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// All parts are done.
    Done,
    /// It holds nothing, and more is to come.
    Empty,
    /// Its entries are not those of the part that is due, behind the cursor, by key.
    WrongEntries,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "nothing is left to be restored",
            Self::Empty => "the page holds nothing",
            Self::WrongEntries => "the page's entries are not those that are due",
        })
    }
}

impl core::error::Error for RestoreError {}

impl Cursor {
    /// The part that is due; `None` when all are done.
    pub fn due<'a>(&self, parts: &'a [Vec<u8>]) -> Option<&'a [u8]> {
        parts.get(usize::try_from(self.part).ok()?).map(Vec::as_slice)
    }
}

/// Applies a page to `state`, at most `limit` keys of it, and moves the cursor. Returns how
/// many keys it looked at. With fewer keys than the page needs, the rest of the page is
/// still due; the cursor says from where on.
///
/// No prefix in `parts` begins another one.
///
/// # Errors
/// [`RestoreError`]; then nothing has changed.
pub fn restore(
    state: &mut impl State,
    parts: &[Vec<u8>],
    cursor: &mut Cursor,
    page: &StatePage,
    limit: u32,
) -> Result<u32, RestoreError> {
    let prefix = cursor.due(parts).ok_or(RestoreError::Done)?;
    check(prefix, cursor, page)?;
    // How far the page speaks of what is there.
    let last = page.entries.last().map(|(key, _)| key.as_slice());
    let within = |key: &Vec<u8>| {
        key.starts_with(prefix)
            && (page.complete || last.is_some_and(|last| key.as_slice() <= last))
    };
    let mut wanted = page.entries.iter().peekable();
    let mut looked_at = 0;
    loop {
        let there = next_there(state, prefix, cursor.after.as_deref()).filter(within);
        let next = wanted.peek().map(|(key, _)| key.clone());
        let key = match (there, next) {
            (None, None) => break,
            (Some(there), Some(next)) => there.min(next),
            (Some(key), None) | (None, Some(key)) => key,
        };
        if looked_at >= limit {
            return Ok(looked_at);
        }
        looked_at = looked_at.saturating_add(1);
        match wanted.next_if(|(next, _)| *next == key) {
            Some((_, value)) if state.get(&key).as_ref() == Some(value) => {}
            Some((_, value)) => state.put(&key, value),
            None => state.remove(&key),
        }
        cursor.after = Some(key);
    }
    if page.complete {
        *cursor = Cursor { part: cursor.part.saturating_add(1), after: None };
    }
    Ok(looked_at)
}

// The first key of a part after `after`. A part may be one key alone: its prefix.
fn next_there(state: &impl State, prefix: &[u8], after: Option<&[u8]>) -> Option<Vec<u8>> {
    match after {
        Some(after) => state.next_key(after),
        None if state.get(prefix).is_some() => Some(prefix.to_vec()),
        None => state.next_key(prefix),
    }
}

fn check(prefix: &[u8], cursor: &Cursor, page: &StatePage) -> Result<(), RestoreError> {
    if page.entries.is_empty() && !page.complete {
        return Err(RestoreError::Empty);
    }
    let mut last = cursor.after.as_deref();
    for (key, _) in &page.entries {
        let follows = last.is_none_or(|last| last < key.as_slice());
        if !follows || !key.starts_with(prefix) {
            return Err(RestoreError::WrongEntries);
        }
        last = Some(key);
    }
    Ok(())
}
