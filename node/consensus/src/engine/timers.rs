//! The core's timers of the current height.

use cascoin_bft::Timeout;
use std::time::{Duration, Instant};

/// Timers that have not fired. Stale ones may fire: the core ignores them.
#[derive(Default)]
pub(super) struct Timers(Vec<(Instant, Timeout)>);

impl Timers {
    pub(super) fn start(&mut self, timeout: Timeout, duration_ms: u64) {
        self.0.push((Instant::now() + Duration::from_millis(duration_ms), timeout));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|(at, _)| *at).min()
    }

    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Timeout> {
        let mut due: Vec<_> = self.0.extract_if(.., |(at, _)| *at <= now).collect();
        due.sort_unstable_by_key(|(at, timeout)| (*at, *timeout));
        due.into_iter().map(|(_, timeout)| timeout).collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
