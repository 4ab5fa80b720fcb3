//! Points in time: one for every day or hour of the period, whether or not anything ran.

use crate::accounts::cells::DAY_HOURS;
use crate::accounts::sums::Sums;
use crate::report::model::{Basis, Point, Step};
use crate::report::period::{Period, hour_start};

/// Hours of the longest period that is shown by hour.
const MOST_HOURS: i64 = 2 * DAY_HOURS;

/// What decisions alone say is added up by the day.
pub(super) fn step_of(period: Period, basis: Basis) -> Step {
    if basis == Basis::Pods && period.hours() <= MOST_HOURS { Step::Hour } else { Step::Day }
}

fn hours_of(step: Step) -> i64 {
    match step {
        Step::Hour => 1,
        Step::Day => DAY_HOURS,
    }
}

/// Every point of the period, without figures.
pub(super) fn points(period: Period, step: Step) -> Vec<Point> {
    let step = hours_of(step);
    let first = period.from_hour().div_euclid(step);
    let last = (period.to_hour() - 1).div_euclid(step);
    let start = |index: i64| hour_start((index * step).max(period.from_hour()));
    (first..=last).map(|index| Point { start: start(index), sums: Sums::default() }).collect()
}

/// Which point an hour of the period belongs to.
pub(super) fn index_of(period: Period, step: Step, hour: i64) -> usize {
    let step = hours_of(step);
    let index = hour.div_euclid(step) - period.from_hour().div_euclid(step);
    usize::try_from(index).unwrap_or(usize::MAX)
}
