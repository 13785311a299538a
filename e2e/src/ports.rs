//! Free TCP ports for processes that want theirs named beforehand.

use crate::error::{Error, Result};
use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range from which Linux takes the ports of outgoing connections
/// (32768 and up), so that no connection takes a port between choice and use.
const FIRST: u16 = 21_000;
const LAST: u16 = 31_900;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of loopback that nobody listens on, given out once in this process.
/// Processes start at different places, so parallel runs rarely meet.
///
/// # Errors
/// [`Error::Other`] if the whole range is taken.
pub fn free() -> Result<u16> {
    let span = LAST - FIRST;
    let start = (std::process::id().wrapping_mul(97) % u32::from(span)) as u16;
    for _ in 0..span {
        let offset = NEXT.fetch_add(1, Ordering::SeqCst) % span;
        let port = FIRST + (start + offset) % span;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::other(format!("no free TCP port between {FIRST} and {LAST}")))
}
