//! What the provider of prices has said, and when it is asked again.
//!
//! A region it says nothing new of keeps its last prices; those a feed reported grow old and stop to count.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::super::FetchError;
use super::super::grid::Reach;
use super::super::price::{PriceSource, PricesByRegion};
use crate::domain::snapshot::{Price, PriceProvider, Readings, Trouble};
use crate::domain::{RegionName, Regions};

/// After a failure it is asked again after so long, then after twice that, and so on up to its interval.
const RETRY: Duration = Duration::from_mins(1);

/// The provider of prices and what it has said.
#[derive(Debug)]
pub struct PriceDesk {
    /// The provider.
    pub source: Arc<dyn PriceSource>,
    interval: Duration,
    prices: PricesByRegion,
    asked_at: Option<Timestamp>,
    trouble: Option<Trouble<PriceProvider>>,
    failures: u32,
    due: Instant,
}

/// What changed with an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum PriceNews {
    /// Prices come again after this failure, or go on coming.
    Good(Option<Trouble<PriceProvider>>),
    /// A failure began, or another one than before.
    Began(Trouble<PriceProvider>),
    /// The same failure goes on.
    GoesOn,
}

impl PriceDesk {
    /// A provider nobody has asked yet.
    #[must_use]
    pub fn new(source: Arc<dyn PriceSource>, interval: Duration, regions: &Regions, timer: Instant) -> Self {
        let prices = source.beforehand(regions);
        Self { source, interval, prices, asked_at: None, trouble: None, failures: 0, due: timer }
    }

    /// Takes over what another collector has published, unless that asked somebody else, or for fewer regions, or
    /// longer ago than this one. What is at hand in this process is read anew: it may have changed with the release, or
    /// with the file.
    pub fn inherit(&mut self, readings: &Readings, regions: &Regions, now: Timestamp, timer: Instant) {
        let is_whole = regions.iter().all(|(_, region)| readings.regions.contains_key(&region.name));
        let is_of_another = readings.price_provider != Some(self.source.provider());
        let is_older = readings.prices_asked_at <= self.asked_at;
        if self.source.reach() == Reach::Memory || !is_whole || is_of_another || is_older {
            return;
        }
        self.asked_at = readings.prices_asked_at;
        self.trouble.clone_from(&readings.price_trouble);
        let of = |(name, region): (&RegionName, &crate::domain::snapshot::RegionReadings)| {
            (name.clone(), region.prices.clone())
        };
        self.prices = readings.regions.iter().map(of).collect();
        let interval = SignedDuration::try_from(self.interval).unwrap_or(SignedDuration::MAX);
        let due = self.asked_at.and_then(|at| at.saturating_add(interval).ok()).unwrap_or(now);
        let is_well = self.trouble.is_none();
        let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default().min(self.interval);
        self.due = if is_well { timer + wait } else { timer };
    }

    /// When it is asked next.
    #[must_use]
    pub const fn due(&self) -> Instant {
        self.due
    }

    /// A request starts.
    pub fn started(&mut self, timer: Instant) {
        self.due = timer + self.interval;
    }

    /// A request has come back.
    pub fn take(
        &mut self,
        result: Result<PricesByRegion, FetchError>,
        now: Timestamp,
        timer: Instant,
    ) -> PriceNews {
        // Not before: who takes over would wait for an answer that died with the one that asked.
        self.asked_at = Some(now);
        let failed = match result {
            Ok(prices) => {
                self.prices.extend(prices);
                self.source.shortfall()
            }
            Err(error) => Some(error),
        };
        match failed {
            None => {
                self.failures = 0;
                PriceNews::Good(self.trouble.take())
            }
            Some(error) => {
                let wait = RETRY.saturating_mul(1 << self.failures.min(10)).min(self.interval);
                self.due = timer + wait.max(error.retry_after.unwrap_or_default());
                self.failures = self.failures.saturating_add(1);
                let before = self.trouble.as_ref().filter(|trouble| trouble.failure == error.failure);
                let trouble = Trouble {
                    provider: self.source.provider(),
                    failure: error.failure,
                    detail: error.detail,
                    since: before.map_or(now, |trouble| trouble.since),
                };
                let is_news = before.is_none();
                self.trouble = Some(trouble.clone());
                if is_news { PriceNews::Began(trouble) } else { PriceNews::GoesOn }
            }
        }
    }

    /// The last prices of a region.
    #[must_use]
    pub fn prices(&self, region: &RegionName) -> Vec<Price> {
        self.prices.get(region).cloned().unwrap_or_default()
    }

    /// When it was last asked.
    #[must_use]
    pub const fn asked_at(&self) -> Option<Timestamp> {
        self.asked_at
    }

    /// What is wrong at present.
    #[must_use]
    pub const fn trouble(&self) -> Option<&Trouble<PriceProvider>> {
        self.trouble.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::timer_now;
    use crate::domain::snapshot::Failure;
    use crate::providers::grid::Asked;

    /// Answers with prices of one region, and lacks the others.
    #[derive(Debug)]
    struct Half;

    impl PriceSource for Half {
        fn provider(&self) -> PriceProvider {
            PriceProvider::AzureRetail
        }

        fn reach(&self) -> Reach {
            Reach::Network
        }

        fn shortfall(&self) -> Option<FetchError> {
            let retry_after = Some(Duration::from_mins(3));
            Some(FetchError { retry_after, ..FetchError::new(Failure::Throttled, "westeurope: too often") })
        }

        fn ask<'a>(&'a self, _: &'a Regions, _: Timestamp) -> Asked<'a, PricesByRegion> {
            Box::pin(async { Ok(PricesByRegion::new()) })
        }
    }

    #[test]
    fn what_an_answer_lacks_is_told_and_asked_for_again_before_the_interval_is_over() {
        let timer = timer_now();
        let mut desk = PriceDesk::new(Arc::new(Half), Duration::from_hours(1), &Regions::default(), timer);
        desk.started(timer);
        let answer = PricesByRegion::from([("eastus".into(), Vec::new())]);
        let news = desk.take(Ok(answer), Timestamp::UNIX_EPOCH, timer);
        assert!(matches!(news, PriceNews::Began(_)), "{news:?}");
        assert_eq!(desk.trouble().map(|trouble| trouble.failure), Some(Failure::Throttled));
        assert_eq!(desk.due(), timer + Duration::from_mins(3), "as the provider asks");
    }
}
