//! All that the collector knows, of every provider, and what it makes of it: the readings of one version.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::super::FetchError;
use super::super::grid::{Access, Answer, GridSource, Question};
use super::super::price::{PriceSource, PricesByRegion};
use super::desk::Desk;
use super::known::{Known, best};
use super::prices::{PriceDesk, PriceNews};
use crate::domain::history::PastReading;
use crate::domain::snapshot::{Failure, GridProvider, GridReading, Readings, RegionReadings, Trouble};
use crate::domain::{Region, RegionName, Regions};
use crate::metrics::Metrics;

/// What is known, and of whom.
#[derive(Debug)]
pub struct Collection {
    regions: Arc<Regions>,
    max_age: SignedDuration,
    /// Providers of grid data in the order in which their words count.
    pub desks: Vec<Desk>,
    /// The provider of prices.
    pub prices: PriceDesk,
    /// Whether what is wrong with providers that were not needed is told too: of interest to who looks once.
    pub tells_all: bool,
    /// Readings that are to be remembered for the accounts.
    unremembered: Vec<PastReading>,
    metrics: Arc<Metrics>,
}

impl Collection {
    /// Nothing yet.
    #[must_use]
    pub fn new(
        grid: &[Arc<dyn GridSource>],
        prices: (Arc<dyn PriceSource>, Duration),
        regions: Arc<Regions>,
        max_age: SignedDuration,
        metrics: Arc<Metrics>,
        timer: Instant,
    ) -> Self {
        let desks = grid.iter().map(|source| Desk::new(source.clone(), &regions, max_age)).collect();
        let prices = PriceDesk::new(prices.0, prices.1, &regions, timer);
        for source in grid {
            metrics.readings().asking(source.provider().as_str());
        }
        Self { regions, max_age, desks, prices, tells_all: false, unremembered: Vec::new(), metrics }
    }

    /// Takes over what the collector before this one has published, and the last day as it was kept.
    pub fn inherit(
        &mut self,
        readings: &Readings,
        past: &HashMap<RegionName, Vec<PastReading>>,
        now: Timestamp,
        timer: Instant,
    ) {
        for desk in self.desks.iter_mut().filter(|desk| desk.is_on_a_network()) {
            desk.inherit(readings, past, now);
        }
        self.prices.inherit(readings, &self.regions, now, timer);
    }

    /// Takes in what came of asking a provider about a place.
    pub fn take_grid(
        &mut self,
        desk: usize,
        place: usize,
        question: Question,
        result: Result<Answer, FetchError>,
        (asked_at, timer): (Timestamp, Instant),
    ) {
        let Some(desk) = self.desks.get_mut(desk) else { return };
        let provider = desk.source.provider();
        let failure = result.as_ref().err().map(|error| error.failure);
        if let Some(schedule) = &mut desk.schedule {
            desk.held_off = desk.held_off.take().filter(|_| result.is_err());
            let was_open = schedule.is_open();
            schedule.finished(place, timer, result.as_ref().err(), question == Question::Latest);
            let is_open = schedule.is_open();
            self.metrics.readings().circuit(provider.as_str(), is_open);
            if let Err(error) = &result {
                desk.is_held_off(error, asked_at);
                if is_open {
                    desk.is_left_alone(error, asked_at);
                }
            }
            match (was_open, is_open) {
                (false, true) => tracing::warn!(
                    provider = provider.as_str(),
                    "the provider fails again and again; it is left alone for a while, then asked once"
                ),
                (true, false) => tracing::info!(provider = provider.as_str(), "the provider answers again"),
                _ => {}
            }
        }
        let Some(place) = desk.places.get_mut(place) else { return };
        let taken = place.known.take(question, result, asked_at);
        // An answer may have been one, and of no use.
        let useless = || place.known.trouble().map(|trouble| trouble.failure);
        let result = failure.or_else(useless).map_or("ok", Failure::as_str);
        self.metrics.readings().provider_request(&format!("grid/{}", provider.as_str()), result);
        for why in taken.refused {
            self.metrics.readings().reading_refused(provider.as_str(), why.as_str());
        }
        let zone =
            place.region.zone.as_ref().map_or_else(|| place.region.name.as_str(), |zone| zone.as_str());
        if let Some(trouble) = taken.began {
            tell_of(zone, &trouble);
        }
        // Who was not asked has nothing to tell of.
        if let Some(failure) = taken.ended.filter(|failure| *failure != Failure::CircuitOpen) {
            tracing::info!(
                provider = provider.as_str(),
                zone,
                after = failure.as_str(),
                "a zone's grid data are refreshed again"
            );
        }
        if question == Question::History {
            let stands_for = self.regions.iter().filter(|(_, region)| region.zone == place.region.zone);
            let stands_for: Vec<RegionName> = stands_for.map(|(_, region)| region.name.clone()).collect();
            for reading in taken.accepted {
                let of = |region: &RegionName| PastReading::of(region.clone(), &reading);
                self.unremembered.extend(stands_for.iter().map(of));
            }
        }
    }

    /// Takes in what a provider allows to be asked.
    pub fn take_access(&mut self, desk: usize, result: Result<Access, FetchError>, now: Timestamp) {
        let Some(desk) = self.desks.get_mut(desk) else { return };
        let provider = desk.source.provider().as_str();
        let outcome = result.as_ref().map_or_else(|error| error.failure.as_str(), |_| "ok");
        self.metrics.readings().provider_request(&format!("grid/{provider}"), outcome);
        match result {
            Ok(access) => {
                for (zone, trouble) in desk.learn(access, now) {
                    tell_of(&zone, &trouble);
                }
            }
            Err(error) => tracing::warn!(
                provider,
                %error,
                cure = error.failure.cure(),
                "what the token may read could not be asked; each zone will tell"
            ),
        }
    }

    /// Takes in what came of asking for prices.
    pub fn take_prices(
        &mut self,
        result: Result<PricesByRegion, FetchError>,
        (asked_at, timer): (Timestamp, Instant),
    ) {
        let provider = self.prices.source.provider().as_str();
        let outcome = result.as_ref().map_or_else(|error| error.failure.as_str(), |_| "ok");
        self.metrics.readings().provider_request(&format!("prices/{provider}"), outcome);
        match self.prices.take(result, asked_at, timer) {
            PriceNews::Began(trouble) => tracing::warn!(
                provider,
                failure = trouble.failure.as_str(),
                detail = &*trouble.detail,
                cure = trouble.failure.cure(),
                "prices cannot be refreshed; the last ones grow old"
            ),
            PriceNews::Good(Some(trouble)) => {
                tracing::info!(provider, after = trouble.failure.as_str(), "prices are refreshed again");
            }
            PriceNews::Good(None) | PriceNews::GoesOn => {}
        }
    }

    /// What is known now, as one version without a number.
    #[must_use]
    pub fn readings(&self, now: Timestamp) -> Readings {
        let regions: BTreeMap<RegionName, RegionReadings> =
            self.regions.iter().map(|(_, region)| (region.name.clone(), self.region(region, now))).collect();
        Readings {
            version: 0,
            captured_at: now,
            regions,
            price_provider: Some(self.prices.source.provider()),
            prices_asked_at: self.prices.asked_at(),
            price_trouble: self.prices.trouble().cloned(),
        }
    }

    fn region(&self, region: &Region, now: Timestamp) -> RegionReadings {
        let name = &region.name;
        let known = || self.desks.iter().filter_map(|desk| desk.known(name));
        let grid = best(known(), now, self.max_age);
        // Who stands behind the one whose word counts was not needed, whatever is wrong with him.
        let provider = grid.known().map(|reading| reading.provider);
        let counts = self.desks.iter().position(|desk| Some(desk.source.provider()) == provider);
        let needed = counts.filter(|_| !self.tells_all).map_or(usize::MAX, |index| index + 1);
        let asked = self.desks.iter().take(needed);
        RegionReadings {
            zone: region.zone.clone(),
            grid,
            asked_at: known().next().and_then(Known::asked_at),
            trouble: asked.filter_map(|desk| desk.trouble(name)).cloned().collect(),
            prices: self.prices.prices(name),
        }
    }

    /// The readings to remember for the accounts: those that counted in `readings`, and what the providers told of the
    /// last day since this was last asked.
    pub fn take_past(&mut self, readings: &Readings) -> Vec<PastReading> {
        let mut past = std::mem::take(&mut self.unremembered);
        for (name, region) in &readings.regions {
            if let GridReading::Known(reading) = &region.grid {
                past.push(PastReading::of(name.clone(), reading));
            }
        }
        past
    }
}

fn tell_of(zone: &str, trouble: &Trouble<GridProvider>) {
    tracing::warn!(
        provider = trouble.provider.as_str(),
        zone,
        failure = trouble.failure.as_str(),
        detail = &*trouble.detail,
        cure = trouble.failure.cure(),
        "a zone's grid data cannot be refreshed; its last reading grows old"
    );
}
