//! The collector: the only place that polls providers, and publishes what they say as a new version.
//!
//! A region that a provider does not answer for keeps its last reading, which grows old; nothing is made up for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::grid::{GridChain, GridError};
use super::price::PriceSource;
use crate::clock::Clock;
use crate::domain::snapshot::{Price, Readings, RegionReadings};
use crate::domain::{RegionName, Regions};
use crate::metrics::{FetchResult, Metrics};
use crate::store::{SnapshotStore, StoreError};

/// What the collector works on.
#[derive(Debug)]
pub struct Collector {
    /// Asked for carbon intensity, in this order.
    pub grid: GridChain,
    /// Asked for prices.
    pub prices: PriceSource,
    /// For these regions.
    pub regions: Arc<Regions>,
    /// How long a provider's last word goes before another provider's.
    pub grid_max_age: SignedDuration,
    /// How often the grid is asked.
    pub grid_interval: Duration,
    /// How often prices are asked.
    pub price_interval: Duration,
    /// Where versions go.
    pub store: SnapshotStore,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// What time it is.
    pub clock: Clock,
}

/// A round of collecting failed; the last version stays.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The grid provider did not answer.
    #[error("grid provider: {0}")]
    Grid(#[from] GridError),
    /// The store did not take the version.
    #[error("store: {0}")]
    Store(#[from] StoreError),
}

/// Asks a running collector to collect at once.
#[derive(Clone, Debug)]
pub struct CollectNow(mpsc::Sender<oneshot::Sender<u64>>);

/// The requests of [`CollectNow`].
pub type CollectRequests = mpsc::Receiver<oneshot::Sender<u64>>;

impl CollectNow {
    /// A handle, and the requests for the collector to take.
    #[must_use]
    pub fn channel() -> (Self, CollectRequests) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }

    /// Collects at once; gives the version that was published, or `None` when the round failed or nobody collects.
    pub async fn collect(&self) -> Option<u64> {
        let (reply, version) = oneshot::channel();
        self.0.send(reply).await.ok()?;
        version.await.ok()
    }
}

impl Collector {
    /// Collects at every interval, and when asked to, until `stop`.
    pub async fn run(self, mut requests: CollectRequests, stop: CancellationToken) {
        // Prices first, so that the first version has both. Two timers that are due at once do not fire in a given
        // order: a version without prices would stand until the grid is next asked.
        let mut prices = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            prices = self.fetch_prices() => prices,
        };
        let mut prices_due = tokio::time::interval(self.price_interval);
        prices_due.reset();
        let mut grid_due = tokio::time::interval(self.grid_interval);
        // After a machine was asleep one round is enough.
        grid_due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        prices_due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            // Every branch only waits; the work is done after, so that none is left half done.
            let reply = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = prices_due.tick() => {
                    prices = self.fetch_prices().await;
                    continue;
                }
                Some(reply) = requests.recv() => Some(reply),
                _ = grid_due.tick() => None,
            };
            let collected = self.collect(&prices).await;
            // Said once per change, not once per round.
            match (&collected, failing) {
                (Err(error), false) => {
                    tracing::warn!(%error, "grid data cannot be refreshed; the last ones grow old");
                }
                (Ok(version), true) => tracing::info!(version, "grid data are refreshed again"),
                _ => {}
            }
            failing = collected.is_err();
            if let (Some(reply), Ok(version)) = (reply, collected) {
                // Whoever asked may have gone.
                let _ = reply.send(version);
            }
        }
    }

    async fn fetch_prices(&self) -> BTreeMap<RegionName, Vec<Price>> {
        let prices = self.prices.fetch(&self.regions).await;
        self.metrics
            .provider_request(&format!("prices/{}", self.prices.provider().as_str()), FetchResult::Ok);
        prices
    }

    /// One round: asks the grid, keeps what is left of the last version, publishes.
    async fn collect(&self, prices: &BTreeMap<RegionName, Vec<Price>>) -> Result<u64, CollectError> {
        let now = self.clock.now();
        let fetched = self.grid.fetch(&self.regions, now, |provider, result| {
            self.metrics.provider_request(&format!("grid/{}", provider.as_str()), result);
        });
        let fetched = fetched.await?;
        let last = self.store.latest().await?;
        let version = last.as_ref().map_or(0, |last| last.version) + 1;
        let regions = self
            .regions
            .iter()
            .map(|(_, region)| {
                let name = &region.name;
                let last = last.as_ref().and_then(|last| last.regions.get(name)).map(|last| &last.grid);
                let grid = fetched.best(name, last, now, self.grid_max_age);
                let prices = prices.get(name).cloned().unwrap_or_default();
                (name.clone(), RegionReadings { grid, prices })
            })
            .collect();
        self.publish(Readings { version, captured_at: now, regions }).await
    }

    async fn publish(&self, readings: Readings) -> Result<u64, CollectError> {
        let version = readings.version;
        self.store.put(Arc::new(readings)).await?;
        Ok(version)
    }
}

/// Fetches everything once, without publishing: what `check` and `explain` look at.
///
/// # Errors
/// The grid provider does not answer.
pub async fn fetch_once(
    grid: &GridChain,
    prices: &PriceSource,
    regions: &Regions,
    now: Timestamp,
) -> Result<Readings, GridError> {
    let fetched = grid.fetch(regions, now, |_, _| {}).await?;
    let mut prices = prices.fetch(regions).await;
    let regions = regions
        .iter()
        .map(|(_, region)| {
            let grid = fetched.best(&region.name, None, now, SignedDuration::ZERO);
            let prices = prices.remove(&region.name).unwrap_or_default();
            (region.name.clone(), RegionReadings { grid, prices })
        })
        .collect();
    Ok(Readings { version: 1, captured_at: now, regions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::config::Config;
    use crate::domain::units::GramsPerKwh;
    use crate::providers::grid::{GridSource, MockGrid};
    use crate::providers::price::CataloguePrices;
    use crate::store::MemoryStore;

    struct Running {
        grid: Arc<MockGrid>,
        store: SnapshotStore,
        collect: CollectNow,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    fn run() -> Running {
        let catalogue = Arc::new(Catalogue::built_in().unwrap());
        let config = Config::parse("regions: [{name: westeurope}]", &*catalogue).unwrap();
        let grid = Arc::new(MockGrid::new([("westeurope".into(), GramsPerKwh(400.0))].into()));
        let store = SnapshotStore::Memory(MemoryStore::default());
        let (collect, requests) = CollectNow::channel();
        let collector = Collector {
            grid: GridChain::new(GridSource::Mock(grid.clone()), []),
            prices: PriceSource::Catalogue(CataloguePrices::new(catalogue)),
            regions: config.regions.clone(),
            grid_max_age: config.policy().grid_max_age,
            grid_interval: config.grid.refresh,
            price_interval: config.prices.refresh,
            store: store.clone(),
            metrics: Arc::new(Metrics::new().unwrap()),
            clock: Clock::system(),
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(collector.run(requests, stop.clone()));
        Running { grid, store, collect, stop, task }
    }

    async fn version(store: &SnapshotStore, wanted: u64) -> Arc<Readings> {
        let mut versions = store.subscribe();
        let seen = versions.wait_for(|latest| latest.as_ref().is_some_and(|latest| latest.version == wanted));
        seen.await.unwrap().clone().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_version_has_grid_data_and_prices() {
        let running = run();
        let first = version(&running.store, 1).await;
        let here = &first.regions[&"westeurope".into()];
        assert!(here.grid.known().is_some());
        assert!(!here.prices.is_empty());
        running.stop.cancel();
        running.task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_that_fails_leaves_the_last_version_and_the_next_one_goes_on() {
        let running = run();
        version(&running.store, 1).await;
        running.grid.unplug();
        assert_eq!(running.collect.collect().await, None, "nothing was published");
        assert_eq!(running.store.latest().await.unwrap().map(|latest| latest.version), Some(1));
        running.stop.cancel();
        running.task.await.unwrap();
        assert_eq!(running.collect.collect().await, None, "nobody collects any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_that_was_set_is_published_at_once() {
        let running = run();
        version(&running.store, 1).await;
        running.grid.set("westeurope".into(), GramsPerKwh(700.0));
        let published = running.collect.collect().await.unwrap();
        let latest = version(&running.store, published).await;
        let grid = &latest.regions[&"westeurope".into()].grid;
        assert_eq!(grid.known().map(|reading| reading.intensity), Some(GramsPerKwh(700.0)));
        running.stop.cancel();
        running.task.await.unwrap();
    }
}
