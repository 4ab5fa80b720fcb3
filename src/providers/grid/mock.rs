//! The mock grid: each region's intensity as the operator says, changeable while running, to see decisions follow.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::GridError;
use crate::domain::snapshot::{Basis, GridProvider, GridReading, Outlook, Reading, Signal};
use crate::domain::units::GramsPerKwh;
use crate::domain::{RegionName, Regions};

/// The mock grid. A region nobody set is missing.
#[derive(Debug, Default)]
pub struct MockGrid {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    values: BTreeMap<RegionName, GramsPerKwh>,
    unplugged: bool,
}

impl MockGrid {
    /// With these values to begin with.
    #[must_use]
    pub fn new(values: BTreeMap<RegionName, GramsPerKwh>) -> Self {
        Self { state: Mutex::new(State { values, unplugged: false }) }
    }

    /// Sets a region's value, from the next reading on.
    pub fn set(&self, region: RegionName, value: GramsPerKwh) {
        self.lock().values.insert(region, value);
    }

    /// From now on every reading fails, as when the provider is gone.
    pub fn unplug(&self) {
        self.lock().unplugged = true;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(
        &self,
        regions: &Regions,
        now: Timestamp,
    ) -> Result<BTreeMap<RegionName, GridReading>, GridError> {
        let state = self.lock();
        if state.unplugged {
            return Err(GridError::Unplugged);
        }
        let reading = |name| {
            state.values.get(name).map_or(GridReading::Missing, |value| {
                GridReading::Known(Reading {
                    intensity: *value,
                    // It describes the moment it is read at: its age is the time since.
                    starts_at: now,
                    ends_at: now,
                    provider: GridProvider::Mock,
                    signal: Signal::Average,
                    basis: Basis::Lifecycle,
                    estimated: false,
                    outlook: Outlook::Holds,
                })
            })
        };
        Ok(regions.iter().map(|(_, region)| (region.name.clone(), reading(&region.name))).collect())
    }
}
