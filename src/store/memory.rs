//! A store in this process: for a single replica, for the demo and for tests. What the grid said in the past can be kept in a
//! local file too, for accounts that outlive the process.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::books::{Journal, JournalError};
use super::{StoreError, StoreState, first_slot_from, oldest_slot, past};
use crate::accounts::stored::Put;
use crate::domain::RegionName;
use crate::domain::history::{PastReading, SLOT};
use crate::domain::snapshot::Readings;

/// Before the day in the names of the tables that readings are kept in.
const TABLE: &str = "readings:";
const DAY_SECONDS: i64 = 24 * 3600;

/// Readings by region and slot.
type Past = HashMap<RegionName, BTreeMap<i64, PastReading>>;

/// Readings in memory.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    current: watch::Sender<Option<Arc<Readings>>>,
    state: watch::Sender<StoreState>,
    past: Arc<Mutex<Past>>,
    file: Option<Arc<Mutex<Journal>>>,
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
            file: None,
            retention,
        }
    }

    /// This store with the past readings that are kept in a file, which is made if it is not there, and which goes on being
    /// written.
    ///
    /// # Errors
    /// The file cannot be read or written, or is damaged.
    pub fn kept_in(self, file: &Path) -> Result<Self, JournalError> {
        let journal = Journal::open(file)?;
        let mut past = Past::new();
        for (_, field, text) in journal.tables().named(TABLE) {
            let Some((region, _)) = field.rsplit_once(' ') else { continue };
            let region = RegionName::from(region);
            // What a newer release wrote counts as missing.
            if let Some(reading) = past::from_text(&region, text) {
                past.entry(region).or_default().insert(reading.slot(), reading);
            }
        }
        Ok(Self { past: Arc::new(Mutex::new(past)), file: Some(Arc::new(Mutex::new(journal))), ..self })
    }

    /// This store with the past readings of another one, and its file.
    #[must_use]
    pub fn with_readings_of(self, other: &Self) -> Self {
        Self { past: other.past.clone(), file: other.file.clone(), ..self }
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

    pub(super) async fn remember(&self, readings: &[PastReading], now: Timestamp) -> Result<(), StoreError> {
        let oldest = oldest_slot(now, self.retention);
        let news: Vec<PastReading> = {
            let past = locked(&self.past);
            let kept = |reading: &PastReading| past.get(&reading.region)?.get(&reading.slot());
            let is_news = |reading: &&PastReading| {
                reading.slot() >= oldest
                    && kept(reading).is_none_or(|kept| kept != *reading && reading.replaces(kept))
            };
            readings.iter().filter(is_news).cloned().collect()
        };
        if let Some(file) = self.file.as_ref().filter(|_| !news.is_empty()) {
            let (file, puts) =
                (file.clone(), news.iter().map(|reading| self.put(reading)).collect::<Vec<_>>());
            // A disk may take its time.
            let written = tokio::task::spawn_blocking(move || {
                let mut journal = locked(&file);
                journal.expire(now);
                journal.write_on_top(&puts)
            });
            written.await.map_err(|defect| StoreError::Unwritable(defect.to_string()))??;
        }
        let mut past = locked(&self.past);
        for reading in news {
            let slots = past.entry(reading.region.clone()).or_default();
            // One batch may tell of a slot twice.
            if slots.get(&reading.slot()).is_none_or(|kept| reading.replaces(kept)) {
                slots.insert(reading.slot(), reading);
            }
            while slots.first_entry().is_some_and(|first| *first.key() < oldest) {
                slots.pop_first();
            }
        }
        Ok(())
    }

    fn put(&self, reading: &PastReading) -> Put {
        let day = (reading.slot() * SLOT.as_secs()).div_euclid(DAY_SECONDS);
        let end = Timestamp::from_second((day + 1) * DAY_SECONDS).unwrap_or(Timestamp::MAX);
        Put {
            table: format!("{TABLE}{day}"),
            field: format!("{} {}", reading.region, reading.slot()),
            value: Some(past::to_text(reading)),
            keep_until: Some(end.saturating_add(self.retention).unwrap_or(Timestamp::MAX)),
        }
    }

    pub(super) fn history(&self, region: &RegionName, from: Timestamp, to: Timestamp) -> Vec<PastReading> {
        let (from, to) = (first_slot_from(from), first_slot_from(to));
        let past = locked(&self.past);
        let slots = past.get(region).filter(|_| from < to);
        slots
            .into_iter()
            .flat_map(|slots| slots.range(from..to))
            .map(|(_, reading)| reading.clone())
            .collect()
    }
}

/// What was written before a panic is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::{Basis, GridProvider, Signal};
    use crate::domain::units::GramsPerKwh;

    fn reading(hour: i64, intensity: f64, estimated: bool) -> PastReading {
        let starts_at = Timestamp::from_second(hour * 3600).unwrap();
        PastReading {
            region: RegionName::from("here"),
            starts_at,
            ends_at: starts_at + SignedDuration::from_hours(1),
            intensity: GramsPerKwh(intensity),
            provider: GridProvider::Mock,
            signal: Signal::Average,
            basis: Basis::Lifecycle,
            estimated,
        }
    }

    fn all(store: &MemoryStore) -> Vec<f64> {
        let (from, to) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(1 << 31).unwrap());
        store.history(&RegionName::from("here"), from, to).iter().map(|reading| reading.intensity.0).collect()
    }

    #[tokio::test]
    async fn readings_in_a_file_outlive_the_process_for_as_long_as_they_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("readings");
        let begin = || MemoryStore::new(SignedDuration::from_hours(48)).kept_in(&file).unwrap();
        let store = begin();
        let now = reading(102, 0.0, false).starts_at;
        store.remember(&[reading(100, 1.0, false), reading(101, 2.0, true)], now).await.unwrap();
        store.remember(&[reading(100, 9.0, true), reading(101, 3.0, false)], now).await.unwrap();
        assert_eq!(all(&store), [1.0, 3.0], "a measured value stands, an estimate does not");
        let size = || std::fs::metadata(&file).unwrap().len();
        let before = size();
        store.remember(&[reading(101, 3.0, false)], now).await.unwrap();
        assert_eq!(size(), before, "what is known is not written again");
        drop(store);
        let store = begin();
        assert_eq!(all(&store), [1.0, 3.0]);
        store.remember(&[reading(200, 4.0, false)], reading(201, 0.0, false).starts_at).await.unwrap();
        assert_eq!(all(&store), [4.0]);
        drop(store);
        assert_eq!(all(&begin()), [4.0]);
    }
}
