//! The collector: the only place that polls providers, judges what they say, and publishes it as a new version.
//!
//! ```text
//! lease ──may I?──> collect ──asks──> providers
//!                      │ <──answers── judged, kept by zone (known), the best of each region chosen (collection)
//!                      └──publishes──> store
//! ```
//!
//! Of all replicas one collects. A zone costs one request an interval, whatever comes back. A region that a provider
//! does not answer for keeps its last reading, which grows old; nothing is made up for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::collection::Collection;
use self::round::Round;
use super::grid::GridSource;
use super::price::PriceSource;
use crate::clock::{Clock, timer_now};
use crate::domain::history::PastReading;
use crate::domain::{RegionName, Regions};
use crate::metrics::Metrics;
use crate::store::SnapshotStore;

mod collection;
mod desk;
mod known;
mod lease;
mod once;
mod prices;
mod round;
mod schedule;
mod under_way;

pub use once::Progress;

/// Nobody who was told to end waits longer for a store to take the last version, or the lock back.
const END_PATIENCE: Duration = Duration::from_secs(1);
/// A store that is slow to tell of the last day is not waited for.
const HISTORY_PATIENCE: Duration = Duration::from_secs(5);
/// The last day, which new words are held against.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What the collector works on.
#[derive(Debug)]
pub struct Collector {
    /// Asked for carbon intensity; their words count in this order.
    pub grid: Vec<Arc<dyn GridSource>>,
    /// Asked for prices.
    pub prices: Arc<dyn PriceSource>,
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

    /// Asks every provider in this process at once; gives the version that was published, or `None` when it could not
    /// be, or this process does not collect.
    pub async fn collect(&self) -> Option<u64> {
        let (reply, version) = oneshot::channel();
        self.0.send(reply).await.ok()?;
        version.await.ok()
    }
}

impl Collector {
    /// Collects while this process may, at every interval and when asked to, until `stop`.
    pub async fn run(self, mut requests: CollectRequests, stop: CancellationToken) {
        let (leads, mut leading) = watch::channel(false);
        let work = async {
            while stop.run_until_cancelled(self.stand_by(&mut leading, &mut requests)).await.is_some() {
                self.metrics.readings().collects(true);
                self.collect(&mut leading, &mut requests, &stop).await;
                self.metrics.readings().collects(false);
            }
        };
        tokio::select! {
            () = lease::keep(&self.store, &leads) => {}
            () = work => {}
        }
        self.metrics.readings().collects(false);
        // Without it the lock runs out by itself.
        let _ = tokio::time::timeout(END_PATIENCE, self.store.resign()).await;
    }

    /// Until this process may collect. Who asks it to meanwhile is told that it does not.
    async fn stand_by(&self, leading: &mut watch::Receiver<bool>, requests: &mut CollectRequests) {
        loop {
            tokio::select! {
                biased;
                () = until(leading, true) => return,
                Some(reply) = requests.recv() => drop(reply),
            }
        }
    }

    /// Until this process may not collect any more, or is to stop. Then what has come in is published, for whoever
    /// collects next would ask for it again.
    async fn collect(
        &self,
        leading: &mut watch::Receiver<bool>,
        requests: &mut CollectRequests,
        stop: &CancellationToken,
    ) {
        let Some(mut round) = stop.run_until_cancelled(Box::pin(self.begin())).await else { return };
        loop {
            let now = timer_now();
            round.ask_what_is_due(now);
            let wake_at = round.wake_at(now);
            // Every branch only waits; the work is done after, so that none is left half done.
            tokio::select! {
                biased;
                () = until(leading, false) => return,
                () = stop.cancelled() => {
                    if round.publish_at.is_some() {
                        let _ = tokio::time::timeout(END_PATIENCE, round.publish()).await;
                    }
                    return;
                }
                Some(reply) = requests.recv() => {
                    round.ask_memory().await;
                    if let Some(version) = round.publish().await {
                        // Whoever asked may have gone.
                        let _ = reply.send(version);
                    }
                }
                (ticket, came) = round.under_way.next() => round.take(ticket, came),
                () = tokio::time::sleep_until(wake_at) => {}
            }
            if round.memory_due <= timer_now() {
                round.ask_memory().await;
            }
            if round.publish_at.is_some_and(|at| at <= timer_now()) {
                round.publish().await;
            }
        }
    }

    /// Takes over from whoever collected before.
    async fn begin(&self) -> Round<'_> {
        let (now, timer) = (self.clock.now(), timer_now());
        let mut collection = self.collection(timer);
        let last = self.store.latest().await.ok().flatten();
        if let Some(last) = &last {
            let past = tokio::time::timeout(HISTORY_PATIENCE, self.last_day(&collection, now)).await;
            let past = past.unwrap_or_default();
            collection.inherit(last, &past, now, timer);
        }
        let mut round = Round::new(self, collection, last.map_or(0, |last| last.version), timer);
        round.begin(now, timer);
        round
    }

    fn collection(&self, timer: Instant) -> Collection {
        Collection::new(
            &self.grid,
            (self.prices.clone(), self.price_interval),
            self.regions.clone(),
            self.grid_max_age,
            self.metrics.clone(),
            timer,
        )
    }

    /// What was kept of the last day, for providers on a network. Without it, values are held against less.
    async fn last_day(
        &self,
        collection: &Collection,
        now: Timestamp,
    ) -> HashMap<RegionName, Vec<PastReading>> {
        let mut past = HashMap::new();
        if !collection.desks.iter().any(desk::Desk::is_on_a_network) {
            return past;
        }
        let from = now.saturating_sub(DAY).unwrap_or(Timestamp::MIN);
        for (_, region) in self.regions.iter() {
            match self.store.history(&region.name, from, now).await {
                Ok(readings) => past.insert(region.name.clone(), readings),
                Err(_) => break,
            };
        }
        past
    }
}

/// Until this process may collect, or may not any more.
async fn until(leading: &mut watch::Receiver<bool>, wanted: bool) {
    // The sender lives as long as the collector.
    let _ = leading.wait_for(|leads| *leads == wanted).await;
}

#[cfg(test)]
mod tests;
