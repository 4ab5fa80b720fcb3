//! Figures over time: a point for every day or hour of the period, whether or not anything ran.

use crate::accounts::cells::DAY_HOURS;
use crate::accounts::sums::Sums;
use crate::report::model::{Point, Step};
use crate::report::period::{Period, hour_start};

/// Hours of the longest period that is shown by hour.
const MOST_HOURS: i64 = 2 * DAY_HOURS;

pub(super) fn step_of(period: Period) -> Step {
    if period.hours() <= MOST_HOURS { Step::Hour } else { Step::Day }
}

pub(super) fn series(period: Period, hours: impl Iterator<Item = (i64, Sums)>) -> Vec<Point> {
    let step = match step_of(period) {
        Step::Hour => 1,
        Step::Day => DAY_HOURS,
    };
    let first = period.from_hour().div_euclid(step);
    let last = (period.to_hour() - 1).div_euclid(step);
    let mut points: Vec<Point> = (first..=last)
        .map(|index| Point {
            start: hour_start((index * step).max(period.from_hour())),
            sums: Sums::default(),
        })
        .collect();
    for (hour, sums) in hours {
        let index = usize::try_from(hour.div_euclid(step) - first).ok();
        if let Some(point) = index.and_then(|index| points.get_mut(index)) {
            point.sums += sums;
        }
    }
    points
}
