//! Gathers what a report is made from: the accounts, hour by hour, and the records of decisions.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use jiff::Timestamp;

use super::storage::accounts_file;
use super::stored_ledger::{Connected, LedgerSource};
use crate::accounts::cells::{DAY_HOURS, HourKey, OwnerKey};
use crate::accounts::grid::hour_of;
use crate::accounts::run::{Progress as RunProgress, Run};
use crate::accounts::stored::{PROGRESS, RUNS, Unreadable, hours_of, owners_of, read};
use crate::accounts::sums::{Group, Projected, Sums};
use crate::audit::read::{Span, Told};
use crate::audit::scan::{Scan, Scanner, Wanted};
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::report::{Gather, Gathering};
use crate::report::model::{Basis, Decisions, Head, Open, ReadingStates, ReasonRow, Setting};
use crate::report::{Inputs, Scope, Tally};
use crate::store::{BookStore, Entries, SnapshotStore};

/// Said where nothing is stored.
const NOTHING_KEPT: &str =
    "Nothing is kept: configure ledger.file or store.redis, or ask the process that serves, at GET /report.";

/// Where reports come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    pub(super) ledger: Option<LedgerSource>,
    pub(super) books: Option<BookStore>,
}

/// Gathers for the endpoint, by one configuration.
#[derive(Debug)]
pub struct Reporter {
    config: Arc<Config>,
    catalogue: Arc<Catalogue>,
    clock: Clock,
    /// Known once the store is.
    sources: OnceLock<Sources>,
}

impl Reporter {
    /// By a configuration and the catalogue that it was joined with.
    #[must_use]
    pub const fn new(config: Arc<Config>, catalogue: Arc<Catalogue>, clock: Clock) -> Self {
        Self { config, catalogue, clock, sources: OnceLock::new() }
    }

    /// Says where reports come from; the first word counts.
    pub(super) fn connect(&self, store: &SnapshotStore, books: Option<BookStore>) {
        let ledger = LedgerSource::configured(&self.config, Some(store));
        // Where nobody here keeps accounts, somebody else may, in the shared store.
        let shared = || match store {
            SnapshotStore::Redis(redis) => Some(BookStore::Redis(redis.clone())),
            SnapshotStore::Memory(_) => None,
        };
        let _ = self.sources.set(Sources { ledger, books: books.or_else(shared) });
    }
}

impl Gather for Reporter {
    fn gather(&self, scope: Scope) -> Gathering {
        let (config, catalogue, clock) = (self.config.clone(), self.catalogue.clone(), self.clock.clone());
        let sources = self.sources.get().cloned().unwrap_or_default();
        Box::pin(async move { gather_from(&sources, &config, &catalogue, &scope, &clock, |_| {}).await })
    }
}

/// Gathers the inputs of a report from the configured ledger; `tell` hears how far it has come.
///
/// Sums of all namespaces, so that a report can name those that there are; decisions and what is open, of the scope's.
///
/// # Errors
/// The ledger cannot be read.
pub async fn gather(
    config: &Config,
    catalogue: &Catalogue,
    scope: &Scope,
    clock: &Clock,
    tell: impl Fn(u64) + Send + 'static,
) -> anyhow::Result<Inputs> {
    let connected = Connected::open(config).await?;
    let books = match (&connected, &config.ledger.file) {
        (Some(Connected { store: SnapshotStore::Redis(redis), .. }), _) => {
            Some(BookStore::Redis(redis.clone()))
        }
        (_, Some(ledger)) => Some(read_books(ledger)?),
        (_, None) => None,
    };
    let ledger = LedgerSource::configured(config, connected.as_ref().map(|connected| &connected.store));
    let sources = Sources { ledger, books };
    gather_from(&sources, config, catalogue, scope, clock, tell).await
}

fn read_books(ledger: &Path) -> anyhow::Result<BookStore> {
    BookStore::read_file(&accounts_file(ledger)).context("the accounts beside ledger.file")
}

async fn gather_from(
    sources: &Sources,
    config: &Config,
    catalogue: &Catalogue,
    scope: &Scope,
    clock: &Clock,
    tell: impl Fn(u64) + Send + 'static,
) -> anyhow::Result<Inputs> {
    let today = hour_of(clock.now()).div_euclid(DAY_HOURS);
    let kept_from = |days: u32| today - i64::from(days);
    let owners_from = kept_from(config.ledger.raw_retention_days);
    let books = match &sources.books {
        Some(books) if books.version().await? > 0 => Some(books),
        _ => None,
    };
    // Where there are records alone, there is nothing older than they are.
    let (basis, hours_from) = match books {
        Some(_) => (Basis::Pods, kept_from(config.ledger.retention_days)),
        None => (Basis::Decisions, owners_from),
    };
    let mut inputs = Inputs {
        basis,
        setting: Setting::new(config, catalogue),
        tally: Tally::new(scope.clone(), basis, owners_from..i64::MAX),
        hours_kept_from: (books.is_some() || sources.ledger.is_some()).then_some(hours_from * DAY_HOURS),
        decisions: Decisions::default(),
        open: Open::default(),
        heads: Vec::new(),
        notes: Vec::new(),
    };
    if let Some(books) = books {
        inputs = add_accounts(books, scope, inputs).await?;
    }
    match &sources.ledger {
        Some(ledger) => {
            let scan = scan(ledger, scope, basis, tell).await?;
            if basis == Basis::Decisions {
                inputs.tally.know(scan.namespaces.iter());
                add_projected(&scan, scope, &mut inputs.tally);
            }
            inputs.decisions = decisions(scan, ledger.span().await?);
            let heads = ledger.heads().await?.into_iter();
            inputs.heads = heads
                .map(|head| Head { replica: head.replica, seq: head.link.seq, hash: head.link.hash })
                .collect();
        }
        None if basis == Basis::Decisions => inputs.notes.push(NOTHING_KEPT.to_owned()),
        None => {}
    }
    Ok(inputs)
}

/// The accounts of the period, and what of them is not closed yet.
async fn add_accounts(books: &BookStore, scope: &Scope, mut inputs: Inputs) -> anyhow::Result<Inputs> {
    let period = scope.period;
    for day in period.from_hour().div_euclid(DAY_HOURS)..=(period.to_hour() - 1).div_euclid(DAY_HOURS) {
        let table = hours_of(day);
        let entries = books.table(&table).await?;
        inputs = on_a_worker(inputs, move |inputs| {
            for (field, value) in entries {
                let sums = Sums::from_text(&table, &field, &value)?;
                inputs.tally.add_hour(HourKey::read(&table, &field)?, sums);
            }
            Ok(())
        })
        .await?;
    }
    for day in period.whole_days() {
        let table = owners_of(day);
        let entries = books.table(&table).await?;
        inputs = on_a_worker(inputs, move |inputs| {
            for (field, value) in entries {
                let sums = Sums::from_text(&table, &field, &value)?;
                inputs.tally.add_owner(OwnerKey::read(day, &field)?, sums);
            }
            Ok(())
        })
        .await?;
    }
    let progress = books.table(PROGRESS).await?;
    let runs = books.table(RUNS).await?;
    let scope = scope.clone();
    on_a_worker(inputs, move |inputs| add_open(runs, progress, &scope, &mut inputs.open)).await
}

/// A large table takes a while to be read, and the threads here answer for pods.
async fn on_a_worker(
    mut inputs: Inputs,
    add: impl FnOnce(&mut Inputs) -> Result<(), Unreadable> + Send + 'static,
) -> anyhow::Result<Inputs> {
    let adding = tokio::task::spawn_blocking(move || add(&mut inputs).map(|()| inputs));
    Ok(adding.await.context("a defect ended the reading of the accounts")??)
}

/// Runs of the scope that have not ended, and hours of the period that wait for readings.
fn add_open(runs: Entries, progress: Entries, scope: &Scope, open: &mut Open) -> Result<(), Unreadable> {
    let progress: HashMap<String, String> = progress.into_iter().collect();
    for (uid, run) in runs {
        let run: Run = read(RUNS, &uid, &run)?;
        let asked_for = scope.namespace.as_deref().is_none_or(|only| only == run.namespace);
        let is_later = run.bound_at >= scope.period.to();
        let Some(progress) = progress.get(&uid).filter(|_| asked_for && !is_later) else { continue };
        let progress: RunProgress = read(PROGRESS, &uid, progress)?;
        open.running += u64::from(progress.end.is_none());
        let waiting = progress.waiting.iter().filter(|hour| scope.period.contains(**hour)).count();
        open.waiting_hours += waiting as f64;
    }
    Ok(())
}

async fn scan(
    ledger: &LedgerSource,
    scope: &Scope,
    basis: Basis,
    tell: impl Fn(u64) + Send + 'static,
) -> anyhow::Result<Scan> {
    let (from, to) = (scope.period.from(), scope.period.to());
    let projected = basis == Basis::Decisions;
    let scanner = Scanner::new(Wanted { from, to, namespace: scope.namespace.clone(), projected });
    let told = ledger.read(Span::around(from, to), Told::new(scanner, tell)).await?;
    Ok(told.visitor.finish())
}

/// Where nobody watches pods: what was expected of them when they were decided about.
fn add_projected(scan: &Scan, scope: &Scope, tally: &mut Tally) {
    for (owner, projected) in &scan.projected {
        let mut sums = Sums {
            pods: projected.pods,
            steered: projected.steered,
            projected_hours: projected.hours,
            ..Sums::default()
        };
        sums.projected[0] = Projected {
            pods: projected.pods,
            avoided_g: projected.avoided_g,
            priced_pods: projected.pods,
            saved_usd: projected.saved_usd,
        };
        let (namespace, kind) = (owner.namespace.clone(), owner.kind.clone());
        let hour = (owner.day * DAY_HOURS).max(scope.period.from_hour());
        let key = HourKey { hour, namespace, kind, region: String::new(), group: Group::Decided };
        let HourKey { namespace, kind, group, .. } = key.clone();
        tally.add_hour(key, sums);
        tally.add_owner(OwnerKey { day: owner.day, namespace, kind, name: owner.name.clone(), group }, sums);
    }
}

fn decisions(scan: Scan, covered: Option<(Timestamp, Timestamp)>) -> Decisions {
    let state = |word: &str| scan.readings.get(word).copied().unwrap_or_default();
    let readings = ReadingStates {
        fresh: state("fresh"),
        estimated: state("estimated"),
        stale: state("stale"),
        missing: state("missing"),
        unusable: state("implausible") + state("incomparable"),
    };
    let mut by_reason: Vec<ReasonRow> = scan
        .by_reason
        .into_iter()
        .map(|(kind, count)| ReasonRow {
            endpoint: kind.endpoint,
            outcome: kind.outcome,
            reason: kind.reason,
            count,
        })
        .collect();
    by_reason.sort_by_key(|row| std::cmp::Reverse(row.count));
    Decisions { records: scan.records, unreadable: scan.unreadable, covered, by_reason, readings }
}
