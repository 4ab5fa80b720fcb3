//! From sums to a report. Pure: everything comes in as values, the time included.
//!
//! Pods of the control group are in the inventory, which says what was emitted, and in the comparison of the groups.
//! They are in no total, namespace, series or saving: nothing was decided for them.

mod holdout;
mod series;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;

use self::holdout::compare;
use self::series::{series, step_of};
use super::error::ReportError;
use super::form::Form;
use super::model::{
    Basis, Decisions, Head, Holdout, InventoryRow, NamespaceRow, Open, OwnerRow, Owners, Report, SCHEMA,
    Setting,
};
use super::period::{Period, day_start, told};
use crate::accounts::cells::{HourKey, OwnerKey};
use crate::accounts::sums::{Group, Sums};
use crate::audit::projection::Against;

/// What a report is made from: all namespaces, and more than the period if that is easier to hand in.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Where the figures come from.
    pub basis: Basis,
    /// What was configured.
    pub setting: Setting,
    /// Sums by hour. Several rows with one key are added up.
    pub hours: Vec<(HourKey, Sums)>,
    /// Sums by owner and day.
    pub owners: Vec<(OwnerKey, Sums)>,
    /// The first hour since 1970 for which sums by hour are still kept; `None`: nothing has been thrown away.
    pub hours_kept_from: Option<i64>,
    /// The days since 1970 for which sums by owner are kept, half-open.
    pub owner_days: Range<i64>,
    /// What was decided, of the namespace asked for.
    pub decisions: Decisions,
    /// What is not closed yet, of the namespace asked for.
    pub open: Open,
    /// The ledger's last record of each replica.
    pub heads: Vec<Head>,
    /// What else a reader has to know, a sentence each.
    pub notes: Vec<String>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The period.
    pub period: Period,
    /// Only this namespace; `None`: all.
    pub namespace: Option<String>,
}

/// How far the gathering of [`Inputs`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records read.
    pub read: u64,
    /// Records there are, as far as that is known.
    pub all: Option<u64>,
}

impl Scope {
    /// What a file of this report is called.
    #[must_use]
    pub fn file_name(&self, form: Form) -> String {
        let part = |time: Timestamp| told(time).replace([' ', ':'], "-");
        let namespace = self.namespace.as_ref().map_or_else(String::new, |name| format!("-{name}"));
        let (from, to) = (part(self.period.from()), part(self.period.to()));
        format!("eco-pulse-report-{from}-to-{to}{namespace}.{}", form.extension())
    }

    fn has(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|only| only == namespace)
    }
}

/// Makes the report, as of `now`.
///
/// # Errors
/// A namespace without pods in a period in which others have some.
pub fn build(inputs: Inputs, scope: &Scope, now: Timestamp) -> Result<Report, ReportError> {
    let period = scope.period;
    let Inputs { mut hours, mut owners, .. } = inputs;
    let days = period.whole_days();
    let days = days.start.max(inputs.owner_days.start)..days.end.min(inputs.owner_days.end);
    hours.retain(|(key, _)| period.contains(key.hour));
    owners.retain(|(key, _)| days.contains(&key.day));
    know(scope, &hours, &owners)?;
    hours.retain(|(key, _)| scope.has(&key.namespace));
    owners.retain(|(key, _)| scope.has(&key.namespace));

    let decided = || hours.iter().filter(|(key, _)| key.group == Group::Decided);
    let (by_namespace, inventory) = by_place(&hours);
    let owners = Owners {
        covered: (!days.is_empty()).then(|| (day_start(days.start), day_start(days.end))),
        rows: by_owner(owners),
    };
    let mut notes = inputs.notes;
    notes.extend(period_notes(scope, inputs.hours_kept_from, &owners, &days, now));
    let has_holdout = hours.iter().any(|(key, sums)| key.group == Group::Holdout && sums.pods > 0)
        || owners.rows.iter().any(|row| row.group == Group::Holdout);
    let holdout = compared(has_holdout, inputs.basis, &owners.rows, &mut notes);
    Ok(Report {
        schema: SCHEMA,
        made_at: now,
        from: period.from(),
        to: period.to(),
        namespace: scope.namespace.clone(),
        basis: inputs.basis,
        setting: inputs.setting,
        counterfactuals: Against::ALL.map(|against| against.as_str().to_owned()).into(),
        total: sum(decided().map(|(_, sums)| *sums)),
        namespaces: by_namespace,
        owners,
        inventory,
        step: step_of(period),
        series: series(period, decided().map(|(key, sums)| (key.hour, *sums))),
        decisions: inputs.decisions,
        holdout,
        open: inputs.open,
        heads: inputs.heads,
        notes,
    })
}

/// A namespace that nobody has heard of is most likely misspelt. Where there is nothing at all, that is what to say.
fn know(scope: &Scope, hours: &[(HourKey, Sums)], owners: &[(OwnerKey, Sums)]) -> Result<(), ReportError> {
    let Some(namespace) = &scope.namespace else { return Ok(()) };
    let of_hours = hours.iter().map(|(key, _)| &key.namespace);
    let known: BTreeSet<&String> = of_hours.chain(owners.iter().map(|(key, _)| &key.namespace)).collect();
    if known.is_empty() || known.contains(namespace) {
        return Ok(());
    }
    Err(ReportError::UnknownNamespace {
        namespace: namespace.clone(),
        known: known.into_iter().cloned().collect(),
    })
}

fn sum(all: impl Iterator<Item = Sums>) -> Sums {
    all.fold(Sums::default(), |mut total, sums| {
        total += sums;
        total
    })
}

fn by_place(hours: &[(HourKey, Sums)]) -> (Vec<NamespaceRow>, Vec<InventoryRow>) {
    let mut namespaces: BTreeMap<&str, Sums> = BTreeMap::new();
    let mut places: BTreeMap<(&str, &str), Sums> = BTreeMap::new();
    for (key, sums) in hours {
        if key.group == Group::Decided {
            *namespaces.entry(&key.namespace).or_default() += *sums;
        }
        *places.entry((&key.namespace, &key.region)).or_default() += *sums;
    }
    let rows = namespaces.into_iter();
    let mut namespaces: Vec<_> =
        rows.map(|(namespace, sums)| NamespaceRow { namespace: namespace.to_owned(), sums }).collect();
    // Stable: what emits alike stays in the order of names.
    namespaces.sort_by(|one, other| most_emissions(&one.sums, &other.sums));
    // A pod without a place yet is no line of an inventory: it has neither energy nor hours.
    let used = places.into_iter().filter(|(_, sums)| sums.core_hours > 0.0 || sums.missing_hours > 0.0);
    let inventory = used.map(|((namespace, region), sums)| InventoryRow {
        namespace: namespace.to_owned(),
        region: region.to_owned(),
        core_hours: sums.core_hours,
        energy_kwh: sums.actual.energy_kwh,
        emissions_g: sums.actual.emissions_g,
        missing_hours: sums.missing_hours,
    });
    (namespaces, inventory.collect())
}

fn by_owner(owners: Vec<(OwnerKey, Sums)>) -> Vec<OwnerRow> {
    let mut rows: BTreeMap<(String, String, String, Group), Sums> = BTreeMap::new();
    for (key, sums) in owners {
        *rows.entry((key.namespace, key.kind, key.name, key.group)).or_default() += sums;
    }
    let rows = rows.into_iter();
    let mut rows: Vec<_> = rows
        .map(|((namespace, kind, name, group), sums)| OwnerRow { namespace, kind, name, group, sums })
        .collect();
    rows.sort_by(|one, other| most_emissions(&one.sums, &other.sums));
    rows
}

fn most_emissions(one: &Sums, other: &Sums) -> std::cmp::Ordering {
    let by = |of: fn(&Sums) -> f64| of(other).total_cmp(&of(one));
    by(|sums| sums.actual.emissions_g).then_with(|| by(|sums| sums.projected_hours))
}

fn compared(
    has_holdout: bool,
    basis: Basis,
    owners: &[OwnerRow],
    notes: &mut Vec<String>,
) -> Option<Holdout> {
    if !has_holdout || basis == Basis::Decisions {
        return None;
    }
    let compared = compare(owners);
    if compared.is_none() {
        notes.push(
            "There were pods in the control group, but figures by owner are not kept any more for this period: \
             the groups are not compared."
                .to_owned(),
        );
    }
    compared
}

/// What the period asked for has and the figures lack.
fn period_notes(
    scope: &Scope,
    kept_from: Option<i64>,
    owners: &Owners,
    days: &Range<i64>,
    now: Timestamp,
) -> Vec<String> {
    let period = scope.period;
    let mut notes = Vec::new();
    if let Some(kept_from) = kept_from.filter(|kept_from| *kept_from > period.from_hour()) {
        let since = told(super::period::hour_start(kept_from));
        notes.push(format!(
            "Figures are kept since {since} (ledger.retentionDays): what was before is not in this report."
        ));
    }
    if period.to() > now {
        let now = told(super::period::hour_start(now.as_second().div_euclid(3600)));
        notes.push(format!("The period is not over: figures go as far as they were known at {now}."));
    }
    if *days != period.whole_days() {
        let covered = owners.covered.map_or_else(
            || "none of the period's days".to_owned(),
            |(from, to)| format!("{} to {} only", told(from), told(to)),
        );
        notes.push(format!(
            "Figures by owner are kept for fewer days than sums (ledger.rawRetentionDays): they cover {covered}."
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
