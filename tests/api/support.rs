//! A decider with real routes over a mock grid, a given cluster and a clock that stands still; and the traffic to send.
//!
//! Every answer of `/mutate` is checked for what must hold of any: the same uid, allowed, a patch that applies and
//! leaves a Pod in which nothing of the user's is lost.

mod admission;
mod extender;
mod pods;

use std::io::{self, Write};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use axum::Router;
use axum::body::Body;
use eco_pulse::app::{Reporter, snapshot_once, static_tables};
use eco_pulse::audit::ledger::{Ledger, Writer};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use eco_pulse::decider::{Decider, Settings};
use eco_pulse::domain::snapshot::{Reading, Readings, RegionReadings};
use eco_pulse::domain::{RegionName, Snapshot};
use eco_pulse::extender::filter::Filter;
use eco_pulse::extender::prioritize::Prioritize;
use eco_pulse::http::fail_open::{DeadlineFrom, FailOpen, Limits, Shared};
use eco_pulse::http::live::Live;
use eco_pulse::http::router::{Endpoints, webhook};
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::metrics::Metrics;
use eco_pulse::webhook::mutate::Mutate;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

pub use self::admission::Admission;
pub use self::extender::{FilterResult, HostPriority, nodes_of, recorded_nodes, wire_nodes};
pub use self::pods::{annotate, bare_job, cluster, cluster_of, job, namespaces, node, object, put, recorded};

/// As `grid.maxAge` is by default.
pub const MAX_AGE: jiff::SignedDuration = jiff::SignedDuration::from_hours(2);
/// 2026-11-23T12:00:00Z.
pub const NOON: i64 = 1_795_435_200;

/// The recorded cluster's regions, Ireland being the base. By the mock grid Stockholm is clean; Virginia is as dirty as
/// Ireland, and a little more by its PUE.
pub const IRELAND_BASE: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]
grid: {provider: mock, mock: {us-east-1: high, eu-west-1: high, eu-north-1: low}}
";

pub fn catalogue() -> &'static Arc<Catalogue> {
    static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| Arc::new(Catalogue::built_in().unwrap()));
    &CATALOGUE
}

pub fn config(yaml: &str) -> Config {
    Config::parse(yaml, &**catalogue()).unwrap_or_else(|errors| panic!("{errors}\nin:{yaml}"))
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The snapshot that a configuration's own providers give at noon, after `alter` has been at the readings.
pub fn snapshot(config: &Config, alter: impl FnOnce(&mut Readings)) -> Snapshot {
    let fetched = runtime().block_on(snapshot_once(config, catalogue(), &Clock::new(|| at(NOON)))).unwrap();
    let of_region =
        |(_, region, data): (_, &eco_pulse::domain::Region, &eco_pulse::domain::snapshot::RegionData)| {
            (
                region.name.clone(),
                RegionReadings {
                    zone: region.zone.clone(),
                    grid: data.grid.clone(),
                    prices: data.prices.clone(),
                    asked_at: None,
                    trouble: Vec::new(),
                },
            )
        };
    let regions = fetched.iter().map(of_region).collect();
    let mut readings = Readings { version: 1, captured_at: at(NOON), regions, ..Readings::default() };
    alter(&mut readings);
    Snapshot::assemble(&readings, &static_tables(config, catalogue()))
}

/// A region's grid reading, to be altered.
pub fn reading_of<'r>(readings: &'r mut Readings, region: &str) -> &'r mut Reading {
    match &mut readings.regions.get_mut(&RegionName::from(region)).unwrap().grid {
        eco_pulse::domain::snapshot::GridReading::Known(reading) => reading,
        other => panic!("{region} has no reading: {other:?}"),
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Everything a request meets, in one process and without a network.
pub struct Rig {
    metrics: Arc<Metrics>,
    second: Arc<AtomicI64>,
    router: Router,
    written: Written,
    writer: Writer,
    runtime: Runtime,
}

impl Rig {
    /// Over a configuration, without a cluster.
    pub fn new(yaml: &str) -> Self {
        Self::in_cluster(yaml, ClusterView::unwatched("eco-pulse"))
    }

    /// In a cluster.
    pub fn in_cluster(yaml: &str, cluster: ClusterView) -> Self {
        Self::with(yaml, cluster, |_| {})
    }

    /// With readings other than those its grid gives.
    pub fn reading(yaml: &str, alter: impl FnOnce(&mut Readings)) -> Self {
        Self::with(yaml, ClusterView::unwatched("eco-pulse"), alter)
    }

    /// In a cluster, with readings other than those its grid gives.
    pub fn with(yaml: &str, cluster: ClusterView, alter: impl FnOnce(&mut Readings)) -> Self {
        let config = config(yaml);
        let snapshot = snapshot(&config, alter);
        let second = Arc::new(AtomicI64::new(NOON));
        let clock = {
            let second = second.clone();
            Clock::new(move || at(second.load(Ordering::SeqCst)))
        };
        let decider = Arc::new(Decider::new(
            Settings::new(&config),
            Arc::new(ArcSwapOption::from_pointee(snapshot)),
            Arc::new(ArcSwap::from_pointee(cluster)),
            0xEC0,
        ));
        let metrics = Arc::new(Metrics::new().unwrap());
        let written = Written::default();
        let (ledger, writer) = Ledger::start("test".to_owned(), Some(Box::new(written.clone()))).unwrap();
        let shared = Shared::new(16, 1 << 26, metrics.clone(), ledger, clock.clone(), config.mode);
        // What is decided is under test here, not how fast this machine is.
        let limits = Limits {
            max_body_bytes: 1 << 24,
            deadline: Duration::from_mins(10),
            deadline_from: DeadlineFrom::Arrival,
        };
        let endpoints = Endpoints {
            mutate: FailOpen::new(Mutate::new(decider.clone()), limits, shared.clone()),
            filter: FailOpen::new(Filter::new(decider.clone()), limits, shared.clone()),
            prioritize: FailOpen::new(Prioritize::new(decider.clone()), limits, shared),
        };
        let reports = Reporter::new(Arc::new(config), catalogue().clone(), clock);
        let live = Live { endpoints, decider, mock: None, reports: Arc::new(reports) };
        let router = webhook(&Arc::new(ArcSwap::from_pointee(live)));
        Self { metrics, second, router, written, writer, runtime: runtime() }
    }

    /// Moves the clock to `seconds` after noon.
    pub fn at_seconds_past_noon(&self, seconds: i64) {
        self.second.store(NOON + seconds, Ordering::SeqCst);
    }

    /// Posts a body; gives the answer's, which has status 200.
    pub fn post(&self, path: &str, body: &Value) -> Vec<u8> {
        let request = Request::post(path)
            .header("Content-Type", "application/json")
            .body(Body::from(serde_json::to_vec(body).unwrap()))
            .unwrap();
        let (status, bytes) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            (response.status(), response.into_body().collect().await.unwrap().to_bytes())
        });
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&bytes));
        bytes.to_vec()
    }

    /// Admits a pod, and checks what must hold of every answer.
    pub fn admit(&self, review: &Value) -> Admission {
        Admission::check(review, &self.post("/mutate", review))
    }

    /// Filters nodes, and checks what must hold of every answer.
    pub fn filter(&self, args: &Value) -> FilterResult {
        FilterResult::check(args, &self.post("/filter", args))
    }

    /// Scores nodes, and checks what must hold of every answer.
    pub fn prioritize(&self, args: &Value) -> Vec<HostPriority> {
        HostPriority::check(args, &self.post("/prioritize", args))
    }

    /// All metrics that do not depend on the snapshot.
    pub fn metrics(&self) -> String {
        self.metrics.render(None, MAX_AGE, at(NOON)).unwrap()
    }

    /// One sample, by its name and labels as Prometheus writes them.
    pub fn metric(&self, sample: &str) -> f64 {
        let text = self.metrics();
        let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{sample} is not in:\n{text}")).parse().unwrap()
    }

    /// Every decision record there is, oldest first.
    pub fn into_records(self) -> Vec<Value> {
        self.writer.close();
        let text = self.written.0.lock().unwrap();
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    /// The one record there is.
    pub fn into_record(self) -> Value {
        let records = self.into_records();
        assert_eq!(records.len(), 1, "{records:?}");
        records.into_iter().next().unwrap()
    }
}

/// Where the ledger writes.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
