//! Against the thundering herd: how many pods this process has sent to each region in the current minute.
//!
//! The limit is of one process; replicas do not share it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::domain::RegionId;

const SECONDS_PER_MINUTE: i64 = 60;

/// Counts by region and minute.
#[derive(Debug)]
pub struct Herd {
    max_pods_per_minute: u32,
    current: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    sent: HashMap<RegionId, u32>,
}

impl Herd {
    /// Counts against a limit.
    #[must_use]
    pub fn new(max_pods_per_minute: u32) -> Self {
        Self { max_pods_per_minute, current: Mutex::default() }
    }

    /// How many more pods a region takes in the minute of `now`.
    #[must_use]
    pub fn left(&self, region: RegionId, now: Timestamp) -> u32 {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = if current.number == minute_of(now) { current.sent.get(&region).copied() } else { None };
        self.max_pods_per_minute.saturating_sub(sent.unwrap_or(0))
    }

    /// Counts a pod that was sent to a region.
    pub fn take(&self, region: RegionId, now: Timestamp) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minute_of(now);
        if current.number != minute {
            *current = Minute { number: minute, sent: HashMap::new() };
        }
        *current.sent.entry(region).or_default() += 1;
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SECONDS_PER_MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_region_is_full_until_the_minute_ends() {
        let herd = Herd::new(2);
        let (here, there) = (RegionId(0), RegionId(1));
        herd.take(here, at(60));
        assert_eq!(herd.left(here, at(61)), 1);
        herd.take(here, at(119));
        assert_eq!(herd.left(here, at(119)), 0);
        assert_eq!(herd.left(there, at(119)), 2);
        assert_eq!(herd.left(here, at(120)), 2);
    }
}
