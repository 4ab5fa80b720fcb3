//! Readings of the hours that are due, as they are stored.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::accounts::grid::{Mean, mean, start_of};
use crate::accounts::hour::Grid;
use crate::domain::RegionName;
use crate::domain::history::PastReading;
use crate::store::{SnapshotStore, StoreError};

/// Readings by region.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<String, Vec<PastReading>>);

impl Known {
    /// Reads what is stored of each region from one hour to another, both whole.
    pub(super) async fn read(
        store: &SnapshotStore,
        needed: BTreeMap<String, (i64, i64)>,
    ) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        for (region, (from, to)) in needed {
            // A reading of an hour before may reach into the first.
            let (from, to) = (start_of(from - 1), start_of(to + 1));
            let readings = store.history(&RegionName::from(region.as_str()), from, to).await?;
            known.insert(region, readings);
        }
        Ok(Self(known))
    }
}

impl Grid for Known {
    fn intensity(&self, region: &str, from: Timestamp, to: Timestamp) -> Option<Mean> {
        let readings = self.0.get(region)?;
        // Oldest first, and none longer than a day.
        let first = readings.partition_point(|reading| {
            reading.starts_at < from && from.duration_since(reading.starts_at).as_hours() >= 24
        });
        let last = readings.partition_point(|reading| reading.starts_at < to);
        mean(readings.get(first..last).unwrap_or_default(), from, to)
    }
}
