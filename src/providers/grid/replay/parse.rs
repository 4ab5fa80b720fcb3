//! From the text of a CSV file to a trace, in the two forms in which traces are passed on; and exactly what is wrong
//! with one, where, and what to put there.
//!
//! A cell without a number is a gap, which is no value at all. A value that cannot be is refused here, with its line,
//! rather than at the hour when it is replayed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::fault::{MOST_VALUES, TraceFault};
use super::trace::{Hour, Row, Trace};
use crate::domain::plausibility::judge_alone;
use crate::domain::region::GridZone;
use crate::domain::snapshot::GridProvider;

mod columns;
mod lines;

use columns::{Columns, is_zone};
use lines::Lines;

/// What some editors begin a text with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What stands for a value that is not known, in any case.
const GAPS: [&str; 6] = ["", "na", "n/a", "nan", "null", "none"];

/// Enough of a wrong cell to find it by.
const SHOWN_OF_CELL: usize = 60;

/// Reads a trace.
pub(super) fn parse(text: &[u8]) -> Result<Trace, TraceFault> {
    // Rows of other lengths are told apart here: a line of spaces or commas is an empty line.
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut lines = Lines::new(text);
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(text);
    let header = reader.headers().map_err(|error| no_csv(&error, &mut lines))?.clone();
    let columns = Columns::of(&header)?;
    let mut collected = Collected::default();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| no_csv(&error, &mut lines))? {
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = Line { number: lines.of(record.position()), header: &header, record: &record };
        if record.len() != header.len() {
            return Err(TraceFault::Fields {
                line: line.number,
                found: record.len(),
                expected: header.len(),
            });
        }
        match &columns {
            Columns::Wide => line.wide(&mut collected)?,
            Columns::Portal(portal) => line.portal(portal, &mut collected)?,
        }
    }
    collected.into_trace()
}

fn no_csv(error: &csv::Error, lines: &mut Lines<'_>) -> TraceFault {
    let found = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    TraceFault::NoCsv { line: lines.of(error.position()), found }
}

/// One row of the file.
struct Line<'a> {
    number: u64,
    header: &'a StringRecord,
    record: &'a StringRecord,
}

impl Line<'_> {
    fn wide(&self, collected: &mut Collected) -> Result<(), TraceFault> {
        let hour = self.hour(0)?;
        for (column, zone) in self.header.iter().enumerate().skip(1) {
            if let Some(grams_per_kwh) = self.grams_per_kwh(column)? {
                collected.add(
                    zone,
                    self.number,
                    Row { hour, grams_per_kwh, estimated: false, method: None },
                )?;
            }
        }
        Ok(())
    }

    fn portal(&self, at: &columns::Portal, collected: &mut Collected) -> Result<(), TraceFault> {
        let hour = self.hour(at.time)?;
        let zone = self.cell(at.zone);
        if !is_zone(zone) {
            return Err(self.fault(at.zone, "the key of a grid zone, such as DE or SE-SE3"));
        }
        let Some(grams_per_kwh) = self.grams_per_kwh(at.lifecycle)? else {
            return Ok(());
        };
        let estimated = match self.cell(at.estimated).to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => return Err(self.fault(at.estimated, "true or false")),
        };
        let method = at.method.map(|method| self.cell(method)).filter(|method| !method.is_empty());
        let method = method.map(|method| collected.method(method));
        collected.add(zone, self.number, Row { hour, grams_per_kwh, estimated, method })
    }

    fn cell(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    /// The hour that starts at the time in a column. A time that does not name its offset is UTC, as all traces are.
    fn hour(&self, column: usize) -> Result<Hour, TraceFault> {
        let text = self.cell(column);
        let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time);
        text.parse::<Timestamp>()
            .or_else(|_| text.parse::<DateTime>().and_then(utc))
            .ok()
            .and_then(Hour::starting_at)
            .ok_or_else(|| self.fault(column, "the start of an hour in UTC, such as 2022-01-01T00:00:00Z"))
    }

    /// A value, or `None` for a gap.
    fn grams_per_kwh(&self, column: usize) -> Result<Option<f64>, TraceFault> {
        let text = self.cell(column);
        if GAPS.iter().any(|gap| text.eq_ignore_ascii_case(gap)) {
            return Ok(None);
        }
        text.parse()
            .ok()
            .filter(|value| judge_alone(*value, GridProvider::Replay).is_ok())
            .map(Some)
            .ok_or_else(|| {
                self.fault(
                    column,
                    "an intensity above 0 and up to 2000 g/kWh: leave the cell empty where it is not known",
                )
            })
    }

    fn fault(&self, column: usize, expected: &'static str) -> TraceFault {
        TraceFault::Cell {
            line: self.number,
            column: shown(self.header.get(column).unwrap_or_default(), SHOWN_OF_CELL),
            value: shown(self.cell(column), SHOWN_OF_CELL),
            expected,
        }
    }
}

/// The beginning of a text.
fn shown(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Rows as they come, with their lines.
#[derive(Default)]
struct Collected {
    zones: HashMap<String, Vec<(u64, Row)>>,
    methods: HashMap<String, Arc<str>>,
    values: usize,
}

impl Collected {
    fn add(&mut self, zone: &str, line: u64, row: Row) -> Result<(), TraceFault> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(TraceFault::TooMany);
        }
        match self.zones.get_mut(zone) {
            Some(rows) => rows.push((line, row)),
            None => {
                self.zones.insert(zone.to_owned(), vec![(line, row)]);
            }
        }
        Ok(())
    }

    /// The one copy of a method's name, which stands in thousands of rows.
    fn method(&mut self, name: &str) -> Arc<str> {
        match self.methods.entry(name.to_owned()) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(free) => free.insert(name.into()).clone(),
        }
    }

    fn into_trace(self) -> Result<Trace, TraceFault> {
        if self.values == 0 {
            return Err(TraceFault::Nothing);
        }
        let mut zones = HashMap::with_capacity(self.zones.len());
        for (zone, mut rows) in self.zones {
            let zone = GridZone::from(zone.as_str());
            rows.sort_by_key(|(line, row)| (row.hour, *line));
            zones.insert(zone.clone(), each_hour_once(&zone, rows)?);
        }
        let mut rows = zones.values().flatten();
        if zones.values().any(|rows| rows.len() > 1) && rows.all(|row| row.hour.starts_a_day()) {
            return Err(TraceFault::NotHourly);
        }
        Ok(Trace::new(zones))
    }
}

/// One row an hour, out of rows in order. Of two that say the same value it is an estimate if one says so.
fn each_hour_once(zone: &GridZone, rows: Vec<(u64, Row)>) -> Result<Vec<Row>, TraceFault> {
    let mut kept: Vec<Row> = Vec::with_capacity(rows.len());
    let mut last_line = 0;
    for (line, row) in rows {
        match kept.last_mut().filter(|last| last.hour == row.hour) {
            Some(last) if !last.says_as(&row) => {
                return Err(TraceFault::Conflict {
                    zone: zone.clone(),
                    hour: row.hour.starts_at(),
                    first: last_line,
                    second: line,
                    one: last.grams_per_kwh.to_string(),
                    other: row.grams_per_kwh.to_string(),
                });
            }
            Some(last) if row.estimated && !last.estimated => *last = row,
            Some(_) => {}
            None => kept.push(row),
        }
        last_line = line;
    }
    Ok(kept)
}
