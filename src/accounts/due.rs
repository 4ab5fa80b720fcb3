//! What can be looked at, and what has to be read for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::books::{Books, OpenRun, is_over, last_hour};
use super::cells::DAY_HOURS;
use super::grid::{hour_of, start_of};

/// Hours of one run that are looked at in one go; a clock that jumps must not make work for an hour.
const MOST_HOURS: usize = 48;

/// One hour of one run that can be looked at. Ordered by hour: hours that are near each other need the same readings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// The hour.
    pub hour: i64,
    /// The run.
    pub uid: String,
}

impl Books {
    /// The hours that can be looked at for the first time by `now`: those that are over and in which the run is known to have
    /// been there.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Vec<Due> {
        let mut due = Vec::new();
        for (uid, OpenRun { progress, .. }) in &self.runs {
            let known_to = match progress.end {
                Some(end) => start_of(last_hour(end.at) + 1).min(now),
                None => self.confirmed.unwrap_or(Timestamp::MIN).min(now),
            };
            let hours = (progress.next_hour..).take_while(|hour| start_of(hour + 1) <= known_to);
            due.extend(hours.take(MOST_HOURS).map(|hour| Due { uid: uid.clone(), hour }));
        }
        due
    }

    /// Of the hours that were looked at and wait for readings those after `last`, oldest first, and at most `most`. Whoever gives
    /// the last one the next time, and begins anew after the end, comes round to all of them.
    #[must_use]
    pub fn waiting_after(&self, last: Option<&Due>, most: usize) -> Vec<Due> {
        let last = last.map(|last| (last.hour, last.uid.as_str()));
        let runs = self.runs.iter();
        let all = runs.flat_map(|(uid, open)| open.progress.waiting.iter().map(|hour| (*hour, uid.as_str())));
        let mut waiting: Vec<(i64, &str)> =
            all.filter(|waiting| last.is_none_or(|last| *waiting > last)).collect();
        waiting.sort_unstable();
        waiting.truncate(most);
        waiting.into_iter().map(|(hour, uid)| Due { hour, uid: uid.to_owned() }).collect()
    }

    /// The days that have to be read before hours are accounted for; a run that ends with one adds to the day of its end.
    #[must_use]
    pub fn days_of<'d>(&self, due: impl IntoIterator<Item = &'d Due>) -> BTreeSet<i64> {
        let mut days = BTreeSet::new();
        for Due { uid, hour } in due {
            days.insert(hour.div_euclid(DAY_HOURS));
            let end = self.runs.get(uid).and_then(|open| open.progress.end);
            days.extend(end.map(|end| last_hour(end.at).div_euclid(DAY_HOURS)));
        }
        days.retain(|day| !self.days.contains(day));
        days
    }

    /// The regions whose readings are needed, with the hours from which and up to which.
    #[must_use]
    pub fn readings_for<'d>(&self, due: impl IntoIterator<Item = &'d Due>) -> BTreeMap<String, (i64, i64)> {
        let mut needed: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for Due { uid, hour } in due {
            let Some(open) = self.runs.get(uid) else { continue };
            for place in &open.run.places {
                let (from, to) = needed.entry(place.price.region.clone()).or_insert((*hour, *hour));
                (*from, *to) = ((*from).min(*hour), (*to).max(*hour));
            }
        }
        needed
    }

    /// Days that must have been read before [`Books::close`] adds to them.
    #[must_use]
    pub fn days_to_close(&self) -> BTreeSet<i64> {
        let ends = self.runs.values().filter(|open| is_over(open)).filter_map(|open| {
            let end = open.progress.end?;
            Some(last_hour(end.at).max(hour_of(open.run.bound_at)).div_euclid(DAY_HOURS))
        });
        ends.filter(|day| !self.days.contains(day)).collect()
    }

    /// The day in which a binding at a moment counts by `now`.
    #[must_use]
    pub fn day_of_binding(&self, bound_at: Timestamp, now: Timestamp) -> i64 {
        let oldest = hour_of(now) - DAY_HOURS * i64::from(self.limits.raw_retention_days);
        hour_of(bound_at).max(oldest).div_euclid(DAY_HOURS)
    }

    /// Whether a day's figures have been read.
    #[must_use]
    pub fn has_day(&self, day: i64) -> bool {
        self.days.contains(&day)
    }
}
