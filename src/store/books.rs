//! Where the accounts' books are kept: tables of texts that change by whole sets of writes, each on top of the version before.
//!
//! One process at a time writes. A set that was not built on the newest version is refused, so that nothing is counted twice
//! when an answer was lost or somebody else took over.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::{Leadership, RedisStore, StoreError};
use crate::accounts::stored::Put;

mod journal;

pub use journal::{Journal, JournalError};

/// A table's entries, by key.
pub type Entries = Vec<(String, String)>;

/// Where the books are kept.
#[derive(Clone, Debug)]
pub enum BookStore {
    /// In this process, until it ends.
    Memory(Arc<Mutex<Tables>>),
    /// In a local file of this process's own.
    File(Arc<Mutex<Journal>>),
    /// In Redis.
    Redis(RedisStore),
}

/// Tables in memory, with their version.
#[derive(Debug, Default)]
pub struct Tables {
    version: u64,
    tables: BTreeMap<String, Table>,
}

#[derive(Debug, Default)]
struct Table {
    entries: BTreeMap<String, String>,
    keep_until: Option<Timestamp>,
}

impl BookStore {
    /// Empty books in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// Books in a local file, which is made if it is not there.
    ///
    /// # Errors
    /// The file cannot be read or written, or is damaged.
    pub fn in_file(file: &Path) -> Result<Self, JournalError> {
        Ok(Self::File(Arc::new(Mutex::new(Journal::open(file)?))))
    }

    /// Books that are only read, from a local file that another process may be writing.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn read_file(file: &Path) -> Result<Self, JournalError> {
        Ok(Self::Memory(Arc::new(Mutex::new(Journal::read(file)?))))
    }

    /// Asks to be the one who writes, or to stay it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn lead(&self) -> Result<Leadership, StoreError> {
        match self {
            Self::Memory(_) | Self::File(_) => Ok(Leadership::Ours),
            Self::Redis(redis) => redis.lead_books().await,
        }
    }

    /// Lets another one write.
    pub async fn resign(&self) {
        match self {
            Self::Memory(_) | Self::File(_) => {}
            Self::Redis(redis) => redis.resign_books().await,
        }
    }

    /// How long the right to write lasts without being asked for again.
    #[must_use]
    pub fn lock_period(&self) -> Duration {
        match self {
            Self::Memory(_) | Self::File(_) => Duration::MAX,
            Self::Redis(redis) => redis.lock_period(),
        }
    }

    /// The version of what is kept.
    ///
    /// # Errors
    /// The store fails.
    pub async fn version(&self) -> Result<u64, StoreError> {
        match self {
            Self::Memory(tables) => Ok(locked(tables).version),
            Self::File(journal) => read(journal, |tables| tables.version).await,
            Self::Redis(redis) => redis.books_version().await,
        }
    }

    /// All entries of a table.
    ///
    /// # Errors
    /// The store fails.
    pub async fn table(&self, name: &str) -> Result<Entries, StoreError> {
        match self {
            Self::Memory(tables) => Ok(locked(tables).entries(name)),
            Self::File(journal) => {
                let name = name.to_owned();
                read(journal, move |tables| tables.entries(&name)).await
            }
            Self::Redis(redis) => redis.books_table(name).await,
        }
    }

    /// Forgets what need not be kept at `now`; Redis does so by itself.
    pub fn expire(&self, now: Timestamp) {
        match self {
            Self::Memory(tables) => locked(tables).expire(now),
            Self::File(journal) => {
                let journal = journal.clone();
                drop(tokio::task::spawn_blocking(move || locked(&journal).expire(now)));
            }
            Self::Redis(_) => {}
        }
    }

    /// Writes a set as the version after `seen`, wholly or not at all, and says which that is.
    ///
    /// # Errors
    /// [`StoreError::Outdated`]: another version is kept; [`StoreError::NotCollector`]: somebody else writes; or the store
    /// fails, and whether it took the set is not known: its version tells.
    pub async fn write(&self, seen: u64, puts: Vec<Put>) -> Result<u64, StoreError> {
        match self {
            Self::Memory(tables) => locked(tables).write(seen, &puts),
            Self::File(journal) => {
                let journal = journal.clone();
                // A disk may take its time.
                let written = tokio::task::spawn_blocking(move || locked(&journal).write(seen, &puts));
                written.await.unwrap_or_else(|defect| Err(StoreError::Unwritable(defect.to_string())))
            }
            Self::Redis(redis) => redis.write_books(seen, &puts).await,
        }
    }
}

impl Tables {
    /// The tables whose names begin like this, each with its entries.
    pub(super) fn named<'t>(&'t self, head: &'t str) -> impl Iterator<Item = (&'t str, &'t str, &'t str)> {
        let tables = self.tables.iter().filter(move |(name, _)| name.starts_with(head));
        tables.flat_map(|(name, table)| {
            table.entries.iter().map(|(field, value)| (name.as_str(), field.as_str(), value.as_str()))
        })
    }

    fn entries(&self, name: &str) -> Entries {
        let entries = self.tables.get(name).map(|table| table.entries.iter());
        entries.into_iter().flatten().map(|(field, value)| (field.clone(), value.clone())).collect()
    }

    fn write(&mut self, seen: u64, puts: &[Put]) -> Result<u64, StoreError> {
        if seen != self.version {
            return Err(StoreError::Outdated { seen, stored: self.version });
        }
        self.version += 1;
        for put in puts {
            self.apply(put);
        }
        Ok(self.version)
    }

    fn apply(&mut self, put: &Put) {
        let table = self.tables.entry(put.table.clone()).or_default();
        table.keep_until = put.keep_until;
        match &put.value {
            Some(value) => {
                table.entries.insert(put.field.clone(), value.clone());
            }
            None => {
                table.entries.remove(&put.field);
            }
        }
    }

    /// Forgets tables that need not be kept any more.
    fn expire(&mut self, now: Timestamp) {
        self.tables
            .retain(|_, table| table.keep_until.is_none_or(|until| until > now) && !table.entries.is_empty());
    }
}

/// Reads off the threads that answer for pods: a disk that takes its time holds the lock meanwhile.
async fn read<T: Send + 'static>(
    journal: &Arc<Mutex<Journal>>,
    look: impl FnOnce(&Tables) -> T + Send + 'static,
) -> Result<T, StoreError> {
    let journal = journal.clone();
    let read = tokio::task::spawn_blocking(move || look(locked(&journal).tables()));
    read.await.map_err(|defect| StoreError::Unreachable(defect.to_string()))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
