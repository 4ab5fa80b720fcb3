//! Wires everything and owns every task: the only module that sees all others.
//!
//! ```text
//! grid, prices ─> collector ─> store ─> mirror ─> Arc<Snapshot> in memory <─ decider <─ webhook, extender
//!                                                                               │
//!                                          metrics, ledger <── fail-open layer ─┘
//! ```
//!
//! A task that ends before it was told to ends the process: a replica that looks healthy and does nothing is worse than
//! one that is restarted.

mod accountant;
mod cluster;
mod collecting;
mod duties;
mod endpoints;
mod generation;
mod identity;
mod keeper;
mod keeping;
mod kubernetes;
mod listeners;
mod mirror;
mod reporting;
mod role;
mod sources;
mod storage;
mod store_watch;
mod stored_ledger;
mod watchdog;
mod watched_files;

use std::fmt;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::cluster::Cluster;
use self::generation::{Prepared, Process};
use self::identity::{CERTIFICATE, Identity};
use self::keeper::{Keeper, WatchedConfig};
use self::keeping::{Keeping, Kept, watch_ledger};
use self::listeners::listen;
use self::storage::Storage;
use crate::audit::ledger::Writer;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::cluster::view::KINDS;
use crate::config::Config;
use crate::decider::Decider;
use crate::http::admin::{Admin, admin};
use crate::http::live::LiveView;
use crate::http::router::webhook;
use crate::http::server::{ShutdownStages, Transport, bind};
use crate::kubernetes::cluster::ClusterView;
use crate::liveness::Stuck;
use crate::metrics::{Counting, Metrics};
use crate::providers::grid::MockGrid;
use crate::readiness::Readiness;
use crate::store::Timing;
use crate::telemetry::LogLevel;
use crate::tls::server_config;

pub use accountant::{BookError, Bookkeeper};
pub use kubernetes::Kubernetes;
pub use reporting::{Reporter, gather};
pub use role::Role;
pub use sources::{readings_once, snapshot_once, static_tables};
pub use storage::{StoreCheck, check_store};
pub use stored_ledger::{LedgerSource, StoredLedger};

/// The namespace that Eco-Pulse runs in unless somebody says otherwise, and a replica's name that has no other.
const OWN_NAMESPACE: &str = "eco-pulse";
/// What the start waits for before requests should come.
const SNAPSHOT: &str = "snapshot";
/// No longer than this: a replica without data still answers, and says that it does without.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(10);
/// How long the ledger may take to write what is left at the end.
const LEDGER_PATIENCE: Duration = Duration::from_secs(2);

/// What a process is started with.
pub struct Options {
    /// The configuration.
    pub config: Config,
    /// The built-in tables.
    pub catalogue: Arc<Catalogue>,
    /// Where the TLS listener listens.
    pub webhook_addr: SocketAddr,
    /// Where the plain listener listens.
    pub admin_addr: SocketAddr,
    /// Where the certificate is; `None`: made at the start, unless configuration says otherwise.
    pub cert_dir: Option<PathBuf>,
    /// What is known of the cluster; with a client, what is known before anything has been seen.
    pub cluster: ClusterView,
    /// The file that the configuration was read from, to follow its changes; `None`: nothing is followed.
    pub config_file: Option<PathBuf>,
    /// Changes the level of the process's log with the configuration.
    pub log: LogLevel,
    /// The cluster to work in; `None`: nobody watches one, and nothing is written to one.
    pub kubernetes: Option<Kubernetes>,
    /// What time it is.
    pub clock: Clock,
    /// Where decision records are written; `None`: nowhere, they stay in memory.
    pub decision_log: Option<Box<dyn Write + Send>>,
    /// This process's name in records, and as collector.
    pub replica: String,
    /// What it does.
    pub role: Role,
    /// What to do when this process does not get on any more; `/livez` says so in any case.
    pub on_stuck: Box<dyn Fn(Stuck) + Send>,
    /// How long to keep serving after the process was told to end, while load balancers take note.
    pub leave_delay: Duration,
}

impl Options {
    /// Everything in one process, on free ports of this machine, without a cluster, by the machine's clock, and with
    /// nothing written or waited for.
    #[must_use]
    pub fn new(config: Config, catalogue: Arc<Catalogue>) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            config,
            catalogue,
            webhook_addr: loopback,
            admin_addr: loopback,
            cert_dir: None,
            cluster: ClusterView::unwatched(OWN_NAMESPACE),
            kubernetes: None,
            config_file: None,
            log: LogLevel::default(),
            clock: Clock::system(),
            decision_log: None,
            replica: OWN_NAMESPACE.to_owned(),
            role: Role::All,
            on_stuck: Box::new(|_| {}),
            leave_delay: Duration::ZERO,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("webhook_addr", &self.webhook_addr).finish_non_exhaustive()
    }
}

/// A process that serves.
#[derive(Debug)]
pub struct App {
    webhook_addr: Option<SocketAddr>,
    admin_addr: SocketAddr,
    authority_pem: Option<String>,
    live: LiveView,
    cluster: Arc<ArcSwap<ClusterView>>,
    readiness: Readiness,
    tasks: JoinSet<&'static str>,
    stages: ShutdownStages,
    stop_background: CancellationToken,
    leave_delay: Duration,
    writer: Writer,
    kept: Option<Kept>,
}

impl App {
    /// Binds, loads and starts everything; requests are answered from here on.
    ///
    /// # Errors
    /// A port is taken, or the certificate is missing or wrong.
    pub fn start(options: Options) -> anyhow::Result<Self> {
        Self::start_with_timing(options, Timing::default())
    }

    /// The same, with a shared store that is waited for as long as `timing` says: tests cannot spend a lock period on
    /// each change of collector.
    ///
    /// # Errors
    /// As [`App::start`].
    pub fn start_with_timing(options: Options, timing: Timing) -> anyhow::Result<Self> {
        let Options { config, catalogue, clock, role, .. } = options;
        let config = Arc::new(config);
        let kubernetes = options.kubernetes;
        let counting = if kubernetes.is_some() { Counting::ByAccountant } else { Counting::AtDecisions };
        let metrics = Arc::new(Metrics::counting(counting)?);
        let identity =
            Identity::load(&config, options.cert_dir, kubernetes.as_ref(), role, (&metrics, &clock))?;
        // Both ports before any task: a start that fails leaves nothing running.
        let webhook_listener =
            role.decides().then(|| bind(options.webhook_addr, "--webhook-addr")).transpose()?;
        let admin_listener = bind(options.admin_addr, "--admin-addr")?;
        let mut keeping = Keeping::new(&config)?;

        let stop_background = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let kinds: &[&'static str] = kubernetes.as_ref().map_or(&[], |_| &KINDS);
        let certificate: &[&'static str] = if identity.is_awaited(role) { &[CERTIFICATE] } else { &[] };
        let readiness = Readiness::waiting_for(
            &[SNAPSHOT].iter().chain(kinds).chain(certificate).copied().collect::<Vec<_>>(),
        );
        let (ledger, mut writer) = keeping.ledger(&options.replica, options.decision_log, &metrics)?;
        let cluster = Cluster::start(
            options.cluster,
            kubernetes.as_ref().map(|kubernetes| kubernetes.client.clone()),
            &config.topology_key,
            (&metrics, &readiness),
            &stop_background,
            &mut tasks,
        );
        let (has_snapshot, first_snapshot) = watch::channel(false);
        let process = Process {
            catalogue,
            metrics: metrics.clone(),
            ledger: ledger.clone(),
            clock: clock.clone(),
            cluster: cluster.view.clone(),
            role,
            client: kubernetes.as_ref().map(|kubernetes| kubernetes.client.clone()),
            has_snapshot,
        };
        let prepared = Prepared::new(config.clone(), &process)?;
        let named = (options.replica.as_str(), timing);
        let storage = Storage::start(&config, named, (&metrics, &readiness), process.may_account(), None)?;
        let (ledger_store, of_ledger) = watch::channel(storage.store());
        let kept =
            keeping.start(&options.replica, of_ledger, (&metrics, &clock), &stop_background, &mut tasks);
        let generation = prepared.start(&storage, &process).collect(&process);
        let live = Arc::new(ArcSwap::new(generation.live.clone()));
        let watched = options.config_file.map(|file| WatchedConfig::new(file, &config));
        let keeper = Keeper {
            process,
            generation,
            storage,
            ledger_store,
            live: live.clone(),
            topology_key: cluster.topology_key,
            readiness: readiness.clone(),
            log: options.log,
            replica: options.replica,
            timing,
        };
        tasks.spawn(watch_ledger("ledger writer", writer.ended(), stop_background.clone()));
        tasks.spawn(await_snapshot(readiness.clone(), first_snapshot, stop_background.clone()));
        tasks.spawn(keeper.run(watched, stop_background.clone()));

        if let Some(kubernetes) = kubernetes.filter(|_| role.collects()) {
            duties::start(kubernetes, &cluster.view, &live, (&metrics, &clock), &stop_background, &mut tasks);
        }

        let liveness = watchdog::start(&live, options.on_stuck, &stop_background, &mut tasks)?;
        let admin_routes = admin(Admin {
            live: live.clone(),
            metrics: metrics.clone(),
            ledger,
            clock: clock.clone(),
            readiness: readiness.clone(),
            liveness,
        });
        let stages = ShutdownStages::default();
        let tls = server_config(identity.resolver.clone(), config.server.client_ca_file.as_deref())?;
        let authority_pem = identity.authority_pem.clone();
        identity.start((&metrics, &readiness, &clock), &stop_background, &mut tasks);
        let mut start = |name, transport, listener, routes| {
            listen(name, transport, listener, routes, &stages, &mut tasks)
        };
        let webhook_addr = webhook_listener
            .map(|listener| start("webhook listener", Transport::Tls(tls), listener, webhook(&live)))
            .transpose()?;
        let admin_addr = start("admin listener", Transport::Plain, admin_listener, admin_routes)?;
        tracing::info!(webhook_addr = webhook_addr.map(tracing::field::display), %admin_addr, mode = config.mode.as_str(), "serving");
        Ok(Self {
            webhook_addr,
            admin_addr,
            authority_pem,
            live,
            cluster: cluster.view,
            readiness,
            tasks,
            stages,
            stop_background,
            leave_delay: options.leave_delay,
            writer,
            kept,
        })
    }

    /// Where the TLS listener listens; `None` for a process that does not answer for pods.
    #[must_use]
    pub const fn webhook_addr(&self) -> Option<SocketAddr> {
        self.webhook_addr
    }

    /// Where the plain listener listens.
    #[must_use]
    pub const fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// The authority of a certificate that was made at the start.
    #[must_use]
    pub fn authority_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }

    /// The mock grid, while it is configured.
    #[must_use]
    pub fn mock(&self) -> Option<Arc<MockGrid>> {
        self.live.load().mock.as_ref().map(|mock| mock.grid.clone())
    }

    /// What decides at the moment.
    #[must_use]
    pub fn decider(&self) -> Arc<Decider> {
        self.live.load().decider.clone()
    }

    /// What is known of the cluster.
    #[must_use]
    pub fn cluster(&self) -> Arc<ClusterView> {
        self.cluster.load_full()
    }

    /// Whether requests should come.
    #[must_use]
    pub const fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Serves until `shutdown`, then leaves in order: unready, go on serving, stop accepting, finish what is under way,
    /// write what was decided.
    ///
    /// # Errors
    /// A task ended that should not have: the process has to be restarted.
    pub async fn run_until(mut self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let ended_early = tokio::select! {
            () = shutdown => None,
            ended = self.tasks.join_next() => ended,
        };
        self.readiness.leave();
        self.stages.wind_down.cancel();
        if ended_early.is_none() {
            tracing::info!(delay = ?self.leave_delay, "leaving: unready, still serving");
            tokio::time::sleep(self.leave_delay).await;
        }
        self.stages.stop.cancel();
        self.stop_background.cancel();
        // The listeners bound their own draining.
        while self.tasks.join_next().await.is_some() {}
        let closed = tokio::task::spawn_blocking(move || self.writer.close());
        if tokio::time::timeout(LEDGER_PATIENCE, closed).await.is_err() {
            tracing::warn!("decision records were left unwritten: standard output does not take them");
        }
        if let Some(kept) = self.kept {
            kept.end(LEDGER_PATIENCE).await;
        }
        match ended_early {
            None => Ok(()),
            Some(Ok(name)) => anyhow::bail!("the {name} ended by itself; see the log before this line"),
            Some(Err(error)) => Err(error).context("a task was ended by a defect"),
        }
    }
}

/// Ready with the first snapshot, or without one once patience ends.
async fn await_snapshot(
    readiness: Readiness,
    mut has_snapshot: watch::Receiver<bool>,
    stop: CancellationToken,
) -> &'static str {
    let first = async {
        if tokio::time::timeout(SNAPSHOT_PATIENCE, has_snapshot.wait_for(|has| *has)).await.is_err() {
            readiness.goes_without(SNAPSHOT);
            tracing::warn!("no grid data yet: every pod is admitted unchanged until there are some");
        }
        // The sender outlives this task.
        let _ = has_snapshot.wait_for(|has| *has).await;
        readiness.has(SNAPSHOT);
    };
    tokio::select! {
        () = first => stop.cancelled().await,
        () = stop.cancelled() => {}
    }
    "readiness watch"
}
