//! Prices from a CSV file of the operator's, read again each time it is asked: a ConfigMap may have put another in its
//! place.
//!
//! ```csv
//! region,instance_type,capacity_type,usd_per_hour,precision_usd_per_hour,interruption,as_of
//! eu-north-1,m5.xlarge,on-demand,0.204,,,
//! eu-north-1,m5.xlarge,spot,0.0612,0.001,>20 %,2026-06-18T08:00:00Z
//! ```
//!
//! The first four columns are needed, in any order; the others may be absent or empty. Regions of other clusters may
//! stand there too, as long as one is ours.
//!
//! A row that says `as_of` grows old like a feed's price, and stops to count after `prices.maxAge`; one that does not is
//! the operator's word until the file says otherwise. A file that turns bad later is a failure, and the last prices
//! stand until they are too old.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use self::table::Row;
use super::{PriceSource, PricesByRegion};
use crate::domain::snapshot::{Failure, Price, PriceProvider};
use crate::domain::{RegionName, Regions};
use crate::providers::FetchError;
use crate::providers::grid::{Asked, Reach};

mod error;
mod table;

pub use error::{PriceFileError, TableError};

/// A ConfigMap holds at most 1 MiB; a file that is mounted otherwise may be larger, but prices of every type in every
/// region of a cloud are under 4 MiB.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A date is a day in some time zone, which may be ahead of ours; what is later than that is a slip of the pen, and
/// would never grow old.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// How many of the file's regions are named when none of them is configured.
const NAMED: usize = 3;

/// Reads the file.
#[derive(Clone, Debug)]
pub struct FilePrices {
    path: Arc<Path>,
}

impl FilePrices {
    /// Of the file at `path`, which is read once now, so that a mistake in it is seen at the start.
    ///
    /// # Errors
    /// The file cannot be read, is too long, or is not the table it should be.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, PriceFileError> {
        let path: Arc<Path> = path.into().into();
        read(&path)?;
        Ok(Self { path })
    }

    async fn ask(&self, regions: &Regions, now: Timestamp) -> Result<PricesByRegion, FetchError> {
        let path = self.path.clone();
        // The file may lie on a disk that is far away.
        let rows = tokio::task::spawn_blocking(move || read(&path)).await;
        let rows = rows.map_err(|error| unreadable(&error.to_string()))?;
        let rows = rows.map_err(|error| unreadable(&error.to_string()))?;
        match by_region(&rows, regions, now) {
            Ok(prices) => prices.ok_or_else(|| self.unmatched(&rows)),
            Err(table) => {
                let path = self.path.to_path_buf();
                Err(unreadable(&PriceFileError::Table { path, table }.to_string()))
            }
        }
    }

    /// The prices that the text of a file comes to; `None` when none of its regions is among `regions`.
    ///
    /// # Errors
    /// It is not the table it should be.
    pub fn read_text(
        text: &[u8],
        regions: &Regions,
        now: Timestamp,
    ) -> Result<Option<PricesByRegion>, TableError> {
        by_region(&table::read(text)?, regions, now)
    }

    fn unmatched(&self, rows: &[Row]) -> FetchError {
        let names: BTreeSet<&str> = rows.iter().map(|row| &*row.region).collect();
        let some: Vec<&str> = names.iter().take(NAMED).copied().collect();
        let more = if names.len() > NAMED { ", ..." } else { "" };
        let detail = format!(
            "`{}`: none of its regions ({}{more}) is configured: name them in `region` as under `regions`",
            self.path.display(),
            some.join(", ")
        );
        FetchError::new(Failure::NoData, detail)
    }
}

impl PriceSource for FilePrices {
    fn provider(&self) -> PriceProvider {
        PriceProvider::File
    }

    fn reach(&self) -> Reach {
        Reach::Memory
    }

    fn ask<'a>(&'a self, regions: &'a Regions, now: Timestamp) -> Asked<'a, PricesByRegion> {
        Box::pin(self.ask(regions, now))
    }
}

impl Row {
    fn is_ahead(&self, now: Timestamp) -> bool {
        self.as_of.is_some_and(|at| at.duration_since(now) > AHEAD)
    }

    fn ahead(&self) -> TableError {
        TableError::Field {
            line: self.line,
            column: "as_of",
            value: self.as_of.map(|at| at.to_string()).unwrap_or_default(),
            expected: "a time that has passed",
        }
    }

    fn price(&self, now: Timestamp) -> Price {
        Price {
            instance_type: self.instance_type.clone(),
            capacity_type: self.capacity_type,
            per_hour: self.per_hour,
            precision: self.precision,
            provider: PriceProvider::File,
            reported_at: self.as_of.map(|at| at.min(now)),
            interruption: self.interruption.clone(),
        }
    }
}

/// The rows of the configured regions; other regions are other clusters'. `None` when there is not one such row.
fn by_region(rows: &[Row], regions: &Regions, now: Timestamp) -> Result<Option<PricesByRegion>, TableError> {
    if let Some(row) = rows.iter().find(|row| row.is_ahead(now)) {
        return Err(row.ahead());
    }
    let mut prices: PricesByRegion =
        regions.iter().map(|(_, region)| (region.name.clone(), Vec::new())).collect();
    let mut matched = false;
    for row in rows {
        if let Some(list) = prices.get_mut(&RegionName::from(&*row.region)) {
            matched = true;
            list.push(row.price(now));
        }
    }
    Ok(matched.then_some(prices))
}

fn read(path: &Path) -> Result<Vec<Row>, PriceFileError> {
    let bytes = bytes(path).map_err(|source| PriceFileError::Unreadable { path: path.to_owned(), source })?;
    if bytes.len() > MOST_BYTES {
        return Err(PriceFileError::TooLong { path: path.to_owned(), most_bytes: MOST_BYTES });
    }
    table::read(&bytes).map_err(|table| PriceFileError::Table { path: path.to_owned(), table })
}

/// What the file holds, up to one byte more than it may.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: opening a pipe would wait for somebody to write into it.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(why: &str) -> FetchError {
    FetchError::new(Failure::Unreadable, why)
}
