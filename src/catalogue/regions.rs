//! The regions of the three clouds: the grid that feeds each, where it is, what its cooling costs, and by which group
//! its transfers are priced.

use std::sync::Arc;

use super::table::{CatalogueError, Keyed, Sorted, Table};
use crate::domain::region::{CloudProvider, GridZone, Location, RegionName};
use crate::domain::units::Pue;

const PROVIDERS: Table = Table { file: "providers.csv", columns: &["provider", "fleet_pue", "source"] };

const REGIONS: Table = Table {
    file: "regions.csv",
    columns: &[
        "name",
        "provider",
        "grid_zone",
        "latitude",
        "longitude",
        "pue",
        "metro",
        "egress_group",
        "place",
        "source",
    ],
};

/// No data centre is below 1, and none that anyone publishes is above 2.
const POSSIBLE_PUE: std::ops::RangeInclusive<f64> = 1.0..=2.0;

/// One region.
#[derive(Clone, Debug)]
pub struct RegionRow {
    /// Its provider's name for it.
    pub name: RegionName,
    /// Whose it is.
    pub provider: CloudProvider,
    /// The grid that feeds it.
    pub zone: GridZone,
    /// Where it is; most providers say no more than the metropolitan area.
    pub location: Location,
    /// Its data centres' overhead.
    pub pue: RegionPue,
    /// The metropolitan area, in words that regions of other providers in the same one share.
    pub metro: Arc<str>,
    /// The place in words, for people.
    pub place: Arc<str>,
    /// Keys into `docs/catalogue.md`, joined by `+`.
    pub source: Arc<str>,
    /// How its provider prices transfers; `None` when the price list does not have it.
    pub(super) egress_group: Option<Arc<str>>,
}

/// A region's PUE, and of what it was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegionPue {
    /// The figure, a mean over a year.
    pub value: Pue,
    /// What it is the mean of.
    pub basis: PueBasis,
}

/// What a PUE figure covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PueBasis {
    /// The region, or the part of the world its provider reports it under.
    Region,
    /// All of the provider's data centres: nothing nearer is published.
    Fleet,
}

impl Keyed for RegionRow {
    fn key(&self) -> [&str; 3] {
        [self.name.as_str(), "", ""]
    }
}

#[derive(Clone, Debug)]
struct Fleet {
    provider: CloudProvider,
    pue: Pue,
}

impl Keyed for Fleet {
    fn key(&self) -> [&str; 3] {
        [self.provider.as_str(), "", ""]
    }
}

/// `regions.csv` and `providers.csv`.
#[derive(Clone, Debug)]
pub(super) struct Regions {
    rows: Sorted<RegionRow>,
    fleets: Sorted<Fleet>,
}

impl Regions {
    pub(super) fn read(providers: &str, regions: &str) -> Result<Self, CatalogueError> {
        let fleets = PROVIDERS.read(providers, |row| {
            row.text("source")?;
            Ok(Fleet {
                provider: row.provider("provider")?,
                pue: Pue(row.number("fleet_pue", POSSIBLE_PUE)?),
            })
        })?;
        let rows = REGIONS.read(regions, |row| {
            let provider = row.provider("provider")?;
            let pue = if row.optional("pue").is_some() {
                RegionPue { value: Pue(row.number("pue", POSSIBLE_PUE)?), basis: PueBasis::Region }
            } else {
                let fleet = fleets.find([provider.as_str(), "", ""]);
                let value = fleet.ok_or_else(|| PROVIDERS.absent(format!("`{}`", provider.as_str())))?.pue;
                RegionPue { value, basis: PueBasis::Fleet }
            };
            Ok(RegionRow {
                name: row.text("name")?.into(),
                provider,
                zone: row.text("grid_zone")?.into(),
                location: Location {
                    latitude_deg: row.number("latitude", -90.0..=90.0)?,
                    longitude_deg: row.number("longitude", -180.0..=180.0)?,
                },
                pue,
                metro: row.text("metro")?.into(),
                place: row.text("place")?.into(),
                source: row.text("source")?.into(),
                egress_group: row.optional("egress_group").map(Arc::from),
            })
        })?;
        Ok(Self { rows, fleets })
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, RegionRow> {
        self.rows.iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<&RegionRow> {
        self.rows.find([name, "", ""])
    }

    pub(super) fn fleet_pue(&self, provider: CloudProvider) -> Option<Pue> {
        self.fleets.find([provider.as_str(), "", ""]).map(|fleet| fleet.pue)
    }
}
