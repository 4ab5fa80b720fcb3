//! The built-in climatology as a provider: what a zone usually emits in this month and hour. Needs no key and no
//! network; always estimated.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, TimestampRound, Unit};

use super::{Answer, Asked, GridSource, Question, Reach};
use crate::domain::Region;
use crate::domain::climatology::Climatology;
use crate::domain::region::GridZone;
use crate::domain::snapshot::{Failure, GridProvider, Outlook, Reading, Signal};
use crate::providers::FetchError;

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

    fn reading(&self, region: &Region, now: Timestamp) -> Result<Reading, FetchError> {
        let no_data = |detail: String| FetchError::new(Failure::NoData, detail);
        let zone = region.zone.as_ref().ok_or_else(|| no_data("the region has no grid zone".to_owned()))?;
        let climatology = self
            .climatologies
            .get(zone)
            .ok_or_else(|| no_data(format!("there is no climatology of zone {zone}")))?;
        let hour = now
            .round(TimestampRound::new().smallest(Unit::Hour).mode(jiff::RoundMode::Floor))
            .map_err(|error| no_data(error.to_string()))?;
        Ok(Reading {
            intensity: climatology.at(now),
            starts_at: hour,
            ends_at: hour + HOUR,
            provider: GridProvider::Catalogue,
            signal: Signal::Average,
            basis: GridProvider::Catalogue.basis(),
            estimated: true,
            estimation_method: Some("climatology".into()),
            reported_at: now,
            unchanged_since: hour,
            replayed_at: None,
            outlook: Outlook::Climatology,
        })
    }
}

impl GridSource for CatalogueGrid {
    fn provider(&self) -> GridProvider {
        GridProvider::Catalogue
    }

    fn reach(&self) -> Reach {
        Reach::Memory
    }

    fn ask<'a>(&'a self, region: &'a Region, _: Question, now: Timestamp) -> Asked<'a, Answer> {
        let answer = self.reading(region, now).map(Answer::from);
        Box::pin(async { answer })
    }
}
