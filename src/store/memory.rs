//! A store in this process: for a single replica, for the demo and for tests.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::{StoreState, first_slot_from, oldest_slot};
use crate::domain::RegionName;
use crate::domain::history::PastReading;
use crate::domain::snapshot::Readings;

/// Readings in memory.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    current: watch::Sender<Option<Arc<Readings>>>,
    state: watch::Sender<StoreState>,
    past: Arc<Mutex<HashMap<RegionName, BTreeMap<i64, PastReading>>>>,
    retention: SignedDuration,
}

impl MemoryStore {
    /// An empty store that keeps past readings for so long.
    #[must_use]
    pub fn new(retention: SignedDuration) -> Self {
        Self {
            current: watch::Sender::new(None),
            state: watch::Sender::new(StoreState::Up),
            past: Arc::default(),
            retention,
        }
    }

    pub(super) fn publish(&self, readings: Readings) -> Arc<Readings> {
        let mut published = None;
        self.current.send_modify(|current| {
            let version = current.as_ref().map_or(0, |current| current.version) + 1;
            let readings = Arc::new(Readings { version, ..readings });
            *current = Some(readings.clone());
            published = Some(readings);
        });
        published.unwrap_or_default()
    }

    pub(super) fn latest(&self) -> Option<Arc<Readings>> {
        self.current.borrow().clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Arc<Readings>>> {
        self.current.subscribe()
    }

    pub(super) fn state(&self) -> watch::Receiver<StoreState> {
        self.state.subscribe()
    }

    pub(super) fn remember(&self, readings: &[PastReading], now: Timestamp) {
        let oldest = oldest_slot(now, self.retention);
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        for reading in readings.iter().filter(|reading| reading.slot() >= oldest) {
            let slots = past.entry(reading.region.clone()).or_default();
            if slots.get(&reading.slot()).is_none_or(|kept| reading.replaces(kept)) {
                slots.insert(reading.slot(), reading.clone());
            }
            while slots.first_entry().is_some_and(|first| *first.key() < oldest) {
                slots.pop_first();
            }
        }
    }

    pub(super) fn history(&self, region: &RegionName, from: Timestamp, to: Timestamp) -> Vec<PastReading> {
        let (from, to) = (first_slot_from(from), first_slot_from(to));
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = past.get(region).filter(|_| from < to);
        slots
            .into_iter()
            .flat_map(|slots| slots.range(from..to))
            .map(|(_, reading)| reading.clone())
            .collect()
    }
}
