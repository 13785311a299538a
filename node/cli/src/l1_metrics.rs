//! Metrics of what is read on L1, `cascoin_l2_l1_…`.

use cascoin_l1::SkippedMessages;
use std::sync::Arc;
use substrate_prometheus_endpoint::{
    register, MetricSource, Opts, PrometheusError, Registry, SourcedCounter,
};

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

/// Registers them.
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
