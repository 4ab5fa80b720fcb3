//! What grid and market say at a moment: readings as they were fetched and shared, and the snapshot that joins them
//! with this process's regions for decisions.
//!
//! A reading that is not there is a state with a name, never a number. Whether a reading is too old is not kept
//! here: it is judged against the time of the decision.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::climatology::Climatology;
use super::energy::{CpuPower, GpuPower};
use super::region::{GridZone, RegionId, RegionName, Regions};
use super::units::{Cores, Gibibytes, GramsPerKwh, Hours, UsdPerHour};

/// Which question an intensity answers. The two never meet in one difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Emissions of all generation, shared over all use.
    Average,
    /// Emissions of the generation that would answer one more kilowatt-hour.
    Marginal,
}

/// Which emissions an intensity counts. The two never meet in one difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// From building the plant to burning the fuel.
    Lifecycle,
    /// Burning the fuel only.
    Direct,
}

/// Who said what the grid does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GridProvider {
    /// The operator, by hand.
    Mock,
    /// The built-in climatology.
    Catalogue,
}

impl GridProvider {
    /// Its name in configuration, metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mock => "mock",
            Self::Catalogue => "catalogue",
        }
    }
}

/// Who said what a machine costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriceProvider {
    /// The built-in price tables.
    Catalogue,
    /// The configuration: `priceUsdPerVcpuHour` of a region.
    Configuration,
}

impl PriceProvider {
    /// Its name in configuration, metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Configuration => "configuration",
        }
    }
}

/// What is to be expected of the hours after a reading's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outlook {
    /// The provider asserts that the value holds until it says otherwise (a forced mock value).
    Holds,
    /// The zone's climatology; without one the reading's own value is all there is.
    Climatology,
}

/// Carbon intensity of one region over one interval, with its provenance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The value.
    pub intensity: GramsPerKwh,
    /// Start of the interval it describes.
    pub starts_at: Timestamp,
    /// End of the interval it describes; its age runs from here.
    pub ends_at: Timestamp,
    /// Who said it.
    pub provider: GridProvider,
    /// Average or marginal.
    pub signal: Signal,
    /// Lifecycle or direct.
    pub basis: Basis,
    /// Whether the provider modelled rather than measured it.
    pub estimated: bool,
    /// What to expect of later hours.
    pub outlook: Outlook,
}

/// What became of asking for a region's intensity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GridReading {
    /// A value.
    Known(Reading),
    /// Nobody could say.
    Missing,
    /// Somebody said what cannot be: it is kept to be shown, never used.
    Implausible {
        /// The value as it came, as text: it may be no number at all.
        value: String,
        /// Who said it.
        provider: GridProvider,
    },
}

/// The state of a region's data at the time of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DataState {
    /// Read, and young enough.
    Fresh,
    /// Modelled by the provider, and young enough.
    Estimated,
    /// Older than allowed.
    Stale,
    /// Not known.
    Missing,
    /// Known to be wrong.
    Implausible,
    /// Not of the base's signal or basis.
    Incomparable,
}

impl DataState {
    /// The state in records, tables and `/snapshot`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Estimated => "estimated",
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::Implausible => "implausible",
            Self::Incomparable => "incomparable",
        }
    }

    /// Whether a decision may use the value.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Fresh | Self::Estimated)
    }
}

impl GridReading {
    /// The reading, when there is one.
    #[must_use]
    pub fn known(&self) -> Option<&Reading> {
        match self {
            Self::Known(reading) => Some(reading),
            Self::Missing | Self::Implausible { .. } => None,
        }
    }

    /// The state at `now`, before comparability is judged.
    #[must_use]
    pub fn state(&self, now: Timestamp, max_age: SignedDuration) -> DataState {
        match self {
            Self::Missing => DataState::Missing,
            Self::Implausible { .. } => DataState::Implausible,
            Self::Known(reading) if reading.age(now) > max_age => DataState::Stale,
            Self::Known(Reading { estimated: true, .. }) => DataState::Estimated,
            Self::Known(_) => DataState::Fresh,
        }
    }
}

impl Reading {
    /// How long ago the interval ended that the value describes; zero while it lasts.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.ends_at).max(SignedDuration::ZERO)
    }
}

/// What kind of capacity a price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityType {
    /// Kept until given back.
    OnDemand,
    /// May be taken away at short notice.
    Spot,
}

impl CapacityType {
    /// Its name in configuration, metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
        }
    }
}

/// What one machine of a type costs in one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// The machine, by its provider's name.
    pub instance_type: Arc<str>,
    /// The capacity.
    pub capacity_type: CapacityType,
    /// The price.
    pub per_hour: UsdPerHour,
    /// Half the width of what the source cannot tell apart; a difference within the two sides' sum is no difference.
    pub precision: UsdPerHour,
    /// Who said it.
    pub provider: PriceProvider,
    /// When a feed reported it; `None` for a table, which has an edition instead of an age.
    pub reported_at: Option<Timestamp>,
    /// For spot: how often such capacity is taken away within a month, in the source's own bands.
    pub interruption: Option<Arc<str>>,
}

/// What was fetched for one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionReadings {
    /// Carbon intensity.
    pub grid: GridReading,
    /// Prices; a type that is not listed has no known price.
    pub prices: Vec<Price>,
}

/// One immutable version of everything that was fetched: what a store keeps and replicas share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Readings {
    /// Rises with every change.
    pub version: u64,
    /// When it was put together.
    pub captured_at: Timestamp,
    /// By region name.
    pub regions: BTreeMap<RegionName, RegionReadings>,
}

/// The shape and power of a type of machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its provider's name for it.
    pub name: Arc<str>,
    /// vCPUs.
    pub vcpus: Cores,
    /// Memory.
    pub memory: Gibibytes,
    /// GPUs.
    pub gpus: u32,
    /// Power of a vCPU, when the processor is known.
    pub cpu: Option<CpuPower>,
    /// Power of a GPU, when there is one and its model is known.
    pub gpu: Option<GpuPower>,
}

/// Types of machine by name.
pub type Instances = HashMap<Arc<str>, Arc<Instance>>;

/// One region's data, joined for decisions.
#[derive(Clone, Debug)]
pub struct RegionData {
    /// Carbon intensity.
    pub grid: GridReading,
    /// Prices by type and capacity.
    pub prices: Vec<Price>,
    /// Price of one vCPU that configuration gives this region in place of a machine's.
    pub per_vcpu: Option<UsdPerHour>,
    climatology: Option<Arc<Climatology>>,
}

impl RegionData {
    /// Mean intensity to expect over a run of `length` from `now`, given this region's reading.
    #[must_use]
    pub fn mean_over_run(&self, reading: &Reading, now: Timestamp, length: Hours) -> GramsPerKwh {
        match (reading.outlook, &self.climatology) {
            (Outlook::Climatology, Some(climatology)) => climatology.mean_over(now, length),
            (Outlook::Climatology, None) | (Outlook::Holds, _) => reading.intensity,
        }
    }

    /// The listed price of a machine.
    #[must_use]
    pub fn price(&self, instance_type: &str, capacity_type: CapacityType) -> Option<&Price> {
        self.prices
            .iter()
            .find(|price| price.capacity_type == capacity_type && &*price.instance_type == instance_type)
    }
}

/// Readings joined with this process's regions: what decisions read. Immutable; a new version is a new value.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The readings' version.
    pub version: u64,
    /// When they were put together.
    pub captured_at: Timestamp,
    /// The regions that everything else is indexed by.
    pub regions: Arc<Regions>,
    /// Types of machine.
    pub instances: Arc<Instances>,
    data: Vec<RegionData>,
}

/// What does not change from reading to reading.
#[derive(Clone, Debug, Default)]
pub struct StaticTables {
    /// The configured regions.
    pub regions: Arc<Regions>,
    /// Known types of machine.
    pub instances: Arc<Instances>,
    /// Configured price of a vCPU, by region.
    pub per_vcpu: HashMap<RegionId, UsdPerHour>,
    /// Known climatologies.
    pub climatologies: HashMap<GridZone, Arc<Climatology>>,
}

impl Snapshot {
    /// Joins `readings` with what is fixed. A region the readings do not speak of is missing.
    #[must_use]
    pub fn assemble(readings: &Readings, tables: &StaticTables) -> Self {
        let data = tables
            .regions
            .iter()
            .map(|(id, region)| {
                let fetched = readings.regions.get(&region.name);
                let climatology = region.zone.as_ref().and_then(|zone| tables.climatologies.get(zone));
                RegionData {
                    grid: fetched.map_or(GridReading::Missing, |readings| readings.grid.clone()),
                    prices: fetched.map(|readings| readings.prices.clone()).unwrap_or_default(),
                    per_vcpu: tables.per_vcpu.get(&id).copied(),
                    climatology: climatology.cloned(),
                }
            })
            .collect();
        Self {
            version: readings.version,
            captured_at: readings.captured_at,
            regions: tables.regions.clone(),
            instances: tables.instances.clone(),
            data,
        }
    }

    /// One region's data.
    ///
    /// # Panics
    /// If `id` is of another set of regions; ids never leave the snapshot whose regions they index.
    #[must_use]
    pub fn data(&self, id: RegionId) -> &RegionData {
        &self.data[id.0]
    }

    /// Every region with its data.
    pub fn iter(&self) -> impl Iterator<Item = (RegionId, &super::Region, &RegionData)> {
        self.regions.iter().zip(&self.data).map(|((id, region), data)| (id, region, data))
    }
}
