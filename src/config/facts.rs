//! What the configuration asks the catalogue for. A seam, so that both can be tested apart.

use crate::catalogue::Catalogue;
use crate::domain::energy::CpuPower;
use crate::domain::region::{CloudProvider, GridZone, Location};
use crate::domain::units::{GramsPerKwh, Milliseconds, Pue, UsdPerGb};

/// What is known of a region by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownRegion {
    /// Whose it is.
    pub provider: CloudProvider,
    /// The grid that feeds it.
    pub zone: Option<GridZone>,
    /// Where it is.
    pub location: Option<Location>,
    /// Its data centres' overhead, its own or its provider's.
    pub pue: Option<Pue>,
}

/// Facts about regions that the configuration need not repeat. What is not known is `None`.
pub trait RegionFacts {
    /// A region by name.
    fn region(&self, name: &str) -> Option<KnownRegion>;
    /// The names of all known regions.
    fn region_names(&self) -> Vec<&str>;
    /// Overhead over all of a provider's data centres.
    fn fleet_pue(&self, provider: CloudProvider) -> Option<Pue>;
    /// Power of a vCPU over all of a provider's machines.
    fn cpu_power(&self, provider: CloudProvider) -> CpuPower;
    /// Annual mean intensity of a grid zone.
    fn annual_mean(&self, zone: &str) -> Option<GramsPerKwh>;
    /// Price of moving data between two regions, by name.
    fn egress(&self, from: &str, to: &str) -> Option<UsdPerGb>;
    /// Round trip between two regions, by name.
    fn round_trip(&self, from: &str, to: &str) -> Option<Milliseconds>;
    /// Round trip to expect over a distance.
    fn round_trip_between(&self, from: Location, to: Location) -> Milliseconds;
    /// Whether a type of machine is known.
    fn knows_instance_type(&self, name: &str) -> bool;
}

impl RegionFacts for Catalogue {
    fn region(&self, name: &str) -> Option<KnownRegion> {
        self.region(name).map(|region| KnownRegion {
            provider: region.provider,
            zone: Some(region.zone.clone()),
            location: Some(region.location),
            pue: Some(region.pue.value),
        })
    }

    fn region_names(&self) -> Vec<&str> {
        self.regions().map(|region| region.name.as_str()).collect()
    }

    fn fleet_pue(&self, provider: CloudProvider) -> Option<Pue> {
        self.fleet_pue(provider)
    }

    fn cpu_power(&self, provider: CloudProvider) -> CpuPower {
        self.cpu_power(provider)
    }

    fn annual_mean(&self, zone: &str) -> Option<GramsPerKwh> {
        self.climatology(zone).map(|climatology| climatology.annual_mean())
    }

    fn egress(&self, from: &str, to: &str) -> Option<UsdPerGb> {
        self.egress(from, to)
    }

    fn round_trip(&self, from: &str, to: &str) -> Option<Milliseconds> {
        self.round_trip(from, to).map(|round_trip| round_trip.ms)
    }

    fn round_trip_between(&self, from: Location, to: Location) -> Milliseconds {
        Self::round_trip_between(from, to)
    }

    fn knows_instance_type(&self, name: &str) -> bool {
        self.instance(name).is_some()
    }
}
