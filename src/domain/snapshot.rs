//! What grid and market say at a moment: readings as they were fetched and shared, and the snapshot that joins them
//! with this process's regions for decisions.
//!
//! A reading that is not there is a state with a name, never a number. Whether a reading is too old is not kept
//! here: it is judged against the time of the decision.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::climatology::Climatology;
use super::energy::{CpuPower, GpuPower};
use super::region::{GridZone, RegionId, RegionName, Regions};
use super::units::{Cores, Gibibytes, GramsPerKwh, Hours, UsdPerHour};

mod expected;
mod failure;
mod forecast;
mod price;
mod reading;

pub use failure::{Failure, Trouble};
pub use forecast::Forecast;
pub use price::{CapacityType, Price, PriceProvider};
pub use reading::{Basis, DataState, GridProvider, GridReading, Implausibility, Outlook, Reading, Signal};

/// What was fetched for one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionReadings {
    /// The grid zone that was asked about: a process that is told of another one for this region has no use for it.
    #[serde(default)]
    pub zone: Option<GridZone>,
    /// Carbon intensity.
    pub grid: GridReading,
    /// When a provider was last asked about this region; `None`: never.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    /// What came of it where a provider gave nothing of use; one entry a provider, in the order they were asked.
    #[serde(default)]
    pub trouble: Vec<Trouble<GridProvider>>,
    /// Prices; a type that is not listed has no known price.
    pub prices: Vec<Price>,
}

/// One immutable version of everything that was fetched: what a store keeps and replicas share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Readings {
    /// Rises with every change; given by the store, which keeps it beside the rest.
    #[serde(skip)]
    pub version: u64,
    /// When it was put together.
    pub captured_at: Timestamp,
    /// By region name.
    pub regions: BTreeMap<RegionName, RegionReadings>,
    /// Who was asked for prices.
    #[serde(default)]
    pub price_provider: Option<PriceProvider>,
    /// When it was last asked; `None`: never.
    #[serde(default)]
    pub prices_asked_at: Option<Timestamp>,
    /// What came of it, when it gave nothing of use.
    #[serde(default)]
    pub price_trouble: Option<Trouble<PriceProvider>>,
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
    /// When a provider was last asked about it.
    pub asked_at: Option<Timestamp>,
    /// What is wrong with getting it.
    pub trouble: Vec<Trouble<GridProvider>>,
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
        expected::mean_over_run(reading, self.climatology.as_deref(), now, length)
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
    /// When the provider of prices was last asked.
    pub prices_asked_at: Option<Timestamp>,
    /// What is wrong with getting prices.
    pub price_trouble: Option<Trouble<PriceProvider>>,
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
    /// Joins `readings` with what is fixed. A region the readings do not speak of is missing,
    /// and so are the grid data of one that they know in another zone. What cannot be is not believed here either, whoever
    /// stored it: it is as if it had been refused.
    #[must_use]
    pub fn assemble(readings: &Readings, tables: &StaticTables) -> Self {
        let data = tables
            .regions
            .iter()
            .map(|(id, region)| {
                let fetched = readings.regions.get(&region.name);
                let of_zone = fetched.filter(|readings| readings.zone == region.zone);
                let climatology = region.zone.as_ref().and_then(|zone| tables.climatologies.get(zone));
                RegionData {
                    grid: of_zone.map_or(GridReading::Missing, |readings| readings.grid.believable()),
                    asked_at: of_zone.and_then(|readings| readings.asked_at),
                    trouble: of_zone.map(|readings| readings.trouble.clone()).unwrap_or_default(),
                    prices: fetched
                        .map(|readings| {
                            readings.prices.iter().filter(|price| price.can_be()).cloned().collect()
                        })
                        .unwrap_or_default(),
                    per_vcpu: tables.per_vcpu.get(&id).copied(),
                    climatology: climatology.cloned(),
                }
            })
            .collect();
        Self {
            version: readings.version,
            captured_at: readings.captured_at,
            prices_asked_at: readings.prices_asked_at,
            price_trouble: readings.price_trouble.clone(),
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
