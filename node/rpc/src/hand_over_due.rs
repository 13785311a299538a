//! Whether a hand-over is due (R17.6, ADR 0035): the part of it that a node can see for
//! itself.
//!
//! A forced transaction of this chain must stand on L1, so deep that it would have been
//! attested, for twice the time within which the chain includes it; and this node's last
//! final block must not have applied that L1 block. What was attested and not applied is
//! not applied: attesting alone brings nobody's transaction about.
//!
//! It holds of a set that is gone, of one that makes no blocks and of one that does not
//! apply L1. It holds as well on a node that is cut off from a set that works, and no node
//! can tell these apart: that is why operators decide.

use cascoin_l1::forced_block::ForcedInBlock;
use cascoin_l2_primitives::chain::ChainParameters;

/// Times of `forced_inclusion_s` that must be over.
const DEADLINES: u64 = 2;

/// What of it does not hold, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDue {
    /// The chain includes no forced transactions.
    #[error("this chain has no time within which it includes what L1 forces")]
    NoDeadline,
    /// The set did bring what L1 said.
    #[error(
        "this chain has applied L1 up to height {applied}, and the forced transaction stands at \
         {height}: its sequencers heard of it. Force another one if they stopped since"
    )]
    Applied {
        /// Height of the forced transaction's block.
        height: u32,
        /// The last height that is applied.
        applied: u32,
    },
    /// L1 may still drop it.
    #[error(
        "the L1 block has {confirmations} confirmations, and must have {missing} more before \
         anybody acts on it"
    )]
    TooShallow {
        /// What it has.
        confirmations: u32,
        /// What it lacks.
        missing: u32,
    },
    /// The set may still be on its way.
    #[error(
        "by L1's median times the L1 block is {age_s} seconds old, and the second deadline is over \
         in {missing_s} seconds"
    )]
    TooEarly {
        /// Seconds between its median time and the tip's.
        age_s: u64,
        /// Seconds that are left.
        missing_s: u64,
    },
}

/// Seconds of L1's median time that a forced transaction must have waited for; `None` if the
/// chain has no deadline.
pub fn second_deadline_s(parameters: &ChainParameters) -> Option<u64> {
    let deadline = parameters.forced_inclusion_s;
    (deadline > 0).then(|| deadline.saturating_mul(DEADLINES))
}

/// Whether one is due, by what L1 shows and by the last L1 height that the state behind the
/// finalized head has applied.
///
/// # Errors
/// [`NotDue`]: what no waiting mends comes first.
pub fn check(
    found: &ForcedInBlock,
    applied: u32,
    parameters: &ChainParameters,
) -> Result<(), NotDue> {
    let deadline_s = second_deadline_s(parameters).ok_or(NotDue::NoDeadline)?;
    let height = found.height;
    if applied >= height {
        return Err(NotDue::Applied { height, applied });
    }
    let confirmations = found.confirmations;
    let missing = parameters.l1_confirmations.saturating_sub(confirmations);
    if missing > 0 {
        return Err(NotDue::TooShallow { confirmations, missing });
    }
    let age_s = u64::from(found.tip_median_time.saturating_sub(found.median_time));
    let missing_s = deadline_s.saturating_sub(age_s);
    if missing_s > 0 {
        return Err(NotDue::TooEarly { age_s, missing_s });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> ChainParameters {
        ChainParameters {
            l1_confirmations: 6,
            forced_inclusion_s: 600,
            ..ChainParameters::default()
        }
    }

    const FOUND: ForcedInBlock = ForcedInBlock {
        height: 101,
        confirmations: 6,
        median_time: 10_000,
        tip_median_time: 11_200,
    };

    #[test]
    fn r17_6_each_part_of_the_condition_holds_exactly_from_its_bound_on() {
        let check = |found: ForcedInBlock, applied| check(&found, applied, &parameters());
        assert_eq!(check(FOUND, 100), Ok(()));
        assert_eq!(check(FOUND, 0), Ok(()));
        assert_eq!(check(FOUND, 101), Err(NotDue::Applied { height: 101, applied: 101 }));
        assert_eq!(check(FOUND, 102), Err(NotDue::Applied { height: 101, applied: 102 }));
        let shallow = NotDue::TooShallow { confirmations: 5, missing: 1 };
        assert_eq!(check(ForcedInBlock { confirmations: 5, ..FOUND }, 100), Err(shallow));
        assert_eq!(check(ForcedInBlock { confirmations: 7, ..FOUND }, 100), Ok(()));
        let early = NotDue::TooEarly { age_s: 1_199, missing_s: 1 };
        assert_eq!(check(ForcedInBlock { tip_median_time: 11_199, ..FOUND }, 100), Err(early));
        assert_eq!(check(ForcedInBlock { tip_median_time: 11_201, ..FOUND }, 100), Ok(()));
    }

    #[test]
    fn what_no_waiting_mends_is_said_first() {
        let young = ForcedInBlock { confirmations: 1, tip_median_time: 10_000, ..FOUND };
        let check = |applied| check(&young, applied, &parameters());
        assert_eq!(check(101), Err(NotDue::Applied { height: 101, applied: 101 }));
        assert_eq!(check(100), Err(NotDue::TooShallow { confirmations: 1, missing: 5 }));
    }

    /// Genesis allows none of these; a table that has them must not make a hand-over due.
    #[test]
    fn odd_parameters_and_times_never_make_one_due_too_early() {
        let with = |forced_inclusion_s, l1_confirmations| ChainParameters {
            forced_inclusion_s,
            l1_confirmations,
            ..ChainParameters::default()
        };
        assert_eq!(check(&FOUND, 100, &with(0, 6)), Err(NotDue::NoDeadline));
        assert_eq!(second_deadline_s(&with(0, 6)), None);
        assert_eq!(second_deadline_s(&with(86_400, 6)), Some(172_800));
        let never = NotDue::TooEarly { age_s: 1_200, missing_s: u64::MAX - 1_200 };
        assert_eq!(check(&FOUND, 100, &with(u64::MAX, 6)), Err(never));
        // Times that fall are none that L1 has.
        let falling = ForcedInBlock { tip_median_time: 9_000, ..FOUND };
        let early = NotDue::TooEarly { age_s: 0, missing_s: 1_200 };
        assert_eq!(check(&falling, 100, &with(600, 0)), Err(early));
        assert_eq!(check(&FOUND, 100, &with(600, 0)), Ok(()));
    }
}
