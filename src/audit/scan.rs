//! What stored decision records say of a period: how many of each kind, how good the data were, and, where nobody watches
//! pods, what was projected by owner and day.
//!
//! Reads what is asked for and skips the rest: a million records take seconds. Memory grows with owners and days where what
//! was projected is asked for, and never with records.

mod record;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use self::record::Record;
use super::record::SCHEMA;

const SECONDS_OF_A_DAY: i64 = 24 * 3600;
/// The kind of owner that a pod nobody owns has, and the name that all of them in a namespace have in common: there may be as
/// many as there are records.
const NO_OWNER: (&str, &str) = ("Pod", "(unowned)");

/// What of a ledger is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Start of the period, which it includes.
    pub from: Timestamp,
    /// End of the period, which it does not include.
    pub to: Timestamp,
    /// Only this namespace; `None`: all.
    pub namespace: Option<String>,
    /// Whether to add up what was projected too.
    pub projected: bool,
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
    /// How many of each kind.
    pub by_reason: BTreeMap<Kind, u64>,
    /// State of the grid data of the regions that were weighed, by its word in the record.
    pub readings: BTreeMap<String, u64>,
    /// What was projected at admission in mode `steer`, by owner and day, where that was asked for.
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
    /// The owner's kind; `Pod` for pods nobody owns.
    pub kind: String,
    /// The owner's name; one for all pods nobody owns.
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

impl Scanner {
    /// Scans for what is wanted.
    #[must_use]
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, scan: Scan::default(), by_reason: BTreeMap::new(), projected: BTreeMap::new() }
    }

    /// Takes a line, without its newline. What cannot be read changes nothing.
    pub fn line(&mut self, line: &[u8]) {
        match Record::read(line) {
            Ok(record) if record.schema <= SCHEMA => self.add(&record),
            Ok(_) | Err(_) => self.scan.unreadable += 1,
        }
    }

    fn add(&mut self, record: &Record<'_>) {
        let of_another_kind = record.kind.is_some();
        let in_period = self.wanted.from <= record.ts && record.ts < self.wanted.to;
        if of_another_kind || !in_period {
            return;
        }
        if !self.scan.namespaces.contains(&*record.namespace) {
            self.scan.namespaces.insert(record.namespace.to_string());
        }
        let in_namespace = self.wanted.namespace.as_ref().is_none_or(|wanted| *wanted == record.namespace);
        if !in_namespace {
            return;
        }
        if self.wanted.projected {
            self.project(record);
        }
        self.scan.records += 1;
        for (word, more) in &record.states.0 {
            update(&mut self.scan.readings, word, |count| *count += more);
        }
        update(&mut self.by_reason, &record.endpoint, |outcomes| {
            update(outcomes, &record.outcome, |reasons| {
                update(reasons, &record.reason, |count| *count += 1);
            });
        });
    }

    fn project(&mut self, record: &Record<'_>) {
        // The scheduler asks about pods that were decided about at admission; and in shadow mode nothing is saved.
        if record.endpoint != "mutate" || record.mode != "steer" {
            return;
        }
        let Some((demand, projected)) = record.demand.zip(record.projected) else { return };
        let (kind, name) =
            record.owner.as_ref().map_or(NO_OWNER, |owner| (owner.kind.as_ref(), owner.name.as_ref()));
        let day = record.ts.as_second().div_euclid(SECONDS_OF_A_DAY);
        let add = |sums: &mut ProjectedSums| {
            sums.pods += 1;
            sums.steered += u64::from(record.outcome == "steer");
            sums.saved_usd += projected.usd;
            sums.avoided_g += projected.co2e_g;
            sums.energy_kwh += projected.kwh;
            sums.hours += demand.hours;
            sums.core_hours += demand.cpu_cores * demand.hours;
        };
        update(&mut self.projected, &record.namespace, |kinds| {
            update(kinds, kind, |names| {
                update(names, name, |days: &mut BTreeMap<i64, _>| add(days.entry(day).or_default()));
            });
        });
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

/// Changes what is under a name, which is copied only when it is new.
fn update<V: Default>(map: &mut ByName<V>, name: &str, change: impl FnOnce(&mut V)) {
    match map.get_mut(name) {
        Some(known) => change(known),
        None => change(map.entry(name.to_owned()).or_default()),
    }
}
