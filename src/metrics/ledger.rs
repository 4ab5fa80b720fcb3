//! Metrics of the ledger: what it lost, and where its chain is.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use prometheus::{GaugeVec, IntCounterVec, IntGauge, Registry};

use super::MetricsError;
use super::register::{gauges, int_counters, register};

const AT_QUEUE: &str = "queue";
const AT_STORE: &str = "store";
/// A head is a label, and each one a time series of its own: a new one so often is enough to find a cut end by.
const HEAD_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What there is to say of the ledger.
#[derive(Debug)]
pub struct LedgerMetrics {
    dropped: IntCounterVec,
    head_info: GaugeVec,
    head_seq: IntGauge,
    head: Mutex<Option<Head>>,
}

/// The head that is shown.
#[derive(Debug)]
struct Head {
    replica: String,
    seq: u64,
    hash: String,
    at: Option<Timestamp>,
}

impl LedgerMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        let dropped = int_counters(
            registry,
            "eco_pulse_ledger_dropped_total",
            "Records that were dropped, by where: before they were written, or on their way to the ledger's store.",
            &["at"],
        )?;
        for at in [AT_QUEUE, AT_STORE] {
            dropped.with_label_values(&[at]);
        }
        Ok(Self {
            dropped,
            head_info: gauges(
                registry,
                "eco_pulse_ledger_head_info",
                "A recent record of the ledger's chain, renewed at most once an hour: to find a cut end by.",
                &["replica", "seq", "hash"],
            )?,
            head_seq: register(
                registry,
                IntGauge::new("eco_pulse_ledger_head_seq", "Number of the ledger's last record.")?,
            )?,
            head: Mutex::default(),
        })
    }

    /// Counts a record that was dropped before it was written.
    pub fn dropped_at_queue(&self) {
        self.dropped.with_label_values(&[AT_QUEUE]).inc();
    }

    /// Counts records that were written, and did not get into the ledger's store.
    pub fn dropped_at_store(&self, records: u64) {
        self.dropped.with_label_values(&[AT_STORE]).inc_by(records);
    }

    /// Notes the chain's last record, made at `at`; `None` for one of an earlier process.
    pub fn head(&self, replica: &str, seq: u64, hash: &str, at: Option<Timestamp>) {
        self.head_seq.set(i64::try_from(seq).unwrap_or(i64::MAX));
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the first record there is nothing to find.
        let is_due = match (&*head, at) {
            _ if seq == 0 => false,
            (Some(Head { at: Some(shown), .. }), Some(at)) => at.duration_since(*shown).abs() >= HEAD_EVERY,
            _ => true,
        };
        if is_due {
            *head = Some(Head { replica: replica.to_owned(), seq, hash: hash.to_owned(), at });
        }
    }

    /// Set when it is read, so that there is always one.
    pub(super) fn show(&self) {
        self.head_info.reset();
        if let Some(Head { replica, seq, hash, .. }) =
            &*self.head.lock().unwrap_or_else(PoisonError::into_inner)
        {
            self.head_info.with_label_values(&[replica.as_str(), &seq.to_string(), hash]).set(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(registry: &Registry, metrics: &LedgerMetrics) -> Vec<String> {
        metrics.show();
        let families = registry.gather();
        let heads = families.iter().find(|family| family.name() == "eco_pulse_ledger_head_info");
        let series = heads.map(prometheus::proto::MetricFamily::get_metric).unwrap_or_default();
        let seq = |metric: &prometheus::proto::Metric| {
            let label = metric.get_label().iter().find(|label| label.name() == "seq");
            label.map(|label| label.value().to_owned())
        };
        series.iter().filter_map(seq).collect()
    }

    #[test]
    fn a_head_is_renewed_once_an_hour_and_there_is_only_one() {
        let registry = Registry::new();
        let metrics = LedgerMetrics::new(&registry).unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(shown(&registry, &metrics), Vec::<String>::new());
        metrics.head("one", 0, "00", None);
        assert_eq!(shown(&registry, &metrics), Vec::<String>::new());
        metrics.head("one", 7, "aa", None);
        assert_eq!(shown(&registry, &metrics), ["7"]);
        for (seq, time, expected) in [
            (8, "2026-06-01T12:00:00Z", "8"),
            (9, "2026-06-01T12:59:59Z", "8"),
            (10, "2026-06-01T13:00:00Z", "10"),
            (11, "2026-06-01T12:30:00Z", "10"),
            (12, "2026-06-01T11:00:00Z", "12"),
        ] {
            metrics.head("one", seq, "aa", at(time));
            assert_eq!(shown(&registry, &metrics), [expected], "{seq}");
        }
        assert_eq!(metrics.head_seq.get(), 12);
    }
}
