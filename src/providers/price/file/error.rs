//! What is wrong with a file of prices, and where.

use std::io;
use std::path::PathBuf;

/// A file of prices cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PriceFileError {
    /// It is not there, or not to be read.
    #[error("`{}` cannot be read: {source}: put the prices there, or correct `prices.file`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It is longer than any list of prices.
    #[error("`{}` is longer than {most_bytes} bytes: leave out the regions that are not configured", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// What it may have.
        most_bytes: usize,
    },
    /// It does not hold the table it should.
    #[error("`{}` {table}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        table: TableError,
    },
}

/// A text is not the table it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Nothing in it.
    #[error("is empty: begin it with the line `{columns}`")]
    Empty {
        /// The columns it must have.
        columns: String,
    },
    /// A header and nothing below it.
    #[error("has no prices: add a row below the header")]
    NoRows,
    /// A column that must be there is not.
    #[error("line 1: the header has no column `{column}`: it must name `{columns}`")]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// The columns it must have.
        columns: String,
    },
    /// A column nobody reads: a misspelt one would otherwise be lost in silence.
    #[error(
        "line 1: the header names `{column}`, which is no column: correct or remove it; there are `{columns}`"
    )]
    UnknownColumn {
        /// What stands there.
        column: String,
        /// The columns it may have.
        columns: String,
    },
    /// A column that is there twice.
    #[error("line 1: the header names `{column}` twice: remove one of the two")]
    RepeatedColumn {
        /// The column.
        column: String,
    },
    /// A row that is too short or too long.
    #[error(
        "line {line}: there are {found} fields under a header of {expected}: fill in what is missing, or put a \
         field with a comma in quotes"
    )]
    Width {
        /// The line, from 1.
        line: u64,
        /// Its fields.
        found: u64,
        /// The header's.
        expected: u64,
    },
    /// Something else than text.
    #[error("line {line}: there are bytes that are no UTF-8: save the file as UTF-8")]
    NoText {
        /// The line, from 1.
        line: u64,
    },
    /// A field that is empty, malformed or out of range.
    #[error("line {line}: `{column}` is `{value}`: put {expected} there")]
    Field {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// Two rows for the same machine.
    #[error("line {line}: {key} has a price on line {first} already: remove one of the two")]
    Duplicate {
        /// The line of the later one.
        line: u64,
        /// The line of the earlier one.
        first: u64,
        /// The machine.
        key: String,
    },
}
