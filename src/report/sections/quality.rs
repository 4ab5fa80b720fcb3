//! How good the data are, and what was decided.

use super::namespaces::by_namespace;
use super::share;
use crate::accounts::sums::Sums;
use crate::report::figures::count;
use crate::report::known::Known as _;
use crate::report::model::Report;
use crate::report::period::told;
use crate::report::sheet::{Cell, Column, Grid, Part, Section};

pub(super) fn data_quality(report: &Report) -> Section {
    let mut parts = Vec::new();
    if report.has_realised() {
        let columns = vec![
            Column::words("namespace"),
            Column::figures(&["measured"]),
            Column::figures(&["estimated"]),
            Column::figures(&["missing"]),
            Column::figures(&["without", "price"]),
        ];
        let row = |name: &str, sums: &Sums| {
            let hours = sums.pod_hours();
            let of =
                [sums.measured_hours, sums.estimated_hours, sums.missing_hours, sums.actual.unpriced_hours];
            [Cell::text(name)].into_iter().chain(of.map(|part| share(part, hours))).collect::<Vec<_>>()
        };
        let grid = by_namespace(report, "Pod-hours by what is known of them, %".to_owned(), columns, row);
        parts.push(Part::text(
            "Measured: the grid's intensity of that hour was read. Estimated: modelled by its source, or a mean of past \
             years. Missing: nothing is known; these hours are in the core-hours requested, and in no energy, emissions or cost, \
             where they are not counted as zero.",
        ));
        parts.push(Part::Grid(grid));
    }
    let all = report.decisions.readings.named();
    let sum: u64 = all.iter().map(|(_, count)| count).sum();
    if sum > 0 {
        let mut grid = Grid::new(
            "Grid data when regions were weighed",
            vec![
                Column::words("state"),
                Column::figures(&["regions weighed"]),
                Column::figures(&["share", "%"]),
            ],
        );
        grid.rows = all
            .iter()
            .map(|(name, of)| vec![Cell::text(*name), Cell::count(*of), share(*of as f64, sum as f64)])
            .collect();
        parts.push(Part::Grid(grid));
        parts.push(Part::text("Regions whose data are stale, missing or unusable are no candidates."));
    }
    if parts.is_empty() {
        parts.push(Part::text("No decision records are kept for this period."));
    }
    Section::new("Data quality", parts)
}

pub(super) fn decisions(report: &Report) -> Option<Section> {
    let decisions = &report.decisions;
    if decisions.records == 0 && decisions.unreadable == 0 {
        return None;
    }
    let covered = decisions.covered.map_or_else(String::new, |(from, to)| {
        format!(" Records are kept from {} to {}.", told(from), told(to))
    });
    let unreadable = if decisions.unreadable == 0 {
        String::new()
    } else {
        format!(" {} could not be read (damaged, or of a newer release).", count(decisions.unreadable))
    };
    let told = format!("{} records.{covered}{unreadable}", count(decisions.records));
    let mut grid = Grid::new(
        "",
        vec![
            Column::words("endpoint"),
            Column::words("outcome"),
            Column::words("reason"),
            Column::figures(&["decisions"]),
        ],
    );
    grid.rows = decisions
        .by_reason
        .iter()
        .map(|row| {
            let words = [&row.endpoint, &row.outcome, &row.reason].map(Cell::text);
            words.into_iter().chain([Cell::count(row.count)]).collect()
        })
        .collect();
    let once = if report.has_realised() {
        "savings count a pod once"
    } else {
        "savings count each admission, also one that was tried again"
    };
    let told = Part::text(format!("{told} One pod may be asked about several times; {once}."));
    let grid = (!grid.rows.is_empty()).then_some(Part::Grid(grid));
    Some(Section::new("Decisions", [Some(told), grid].into_iter().flatten().collect()))
}
