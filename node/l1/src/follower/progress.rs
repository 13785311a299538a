//! How far a long backlog of L1 blocks is: for the log, RPC and metrics.

use super::{
    engine::{Engine, Step},
    RelayPosition, LOG,
};
use serde::Serialize;
use std::time::{Duration, Instant};

/// A backlog of so many blocks is a long one: more than an hour of L1 at its target.
pub const LONG_BACKLOG: u32 = 32;
/// Time between two lines in the log.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// How far the reading of a long backlog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CatchUp {
    /// L1 height from which it began.
    pub from: u32,
    /// L1 height up to which it is read.
    pub readable: u32,
    /// L1 height that is deep enough to be read.
    pub target: u32,
    /// How much of it is done, rounded down.
    pub percent: u8,
}

/// Watches a backlog.
pub(super) struct Progress {
    catch_up: Option<CatchUp>,
    reported: Instant,
}

/// What to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Report {
    Nothing,
    UnderWay(CatchUp),
    Done(u32),
}

impl Progress {
    pub(super) fn new(now: Instant) -> Self {
        Self { catch_up: None, reported: now }
    }

    /// The backlog, while there is a long one.
    pub(super) fn catch_up(&self) -> Option<CatchUp> {
        self.catch_up
    }

    /// Takes note of where the follower stands, and writes to the log now and then.
    pub(super) fn note(
        &mut self,
        engine: &Engine,
        step: &Step,
        position: &RelayPosition,
        now: Instant,
    ) {
        let Some(target) = engine.deep_height() else { return };
        match self.advance(engine.readable_height(), target, now) {
            Report::Nothing => {}
            Report::UnderWay(CatchUp { readable, target, percent, .. }) => {
                // What is read goes ahead of what is attested only so far.
                let waits = if step.more { "" } else { "; it waits for the sequencers' votes" };
                let attested = position.attested_height;
                log::info!(
                    target: LOG,
                    "reading L1: block {readable} of {target} ({percent} %), attested up to \
                     {attested}{waits}",
                );
            }
            Report::Done(readable) => log::info!(target: LOG, "L1 is read up to block {readable}"),
        }
    }

    fn advance(&mut self, readable: u32, target: u32, now: Instant) -> Report {
        let left = target.saturating_sub(readable);
        let begun = match self.catch_up {
            None if left < LONG_BACKLOG => return Report::Nothing,
            None => {
                self.reported = now;
                readable
            }
            // After a reorganisation it may be below where it began.
            Some(before) => before.from.min(readable),
        };
        if left == 0 {
            self.catch_up = None;
            return Report::Done(readable);
        }
        let whole = u64::from(target - begun).max(1);
        let percent = (u64::from(readable - begun) * 100 / whole) as u8;
        let catch_up = CatchUp { from: begun, readable, target, percent };
        self.catch_up = Some(catch_up);
        if now.duration_since(self.reported) < REPORT_INTERVAL {
            return Report::Nothing;
        }
        self.reported = now;
        Report::UnderWay(catch_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_backlog_is_told_of_now_and_then_until_it_is_read() {
        let start = Instant::now();
        let mut progress = Progress::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(progress.advance(100, 131, at(60)), Report::Nothing, "a short one is none");
        assert_eq!(progress.catch_up(), None);

        let of = |readable, target, percent| CatchUp { from: 1_000, readable, target, percent };
        assert_eq!(progress.advance(1_000, 5_000, at(60)), Report::Nothing, "it has just begun");
        assert_eq!(progress.catch_up(), Some(of(1_000, 5_000, 0)));
        assert_eq!(progress.advance(1_400, 5_000, at(69)), Report::Nothing);
        let tenth = of(1_400, 5_000, 10);
        assert_eq!(progress.catch_up(), Some(tenth));
        assert_eq!(progress.advance(1_400, 5_000, at(70)), Report::UnderWay(tenth));
        assert_eq!(progress.advance(1_500, 5_000, at(79)), Report::Nothing, "not so soon again");
        // L1 goes on meanwhile, and little is left.
        let nearly = of(5_009, 5_010, 99);
        assert_eq!(progress.advance(5_009, 5_010, at(90)), Report::UnderWay(nearly));
        assert_eq!(progress.advance(5_010, 5_010, at(91)), Report::Done(5_010));
        assert_eq!(progress.catch_up(), None);
        assert_eq!(progress.advance(5_010, 5_012, at(200)), Report::Nothing);
    }

    #[test]
    fn heights_that_fall_do_no_harm() {
        let start = Instant::now();
        let mut progress = Progress::new(start);
        progress.advance(500, 600, start);
        progress.advance(300, 400, start);
        let expected = CatchUp { from: 300, readable: 300, target: 400, percent: 0 };
        assert_eq!(progress.catch_up(), Some(expected));
        assert_eq!(progress.advance(u32::MAX, 0, start), Report::Done(u32::MAX));
    }
}
