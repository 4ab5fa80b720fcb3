//! The mock grid: each region's intensity as the operator says, changeable while running, to see decisions follow.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::{Answer, Asked, GridSource, Question, Reach};
use crate::domain::snapshot::{Failure, GridProvider, Outlook, Reading, Signal};
use crate::domain::units::GramsPerKwh;
use crate::domain::{Region, RegionName};
use crate::providers::FetchError;

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

    fn reading(&self, region: &Region, now: Timestamp) -> Result<Reading, FetchError> {
        let state = self.lock();
        if state.unplugged {
            return Err(FetchError::new(Failure::Outage, "the mock grid is unplugged"));
        }
        let intensity = state.values.get(&region.name).ok_or_else(|| {
            FetchError::new(Failure::NoData, format!("the mock grid has no value for {}", region.name))
        })?;
        Ok(Reading {
            intensity: *intensity,
            // It describes the moment it is read at: its age is the time since.
            starts_at: now,
            ends_at: now,
            provider: GridProvider::Mock,
            signal: Signal::Average,
            basis: GridProvider::Mock.basis(),
            estimated: false,
            estimation_method: None,
            reported_at: now,
            unchanged_since: now,
            replayed_at: None,
            outlook: Outlook::Holds,
        })
    }
}

impl GridSource for MockGrid {
    fn provider(&self) -> GridProvider {
        GridProvider::Mock
    }

    fn reach(&self) -> Reach {
        Reach::Memory
    }

    fn ask<'a>(&'a self, region: &'a Region, _: Question, now: Timestamp) -> Asked<'a, Answer> {
        let answer = self.reading(region, now).map(Answer::from);
        Box::pin(async { answer })
    }
}
