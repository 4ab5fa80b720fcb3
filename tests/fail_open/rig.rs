//! The layer around one endpoint, with its books open.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use axum::body::Body;
use axum::response::Response;
use eco_pulse::app::snapshot_once;
use eco_pulse::audit::entry::Endpoint;
use eco_pulse::audit::ledger::Ledger;
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::Clock;
use eco_pulse::config::{Config, Mode};
use eco_pulse::decider::{Decider, Settings, SnapshotView};
use eco_pulse::domain::quantity::Quantity;
use eco_pulse::domain::{BypassReason, Snapshot};
use eco_pulse::extender::{filter::Filter, prioritize::Prioritize};
use eco_pulse::http::fail_open::{Answering, DeadlineFrom, FailOpen, Limits, Shared};
use eco_pulse::kubernetes::affinity::REGION;
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::kubernetes::nodes::{INSTANCE_TYPE, NodeFacts};
use eco_pulse::metrics::Metrics;
use eco_pulse::webhook::mutate::Mutate;
use http::Request;
use jiff::Timestamp;
use serde_json::Value;

use crate::answers::{self, assert_decided};
use crate::bodies;
use crate::client::Reply;
use crate::faulty::{Faults, Faulty};
use crate::prometheus_text::Scrape;

/// Base and two others, by hand.
pub const CONFIG: &str = "
baseline: {region: us-east-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]
grid: {provider: mock, mock: {us-east-1: high, eu-west-1: high, eu-north-1: low}}
";

/// Far more than a test takes; those about the deadline set their own.
const NO_DEADLINE: Duration = Duration::from_hours(1);
/// A record that has not come by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

type Handle = Arc<dyn Fn(Request<Body>) -> Pin<Box<dyn Future<Output = Response> + Send>> + Send + Sync>;

/// What a test sets.
#[derive(Clone, Copy)]
pub struct Room {
    pub max_concurrent: usize,
    pub max_bytes: usize,
    pub max_body_bytes: usize,
    pub deadline: Duration,
}

impl Default for Room {
    fn default() -> Self {
        Self { max_concurrent: 8, max_bytes: 16 << 20, max_body_bytes: 1 << 20, deadline: NO_DEADLINE }
    }
}

/// One endpoint in its layer.
#[derive(Clone)]
pub struct Rig {
    pub endpoint: Endpoint,
    pub faults: Faults,
    pub view: SnapshotView,
    pub shared: Shared,
    max_concurrent: usize,
    handle: Handle,
    seconds: Arc<AtomicI64>,
    records: Arc<Mutex<Receiver<Value>>>,
}

impl Rig {
    /// With enough room for everything, and a snapshot.
    pub async fn new(endpoint: Endpoint) -> Self {
        Self::with(endpoint, Room::default()).await
    }

    pub async fn with(endpoint: Endpoint, room: Room) -> Self {
        let rig = Self::configured(endpoint, room, CONFIG);
        rig.view.store(Some(Arc::new(rig.snapshot(CONFIG).await)));
        rig
    }

    /// Without a snapshot.
    pub fn configured(endpoint: Endpoint, room: Room, config: &str) -> Self {
        let catalogue = Catalogue::built_in().unwrap();
        let config = Config::parse(config, &catalogue).unwrap();
        let view = SnapshotView::new(ArcSwapOption::empty());
        let cluster = Arc::new(ArcSwap::from_pointee(cluster()));
        let decider = Arc::new(Decider::new(Settings::new(&config), view.clone(), cluster, 1));

        let start: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let seconds = Arc::new(AtomicI64::new(start.as_second()));
        let told = seconds.clone();
        let clock = Clock::new(move || Timestamp::from_second(told.load(Ordering::SeqCst)).unwrap());
        let (lines, records) = channel();
        let (ledger, _writer) =
            Ledger::start("test".to_owned(), Some(Box::new(Lines { lines, unfinished: Vec::new() })))
                .unwrap();
        let metrics = Arc::new(Metrics::new().unwrap());
        let shared = Shared::new(room.max_concurrent, room.max_bytes, metrics, ledger, clock, Mode::Steer);

        let faults = Faults::default();
        let deadline_from = match endpoint {
            Endpoint::Mutate => DeadlineFrom::Arrival,
            Endpoint::Filter | Endpoint::Prioritize => DeadlineFrom::Body,
        };
        let limits = Limits { max_body_bytes: room.max_body_bytes, deadline: room.deadline, deadline_from };
        let handle = match endpoint {
            Endpoint::Mutate => handle(Mutate::new(decider), &faults, limits, &shared),
            Endpoint::Filter => handle(Filter::new(decider), &faults, limits, &shared),
            Endpoint::Prioritize => handle(Prioritize::new(decider), &faults, limits, &shared),
        };
        let records = Arc::new(Mutex::new(records));
        let max_concurrent = room.max_concurrent;
        Self { endpoint, faults, view, shared, max_concurrent, handle, seconds, records }
    }

    /// What is known now.
    pub async fn snapshot(&self, config: &str) -> Snapshot {
        let catalogue = Arc::new(Catalogue::built_in().unwrap());
        let config = Config::parse(config, &*catalogue).unwrap();
        snapshot_once(&config, &catalogue, &self.shared.clock).await.unwrap()
    }

    pub fn let_pass(&self, time: Duration) {
        self.seconds.fetch_add(i64::try_from(time.as_secs()).unwrap(), Ordering::SeqCst);
    }

    pub async fn ask(&self, request: Request<Body>) -> Reply {
        answers::read(self.response(request).await).await
    }

    /// The answer, of which nothing has been read.
    pub async fn response(&self, request: Request<Body>) -> Response {
        (self.handle)(request).await
    }

    /// Sends the recorded body.
    pub async fn ask_recorded(&self) -> Reply {
        self.ask(bodies::request(self.endpoint, bodies::recorded(self.endpoint))).await
    }

    /// The next record; waits for it.
    pub fn record(&self) -> Value {
        self.records.lock().unwrap().recv_timeout(PATIENCE).unwrap()
    }

    pub fn scrape(&self) -> Scrape {
        Scrape::parse(
            &self
                .shared
                .metrics
                .render(None, jiff::SignedDuration::from_hours(2), self.shared.clock.now())
                .unwrap(),
        )
    }

    /// The answer that changes nothing, counted once and recorded, both with the reason; and nothing else counted.
    pub fn assert_opened(&self, reply: &Reply, reason: BypassReason) {
        answers::assert_opened(self.endpoint, reply, reason.as_str());
        let record = self.record();
        assert_eq!(record["endpoint"], self.endpoint.as_str());
        assert_eq!(record["outcome"], "bypass");
        assert_eq!(record["reason"], reason.as_str());
        assert_eq!(record["target_region"], Value::Null);
        if self.endpoint == Endpoint::Mutate {
            assert_eq!(record["uid"], bodies::value(self.endpoint)["request"]["uid"]);
        }
        self.assert_counted(1.0, Some(reason), 1.0);
    }

    /// Refused, hence counted as a failure but not as a decision.
    pub fn assert_refusal_counted(&self, reason: BypassReason) {
        self.assert_counted(0.0, Some(reason), 1.0);
    }

    /// All that was counted so far: decisions, of which those in `reason`, and failures for `reason`.
    pub fn assert_counted(&self, decisions: f64, reason: Option<BypassReason>, failures: f64) {
        let scrape = self.scrape();
        let endpoint = self.endpoint.as_str();
        assert_eq!(scrape.total("eco_pulse_decisions_total"), decisions);
        assert_eq!(scrape.total("eco_pulse_fail_open_total"), failures);
        assert_eq!(
            scrape.value("eco_pulse_decision_duration_seconds_count", &[("endpoint", endpoint)]),
            decisions
        );
        let Some(reason) = reason else { return };
        let labels = [("endpoint", endpoint), ("reason", reason.as_str())];
        assert_eq!(scrape.value("eco_pulse_fail_open_total", &labels), failures, "{reason}");
        let labels = [("endpoint", endpoint), ("outcome", "bypass"), ("reason", reason.as_str())];
        assert_eq!(scrape.value("eco_pulse_decisions_total", &labels), decisions, "{reason}");
    }

    /// Failures for one reason so far.
    pub fn assert_failures(&self, reason: BypassReason, failures: f64) {
        let labels = [("endpoint", self.endpoint.as_str()), ("reason", reason.as_str())];
        assert_eq!(self.scrape().value("eco_pulse_fail_open_total", &labels), failures, "{reason}");
    }

    /// The next request is answered as ever.
    pub async fn assert_recovered(&self) {
        let before = self.scrape().total("eco_pulse_fail_open_total");
        assert_decided(self.endpoint, &self.ask_recorded().await);
        let record = self.record();
        assert_eq!((&record["outcome"], &record["reason"]), (&"stay".into(), &"baseline_best".into()));
        assert_eq!(self.scrape().total("eco_pulse_fail_open_total"), before);
        assert_eq!(self.shared.permits.available_permits(), self.max_concurrent, "every permit is back");
    }
}

fn handle<A: Answering>(inner: A, faults: &Faults, limits: Limits, shared: &Shared) -> Handle {
    let layer = FailOpen::new(Faulty { inner, faults: faults.clone() }, limits, shared.clone());
    Arc::new(move |request| Box::pin(layer.clone().handle(request)))
}

/// The nodes of the recorded questions: their names say the region.
pub fn cluster() -> ClusterView {
    let question = bodies::value(Endpoint::Filter);
    let names = question["NodeNames"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    let nodes = names.map(|name| {
        NodeFacts::new(name)
            .with_label(REGION, name.split('.').nth(1).unwrap())
            .with_label(INSTANCE_TYPE, "m5.xlarge")
            .with_allocatable("cpu", Quantity::from_units(64))
            .with_allocatable("memory", Quantity::from_units(1 << 38))
            .with_allocatable("pods", Quantity::from_units(110))
    });
    ClusterView::unwatched("eco-pulse").with_nodes(nodes, REGION)
}

/// Sends each line, decoded.
struct Lines {
    lines: Sender<Value>,
    unfinished: Vec<u8>,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unfinished.extend_from_slice(bytes);
        while let Some(end) = self.unfinished.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            self.lines.send(serde_json::from_slice(&line)?).map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
