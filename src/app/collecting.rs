//! Starts the collector of a generation.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::providers::grid::GridSource;
use crate::providers::price::PriceSource;
use crate::providers::refresh::{CollectRequests, Collector};
use crate::store::SnapshotStore;

/// Where data come from and go to.
pub(super) struct Collecting {
    pub(super) grid: Vec<Arc<dyn GridSource>>,
    pub(super) prices: Arc<dyn PriceSource>,
    pub(super) store: SnapshotStore,
    pub(super) requests: CollectRequests,
}

impl Collecting {
    /// Starts the task.
    pub(super) fn start(
        self,
        config: &Config,
        (metrics, clock): (&Arc<Metrics>, &Clock),
        stop: &CancellationToken,
        tasks: &mut JoinSet<&'static str>,
    ) {
        let Self { grid, prices, store, requests } = self;
        let collector = Collector {
            grid,
            prices,
            regions: config.regions.clone(),
            grid_max_age: config.policy().grid_max_age,
            grid_interval: config.grid.refresh,
            price_interval: config.prices.refresh,
            store,
            metrics: metrics.clone(),
            clock: clock.clone(),
        };
        let until = stop.clone();
        tasks.spawn(async move {
            collector.run(requests, until).await;
            "collector"
        });
    }
}
