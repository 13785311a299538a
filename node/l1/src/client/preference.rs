//! Which of several nodes is asked first.
//!
//! The node that answered last is, so that one that is down costs its time-out once and
//! not with every call. Where that is not the first of the list, the preferred ones get
//! another chance now and then: at first after [`FIRST_RETURN`], and after twice as long
//! each time one of them fails again, up to [`LONGEST_RETURN`].

use crate::backoff::doubled;
use std::time::{Duration, Instant};

/// How long a preferred node that failed is left alone at first, unless the configuration
/// says otherwise.
pub const FIRST_RETURN: Duration = Duration::from_secs(60);
/// Longest time for which it is. One that has stayed good for as long begins anew.
pub const LONGEST_RETURN: Duration = Duration::from_secs(16 * 60);

/// The state of the choice.
#[derive(Debug)]
pub(super) struct Preference {
    /// Index of the node that is asked first.
    active: usize,
    /// Since when it is.
    since: Instant,
    first_return: Duration,
    /// How long the preferred ones are left alone.
    pause: Duration,
    /// When they get another chance.
    return_at: Instant,
}

impl Preference {
    pub(super) fn new(first_return: Duration, now: Instant) -> Self {
        Self { active: 0, since: now, first_return, pause: Duration::ZERO, return_at: now }
    }

    /// The node that is asked first, unless a better one has another chance.
    pub(super) fn active(&self) -> usize {
        self.active
    }

    /// The node to begin with. One call finds out whether the preferred nodes are back;
    /// others that come before it has, go on as before.
    pub(super) fn first(&mut self, now: Instant) -> usize {
        if self.active == 0 || now < self.return_at {
            return self.active;
        }
        self.leave_alone(now);
        0
    }

    /// From now on `node` is asked first.
    pub(super) fn set(&mut self, node: usize, now: Instant) {
        if node == self.active {
            return;
        }
        if node > self.active {
            if self.active == 0 && now.duration_since(self.since) >= LONGEST_RETURN {
                self.pause = Duration::ZERO;
            }
            self.leave_alone(now);
        }
        (self.active, self.since) = (node, now);
    }

    fn leave_alone(&mut self, now: Instant) {
        let longest = LONGEST_RETURN.max(self.first_return);
        self.pause = doubled(self.pause, longest).max(self.first_return);
        self.return_at = now + self.pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn preference() -> (Preference, Instant) {
        let now = Instant::now();
        (Preference::new(FIRST_RETURN, now), now)
    }

    #[test]
    fn the_node_that_answered_last_is_asked_first() {
        let (mut preference, now) = preference();
        assert_eq!(preference.first(now), 0);
        preference.set(2, now);
        assert_eq!(preference.first(now + 59 * SECOND), 2);
        preference.set(0, now);
        assert_eq!(preference.first(now + 59 * SECOND), 0);
    }

    #[test]
    fn preferred_nodes_get_another_chance_later_each_time() {
        let (mut preference, start) = preference();
        preference.set(1, start);
        let mut now = start;
        for minutes in [1u32, 2, 4, 8, 16, 16, 16] {
            now += minutes * 60 * SECOND - SECOND;
            assert_eq!(preference.first(now), 1, "not before {minutes} minutes");
            now += SECOND;
            assert_eq!(preference.first(now), 0, "after {minutes} minutes");
            // Somebody else calls while the first one waits for its answer.
            assert_eq!(preference.first(now), 1);
            // It failed again, and the same other one answered.
            preference.set(1, now);
        }
    }

    #[test]
    fn who_was_good_for_long_begins_anew_and_who_comes_and_goes_does_not() {
        let (mut preference, start) = preference();
        preference.set(1, start);
        preference.set(0, start + SECOND);
        preference.set(1, start + 2 * SECOND);
        assert_eq!(preference.first(start + 62 * SECOND), 1, "two minutes the second time");
        assert_eq!(preference.first(start + 122 * SECOND), 0);
        preference.set(0, start + 122 * SECOND);
        let late = start + 122 * SECOND + LONGEST_RETURN;
        preference.set(1, late);
        assert_eq!(preference.first(late + FIRST_RETURN), 0, "one minute again");
    }
}
