//! One provider of grid data as the collector deals with it: the places it is asked about, what it has said of each,
//! and, for one on a network, when it is asked next.
//!
//! Regions of one zone share a place, so that a zone costs one request however many regions lie in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::super::FetchError;
use super::super::grid::{Access, GridSource, Question, Reach};
use super::known::Known;
use super::schedule::Schedule;
use crate::domain::history::PastReading;
use crate::domain::region::GridZone;
use crate::domain::snapshot::{Failure, GridProvider, Readings, Trouble};
use crate::domain::{Region, RegionName, Regions};

/// A provider and its places.
#[derive(Debug)]
pub struct Desk {
    /// The provider.
    pub source: Arc<dyn GridSource>,
    /// What it is asked about.
    pub places: Vec<Place>,
    place_of: HashMap<RegionName, usize>,
    /// When, for a provider on a network.
    pub schedule: Option<Schedule>,
    access: Access,
    /// While the provider wants to be left alone: what it said, for the places that nobody has asked about yet.
    pub held_off: Option<Trouble<GridProvider>>,
}

/// What one request is about.
#[derive(Debug)]
pub struct Place {
    /// A region that stands for all of its zone.
    pub region: Arc<Region>,
    /// What the provider has said.
    pub known: Known,
}

impl Desk {
    /// A provider nobody has asked yet, whose words say nothing of now once they are older than `max_age`.
    #[must_use]
    pub fn new(source: Arc<dyn GridSource>, regions: &Regions, max_age: SignedDuration) -> Self {
        let mut places: Vec<Place> = Vec::new();
        let mut place_of = HashMap::new();
        let mut place_of_zone: HashMap<&GridZone, usize> = HashMap::new();
        for (_, region) in regions.iter() {
            let shared = region.zone.as_ref().filter(|_| source.reach() == Reach::Network);
            let index = shared.and_then(|zone| place_of_zone.get(zone).copied()).unwrap_or(places.len());
            if index == places.len() {
                let known = Known::nothing(source.provider(), max_age);
                places.push(Place { region: Arc::new(region.clone()), known });
            }
            if let Some(zone) = shared {
                place_of_zone.insert(zone, index);
            }
            place_of.insert(region.name.clone(), index);
        }
        Self { source, places, place_of, schedule: None, access: Access::Unknown, held_off: None }
    }

    /// Whether the provider is asked over a network.
    #[must_use]
    pub fn is_on_a_network(&self) -> bool {
        self.source.reach() == Reach::Network
    }

    /// What the provider has said about a region.
    #[must_use]
    pub fn known(&self, region: &RegionName) -> Option<&Known> {
        self.place_of.get(region).and_then(|index| self.places.get(*index)).map(|place| &place.known)
    }

    /// What is wrong with what the provider says about a region, or why it says nothing.
    #[must_use]
    pub fn trouble(&self, region: &RegionName) -> Option<&Trouble<GridProvider>> {
        let known = self.known(region)?;
        known.trouble().or_else(|| self.held_off.as_ref().filter(|_| known.asked_at().is_none()))
    }

    /// Takes over what the collector before this one has published, and the last day as it was kept.
    pub fn inherit(
        &mut self,
        readings: &Readings,
        past: &HashMap<RegionName, Vec<PastReading>>,
        now: Timestamp,
    ) {
        for (region, index) in &self.place_of {
            let Some((readings, place)) = readings.regions.get(region).zip(self.places.get_mut(*index))
            else {
                continue;
            };
            // Configured anew: what is known is of another zone.
            if readings.zone != place.region.zone {
                continue;
            }
            let past = past.get(region).map(Vec::as_slice).unwrap_or_default();
            place.known.inherit(readings, past, now);
        }
    }

    /// Begins to ask: each place an interval after it was last asked about, by whomever.
    pub fn begin(&mut self, interval: Duration, now: Timestamp, timer: Instant) {
        let signed = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
        let due_in = self.places.iter().map(|place| {
            let asked_at = place.known.asked_at().unwrap_or(Timestamp::MIN);
            let due = asked_at.saturating_add(signed).unwrap_or(Timestamp::MAX);
            // A clock that was wrong once must not silence a zone for longer than an interval.
            Duration::try_from(due.duration_since(now)).unwrap_or_default().min(interval)
        });
        let mut schedule = Schedule::new(interval, due_in, timer);
        for (index, place) in self.places.iter_mut().enumerate() {
            if let Err(why) = self.source.speaks_of(&place.region) {
                schedule.allow(index, false);
                place.known.fails(&why, now);
            }
        }
        self.schedule = Some(schedule);
    }

    /// The question that a request about a place is best spent on.
    #[must_use]
    pub fn question(&self, place: usize, now: Timestamp) -> Question {
        let Some(place) = self.places.get(place) else { return Question::Latest };
        place.known.question(now, |question| {
            self.source.questions().contains(&question) && self.allows(&place.region, question)
        })
    }

    /// Whether the provider may be asked about a place at all.
    #[must_use]
    pub fn may_ask(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(|place| {
            self.source.speaks_of(&place.region).is_ok() && self.allows(&place.region, Question::Latest)
        })
    }

    fn allows(&self, region: &Region, question: Question) -> bool {
        match (&self.access, &region.zone) {
            (Access::Unknown, _) => true,
            (Access::Only(allowed), Some(zone)) => allowed.contains(&(zone.clone(), question)),
            (Access::Only(_), None) => false,
        }
    }

    /// Learns what the provider allows to be asked: places outside of it are not asked about, and say
    /// why. Gives the troubles that began, each with its zone.
    pub fn learn(&mut self, access: Access, now: Timestamp) -> Vec<(String, Trouble<GridProvider>)> {
        self.access = access;
        let mut began = Vec::new();
        for index in 0..self.places.len() {
            let allowed = self.may_ask(index);
            if let Some(schedule) = &mut self.schedule {
                schedule.allow(index, allowed);
            }
            let place = &mut self.places[index];
            if !allowed && self.source.speaks_of(&place.region).is_ok() {
                let zone = place.region.zone.as_ref().map_or("none", GridZone::as_str);
                let detail = format!("the token's plan does not name zone {zone}");
                let trouble = place.known.fails(&FetchError::new(Failure::NotInPlan, detail), now);
                began.extend(trouble.map(|trouble| (zone.to_owned(), trouble)));
            }
        }
        began
    }

    /// Notes that all questions have to wait, when that is what the provider said.
    pub fn is_held_off(&mut self, last: &FetchError, now: Timestamp) {
        if last.failure == Failure::Throttled || last.retry_after.is_some() {
            let detail =
                format!("not asked yet, since the provider wants to be left alone; it said: {}", last.detail);
            let (provider, failure) = (self.source.provider(), last.failure);
            let since = self.held_off.as_ref().map_or(now, |held_off| held_off.since);
            self.held_off = Some(Trouble { provider, failure, detail: detail.into(), since });
        }
    }

    /// Notes for the places that would have been asked that they are not, for as long as the provider is left alone.
    pub fn is_left_alone(&mut self, last: &FetchError, now: Timestamp) {
        let detail = format!("not asked: the provider failed several times in a row, last by {last}");
        let error = FetchError::new(Failure::CircuitOpen, detail);
        for place in self.places.iter_mut().filter(|place| place.known.trouble().is_none()) {
            place.known.fails(&error, now);
        }
    }
}
