//! Metrics of grid data and prices: what is known, how old it is, and how it was got.

use jiff::{SignedDuration, Timestamp};
use prometheus::{GaugeVec, IntCounterVec, IntGauge, Registry};

use super::MetricsError;
use super::register::{gauges, int_counters, register};
use crate::domain::Snapshot;
use crate::domain::snapshot::Implausibility;

/// What there is to say of grid data and prices, and of how they are got.
#[derive(Debug)]
pub struct ReadingMetrics {
    region_info: GaugeVec,
    intensity: GaugeVec,
    price: GaugeVec,
    reading_age: GaugeVec,
    snapshot_age: GaugeVec,
    snapshot_version: IntGauge,
    reading_state: GaugeVec,
    readings_refused: IntCounterVec,
    provider_requests: IntCounterVec,
    circuit_open: GaugeVec,
    collecting: IntGauge,
    store_up: GaugeVec,
}

impl ReadingMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        Ok(Self {
            region_info: gauges(
                registry,
                "eco_pulse_region_info",
                "1 for every configured region, with its grid zone, its name on nodes, and where it is in degrees.",
                &["region", "zone", "alias", "latitude", "longitude"],
            )?,
            intensity: gauges(
                registry,
                "eco_pulse_grid_intensity_grams_per_kwh",
                "Carbon intensity as last read, in gCO2eq/kWh; absent while it is not known.",
                &["region", "zone", "provider"],
            )?,
            price: gauges(
                registry,
                "eco_pulse_price_usd_per_hour",
                "Price of a machine, in USD per hour; absent while it is not known.",
                &["region", "instance_type", "capacity_type"],
            )?,
            reading_age: gauges(
                registry,
                "eco_pulse_reading_age_seconds",
                "Time since the end of the interval that a region's reading describes.",
                &["region"],
            )?,
            // A vector without labels: a lone gauge would say 0, as of new data, while there are none.
            snapshot_age: gauges(
                registry,
                "eco_pulse_snapshot_age_seconds",
                "Time since the snapshot in use was put together; absent while there is none.",
                &[],
            )?,
            snapshot_version: register(
                registry,
                IntGauge::new(
                    "eco_pulse_snapshot_version",
                    "Version of the snapshot in use; 0 while there is none.",
                )?,
            )?,
            reading_state: gauges(
                registry,
                "eco_pulse_reading_state",
                "1 for the state that a region's grid data are in, by themselves.",
                &["region", "state"],
            )?,
            readings_refused: int_counters(
                registry,
                "eco_pulse_readings_refused_total",
                "Values of providers that cannot be, and were refused.",
                &["provider", "reason"],
            )?,
            provider_requests: int_counters(
                registry,
                "eco_pulse_provider_requests_total",
                "Requests to providers of grid data and prices, by what came of them.",
                &["provider", "result"],
            )?,
            circuit_open: gauges(
                registry,
                "eco_pulse_provider_circuit_open",
                "1 while a provider is left alone after several failures in a row.",
                &["provider"],
            )?,
            collecting: register(
                registry,
                IntGauge::new(
                    "eco_pulse_collector",
                    "1 while this process is the one that asks the providers; of all replicas one is.",
                )?,
            )?,
            store_up: gauges(
                registry,
                "eco_pulse_store_up",
                "1 while the shared store answers, 0 while it does not; absent without one.",
                &[],
            )?,
        })
    }

    /// Counts a request to a provider, by what came of it: `ok`, or the name of a failure.
    pub fn provider_request(&self, provider: &str, result: &str) {
        self.provider_requests.with_label_values(&[provider, result]).inc();
    }

    /// A provider is asked from now on: of its values none has been refused yet.
    pub fn asking(&self, provider: &str) {
        for reason in Implausibility::ALL {
            self.readings_refused.with_label_values(&[provider, reason.as_str()]);
        }
    }

    /// Counts a value that was refused.
    pub fn reading_refused(&self, provider: &str, reason: &str) {
        self.readings_refused.with_label_values(&[provider, reason]).inc();
    }

    /// Notes whether a provider is left alone after several failures in a row.
    pub fn circuit(&self, provider: &str, open: bool) {
        self.circuit_open.with_label_values(&[provider]).set(f64::from(u8::from(open)));
    }

    /// Notes whether this process collects.
    pub fn collects(&self, collects: bool) {
        self.collecting.set(i64::from(collects));
        if !collects {
            // Whoever collects now tells of it.
            self.circuit_open.reset();
        }
    }

    /// Notes whether the shared store answers.
    pub fn store_up(&self, up: bool) {
        self.store_up.with_label_values::<&str>(&[]).set(f64::from(u8::from(up)));
    }

    /// There is no shared store.
    pub fn no_shared_store(&self) {
        self.store_up.reset();
    }

    /// Gauges are set when they are read: what is not known any more is absent, not frozen.
    pub(super) fn show(&self, snapshot: Option<&Snapshot>, max_age: SignedDuration, now: Timestamp) {
        self.region_info.reset();
        self.intensity.reset();
        self.price.reset();
        self.reading_age.reset();
        self.snapshot_age.reset();
        self.reading_state.reset();
        let Some(snapshot) = snapshot else {
            self.snapshot_version.set(0);
            return;
        };
        self.snapshot_version.set(i64::try_from(snapshot.version).unwrap_or(i64::MAX));
        let age = now.duration_since(snapshot.captured_at).as_secs_f64().max(0.0);
        self.snapshot_age.with_label_values::<&str>(&[]).set(age);
        for (_, region, data) in snapshot.iter() {
            let name = region.name.as_str();
            let zone = region.zone.as_ref().map_or("", |zone| zone.as_str());
            // A place that is not known is no place on a map: 0 would be in the sea.
            let (latitude, longitude) = region.location.map_or_else(Default::default, |place| {
                (place.latitude_deg.to_string(), place.longitude_deg.to_string())
            });
            self.region_info.with_label_values(&[name, zone, &region.label, &latitude, &longitude]).set(1.0);
            let state = data.grid.state(now, max_age);
            self.reading_state.with_label_values(&[name, state.as_str()]).set(1.0);
            if let Some(reading) = data.grid.known() {
                self.intensity
                    .with_label_values(&[name, zone, reading.provider.as_str()])
                    .set(reading.intensity.0);
                self.reading_age.with_label_values(&[name]).set(reading.age(now).as_secs_f64());
            }
            for price in &data.prices {
                self.price
                    .with_label_values(&[name, &price.instance_type, price.capacity_type.as_str()])
                    .set(price.per_hour.0);
            }
        }
    }
}
