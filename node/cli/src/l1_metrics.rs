//! Metrics of this node's L1 node, `cascoin_l2_l1_…`, read from the follower when they are
//! asked for.

use cascoin_l1::{
    follower::{L1Status, StatusWatch},
    SkippedMessages,
};
use std::sync::Arc;
use substrate_prometheus_endpoint::{
    register, MetricSource, Opts, PrometheusError, Registry, SourcedCounter, SourcedGauge,
};

/// One value of the status; `None` while it is not known.
type Read = fn(&L1Status) -> Option<u64>;

/// Name, help and value of each.
const METRICS: [(&str, &str, Read); 6] = [
    ("cascoin_l2_l1_connected", "Whether the last look at the L1 node succeeded", |status| {
        Some(status.connected.into())
    }),
    ("cascoin_l2_l1_syncing", "Whether the L1 node is behind its network", |status| {
        Some(status.syncing.into())
    }),
    ("cascoin_l2_l1_tip_height", "Height of the L1 tip, as this node sees it", |status| {
        status.tip_height.map(u64::from)
    }),
    ("cascoin_l2_l1_readable_height", "Highest L1 block that is deep enough and read", |status| {
        status.readable_height.map(u64::from)
    }),
    (
        "cascoin_l2_l1_blocks_behind",
        "Blocks that the L1 node read now is behind another one of this node",
        |status| Some(status.blocks_behind.map_or(0, u64::from)),
    ),
    (
        "cascoin_l2_l1_catch_up_percent",
        "How much of a long backlog of L1 blocks is read; 100 without one",
        |status| {
            let caught_up = status.readable_height.map(|_| 100);
            status.catch_up.map(|catch_up| u64::from(catch_up.percent)).or(caught_up)
        },
    ),
];

#[derive(Clone)]
struct Source {
    status: StatusWatch,
    read: Read,
}

impl MetricSource for Source {
    type N = u64;

    fn collect(&self, mut set: impl FnMut(&[&str], Self::N)) {
        let status = self.status.status();
        if let Some(value) = status.as_ref().and_then(self.read) {
            set(&[], value);
        }
    }
}

/// Registers what the status says.
///
/// # Errors
/// When a name is taken already.
pub fn register_all(registry: &Registry, status: &StatusWatch) -> Result<(), PrometheusError> {
    for (name, help, read) in METRICS {
        let source = Source { status: status.clone(), read };
        register(SourcedGauge::new(&Opts::new(name, help), source)?, registry)?;
    }
    Ok(())
}

/// What the follower counts, for whoever asks for metrics.
#[derive(Clone)]
struct Skipped(Arc<SkippedMessages>);

impl MetricSource for Skipped {
    type N = u64;

    fn collect(&self, mut set: impl FnMut(&[&str], u64)) {
        for (reason, count) in self.0.totals() {
            set(&[reason], count);
        }
    }
}

/// Registers the counter of skipped messages.
///
/// # Errors
/// When a name is taken already.
pub fn register_skipped(
    skipped: Arc<SkippedMessages>,
    registry: &Registry,
) -> Result<(), PrometheusError> {
    let help = "Messages on L1 that were skipped because this program cannot read them";
    let opts = Opts::new("cascoin_l2_l1_messages_skipped_total", help).variable_label("reason");
    register(SourcedCounter::new(&opts, Skipped(skipped))?, registry)?;
    Ok(())
}
