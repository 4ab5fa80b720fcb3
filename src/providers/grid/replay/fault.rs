//! What can be wrong with the text of a trace, in words that say where it is and what to put there.

use jiff::Timestamp;

use crate::domain::region::GridZone;

/// Seven years of 32 zones by the hour, in 80 MB of memory.
pub(super) const MOST_VALUES: usize = 2_000_000;

/// A text that is no trace.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TraceFault {
    /// Neither form has these columns.
    #[error(
        "the columns are `{found}`: they must be a time (`datetime_utc`) and then one column a zone (`DE`, `SE-SE3`), or \
         those of a download from Electricity Maps with `Datetime (UTC)`, `Zone Id`, `Carbon Intensity gCO₂eq/kWh (LCA)` \
         and `Data Estimated`"
    )]
    Columns {
        /// The header found.
        found: String,
    },
    /// Two columns of one name.
    #[error("the header has two columns `{column}`: remove one")]
    TwoColumns {
        /// The name.
        column: String,
    },
    /// A row that is too short or too long.
    #[error("line {line} has {found} fields: it must have {expected}, as the header")]
    Fields {
        /// The line, from 1.
        line: u64,
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A cell that is malformed, or holds what cannot be.
    #[error("line {line}, column `{column}`: `{value}` is not {expected}")]
    Cell {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// One hour of a zone with two values.
    #[error(
        "lines {first} and {second} give zone {zone} different values for {hour}: {one} and {other}; remove one of them"
    )]
    Conflict {
        /// The zone.
        zone: GridZone,
        /// The hour.
        hour: Timestamp,
        /// The line of the one.
        first: u64,
        /// The line of the other.
        second: u64,
        /// What the one says.
        one: String,
        /// What the other says.
        other: String,
    },
    /// Every row starts at midnight: the trace is of days, or months.
    #[error("all its rows are at midnight: give a trace by the hour")]
    NotHourly,
    /// There is no value in it.
    #[error("there is no value in it: give a trace with rows")]
    Nothing,
    /// More values than there is room for.
    #[error("it has more than {MOST_VALUES} values: keep the zones and years needed")]
    TooMany,
    /// Not text, or not CSV.
    #[error("line {line}: {found}: save the file as CSV, divided by commas, in UTF-8")]
    NoCsv {
        /// The line, from 1.
        line: u64,
        /// What the reader says.
        found: String,
    },
}
