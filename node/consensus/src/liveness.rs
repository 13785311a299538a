//! Watches whether the chain lives, from outside (R12.1): while there are no blocks, no
//! runtime can say anything; and whether a recovery runs. Tells the operator by metrics,
//! `cascoin_l2_…`, and in the log, once when something begins and once when it ends.

use crate::header;
use cascoin_l2_primitives::{
    apis::{ChainApi, LivenessApi, RecoveryApi},
    chain::{BlockHash, Moment, OpaqueBlock},
    liveness::{ChainLife, LivenessRules},
    recovery::RecoveryPhase,
};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus::SyncOracle;
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use substrate_prometheus_endpoint::{register, Gauge, PrometheusError, Registry, U64};

/// How often the chain is looked at, and how long a node that starts has to find peers before
/// the first time.
pub const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What was seen at one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Milliseconds since the last block; 0 where this node cannot know.
    silent_ms: Moment,
    /// Whether there was no block for the delay.
    silent: bool,
    /// Whether the chain says that it is in an emergency.
    emergency: bool,
    /// Whether the chain says that L1 is stalled.
    l1_stalled: bool,
    /// What a recovery does, if one runs.
    recovery: Option<RecoveryPhase>,
}

impl Seen {
    fn of(
        rules: &LivenessRules,
        life: &ChainLife,
        last_block: Option<Moment>,
        now: Moment,
        is_syncing: bool,
    ) -> Self {
        let silent_ms = match (last_block, is_syncing) {
            (Some(last), false) => now.saturating_sub(last),
            _ => 0,
        };
        Self {
            silent_ms,
            silent: rules.is_emergency(silent_ms),
            emergency: life.emergency_since.is_some(),
            l1_stalled: life.l1_stalled,
            recovery: None,
        }
    }

    /// How far a recovery is, for the metric.
    fn recovery_phase(&self) -> u64 {
        match self.recovery {
            None => 0,
            Some(RecoveryPhase::Restoring { .. }) => 1,
            Some(RecoveryPhase::Mending) => 2,
            Some(RecoveryPhase::L1Again) => 3,
            Some(RecoveryPhase::Replaying { .. }) => 4,
        }
    }

    /// What the operator has to know of what changed: whether it is bad, and what it is.
    fn news(&self, before: &Self) -> Vec<(bool, &'static str)> {
        let changes = [
            (
                (before.silent, self.silent),
                "no block for the emergency delay: this node sees the chain in an emergency",
                "there are blocks again",
            ),
            (
                (before.emergency, self.emergency),
                "the chain is in an emergency after an outage: users' transactions are refused \
                 until it has recovered (l2_getchaininfo, emergency)",
                "the emergency is over",
            ),
            (
                (before.l1_stalled, self.l1_stalled),
                "nothing is heard of L1 any more: deposits and all else that comes from it wait",
                "L1 goes on",
            ),
            (
                (before.recovery.is_some(), self.recovery.is_some()),
                "a recovery runs: after a fork of L1 the state of users' money goes back, and \
                 their transactions are repeated; new ones are refused meanwhile \
                 (l2_getrecovery)",
                "the recovery is over: l2_getfallentransactions lists what does not hold",
            ),
        ];
        let told = |(change, begins, ends)| match change {
            (false, true) => Some((true, begins)),
            (true, false) => Some((false, ends)),
            _ => None,
        };
        changes.into_iter().filter_map(told).collect()
    }
}

/// The metrics.
#[derive(Clone)]
pub struct LivenessMetrics {
    silence_seconds: Gauge<U64>,
    emergency: Gauge<U64>,
    l1_stalled: Gauge<U64>,
    recovery_phase: Gauge<U64>,
}

impl LivenessMetrics {
    /// Makes them and registers them.
    ///
    /// # Errors
    /// When a name is taken already.
    pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
        let gauge = |name: &str, help: &str| -> Result<Gauge<U64>, PrometheusError> {
            let gauge = Gauge::new(name, help)?;
            match registry {
                Some(registry) => register(gauge, registry),
                None => Ok(gauge),
            }
        };
        Ok(Self {
            silence_seconds: gauge(
                "cascoin_l2_silence_seconds",
                "Age of the last block, while this node is not catching up",
            )?,
            emergency: gauge(
                "cascoin_l2_emergency",
                "1 if the chain is in an emergency, or this node has seen no block for the delay",
            )?,
            l1_stalled: gauge(
                "cascoin_l2_l1_stalled",
                "1 if the relay has not gone on for longer than L1 may be silent",
            )?,
            recovery_phase: gauge(
                "cascoin_l2_recovery_phase",
                "0 while no recovery runs; 1: state goes back, 2: it is mended, 3: L1 is \
                 delivered again, 4: transactions are repeated",
            )?,
        })
    }

    fn set(&self, seen: &Seen) {
        self.silence_seconds.set(seen.silent_ms / 1_000);
        self.emergency.set(u64::from(seen.silent || seen.emergency));
        self.l1_stalled.set(u64::from(seen.l1_stalled));
        self.recovery_phase.set(seen.recovery_phase());
    }
}

/// Looks at the chain every `again`, until the node stops.
pub async fn watch<C>(
    client: Arc<C>,
    sync: Arc<dyn SyncOracle + Send + Sync>,
    metrics: LivenessMetrics,
    again: Duration,
) where
    C: ProvideRuntimeApi<
            OpaqueBlock,
            Api: ChainApi<OpaqueBlock> + LivenessApi<OpaqueBlock> + RecoveryApi<OpaqueBlock>,
        > + HeaderBackend<OpaqueBlock>
        + Send
        + Sync
        + 'static,
{
    let mut before = Seen::default();
    loop {
        tokio::time::sleep(again).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = Moment::try_from(now).unwrap_or(Moment::MAX);
        match look(&*client, now, sync.is_major_syncing()) {
            Ok(seen) => {
                metrics.set(&seen);
                for (bad, text) in seen.news(&before) {
                    let level = if bad { log::Level::Warn } else { log::Level::Info };
                    log::log!(target: "l2", level, "{text}");
                }
                before = seen;
            }
            Err(error) => log::debug!(target: "l2", "cannot look whether the chain lives: {error}"),
        }
    }
}

fn look<C>(client: &C, now: Moment, is_syncing: bool) -> Result<Seen, String>
where
    C: ProvideRuntimeApi<
            OpaqueBlock,
            Api: ChainApi<OpaqueBlock> + LivenessApi<OpaqueBlock> + RecoveryApi<OpaqueBlock>,
        > + HeaderBackend<OpaqueBlock>,
{
    let at: BlockHash = client.info().finalized_hash;
    let api = client.runtime_api();
    let parameters = api.chain_parameters(at).map_err(|error| error.to_string())?;
    let life = api.liveness(at).map_err(|error| error.to_string())?.life;
    let overview = api.recovery_overview(at).map_err(|error| error.to_string())?;
    let header = client.header(at).map_err(|error| error.to_string())?;
    let last_block = header.as_ref().and_then(header::slot);
    let recovery = overview.running.map(|running| running.phase);
    let seen = Seen::of(&LivenessRules::of(&parameters), &life, last_block, now, is_syncing);
    Ok(Seen { recovery, ..seen })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: LivenessRules = LivenessRules {
        block_time_ms: 500,
        emergency_delay_ms: 86_400_000,
        emergency_recovery_ms: 3_600_000,
        l1_stall_ms: 7_200_000,
    };
    const LAST: Moment = 1_780_000_000_000;

    fn seen(life: &ChainLife, age: Moment, is_syncing: bool) -> Seen {
        Seen::of(&RULES, life, Some(LAST), LAST + age, is_syncing)
    }

    #[test]
    fn r12_1_no_block_for_the_delay_is_seen_from_outside_and_told_once() {
        let alive = ChainLife::default();
        let young = seen(&alive, RULES.emergency_delay_ms - 1, false);
        assert!(!young.silent);
        let old = seen(&alive, RULES.emergency_delay_ms, false);
        assert!(old.silent && !old.emergency);
        assert!(matches!(old.news(&young)[..], [(true, _)]));
        assert!(old.news(&old).is_empty());
        assert!(matches!(young.news(&old)[..], [(false, _)]));
        // Who is catching up knows nothing of it, and neither does who has no block.
        assert!(!seen(&alive, RULES.emergency_delay_ms, true).silent);
        assert_eq!(Seen::of(&RULES, &alive, None, LAST, false), Seen::default());
    }

    #[test]
    fn r27_5_what_the_chain_says_is_told_and_counted() {
        let metrics = LivenessMetrics::new(Some(&Registry::new())).expect("the names are free");
        let life =
            ChainLife { emergency_since: Some(LAST), l1_stalled: true, ..Default::default() };
        let bad = seen(&life, 2_500, false);
        metrics.set(&bad);
        let shown = |metrics: &LivenessMetrics| {
            (metrics.silence_seconds.get(), metrics.emergency.get(), metrics.l1_stalled.get())
        };
        assert_eq!(shown(&metrics), (2, 1, 1));
        assert_eq!(bad.news(&Seen::default()).len(), 2);
        let good = seen(&ChainLife::default(), 500, false);
        metrics.set(&good);
        assert_eq!(shown(&metrics), (0, 0, 0));
        assert!(good.news(&bad).iter().all(|(bad, _)| !bad));
    }

    #[test]
    fn r19_4_a_recovery_is_told_when_it_begins_and_when_it_is_over() {
        let metrics = LivenessMetrics::new(None).expect("metrics without a registry");
        let phases = [
            RecoveryPhase::Restoring { part: 2, parts: 9 },
            RecoveryPhase::Mending,
            RecoveryPhase::L1Again,
            RecoveryPhase::Replaying { block: 7, last: 9 },
        ];
        let mut before = Seen::default();
        for (phase, number) in phases.into_iter().zip(1..) {
            let seen = Seen { recovery: Some(phase), ..Seen::default() };
            assert_eq!(seen.news(&before).len(), usize::from(number == 1));
            metrics.set(&seen);
            assert_eq!(metrics.recovery_phase.get(), number);
            before = seen;
        }
        assert!(matches!(Seen::default().news(&before)[..], [(false, _)]));
        metrics.set(&Seen::default());
        assert_eq!(metrics.recovery_phase.get(), 0);
    }
}
