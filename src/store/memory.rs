//! A store in this process: for a single replica, for the demo and for tests.

use std::sync::Arc;

use tokio::sync::watch;

use super::StoreError;
use crate::domain::snapshot::Readings;

/// Readings in memory.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    current: watch::Sender<Option<Arc<Readings>>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { current: watch::Sender::new(None) }
    }
}

impl MemoryStore {
    pub(super) fn put(&self, readings: Arc<Readings>) -> Result<(), StoreError> {
        let mut outdated = None;
        self.current.send_if_modified(|current| {
            let stored = current.as_ref().map_or(0, |current| current.version);
            if readings.version <= stored {
                outdated = Some(StoreError::Outdated { offered: readings.version, stored });
                return false;
            }
            *current = Some(readings);
            true
        });
        outdated.map_or(Ok(()), Err)
    }

    pub(super) fn latest(&self) -> Option<Arc<Readings>> {
        self.current.borrow().clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Arc<Readings>>> {
        self.current.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;

    fn readings(version: u64) -> Arc<Readings> {
        Arc::new(Readings { version, captured_at: Timestamp::UNIX_EPOCH, regions: BTreeMap::new() })
    }

    #[test]
    fn an_older_version_never_replaces_a_newer_one() {
        let store = MemoryStore::default();
        store.put(readings(2)).unwrap();
        let error = store.put(readings(2)).unwrap_err().to_string();
        assert_eq!(error, "version 2 is not above the stored version 2");
        assert!(store.put(readings(1)).is_err());
        assert_eq!(store.latest().map(|latest| latest.version), Some(2));
        store.put(readings(3)).unwrap();
        assert_eq!(store.latest().map(|latest| latest.version), Some(3));
    }

    #[test]
    fn subscribers_see_the_current_version_and_every_change() {
        let store = MemoryStore::default();
        store.put(readings(1)).unwrap();
        let mut subscription = store.subscribe();
        assert_eq!(subscription.borrow_and_update().as_ref().map(|latest| latest.version), Some(1));
        assert!(!subscription.has_changed().unwrap());
        store.put(readings(2)).unwrap();
        assert!(subscription.has_changed().unwrap());
    }
}
