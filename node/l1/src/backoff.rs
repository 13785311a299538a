//! Pauses between attempts.
//!
//! Each lasts twice as long as the one before, up to a longest one, and a random part of
//! it is left out: sequencers that lost the same thing at the same moment do not come back
//! to it in step.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

/// The pause behind one of this length.
pub(crate) fn doubled(pause: Duration, longest: Duration) -> Duration {
    pause.saturating_mul(2).min(longest)
}

/// A random pause from a half of `pause` to all of it.
pub(crate) fn jittered(pause: Duration) -> Duration {
    // The standard library seeds it at random, which is good enough to get out of step.
    part(pause, RandomState::new().build_hasher().finish())
}

fn part(pause: Duration, random: u64) -> Duration {
    const STEPS: u32 = 1_024;
    let half = pause / 2;
    let step = u32::try_from(random % u64::from(STEPS + 1)).unwrap_or(STEPS);
    half + (pause - half) * step / STEPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let longest = Duration::from_secs(30);
        let mut pause = Duration::from_millis(250);
        let pauses: Vec<_> = (0..9)
            .map(|_| {
                pause = doubled(pause, longest);
                pause.as_millis()
            })
            .collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn a_random_part_of_a_pause_is_left_out_but_never_more_than_half() {
        let pause = Duration::from_secs(8);
        assert_eq!(part(pause, 0), Duration::from_secs(4));
        assert_eq!(part(pause, 512), Duration::from_secs(6));
        assert_eq!(part(pause, 1_024), pause);
        assert_eq!(part(Duration::ZERO, 7), Duration::ZERO);
        let drawn: Vec<_> = (0..64).map(|_| jittered(pause)).collect();
        assert!(drawn.iter().all(|drawn| (pause / 2..=pause).contains(drawn)), "{drawn:?}");
        assert!(drawn.iter().any(|one| *one != drawn[0]), "not all at once: {drawn:?}");
    }
}
