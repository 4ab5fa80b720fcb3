//! What stored decision records say of a period: how many of each kind, how good the data were, and, where nobody watches
//! pods, what was projected by owner and day.
//!
//! Reads what is asked for and skips the rest: a million records take seconds. Memory grows with owners and days, not with
//! records.

mod record;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use self::record::{Owner, Record, StateCounts};
use super::record::SCHEMA;

const SECONDS_OF_A_DAY: i64 = 24 * 3600;
/// The kind of owner that a pod nobody owns has.
const NO_OWNER: &str = "Pod";

/// What of a ledger is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Start of the period, which it includes.
    pub from: Timestamp,
    /// End of the period, which it does not include.
    pub to: Timestamp,
    /// Only this namespace; `None`: all.
    pub namespace: Option<String>,
}

/// What the records of a period say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scan {
    /// Decisions of the period and the namespace.
    pub records: u64,
    /// Lines of whatever time that could not be read: damaged, of a newer release, or somebody else's.
    pub unreadable: u64,
    /// Every namespace that was decided about in the period, whether or not it was asked for.
    pub namespaces: BTreeSet<String>,
    /// When the first of the records was made.
    pub first: Option<Timestamp>,
    /// When the last of the records was made.
    pub last: Option<Timestamp>,
    /// How many of each kind.
    pub by_reason: BTreeMap<Kind, u64>,
    /// State of the grid data of the regions that were weighed, by its word in the record.
    pub readings: BTreeMap<String, u64>,
    /// What was projected at admission in mode `steer`, by owner and day.
    pub projected: BTreeMap<OwnerDay, ProjectedSums>,
}

/// A kind of decision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Who asked.
    pub endpoint: String,
    /// What was decided.
    pub outcome: String,
    /// Why.
    pub reason: String,
}

/// An owner's day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnerDay {
    /// The pods' namespace.
    pub namespace: String,
    /// The owner's kind; `Pod` for a pod nobody owns.
    pub kind: String,
    /// The owner's name.
    pub name: String,
    /// Whole days since 1970, UTC.
    pub day: i64,
}

/// What was projected for some pods when they were decided about.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProjectedSums {
    /// Pods with a preferred region.
    pub pods: u64,
    /// Of them, sent to another region than the base.
    pub steered: u64,
    /// Cash saved against the base, USD.
    pub saved_usd: f64,
    /// Emissions avoided against the base, gCO2e.
    pub avoided_g: f64,
    /// Energy, kWh.
    pub energy_kwh: f64,
    /// Expected hours.
    pub hours: f64,
    /// Requested cores times expected hours.
    pub core_hours: f64,
}

type ByName<V> = BTreeMap<String, V>;

/// Scans line by line.
#[derive(Debug)]
pub struct Scanner {
    wanted: Wanted,
    scan: Scan,
    by_reason: ByName<ByName<ByName<u64>>>,
    projected: ByName<ByName<ByName<BTreeMap<i64, ProjectedSums>>>>,
}

/// Scans lines that are at hand.
pub fn scan<'l>(lines: impl IntoIterator<Item = &'l [u8]>, wanted: Wanted) -> Scan {
    let mut scanner = Scanner::new(wanted);
    lines.into_iter().for_each(|line| scanner.line(line));
    scanner.finish()
}

impl Scanner {
    /// Scans for what is wanted.
    #[must_use]
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, scan: Scan::default(), by_reason: BTreeMap::new(), projected: BTreeMap::new() }
    }

    /// Takes a line, without its newline.
    pub fn line(&mut self, line: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Record<'_>>(line) else {
            self.scan.unreadable += 1;
            return;
        };
        if record.schema > SCHEMA {
            self.scan.unreadable += 1;
            return;
        }
        let of_another_kind = record.kind.is_some();
        let in_period = self.wanted.from <= record.ts && record.ts < self.wanted.to;
        let in_namespace = self.wanted.namespace.as_ref().is_none_or(|wanted| *wanted == record.namespace);
        if of_another_kind || !in_period {
            return;
        }
        if !self.scan.namespaces.contains(&*record.namespace) {
            self.scan.namespaces.insert(record.namespace.to_string());
        }
        if !in_namespace {
            return;
        }
        self.scan.records += 1;
        self.scan.first = Some(self.scan.first.map_or(record.ts, |first| first.min(record.ts)));
        self.scan.last = Some(self.scan.last.map_or(record.ts, |last| last.max(record.ts)));
        self.count_kind(&record);
        let StateCounts(states) = &record.regions;
        for (word, count) in states {
            *entry(&mut self.scan.readings, word) += count;
        }
        self.project(&record);
    }

    fn count_kind(&mut self, record: &Record<'_>) {
        let outcomes = entry(&mut self.by_reason, &record.endpoint);
        *entry(entry(outcomes, &record.outcome), &record.reason) += 1;
    }

    fn project(&mut self, record: &Record<'_>) {
        let (Some(projected), Some(demand)) = (&record.projected, &record.demand) else { return };
        // The scheduler asks about pods that were decided about at admission; and in shadow mode nothing is saved.
        if record.endpoint != "mutate" || record.mode != "steer" {
            return;
        }
        let unowned = || Owner { kind: Cow::Borrowed(NO_OWNER), name: record.pod.clone() };
        let owner = record.owner.clone().unwrap_or_else(unowned);
        let kinds = entry(&mut self.projected, &record.namespace);
        let days = entry(entry(kinds, &owner.kind), &owner.name);
        let sums = days.entry(record.ts.as_second().div_euclid(SECONDS_OF_A_DAY)).or_default();
        sums.pods += 1;
        sums.steered += u64::from(record.outcome == "steer");
        sums.saved_usd += projected.usd;
        sums.avoided_g += projected.co2e_g;
        sums.energy_kwh += projected.kwh;
        sums.hours += demand.hours;
        sums.core_hours += demand.cpu_cores * demand.hours;
    }

    /// What the lines said.
    #[must_use]
    pub fn finish(self) -> Scan {
        let Self { mut scan, by_reason, projected, .. } = self;
        for (endpoint, outcomes) in by_reason {
            for (outcome, reasons) in outcomes {
                scan.by_reason.extend(reasons.into_iter().map(|(reason, count)| {
                    (Kind { endpoint: endpoint.clone(), outcome: outcome.clone(), reason }, count)
                }));
            }
        }
        for (namespace, kinds) in projected {
            for (kind, names) in kinds {
                for (name, days) in names {
                    scan.projected.extend(days.into_iter().map(|(day, sums)| {
                        let (namespace, kind, name) = (namespace.clone(), kind.clone(), name.clone());
                        (OwnerDay { namespace, kind, name, day }, sums)
                    }));
                }
            }
        }
        scan
    }
}

fn entry<'m, V: Default>(map: &'m mut ByName<V>, name: &str) -> &'m mut V {
    map.entry(name.to_owned()).or_default()
}
