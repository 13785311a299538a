//! How long each wait of a round lasts.
//!
//! Liveness needs waits that at some round exceed the network's delay, so they grow with the
//! round; the cap keeps a long outage from making the recovery slow as well.

use crate::types::{Round, TimeoutKind};

/// No wait is longer than this.
pub const MAX_TIMEOUT_MS: u64 = 30_000;

/// Waits of round zero, in milliseconds; each later round waits half as long again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimeoutParams {
    /// Wait for a proposal.
    pub propose_ms: u64,
    /// Wait after a quorum of prevotes that do not agree.
    pub prevote_ms: u64,
    /// Wait after a quorum of precommits that do not agree.
    pub precommit_ms: u64,
}

impl TimeoutParams {
    /// The wait of `kind` in `round`: the base, plus 50 % (rounded up) a round, compounded, at
    /// least 1 ms and at most [`MAX_TIMEOUT_MS`].
    ///
    /// Rounding up makes the growth strict below the cap, whatever the base is.
    pub fn duration_ms(&self, kind: TimeoutKind, round: Round) -> u64 {
        let base_ms = match kind {
            TimeoutKind::Propose => self.propose_ms,
            TimeoutKind::Prevote => self.prevote_ms,
            TimeoutKind::Precommit => self.precommit_ms,
        };
        let mut duration_ms = base_ms.clamp(1, MAX_TIMEOUT_MS);
        for _ in 0..round.0 {
            if duration_ms == MAX_TIMEOUT_MS {
                break;
            }
            duration_ms = duration_ms.saturating_add(duration_ms.div_ceil(2)).min(MAX_TIMEOUT_MS);
        }
        duration_ms
    }
}
