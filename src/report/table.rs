//! A report for a terminal of 80 columns: plain text, no colour.

use super::aligned::{lines, lines_within, shortened, width, wrapped};
use super::figures::Units;
use super::model::Report;
use super::sections::{heading, sections};
use super::sheet::{Column, ColumnKind, Fact, Grid, Part, SetGrid};

/// What every line fits into.
pub const COLUMNS: usize = 80;
/// Below this, a name tells nothing any more.
const SHORTEST: usize = 8;
const INDENT: &str = "  ";

/// The whole report.
#[must_use]
pub fn table(report: &Report) -> String {
    let units = Units::of(report);
    let heading = heading(report);
    let mut all = vec![heading.title];
    all.extend([heading.period, heading.origin].iter().flat_map(|text| wrapped(text, COLUMNS)));
    for section in sections(report, &units) {
        all.push(String::new());
        all.push(section.title.to_uppercase());
        for (index, part) in section.parts.iter().enumerate() {
            let lines = match part {
                Part::Text(text) => wrapped(text, COLUMNS - INDENT.len()),
                Part::Facts(facts) => of_facts(facts),
                Part::Grid(grid) => of_grid(grid, &units),
                // What charts show is in the tables too.
                Part::Chart(_) => continue,
            };
            if index > 0 {
                all.push(String::new());
            }
            all.extend(lines.into_iter().map(|line| format!("{INDENT}{line}").trim_end().to_owned()));
        }
    }
    all.join("\n") + "\n"
}

fn of_facts(facts: &[Fact]) -> Vec<String> {
    let rows = |remarks: bool| -> Vec<Vec<String>> {
        let remark = |fact: &Fact| if remarks { fact.remark.clone() } else { String::new() };
        facts.iter().map(|fact| vec![fact.label.clone(), fact.value.clone(), remark(fact)]).collect()
    };
    let set = |rows: Vec<Vec<String>>| {
        let rows: Vec<&[String]> = rows.iter().map(Vec::as_slice).collect();
        lines(&[(&[], false), (&[], true), (&[], false)], &rows, "  ")
    };
    let beside = set(rows(true));
    if beside.iter().all(|line| width(line) <= COLUMNS - INDENT.len()) {
        return beside;
    }
    let below = facts.iter().map(|fact| format!("{INDENT}{}", fact.remark));
    set(rows(false)).into_iter().zip(below).flat_map(|(line, remark)| [line, remark]).collect()
}

fn of_grid(grid: &Grid, units: &Units) -> Vec<String> {
    let SetGrid { rows, total } = grid.set(units);
    let rows = within_room(grid, rows.into_iter().chain(total).collect());
    let headings: Vec<_> = grid
        .columns
        .iter()
        .map(|column| (column.heading.as_slice(), column.kind == ColumnKind::Figures))
        .collect();
    let rows: Vec<&[String]> = rows.iter().map(Vec::as_slice).collect();
    let title = (!grid.title.is_empty()).then(|| wrapped(&grid.title, COLUMNS - INDENT.len()));
    title.into_iter().flatten().chain(lines_within(&headings, &rows, COLUMNS - INDENT.len())).collect()
}

/// Names are shortened and prose is broken until figures have their room.
fn within_room(grid: &Grid, rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let widest = |(index, column): (usize, &Column)| {
        let cells = rows.iter().filter_map(|row| row.get(index));
        column.heading.iter().chain(cells).map(|cell| width(cell)).max().unwrap_or_default()
    };
    let mut widths: Vec<usize> = grid.columns.iter().enumerate().map(widest).collect();
    let room = (COLUMNS - INDENT.len()).saturating_sub(grid.columns.len().saturating_sub(1));
    grid.narrow(&mut widths, room, SHORTEST);
    rows.into_iter().flat_map(|row| broken(grid, row, &widths)).collect()
}

/// A row as so many rows as its prose needs.
fn broken(grid: &Grid, row: Vec<String>, widths: &[usize]) -> Vec<Vec<String>> {
    let cells: Vec<Vec<String>> = row
        .into_iter()
        .enumerate()
        .map(|(index, cell)| match grid.columns[index].kind {
            ColumnKind::Prose => wrapped(&cell, widths[index]),
            _ => vec![shortened(&cell, widths[index])],
        })
        .collect();
    let high = cells.iter().map(Vec::len).max().unwrap_or_default();
    let line = |line: usize| cells.iter().map(|cell| cell.get(line).cloned().unwrap_or_default()).collect();
    (0..high).map(line).collect()
}
