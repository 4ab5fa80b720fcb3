//! A trace in a file as a provider: what the grid said at this time of another year, at the pace of the clock or
//! faster.
//!
//! The file is read once, at start. What is replayed follows from the time of day alone, so that any number of
//! processes with one file agree; and nothing after the replayed moment is ever looked at, neither as a value nor as
//! a forecast.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::{Answer, Asked, GridSource, Question, Reach};
use crate::domain::Region;
use crate::domain::snapshot::{Failure, GridProvider, Outlook, Reading, Signal};
use crate::domain::units::GramsPerKwh;
use crate::providers::FetchError;

mod calendar;
mod fault;
mod parse;
mod trace;

pub use fault::TraceFault;

use calendar::Speed;
use trace::Trace;

/// Thirty times a year of 32 zones in the wide form, which is 2 MB; a larger file is more than a trace.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// A trace that cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be opened or read.
    #[error("cannot read the trace {}: make it a file this process may read", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is something at this path, and it is no file.
    #[error("the trace {} is no file: name a CSV file", file.display())]
    NoFile {
        /// The path.
        file: PathBuf,
    },
    /// The file is larger than any trace.
    #[error("the trace {} has more than {} MiB: keep the zones and years needed", file.display(), MOST_BYTES >> 20)]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// The text of the file is no trace.
    #[error("the trace {}: {fault}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, where, and what to put there.
        fault: TraceFault,
    },
    /// The speed is none.
    #[error(
        "a trace cannot be replayed at speed {speed}: give hours of the trace per hour of the clock, above 0"
    )]
    Speed {
        /// The speed.
        speed: f64,
    },
}

/// Replays a trace. A region whose zone is not in it is missing.
#[derive(Debug)]
pub struct ReplayGrid {
    trace: Trace,
    speed: Speed,
}

impl ReplayGrid {
    /// Reads `file`, to be replayed at `speed` hours of the trace per hour of the clock.
    ///
    /// # Errors
    /// The file cannot be read, is too large, or is no trace; or the speed is not above 0.
    pub fn load(file: &Path, speed: f64) -> Result<Self, TraceError> {
        let checked = Speed::new(speed).ok_or(TraceError::Speed { speed })?;
        let replay = Self::read_text(&read(file)?)
            .map_err(|fault| TraceError::Content { file: file.to_owned(), fault })?;
        Ok(Self { speed: checked, ..replay })
    }

    /// Reads the text of a trace, to be replayed at the pace of the clock.
    ///
    /// # Errors
    /// It is no trace.
    pub fn read_text(text: &[u8]) -> Result<Self, TraceFault> {
        Ok(Self { trace: parse::parse(text)?, speed: Speed::OF_THE_CLOCK })
    }

    fn reading(&self, region: &Region, now: Timestamp) -> Result<Reading, FetchError> {
        let no_data = |detail: String| FetchError::new(Failure::NoData, detail);
        let zone = region.zone.as_ref().ok_or_else(|| no_data("the region has no grid zone".to_owned()))?;
        if !self.trace.has(zone) {
            return Err(no_data(format!("the trace has no value of zone {zone}")));
        }
        let nothing_yet =
            || no_data(format!("the trace has no value of zone {zone} at or before this time of year"));
        let moment = self.trace.moment(&calendar::replayed(now, self.speed)).ok_or_else(nothing_yet)?;
        let said = self.trace.at(zone, moment).ok_or_else(nothing_yet)?;
        let ends_at = self.seen_from(now, said.ends_at.duration_since(moment));
        Ok(Reading {
            intensity: GramsPerKwh(said.row.grams_per_kwh),
            starts_at: earlier(ends_at, self.speed.on_the_clock(said.ends_at.duration_since(said.starts_at))),
            ends_at,
            provider: GridProvider::Replay,
            signal: Signal::Average,
            basis: GridProvider::Replay.basis(),
            estimated: said.row.estimated,
            estimation_method: said.row.method.clone(),
            reported_at: now,
            unchanged_since: earlier(ends_at, said.ends_at.duration_since(said.unchanged_since)),
            replayed_at: Some(moment),
            outlook: Outlook::Climatology,
        })
    }

    /// The end of an interval that ends `ahead` of the replayed moment. What lies behind is as old as it is in the
    /// trace; what lies ahead comes as soon as the replay gets there.
    fn seen_from(&self, now: Timestamp, ahead: SignedDuration) -> Timestamp {
        let ahead = if ahead.is_positive() { self.speed.on_the_clock(ahead) } else { ahead };
        now.checked_add(ahead).unwrap_or(now)
    }
}

fn earlier(than: Timestamp, by: SignedDuration) -> Timestamp {
    than.checked_sub(by).unwrap_or(than)
}

fn read(file: &Path) -> Result<Vec<u8>, TraceError> {
    let failed = |source| TraceError::Read { file: file.to_owned(), source };
    // Asked of the path, since opening a pipe waits for its other end.
    if !std::fs::metadata(file).map_err(failed)?.is_file() {
        return Err(TraceError::NoFile { file: file.to_owned() });
    }
    let mut text = Vec::new();
    let bytes =
        File::open(file).map_err(failed)?.take(MOST_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
    if bytes as u64 > MOST_BYTES {
        return Err(TraceError::TooLarge { file: file.to_owned() });
    }
    Ok(text)
}

impl GridSource for ReplayGrid {
    fn provider(&self) -> GridProvider {
        GridProvider::Replay
    }

    fn reach(&self) -> Reach {
        Reach::Memory
    }

    fn ask<'a>(&'a self, region: &'a Region, _: Question, now: Timestamp) -> Asked<'a, Answer> {
        let answer = self.reading(region, now).map(Answer::from);
        Box::pin(async { answer })
    }
}

#[cfg(test)]
mod tests;
