//! The books themselves: events go in, changes come out. Whoever stores each set of changes as a whole, and begins from what
//! is stored, counts nothing twice and loses nothing, wherever it is stopped.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::cells::{DAY_HOURS, HourKey, OwnerKey};
use super::due::Due;
use super::grid::{hour_of, start_of};
use super::hour::{self, Grid, Hour, SETTLES_IN_HOURS, World};
use super::prices::PriceBook;
use super::realised::Realised;
use super::run::{End, PriceKey, Progress, Run, Treatment};
use super::stored::{self, write};
use super::sums::Sums;
use super::totals::{MAX_NAMESPACES, OTHER_NAMESPACES, Total, Totals, of_binding, of_hour};

/// Longest name that is kept.
const MAX_NAME: usize = 253;
/// How long things are waited for and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A price counts for so many hours after somebody last looked.
    pub price_max_age_hours: i64,
    /// Days that hours are kept.
    pub retention_days: u32,
    /// Days that owners are kept, and that an hour waits for its readings.
    pub raw_retention_days: u32,
}

/// A run whose account goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenRun {
    /// What is fixed.
    pub run: Run,
    /// How far it has come.
    pub progress: Progress,
}

/// A run that was closed. Its pod may still be there, and must not be opened again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Closed {
    /// Its record, until the ledger has it.
    pub(super) record: Option<String>,
    /// Whether the API server still knows the pod.
    pub(super) listed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Touched {
    Run(String),
    Progress(String),
    Closed(String),
    Hour(HourKey),
    Owner(OwnerKey),
    Price(PriceKey),
    Total(Total),
    Confirmed,
}

/// The books.
#[derive(Clone, Debug, PartialEq)]
pub struct Books {
    pub(super) limits: Limits,
    pub(super) runs: BTreeMap<String, OpenRun>,
    pub(super) closed: BTreeMap<String, Closed>,
    pub(super) prices: PriceBook,
    pub(super) totals: Totals,
    /// The namespaces that have totals of their own.
    pub(super) namespaces: BTreeSet<String>,
    pub(super) confirmed: Option<Timestamp>,
    /// Figures of the days that have been read.
    pub(super) hours: BTreeMap<HourKey, Sums>,
    pub(super) owners: BTreeMap<OwnerKey, Sums>,
    pub(super) days: BTreeSet<i64>,
    pub(super) touched: BTreeSet<Touched>,
}

impl Books {
    /// Empty ones.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            runs: BTreeMap::new(),
            closed: BTreeMap::new(),
            prices: PriceBook::default(),
            totals: Totals::new(),
            namespaces: BTreeSet::new(),
            confirmed: None,
            hours: BTreeMap::new(),
            owners: BTreeMap::new(),
            days: BTreeSet::new(),
            touched: BTreeSet::new(),
        }
    }

    /// Whether a pod has been counted.
    #[must_use]
    pub fn knows(&self, uid: &str) -> bool {
        self.runs.contains_key(uid) || self.closed.contains_key(uid)
    }

    /// The runs whose accounts go on.
    pub fn open_runs(&self) -> impl Iterator<Item = &OpenRun> {
        self.runs.values()
    }

    /// Sums since the beginning.
    #[must_use]
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Figures of owners on the days that have been read.
    #[must_use]
    pub const fn owners(&self) -> &BTreeMap<OwnerKey, Sums> {
        &self.owners
    }

    /// The last moment at which all open runs were known to be there.
    #[must_use]
    pub const fn confirmed(&self) -> Option<Timestamp> {
        self.confirmed
    }

    /// Counts a pod that was bound, and its end if that is known already; nothing when the pod is known. The day of its binding
    /// must have been read.
    pub fn open(&mut self, mut run: Run, end: Option<End>, now: Timestamp) {
        if self.knows(&run.uid) {
            return;
        }
        for name in [&mut run.namespace, &mut run.kind, &mut run.owner, &mut run.pod] {
            name.truncate(name.floor_char_boundary(MAX_NAME));
        }
        let (uid, bound_hour) = (run.uid.clone(), hour_of(run.bound_at));
        // What was before anything is kept any more will not become known.
        let oldest = hour_of(now) - DAY_HOURS * i64::from(self.limits.raw_retention_days);
        let next_hour = bound_hour.max(oldest);
        let mut progress = Progress { next_hour, ..Progress::default() };
        self.add(&run, next_hour, &run.at_binding());
        if next_hour > bound_hour {
            let until = end.map_or(start_of(next_hour), |end| end.at.min(start_of(next_hour)));
            let missing_hours = until.duration_since(run.bound_at).as_secs_f64().max(0.0) / 3600.0;
            let core_hours = run.asked.cpu_cores * missing_hours;
            let sums = Sums { core_hours, missing_core_hours: core_hours, missing_hours, ..Sums::default() };
            self.add(&run, next_hour, &sums);
            progress.realised += sums;
        }
        for (total, amount) in of_binding(&run) {
            self.add_total(total, amount);
        }
        self.touched.insert(Touched::Run(uid.clone()));
        self.touched.insert(Touched::Progress(uid.clone()));
        self.runs.insert(uid.clone(), OpenRun { run, progress });
        if let Some(end) = end {
            self.end(&uid, end);
        }
    }

    /// Notes the end of a run; the first word counts.
    pub fn end(&mut self, uid: &str, end: End) {
        let Some(open) = self.runs.get_mut(uid) else { return };
        if open.progress.end.is_none() {
            let at = end.at.max(open.run.bound_at);
            open.progress.end = Some(End { at, ..end });
            self.touched.insert(Touched::Progress(uid.to_owned()));
        }
    }

    /// Notes that the API server knows a pod no more. A run that nobody saw end is taken to have ended when it was last
    /// known to be there.
    pub fn gone(&mut self, uid: &str, now: Timestamp) {
        if let Some(closed) = self.closed.get_mut(uid) {
            closed.listed = false;
            if closed.record.is_none() {
                self.closed.remove(uid);
            }
            self.touched.insert(Touched::Closed(uid.to_owned()));
        }
        let Some(open) = self.runs.get_mut(uid) else { return };
        if open.progress.end.is_none() {
            // A clock that was ahead for a while is not believed.
            let at = self.confirmed.unwrap_or(open.run.bound_at).min(now).max(open.run.bound_at);
            open.progress.end = Some(End { at, seen: false });
        }
        open.progress.gone = true;
        self.touched.insert(Touched::Progress(uid.to_owned()));
    }

    /// The pods that are known and not in a whole list of those there are.
    #[must_use]
    pub fn missing_from(&self, uids: &HashSet<String>) -> Vec<String> {
        let known = self.runs.keys().chain(self.closed.keys());
        known.filter(|uid| !uids.contains(*uid)).cloned().collect()
    }

    /// Notes that at `now` all pods that are there were known: their runs go on at least until then.
    pub fn confirm(&mut self, now: Timestamp) {
        if self.confirmed != Some(now) {
            self.confirmed = Some(now);
            self.touched.insert(Touched::Confirmed);
        }
    }

    /// Notes what everything costs in an hour that the open runs are priced by; `price` gives USD an hour and its precision.
    pub fn note_prices(&mut self, hour: i64, price: impl Fn(&PriceKey) -> Option<(f64, f64)>) {
        // By reference first: thousands of runs have the same few.
        let keys: BTreeSet<&PriceKey> = self.runs.values().flat_map(|open| keys_of(&open.run)).collect();
        let keys: Vec<PriceKey> = keys.into_iter().cloned().collect();
        for key in &keys {
            self.note_price(key, hour, &price);
        }
        let oldest = hour - DAY_HOURS * i64::from(self.limits.raw_retention_days);
        for key in self.prices.forget_before(oldest) {
            self.touched.insert(Touched::Price(key));
        }
    }

    /// The same for one run alone.
    pub fn note_prices_of(&mut self, uid: &str, hour: i64, price: impl Fn(&PriceKey) -> Option<(f64, f64)>) {
        let keys: Vec<PriceKey> =
            self.runs.get(uid).into_iter().flat_map(|open| keys_of(&open.run)).cloned().collect();
        for key in &keys {
            self.note_price(key, hour, &price);
        }
    }

    fn note_price(&mut self, key: &PriceKey, hour: i64, price: &impl Fn(&PriceKey) -> Option<(f64, f64)>) {
        let Some((usd, precision)) = price(key) else { return };
        if self.prices.note(key, hour, usd, precision) {
            self.touched.insert(Touched::Price(key.clone()));
        }
    }

    /// Accounts for hours by what is known at `now`. Their days must have been read.
    pub fn account(&mut self, due: &[Due], grid: &impl Grid, now: Timestamp) {
        // Out of the books while these change.
        let prices = std::mem::take(&mut self.prices);
        let world = World { grid, prices: &prices, price_max_age_hours: self.limits.price_max_age_hours };
        for Due { uid, hour } in due {
            let Some(OpenRun { run, mut progress }) = self.runs.remove(uid) else { continue };
            let age_hours = now.duration_since(start_of(hour + 1)).as_hours();
            let last_call = age_hours >= DAY_HOURS * i64::from(self.limits.raw_retention_days);
            let end = progress.end.map(|end| end.at);
            let accounted = hour::account(&run, end, *hour, &world, age_hours >= SETTLES_IN_HOURS, last_call);
            let before = (progress.next_hour, progress.waiting.len());
            progress.waiting.retain(|waiting| waiting != hour);
            match accounted {
                None => progress.waiting.push(*hour),
                Some(Hour { sums, net_benefit_usd }) => {
                    self.add(&run, *hour, &sums);
                    for (total, amount) in of_hour(&run, &sums) {
                        self.add_total(total, amount);
                    }
                    progress.realised += sums;
                    if let Some(usd) = net_benefit_usd {
                        progress.net_benefit_usd += usd;
                        progress.net_benefit_hours += sums.against[0].priced_hours;
                    }
                }
            }
            progress.next_hour = progress.next_hour.max(hour + 1);
            if (progress.next_hour, progress.waiting.len()) != before {
                self.touched.insert(Touched::Progress(uid.clone()));
            }
            self.runs.insert(uid.clone(), OpenRun { run, progress });
        }
        self.prices = prices;
    }

    /// Closes the runs that have ended and of which nothing is open. The days of their ends must have been read.
    /// At most `most`, so that what is written at once has an end; says how many there were.
    pub fn close(&mut self, now: Timestamp, most: usize) -> usize {
        let over = self.runs.iter().filter(|(_, open)| is_over(open));
        let ended: Vec<String> = over.map(|(uid, _)| uid.clone()).take(most).collect();
        let count = ended.len();
        for uid in ended {
            let Some(OpenRun { run, progress }) = self.runs.remove(&uid) else { continue };
            let Some(end) = progress.end else { continue };
            if run.treatment == Treatment::Steer && run.landed() == Some(true) {
                let gained = progress.net_benefit_hours > 0.0 && progress.net_benefit_usd > 0.0;
                let sums = Sums { moves_ended: 1, moves_gained: u64::from(gained), ..Sums::default() };
                self.add(&run, last_hour(end.at).max(hour_of(run.bound_at)), &sums);
            }
            let record = write(&Realised::new(&run, &progress, end, now));
            self.closed.insert(uid.clone(), Closed { record: Some(record), listed: !progress.gone });
            self.touched.insert(Touched::Run(uid.clone()));
            self.touched.insert(Touched::Progress(uid.clone()));
            self.touched.insert(Touched::Closed(uid));
        }
        count
    }

    /// Records of closed runs that the ledger does not have yet, by the pod's uid.
    pub fn unrecorded(&self) -> impl Iterator<Item = (&str, &str)> {
        self.closed.iter().filter_map(|(uid, closed)| Some((uid.as_str(), closed.record.as_deref()?)))
    }

    /// Notes that the ledger has a closed run's record.
    pub fn recorded(&mut self, uid: &str) {
        let Some(closed) = self.closed.get_mut(uid) else { return };
        closed.record = None;
        if !closed.listed {
            self.closed.remove(uid);
        }
        self.touched.insert(Touched::Closed(uid.to_owned()));
    }

    /// Forgets figures of days that nothing is likely to be added to; they can be read again.
    pub fn forget_days_before(&mut self, day: i64) {
        self.days.retain(|known| *known >= day);
        self.hours.retain(|key, _| key.day() >= day);
        self.owners.retain(|key, _| key.day >= day);
    }

    fn add(&mut self, run: &Run, hour: i64, sums: &Sums) {
        let hour_key = HourKey {
            hour,
            namespace: run.namespace.clone(),
            kind: run.kind.clone(),
            region: run.region().unwrap_or_default().to_owned(),
            group: run.group(),
        };
        let owner_key = OwnerKey {
            day: hour_key.day(),
            namespace: run.namespace.clone(),
            kind: run.kind.clone(),
            name: run.owner.clone(),
            group: run.group(),
        };
        debug_assert!(self.days.contains(&owner_key.day), "the day has not been read");
        *self.hours.entry(hour_key.clone()).or_default() += *sums;
        *self.owners.entry(owner_key.clone()).or_default() += *sums;
        self.touched.insert(Touched::Hour(hour_key));
        self.touched.insert(Touched::Owner(owner_key));
    }

    fn add_total(&mut self, mut total: Total, amount: f64) {
        if let Some(namespace) = total.namespace_mut()
            && !self.namespaces.contains(namespace)
        {
            if self.namespaces.len() < MAX_NAMESPACES {
                self.namespaces.insert(namespace.clone());
            } else {
                OTHER_NAMESPACES.clone_into(namespace);
            }
        }
        *self.totals.entry(total.clone()).or_default() += amount;
        self.touched.insert(Touched::Total(total));
    }

    /// When the table of a day's hours may be forgotten.
    pub(super) fn hours_kept_until(&self, day: i64) -> Timestamp {
        stored::kept_until(day, self.limits.retention_days)
    }

    /// When the table of a day's owners may be forgotten.
    pub(super) fn owners_kept_until(&self, day: i64) -> Timestamp {
        stored::kept_until(day, self.limits.raw_retention_days)
    }
}

/// Whether a run has ended and nothing of it is open.
pub(super) fn is_over(open: &OpenRun) -> bool {
    let Progress { end, next_hour, waiting, .. } = &open.progress;
    end.is_some_and(|end| *next_hour > last_hour(end.at)) && waiting.is_empty()
}

fn keys_of(run: &Run) -> impl Iterator<Item = &PriceKey> {
    run.places.iter().map(|place| &place.price)
}

/// The last hour of a run that ended at a moment: one that ends with an hour has no part in the next.
pub(super) fn last_hour(end: Timestamp) -> i64 {
    hour_of(end.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(end))
}
