//! Makes metrics and registers them.

use prometheus::core::Collector;
use prometheus::{
    CounterVec, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry,
};

use super::MetricsError;
use crate::audit::entry::Endpoint;

/// Upper bounds of the latency histogram, in seconds: fine where decisions are, and one at the deadline of 190 ms.
const DURATION_BUCKETS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.19];

pub(super) fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> Result<C, MetricsError> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

pub(super) fn int_counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, MetricsError> {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

pub(super) fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<CounterVec, MetricsError> {
    register(registry, CounterVec::new(Opts::new(name, help), labels)?)
}

pub(super) fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<GaugeVec, MetricsError> {
    register(registry, GaugeVec::new(Opts::new(name, help), labels)?)
}

pub(super) fn savings_counters(
    registry: &Registry,
    name: &str,
    what: &str,
) -> Result<CounterVec, MetricsError> {
    let help = format!(
        "{what} By pods' placement against a counterfactual; the net is avoided or saved less added."
    );
    counters(registry, name, &help, &["namespace", "against", "method"])
}

pub(super) fn durations(registry: &Registry) -> Result<Vec<(Endpoint, Histogram)>, MetricsError> {
    let options = HistogramOpts::new(
        "eco_pulse_decision_duration_seconds",
        "From a request's arrival (for the extender: from the last byte of its body) to its answer.",
    )
    .buckets(DURATION_BUCKETS.to_vec());
    let histograms = register(registry, HistogramVec::new(options, &["endpoint"])?)?;
    Ok(Endpoint::ALL.map(|endpoint| (endpoint, histograms.with_label_values(&[endpoint.as_str()]))).into())
}
