//! A trace in memory: hours of zones, and what it said at or before a moment. Never looks at what comes after it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::calendar;
use crate::domain::region::GridZone;

const SECONDS_PER_HOUR: i64 = 3600;

/// How many hours a row of one value is followed back: more than it takes to find it stuck.
const FARTHEST_BACK: usize = 96;

/// A whole hour, counted from the start of 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Hour(i64);

impl Hour {
    /// The hour that a moment falls into.
    pub(super) fn of(moment: Timestamp) -> Self {
        Self(moment.as_second().div_euclid(SECONDS_PER_HOUR))
    }

    /// The hour that starts at a moment; `None` when none does.
    pub(super) fn starting_at(moment: Timestamp) -> Option<Self> {
        let hour = Self::of(moment);
        (hour.starts_at() == moment).then_some(hour)
    }

    /// Its first moment.
    pub(super) fn starts_at(self) -> Timestamp {
        Timestamp::from_second(self.0.saturating_mul(SECONDS_PER_HOUR)).unwrap_or(Timestamp::MAX)
    }

    /// Whether it is the first hour of a day (UTC).
    pub(super) fn starts_a_day(self) -> bool {
        self.0.rem_euclid(24) == 0
    }

    /// The hour after it.
    pub(super) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What the trace says of one hour of a zone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) hour: Hour,
    pub(super) grams_per_kwh: f64,
    pub(super) estimated: bool,
    pub(super) method: Option<Arc<str>>,
}

impl Row {
    /// Whether another row says the same value.
    pub(super) fn says_as(&self, other: &Self) -> bool {
        self.grams_per_kwh.total_cmp(&other.grams_per_kwh).is_eq()
    }
}

/// What the trace says of a zone at a moment.
#[derive(Debug, PartialEq)]
pub(super) struct Said<'a> {
    /// The last row at or before the moment.
    pub(super) row: &'a Row,
    /// Start of its hour.
    pub(super) starts_at: Timestamp,
    /// End of its hour.
    pub(super) ends_at: Timestamp,
    /// Start of the first hour of the unbroken row of hours with this value.
    pub(super) unchanged_since: Timestamp,
}

/// The first and last hour of which a trace says anything in one year.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Extent {
    first: Hour,
    last: Hour,
}

/// Hours of zones, each zone's in order and each hour once.
#[derive(PartialEq)]
pub(super) struct Trace {
    zones: HashMap<GridZone, Vec<Row>>,
    years: BTreeMap<i16, Extent>,
}

impl Trace {
    /// From each zone's rows, in order of their hours.
    pub(super) fn new(zones: HashMap<GridZone, Vec<Row>>) -> Self {
        let mut years = BTreeMap::<i16, Extent>::new();
        for row in zones.values().flatten() {
            years
                .entry(calendar::year_of(row.hour.starts_at()))
                .and_modify(|extent| {
                    extent.first = extent.first.min(row.hour);
                    extent.last = extent.last.max(row.hour);
                })
                .or_insert(Extent { first: row.hour, last: row.hour });
        }
        Self { zones, years }
    }

    pub(super) fn has(&self, zone: &GridZone) -> bool {
        self.zones.contains_key(zone)
    }

    /// The moment of the trace for a time of year, one for all zones: in the newest year whose hours enclose it; where
    /// none does, in the newest that has begun by then. A hole within a year stays one: another year's weather is no
    /// stand-in for it.
    pub(super) fn moment(&self, time: &DateTime) -> Option<Timestamp> {
        let newest_first = || {
            let moments = |(year, extent): (&i16, &Extent)| Some((calendar::in_year(time, *year)?, *extent));
            self.years.iter().rev().filter_map(moments)
        };
        let encloses = |(moment, extent): &(Timestamp, Extent)| {
            extent.first.starts_at() <= *moment && *moment < extent.last.next().starts_at()
        };
        let has_begun = |(moment, extent): &(Timestamp, Extent)| extent.first.starts_at() <= *moment;
        newest_first().find(encloses).or_else(|| newest_first().find(has_begun)).map(|(moment, _)| moment)
    }

    /// What was said last of a zone at a moment of the trace.
    pub(super) fn at(&self, zone: &GridZone, moment: Timestamp) -> Option<Said<'_>> {
        let rows = self.zones.get(zone)?;
        let now = Hour::of(moment);
        let until_now = rows.get(..rows.partition_point(|row| row.hour <= now))?;
        let (row, before) = until_now.split_last()?;
        let mut first = row;
        for earlier in before.iter().rev().take(FARTHEST_BACK) {
            if earlier.hour.next() != first.hour || !earlier.says_as(row) {
                break;
            }
            first = earlier;
        }
        Some(Said {
            row,
            starts_at: row.hour.starts_at(),
            ends_at: row.hour.next().starts_at(),
            unchanged_since: first.hour.starts_at(),
        })
    }
}

impl fmt::Debug for Trace {
    /// Without its hundreds of thousands of rows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("zones", &self.zones.len()).field("years", &self.years).finish()
    }
}
