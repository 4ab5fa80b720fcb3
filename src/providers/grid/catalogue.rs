//! The built-in climatology as a provider: what a zone usually emits in this month and hour. Needs no key and no
//! network; always estimated.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, TimestampRound, Unit};

use crate::domain::climatology::Climatology;
use crate::domain::region::GridZone;
use crate::domain::snapshot::{Basis, GridProvider, GridReading, Outlook, Reading, Signal};
use crate::domain::{Region, RegionName, Regions};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Reads climatologies. A region whose zone has none is missing.
#[derive(Clone, Debug)]
pub struct CatalogueGrid {
    climatologies: HashMap<GridZone, Arc<Climatology>>,
}

impl CatalogueGrid {
    /// With these zones.
    #[must_use]
    pub const fn new(climatologies: HashMap<GridZone, Arc<Climatology>>) -> Self {
        Self { climatologies }
    }

    pub(super) fn read(&self, regions: &Regions, now: Timestamp) -> BTreeMap<RegionName, GridReading> {
        regions.iter().map(|(_, region)| (region.name.clone(), self.reading(region, now))).collect()
    }

    fn reading(&self, region: &Region, now: Timestamp) -> GridReading {
        let climatology = region.zone.as_ref().and_then(|zone| self.climatologies.get(zone));
        let hour = now.round(TimestampRound::new().smallest(Unit::Hour).mode(jiff::RoundMode::Floor));
        match (climatology, hour) {
            (Some(climatology), Ok(hour)) => GridReading::Known(Reading {
                intensity: climatology.at(now),
                starts_at: hour,
                ends_at: hour + HOUR,
                provider: GridProvider::Catalogue,
                signal: Signal::Average,
                basis: Basis::Lifecycle,
                estimated: true,
                outlook: Outlook::Climatology,
            }),
            _ => GridReading::Missing,
        }
    }
}
