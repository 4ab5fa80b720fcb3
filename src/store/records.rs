//! Decision records as a store keeps them: lines with numbers, in chains. What is in a line is none of its business.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use super::{SnapshotStore, StoreError};

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its number; `None` for an entry that is none of ours.
    pub seq: Option<u64>,
    /// Its id in the store.
    pub id: String,
    /// Its line, without a newline.
    pub line: Bytes,
}

/// Where an entry stands in its chain. Ours have a number and 0; entries of others may stand between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId {
    /// The first part.
    pub number: u64,
    /// The second part.
    pub part: u64,
}

impl EntryId {
    /// That of a record's number.
    #[must_use]
    pub const fn of(number: u64) -> Self {
        Self { number, part: 0 }
    }

    /// The first number that a record of ours from here on can have: they begin at 1.
    #[must_use]
    pub const fn first_number(self) -> u64 {
        let number = if self.part > 0 { self.number.saturating_add(1) } else { self.number };
        if number == 0 { 1 } else { number }
    }

    /// The next one that could be; `None` after the last.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match (self.part.checked_add(1), self.number.checked_add(1)) {
            (Some(part), _) => Some(Self { part, ..self }),
            (None, Some(number)) => Some(Self { number, part: 0 }),
            (None, None) => None,
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, part } = self;
        write!(f, "{number}-{part}")
    }
}

impl StoredRecord {
    /// Where it stands.
    #[must_use]
    pub fn entry_id(&self) -> EntryId {
        let (number, part) = self.id.split_once('-').unwrap_or((&self.id, "0"));
        EntryId { number: number.parse().unwrap_or_default(), part: part.parse().unwrap_or_default() }
    }

    pub(super) fn new(id: &Bytes, line: &Bytes) -> Self {
        let id = String::from_utf8_lossy(id);
        // Ours end in `-0`.
        let id = id.strip_suffix("-0").unwrap_or(&id).to_owned();
        Self { seq: id.parse().ok(), id, line: line.clone() }
    }
}

/// What kept records from being stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// The record does not follow the last one there: somebody else writes the chain, or its end was lost.
    #[error(
        "{key} cannot go on with record {seq}: another process has the same name (POD_NAME), so give each its own; or \
         the store has lost the chain's last records"
    )]
    Conflict {
        /// The chain's key.
        key: String,
        /// The record's number.
        seq: u64,
    },
    /// What is left of the store's memory is for other things.
    #[error(
        "it has used four fifths of its memory: give it more (maxmemory), or keep less (ledger.rawRetentionDays)"
    )]
    Full,
    /// Records are not kept in memory.
    #[error("no store keeps records: configure store.redis or ledger.file")]
    NoStore,
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SnapshotStore {
    /// Adds records to a chain, in the order of their numbers. Those that are there already, to the letter, count as added.
    ///
    /// # Errors
    /// The chain has other records of these numbers or later ones, or the store fails.
    pub async fn append_records(&self, chain: &str, records: &[(u64, Bytes)]) -> Result<(), RecordsError> {
        match self {
            Self::Memory(_) => Err(RecordsError::NoStore),
            Self::Redis(redis) => redis.append_records(chain, records).await,
        }
    }

    /// The last record of a chain.
    ///
    /// # Errors
    /// The store fails.
    pub async fn last_record(&self, chain: &str) -> Result<Option<StoredRecord>, StoreError> {
        match self {
            Self::Memory(_) => Ok(None),
            Self::Redis(redis) => redis.last_record(chain).await,
        }
    }

    /// At most `limit` records of a chain from there on, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn records(
        &self,
        chain: &str,
        from: EntryId,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        match self {
            Self::Memory(_) => Ok(Vec::new()),
            Self::Redis(redis) => redis.records(chain, from, limit).await,
        }
    }

    /// The names of all chains.
    ///
    /// # Errors
    /// The store fails.
    pub async fn chains(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Self::Memory(_) => Ok(Vec::new()),
            Self::Redis(redis) => redis.chains().await,
        }
    }

    /// What time it is where records are kept; `None`: no other clock than this process's.
    ///
    /// # Errors
    /// The store fails.
    pub async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        match self {
            Self::Memory(_) => Ok(None),
            Self::Redis(redis) => redis.time().await.map(Some),
        }
    }

    /// Takes the records before number `first_kept` off a chain. With `may_go` a chain of which nothing is left is
    /// forgotten.
    ///
    /// # Errors
    /// The store fails.
    pub async fn trim_records(&self, chain: &str, first_kept: u64, may_go: bool) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Redis(redis) => redis.trim_records(chain, first_kept, may_go).await,
        }
    }

    /// Where a chain's records are, for people.
    #[must_use]
    pub fn records_key(chain: &str) -> String {
        super::redis::records_key(chain)
    }
}
