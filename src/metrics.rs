//! Every metric there is, in one place. Labels come from closed sets; a pod's name is never one.

mod cluster;
mod ledger;
mod readings;
mod register;
mod savings;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use prometheus::{Encoder, Histogram, IntCounter, IntCounterVec, IntGauge, Registry, TextEncoder};

pub use self::cluster::ClusterMetrics;
pub use self::ledger::LedgerMetrics;
pub use self::readings::ReadingMetrics;
use self::register::{durations, int_counters, register};
pub use self::savings::{Counting, SavingsMetrics};
use crate::audit::entry::{Endpoint, Entry};
use crate::config::Mode;
use crate::domain::{BypassReason, Snapshot, StayReason};

const APPLIED: &str = "applied";
const REFUSED: &str = "refused";

/// The process's metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    decisions: IntCounterVec,
    durations: Vec<(Endpoint, Histogram)>,
    fail_opens: IntCounterVec,
    malformed_annotations: IntCounter,
    certificate_expiry: IntGauge,
    config_reloads: IntCounterVec,
    certificate_reloads: IntCounterVec,
    savings: SavingsMetrics,
    cluster: ClusterMetrics,
    ledger: LedgerMetrics,
    readings: ReadingMetrics,
    rendering: Mutex<()>,
}

/// A metric's name or label is not valid, or taken twice: a defect that every start would show.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be registered: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

impl Metrics {
    /// Registers everything; each decision series exists from the start, so that a rate over it is never missing.
    ///
    /// # Errors
    /// A defect in the definitions.
    pub fn new() -> Result<Self, MetricsError> {
        Self::counting(Counting::AtDecisions)
    }

    /// The same, with savings counted by somebody.
    ///
    /// # Errors
    /// A defect in the definitions.
    pub fn counting(counting: Counting) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let metrics = Self {
            decisions: int_counters(
                &registry,
                "eco_pulse_decisions_total",
                "Decisions, by who asked, outcome and reason. Dry runs are not counted.",
                &["endpoint", "outcome", "reason"],
            )?,
            durations: durations(&registry)?,
            fail_opens: int_counters(
                &registry,
                "eco_pulse_fail_open_total",
                "Requests answered as if Eco-Pulse were not there, because something failed.",
                &["endpoint", "reason"],
            )?,
            malformed_annotations: register(
                &registry,
                IntCounter::new(
                    "eco_pulse_malformed_annotations_total",
                    "Annotations of pods that could not be read and were ignored.",
                )?,
            )?,
            certificate_expiry: register(
                &registry,
                IntGauge::new(
                    "eco_pulse_certificate_expiry_seconds",
                    "When the serving certificate expires, in seconds since the epoch.",
                )?,
            )?,
            certificate_reloads: int_counters(
                &registry,
                "eco_pulse_certificate_reloads_total",
                "Changes of the serving certificate, by whether they could be used.",
                &["result"],
            )?,
            config_reloads: int_counters(
                &registry,
                "eco_pulse_config_reloads_total",
                "Changes of the configuration file, by whether they could be used.",
                &["result"],
            )?,
            savings: SavingsMetrics::new(&registry, counting)?,
            cluster: ClusterMetrics::new(&registry)?,
            ledger: LedgerMetrics::new(&registry)?,
            readings: ReadingMetrics::new(&registry)?,
            rendering: Mutex::new(()),
            registry,
        };
        metrics.start_at_zero();
        Ok(metrics)
    }

    fn start_at_zero(&self) {
        for result in [APPLIED, REFUSED] {
            self.config_reloads.with_label_values(&[result]);
            self.certificate_reloads.with_label_values(&[result]);
        }
        for endpoint in Endpoint::ALL.map(Endpoint::as_str) {
            self.decisions.with_label_values(&[endpoint, "steer", "net_benefit"]);
            for reason in StayReason::ALL {
                self.decisions.with_label_values(&[endpoint, "stay", reason.as_str()]);
            }
            for reason in BypassReason::ALL {
                self.decisions.with_label_values(&[endpoint, "bypass", reason.as_str()]);
                if reason.is_fail_open() {
                    self.fail_opens.with_label_values(&[endpoint, reason.as_str()]);
                }
            }
        }
    }

    /// Counts a decision that was answered; nothing for a dry run.
    pub fn decided(&self, entry: &Entry) {
        if entry.dry_run {
            return;
        }
        let decision = &entry.decision;
        let endpoint = entry.endpoint.as_str();
        let reason = decision.reason();
        self.decisions.with_label_values(&[endpoint, decision.outcome_str(), reason.as_str()]).inc();
        if let crate::domain::Reason::Bypass(reason) = reason
            && reason.is_fail_open()
        {
            self.fail_open(entry.endpoint, reason);
        }
        self.answered(entry.endpoint, entry.duration);
        // The scheduler asks about pods that admission has counted already; and in shadow mode nothing is saved.
        if entry.endpoint == Endpoint::Mutate
            && entry.mode == Mode::Steer
            && let Some(snapshot) = &entry.snapshot
        {
            self.savings.decided(entry, snapshot);
        }
    }

    /// Counts a request that was answered as if nobody were there.
    pub fn fail_open(&self, endpoint: Endpoint, reason: BypassReason) {
        self.fail_opens.with_label_values(&[endpoint.as_str(), reason.as_str()]).inc();
    }

    fn answered(&self, endpoint: Endpoint, duration: Duration) {
        if let Some((_, histogram)) = self.durations.iter().find(|(of, _)| *of == endpoint) {
            histogram.observe(duration.as_secs_f64());
        }
    }

    /// Counts annotations that could not be read.
    pub fn malformed_annotations(&self, count: usize) {
        self.malformed_annotations.inc_by(count as u64);
    }

    /// What there is to say of the ledger.
    #[must_use]
    pub const fn ledger(&self) -> &LedgerMetrics {
        &self.ledger
    }

    /// What there is to say of the cluster's API server.
    #[must_use]
    pub const fn cluster(&self) -> &ClusterMetrics {
        &self.cluster
    }

    /// What pods use and save.
    #[must_use]
    pub const fn accounts(&self) -> &SavingsMetrics {
        &self.savings
    }

    /// What there is to say of grid data and prices, and of how they are got.
    #[must_use]
    pub const fn readings(&self) -> &ReadingMetrics {
        &self.readings
    }

    /// Counts a change of the configuration file, and whether it could be used.
    pub fn config_reload(&self, applied: bool) {
        self.config_reloads.with_label_values(&[if applied { APPLIED } else { REFUSED }]).inc();
    }

    /// Counts a change of the serving certificate, and whether it could be used.
    pub fn certificate_reload(&self, applied: bool) {
        self.certificate_reloads.with_label_values(&[if applied { APPLIED } else { REFUSED }]).inc();
    }

    /// Notes when the serving certificate expires.
    pub fn certificate_expires(&self, at: Timestamp) {
        self.certificate_expiry.set(at.as_second());
    }

    /// Everything in Prometheus' text format, with the gauges of `snapshot` as of `now`, when grid data
    /// may be `max_age` old.
    ///
    /// # Errors
    /// A defect in the definitions.
    pub fn render(
        &self,
        snapshot: Option<&Snapshot>,
        max_age: SignedDuration,
        now: Timestamp,
    ) -> Result<String, MetricsError> {
        // One scrape at a time: between reset and set another one would find gauges missing.
        let _shown = self.rendering.lock().unwrap_or_else(PoisonError::into_inner);
        self.readings.show(snapshot, max_age, now);
        self.savings.refresh();
        self.ledger.show();
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
