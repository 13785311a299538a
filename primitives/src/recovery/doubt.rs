//! What is in doubt after a fork of L1, for users and the node (R19.4).

use super::RecoveryPoint;
use crate::chain::Balance;
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// L1 dropped blocks that this chain had acted on. What happened since may stand on coins
/// that nothing backs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Doubt {
    /// The last block before it; a recovery would go back to its state. `None` if it is
    /// not known any more, after forks that overtook each other far below.
    pub since: Option<RecoveryPoint>,
    /// Whether following L1 forward is over, and left a deficit. Before, all may come again.
    pub stands: bool,
}

impl Doubt {
    /// The doubt of a fork that had an effect: before anybody knows what comes again.
    pub fn of(since: Option<RecoveryPoint>) -> Self {
        Self { since, stands: false }
    }

    /// This doubt after another fork: it reaches as far back as both.
    pub fn and(self, other: Self) -> Self {
        let since = match (self.since, other.since) {
            (Some(one), Some(two)) => Some(one.earlier(two)),
            _ => None,
        };
        Self::of(since)
    }
}

/// What is in doubt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RecoveryStatus {
    /// `None` if nothing is.
    pub doubt: Option<Doubt>,
    /// Minted for burns that L1 dropped, and not there to be taken back.
    pub deficit: Balance,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(number: u32) -> Option<RecoveryPoint> {
        Some(RecoveryPoint { number, ..RecoveryPoint::default() })
    }

    #[test]
    fn r19_4_two_doubts_reach_as_far_back_as_the_older_one() {
        let (old, new) = (Doubt::of(point(4)), Doubt::of(point(9)));
        assert_eq!((old.and(new), new.and(old)), (old, old));
        let unknown = Doubt::of(None);
        assert_eq!((old.and(unknown), unknown.and(old)), (unknown, unknown));
        // What comes again is open once more.
        assert_eq!(Doubt { stands: true, ..old }.and(new), old);
    }
}
