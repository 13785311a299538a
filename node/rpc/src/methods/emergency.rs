//! The emergency as `l2_getchaininfo` shows it: what the chain says itself, and what this node
//! sees while the chain makes no blocks and cannot say anything (R12.1).

use cascoin_l2_primitives::{
    chain::{ChainParameters, Moment},
    liveness::{LivenessReport, LivenessRules},
    registry::ChainStatus,
};
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Emergency {
    /// Whether the chain says so, or this node has seen no block for the delay.
    active: bool,
    /// Whether the chain says so: all nodes see that, and users' calls are refused.
    on_chain: bool,
    /// Since when the chain says so, milliseconds since 1970; else since when this node sees
    /// it.
    since: Option<Moment>,
    /// Time of the last block that this node has.
    last_block: Option<Moment>,
    /// How long ago that is by this node's clock.
    silent_seconds: u64,
    /// How long the chain was dead in the outage that lasts, as it says itself.
    outage_seconds: u64,
    /// An outage of this length is an emergency.
    delay_seconds: u64,
    /// What is missing of the life that ends it, in blocks at their usual distance; null
    /// where the chain says of none.
    recovers_in_seconds: Option<u64>,
    /// Whether it ends only when L1 is heard of, or known to be stalled.
    waits_for_l1: bool,
}

/// What a node sees at `now` that has a last block of time `last_block`. One that is still
/// catching up knows nothing of how long ago the chain's last block is.
pub(super) fn look(
    parameters: &ChainParameters,
    report: &LivenessReport,
    last_block: Option<Moment>,
    now: Moment,
    is_syncing: bool,
) -> Emergency {
    let rules = LivenessRules::of(parameters);
    let life = &report.life;
    let silent = match (last_block, is_syncing) {
        (Some(last), false) => now.saturating_sub(last),
        _ => 0,
    };
    let on_chain = life.emergency_since.is_some();
    let seen_here = rules.is_emergency(silent);
    let seen_since =
        last_block.filter(|_| seen_here).map(|last| last.saturating_add(rules.emergency_delay_ms));
    Emergency {
        active: on_chain || seen_here,
        on_chain,
        since: life.emergency_since.or(seen_since),
        last_block,
        silent_seconds: silent / 1_000,
        outage_seconds: life.silence_ms(last_block.unwrap_or_default()) / 1_000,
        delay_seconds: parameters.emergency_delay_s,
        recovers_in_seconds: on_chain
            .then(|| rules.emergency_recovery_ms.saturating_sub(life.lived_ms).div_ceil(1_000)),
        waits_for_l1: on_chain && !life.l1_heard && !life.l1_stalled,
    }
}

impl Emergency {
    /// The chain's status, given what it says itself.
    pub(super) fn status(&self, of_chain: ChainStatus) -> ChainStatus {
        if self.active {
            ChainStatus::Emergency
        } else {
            of_chain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::liveness::{ChainLife, SlowSteps};

    const DAY: Moment = 86_400_000;
    const LAST: Moment = 1_780_000_000_000;

    fn parameters() -> ChainParameters {
        ChainParameters {
            block_time_ms: 500,
            emergency_delay_s: 86_400,
            emergency_recovery_s: 3_600,
            l1_stall_s: 7_200,
            ..Default::default()
        }
    }

    fn alive() -> LivenessReport {
        LivenessReport { status: ChainStatus::Active, life: ChainLife::default() }
    }

    fn seen(report: &LivenessReport, now: Moment, is_syncing: bool) -> Emergency {
        look(&parameters(), report, Some(LAST), now, is_syncing)
    }

    #[test]
    fn r12_1_a_node_without_a_block_for_the_delay_shows_it() {
        let before = seen(&alive(), LAST + DAY - 1, false);
        assert_eq!((before.active, before.since), (false, None));
        assert_eq!(before.silent_seconds, 86_399);
        assert_eq!(before.status(ChainStatus::Active), ChainStatus::Active);
        let after = seen(&alive(), LAST + DAY + 5, false);
        assert_eq!((after.active, after.on_chain), (true, false));
        assert_eq!((after.since, after.last_block), (Some(LAST + DAY), Some(LAST)));
        assert_eq!(after.recovers_in_seconds, None);
        assert_eq!(after.status(ChainStatus::Active), ChainStatus::Emergency);
    }

    #[test]
    fn who_is_catching_up_or_has_no_block_sees_none() {
        assert!(!seen(&alive(), LAST + 9 * DAY, true).active);
        let first = look(&parameters(), &alive(), None, LAST, false);
        assert_eq!((first.active, first.last_block, first.silent_seconds), (false, None, 0));
        // A clock that is behind the chain's.
        assert!(!seen(&alive(), LAST - 1, false).active);
    }

    #[test]
    fn r12_1_what_the_chain_says_counts_while_it_recovers() {
        let life = ChainLife {
            emergency_since: Some(LAST - 600_000),
            last_sign: Some(LAST - DAY - 600_000),
            silent_ms: DAY,
            slow: Some(SlowSteps { since: LAST - 60_000, silent: false }),
            lived_ms: 600_500,
            ..Default::default()
        };
        let report = LivenessReport { status: ChainStatus::Emergency, life };
        let shown = seen(&report, LAST + 1_000, false);
        assert!(shown.active && shown.on_chain && shown.waits_for_l1);
        assert_eq!(shown.since, Some(LAST - 600_000));
        assert_eq!((shown.silent_seconds, shown.outage_seconds), (1, 86_400));
        assert_eq!(shown.recovers_in_seconds, Some(3_000));
        assert_eq!(shown.status(report.status), ChainStatus::Emergency);
        let heard = LivenessReport { life: ChainLife { l1_heard: true, ..life }, ..report };
        assert!(!seen(&heard, LAST, false).waits_for_l1);
    }
}
