//! From the clock to the calendar of a trace: which time of year is replayed now, and that time in a year of the trace.
//!
//! Knows neither zones nor values.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The Gregorian calendar repeats itself after 400 years, which are 146,097 days: a replay that is faster than the
/// clock passes through it again and again instead of leaving it.
const CALENDAR_SECONDS: f64 = 146_097.0 * 86_400.0;

/// Hours of the trace per hour of the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Speed(f64);

impl Speed {
    /// An hour of the trace an hour.
    pub(super) const OF_THE_CLOCK: Self = Self(1.0);

    /// `None` when it is not above 0, or no number.
    pub(super) fn new(speed: f64) -> Option<Self> {
        (speed.is_finite() && speed > 0.0).then_some(Self(speed))
    }

    /// How long the clock takes for a time of the trace.
    pub(super) fn on_the_clock(self, of_the_trace: SignedDuration) -> SignedDuration {
        nanoseconds(of_the_trace.as_secs_f64() * 1e9 / self.0)
    }
}

/// The time of year that is replayed at `now`: at the start of each year (UTC) the two agree, then the replay runs
/// ahead or falls behind by its speed. Only its year says nothing: the trace has years of its own.
pub(super) fn replayed(now: Timestamp, speed: Speed) -> DateTime {
    let today = TimeZone::UTC.to_datetime(now);
    let year = today.first_of_year().date().to_datetime(jiff::civil::Time::midnight());
    let passed = today.duration_since(year);
    // Seconds and the rest apart: so both are exact as they are, and at speed 1 stay it.
    let seconds = (passed.as_secs() as f64 * speed.0).rem_euclid(CALENDAR_SECONDS);
    let ahead = SignedDuration::try_from_secs_f64(seconds)
        .unwrap_or_default()
        .saturating_add(nanoseconds(f64::from(passed.subsec_nanos()) * speed.0));
    year.checked_add(ahead).unwrap_or(today)
}

/// `time` in another year; the 29th of February is the 28th where the year has none.
pub(super) fn in_year(time: &DateTime, year: i16) -> Option<Timestamp> {
    let day =
        Date::new(year, time.month(), time.day()).or_else(|_| Date::new(year, time.month(), 28)).ok()?;
    TimeZone::UTC.to_timestamp(day.to_datetime(time.time())).ok()
}

/// The year of a moment.
pub(super) fn year_of(moment: Timestamp) -> i16 {
    TimeZone::UTC.to_datetime(moment).year()
}

fn nanoseconds(value: f64) -> SignedDuration {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float to an integer stops at its ends")]
    SignedDuration::from_nanos(value.round() as i64)
}
