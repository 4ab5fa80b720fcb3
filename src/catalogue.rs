//! The built-in tables: what is publicly known of regions, machines, prices and networks before anything is
//! configured or fetched.
//!
//! The tables are CSV files compiled into the program. Every row names its source by a short key that
//! `docs/catalogue.md` explains, with date and licence. What no source gives is missing: a lookup answers `None`, never
//! a guess, and an estimate (a fitted round trip, a fleet-wide PUE) says that it is one. Nothing here reads a file, a
//! clock or the network, and nothing here decides: whoever asks turns `None` into a data state of its own.

mod climatology;
mod egress;
mod instances;
mod latency;
mod power;
mod prices;
mod regions;
mod table;

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::climatology::Climatology;
use crate::domain::energy::{CpuPower, GpuPower};
use crate::domain::region::{CloudProvider, Location};
use crate::domain::units::{Milliseconds, Pue, UsdPerGb};

pub use instances::{Gpu, Instance};
pub use latency::{RoundTrip, RoundTripBasis};
pub use prices::{InterruptionBand, OnDemand, Spot, SpotSaving};
pub use regions::{PueBasis, RegionPue, RegionRow};
pub use table::CatalogueError;

/// The text of every table. A field each, so that a test can put a broken one in the place of any.
#[derive(Clone, Copy)]
struct Texts {
    climatology: &'static str,
    cpu_power: &'static str,
    egress: &'static str,
    gpu_power: &'static str,
    instances: &'static str,
    prices_on_demand: &'static str,
    providers: &'static str,
    regions: &'static str,
    round_trip: &'static str,
    spot_savings: &'static str,
}

const BUILT_IN: Texts = Texts {
    climatology: include_str!("catalogue/data/climatology.csv"),
    cpu_power: include_str!("catalogue/data/cpu_power.csv"),
    egress: include_str!("catalogue/data/egress.csv"),
    gpu_power: include_str!("catalogue/data/gpu_power.csv"),
    instances: include_str!("catalogue/data/instances.csv"),
    prices_on_demand: include_str!("catalogue/data/prices_on_demand.csv"),
    providers: include_str!("catalogue/data/providers.csv"),
    regions: include_str!("catalogue/data/regions.csv"),
    round_trip: include_str!("catalogue/data/round_trip.csv"),
    spot_savings: include_str!("catalogue/data/spot_savings.csv"),
};

/// The built-in tables, read and checked.
#[derive(Clone, Debug)]
pub struct Catalogue {
    regions: regions::Regions,
    power: power::Power,
    instances: instances::Instances,
    prices: prices::Prices,
    egress: egress::Egress,
    round_trips: latency::RoundTrips,
    climatologies: HashMap<Box<str>, Arc<Climatology>>,
}

impl Catalogue {
    /// Reads the tables that are compiled in.
    ///
    /// # Errors
    /// A table does not hold what it must; the error names file, line, field and value. The tests read the tables that
    /// are shipped, so a released program does not see this.
    pub fn built_in() -> Result<Self, CatalogueError> {
        Self::read(&BUILT_IN)
    }

    fn read(texts: &Texts) -> Result<Self, CatalogueError> {
        let regions = regions::Regions::read(texts.providers, texts.regions)?;
        let power = power::Power::read(texts.cpu_power, texts.gpu_power)?;
        let instances = instances::Instances::read(texts.instances, &power)?;
        let prices = prices::Prices::read(texts.prices_on_demand, texts.spot_savings, &regions, &instances)?;
        let egress = egress::Egress::read(texts.egress)?;
        let round_trips = latency::RoundTrips::read(texts.round_trip, &regions)?;
        let climatologies = climatology::read(texts.climatology)?;
        Ok(Self { regions, power, instances, prices, egress, round_trips, climatologies })
    }

    /// Every region, in the order of their names.
    pub fn regions(&self) -> impl Iterator<Item = &RegionRow> {
        self.regions.iter()
    }

    /// A region by the name its provider gives it.
    #[must_use]
    pub fn region(&self, name: &str) -> Option<&RegionRow> {
        self.regions.find(name)
    }

    /// The mean PUE of all of a provider's data centres; `None` on-prem.
    #[must_use]
    pub fn fleet_pue(&self, provider: CloudProvider) -> Option<Pue> {
        self.regions.fleet_pue(provider)
    }

    /// Every known instance type.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.iter()
    }

    /// What is known of an instance type, by its name in the label `node.kubernetes.io/instance-type`.
    #[must_use]
    pub fn instance(&self, instance_type: &str) -> Option<&Instance> {
        self.instances.find(instance_type)
    }

    /// Watts per vCPU where the processor is not known: the provider's average, on-prem the mean over all processors.
    #[must_use]
    pub fn cpu_power(&self, provider: CloudProvider) -> CpuPower {
        self.power.average(provider)
    }

    /// Watts of one GPU, by model (`T4`, `A100`).
    #[must_use]
    pub fn gpu_power(&self, model: &str) -> Option<GpuPower> {
        self.power.gpu(model)
    }

    /// Every on-demand price known in a region, in the order of the instance types; nothing for a region not known.
    pub fn prices_in(&self, region: &str) -> impl Iterator<Item = &OnDemand> {
        self.prices.in_region(region).iter()
    }

    /// The on-demand list price of an instance type in a region.
    #[must_use]
    pub fn on_demand(&self, region: &str, instance_type: &str) -> Option<&OnDemand> {
        self.prices.on_demand(region, instance_type)
    }

    /// The spot price: the saving the provider states, off the on-demand price. `None` when either is not known.
    #[must_use]
    pub fn spot(&self, region: &str, instance_type: &str) -> Option<Spot> {
        let on_demand = self.on_demand(region, instance_type)?;
        self.spot_saving(region, instance_type).map(|saving| saving.off(on_demand))
    }

    /// What spot saves against on-demand, for whoever knows the on-demand price from elsewhere.
    #[must_use]
    pub fn spot_saving(&self, region: &str, instance_type: &str) -> Option<&SpotSaving> {
        self.prices.spot_saving(region, instance_type)
    }

    /// What the sender's provider charges for moving data between two regions: nothing within one region, the sender's
    /// internet price from one provider to another. `None` when a region or its price is not known.
    #[must_use]
    pub fn egress(&self, from: &str, to: &str) -> Option<UsdPerGb> {
        self.egress.between(self.region(from)?, self.region(to)?)
    }

    /// The network round trip between two regions, the same in both directions; `None` when a region is not known.
    #[must_use]
    pub fn round_trip(&self, from: &str, to: &str) -> Option<RoundTrip> {
        Some(self.round_trips.between(self.region(from)?, self.region(to)?))
    }

    /// The round trip estimated from distance alone, for places that are not in the tables.
    #[must_use]
    pub fn round_trip_between(from: Location, to: Location) -> Milliseconds {
        latency::fitted(from, to)
    }

    /// What a grid zone's intensity usually is: the means of 2022, life cycle, average; `None` for a zone without a
    /// trace.
    #[must_use]
    pub fn climatology(&self, zone: &str) -> Option<&Arc<Climatology>> {
        self.climatologies.get(zone)
    }
}

#[cfg(test)]
mod tests;
