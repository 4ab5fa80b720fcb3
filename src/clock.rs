//! The only place that reads a clock. Everything else is given the time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Tells the time of day; tests hand in one of their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// A clock that says what `tell` says.
    #[must_use]
    pub fn new(tell: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// For how long the time of day has kept pace with a clock that never jumps: what is set right again does not undo what was
/// forgotten meanwhile for its age.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    since: (Timestamp, Instant),
}

impl Pace {
    /// Two clocks that are so far apart, where they were together, are not the same time's any more.
    const MOST_APART: SignedDuration = SignedDuration::from_hours(24);

    /// From now on.
    #[must_use]
    pub const fn new(now: Timestamp, monotonic: Instant) -> Self {
        Self { since: (now, monotonic) }
    }

    /// How long it has been since the time of day was last set to another day.
    pub fn kept_for(&mut self, now: Timestamp, monotonic: Instant) -> Duration {
        let (since, then) = self.since;
        let passed = monotonic.saturating_duration_since(then);
        let apart =
            now.duration_since(since) - SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        if apart.abs() < Self::MOST_APART {
            return passed;
        }
        self.since = (now, monotonic);
        Duration::ZERO
    }
}

/// A point in time that only measures spans: it never jumps.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn monotonic_now() -> Instant {
    Instant::now()
}

/// A point on the line that the runtime's timers wait on: for what is due when. Tests can move it.
#[must_use]
pub fn timer_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_kept_until_the_day_is_another_one() {
        let (now, start) = (Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1000), monotonic_now());
        let mut pace = Pace::new(now, start);
        let mut kept = |hours_shown: i64, minutes_passed: u64| {
            let minutes = Duration::from_mins(minutes_passed);
            pace.kept_for(now + SignedDuration::from_hours(hours_shown), start + minutes).as_secs() / 60
        };
        assert_eq!(kept(0, 5), 5);
        assert_eq!(kept(20, 6), 6, "set to another hour, it is still the same day's");
        assert_eq!(kept(17_520, 7), 0, "two years ahead");
        assert_eq!(kept(17_521, 67), 60, "it stays there");
        assert_eq!(kept(1, 68), 0, "and comes back");
        assert_eq!(kept(2, 128), 60);
        assert_eq!(kept(26, 1568), 1500, "a day passes on both");
    }
}
