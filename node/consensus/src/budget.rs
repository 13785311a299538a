//! What a peer may send in a second.

use std::time::{Duration, Instant};

/// What a peer has sent in the second that began at `since`.
pub(crate) struct Budget {
    since: Instant,
    messages: u32,
    bytes: usize,
}

impl Budget {
    /// Nothing yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, messages: 0, bytes: 0 }
    }

    /// Counts one message; whether the second's messages and bytes are within limits.
    pub(crate) fn allows(
        &mut self,
        bytes: usize,
        now: Instant,
        max_messages: u32,
        max_bytes: usize,
    ) -> bool {
        if self.is_over(now) {
            *self = Self::new(now);
        }
        self.messages = self.messages.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        self.messages <= max_messages && self.bytes <= max_bytes
    }

    /// Whether its second is over.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= Duration::from_secs(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_noticed_by_number_and_by_size_and_forgotten_after_a_second() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        assert!((0..3).all(|_| budget.allows(1, start, 3, 10)));
        assert!(!budget.allows(1, start, 3, 10));
        let later = start + Duration::from_secs(1);
        assert!(budget.is_over(later));
        assert!(budget.allows(10, later, 3, 10));
        assert!(!budget.allows(1, later, 3, 10));
    }
}
