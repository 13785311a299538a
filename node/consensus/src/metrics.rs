//! The engine's metrics, `cascoin_l2_consensus_…`.

use substrate_prometheus_endpoint::{
    exponential_buckets, register, Counter, Gauge, Histogram, HistogramOpts, PrometheusError,
    Registry, U64,
};

/// All of them. Without a registry they count into the void.
#[derive(Clone)]
pub struct Metrics {
    /// Height being decided.
    pub height: Gauge<U64>,
    /// Round of that height.
    pub round: Gauge<U64>,
    /// Sequencers reachable, this node included.
    pub reachable_sequencers: Gauge<U64>,
    /// Seconds from a proposal being known here to its commit.
    pub commit_seconds: Histogram,
    /// Seconds between two commits.
    pub block_interval_seconds: Histogram,
    /// Rounds that ended without a decision.
    pub failed_rounds: Counter<U64>,
    /// Blocks proposed by this node.
    pub proposals: Counter<U64>,
    /// Votes signed by this node.
    pub votes: Counter<U64>,
    /// Conflicting messages of one sequencer seen (`SEQ_DOUBLE_SIGN`).
    pub equivocations: Counter<U64>,
    /// Proposals refused as invalid (`SEQ_INVALID_BLOCK`).
    pub invalid_blocks: Counter<U64>,
}

impl Metrics {
    /// Makes them and registers them.
    ///
    /// # Errors
    /// When a name is taken already.
    pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
        let seconds = |name, help| -> Result<Histogram, PrometheusError> {
            // 2 ms to about 65 s.
            let buckets = exponential_buckets(0.002, 2.0, 16)?;
            let histogram = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))?;
            match registry {
                Some(registry) => register(histogram, registry),
                None => Ok(histogram),
            }
        };
        let gauge = |name: &str, help: &str| -> Result<Gauge<U64>, PrometheusError> {
            let gauge = Gauge::new(name, help)?;
            match registry {
                Some(registry) => register(gauge, registry),
                None => Ok(gauge),
            }
        };
        let counter = |name: &str, help: &str| -> Result<Counter<U64>, PrometheusError> {
            let counter = Counter::new(name, help)?;
            match registry {
                Some(registry) => register(counter, registry),
                None => Ok(counter),
            }
        };
        Ok(Self {
            height: gauge("cascoin_l2_consensus_height", "Height being decided")?,
            round: gauge("cascoin_l2_consensus_round", "Round of that height")?,
            reachable_sequencers: gauge(
                "cascoin_l2_consensus_reachable_sequencers",
                "Sequencers reachable, this node included",
            )?,
            commit_seconds: seconds(
                "cascoin_l2_consensus_commit_seconds",
                "From a proposal being known here to its commit",
            )?,
            block_interval_seconds: seconds(
                "cascoin_l2_consensus_block_interval_seconds",
                "Between two commits",
            )?,
            failed_rounds: counter(
                "cascoin_l2_consensus_failed_rounds_total",
                "Rounds that ended without a decision",
            )?,
            proposals: counter(
                "cascoin_l2_consensus_proposals_total",
                "Blocks proposed by this node",
            )?,
            votes: counter("cascoin_l2_consensus_votes_total", "Votes signed by this node")?,
            equivocations: counter(
                "cascoin_l2_consensus_equivocations_total",
                "Conflicting messages of one sequencer seen",
            )?,
            invalid_blocks: counter(
                "cascoin_l2_consensus_invalid_blocks_total",
                "Proposals refused as invalid",
            )?,
        })
    }
}
