//! Against the thundering herd: how many pods this process has sent to each region in the current minute, and where it
//! sent each owner's pods last.
//!
//! Both are of one process; replicas do not share them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::domain::RegionId;

const SECONDS_PER_MINUTE: i64 = 60;
/// Owners, decisions, or places, remembered at least; twice as many at most. An owner that is forgotten only loses its margin, and a place
/// is taken once more.
const REMEMBERED: usize = 8192;

/// What was sent where.
#[derive(Debug)]
pub struct Herd {
    max_pods_per_minute: u32,
    sent: Mutex<Minute>,
    incumbents: Mutex<Recent<u64, RegionId>>,
}

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    pods: HashMap<RegionId, u32>,
}

/// A bounded memory in two generations: when the young one is full it becomes the old one, and what was only in the old
/// one is forgotten.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Eq + Hash, V: Copy> Recent<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= REMEMBERED && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

impl Herd {
    /// Counts against a limit.
    #[must_use]
    pub fn new(max_pods_per_minute: u32) -> Self {
        Self { max_pods_per_minute, sent: Mutex::default(), incumbents: Mutex::default() }
    }

    /// How many more pods a region takes in the minute of `now`.
    #[must_use]
    pub fn left(&self, region: RegionId, now: Timestamp) -> u32 {
        let sent = locked(&self.sent);
        let pods = if sent.number == minute_of(now) { sent.pods.get(&region).copied() } else { None };
        self.max_pods_per_minute.saturating_sub(pods.unwrap_or(0))
    }

    /// Counts a pod that was sent to a region.
    pub fn take(&self, region: RegionId, now: Timestamp) {
        let mut sent = locked(&self.sent);
        let minute = minute_of(now);
        if sent.number != minute {
            *sent = Minute { number: minute, pods: HashMap::new() };
        }
        *sent.pods.entry(region).or_default() += 1;
    }

    /// Where an owner's pods were sent last.
    #[must_use]
    pub fn incumbent(&self, owner_hash: u64) -> Option<RegionId> {
        locked(&self.incumbents).get(&owner_hash)
    }

    /// Notes where an owner's pod was sent.
    pub fn settle(&self, owner_hash: u64, region: RegionId) {
        locked(&self.incumbents).insert(owner_hash, region);
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counts stay sound whatever happened to whoever held the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn the_last_owners_are_remembered_and_the_memory_is_bounded() {
        let herd = Herd::new(1);
        let owners = 0..3 * REMEMBERED as u64;
        for owner in owners.clone() {
            herd.settle(owner, RegionId(0));
        }
        herd.settle(owners.end - 1, RegionId(1));
        assert_eq!(herd.incumbent(owners.end - 1), Some(RegionId(1)));
        assert_eq!(herd.incumbent(owners.end - REMEMBERED as u64), Some(RegionId(0)));
        assert_eq!(herd.incumbent(0), None);
        let incumbents = locked(&herd.incumbents);
        assert!(incumbents.young.len() + incumbents.old.len() <= 2 * REMEMBERED);
    }
}
