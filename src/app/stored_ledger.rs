//! The ledger as it is kept, for those who read it: `ledger.file`, else the chains in the shared store.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::storage;
use crate::audit::chain::Head;
use crate::audit::read::{Span, Visitor, file_head, file_span, read_file};
use crate::audit::segments::time_of;
use crate::audit::verify::{Place, StoredLine};
use crate::config::Config;
use crate::store::{EntryId, SnapshotStore, StoreError, StoreState, StoredRecord, Timing};

/// A store that has said nothing by then will not soon.
const PATIENCE: Duration = Duration::from_secs(20);
/// Asked for at once. Beyond about a megabyte an answer costs its server and us two to three times as much a record.
const PAGE_BYTES: usize = 512 * 1024;
/// Records of the first page, of which nobody knows how long they are, and of any.
const FIRST_PAGE: usize = 100;
const MOST_RECORDS: usize = 1000;
/// Pages that wait until they are read.
const PAGES_AHEAD: usize = 2;

const DEFECT: &str = "a defect ended the reading";

/// Where a ledger is kept.
#[derive(Clone, Debug)]
pub enum LedgerSource {
    /// In a file and its segments.
    File(PathBuf),
    /// In the shared store.
    Store(SnapshotStore),
}

/// The shared store, for a command: with a connection of its own, which ends with it.
#[derive(Debug)]
pub struct Connected {
    /// The store.
    pub store: SnapshotStore,
    _in_touch: AbortOnDropHandle<()>,
}

impl Connected {
    /// Connects; `None` where none is configured.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn open(config: &Config) -> anyhow::Result<Option<Self>> {
        if config.store.redis.is_none() {
            return Ok(None);
        }
        let store = storage::open(config, "report", Timing::default())?;
        let kept = store.clone();
        let in_touch = tokio::spawn(async move { kept.run(CancellationToken::new()).await });
        let in_touch = AbortOnDropHandle::new(in_touch);
        let mut state = store.state();
        let settled = state.wait_for(|state| *state != StoreState::Starting);
        let settled =
            tokio::time::timeout(PATIENCE, settled).await.context("store.redis: no answer in time")??;
        if let StoreState::Down(error) = &*settled {
            // What is stored of grid data is none of our business here.
            let is_ours = matches!(error, StoreError::Unreachable(_) | StoreError::Denied(_));
            anyhow::ensure!(!is_ours, "store.redis: {error}");
        }
        drop(settled);
        Ok(Some(Self { store, _in_touch: in_touch }))
    }
}

/// A stored ledger, for a command: with a store of its own where it takes one.
#[derive(Debug)]
pub struct StoredLedger {
    /// Where it is.
    pub source: LedgerSource,
    _connected: Option<Connected>,
}

impl StoredLedger {
    /// The configured ledger; `None` where none is kept.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn open(config: &Config) -> anyhow::Result<Option<Self>> {
        let connected = if config.ledger.file.is_some() { None } else { Connected::open(config).await? };
        let source = LedgerSource::configured(config, connected.as_ref().map(|connected| &connected.store));
        Ok(source.map(|source| Self { source, _connected: connected }))
    }
}

impl LedgerSource {
    /// The configured ledger, by whoever has the store at hand; `None` where none is kept.
    #[must_use]
    pub fn configured(config: &Config, store: Option<&SnapshotStore>) -> Option<Self> {
        match &config.ledger.file {
            Some(file) => Some(Self::File(file.clone())),
            None => store.filter(|store| store.is_shared()).map(|store| Self::Store(store.clone())),
        }
    }

    /// Gives a visitor all lines, or those around a period, oldest first in each file and chain.
    ///
    /// # Errors
    /// A file cannot be read, or the store fails.
    pub async fn read<V: Visitor>(&self, span: Span, mut visitor: V) -> anyhow::Result<V> {
        // Either way lines are read on a thread of their own: the others answer for pods.
        match self {
            Self::File(file) => {
                let file = file.clone();
                let reading = tokio::task::spawn_blocking(move || {
                    let read = read_file(&file, span, &mut visitor);
                    read.map(|()| visitor).with_context(|| format!("ledger.file: {}", file.display()))
                });
                reading.await.context(DEFECT)?
            }
            Self::Store(store) => {
                let (pages, fetched) = channel(PAGES_AHEAD);
                let reading = tokio::task::spawn_blocking(move || visit(fetched, visitor));
                let all = fetch(store, span, &pages).await;
                // No more comes.
                drop(pages);
                let visitor = reading.await.context(DEFECT)?;
                all.map(|()| visitor)
            }
        }
    }

    /// The last record of each chain: what shows later whether ends were cut off.
    ///
    /// # Errors
    /// A file cannot be read, or the store fails.
    pub async fn heads(&self) -> anyhow::Result<Vec<Head>> {
        match self {
            Self::File(file) => {
                let file = file.clone();
                Ok(tokio::task::spawn_blocking(move || file_head(&file)).await??.into_iter().collect())
            }
            Self::Store(store) => {
                let mut heads = Vec::new();
                for chain in store.chains().await? {
                    let last = store.last_record(&chain).await?;
                    heads.extend(last.and_then(|last| Head::after(&last.line)));
                }
                Ok(heads)
            }
        }
    }

    /// When the first and the last record that is kept were made; `None` where there are none.
    ///
    /// # Errors
    /// A file cannot be read, or the store fails.
    pub async fn span(&self) -> anyhow::Result<Option<(Timestamp, Timestamp)>> {
        match self {
            Self::File(file) => {
                let file = file.clone();
                Ok(tokio::task::spawn_blocking(move || file_span(&file)).await??)
            }
            Self::Store(store) => {
                let mut found: Option<(Timestamp, Timestamp)> = None;
                for chain in store.chains().await? {
                    let first = store.records(&chain, EntryId::default(), 1).await?;
                    let last = store.last_record(&chain).await?;
                    for at in first.iter().chain(&last).filter_map(|record| time_of(&record.line)) {
                        found = Some(found.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
                    }
                }
                Ok(found)
            }
        }
    }
}

/// What a visitor is told next, on its way from those who fetch to those who read.
enum Fetched {
    /// What comes is of this chain.
    Chain(String),
    /// Its next records.
    Page(Vec<StoredRecord>),
    /// Others, before the next ones, were taken off meanwhile.
    Forgotten,
}

/// Reads what comes until nothing more does.
fn visit<V: Visitor>(mut pages: Receiver<Fetched>, mut visitor: V) -> V {
    let mut key = String::new();
    while let Some(fetched) = pages.blocking_recv() {
        match fetched {
            Fetched::Chain(chain) => {
                visitor.source(&chain);
                key = SnapshotStore::records_key(&chain);
            }
            Fetched::Page(page) => {
                for record in &page {
                    let place = Place::Entry { key: &key, id: &record.id };
                    visitor.line(StoredLine { place, bytes: &record.line, is_whole: true });
                }
            }
            Fetched::Forgotten => visitor.forgotten(),
        }
    }
    visitor
}

/// Fetches all chains in order. Where nobody takes pages any more, a defect ended the reading, and whoever waits for it says
/// so.
async fn fetch(store: &SnapshotStore, span: Span, pages: &Sender<Fetched>) -> anyhow::Result<()> {
    for chain in store.chains().await? {
        if pages.send(Fetched::Chain(chain.clone())).await.is_err() {
            return Ok(());
        }
        fetch_chain(store, &chain, span, pages).await?;
    }
    Ok(())
}

async fn fetch_chain(
    store: &SnapshotStore,
    chain: &str,
    span: Span,
    pages: &Sender<Fetched>,
) -> anyhow::Result<()> {
    let end = store.last_record(chain).await?;
    // A chain that goes on within the period holds records of it, whatever the time of some before says.
    let is_after = |record: &StoredRecord| time_of(&record.line).is_some_and(|at| span.ends_before(at));
    let ends_after = end.as_ref().is_some_and(is_after);
    let begins = begin(store, chain, end.and_then(|end| end.seq), span).await?;
    let mut coming = Coming::ask(store, chain, EntryId::of(begins), FIRST_PAGE);
    let mut limit = FIRST_PAGE;
    loop {
        // The server need not wait for us, where the next page is known to begin.
        let guess = coming.next_begins();
        let ahead = guess.map(|guess| Coming::ask(store, chain, guess, limit));
        let from = coming.from;
        let page = coming.page.await.context(DEFECT)??;
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
        if ends_after && is_after(first) && is_after(last) {
            return Ok(());
        }
        if from > EntryId::default() && first.entry_id().number > from.first_number() {
            let oldest = store.records(chain, EntryId::default(), 1).await?;
            if oldest.first().is_none_or(|oldest| oldest.entry_id() >= first.entry_id())
                && pages.send(Fetched::Forgotten).await.is_err()
            {
                return Ok(());
            }
        }
        let next = last.entry_id().next();
        let bytes: usize = page.iter().map(|record| record.line.len()).sum();
        limit = (PAGE_BYTES * page.len() / bytes.max(1)).clamp(1, MOST_RECORDS);
        if pages.send(Fetched::Page(page)).await.is_err() {
            return Ok(());
        }
        let Some(next) = next else { return Ok(()) };
        coming = ahead
            .filter(|ahead| ahead.from == next)
            .unwrap_or_else(|| Coming::ask(store, chain, next, limit));
    }
}

/// A page that was asked for.
struct Coming {
    from: EntryId,
    limit: usize,
    page: AbortOnDropHandle<Result<Vec<StoredRecord>, StoreError>>,
}

impl Coming {
    fn ask(store: &SnapshotStore, chain: &str, from: EntryId, limit: usize) -> Self {
        let (store, chain) = (store.clone(), chain.to_owned());
        let page = tokio::spawn(async move { store.records(&chain, from, limit).await });
        Self { from, limit, page: AbortOnDropHandle::new(page) }
    }

    /// Where the page after it begins, if only our records are in it and none is missing: their numbers follow each other.
    fn next_begins(&self) -> Option<EntryId> {
        let records = u64::try_from(self.limit).ok()?;
        let last = self.from.first_number().checked_add(records)?.checked_sub(1)?;
        EntryId::of(last).next()
    }
}

/// A record from which on nothing of interest is missed: found by halves.
async fn begin(store: &SnapshotStore, chain: &str, last: Option<u64>, span: Span) -> Result<u64, StoreError> {
    let first = store.records(chain, EntryId::default(), 1).await?.first().and_then(|first| first.seq);
    let (Some(mut low), Some(mut high)) = (first, last) else { return Ok(0) };
    while high - low > MOST_RECORDS as u64 {
        let middle = low + (high - low) / 2;
        let probe = store.records(chain, EntryId::of(middle), 1).await?;
        let at = probe.first().and_then(|probe| time_of(&probe.line));
        if at.is_some_and(|at| span.begins_after(at)) { low = middle } else { high = middle }
    }
    // Nothing before the first is left out where everything is asked for.
    Ok(if first == Some(low) { 0 } else { low })
}
