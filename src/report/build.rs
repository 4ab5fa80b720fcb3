//! From sums to a report. Pure: everything comes in as values, the time included.
//!
//! Pods of the control group are in the inventory, which says what was emitted, and in the comparison of the groups.
//! They are in no total, namespace, series or saving: nothing was decided for them.

mod holdout;
mod series;
mod tally;

use std::ops::Range;

use jiff::Timestamp;

use self::holdout::compare;
use super::error::ReportError;
use super::form::Form;
use super::model::{Basis, Decisions, Head, Holdout, Open, OwnerRow, Owners, Report, SCHEMA, Setting};
use super::period::{Period, day_start, hour_start, told};
use crate::accounts::cells::HOUR_SECONDS;
use crate::domain::Against;

pub use self::tally::Tally;

/// What a report is made from.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Where the figures come from.
    pub basis: Basis,
    /// What was configured.
    pub setting: Setting,
    /// Sums of all namespaces, so that a report can name those that there are.
    pub tally: Tally,
    /// The first hour since 1970 for which sums by hour, or decisions, are still kept; `None`: nothing has been thrown away.
    pub hours_kept_from: Option<i64>,
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

impl Scope {
    /// What a file of this report is called.
    #[must_use]
    pub fn file_name(&self, form: Form) -> String {
        let part = |time: Timestamp| told(time).replace([' ', ':'], "-");
        let namespace = self.namespace.as_ref().map_or_else(String::new, |name| format!("-{name}"));
        let (from, to) = (part(self.period.from()), part(self.period.to()));
        format!("eco-pulse-report-{from}-to-{to}{namespace}.{}", form.extension())
    }
}

/// Makes the report, as of `now`.
///
/// # Errors
/// A namespace without pods in a period in which others have some.
pub fn build(inputs: Inputs, now: Timestamp) -> Result<Report, ReportError> {
    let Inputs { tally, mut notes, .. } = inputs;
    know(&tally)?;
    let days = tally.days.clone();
    let owners = Owners {
        covered: (!days.is_empty()).then(|| (day_start(days.start), day_start(days.end))),
        rows: tally.owners(),
    };
    let period = tally.scope.period;
    notes.extend(period_notes(period, (inputs.basis, inputs.hours_kept_from), &owners, &days, now));
    let holdout = compared(tally.has_holdout, inputs.basis, &owners.rows, &mut notes);
    Ok(Report {
        schema: SCHEMA,
        made_at: now,
        from: period.from(),
        to: period.to(),
        basis: inputs.basis,
        setting: inputs.setting,
        counterfactuals: Against::ALL.map(|against| against.as_str().to_owned()).into(),
        total: tally.total,
        namespaces: tally.namespaces(),
        owners,
        inventory: tally.inventory(),
        step: tally.step,
        namespace: tally.scope.namespace,
        series: tally.points,
        decisions: inputs.decisions,
        holdout,
        open: inputs.open,
        heads: inputs.heads,
        notes,
    })
}

/// A namespace that nobody has heard of is most likely misspelt. Where there is nothing at all, that is what to say.
fn know(tally: &Tally) -> Result<(), ReportError> {
    let Some(namespace) = &tally.scope.namespace else { return Ok(()) };
    if tally.known.is_empty() || tally.known.contains(namespace) {
        return Ok(());
    }
    Err(ReportError::UnknownNamespace {
        namespace: namespace.clone(),
        known: tally.known.iter().cloned().collect(),
    })
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
    period: Period,
    (basis, kept_from): (Basis, Option<i64>),
    owners: &Owners,
    days: &Range<i64>,
    now: Timestamp,
) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(kept_from) = kept_from.filter(|kept_from| *kept_from > period.from_hour()) {
        let since = told(hour_start(kept_from));
        let setting = match basis {
            Basis::Pods => "ledger.retentionDays",
            Basis::Decisions => "ledger.rawRetentionDays",
        };
        notes.push(format!(
            "Figures are kept since {since} ({setting}): what was before is not in this report."
        ));
    }
    if period.to() > now {
        let now = told(hour_start(now.as_second().div_euclid(HOUR_SECONDS)));
        notes.push(format!("The period is not over: figures go as far as they were known at {now}."));
    }
    // Decisions are kept as long as the figures by owner that come of them.
    if basis == Basis::Pods && *days != period.whole_days() {
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
