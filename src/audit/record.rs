//! The decision record: one JSON object per decision, whose field names are a public contract.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::entry::Entry;
use super::projection::project;
use crate::domain::counterfactual::SCHEDULER_MIX;
use crate::domain::decision::Score;
use crate::domain::demand::Defaulted;
use crate::domain::snapshot::{Basis, Signal};
use crate::domain::{PodDemand, Region, Snapshot};

/// Version of the record's shape.
pub const SCHEMA: u32 = 1;

/// A number with six significant digits: more would claim what no model or price list knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SixDigits(pub f64);

impl SixDigits {
    /// The rounded value.
    #[must_use]
    pub fn rounded(self) -> f64 {
        /// Powers of ten up to this are exact in an `f64`, so that one division gives the nearest value there is.
        const EXACT_POWER: i32 = 22;
        let value = self.0;
        if value == 0.0 || !value.is_finite() {
            return 0.0 + value;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the exponent of an f64 fits")]
        let decimals = 5 - value.abs().log10().floor() as i32;
        let power = 10f64.powi(decimals.abs());
        match decimals {
            _ if decimals.abs() > EXACT_POWER => format!("{value:.5e}").parse().unwrap_or(value),
            0.. => (value * power).round() / power,
            _ => (value / power).round() * power,
        }
    }
}

impl Serialize for SixDigits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.rounded())
    }
}

/// The record, borrowing from the entry it is made of.
#[derive(Debug, Serialize)]
pub struct DecisionRecord<'a> {
    schema: u32,
    ts: Timestamp,
    replica: &'a str,
    seq: u64,
    decision_id: String,
    uid: &'a str,
    endpoint: &'static str,
    dry_run: bool,
    namespace: &'a str,
    owner: Option<Owner<'a>>,
    pod: &'a str,
    mode: &'static str,
    /// The placement policies that applied; absent when none did.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    policies: &'a [String],
    outcome: &'static str,
    reason: &'static str,
    baseline_region: Option<&'a str>,
    target_region: Option<&'a str>,
    /// Where the owner's pods were sent last, which a challenger has to beat by a margin.
    incumbent_region: Option<&'a str>,
    net_benefit_usd: Option<SixDigits>,
    demand: Option<Demand<'a>>,
    regions: Vec<RegionRecord<'a>>,
    projected: Option<Projected>,
    snapshot: Option<SnapshotRecord>,
    duration_us: u64,
}

#[derive(Debug, Serialize)]
struct Owner<'a> {
    kind: &'a str,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct Demand<'a> {
    cpu_cores: SixDigits,
    memory_gib: SixDigits,
    gpus: u32,
    hours: SixDigits,
    egress_gb: SixDigits,
    data_region: Option<&'a str>,
    traffic_region: Option<&'a str>,
    max_latency_ms: Option<SixDigits>,
    class: &'static str,
    defaults: Vec<&'static str>,
}

/// One region of a record.
#[derive(Debug, Serialize)]
pub struct RegionRecord<'a> {
    name: &'a str,
    capacity_type: &'static str,
    instance_type: &'a str,
    state: &'static str,
    /// Why it could not win; absent when it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded: Option<&'static str>,
    /// Pods its herd limit had left; absent when no limit was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_left: Option<u32>,
    provider: Option<&'static str>,
    observed_at: Option<Timestamp>,
    signal: Option<Signal>,
    basis: Option<Basis>,
    intensity_g_per_kwh: Option<SixDigits>,
    price_usd_per_hour: Option<SixDigits>,
    terms_usd: Option<TermsRecord>,
    net_benefit_usd: Option<SixDigits>,
}

#[derive(Debug, Serialize)]
struct TermsRecord {
    price: SixDigits,
    carbon: SixDigits,
    latency: SixDigits,
    egress: SixDigits,
    migration: SixDigits,
}

#[derive(Debug, Serialize)]
struct Projected {
    usd: SixDigits,
    co2e_g: SixDigits,
    kwh: SixDigits,
}

#[derive(Debug, Serialize)]
struct SnapshotRecord {
    version: u64,
    captured_at: Timestamp,
}

/// The name of a decision's base: a region's, or the scheduler mix.
#[must_use]
pub fn base_name<'a>(entry: &Entry, snapshot: &'a Snapshot) -> Option<&'a str> {
    let base = entry.decision.base?;
    Some(base.region.map_or(SCHEDULER_MIX, |id| snapshot.regions.get(id).name.as_str()))
}

impl<'a> DecisionRecord<'a> {
    /// The record of an entry, as `replica`'s number `seq`.
    #[must_use]
    pub fn new(entry: &'a Entry, replica: &'a str, seq: u64) -> Self {
        let snapshot = entry.snapshot.as_deref();
        let region = |id| snapshot.map(|snapshot| snapshot.regions.get(id));
        let decision = &entry.decision;
        Self {
            schema: SCHEMA,
            ts: entry.at,
            replica,
            seq,
            decision_id: entry.id.to_string(),
            uid: &entry.subject.uid,
            endpoint: entry.endpoint.as_str(),
            dry_run: entry.dry_run,
            namespace: &entry.subject.namespace,
            owner: entry.subject.owner.as_ref().map(|(kind, name)| Owner { kind, name }),
            pod: &entry.subject.pod,
            mode: entry.mode.as_str(),
            policies: &entry.policies,
            outcome: decision.outcome_str(),
            reason: decision.reason().as_str(),
            baseline_region: snapshot.and_then(|snapshot| base_name(entry, snapshot)),
            target_region: decision
                .preferred_region()
                .and_then(region)
                .map(|region: &Region| region.name.as_str()),
            incumbent_region: decision.incumbent.and_then(region).map(|region: &Region| region.name.as_str()),
            net_benefit_usd: decision
                .preferred_score()
                .and_then(Score::net_benefit)
                .map(|usd| SixDigits(usd.0)),
            demand: entry.demand.as_ref().map(|demand| demand_record(demand, snapshot)),
            regions: snapshot.map(|snapshot| region_records(&decision.scores, snapshot)).unwrap_or_default(),
            projected: project(decision).map(|projection| Projected {
                usd: SixDigits(projection.saved.0),
                co2e_g: SixDigits(projection.avoided.0),
                kwh: SixDigits(projection.energy.0),
            }),
            snapshot: snapshot.map(|snapshot| SnapshotRecord {
                version: snapshot.version,
                captured_at: snapshot.captured_at,
            }),
            duration_us: u64::try_from(entry.duration.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

fn demand_record<'a>(demand: &PodDemand, snapshot: Option<&'a Snapshot>) -> Demand<'a> {
    let name = |id| snapshot.map(|snapshot| snapshot.regions.get(id).name.as_str());
    Demand {
        cpu_cores: SixDigits(demand.cpu.0),
        memory_gib: SixDigits(demand.memory.0),
        gpus: demand.gpus,
        hours: SixDigits(demand.hours.0),
        egress_gb: SixDigits(demand.egress.0),
        data_region: demand.data_region.and_then(name),
        traffic_region: demand.traffic_region.and_then(name),
        max_latency_ms: demand.max_latency.map(|limit| SixDigits(limit.0)),
        class: demand.class.as_str(),
        defaults: demand.defaults.iter().copied().map(Defaulted::as_str).collect(),
    }
}

/// The regions of a decision, as records.
#[must_use]
pub fn region_records<'a>(scores: &'a [Score], snapshot: &'a Snapshot) -> Vec<RegionRecord<'a>> {
    scores.iter().map(|score| region_record(score, snapshot.regions.get(score.region()))).collect()
}

fn region_record<'a>(score: &'a Score, region: &'a Region) -> RegionRecord<'a> {
    let assessment = &score.assessment;
    let reading = assessment.reading.as_ref();
    RegionRecord {
        name: region.name.as_str(),
        capacity_type: assessment.capacity_type.as_str(),
        instance_type: &assessment.instance_type,
        state: score.state().as_str(),
        excluded: score.exclusion.map(crate::domain::assessment::Exclusion::as_str),
        quota_left: assessment.quota_left,
        provider: reading.map(|reading| reading.provider.as_str()),
        observed_at: reading.map(|reading| reading.starts_at),
        signal: reading.map(|reading| reading.signal),
        basis: reading.map(|reading| reading.basis),
        intensity_g_per_kwh: assessment.intensity.map(|intensity| SixDigits(intensity.0)),
        price_usd_per_hour: assessment.price.map(|price| SixDigits(price.per_hour.0)),
        terms_usd: score.terms.map(|terms| TermsRecord {
            price: SixDigits(terms.price.0),
            carbon: SixDigits(terms.carbon.0),
            latency: SixDigits(terms.latency.0),
            egress: SixDigits(terms.egress.0),
            migration: SixDigits(terms.migration.0),
        }),
        net_benefit_usd: score.net_benefit().map(|usd| SixDigits(usd.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_six_significant_digits() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (1.0 / 3.0, "0.333333"),
            (-2.0 / 3.0e5, "-6.66667e-6"),
            (123_456_789.0, "123457000.0"),
            (0.1 + 0.2, "0.3"),
            (999_999.5, "1000000.0"),
            (1.234_567_89e-30, "1.23457e-30"),
            (24.0, "24.0"),
        ] {
            assert_eq!(serde_json::to_string(&SixDigits(value)).unwrap(), text, "{value}");
        }
    }
}
