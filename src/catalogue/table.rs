//! Reads one table: checks its columns, turns fields into types, and says exactly where one is wrong.
//!
//! Knows CSV and nothing of what the tables mean.

use std::ops::RangeInclusive;
use std::str::FromStr;

use csv::{ReaderBuilder, StringRecord};

use crate::domain::region::CloudProvider;

/// A built-in table that cannot be used, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// A field that is empty, malformed, out of range, or names what another table does not have.
    #[error("{file} line {line}: `{field}` is `{value}`: put {expected} there")]
    Field {
        /// The table.
        file: &'static str,
        /// The line in the file, comments included, from 1.
        line: u64,
        /// The column.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        expected: String,
    },
    /// Other columns than the program was written for.
    #[error("{file}: the columns are `{found}`: they must be `{expected}`")]
    Columns {
        /// The table.
        file: &'static str,
        /// The header found.
        found: String,
        /// The header needed.
        expected: String,
    },
    /// Two rows that claim the same key.
    #[error("{file} line {line}: `{key}` has a row already: remove one of the two")]
    Duplicate {
        /// The table.
        file: &'static str,
        /// The line of the later row.
        line: u64,
        /// The key, its parts divided by spaces.
        key: String,
    },
    /// A row that has to be there and is not.
    #[error("{file}: there is no row for {what}: add it")]
    Absent {
        /// The table.
        file: &'static str,
        /// What the row would be about.
        what: String,
    },
    /// Not CSV: a row too short or too long, a quote left open.
    #[error("{file}: the text is not the CSV it should be: restore it from version control")]
    Csv {
        /// The table.
        file: &'static str,
        /// What the CSV reader says.
        #[source]
        source: csv::Error,
    },
}

/// A table's file and its columns, in order.
pub(super) struct Table {
    pub(super) file: &'static str,
    pub(super) columns: &'static [&'static str],
}

impl Table {
    /// Hands each row to `each`, in the order of the file.
    pub(super) fn rows(
        &self,
        text: &str,
        mut each: impl FnMut(&Row<'_>) -> Result<(), CatalogueError>,
    ) -> Result<(), CatalogueError> {
        let failed = |source| CatalogueError::Csv { file: self.file, source };
        let mut reader = ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        let header = reader.headers().map_err(failed)?;
        if !header.iter().eq(self.columns.iter().copied()) {
            return Err(CatalogueError::Columns {
                file: self.file,
                found: header.iter().collect::<Vec<_>>().join(","),
                expected: self.columns.join(","),
            });
        }
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(failed)? {
            each(&Row { table: self, record: &record })?;
        }
        Ok(())
    }

    /// Reads every row into a `T` and keeps them in the order of their keys.
    pub(super) fn read<T: Keyed>(
        &self,
        text: &str,
        mut parse: impl FnMut(&Row<'_>) -> Result<T, CatalogueError>,
    ) -> Result<Sorted<T>, CatalogueError> {
        let mut rows = Vec::new();
        self.rows(text, |row| {
            rows.push((row.line(), parse(row)?));
            Ok(())
        })?;
        rows.sort_by(|(_, one), (_, other)| one.key().cmp(&other.key()));
        for pair in rows.windows(2) {
            if let [(first, one), (second, other)] = pair
                && one.key() == other.key()
            {
                let key = one.key().join(" ").trim_end().to_owned();
                return Err(CatalogueError::Duplicate { file: self.file, line: *first.max(second), key });
            }
        }
        Ok(Sorted(rows.into_iter().map(|(_, row)| row).collect()))
    }

    /// The error for a row that has to be there.
    pub(super) fn absent(&self, what: impl Into<String>) -> CatalogueError {
        CatalogueError::Absent { file: self.file, what: what.into() }
    }
}

/// One row of a table while it is read.
pub(super) struct Row<'a> {
    table: &'a Table,
    record: &'a StringRecord,
}

impl Row<'_> {
    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// The field, `None` when it is empty.
    pub(super) fn optional(&self, column: &'static str) -> Option<&str> {
        let index = self.table.columns.iter().position(|name| *name == column)?;
        self.record.get(index).filter(|field| !field.is_empty())
    }

    /// The field, which must not be empty.
    pub(super) fn text(&self, column: &'static str) -> Result<&str, CatalogueError> {
        self.optional(column).ok_or_else(|| self.invalid(column, "a value"))
    }

    /// The field as a `T`; `expected` says in words what that is.
    pub(super) fn parsed<T: FromStr>(
        &self,
        column: &'static str,
        expected: &str,
    ) -> Result<T, CatalogueError> {
        self.text(column)?.parse().map_err(|_| self.invalid(column, expected))
    }

    /// The field as a number within `range`.
    pub(super) fn number(
        &self,
        column: &'static str,
        range: RangeInclusive<f64>,
    ) -> Result<f64, CatalogueError> {
        let number = self.optional(column).and_then(|field| field.parse().ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            self.invalid(column, format!("a number from {} to {}", range.start(), range.end()))
        })
    }

    /// The field as a cloud provider's name.
    pub(super) fn provider(&self, column: &'static str) -> Result<CloudProvider, CatalogueError> {
        self.parsed(column, "`aws`, `gcp`, `azure` or `on-prem`")
    }

    /// The error for this row's field.
    pub(super) fn invalid(&self, column: &'static str, expected: impl Into<String>) -> CatalogueError {
        CatalogueError::Field {
            file: self.table.file,
            line: self.line(),
            field: column,
            value: self.optional(column).unwrap_or_default().to_owned(),
            expected: expected.into(),
        }
    }

    /// The error for a row whose key another row has.
    pub(super) fn duplicate(&self, key: impl Into<String>) -> CatalogueError {
        CatalogueError::Duplicate { file: self.table.file, line: self.line(), key: key.into() }
    }
}

/// A row that is found by up to three texts; those it does not need are empty.
pub(super) trait Keyed {
    fn key(&self) -> [&str; 3];
}

/// Rows in the order of their keys, each key once.
#[derive(Clone, Debug)]
pub(super) struct Sorted<T>(Vec<T>);

impl<T: Keyed> Sorted<T> {
    pub(super) fn find(&self, key: [&str; 3]) -> Option<&T> {
        self.0.binary_search_by(|row| row.key().cmp(&key)).ok().and_then(|index| self.0.get(index))
    }

    /// The rows whose key begins with `first`.
    pub(super) fn starting_with(&self, first: &str) -> &[T] {
        let start = self.0.partition_point(|row| row.key()[0] < first);
        let end = self.0.partition_point(|row| row.key()[0] <= first);
        self.0.get(start..end).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}
