//! Readings of the hours that are due, as they are stored.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::accounts::grid::{Mean, mean, start_of};
use crate::accounts::hour::Grid;
use crate::domain::history::PastReading;
use crate::domain::{RegionName, Regions};
use crate::store::{SnapshotStore, StoreError};

/// Readings by region, and what they came to: most pods run through whole hours, the same ones.
#[derive(Debug, Default)]
pub(super) struct Known {
    regions: HashMap<String, (Vec<PastReading>, Means)>,
    /// The regions whose readings are collected; `None`: nobody knows.
    collected: Option<Arc<Regions>>,
}

/// Means by the seconds they are from and to.
type Means = RefCell<HashMap<(i64, i64), Option<Mean>>>;

impl Known {
    /// Reads what is stored of each region from one hour to another, both whole.
    pub(super) async fn read(
        store: &SnapshotStore,
        needed: BTreeMap<String, (i64, i64)>,
        collected: Option<Arc<Regions>>,
    ) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        for (region, (from, to)) in needed {
            // A reading of an hour before may reach into the first.
            let (from, to) = (start_of(from - 1), start_of(to + 1));
            let readings = store.history(&RegionName::from(region.as_str()), from, to).await?;
            known.insert(region, (readings, Means::default()));
        }
        Ok(Self { regions: known, collected })
    }
}

impl Grid for Known {
    fn may_come(&self, region: &str) -> bool {
        self.collected.as_ref().is_none_or(|regions| regions.by_name(region).is_some())
    }

    fn intensity(&self, region: &str, from: Timestamp, to: Timestamp) -> Option<Mean> {
        let (readings, means) = self.regions.get(region)?;
        let span = (from.as_second(), to.as_second());
        *means.borrow_mut().entry(span).or_insert_with(|| mean_of(readings, from, to))
    }
}

fn mean_of(readings: &[PastReading], from: Timestamp, to: Timestamp) -> Option<Mean> {
    // Oldest first, and none longer than a day.
    let first = readings.partition_point(|reading| {
        reading.starts_at < from && from.duration_since(reading.starts_at).as_hours() >= 24
    });
    let last = readings.partition_point(|reading| reading.starts_at < to);
    mean(readings.get(first..last).unwrap_or_default(), from, to)
}
