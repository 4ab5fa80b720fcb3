//! By owner: the ones that emit most.

use crate::accounts::sums::Group;
use crate::report::figures::{Quantity, Units, count};
use crate::report::known::Known as _;
use crate::report::model::{OwnerRow, Report};
use crate::report::period::told;
use crate::report::sheet::{Cell, Column, Grid, Part, Section};

/// Owners worth printing; csv and json have all.
const MOST_ROWS: usize = 25;
/// Before owners in the control group.
const CONTROL: &str = "* ";

pub(super) fn owners(report: &Report, units: &Units) -> Section {
    let title = "Owners";
    let Some((from, to)) = report.owners.covered else {
        let told = "Figures by owner are not kept any more for this period (ledger.rawRetentionDays), or it has no \
             whole day.";
        return Section::new(title, vec![Part::text(told)]);
    };
    let rows = &report.owners.rows;
    let mut covered = format!("Whole days from {} to {} (not included).", told(from), told(to));
    if let Some(more) = rows.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
        let more = count(more as u64);
        covered = format!("{covered} The {MOST_ROWS} that emit most; csv and json have {more} more.");
    }
    if rows.is_empty() {
        return Section::new(title, vec![Part::text(covered), Part::text("No owner had pods.")]);
    }
    if rows.iter().any(|row| row.group == Group::Holdout) {
        covered = format!("{covered} * marks the control group.");
    }
    let mut grid = Grid::new("Against the baseline", columns(report, units));
    grid.rows = rows.iter().take(MOST_ROWS).map(|of| row(report, of)).collect();
    Section::new(title, vec![Part::text(covered), Part::Grid(grid)])
}

fn columns(report: &Report, units: &Units) -> Vec<Column> {
    let mass = units.name(Quantity::Emissions);
    let mut columns = vec![Column::words("namespace"), Column::words("owner"), Column::figures(&["pods"])];
    if report.has_realised() {
        columns.extend([
            Column::figures(&["emitted", mass]),
            Column::figures(&["avoided", "projected", mass]),
            Column::figures(&["avoided", "realised", mass]),
            Column::figures(&["saved", "realised", "USD"]),
        ]);
    } else {
        columns.extend([Column::figures(&["avoided", mass]), Column::figures(&["saved", "USD"])]);
    }
    columns
}

/// Against the baseline.
fn row(report: &Report, of: &OwnerRow) -> Vec<Cell> {
    let sums = &of.sums;
    let is_decided = of.group == Group::Decided;
    let mark = if is_decided { "" } else { CONTROL };
    let mut row = vec![
        Cell::text(&of.namespace),
        Cell::text(format!("{mark}{} {}", of.kind, of.name)),
        Cell::count(sums.pods),
    ];
    // Nothing was decided for the control group: it avoids and saves nothing by definition.
    let claimed = |value: Option<f64>| value.filter(|_| is_decided);
    if report.has_realised() {
        row.push(Cell::maybe(Quantity::Emissions, sums.known_emissions()));
        row.push(Cell::difference(Quantity::Emissions, claimed(sums.projected_g(0))));
        let avoided = claimed(sums.known_against(0).map(|compared| compared.avoided_g));
        row.push(Cell::difference(Quantity::Emissions, avoided));
        let saved = claimed(sums.known_cost_against(0).map(|compared| compared.saved_usd));
        row.push(Cell::difference(Quantity::Money, saved));
    } else {
        row.push(Cell::difference(Quantity::Emissions, claimed(sums.projected_g(0))));
        row.push(Cell::difference(Quantity::Money, claimed(sums.projected_usd(0))));
    }
    row
}
