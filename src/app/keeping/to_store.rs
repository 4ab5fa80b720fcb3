//! Takes records from the ledger to the shared store, in order, each once, for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::trimming;
use crate::audit::chain::Link;
use crate::audit::handover::{Receiver, Waiting};
use crate::audit::keep::Resume;
use crate::metrics::Metrics;
use crate::store::{RecordsError, SnapshotStore, StoreError};

/// Written with one script: a store is busy with it for some milliseconds.
const BATCH_BYTES: usize = 256 * 1024;
/// How long the store is asked where the chain goes on; the ledger waits no longer.
const RESUME_PATIENCE: Duration = Duration::from_secs(2);
/// From a failure to the next attempt, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct ToStore {
    lines: Receiver,
    store: watch::Receiver<SnapshotStore>,
    replica: String,
    metrics: Arc<Metrics>,
    /// The chain that the store has taken from somebody else.
    refused: Option<Arc<str>>,
    is_failing: bool,
}

/// What became of some records.
enum Stored {
    Yes,
    No,
    /// They may be tried again.
    NotYet,
}

impl ToStore {
    pub(super) fn new(
        lines: Receiver,
        store: watch::Receiver<SnapshotStore>,
        replica: String,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { lines, store, replica, metrics, refused: None, is_failing: false }
    }

    /// Until the ledger has ended and all it handed over is stored.
    pub(super) async fn run(mut self) {
        let found = tokio::time::timeout(RESUME_PATIENCE, self.last()).await;
        self.lines.resume(found.unwrap_or(Resume::Unknown));
        while let Some(batch) = self.lines.next(BATCH_BYTES).await {
            let are_stored = self.store_all(&batch).await;
            if !are_stored {
                self.metrics.ledger().dropped_at_store(batch.len() as u64);
            }
            self.lines.done(batch, are_stored);
        }
    }

    fn store(&self) -> SnapshotStore {
        self.store.borrow().clone()
    }

    /// Where the replica's chain goes on, as soon as the store says so.
    async fn last(&self) -> Resume {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.store().last_record(&self.replica).await {
                Ok(None) => return Resume::After(Link::first()),
                Ok(Some(last)) => {
                    let link = Link::after(&last.line).filter(|link| Some(link.seq) == last.seq);
                    return link.map_or(Resume::Unknown, Resume::After);
                }
                Err(error) => {
                    tracing::debug!(%error, "the store does not say where the chain of records goes on");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Whether records of one chain are stored in the end.
    async fn store_all(&mut self, batch: &[Waiting]) -> bool {
        let Some(Waiting { chain, .. }) = batch.first() else { return true };
        if self.refused.as_ref() == Some(chain) {
            return false;
        }
        let records: Vec<(u64, Bytes)> = batch.iter().map(|line| (line.seq, line.text.clone())).collect();
        let mut pause = FIRST_PAUSE;
        loop {
            match self.try_once(chain, &records).await {
                Stored::Yes => return true,
                Stored::No => return false,
                Stored::NotYet => tokio::time::sleep(pause).await,
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    async fn try_once(&mut self, chain: &Arc<str>, records: &[(u64, Bytes)]) -> Stored {
        let store = self.store();
        let error = match store.append_records(chain, records).await {
            Ok(()) => {
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!("the store takes records again");
                }
                return Stored::Yes;
            }
            Err(RecordsError::Full) => match trimming::make_room(&store, &self.replica).await {
                Ok(true) => return Stored::NotYet,
                Ok(false) => RecordsError::Full,
                Err(error) => error.into(),
            },
            Err(error) => error,
        };
        let is_of_the_store = matches!(error, RecordsError::Store(StoreError::Unreachable(_)));
        if !std::mem::replace(&mut self.is_failing, true) && !is_of_the_store {
            // That it cannot be reached, the store tells itself.
            tracing::error!(%error, "records cannot be stored");
        }
        match error {
            RecordsError::Conflict { .. } => {
                self.refused = Some(chain.clone());
                self.lines.refuse();
                self.is_failing = false;
                Stored::No
            }
            RecordsError::NoStore => Stored::No,
            RecordsError::Full | RecordsError::Store(_) => Stored::NotYet,
        }
    }
}
