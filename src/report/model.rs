//! What a report says, whole, before it is written in any form.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::accounts::sums::{Group, Sums};

/// Version of the report's shape as JSON.
pub const SCHEMA: u32 = 1;

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// Start of the period, which it includes.
    pub from: Timestamp,
    /// End of the period, which it does not include.
    pub to: Timestamp,
    /// Only this namespace; `None`: all.
    pub namespace: Option<String>,
    /// Where the figures come from.
    pub basis: Basis,
    /// What was configured when it was made.
    pub setting: Setting,
    /// What `against` and `projected` of all figures stand for, in their order.
    pub counterfactuals: Vec<String>,
    /// All pods that were decided about, without the control group.
    pub total: Sums,
    /// The same by namespace, most emissions first.
    pub namespaces: Vec<NamespaceRow>,
    /// The same by owner, most emissions first. Kept for `ledger.rawRetentionDays`, by whole days.
    pub owners: Owners,
    /// Location-based emissions by namespace and region, control group included: the inventory.
    pub inventory: Vec<InventoryRow>,
    /// How far apart the points of `series` are.
    pub step: Step,
    /// Over time, every step of the period, those without pods included.
    pub series: Vec<Point>,
    /// What was decided, by endpoint, outcome and reason; most first.
    pub decisions: Decisions,
    /// The control group beside the others; `None` when there were no pods in it.
    pub holdout: Option<Holdout>,
    /// Pods that run, or wait for readings, at the end of the period or now.
    pub open: Open,
    /// The ledger's last record of each replica.
    pub heads: Vec<Head>,
    /// What a reader has to know, a sentence each: periods cut short by retention, records dropped, and the like.
    pub notes: Vec<String>,
}

/// How far apart points in time are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Where the period has at most two days.
    Hour,
    /// Days in UTC; the first and the last are cut where the period is.
    Day,
}

/// Where the savings come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// From pods that were watched from their binding to their end.
    Pods,
    /// From decisions alone, since nobody watches pods: projected only, and a pod counts when it is decided about.
    Decisions,
}

impl Basis {
    /// The basis in a flat file, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Decisions => "decisions",
        }
    }
}

/// What was configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// The baseline: a region's name, or `scheduler`.
    pub baseline: String,
    /// USD a tonne, capped.
    pub carbon_price_usd_per_tonne: f64,
    /// Share of requested CPU assumed to be used, 0 to 1.
    pub cpu_utilisation: f64,
    /// Share of requested GPUs assumed to be used, 0 to 1.
    pub gpu_utilisation: f64,
    /// Share of owners in the control group, 0 to 1.
    pub holdout: f64,
    /// Who gives the grid's intensity, fallbacks after it.
    pub grid_providers: Vec<String>,
    /// Who gives prices.
    pub price_provider: String,
    /// The regions.
    pub regions: Vec<SettingRegion>,
}

/// A configured region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingRegion {
    /// Its name.
    pub name: String,
    /// Whose it is: `aws`, `gcp`, `azure` or `on-prem`.
    pub provider: String,
    /// Its grid zone.
    pub zone: Option<String>,
    /// Energy drawn by the data centre per energy drawn by its machines.
    pub pue: f64,
    /// Watts of an idle vCPU whose processor is not known.
    pub idle_w_per_vcpu: f64,
    /// Watts of a vCPU at full use whose processor is not known.
    pub max_w_per_vcpu: f64,
    /// Where zone and PUE come from: keys of the catalogue's sources, or `configuration`.
    pub sources: Vec<String>,
    /// Mean intensity over a year, by which the static greenest region is chosen.
    pub annual_mean_g_per_kwh: Option<f64>,
}

/// A namespace's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamespaceRow {
    /// The namespace.
    pub namespace: String,
    /// Its figures.
    pub sums: Sums,
}

/// Figures by owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owners {
    /// The whole days that are covered, half-open; `None`: none of the period's days is kept whole.
    pub covered: Option<(Timestamp, Timestamp)>,
    /// The owners, most emissions first.
    pub rows: Vec<OwnerRow>,
}

/// An owner's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnerRow {
    /// Its namespace.
    pub namespace: String,
    /// Its kind, such as `Deployment`; `Pod` for a pod nobody owns.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Steered, or left alone.
    pub group: Group,
    /// Its figures.
    pub sums: Sums,
}

/// What was emitted where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InventoryRow {
    /// The namespace.
    pub namespace: String,
    /// The region the pods ran in.
    pub region: String,
    /// Requested cores times hours.
    pub core_hours: f64,
    /// kWh, modelled.
    pub energy_kwh: f64,
    /// gCO2e, location-based.
    pub emissions_g: f64,
    /// Pod-hours that nothing is known of.
    pub missing_hours: f64,
}

/// One day, or one hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its start.
    pub start: Timestamp,
    /// Its figures, without the control group.
    pub sums: Sums,
}

/// What was decided.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    /// Records read.
    pub records: u64,
    /// Records that could not be read, of a newer release or damaged.
    pub unreadable: u64,
    /// The period for which records are kept, half-open; `None`: there are none.
    pub covered: Option<(Timestamp, Timestamp)>,
    /// How many of each kind.
    pub by_reason: Vec<ReasonRow>,
    /// State of the grid data of the regions that were weighed.
    pub readings: ReadingStates,
}

/// Decisions of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonRow {
    /// Who asked.
    pub endpoint: String,
    /// `steer`, `stay` or `bypass`.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// How often a region's grid data were in a state when they were weighed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingStates {
    /// Measured, and young enough.
    pub fresh: u64,
    /// Modelled by their source, and young enough.
    pub estimated: u64,
    /// Too old.
    pub stale: u64,
    /// Not there.
    pub missing: u64,
    /// Refused, or not comparable.
    pub unusable: u64,
}

impl ReadingStates {
    /// Every state by its name.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("fresh", self.fresh),
            ("estimated", self.estimated),
            ("stale", self.stale),
            ("missing", self.missing),
            ("unusable", self.unusable),
        ]
    }
}

/// The control group beside the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holdout {
    /// The pods that were steered or held.
    pub decided: GroupFigures,
    /// The pods that were left alone.
    pub holdout: GroupFigures,
    /// How much less the decided emit for a core-hour, as a share of what the control group emits; below zero: more.
    pub reduction: Option<Estimate>,
    /// How much less the decided cost for a core-hour, as a share of what the control group costs; below zero: more.
    pub saving: Option<Estimate>,
}

/// One group.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupFigures {
    /// Owners in it: the unit that was chosen by chance.
    pub owners: u64,
    /// Pods bound.
    pub pods: u64,
    /// Core-hours of which the emissions are known.
    pub core_hours: f64,
    /// gCO2e a core-hour; `None` without core-hours.
    pub emissions_g_per_core_hour: Option<f64>,
    /// USD a core-hour; `None` without core-hours, or where the price of some is not known.
    pub cost_usd_per_core_hour: Option<f64>,
}

/// A share with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The best guess.
    pub value: f64,
    /// Lower end of the 95 % confidence interval; `None` with fewer than two owners in a group.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// What is not closed yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Pods that run.
    pub running: u64,
    /// Pod-hours of the period that wait for readings.
    pub waiting_hours: f64,
}

/// Where a replica's chain of records ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The replica.
    pub replica: String,
    /// Number of its last record.
    pub seq: u64,
    /// Hash of its last record.
    pub hash: String,
}
