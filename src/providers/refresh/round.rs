//! The time as collector, from taking over until the right is lost: asks what is due, takes in what comes back, publishes.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::super::grid::Question;
use super::Collector;
use super::collection::Collection;
use super::desk::Desk;
use super::schedule::Next;
use super::under_way::{Came, Ticket, UnderWay};
use crate::clock::timer_now;
use crate::store::StoreError;

/// The first version of a new collector waits so long for all answers, so that it is whole; then it goes without.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);
/// What comes in within so long, or within a quarter of the interval, goes into one version.
const GATHER: Duration = Duration::from_secs(1);
/// How long questions wait for the provider to say which it allows.
const PROBE_PATIENCE: Duration = Duration::from_secs(3);
/// What a provider allows is asked again after so long: plans change.
const PROBE_EVERY: Duration = Duration::from_hours(6);
/// A version that could not be published is tried again after so long.
const RETRY_PUBLISH: Duration = Duration::from_secs(1);

/// The time as collector from when it begins until it ends.
#[derive(Debug)]
pub struct Round<'c> {
    /// Whose time it is.
    pub collector: &'c Collector,
    /// What is known.
    pub collection: Collection,
    /// What was asked and not yet answered.
    pub under_way: UnderWay,
    /// When providers in this process are asked next.
    pub memory_due: Instant,
    /// When providers are asked next what they allow.
    probe_due: Instant,
    /// Whether they were asked before.
    probed: bool,
    /// When what has come in since the last version is published; `None` while nothing has.
    pub publish_at: Option<Instant>,
    /// While this collector has published nothing yet: until when its first version waits to be whole.
    whole_by: Option<Instant>,
    /// The newest version that is taken into account in what is known.
    base: u64,
}

impl<'c> Round<'c> {
    /// A round in which nothing was asked yet, on top of version `base`.
    #[must_use]
    pub fn new(collector: &'c Collector, collection: Collection, base: u64, timer: Instant) -> Self {
        Self {
            collector,
            collection,
            under_way: UnderWay::default(),
            memory_due: timer,
            probe_due: timer,
            probed: false,
            publish_at: None,
            whole_by: Some(timer + FIRST_PATIENCE),
            base,
        }
    }

    /// Begins to ask: each place an interval after it was last asked about, by whomever.
    pub fn begin(&mut self, now: Timestamp, timer: Instant) {
        for desk in &mut self.collection.desks {
            if desk.is_on_a_network() {
                desk.begin(self.collector.grid_interval, now, timer);
            }
        }
    }

    /// Whether a place is to be asked about as soon as the pace allows.
    #[must_use]
    pub fn is_any_due(&self, timer: Instant) -> bool {
        let mut schedules = self.collection.desks.iter().filter_map(|desk| desk.schedule.as_ref());
        schedules.any(|schedule| schedule.is_due(timer))
    }

    /// Starts every request whose time has come.
    pub fn ask_what_is_due(&mut self, timer: Instant) {
        let now = self.collector.clock.now();
        if self.probe_due <= timer {
            let is_first = !self.probed;
            (self.probe_due, self.probed) = (timer + PROBE_EVERY, true);
            self.probe(timer, is_first);
        }
        if self.collection.prices.due() <= timer {
            self.collection.prices.started(timer);
            let (source, regions) = (self.collection.prices.source.clone(), self.collector.regions.clone());
            self.under_way.start(Ticket::Prices { asked_at: now }, async move {
                Came::Prices(source.ask(&regions, now).await)
            });
        }
        for (index, desk) in self.collection.desks.iter_mut().enumerate() {
            while let Some(Next::Ask(place)) = desk.schedule.as_ref().map(|schedule| schedule.next(timer)) {
                let question = desk.question(place, now);
                let (source, region) = (desk.source.clone(), desk.places[place].region.clone());
                if let Some(schedule) = &mut desk.schedule {
                    schedule.started(place, timer, random());
                }
                let ticket = Ticket::Grid { desk: index, place, question, asked_at: now };
                self.under_way
                    .start(ticket, async move { Came::Grid(source.ask(&region, question, now).await) });
            }
        }
    }

    /// Questions wait for the first answer; later ones go on by what was allowed before.
    fn probe(&mut self, timer: Instant, is_first: bool) {
        let probed = self.collection.desks.iter_mut().enumerate().filter(|(_, desk)| desk.source.is_probed());
        for (index, desk) in probed {
            if let Some(schedule) = &mut desk.schedule {
                if is_first {
                    schedule.hold(timer, PROBE_PATIENCE);
                }
                let source = desk.source.clone();
                self.under_way
                    .start(Ticket::Probe { desk: index }, async move { Came::Probe(source.probe().await) });
            }
        }
    }

    /// Takes in what came back.
    pub fn take(&mut self, ticket: Ticket, came: Came) {
        let timer = timer_now();
        match (ticket, came) {
            (Ticket::Grid { desk, place, question, asked_at }, Came::Grid(result)) => {
                self.collection.take_grid(desk, place, question, result, (asked_at, timer));
            }
            (Ticket::Probe { desk }, Came::Probe(result)) => {
                let wait = result.as_ref().err().and_then(|error| error.retry_after);
                self.collection.take_access(desk, result, self.collector.clock.now());
                if let Some(schedule) = self.collection.desks[desk].schedule.as_mut() {
                    schedule.release(timer, PROBE_PATIENCE);
                    schedule.hold(timer, wait.unwrap_or_default());
                }
            }
            (Ticket::Prices { asked_at }, Came::Prices(result)) => {
                self.collection.take_prices(result, (asked_at, timer));
            }
            // A ticket and what came of it are of one kind.
            _ => return,
        }
        self.changed(timer);
    }

    /// Something is to be published: soon, together with what else comes in; the first time, when it is whole.
    fn changed(&mut self, timer: Instant) {
        let is_whole = self.under_way.is_empty() && !self.is_any_due(timer);
        let asks_networks = self.collection.desks.iter().any(Desk::is_on_a_network);
        let at = match self.whole_by {
            Some(latest) => {
                if is_whole {
                    timer
                } else {
                    latest
                }
            }
            None if asks_networks => timer + GATHER.min(self.collector.grid_interval / 4),
            None => timer,
        };
        self.publish_at = Some(self.publish_at.map_or(at, |before| before.min(at)));
    }

    /// Asks the providers that are in this process about every region.
    pub async fn ask_memory(&mut self) {
        let (now, timer) = (self.collector.clock.now(), timer_now());
        // After a machine was asleep one round is enough.
        self.memory_due = timer + self.collector.grid_interval;
        let mut asked = false;
        for index in 0..self.collection.desks.len() {
            let desk = &self.collection.desks[index];
            if desk.is_on_a_network() {
                continue;
            }
            let source = desk.source.clone();
            for place in 0..desk.places.len() {
                let region = self.collection.desks[index].places[place].region.clone();
                let result = source.ask(&region, Question::Latest, now).await;
                self.collection.take_grid(index, place, Question::Latest, result, (now, timer));
                asked = true;
            }
        }
        if asked {
            self.changed(timer);
        }
    }

    /// Publishes what is known; gives the version, or `None` when it could not be: then it is tried again.
    pub async fn publish(&mut self) -> Option<u64> {
        let now = self.collector.clock.now();
        self.catch_up(now);
        let readings = self.collection.readings(now);
        match self.collector.store.publish(readings).await {
            Ok(published) => {
                self.publish_at = None;
                self.whole_by = None;
                self.base = published.version;
                // The accounts can do without what the store could not take; the store says what is wrong with it.
                let past = self.collection.take_past(&published);
                let _ = self.collector.store.remember(&past, now).await;
                Some(published.version)
            }
            Err(error) => {
                if let StoreError::Outdated { .. } = error {
                    // The store has told this process of it by now, or does before the next try.
                    tracing::info!(%error, "somebody else has published");
                }
                self.publish_at = Some(timer_now() + RETRY_PUBLISH);
                None
            }
        }
    }

    /// Another process may have collected while this one was asleep and its lock ran out, or while the store could not
    /// be asked at the beginning: what it knows better goes into what is published next.
    fn catch_up(&mut self, now: Timestamp) {
        let held = self.collector.store.subscribe().borrow().clone();
        if let Some(held) = held.filter(|held| held.version > self.base) {
            self.collection.inherit(&held, &HashMap::new(), now, timer_now());
            self.base = held.version;
        }
    }

    /// When there is something to do next, if nothing comes in before.
    pub fn wake_at(&self, timer: Instant) -> Instant {
        let schedules = self.collection.desks.iter().filter_map(|desk| desk.schedule.as_ref());
        let asks = schedules.filter_map(|schedule| match schedule.next(timer) {
            Next::Ask(_) => Some(timer),
            Next::At(at) => Some(at),
            Next::Wait => None,
        });
        let others = [self.memory_due, self.probe_due, self.collection.prices.due()];
        asks.chain(others).chain(self.publish_at).min().unwrap_or(timer)
    }
}

/// From 0 to 1. Without random numbers nothing is jittered, which costs nothing but the drift.
fn random() -> f64 {
    getrandom::u32().map_or(0.0, |number| f64::from(number) / f64::from(u32::MAX))
}
