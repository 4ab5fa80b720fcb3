//! Where readings are shared: one whole, immutable version at a time; who may collect; what the
//! grid said in the past; and decision records.
//!
//! A store keeps and announces; it does not judge, and no request ever asks it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::RegionName;
use crate::domain::history::{PastReading, SLOT};
use crate::domain::snapshot::Readings;

mod books;
mod memory;
pub mod past;
mod records;
mod redis;

pub use books::{BookStore, Entries, Journal, JournalError};
pub use memory::MemoryStore;
pub use records::{EntryId, RecordsError, StoredRecord};
pub use redis::{RedisOptions, RedisOptionsError, RedisStore, Timing};

/// What kept a store from doing what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else has published since the caller last looked.
    #[error("version {seen} was the last one seen, and version {stored} is stored")]
    Outdated {
        /// The newest version this process has seen.
        seen: u64,
        /// The version stored.
        stored: u64,
    },
    /// This process may not publish: it is not the collector, or not any more.
    #[error("another process collects")]
    NotCollector,
    /// The store cannot be reached, or does not answer in time.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
    /// The store does not let this process in.
    #[error("the store refuses to let us in: {0}")]
    Denied(String),
    /// What is stored under our name is not ours.
    #[error(
        "{key} holds something else ({found}): delete it, or give Eco-Pulse another database in store.redis.url"
    )]
    Foreign {
        /// Where.
        key: String,
        /// What is there.
        found: String,
    },
    /// What is stored is ours, and broken.
    #[error(
        "version {version} in {key} cannot be read ({problem}); the next one that is published replaces it"
    )]
    Unreadable {
        /// Where.
        key: String,
        /// Which.
        version: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// Readings cannot be put into words: a defect.
    #[error("the readings cannot be written: {0}")]
    Unwritable(String),
    /// What is stored was written by a newer release.
    #[error(
        "the stored snapshot has schema {stored}, and this release reads up to {known}: finish the upgrade"
    )]
    Newer {
        /// The stored schema.
        stored: u32,
        /// The newest schema this release reads.
        known: u32,
    },
}

/// How a store does, for `/readyz` and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreState {
    /// Not yet connected.
    Starting,
    /// It answers.
    Up,
    /// It does not do what it should.
    Down(StoreError),
}

/// Who collects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// This process, for one more lock period.
    Ours,
    /// Another one, by the name it gave.
    Theirs(String),
}

/// The configured store.
#[derive(Clone, Debug)]
pub enum SnapshotStore {
    /// In this process.
    Memory(MemoryStore),
    /// In Redis, shared with other processes.
    Redis(RedisStore),
}

impl SnapshotStore {
    /// Publishes readings as the next version: one more than the highest that the store or this process has seen.
    /// What `readings` gives as its version does not matter.
    ///
    /// # Errors
    /// This process does not hold the lock; somebody has published a version it has not seen, which may be its own, when
    /// the store took it and the answer was lost: [`SnapshotStore::latest`] shows it; or the store fails.
    pub async fn publish(&self, readings: Readings) -> Result<Arc<Readings>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.publish(readings)),
            Self::Redis(redis) => redis.publish(readings).await,
        }
    }

    /// The newest version there is, asked of the store itself; `None` when nothing was ever published.
    ///
    /// # Errors
    /// The store fails.
    pub async fn latest(&self) -> Result<Option<Arc<Readings>>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.latest()),
            Self::Redis(redis) => redis.latest().await,
        }
    }

    /// Announces every version, from this process or another, the current one first. It never goes back.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Readings>>> {
        match self {
            Self::Memory(memory) => memory.subscribe(),
            Self::Redis(redis) => redis.subscribe(),
        }
    }

    /// Asks to be the collector, or to stay it, for one lock period from the moment of asking.
    ///
    /// # Errors
    /// The store fails; nobody is the collector then for longer than a period.
    pub async fn lead(&self) -> Result<Leadership, StoreError> {
        match self {
            Self::Memory(_) => Ok(Leadership::Ours),
            Self::Redis(redis) => redis.lead().await,
        }
    }

    /// Gives the lock back, if this process holds it, so that another one need not wait for its end.
    pub async fn resign(&self) {
        match self {
            Self::Memory(_) => {}
            Self::Redis(redis) => redis.resign().await,
        }
    }

    /// How long a lock lasts without being asked for again.
    #[must_use]
    pub fn lock_period(&self) -> std::time::Duration {
        match self {
            Self::Memory(_) => std::time::Duration::MAX,
            Self::Redis(redis) => redis.lock_period(),
        }
    }

    /// Keeps readings for the accounts, as [`PastReading::replaces`] says; those past the retention are dropped.
    ///
    /// # Errors
    /// The store fails.
    pub async fn remember(&self, readings: &[PastReading], now: Timestamp) -> Result<(), StoreError> {
        // Old is what is long before what is told: by a clock that is ahead for a while everything would be.
        let newest = readings.iter().map(|reading| reading.ends_at).max();
        let now = newest.map_or(now, |newest| newest.min(now));
        match self {
            Self::Memory(memory) => memory.remember(readings, now).await,
            Self::Redis(redis) => redis.remember(readings, now).await,
        }
    }

    /// What was kept of a region's readings whose slots begin within `[from, to)`, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn history(
        &self,
        region: &RegionName,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<PastReading>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.history(region, from, to)),
            Self::Redis(redis) => redis.history(region, from, to).await,
        }
    }

    /// Whether other processes can share it.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        match self {
            Self::Memory(_) => false,
            Self::Redis(_) => true,
        }
    }

    /// How the store does, from now on.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<StoreState> {
        match self {
            Self::Memory(memory) => memory.state(),
            Self::Redis(redis) => redis.state(),
        }
    }

    /// Keeps in touch with the store until `stop`: connects, listens for new versions, looks for those it did not hear
    /// of, and tries again for ever.
    pub async fn run(&self, stop: CancellationToken) {
        match self {
            Self::Memory(_) => stop.cancelled().await,
            Self::Redis(redis) => redis.run(stop).await,
        }
    }
}

/// The first slot that begins at `at` or after it.
fn first_slot_from(at: Timestamp) -> i64 {
    let slot = SLOT.as_secs();
    let second = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    -(-second).div_euclid(slot)
}

/// The oldest slot that is kept at `now`.
fn oldest_slot(now: Timestamp, retention: SignedDuration) -> i64 {
    let oldest = now.saturating_sub(retention).unwrap_or(Timestamp::MIN);
    oldest.as_second().div_euclid(SLOT.as_secs())
}
