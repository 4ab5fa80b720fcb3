//! A decision record as its readers see it: the JSON that `/decisions` serves, read back.
//!
//! What is shown to people is read from here, never from the decision's own types: it is what anybody else can read.

use anyhow::Context as _;
use serde::Deserialize;

use crate::audit::record::DecisionRecord;

/// The part of a record that is shown.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct Record {
    pub decision_id: String,
    pub namespace: String,
    pub owner: Option<Owner>,
    pub pod: String,
    pub outcome: String,
    pub reason: String,
    pub baseline_region: Option<String>,
    /// The region the pod prefers: where it is steered to, or the base it stays in.
    pub target_region: Option<String>,
    pub demand: Option<Demand>,
    pub regions: Vec<RegionRow>,
    pub projected: Option<Projected>,
    pub duration_us: u64,
}

/// What controls the pod.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct Owner {
    pub kind: String,
    pub name: String,
}

/// What the pod asks for.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct Demand {
    pub cpu_cores: f64,
    pub memory_gib: f64,
    pub gpus: u32,
    pub hours: f64,
    pub egress_gb: f64,
    pub data_region: Option<String>,
    pub class: String,
    pub defaults: Vec<String>,
}

/// One region with its terms.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct RegionRow {
    pub name: String,
    pub state: String,
    pub excluded: Option<String>,
    pub intensity_g_per_kwh: Option<f64>,
    pub terms_usd: Option<Terms>,
    pub net_benefit_usd: Option<f64>,
}

/// The terms, signed so that they sum to the net benefit.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(in crate::cli) struct Terms {
    pub price: f64,
    pub carbon: f64,
    pub latency: f64,
    pub egress: f64,
    pub migration: f64,
}

/// What the preferred region brings against the base.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(in crate::cli) struct Projected {
    pub usd: f64,
    pub co2e_g: f64,
    pub kwh: f64,
}

impl Record {
    /// Reads a record back from what is written of it.
    pub(in crate::cli) fn of(record: &DecisionRecord<'_>) -> anyhow::Result<Self> {
        let written = serde_json::to_value(record).context("decision record cannot be written as JSON")?;
        serde_json::from_value(written).context("decision record is not what its readers expect")
    }

    /// The row of a region.
    pub(in crate::cli) fn region(&self, name: &str) -> Option<&RegionRow> {
        self.regions.iter().find(|row| row.name == name)
    }
}
