//! The configured store, and a look whether it does what it should.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::store_watch;
use crate::config::{Config, StoreSettings};
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::store::{
    BookStore, MemoryStore, RedisOptions, RedisStore, SnapshotStore, StoreError, StoreState, Timing,
};

/// A store that has said nothing by then will not soon.
const PATIENCE: Duration = Duration::from_secs(20);

/// The configured store. It is reached later, and for ever tried again: a start does not wait for it.
///
/// # Errors
/// What configures it makes no sense to the store's client.
pub(super) fn open(config: &Config, replica: &str, timing: Timing) -> anyhow::Result<SnapshotStore> {
    let retention = SignedDuration::from_hours(24 * i64::from(config.ledger.retention_days));
    let Some(redis) = &config.store.redis else {
        return Ok(SnapshotStore::Memory(MemoryStore::new(retention)));
    };
    let options = RedisOptions {
        url: redis.url.clone(),
        password_file: redis.password_file.clone(),
        ca_file: redis.ca_file.clone(),
        name: replica.to_owned(),
        retention,
        timing,
    };
    Ok(SnapshotStore::Redis(RedisStore::new(&options)?))
}

/// What the file of the accounts is called, and that of the readings they are made from, after `ledger.file`.
const ACCOUNTS: &str = ".accounts";
const READINGS: &str = ".readings";

/// The file of the accounts beside a ledger's.
pub(super) fn accounts_file(ledger: &Path) -> PathBuf {
    beside(ledger, ACCOUNTS)
}

fn beside(ledger: &Path, ending: &str) -> PathBuf {
    let mut file = ledger.as_os_str().to_owned();
    file.push(ending);
    PathBuf::from(file)
}

/// The same for a process that keeps accounts: in the place of a shared store their readings are kept beside the ledger's file,
/// and carried over from the store before. A file that cannot be used is told of, and they are kept in memory.
fn open_with_readings(
    config: &Config,
    named: (&str, Timing),
    carried: Option<&SnapshotStore>,
) -> anyhow::Result<SnapshotStore> {
    let store = open(config, named.0, named.1)?;
    Ok(match (store, carried, &config.ledger.file) {
        (SnapshotStore::Memory(new), Some(SnapshotStore::Memory(old)), _) => {
            SnapshotStore::Memory(new.with_readings_of(old))
        }
        (SnapshotStore::Memory(new), _, Some(ledger)) => {
            let kept = new.clone().kept_in(&beside(ledger, READINGS));
            let told =
                kept.inspect_err(|error| tracing::error!(%error, "readings are not kept for the accounts"));
            SnapshotStore::Memory(told.unwrap_or(new))
        }
        (store, ..) => store,
    })
}

/// Where the accounts are kept: in the shared store, else beside the ledger's file, else in memory. A file that cannot be used
/// keeps nobody from deciding about pods: they are not accounted for, and that is told.
fn books(config: &Config, store: &SnapshotStore, carried: Option<BookStore>) -> Option<BookStore> {
    let carried = carried.filter(|carried| !matches!(carried, BookStore::Redis(_)));
    match (store, &config.ledger.file) {
        (SnapshotStore::Redis(redis), _) => Some(BookStore::Redis(redis.clone())),
        // A file is written by one at a time, and what is in memory is nowhere else.
        (SnapshotStore::Memory(_), _) if carried.is_some() => carried,
        (SnapshotStore::Memory(_), None) => Some(BookStore::in_memory()),
        (SnapshotStore::Memory(_), Some(ledger)) => {
            let books = BookStore::in_file(&accounts_file(ledger));
            books.inspect_err(|error| tracing::error!(%error, "no accounts are kept")).ok()
        }
    }
}

/// The store of a configuration with its tasks; it outlives generations whose configurations say the same of it.
#[derive(Debug)]
pub(super) struct Storage {
    store: SnapshotStore,
    books: Option<BookStore>,
    /// The settings of the store, and the days that the history is kept.
    opened_by: (StoreSettings, u32),
    pub(super) tasks: JoinSet<&'static str>,
    stop: CancellationToken,
}

impl Storage {
    /// Opens a store and starts what keeps it, and the accounts if this process may keep them: those that are carried over from
    /// the store before, where it is no shared one.
    ///
    /// # Errors
    /// As [`open`].
    pub(super) fn start(
        config: &Config,
        (replica, timing): (&str, Timing),
        (metrics, readiness): (&Arc<Metrics>, &Readiness),
        may_account: bool,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let named = (replica, timing);
        let (store, books) = if may_account {
            let store = open_with_readings(config, named, before.map(|before| &before.store))?;
            let books = books(config, &store, before.and_then(Self::books));
            (store, books)
        } else {
            (open(config, replica, timing)?, None)
        };
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        let (kept, until) = (store.clone(), stop.clone());
        tasks.spawn(async move {
            kept.run(until).await;
            "store"
        });
        if store.is_shared() {
            let watch = store_watch::run(store.state(), metrics.clone(), readiness.clone(), stop.clone());
            tasks.spawn(watch);
        } else {
            store_watch::unshared(metrics, readiness);
        }
        Ok(Self {
            store,
            books,
            opened_by: (config.store.clone(), config.ledger.retention_days),
            tasks,
            stop,
        })
    }

    pub(super) fn store(&self) -> SnapshotStore {
        self.store.clone()
    }

    /// Where the accounts are kept; `None` where nobody keeps any.
    pub(super) fn books(&self) -> Option<BookStore> {
        self.books.clone()
    }

    /// Whether a configuration would open the same store.
    pub(super) fn is_of(&self, config: &Config) -> bool {
        let (store, days) = &self.opened_by;
        (store, days) == (&config.store, &config.ledger.retention_days)
    }

    /// Ends its tasks.
    pub(super) async fn end(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What a look at the store came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreCheck {
    /// There is none to look at.
    InMemory,
    /// It answers, and holds this.
    Fine(String),
    /// It does not do what it should.
    Failed(StoreError),
}

/// Looks whether the configured store does what it should.
///
/// # Errors
/// What configures it makes no sense to the store's client.
pub async fn check_store(config: &Config) -> anyhow::Result<StoreCheck> {
    let store = open(config, "check", Timing::default())?;
    if !store.is_shared() {
        return Ok(StoreCheck::InMemory);
    }
    let stop = CancellationToken::new();
    let mut state = store.state();
    let look = async {
        let settled = state.wait_for(|state| *state != StoreState::Starting);
        let settled = tokio::time::timeout(PATIENCE, settled).await;
        let state = settled.ok().and_then(Result::ok).map_or(StoreState::Starting, |state| state.clone());
        match state {
            StoreState::Down(error) => StoreCheck::Failed(error),
            StoreState::Starting => {
                StoreCheck::Failed(StoreError::Unreachable(format!("no answer within {PATIENCE:?}")))
            }
            StoreState::Up => match store.latest().await {
                Ok(Some(latest)) => {
                    StoreCheck::Fine(format!("snapshot {} of {}", latest.version, latest.captured_at))
                }
                Ok(None) => StoreCheck::Fine("no snapshot yet".to_owned()),
                Err(error) => StoreCheck::Failed(error),
            },
        }
    };
    tokio::select! {
        found = look => Ok(found),
        () = store.run(stop) => Ok(StoreCheck::Failed(StoreError::Unreachable("it was given up".to_owned()))),
    }
}
