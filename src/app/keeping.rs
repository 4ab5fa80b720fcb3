//! Where decision records are kept: in `ledger.file`, else in the shared store, else nowhere.
//!
//! The ledger's thread writes the file itself. To the store records go through a queue with an end, and a task takes them
//! there: Redis may be as slow as it likes.

mod to_store;
mod trimming;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use self::to_store::ToStore;
use crate::audit::file::{FileOptions, LedgerFile, LedgerFileError};
use crate::audit::handover::{ROOM_BYTES, Receiver, handover};
use crate::audit::keep::{Event, Keep, Observer};
use crate::audit::ledger::{Ledger, Writer};
use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::store::SnapshotStore;

/// What keeps records, before anything runs.
pub(super) struct Keeping {
    /// The ledger's side.
    keep: Option<Box<dyn Keep>>,
    waiting: Option<Receiver>,
    retention: SignedDuration,
}

/// The task that takes records to the store.
#[derive(Debug)]
pub(super) struct Kept(JoinHandle<()>);

impl Keeping {
    /// Opens the file, where one is configured.
    ///
    /// # Errors
    /// It cannot be used.
    pub(super) fn new(config: &Config) -> Result<Self, LedgerFileError> {
        let retention = SignedDuration::from_hours(24 * i64::from(config.ledger.raw_retention_days));
        let (keep, waiting): (Option<Box<dyn Keep>>, _) = if let Some(path) = &config.ledger.file {
            let file = LedgerFile::open(FileOptions::new(path.clone(), retention))?;
            (Some(Box::new(file)), None)
        } else if config.store.redis.is_some() {
            let (sender, receiver) = handover(ROOM_BYTES);
            (Some(Box::new(sender)), Some(receiver))
        } else {
            (None, None)
        };
        Ok(Self { keep, waiting, retention })
    }

    /// Starts the ledger, which writes to `out` and is kept here.
    ///
    /// # Errors
    /// The operating system refuses another thread.
    pub(super) fn ledger(
        &mut self,
        replica: &str,
        out: Option<Box<dyn Write + Send>>,
        metrics: &Arc<Metrics>,
    ) -> std::io::Result<(Ledger, Writer)> {
        let metrics = metrics.clone();
        let observer: Observer = Box::new(move |event| match event {
            Event::Head { replica, seq, hash, at } => metrics.ledger().head(replica, seq, hash, at),
            Event::NotKept => metrics.ledger().dropped_at_store(1),
        });
        Ledger::start_kept(replica.to_owned(), out, self.keep.take(), observer)
    }

    /// Starts what takes records to the store, and takes old ones off it; `None` where that is not how they are kept.
    pub(super) fn start(
        self,
        replica: &str,
        store: watch::Receiver<SnapshotStore>,
        (metrics, clock): (&Arc<Metrics>, &Clock),
        stop: &CancellationToken,
        tasks: &mut JoinSet<&'static str>,
    ) -> Option<Kept> {
        let lines = self.waiting?;
        tasks.spawn(trimming::run(
            store.clone(),
            replica.to_owned(),
            self.retention,
            clock.clone(),
            stop.clone(),
        ));
        let to_store = ToStore::new(lines, store, replica.to_owned(), metrics.clone());
        let (alive, ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            // Dropped with the task, however it ends.
            let _alive: oneshot::Sender<()> = alive;
            to_store.run().await;
        });
        let ended = async move {
            let _: Result<(), _> = ended.await;
        };
        tasks.spawn(watch_ledger("ledger keeper", ended, stop.clone()));
        Some(Kept(task))
    }
}

impl Kept {
    /// Waits a while until what the ledger handed over is stored.
    pub(super) async fn end(self, patience: Duration) {
        if tokio::time::timeout(patience, self.0).await.is_err() {
            tracing::warn!("decision records were left unstored: the store does not take them");
        }
    }
}

/// A ledger that writes nothing any more is a task that ended, though it has a thread of its own.
pub(super) async fn watch_ledger(
    name: &'static str,
    ended: impl Future<Output = ()>,
    stop: CancellationToken,
) -> &'static str {
    tokio::select! {
        () = ended => {}
        () = stop.cancelled() => {}
    }
    name
}
