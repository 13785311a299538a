//! Free TCP ports for processes that want theirs named beforehand.

use crate::error::{Error, Result};
use std::{
    env,
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range from which Linux takes the ports of outgoing connections
/// (32768 and up), so that no connection takes a port between choice and use.
const FIRST: u16 = 21_000;
const LAST: u16 = 31_900;
/// Which of [`WORKERS`] workers of the test suite runs this process. Each has a part of
/// the range, so that no two tests that run at once choose the same port.
const WORKER: &str = "CASCOIN_TEST_WORKER";
const WORKERS: u16 = 8;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// Where to look, and how many ports from there on.
fn part(worker: Option<u16>) -> (u16, u16) {
    match worker {
        Some(worker) => {
            let span = (LAST - FIRST) / WORKERS;
            (FIRST + worker % WORKERS * span, span)
        }
        None => (FIRST, LAST - FIRST),
    }
}

/// A port of loopback that nobody listens on, given out once in this process.
/// Processes start at different places, so parallel runs rarely meet.
///
/// # Errors
/// [`Error::Other`] if all of them are taken.
pub fn free() -> Result<u16> {
    let worker = env::var(WORKER).ok().and_then(|number| number.parse().ok());
    let (first, span) = part(worker);
    let start = (std::process::id().wrapping_mul(97) % u32::from(span)) as u16;
    for _ in 0..span {
        let offset = NEXT.fetch_add(1, Ordering::SeqCst) % span;
        let port = first + (start + offset) % span;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::other(format!("no free TCP port between {first} and {}", first + span)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_share_no_port() {
        let parts: Vec<_> = (0..WORKERS).map(|worker| part(Some(worker))).collect();
        for pair in parts.windows(2) {
            assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{pair:?}");
        }
        assert!(parts.iter().all(|(first, span)| *first >= FIRST && first + span <= LAST));
        assert!(parts[0].1 > 1_000);
    }
}
