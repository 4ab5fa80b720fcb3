//! The period of a report, from what somebody typed: whole hours in UTC, `from` included, `to` not.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::error::{Asked, ReportError};
use crate::accounts::cells::{DAY_HOURS, HOUR_SECONDS};

/// Days of the period when nobody says: those before today that are over.
const DEFAULT_DAYS: i64 = 7;
/// As long as anything can be kept (`ledger.retentionDays` has the same bound), and a leap day or two.
pub const MOST_DAYS: i64 = 3_660;
/// `2026-11-01`: anything longer is a point in time.
const DATE_LENGTH: usize = 10;
const DAY_SECONDS: i64 = DAY_HOURS * HOUR_SECONDS;

/// A period: whole hours since 1970 in UTC, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    from_hour: i64,
    to_hour: i64,
}

impl Period {
    /// From the first hour to before the last; `None` unless that is at least one hour.
    #[must_use]
    pub fn of_hours(from_hour: i64, to_hour: i64) -> Option<Self> {
        (from_hour < to_hour).then_some(Self { from_hour, to_hour })
    }

    /// Reads two dates or RFC 3339 times. Without both, the last seven whole days before `now`. A query's times are those of
    /// whatever a dashboard shows: of an hour that they cut, the whole counts.
    ///
    /// # Errors
    /// Only one of them, something that is no time or, of a command, no whole hour, an end that is not after the start, a
    /// period that has not begun or is longer than ten years. Each names what was asked, the value and the cure.
    pub fn read(
        from: Option<&str>,
        to: Option<&str>,
        now: Timestamp,
        asked: Asked,
    ) -> Result<Self, ReportError> {
        let (from, to) = match (from, to) {
            (None, None) => {
                let today = now.as_second().div_euclid(DAY_SECONDS) * DAY_HOURS;
                return Ok(Self { from_hour: today - DEFAULT_DAYS * DAY_HOURS, to_hour: today });
            }
            (Some(_), None) => return Err(ReportError::OneEnd { missing: asked.name("to") }),
            (None, Some(_)) => return Err(ReportError::OneEnd { missing: asked.name("from") }),
            (Some(from), Some(to)) => (from, to),
        };
        let (from_hour, _) = hour(from, asked, "from")?;
        let (last_hour, is_cut) = hour(to, asked, "to")?;
        let to_hour = last_hour + i64::from(is_cut);
        let Some(period) = Self::of_hours(from_hour, to_hour) else {
            return Err(ReportError::EndBeforeStart {
                from: asked.value("from", from),
                to: asked.value("to", to),
            });
        };
        if period.from() >= now {
            return Err(ReportError::Future { from: asked.value("from", from), now: whole_second(now) });
        }
        if period.hours() > MOST_DAYS * DAY_HOURS {
            return Err(ReportError::TooLong { from: asked.value("from", from), to: asked.value("to", to) });
        }
        Ok(period)
    }

    /// Its first hour, in hours since 1970.
    #[must_use]
    pub const fn from_hour(self) -> i64 {
        self.from_hour
    }

    /// The hour after its last, in hours since 1970.
    #[must_use]
    pub const fn to_hour(self) -> i64 {
        self.to_hour
    }

    /// Its start, which it includes.
    #[must_use]
    pub fn from(self) -> Timestamp {
        hour_start(self.from_hour)
    }

    /// Its end, which it does not include.
    #[must_use]
    pub fn to(self) -> Timestamp {
        hour_start(self.to_hour)
    }

    /// Its hours.
    #[must_use]
    pub const fn hours(self) -> i64 {
        self.to_hour - self.from_hour
    }

    /// Whether it includes the hour.
    #[must_use]
    pub fn contains(self, hour: i64) -> bool {
        (self.from_hour..self.to_hour).contains(&hour)
    }

    /// Its whole days, in days since 1970, half-open; empty when it has none.
    #[must_use]
    pub fn whole_days(self) -> std::ops::Range<i64> {
        let first =
            self.from_hour.div_euclid(DAY_HOURS) + i64::from(self.from_hour.rem_euclid(DAY_HOURS) != 0);
        first..self.to_hour.div_euclid(DAY_HOURS).max(first)
    }
}

/// The start of an hour since 1970.
#[must_use]
pub fn hour_start(hour: i64) -> Timestamp {
    let second = hour.saturating_mul(HOUR_SECONDS);
    Timestamp::from_second(second).unwrap_or(if hour < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The start of a day since 1970.
#[must_use]
pub fn day_start(day: i64) -> Timestamp {
    hour_start(day.saturating_mul(DAY_HOURS))
}

/// As people write it: the date alone at midnight, in UTC.
#[must_use]
pub fn told(time: Timestamp) -> String {
    let civil = time.to_zoned(TimeZone::UTC).datetime();
    if time.as_second().rem_euclid(DAY_SECONDS) == 0 {
        civil.date().to_string()
    } else {
        civil.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

/// Enough to tell the time to people.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// The hour that a time is in, and whether the time cuts it.
fn hour(text: &str, asked: Asked, name: &str) -> Result<(i64, bool), ReportError> {
    let time = match text.len() {
        // A longer text is not read as a date: it would lose its time of day.
        DATE_LENGTH => {
            text.parse::<Date>().and_then(|date| date.to_zoned(TimeZone::UTC)).map(|at| at.timestamp())
        }
        _ => text.parse::<Timestamp>(),
    };
    let Ok(time) = time else {
        return Err(ReportError::NotATime { name: asked.name(name), value: text.to_owned() });
    };
    let is_cut = time.as_second().rem_euclid(HOUR_SECONDS) != 0 || time.subsec_nanosecond() != 0;
    if is_cut && asked == Asked::Command {
        return Err(ReportError::NotAWholeHour { name: asked.name(name), value: text.to_owned() });
    }
    Ok((time.as_second().div_euclid(HOUR_SECONDS), is_cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-28T10:41:03.5Z";

    fn read(from: &str, to: &str) -> Result<Period, String> {
        let given = |text: &'static str| (!text.is_empty()).then_some(text);
        let (from, to) = (from.to_owned().leak(), to.to_owned().leak());
        Period::read(given(from), given(to), NOW.parse().unwrap(), Asked::Command)
            .map_err(|error| error.to_string())
    }

    fn told_of(period: Period) -> (String, String) {
        (period.from().to_string(), period.to().to_string())
    }

    #[test]
    fn dates_are_midnights_in_utc_and_times_may_have_any_offset() {
        let days = read("2026-11-01", "2026-11-08").unwrap();
        assert_eq!(told_of(days), ("2026-11-01T00:00:00Z".to_owned(), "2026-11-08T00:00:00Z".to_owned()));
        assert_eq!(days.hours(), 7 * 24);
        let hours = read("2026-11-01T10:00:00+02:00", "2026-11-01T09:00:00Z").unwrap();
        assert_eq!(told_of(hours).0, "2026-11-01T08:00:00Z");
        assert_eq!(hours.hours(), 1);
    }

    #[test]
    fn without_both_it_is_the_last_seven_days_that_are_over() {
        let week = read("", "").unwrap();
        assert_eq!(told_of(week), ("2026-11-21T00:00:00Z".to_owned(), "2026-11-28T00:00:00Z".to_owned()));
    }

    #[test]
    fn of_hours_that_a_query_cuts_the_whole_counts() {
        let asked = |from, to| Period::read(Some(from), Some(to), NOW.parse().unwrap(), Asked::Query);
        let shown = asked("2026-11-27T10:41:03.254Z", "2026-11-28T10:41:03.254Z").unwrap();
        assert_eq!(told_of(shown), ("2026-11-27T10:00:00Z".to_owned(), "2026-11-28T11:00:00Z".to_owned()));
        assert_eq!(asked("2026-11-27T10:00:00.001Z", "2026-11-27T10:00:00.002Z").unwrap().hours(), 1);
        assert_eq!(asked("2026-11-27T10:00:00Z", "2026-11-27T11:00:00.000Z").unwrap().hours(), 1);
    }

    #[test]
    fn whole_days_leave_out_what_is_cut() {
        let day = 20_000;
        assert_eq!(Period::of_hours(day * 24, day * 24 + 48).unwrap().whole_days(), day..day + 2);
        assert_eq!(Period::of_hours(day * 24 + 1, day * 24 + 49).unwrap().whole_days(), day + 1..day + 2);
        assert!(Period::of_hours(day * 24 + 1, day * 24 + 23).unwrap().whole_days().is_empty());
    }

    #[test]
    fn what_cannot_be_read_names_flag_value_and_cure() {
        for (from, to, words) in [
            ("2026-13-01", "2026-11-08", vec!["--from", "\"2026-13-01\"", "2026-11-01T00:00:00Z"]),
            ("2026-11-01", "yesterday", vec!["--to", "\"yesterday\"", "2026-11-01"]),
            ("2026-11-01T10:30:00Z", "2026-11-08", vec!["--from", "10:30", "whole hour"]),
            ("2026-11-08", "2026-11-01", vec!["--to 2026-11-01", "--from 2026-11-08", "exchange"]),
            ("2026-11-08", "2026-11-08", vec!["--to 2026-11-08", "not after"]),
            ("2026-12-01", "2026-12-08", vec!["--from 2026-12-01", "future", "2026-11-28T10:41:03Z"]),
            ("1999-11-01", "2026-11-08", vec!["--from 1999-11-01", "3660 days"]),
            ("2026-11-01", "", vec!["--to", "missing"]),
            ("", "2026-11-01", vec!["--from", "missing"]),
        ] {
            let error = read(from, to).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{from} {to}: {error}");
            }
        }
    }

    #[test]
    fn a_query_is_told_its_own_names() {
        let error = Period::read(Some("x"), Some("y"), NOW.parse().unwrap(), Asked::Query).unwrap_err();
        assert!(error.to_string().starts_with("from=\"x\""), "{error}");
    }
}
