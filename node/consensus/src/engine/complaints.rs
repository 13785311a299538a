//! Saying what is wrong, but not all the time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A fault that lasts, or comes back, is said again after this time.
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// Texts that are remembered.
const MANY: usize = 64;

/// When each text was said last.
#[derive(Default)]
pub(super) struct Complaints(BTreeMap<String, Instant>);

impl Complaints {
    /// Whether a text is to be said now; it counts as said then.
    pub(super) fn is_due(&mut self, text: &str, now: Instant) -> bool {
        self.0.retain(|_, said| now.saturating_duration_since(*said) < AGAIN);
        if self.0.contains_key(text) {
            return false;
        }
        if self.0.len() >= MANY {
            self.0.clear();
        }
        self.0.insert(text.into(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_comes_back_is_said_again() {
        let mut complaints = Complaints::default();
        let now = Instant::now();
        assert!(complaints.is_due("the disk is full", now));
        assert!(!complaints.is_due("the disk is full", now + AGAIN / 2));
        assert!(complaints.is_due("the token is gone", now + AGAIN / 2));
        assert!(complaints.is_due("the disk is full", now + AGAIN));
        assert!(!complaints.is_due("the disk is full", now + AGAIN));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut complaints = Complaints::default();
        let now = Instant::now();
        for number in 0..1_000 {
            assert!(complaints.is_due(&number.to_string(), now));
            assert!(complaints.0.len() <= MANY);
        }
    }
}
