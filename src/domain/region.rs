//! Regions as the rest of the domain sees them: what is fixed about each, and what it costs to go between two.
//!
//! Nothing here changes while the process runs on one configuration. What the grid and the market say of a region
//! at a moment is in [`super::snapshot`].

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::energy::CpuPower;
use super::units::{GramsPerKwh, Milliseconds, Pue, UsdPerGb};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// A region by the name its provider gives it (`eu-north-1`, `swedencentral`), or the operator (`dc-berlin`).
    RegionName
);
name!(
    /// An electricity grid zone by its Electricity Maps key (`SE-SE3`).
    GridZone
);

/// Whose data centre a region is: decides the power model and the egress price list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloudProvider {
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Gcp,
    /// Microsoft Azure.
    Azure,
    /// The operator's own: the catalogue knows nothing of it, the configuration must say all.
    OnPrem,
}

impl CloudProvider {
    /// Every provider with its name in configuration and tables.
    pub const ALL: [(&'static str, Self); 4] =
        [("aws", Self::Aws), ("gcp", Self::Gcp), ("azure", Self::Azure), ("on-prem", Self::OnPrem)];

    /// The name in configuration and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, provider)| *provider == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for CloudProvider {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, provider)| *provider).ok_or(())
    }
}

/// A place on the globe, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// North positive, -90 to 90.
    pub latitude_deg: f64,
    /// East positive, -180 to 180.
    pub longitude_deg: f64,
}

impl Location {
    /// Great-circle distance in kilometres on a sphere of the Earth's mean radius, 6,371 km (IUGG R1, 6,371.0088 km).
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        const EARTH_RADIUS_KM: f64 = 6_371.008_8;
        let (phi_1, phi_2) = (self.latitude_deg.to_radians(), other.latitude_deg.to_radians());
        let half_dphi = (phi_2 - phi_1) / 2.0;
        let half_dlambda = (other.longitude_deg - self.longitude_deg).to_radians() / 2.0;
        let haversine = half_dphi.sin().powi(2) + phi_1.cos() * phi_2.cos() * half_dlambda.sin().powi(2);
        2.0 * EARTH_RADIUS_KM * haversine.sqrt().min(1.0).asin()
    }
}

/// What is fixed about one configured region.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its name in configuration, records and metrics.
    pub name: RegionName,
    /// The value its nodes carry under the topology key: the alias when there is one, else the name.
    pub label: Arc<str>,
    /// Whose it is.
    pub provider: CloudProvider,
    /// The grid that feeds it; unknown when neither configuration nor catalogue says.
    pub zone: Option<GridZone>,
    /// Where it is; unknown when neither configuration nor catalogue says.
    pub location: Option<Location>,
    /// Its data centres' overhead. The catalogue falls back to the provider's fleet figure; on-prem must be configured.
    pub pue: Pue,
    /// Watts per vCPU when the instance type's processor is not known: the provider's average.
    pub default_cpu: CpuPower,
    /// Annual mean intensity of the zone in the catalogue's reference year; ranks regions for the static-greenest
    /// counterfactual, and decides nothing.
    pub annual_mean: Option<GramsPerKwh>,
}

/// A region's place in [`Regions`]: index into everything that is kept per region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionId(pub usize);

/// The configured regions and the tables between them.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    list: Vec<Region>,
    by_name: HashMap<Arc<str>, RegionId>,
    by_label: HashMap<Arc<str>, RegionId>,
    /// `[from][to]`, row by row.
    egress: Vec<Option<UsdPerGb>>,
    round_trip: Vec<Option<Milliseconds>>,
}

/// Two regions answer to the same name or label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two regions share the name or label `{0}`: give each its own `name` and `alias`")]
pub struct DuplicateRegion(pub Arc<str>);

impl Regions {
    /// Joins the regions with what it costs and takes to go from each to each; `None` where that is not known.
    ///
    /// # Errors
    /// Two regions with the same name or the same label.
    pub fn new(
        list: Vec<Region>,
        egress: impl Fn(&Region, &Region) -> Option<UsdPerGb>,
        round_trip: impl Fn(&Region, &Region) -> Option<Milliseconds>,
    ) -> Result<Self, DuplicateRegion> {
        let mut by_name = HashMap::new();
        let mut by_label = HashMap::new();
        for (index, region) in list.iter().enumerate() {
            if by_name.insert(region.name.0.clone(), RegionId(index)).is_some() {
                return Err(DuplicateRegion(region.name.0.clone()));
            }
            if by_label.insert(region.label.clone(), RegionId(index)).is_some() {
                return Err(DuplicateRegion(region.label.clone()));
            }
        }
        let pairs = || list.iter().flat_map(|from| list.iter().map(move |to| (from, to)));
        let egress = pairs().map(|(from, to)| egress(from, to)).collect();
        let round_trip = pairs().map(|(from, to)| round_trip(from, to)).collect();
        Ok(Self { list, by_name, by_label, egress, round_trip })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every region with its id, in configured order.
    pub fn iter(&self) -> impl Iterator<Item = (RegionId, &Region)> {
        self.list.iter().enumerate().map(|(index, region)| (RegionId(index), region))
    }

    /// The region at `id`.
    ///
    /// # Panics
    /// If `id` is of another set of regions; ids never leave the snapshot whose regions they index.
    #[must_use]
    pub fn get(&self, id: RegionId) -> &Region {
        &self.list[id.0]
    }

    /// By configured name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<RegionId> {
        self.by_name.get(name).copied()
    }

    /// By the value of the topology label.
    #[must_use]
    pub fn by_label(&self, label: &str) -> Option<RegionId> {
        self.by_label.get(label).copied()
    }

    /// By label, else by name: what people write into annotations may be either.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<RegionId> {
        self.by_label(text).or_else(|| self.by_name(text))
    }

    /// Price of moving data from one region to another; `None` when no source says.
    #[must_use]
    pub fn egress(&self, from: RegionId, to: RegionId) -> Option<UsdPerGb> {
        self.egress.get(from.0 * self.list.len() + to.0).copied().flatten()
    }

    /// Round trip between two regions; `None` when neither measured nor computable.
    #[must_use]
    pub fn round_trip(&self, from: RegionId, to: RegionId) -> Option<Milliseconds> {
        self.round_trip.get(from.0 * self.list.len() + to.0).copied().flatten()
    }
}
