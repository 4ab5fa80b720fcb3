//! The CSV text: columns by their names, fields into types, and where exactly one is wrong.
//!
//! Reads text and nothing else: no file, no clock.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::TableError;
use crate::domain::snapshot::CapacityType;
use crate::domain::units::UsdPerHour;

const REGION: &str = "region";
const INSTANCE_TYPE: &str = "instance_type";
const CAPACITY_TYPE: &str = "capacity_type";
const PRICE: &str = "usd_per_hour";
const PRECISION: &str = "precision_usd_per_hour";
const INTERRUPTION: &str = "interruption";
const AS_OF: &str = "as_of";

const NEEDED: [&str; 4] = [REGION, INSTANCE_TYPE, CAPACITY_TYPE, PRICE];
const OPTIONAL: [&str; 3] = [PRECISION, INTERRUPTION, AS_OF];

/// A hundred times what the catalogue allows a single machine, so that whole racks fit: more is a price by the month or
/// in another unit.
const HIGHEST_PRICE: f64 = 10_000.0;
/// Region and instance type are values of node labels, to which Kubernetes gives 63 characters; a band needs fewer.
const LONGEST_TEXT: usize = 63;
/// How much is repeated of what should not be there.
const LONGEST_VALUE: usize = 60;

const A_NAME: &str = "a name of at most 63 characters";
const A_PRICE: &str = "a number above 0 and at most 10000, such as 0.192,";
const A_PRECISION: &str = "a number from 0 to the price, or nothing,";
const A_BAND: &str = "nothing but for spot, and there at most 63 characters such as `5-10 %`,";
const A_TIME: &str = "a date such as 2026-06-18 or a time such as 2026-06-18T12:00:00Z, or nothing,";

/// One row: what one machine costs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub line: u64,
    pub region: Arc<str>,
    pub instance_type: Arc<str>,
    pub capacity_type: CapacityType,
    pub per_hour: UsdPerHour,
    /// 0 where the file says none: a list price is what is charged.
    pub precision: UsdPerHour,
    pub interruption: Option<Arc<str>>,
    pub as_of: Option<Timestamp>,
}

/// Reads every row; at least one.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Row>, TableError> {
    let lines = Lines::of(bytes);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let columns = Columns::read(reader.headers().map_err(|error| not_csv(&error, &lines))?)?;
    let mut rows: Vec<Row> = Vec::new();
    let mut seen: HashMap<(Arc<str>, Arc<str>, CapacityType), u64> = HashMap::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| not_csv(&error, &lines))? {
        let line = lines.line_of(record.position());
        let row = Fields { line, record: &record, columns: &columns }.row()?;
        match seen.entry((row.region.clone(), row.instance_type.clone(), row.capacity_type)) {
            Entry::Occupied(first) => {
                let key = format!("{} {} {}", row.region, row.instance_type, row.capacity_type.as_str());
                return Err(TableError::Duplicate { line: row.line, first: *first.get(), key });
            }
            Entry::Vacant(free) => _ = free.insert(row.line),
        }
        rows.push(row);
    }
    if rows.is_empty() { Err(TableError::NoRows) } else { Ok(rows) }
}

/// Where each line begins. The reader's own count is of the line it was on when it went on to look for a record: an
/// empty line, or with Windows' line ends the one before.
struct Lines<'a> {
    bytes: &'a [u8],
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let ends_line = |at: usize| match bytes.get(at) {
            Some(b'\n') => true,
            Some(b'\r') => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        let starts = (0..bytes.len()).filter(|at| ends_line(*at)).map(|at| at + 1).collect();
        Self { bytes, starts }
    }

    /// The line, from 1, of the record that the reader found from there on.
    fn line_of(&self, position: Option<&csv::Position>) -> u64 {
        let from = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
        let rest = self.bytes.get(from..).unwrap_or_default();
        let skipped = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let lines_before = self.starts.partition_point(|start| *start <= from + skipped);
        lines_before as u64 + 1
    }
}

/// Where each column is.
struct Columns(HashMap<&'static str, usize>);

impl Columns {
    fn read(header: &StringRecord) -> Result<Self, TableError> {
        if header.iter().all(str::is_empty) {
            return Err(TableError::Empty { columns: NEEDED.join(",") });
        }
        let mut columns = HashMap::new();
        for (index, name) in header.iter().enumerate() {
            let Some(column) = NEEDED.into_iter().chain(OPTIONAL).find(|column| *column == name) else {
                let columns = [NEEDED.join(","), OPTIONAL.join(",")].join(",");
                return Err(TableError::UnknownColumn { column: shown(name), columns });
            };
            if columns.insert(column, index).is_some() {
                return Err(TableError::RepeatedColumn { column: column.to_owned() });
            }
        }
        match NEEDED.into_iter().find(|column| !columns.contains_key(column)) {
            Some(column) => Err(TableError::MissingColumn { column, columns: NEEDED.join(",") }),
            None => Ok(Self(columns)),
        }
    }
}

/// One row while it is read.
struct Fields<'a> {
    line: u64,
    record: &'a StringRecord,
    columns: &'a Columns,
}

impl Fields<'_> {
    /// The field; empty when there is no such column.
    fn field(&self, column: &'static str) -> &str {
        self.columns.0.get(column).and_then(|index| self.record.get(*index)).unwrap_or_default()
    }

    /// The field as `read` reads it.
    fn parsed<T>(
        &self,
        column: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, TableError> {
        let field = self.field(column);
        let line = self.line;
        read(field).ok_or_else(|| TableError::Field { line, column, value: shown(field), expected })
    }

    /// The field as `read` reads it, `None` when it is empty.
    fn optional<T>(
        &self,
        column: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, TableError> {
        if self.field(column).is_empty() { Ok(None) } else { self.parsed(column, expected, read).map(Some) }
    }

    fn row(&self) -> Result<Row, TableError> {
        let capacity_type = self.parsed(CAPACITY_TYPE, "`on-demand` or `spot`", capacity_type)?;
        let price = self.parsed(PRICE, A_PRICE, |text| {
            number(text).filter(|price| *price > 0.0 && *price <= HIGHEST_PRICE)
        })?;
        let precision = self.optional(PRECISION, A_PRECISION, |text| {
            number(text).filter(|own| (0.0..=price).contains(own))
        })?;
        let band = |text: &str| name(text).filter(|_| capacity_type == CapacityType::Spot);
        Ok(Row {
            line: self.line,
            region: self.parsed(REGION, A_NAME, name)?,
            instance_type: self.parsed(INSTANCE_TYPE, A_NAME, name)?,
            capacity_type,
            per_hour: UsdPerHour(price),
            precision: precision.map_or(UsdPerHour::ZERO, UsdPerHour),
            interruption: self.optional(INTERRUPTION, A_BAND, band)?,
            as_of: self.optional(AS_OF, A_TIME, time)?,
        })
    }
}

fn capacity_type(text: &str) -> Option<CapacityType> {
    [CapacityType::OnDemand, CapacityType::Spot].into_iter().find(|known| known.as_str() == text)
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn name(text: &str) -> Option<Arc<str>> {
    let fits = !text.is_empty() && text.chars().count() <= LONGEST_TEXT && !text.contains(char::is_control);
    fits.then(|| text.into())
}

/// A day is its first moment, UTC.
fn time(text: &str) -> Option<Timestamp> {
    const DAY: usize = "2026-06-18".len();
    if text.len() == DAY {
        return Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    text.parse().ok()
}

/// What stands in the file, fit for one line.
fn shown(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = plain.take(LONGEST_VALUE).collect();
    if text.chars().count() > LONGEST_VALUE {
        shown.push_str("...");
    }
    shown
}

/// The reader's own errors: it reads from memory, so that there are two.
fn not_csv(error: &csv::Error, lines: &Lines<'_>) -> TableError {
    let line = lines.line_of(error.position());
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            TableError::Width { line, found: *len, expected: *expected_len }
        }
        _ => TableError::NoText { line },
    }
}

#[cfg(test)]
mod tests;
