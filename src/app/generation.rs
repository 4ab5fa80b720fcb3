//! A generation: everything that follows from one configuration, made anew when that changes.
//!
//! What lives as long as the process (listeners, metrics, ledger, certificate, view of the cluster) is in [`Process`]. A
//! request is answered by one generation from beginning to end, so that it never sees half of a change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::accountant::{self, Accountant};
use super::collecting::Collecting;
use super::endpoints::endpoints;
use super::reporting::Reporter;
use super::storage::Storage;
use super::{Role, mirror, sources, static_tables};
use crate::audit::ledger::Ledger;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::decider::{Decider, Settings};
use crate::domain::Snapshot;
use crate::http::live::{Live, MockControl};
use crate::kubernetes::cluster::ClusterView;
use crate::metrics::Metrics;
use crate::providers::grid::GridSource;
use crate::providers::price::PriceSource;
use crate::providers::refresh::{CollectNow, CollectRequests};

/// How long a new generation is waited for until it has joined what the store holds.
const SNAPSHOT_PATIENCE: Duration = Duration::from_millis(500);

/// What lives as long as the process, as far as generations need it.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    pub(super) cluster: Arc<ArcSwap<ClusterView>>,
    pub(super) role: Role,
    /// The cluster whose pods are accounted for, if there is one.
    pub(super) client: Option<kube::Client>,
    /// Becomes true with the first snapshot.
    pub(super) has_snapshot: watch::Sender<bool>,
}

/// A generation that is ready to run, and has started nothing.
pub(super) struct Prepared {
    config: Arc<Config>,
    live: Arc<Live>,
    reporter: Arc<Reporter>,
    snapshot: Arc<ArcSwapOption<Snapshot>>,
    seen: watch::Sender<u64>,
    grid: Vec<Arc<dyn GridSource>>,
    prices: Arc<dyn PriceSource>,
    requests: CollectRequests,
}

/// A generation at work.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) config: Arc<Config>,
    pub(super) live: Arc<Live>,
    pub(super) tasks: JoinSet<&'static str>,
    stop: CancellationToken,
}

impl Process {
    /// Whether this process may be the one that keeps the accounts.
    pub(super) const fn may_account(&self) -> bool {
        self.client.is_some() && self.role.collects()
    }
}

impl Prepared {
    /// Makes everything that can fail, files that the configuration names included.
    ///
    /// # Errors
    /// A provider cannot be set up.
    pub(super) fn new(config: Arc<Config>, process: &Process) -> anyhow::Result<Self> {
        anyhow::ensure!(
            process.role == Role::All || config.store.redis.is_some(),
            "store.redis is missing: processes with a part each share grid data through it"
        );
        let sources::Grid { sources: grid, mock } = sources::grid(&config, &process.catalogue)?;
        let prices = sources::prices(&config, &process.catalogue)?;
        let snapshot = Arc::new(ArcSwapOption::empty());
        let (seen, seen_receiver) = watch::channel(0);
        let (collect, requests) = CollectNow::channel();
        let number = getrandom::u64().context("the operating system gives no random numbers")?;
        let decider = Decider::new(Settings::new(&config), snapshot.clone(), process.cluster.clone(), number);
        let decider = Arc::new(decider);
        let endpoints = endpoints(&config, &decider, &process.metrics, &process.ledger, &process.clock);
        let mock = mock.map(|grid| MockControl {
            grid,
            regions: config.regions.clone(),
            collect,
            seen: seen_receiver,
        });
        let reporter =
            Arc::new(Reporter::new(config.clone(), process.catalogue.clone(), process.clock.clone()));
        let live = Arc::new(Live { endpoints, decider, mock, reports: reporter.clone() });
        Ok(Self { config, live, reporter, snapshot, seen, grid, prices, requests })
    }

    pub(super) const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Starts reading what the store holds; [`Starting::collect`] has to follow.
    pub(super) fn start(self, store: &Storage, process: &Process) -> Starting {
        let Self { config, live, reporter, snapshot, seen, grid, prices, requests } = self;
        reporter.connect(&store.store(), store.books());
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        let joined = seen.subscribe();
        tasks.spawn(mirror::run(
            store.store(),
            static_tables(&config, &process.catalogue),
            snapshot,
            (seen, process.has_snapshot.clone()),
            stop.clone(),
        ));
        let collecting = Collecting { grid, prices, store: store.store(), requests };
        let accountant = process.client.clone().zip(store.books()).map(|(client, books)| Accountant {
            client,
            books,
            history: store.store(),
            decider: live.decider.clone(),
            metrics: process.metrics.clone(),
            ledger: process.ledger.clone(),
            clock: process.clock.clone(),
            limits: accountant::limits(&config),
        });
        Starting { generation: Generation { config, live, tasks, stop }, collecting, accountant, joined }
    }
}

/// A generation that mirrors and does not collect yet.
pub(super) struct Starting {
    pub(super) generation: Generation,
    collecting: Collecting,
    accountant: Option<Accountant>,
    joined: watch::Receiver<u64>,
}

impl Starting {
    /// Waits a moment until decisions see what the store holds.
    pub(super) async fn joined(&mut self) {
        // Without it, decisions are none until there is something: what a restart would do, only shorter.
        let _ = tokio::time::timeout(SNAPSHOT_PATIENCE, self.joined.wait_for(|seen| *seen > 0)).await;
    }

    /// Begins to collect and to account, where this process does. Only one generation at a time may.
    pub(super) fn collect(mut self, process: &Process) -> Generation {
        if process.role.collects() {
            let Generation { config, tasks, stop, .. } = &mut self.generation;
            self.collecting.start(config, (&process.metrics, &process.clock), stop, tasks);
            if let Some(accountant) = self.accountant {
                tasks.spawn(accountant.run(stop.clone()));
            }
        }
        self.generation
    }
}

impl Generation {
    /// Ends all its tasks. Requests that it is answering are answered.
    pub(super) async fn end(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    /// Files that its configuration names and that were read when it was made.
    pub(super) fn files(config: &Config) -> Vec<PathBuf> {
        let replay = config.grid.replay.as_ref().map(|replay| replay.file.clone());
        replay.into_iter().chain(config.prices.file.clone()).collect()
    }
}
