//! Metrics of watching the cluster, and of what is written to it.

use prometheus::{GaugeVec, IntCounterVec, Registry};

use super::MetricsError;
use super::register::{gauges, int_counters};

/// What there is to say of the cluster's API server.
#[derive(Debug)]
pub struct ClusterMetrics {
    objects: GaugeVec,
    synced: GaugeVec,
    skipped: IntCounterVec,
    watch_errors: IntCounterVec,
    canary: IntCounterVec,
    events: IntCounterVec,
    certificate_steps: IntCounterVec,
    webhook_drift: GaugeVec,
}

impl ClusterMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        Ok(Self {
            objects: gauges(
                registry,
                "eco_pulse_cluster_objects",
                "Objects of the cluster that are known; absent while their kind is not watched.",
                &["kind"],
            )?,
            synced: gauges(
                registry,
                "eco_pulse_cluster_synced",
                "1 once all objects of a kind have been seen, 0 until then; absent while their kind is not watched.",
                &["kind"],
            )?,
            skipped: int_counters(
                registry,
                "eco_pulse_cluster_objects_skipped_total",
                "Objects of the cluster that could not be read and were skipped.",
                &["kind"],
            )?,
            watch_errors: int_counters(
                registry,
                "eco_pulse_cluster_watch_errors_total",
                "Failed attempts to list or watch objects of the cluster.",
                &["kind"],
            )?,
            canary: int_counters(
                registry,
                "eco_pulse_canary_total",
                "Rehearsed pods sent through the API server, by how they came back.",
                &["result"],
            )?,
            certificate_steps: int_counters(
                registry,
                "eco_pulse_certificate_steps_total",
                "Steps of keeping the certificate in its Secret, by what came of them.",
                &["result"],
            )?,
            webhook_drift: gauges(
                registry,
                "eco_pulse_webhook_configuration_drift",
                "1 where the webhook configuration is not as shipped and could put Eco-Pulse in the way.",
                &["field"],
            )?,
            events: int_counters(
                registry,
                "eco_pulse_events_total",
                "Events about placements, by what came of writing them.",
                &["result"],
            )?,
        })
    }

    /// A kind is watched from now on.
    pub fn watching(&self, kind: &str) {
        self.synced.with_label_values(&[kind]).set(0.0);
        self.skipped.with_label_values(&[kind]);
        self.watch_errors.with_label_values(&[kind]);
    }

    /// All objects of a kind are known; there are so many.
    pub fn knows(&self, kind: &str, objects: usize) {
        self.synced.with_label_values(&[kind]).set(1.0);
        self.objects.with_label_values(&[kind]).set(objects as f64);
    }

    /// Pods are rehearsed from now on, and can come back like this. What has not happened is 0, not absent: of a counter that
    /// begins at 1 nobody sees the first.
    pub fn rehearsing(&self, results: impl IntoIterator<Item = &'static str>) {
        start_at_zero(&self.canary, results);
    }

    /// Events are written from now on, with these results.
    pub fn writing_events(&self, results: impl IntoIterator<Item = &'static str>) {
        start_at_zero(&self.events, results);
    }

    /// A certificate is kept from now on, in steps with these results.
    pub fn keeping_certificate(&self, results: impl IntoIterator<Item = &'static str>) {
        start_at_zero(&self.certificate_steps, results);
    }

    /// A rehearsed pod came back, or did not.
    pub fn canary(&self, result: &str) {
        self.canary.with_label_values(&[result]).inc();
    }

    /// An Event was written, or was not.
    pub fn event(&self, result: &str) {
        self.events.with_label_values(&[result]).inc();
    }

    /// Keeping the certificate made a step, or could not.
    pub fn certificate_step(&self, result: &str) {
        self.certificate_steps.with_label_values(&[result]).inc();
    }

    /// Whether a field of the webhook configuration is not as shipped.
    pub fn webhook_drift(&self, field: &str, drifted: bool) {
        self.webhook_drift.with_label_values(&[field]).set(f64::from(u8::from(drifted)));
    }

    /// An object could not be read.
    pub fn skipped(&self, kind: &str) {
        self.skipped.with_label_values(&[kind]).inc();
    }

    /// A list or watch failed.
    pub fn watch_failed(&self, kind: &str) {
        self.watch_errors.with_label_values(&[kind]).inc();
    }
}

fn start_at_zero(counters: &IntCounterVec, results: impl IntoIterator<Item = &'static str>) {
    for result in results {
        counters.with_label_values(&[result]);
    }
}
