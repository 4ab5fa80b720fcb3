//! Gathers what a report is made from: the accounts, hour by hour, and the records of decisions.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;

use super::storage::accounts_file;
use super::stored_ledger::{Connected, LedgerSource};
use crate::accounts::cells::{DAY_HOURS, HourKey, OwnerKey};
use crate::accounts::grid::hour_of;
use crate::accounts::run::{Progress as RunProgress, Run};
use crate::accounts::stored::{PROGRESS, RUNS, hours_of, owners_of, read};
use crate::accounts::sums::{Group, Projected, Sums};
use crate::audit::read::{Span, Visitor};
use crate::audit::scan::{Scan, Scanner, Wanted};
use crate::audit::verify::StoredLine;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::report::{Gather, Gathering};
use crate::report::model::{Basis, Decisions, Head, Open, ReadingStates, ReasonRow, Setting};
use crate::report::{Inputs, Progress, Scope, Tally};
use crate::store::{BookStore, SnapshotStore};

/// Between two words of progress.
const TELL_EVERY: u64 = 50_000;
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
    tell: impl Fn(Progress) + Send + 'static,
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
    tell: impl Fn(Progress) + Send + 'static,
) -> anyhow::Result<Inputs> {
    let today = hour_of(clock.now()).div_euclid(DAY_HOURS);
    let kept = |days: u32| today - i64::from(days);
    let mut inputs = Inputs {
        basis: Basis::Decisions,
        setting: Setting::new(config, catalogue),
        tally: Tally::new(scope.clone(), kept(config.ledger.raw_retention_days)..i64::MAX),
        hours_kept_from: None,
        decisions: Decisions::default(),
        open: Open::default(),
        heads: Vec::new(),
        notes: Vec::new(),
    };
    if let Some(books) = &sources.books
        && books.version().await? > 0
    {
        inputs.basis = Basis::Pods;
        inputs.hours_kept_from = Some(kept(config.ledger.retention_days) * DAY_HOURS);
        add_accounts(books, scope, &mut inputs).await?;
    }
    match &sources.ledger {
        Some(ledger) => {
            let scan = scan(ledger, scope, tell).await?;
            if inputs.basis == Basis::Decisions {
                inputs.tally.know(scan.namespaces.iter());
                add_projected(&scan, scope, &mut inputs.tally);
            }
            inputs.decisions = decisions(scan);
            let heads = ledger.heads().await?.into_iter();
            inputs.heads = heads
                .map(|head| Head { replica: head.replica, seq: head.link.seq, hash: head.link.hash })
                .collect();
        }
        None if inputs.basis == Basis::Decisions => inputs.notes.push(NOTHING_KEPT.to_owned()),
        None => {}
    }
    Ok(inputs)
}

/// The accounts of the period, and what of them is not closed yet.
async fn add_accounts(books: &BookStore, scope: &Scope, inputs: &mut Inputs) -> anyhow::Result<()> {
    let period = scope.period;
    for day in period.from_hour().div_euclid(DAY_HOURS)..=(period.to_hour() - 1).div_euclid(DAY_HOURS) {
        let table = hours_of(day);
        for (field, value) in books.table(&table).await? {
            inputs.tally.add_hour(HourKey::read(&table, &field)?, Sums::from_text(&table, &field, &value)?);
        }
    }
    for day in period.whole_days() {
        let table = owners_of(day);
        for (field, value) in books.table(&table).await? {
            inputs.tally.add_owner(OwnerKey::read(day, &field)?, Sums::from_text(&table, &field, &value)?);
        }
    }
    let progress = books.table(PROGRESS).await?;
    let progress: std::collections::HashMap<String, String> = progress.into_iter().collect();
    for (uid, run) in books.table(RUNS).await? {
        let run: Run = read(RUNS, &uid, &run)?;
        let asked_for = scope.namespace.as_deref().is_none_or(|only| only == run.namespace);
        let Some(progress) = progress.get(&uid).filter(|_| asked_for) else { continue };
        let progress: RunProgress = read(PROGRESS, &uid, progress)?;
        inputs.open.running += u64::from(progress.end.is_none());
        let waiting = progress.waiting.iter().filter(|hour| period.contains(**hour)).count();
        inputs.open.waiting_hours += waiting as f64;
    }
    Ok(())
}

/// Scans, and tells how far it is.
struct Told<T> {
    scanner: Scanner,
    lines: u64,
    tell: T,
}

impl<T: Fn(Progress) + Send + 'static> Visitor for Told<T> {
    fn source(&mut self, name: &str) {
        self.scanner.source(name);
    }

    fn line(&mut self, line: StoredLine<'_>) {
        Visitor::line(&mut self.scanner, line);
        self.lines += 1;
        if self.lines.is_multiple_of(TELL_EVERY) {
            (self.tell)(Progress { read: self.lines, all: None });
        }
    }
}

async fn scan(
    ledger: &LedgerSource,
    scope: &Scope,
    tell: impl Fn(Progress) + Send + 'static,
) -> anyhow::Result<Scan> {
    let (from, to) = (scope.period.from(), scope.period.to());
    let scanner = Scanner::new(Wanted { from, to, namespace: scope.namespace.clone() });
    let told = ledger.read(Span::around(from, to), Told { scanner, lines: 0, tell }).await?;
    Ok(told.scanner.finish())
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

fn decisions(scan: Scan) -> Decisions {
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
    Decisions {
        records: scan.records,
        unreadable: scan.unreadable,
        covered: scan.first.zip(scan.last),
        by_reason,
        readings,
    }
}
