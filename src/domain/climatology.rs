//! What a grid zone's intensity usually is, by month and hour of day (UTC), and its mean over any span of time in
//! constant time.
//!
//! A climatology is an estimate by nature: a mean of past years, never a reading of today.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::units::{GramsPerKwh, Hours};

const HOURS_PER_DAY: usize = 24;
const MONTHS: usize = 12;
/// The table is laid out over a leap year, so that every day of any year has its place. A run that crosses the end of
/// February of another year is taken to have a 29th: of a climatology, that is well below its own uncertainty.
const DAYS_BEFORE_MONTH: [u16; MONTHS + 1] = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366];

/// Mean intensity per month and hour of day, with running sums.
#[derive(Clone, Debug, PartialEq)]
pub struct Climatology {
    by_month_and_hour: [[f64; HOURS_PER_DAY]; MONTHS],
    /// Sum over the first `h` hours of a day of that month.
    day_so_far: [[f64; HOURS_PER_DAY + 1]; MONTHS],
    /// Sum over all months before.
    year_so_far: [f64; MONTHS + 1],
}

impl Climatology {
    /// From a table of means, `[month - 1][hour]`. `None` when a value is negative or not a number.
    #[must_use]
    pub fn new(by_month_and_hour: [[f64; HOURS_PER_DAY]; MONTHS]) -> Option<Self> {
        if by_month_and_hour.iter().flatten().any(|value| !value.is_finite() || *value < 0.0) {
            return None;
        }
        let mut day_so_far = [[0.0; HOURS_PER_DAY + 1]; MONTHS];
        let mut year_so_far = [0.0; MONTHS + 1];
        for month in 0..MONTHS {
            for hour in 0..HOURS_PER_DAY {
                day_so_far[month][hour + 1] = day_so_far[month][hour] + by_month_and_hour[month][hour];
            }
            let days = f64::from(DAYS_BEFORE_MONTH[month + 1] - DAYS_BEFORE_MONTH[month]);
            year_so_far[month + 1] = year_so_far[month] + days * day_so_far[month][HOURS_PER_DAY];
        }
        Some(Self { by_month_and_hour, day_so_far, year_so_far })
    }

    /// The usual intensity in the hour that `at` falls into.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> GramsPerKwh {
        let place = Place::of(at);
        GramsPerKwh(self.by_month_and_hour[place.month][place.hour])
    }

    /// Mean over all days of a year.
    #[must_use]
    pub fn annual_mean(&self) -> GramsPerKwh {
        let hours = f64::from(DAYS_BEFORE_MONTH[MONTHS]) * HOURS_PER_DAY as f64;
        GramsPerKwh(self.year_so_far[MONTHS] / hours)
    }

    /// Mean over a run of `length` that starts at `from`; a run within one hour has the intensity of that hour.
    #[must_use]
    pub fn mean_over(&self, from: Timestamp, length: Hours) -> GramsPerKwh {
        if length.0.is_nan() || length.0 <= 0.0 {
            return self.at(from);
        }
        let year_hours = f64::from(DAYS_BEFORE_MONTH[MONTHS]) * HOURS_PER_DAY as f64;
        let start = Place::of(from);
        // Also since the difference of two sums over most of a year says nothing of a millionth of a second.
        if start.part_of_hour + length.0 <= 1.0 {
            return self.at(from);
        }
        let end = start.hours_into_year() + length.0;
        let whole_years = (end / year_hours).floor();
        let sum = whole_years * self.year_so_far[MONTHS] + self.sum_until(end - whole_years * year_hours)
            - self.sum_until(start.hours_into_year());
        GramsPerKwh(sum / length.0)
    }

    /// Integral from the start of the year, in (g/kWh) * h.
    fn sum_until(&self, hours_into_year: f64) -> f64 {
        let day_of_year = (hours_into_year / HOURS_PER_DAY as f64).floor();
        let month = DAYS_BEFORE_MONTH[1..].iter().filter(|&&days| f64::from(days) <= day_of_year).count();
        if month >= MONTHS {
            return self.year_so_far[MONTHS];
        }
        let whole_days = day_of_year - f64::from(DAYS_BEFORE_MONTH[month]);
        let hour_of_day = hours_into_year - day_of_year * HOURS_PER_DAY as f64;
        let whole_hours = hour_of_day.floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= hour_of_day < 24")]
        let hour = (whole_hours as usize).min(HOURS_PER_DAY - 1);
        self.year_so_far[month]
            + whole_days * self.day_so_far[month][HOURS_PER_DAY]
            + self.day_so_far[month][hour]
            + (hour_of_day - whole_hours) * self.by_month_and_hour[month][hour]
    }
}

/// Where a moment lies in the table.
struct Place {
    month: usize,
    day: usize,
    hour: usize,
    part_of_hour: f64,
}

impl Place {
    fn of(at: Timestamp) -> Self {
        let utc = TimeZone::UTC.to_datetime(at);
        let index = |value: i8| usize::from(value.unsigned_abs());
        Self {
            month: index(utc.month()) - 1,
            day: index(utc.day()) - 1,
            hour: index(utc.hour()),
            part_of_hour: f64::from(utc.minute()) / 60.0 + f64::from(utc.second()) / 3600.0,
        }
    }

    fn hours_into_year(&self) -> f64 {
        let days = f64::from(DAYS_BEFORE_MONTH[self.month]) + self.day as f64;
        days * HOURS_PER_DAY as f64 + self.hour as f64 + self.part_of_hour
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// January hour 0 is 1, hour 1 is 2, ...; February starts at 101, and so on.
    fn staircase() -> Climatology {
        let table =
            std::array::from_fn(|month| std::array::from_fn(|hour| 100.0 * month as f64 + hour as f64 + 1.0));
        Climatology::new(table).unwrap()
    }

    /// The slow way: minute by minute.
    fn summed(climatology: &Climatology, from: Timestamp, minutes: i64) -> f64 {
        let each = |minute| climatology.at(from + jiff::SignedDuration::from_mins(minute)).0;
        (0..minutes).map(each).sum::<f64>() / minutes as f64
    }

    #[test]
    fn mean_over_a_run_equals_the_sum_of_its_minutes() {
        let climatology = staircase();
        for (from, minutes) in [
            ("2026-01-01T00:00:00Z", 60),
            ("2026-01-31T22:30:00Z", 6 * 60),
            ("2026-06-15T13:20:00Z", 95),
            ("2024-02-28T12:00:00Z", 3 * 24 * 60),
            ("2024-12-30T05:45:00Z", 4 * 24 * 60),
        ] {
            let from: Timestamp = from.parse().unwrap();
            let mean = climatology.mean_over(from, Hours(minutes as f64 / 60.0)).0;
            let expected = summed(&climatology, from, minutes);
            assert!((mean - expected).abs() < 1e-9, "{from}: {mean} is not {expected}");
        }
    }

    #[test]
    fn a_run_of_whole_years_has_the_annual_mean() {
        let climatology = staircase();
        let from: Timestamp = "2024-03-03T03:00:00Z".parse().unwrap();
        let mean = climatology.mean_over(from, Hours(3.0 * 366.0 * 24.0));
        assert!((mean.0 - climatology.annual_mean().0).abs() < 1e-9);
    }

    #[test]
    fn a_run_of_no_length_has_the_intensity_of_its_hour() {
        let from: Timestamp = "2026-02-03T04:59:00Z".parse().unwrap();
        assert_eq!(staircase().mean_over(from, Hours(0.0)), GramsPerKwh(105.0));
        assert_eq!(staircase().mean_over(from, Hours(f64::NAN)), GramsPerKwh(105.0));
    }

    #[test]
    fn refuses_values_that_cannot_be() {
        let mut table = [[1.0; 24]; 12];
        table[3][7] = -1.0;
        assert_eq!(Climatology::new(table), None);
        table[3][7] = f64::NAN;
        assert_eq!(Climatology::new(table), None);
    }
}
