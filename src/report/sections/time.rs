//! Over time: what was emitted, avoided and saved, day by day or hour by hour; rows by month where the period is long.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::avoided_g;
use super::namespaces::against;
use crate::accounts::sums::Sums;
use crate::report::figures::{Quantity, Units};
use crate::report::known::Known as _;
use crate::report::model::{Report, Step};
use crate::report::period::told;
use crate::report::sheet::{Cell, Chart, ChartKind, Column, Grid, Part, Section};

/// Rows that are worth printing; longer periods go by month here, and by day in csv and json.
const MOST_ROWS: usize = 62;
/// Of `2026-11-01`, and of its month.
const DATE_LENGTH: usize = 10;
const MONTH_LENGTH: usize = 7;

pub(super) fn over_time(report: &Report, units: &Units) -> Section {
    let all = steps(report);
    let mut parts = charts(report, &all, units);
    let (name, points) = rows(report, all);
    if name == "month" {
        parts.push(Part::text("By month, since the period is long: csv and json have every day."));
    }
    let mut grid = Grid::new("Without the control group", columns(report, name, units));
    grid.rows = points.iter().map(|(label, sums)| row(report, label, sums)).collect();
    grid.total = Some(row(report, "all", &report.total));
    parts.push(Part::Grid(grid));
    Section::new("Over time", parts)
}

/// Every day or hour, with what it is called.
fn steps(report: &Report) -> Vec<(String, Sums)> {
    let name = |start: Timestamp| match report.step {
        Step::Hour => start.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string(),
        Step::Day => told(start).chars().take(DATE_LENGTH).collect(),
    };
    report.series.iter().map(|point| (name(point.start), point.sums)).collect()
}

/// What a row is, and the rows.
fn rows(report: &Report, steps: Vec<(String, Sums)>) -> (&'static str, Vec<(String, Sums)>) {
    if report.step == Step::Hour {
        return ("hour", steps);
    }
    if steps.len() <= MOST_ROWS {
        return ("day", steps);
    }
    let mut months: Vec<(String, Sums)> = Vec::new();
    for (day, sums) in steps {
        let month: String = day.chars().take(MONTH_LENGTH).collect();
        match months.last_mut().filter(|(last, _)| *last == month) {
            Some((_, sum)) => *sum += sums,
            None => months.push((month, sums)),
        }
    }
    ("month", months)
}

fn columns(report: &Report, name: &str, units: &Units) -> Vec<Column> {
    let mass = units.name(Quantity::Emissions);
    let mut columns = vec![Column::words(name), Column::figures(&["pods"])];
    if report.has_realised() {
        columns.extend([
            Column::figures(&["energy", "", units.name(Quantity::Energy)]),
            Column::figures(&["emitted", mass]),
            Column::figures(&["avoided", "baseline", mass]),
            Column::figures(&["avoided", "greenest", mass]),
            Column::figures(&["saved", "baseline", "USD"]),
        ]);
    } else {
        columns.extend([
            Column::figures(&["avoided", "baseline", mass]),
            Column::figures(&["avoided", "greenest", mass]),
            Column::figures(&["saved", "baseline", "USD"]),
        ]);
    }
    columns
}

fn row(report: &Report, label: &str, sums: &Sums) -> Vec<Cell> {
    let mut row = vec![Cell::text(label), Cell::count(sums.pods)];
    if report.has_realised() {
        row.extend([
            Cell::amount(Quantity::Energy, sums.actual.energy_kwh),
            Cell::maybe(Quantity::Emissions, sums.known_emissions()),
        ]);
    }
    row.extend([
        Cell::difference(Quantity::Emissions, avoided_g(report, sums, 0)),
        Cell::difference(Quantity::Emissions, avoided_g(report, sums, 2)),
        Cell::difference(Quantity::Money, saved(report, sums)),
    ]);
    row
}

fn saved(report: &Report, sums: &Sums) -> Option<f64> {
    if report.has_realised() {
        sums.known_cost_against(0).map(|compared| compared.saved_usd)
    } else {
        sums.projected_usd(0)
    }
}

fn charts(report: &Report, points: &[(String, Sums)], units: &Units) -> Vec<Part> {
    let mass = units.name(Quantity::Emissions);
    let scaled = |grams: Option<f64>| grams.map(|grams| units.scaled(Quantity::Emissions, grams));
    // Hours are told by their time alone: the days are in the table.
    let short = |label: &str| label.split_once(' ').map_or(label, |(_, time)| time).to_owned();
    let of = |figures: &dyn Fn(&Sums) -> Vec<Option<f64>>| -> Vec<(String, Vec<Option<f64>>)> {
        points.iter().map(|(label, sums)| (short(label), figures(sums))).collect()
    };
    let how = if report.has_realised() { "realised" } else { "projected" };
    let mut charts = vec![Part::Chart(Chart {
        title: format!("Avoided emissions, {how}, {mass}"),
        series: vec![against(report, 0), against(report, 2)],
        kind: ChartKind::OverTime,
        points: of(&|sums| [0, 2].map(|index| scaled(avoided_g(report, sums, index))).into()),
    })];
    if report.has_realised() {
        charts.push(Part::Chart(Chart {
            title: format!("Emissions, {mass}"),
            series: vec![
                "where the pods ran".to_owned(),
                format!("at the {}", super::counterfactual(0, &report.setting)),
            ],
            kind: ChartKind::OverTime,
            points: of(&|sums| {
                vec![
                    scaled(sums.known_emissions()),
                    scaled(sums.known_against(0).map(|compared| compared.emissions_g)),
                ]
            }),
        }));
    }
    charts
}
