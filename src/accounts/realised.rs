//! The record that closes a decision: what really came of it. One JSON object, whose field names are a public contract.

use jiff::Timestamp;
use serde::Serialize;

use super::run::{End, Expected, Progress, Run};
use crate::domain::counterfactual;

/// Version of the record's shape.
pub const SCHEMA: u32 = 1;
/// What tells it from a decision's record.
pub const RECORD: &str = "realised";

/// The record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Realised<'a> {
    schema: u32,
    record: &'static str,
    ts: Timestamp,
    decision_id: &'a str,
    uid: &'a str,
    namespace: &'a str,
    owner: Owner<'a>,
    pod: &'a str,
    outcome: &'static str,
    target_region: Option<&'a str>,
    node: &'a str,
    region: Option<&'a str>,
    capacity_type: Option<&'static str>,
    instance_type: Option<&'a str>,
    bound_at: Timestamp,
    ended_at: Timestamp,
    end_seen: bool,
    hours: Hours,
    core_hours: f64,
    kwh: f64,
    co2e_g: f64,
    cost_usd: Option<f64>,
    against: Vec<Against>,
    net_benefit_usd: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Owner<'a> {
    kind: &'a str,
    name: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Hours {
    measured: f64,
    estimated: f64,
    missing: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Against {
    name: &'static str,
    /// Hours in which both sides are known.
    hours: f64,
    avoided_g: Option<f64>,
    saved_usd: Option<f64>,
    projected: Option<Expected>,
}

impl<'a> Realised<'a> {
    /// The record of a run that ended and whose hours are all closed, as of `ts`.
    #[must_use]
    pub fn new(run: &'a Run, progress: &Progress, end: End, ts: Timestamp) -> Self {
        let sums = &progress.realised;
        let place = run.place();
        let known = sums.measured_hours + sums.estimated_hours;
        let against = counterfactual::Against::ALL.iter().zip(sums.against).zip(run.projected);
        Self {
            schema: SCHEMA,
            record: RECORD,
            ts,
            decision_id: &run.decision_id,
            uid: &run.uid,
            namespace: &run.namespace,
            owner: Owner { kind: &run.kind, name: &run.owner },
            pod: &run.pod,
            outcome: run.treatment.as_str(),
            target_region: run.target.as_deref(),
            node: &run.node,
            region: run.region(),
            capacity_type: place.map(|place| place.price.capacity_type.as_str()),
            instance_type: place.and_then(|place| place.price.instance_type.as_deref()),
            bound_at: run.bound_at,
            ended_at: end.at,
            end_seen: end.seen,
            hours: Hours {
                measured: sums.measured_hours,
                estimated: sums.estimated_hours,
                missing: sums.missing_hours,
            },
            core_hours: sums.core_hours,
            kwh: sums.actual.energy_kwh,
            co2e_g: sums.actual.emissions_g,
            cost_usd: (sums.actual.unpriced_hours < known).then_some(sums.actual.cost_usd),
            against: against
                .map(|((name, compared), projected)| Against {
                    name: name.as_str(),
                    hours: compared.hours,
                    avoided_g: (compared.hours > 0.0).then_some(compared.avoided_g),
                    saved_usd: (compared.priced_hours > 0.0).then_some(compared.saved_usd),
                    projected,
                })
                .collect(),
            net_benefit_usd: (progress.net_benefit_hours > 0.0).then_some(progress.net_benefit_usd),
        }
    }
}
