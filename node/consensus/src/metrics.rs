//! The engine's metrics, `cascoin_l2_consensus_…`.

use cascoin_bft::{TimeoutKind, VoteKind};
use substrate_prometheus_endpoint::{
    exponential_buckets, register, Counter, CounterVec, Gauge, Histogram, HistogramOpts, Opts,
    PrometheusError, Registry, U64,
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
    /// Seconds from entering a round to entering the next one or deciding. The
    /// first round of a height includes the leader's wait for the block time.
    pub round_duration_seconds: Histogram,
    /// Waits that ran out, by `kind`: `propose`, `prevote`, `precommit`
    /// (`SEQ_TIMEOUT`).
    timeouts: [Counter<U64>; 3],
    /// Votes of the height being decided that count, this node's own included, by
    /// `kind`: `prevote`, `precommit`.
    votes_seen: [Counter<U64>; 2],
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
        let by_kind = |name: &str, help: &str| -> Result<CounterVec<U64>, PrometheusError> {
            let counters = CounterVec::new(Opts::new(name, help), &["kind"])?;
            match registry {
                Some(registry) => register(counters, registry),
                None => Ok(counters),
            }
        };
        let timeouts = by_kind("cascoin_l2_consensus_timeouts_total", "Waits that ran out")?;
        let timeout = |kind| timeouts.get_metric_with_label_values(&[kind]);
        let votes_seen = by_kind(
            "cascoin_l2_consensus_votes_seen_total",
            "Votes that count, of all sequencers",
        )?;
        let vote_seen = |kind| votes_seen.get_metric_with_label_values(&[kind]);
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
            round_duration_seconds: seconds(
                "cascoin_l2_consensus_round_duration_seconds",
                "From entering a round to the next one or the decision",
            )?,
            timeouts: [timeout("propose")?, timeout("prevote")?, timeout("precommit")?],
            votes_seen: [vote_seen("prevote")?, vote_seen("precommit")?],
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

impl Metrics {
    /// Waits of one kind that ran out.
    pub fn timeouts(&self, kind: TimeoutKind) -> &Counter<U64> {
        let [propose, prevote, precommit] = &self.timeouts;
        match kind {
            TimeoutKind::Propose => propose,
            TimeoutKind::Prevote => prevote,
            TimeoutKind::Precommit => precommit,
        }
    }

    /// Votes of one kind that count.
    pub fn votes_seen(&self, kind: VoteKind) -> &Counter<U64> {
        let [prevote, precommit] = &self.votes_seen;
        match kind {
            VoteKind::Prevote => prevote,
            VoteKind::Precommit => precommit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use substrate_prometheus_endpoint::prometheus;

    #[test]
    fn every_kind_is_shown_from_the_start_and_counted_apart() {
        let registry = Registry::new();
        let metrics = Metrics::new(Some(&registry)).unwrap();
        metrics.timeouts(TimeoutKind::Prevote).inc();
        metrics.votes_seen(VoteKind::Precommit).inc_by(3);
        let count = |name: &str, kind: &str| -> Option<f64> {
            let families = registry.gather();
            let family = families.iter().find(|family| family.get_name() == name)?;
            let of_kind = |labels: &[prometheus::proto::LabelPair]| {
                labels.iter().any(|label| label.get_value() == kind)
            };
            let metric = family.get_metric().iter().find(|m| of_kind(m.get_label()))?;
            Some(metric.get_counter().get_value())
        };
        let timeouts = "cascoin_l2_consensus_timeouts_total";
        assert_eq!(count(timeouts, "propose"), Some(0.0));
        assert_eq!(count(timeouts, "prevote"), Some(1.0));
        assert_eq!(count(timeouts, "precommit"), Some(0.0));
        let votes = "cascoin_l2_consensus_votes_seen_total";
        assert_eq!(count(votes, "prevote"), Some(0.0));
        assert_eq!(count(votes, "precommit"), Some(3.0));
    }
}
