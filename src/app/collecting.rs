//! Starts what brings data: the store's own task, a watch on it, and the collector.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Role, store_watch};
use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::providers::grid::GridSource;
use crate::providers::price::PriceSource;
use crate::providers::refresh::{CollectNow, Collector};
use crate::readiness::Readiness;
use crate::store::SnapshotStore;

/// Where data come from and go to, and whether this process collects them.
pub(super) struct Collecting {
    pub(super) grid: Vec<Arc<dyn GridSource>>,
    pub(super) prices: Arc<dyn PriceSource>,
    pub(super) store: SnapshotStore,
    pub(super) role: Role,
}

impl Collecting {
    /// Starts the tasks; what is given back asks the collector to collect at once.
    pub(super) fn start(
        self,
        config: &Config,
        (metrics, readiness, clock): (&Arc<Metrics>, &Readiness, &Clock),
        stop: &CancellationToken,
        tasks: &mut JoinSet<&'static str>,
    ) -> CollectNow {
        let Self { grid, prices, store, role } = self;
        let (kept, until) = (store.clone(), stop.clone());
        tasks.spawn(async move {
            kept.run(until).await;
            "store"
        });
        if store.is_shared() {
            tasks.spawn(store_watch::run(store.state(), metrics.clone(), readiness.clone(), stop.clone()));
        }
        let (collect, requests) = CollectNow::channel();
        if role.collects() {
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
        collect
    }
}
