//! When which zone of a provider on a network is asked: pure, so that every promise about it can be tested without one.
//!
//! The promises: no zone is asked twice within an interval; requests start one after the other, never all at once, and
//! few are under way together; a provider that asks to be left alone is; a zone that fails is asked less and less
//! often; and a provider that fails again and again is not asked at all for a while, then once, to see.

use std::time::Duration;

use tokio::time::Instant;

use super::super::FetchError;
use crate::domain::snapshot::Failure;

/// Requests to one provider that may be under way together.
const MOST_UNDER_WAY: usize = 4;
/// Least time between the starts of two requests to one provider; less where the interval has no room for it.
const PACE: Duration = Duration::from_millis(100);
/// The interval is stretched by up to this share at random, so that zones and clusters drift apart.
const JITTER: f64 = 0.1;
/// A zone or provider that fails is asked after one interval, then after two, four and eight.
const MOST_DOUBLINGS: u32 = 3;
/// Failures of the provider in a row, over all zones, that open its circuit.
const OPENS_AFTER: u32 = 5;
/// Who has to wait for longer is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long a provider is left alone that says it is asked too often and not for how long.
const THROTTLED_FOR: Duration = Duration::from_mins(1);

/// The schedule of one provider. Zones are known by their index.
#[derive(Debug)]
pub struct Schedule {
    interval: Duration,
    pace: Duration,
    zones: Vec<Zone>,
    under_way: usize,
    /// No request before this moment, whatever is due.
    not_before: Instant,
    /// Failures of the provider in a row.
    failures: u32,
    /// How often its circuit opened in a row.
    opened: u32,
    /// While its circuit is open: when one request may be tried.
    open_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Zone {
    due: Instant,
    /// When it was asked last.
    asked: Option<Instant>,
    failures: u32,
    under_way: bool,
    allowed: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask about this zone now.
    Ask(usize),
    /// Look again at this moment.
    At(Instant),
    /// Look again when a request has come back.
    Wait,
}

impl Schedule {
    /// Zones that are due after so long from `now`.
    #[must_use]
    pub fn new(interval: Duration, due_in: impl IntoIterator<Item = Duration>, now: Instant) -> Self {
        let zone =
            |due_in| Zone { due: now + due_in, asked: None, failures: 0, under_way: false, allowed: true };
        let zones: Vec<Zone> = due_in.into_iter().map(zone).collect();
        // Half of the interval is enough for all of them.
        let room = interval / u32::try_from(2 * zones.len().max(1)).unwrap_or(u32::MAX);
        Self {
            interval,
            pace: PACE.min(room),
            zones,
            under_way: 0,
            not_before: now,
            failures: 0,
            opened: 0,
            open_until: None,
        }
    }

    /// Whether the provider is left alone after several failures in a row.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    /// Whether a zone is due and not asked about yet: what a first version waits for, unless the provider wants to be
    /// left alone for longer than that is worth.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        let is_held_off = self.not_before > now + LONGEST_WAIT;
        !self.is_open()
            && !is_held_off
            && self.zones.iter().any(|zone| zone.allowed && !zone.under_way && zone.due <= now)
    }

    /// Whether a zone may be asked about at all; when not, it is never due.
    pub fn allow(&mut self, index: usize, allowed: bool) {
        if let Some(zone) = self.zones.get_mut(index) {
            zone.allowed = allowed;
        }
    }

    /// No request for so long from `now`, whatever is due.
    pub fn hold(&mut self, now: Instant, length: Duration) {
        self.not_before = self.not_before.max(now + length);
    }

    /// Ends a hold of at most `length` that was only to wait for something that has come; longer ones stay.
    pub fn release(&mut self, now: Instant, length: Duration) {
        if self.not_before <= now + length {
            self.not_before = now;
        }
    }

    /// What to do at `now`.
    #[must_use]
    pub fn next(&self, now: Instant) -> Next {
        // While the circuit is open, one request at a time is enough to see.
        if self.under_way >= if self.is_open() { 1 } else { MOST_UNDER_WAY } {
            return Next::Wait;
        }
        let waiting = self.zones.iter().enumerate().filter(|(_, zone)| zone.allowed && !zone.under_way);
        let Some((index, zone)) = waiting.min_by_key(|(_, zone)| zone.due) else { return Next::Wait };
        let due = zone.due.max(self.not_before);
        if due <= now { Next::Ask(index) } else { Next::At(due) }
    }

    /// A request about a zone starts. `random` is from 0 to 1.
    pub fn started(&mut self, index: usize, now: Instant, random: f64) {
        if let Some(zone) = self.zones.get_mut(index) {
            zone.under_way = true;
            zone.asked = Some(now);
            zone.due = now + self.interval.mul_f64(1.0 + JITTER * random.clamp(0.0, 1.0));
            self.under_way += 1;
        }
        self.not_before = self.not_before.max(now + self.pace);
    }

    /// A request about a zone has come back. A failure of a question that is not the zone's main one `counts` only
    /// against the provider.
    pub fn finished(&mut self, index: usize, now: Instant, error: Option<&FetchError>, main: bool) {
        let Some(zone) = self.zones.get_mut(index) else { return };
        if std::mem::take(&mut zone.under_way) {
            self.under_way -= 1;
        }
        let Some(error) = error else {
            zone.failures = 0;
            self.answered(now);
            return;
        };
        // Without a token nothing was asked: once there is one, nothing is to be made up for.
        if error.failure == Failure::NoToken {
            return;
        }
        if main {
            // It started one interval ago at most: the rest of the wait comes on top.
            zone.due += self.interval * (doubled(zone.failures) - 1);
            zone.failures = zone.failures.saturating_add(1);
        }
        if let Some(length) = error.retry_after {
            self.hold(now, length);
        } else if error.failure == Failure::Throttled {
            self.hold(now, THROTTLED_FOR.min(self.interval));
        }
        if error.failure.is_of_provider() {
            self.failed(now, error.failure);
        } else {
            // A provider that says what is wrong with the question is there.
            self.answered(now);
        }
    }

    fn answered(&mut self, now: Instant) {
        self.failures = 0;
        self.opened = 0;
        if let Some(until) = self.open_until.take() {
            // It was left alone for that and nothing else: what the provider itself asked for, or the pace, is longer.
            if self.not_before == until {
                self.not_before = now;
            }
            // What the zones failed by was the provider's trouble, and that is over.
            for zone in self.zones.iter_mut().filter(|zone| !zone.under_way) {
                zone.failures = 0;
                zone.due = zone.due.min(zone.asked.map_or(now, |asked| asked + self.interval).max(now));
            }
        }
    }

    fn failed(&mut self, now: Instant, failure: Failure) {
        self.failures = self.failures.saturating_add(1);
        // Requests that were under way when the circuit opened say nothing new.
        let is_news = self.open_until.is_none_or(|until| now >= until);
        if self.failures >= OPENS_AFTER && is_news {
            let length = self.interval * doubled(self.opened);
            // Somebody renews a token while nobody asks: it is tried at every interval.
            self.opened = self.opened.saturating_add(u32::from(failure != Failure::BadToken));
            self.open_until = Some(now + length);
            self.hold(now, length);
        }
    }
}

/// 1, 2, 4, 8, 8, ...
fn doubled(times: u32) -> u32 {
    1 << times.min(MOST_DOUBLINGS)
}

#[cfg(test)]
mod tests;
