//! Where readings are shared: one whole, immutable version at a time.
//!
//! A store keeps and announces; it does not judge, and no request ever asks it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::snapshot::Readings;

mod memory;

pub use memory::MemoryStore;

/// A store could not take or give readings.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What is stored is newer than what was offered.
    #[error("version {offered} is not above the stored version {stored}")]
    Outdated {
        /// The version offered.
        offered: u64,
        /// The version stored.
        stored: u64,
    },
}

/// The configured store.
#[derive(Clone, Debug)]
pub enum SnapshotStore {
    /// In this process.
    Memory(MemoryStore),
}

impl SnapshotStore {
    /// Puts a newer version in place of the stored one.
    ///
    /// # Errors
    /// It is not newer.
    #[expect(clippy::unused_async, reason = "stores that are reached over a network wait here")]
    pub async fn put(&self, readings: Arc<Readings>) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => memory.put(readings),
        }
    }

    /// The stored version.
    ///
    /// # Errors
    /// None for a store in memory.
    #[expect(clippy::unused_async, reason = "stores that are reached over a network wait here")]
    pub async fn latest(&self) -> Result<Option<Arc<Readings>>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.latest()),
        }
    }

    /// Announces every version that is put, the current one first.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Readings>>> {
        match self {
            Self::Memory(memory) => memory.subscribe(),
        }
    }
}
