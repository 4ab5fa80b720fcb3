//! The accountant on a stand-in for the API server: pods that are bound are counted once, by one replica at a time, and what
//! they really did is accounted for hour by hour, whoever does it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use eco_pulse::app::{App, Kubernetes, Options, Role};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use eco_pulse::domain::RegionName;
use eco_pulse::domain::history::PastReading;
use eco_pulse::domain::snapshot::{Basis, GridProvider, Signal};
use eco_pulse::domain::units::GramsPerKwh;
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::store::{RedisOptions, RedisStore, SnapshotStore};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::api_server::ApiServer;
use crate::client::Client;
use crate::prometheus_text::Scrape;
use crate::redis::RedisServer;
use crate::replicas::TIMING;
use crate::waiting::until;

pub const PODS: &str = "/api/v1/pods";
const COLLECTIONS: [&str; 7] = [
    "/api/v1/nodes",
    "/api/v1/namespaces",
    "/api/v1/persistentvolumeclaims",
    "/api/v1/persistentvolumes",
    "/apis/eco-pulse.io/v1alpha1/placementpolicies",
    "/apis/eco-pulse.io/v1alpha1/clusterplacementpolicies",
    PODS,
];
const CONFIG: &str = "
mode: steer
baseline: {region: eu-west-1}
regions: [{name: eu-west-1}, {name: eu-north-1}]
carbon: {priceUsdPerTonne: 50}
grid: {provider: mock, mock: {eu-west-1: 397, eu-north-1: 23}}
";
/// The README's worked example: kWh of 4 CPUs and 16 GiB in an hour, in either region.
pub const KWH_WEST: f64 = 0.4317 / 24.0;
pub const KWH_NORTH: f64 = 0.4278 / 24.0;

/// A clock that a test moves.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn at(time: &str) -> Self {
        Self(Arc::new(AtomicI64::new(time.parse::<Timestamp>().unwrap().as_second())))
    }

    fn set(&self, time: &str) {
        self.0.store(time.parse::<Timestamp>().unwrap().as_second(), Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let second = self.0.clone();
        Clock::new(move || Timestamp::from_second(second.load(Ordering::SeqCst)).unwrap())
    }
}

pub fn cluster() -> ApiServer {
    let server = ApiServer::start(&COLLECTIONS);
    let node = |name: &str, region: &str| {
        json!({
            "metadata": { "name": name, "labels": {
                "topology.kubernetes.io/region": region, "node.kubernetes.io/instance-type": "m5.xlarge" } },
            "spec": {},
            "status": {
                "allocatable": { "cpu": "8", "memory": "64Gi", "pods": "110" },
                "conditions": [{ "type": "Ready", "status": "True", "lastHeartbeatTime": null, "lastTransitionTime": null }],
            },
        })
    };
    server.put_all("/api/v1/nodes", [node("west", "eu-west-1"), node("north", "eu-north-1")]);
    server.put("/api/v1/namespaces", json!({ "metadata": { "name": "team" } }));
    server
}

/// A pod that was decided about, and bound at ten past twelve.
pub fn pod(name: &str, label: &str, node: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": "team", "uid": format!("uid-{name}"),
            "labels": { "eco-pulse.io/decision": label },
            "annotations": {
                "eco-pulse.io/decision": "v1;00000000000000aa-1;1780315800",
                "eco-pulse.io/target-region": "eu-north-1", "eco-pulse.io/expected-duration": "24h",
                // Anybody may write these: nothing is counted by them.
                "eco-pulse.io/projected-savings-usd": "1000000", "eco-pulse.io/projected-co2e-avoided-g": "1e12",
            },
            "ownerReferences": [{ "apiVersion": "batch/v1", "kind": "Job", "name": "nightly", "uid": "j", "controller": true }],
        },
        "spec": { "nodeName": node, "restartPolicy": "Never", "containers": [
            { "name": "c", "resources": { "requests": { "cpu": "4", "memory": "16Gi" } } }] },
        "status": { "phase": "Running", "conditions": [
            { "type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-06-01T12:10:00Z" }] },
    })
}

/// The same, after its container has ended.
pub fn over(mut pod: Value, phase: &str, at: &str) -> Value {
    pod["status"]["phase"] = json!(phase);
    pod["status"]["containerStatuses"] = json!([{ "name": "c", "image": "i", "imageID": "", "ready": false,
        "restartCount": 0, "state": { "terminated": { "exitCode": 0, "finishedAt": at } } }]);
    pod
}

fn controller(config: &str, server: &ApiServer, hand: &Hand, name: &str) -> App {
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let config = Config::parse(config, &*catalogue).unwrap();
    let options = Options {
        clock: hand.clock(),
        cluster: ClusterView::pending("eco-pulse"),
        kubernetes: Some(Kubernetes::new(server.client(), "eco-pulse")),
        replica: name.to_owned(),
        role: Role::Controller,
        ..Options::new(config, catalogue)
    };
    App::start_with_timing(options, TIMING).unwrap()
}

async fn scrape(app: &App) -> Scrape {
    let mut admin = Client::plain(app.admin_addr()).await;
    Scrape::parse(admin.get("/metrics").await.text())
}

async fn accounts(app: &App) -> bool {
    scrape(app).await.value("eco_pulse_accountant", &[]) == 1.0
}

/// A store in touch with a server, for as long as its other part is kept.
pub fn store_of(redis: &RedisServer) -> (RedisStore, AbortOnDropHandle<()>) {
    let options = RedisOptions { timing: TIMING, ..redis.options("test") };
    let store = RedisStore::new(&options).unwrap();
    let kept = SnapshotStore::Redis(store.clone());
    (store, AbortOnDropHandle::new(tokio::spawn(async move { kept.run(CancellationToken::new()).await })))
}

/// What the grid was like, half an hour after another.
async fn tell(redis: &RedisServer, from: &str, half_hours: i32) {
    let (store, _in_touch) = store_of(redis);
    let store = SnapshotStore::Redis(store);
    let from: Timestamp = from.parse().unwrap();
    let half_hour = SignedDuration::from_mins(30);
    let mut readings = Vec::new();
    for index in 0..half_hours {
        for (region, intensity) in [("eu-west-1", 397.0), ("eu-north-1", 23.0)] {
            let starts_at = from + half_hour * index;
            readings.push(PastReading {
                region: RegionName::from(region),
                starts_at,
                ends_at: starts_at + half_hour,
                intensity: GramsPerKwh(intensity),
                provider: GridProvider::Mock,
                signal: Signal::Average,
                basis: Basis::Lifecycle,
                estimated: false,
            });
        }
    }
    until("the readings are stored", async || store.remember(&readings, from).await.is_ok()).await;
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    // The README's figures have four digits.
    assert!((found - expected).abs() <= 1e-3 * expected.abs(), "{found} is not {expected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_counted_once_and_accounted_for_by_whoever_keeps_the_books() {
    let Some(redis) = RedisServer::start() else { return };
    let server = cluster();
    let hand = Hand::at("2026-06-01T12:10:30Z");
    let config = format!("{CONFIG}store: {{redis: {{url: '{}'}}}}\n", redis.url());
    let one = controller(&config, &server, &hand, "one");
    until("the first keeps the books", async || accounts(&one).await).await;
    let other = controller(&config, &server, &hand, "other");

    // Bound where it was sent, elsewhere, and left alone; one that has no node yet, and one that nobody decided about.
    server.put(PODS, pod("sent", "steer", "north"));
    server.put(PODS, pod("astray", "steer", "west"));
    server.put(PODS, pod("control", "holdout", "west"));
    server.put(PODS, pod("pending", "steer", ""));
    let mut nobodys = pod("nobodys", "steer", "north");
    nobodys["metadata"]["annotations"] = json!({});
    server.put(PODS, nobodys);
    let placed = async |outcome: &str, landed: &str| {
        scrape(&one).await.value("eco_pulse_placements_total", &[("outcome", outcome), ("landed", landed)])
    };
    until("three pods are counted", async || {
        placed("steer", "target").await == 1.0
            && placed("steer", "elsewhere").await == 1.0
            && placed("holdout", "unknown").await == 1.0
    })
    .await;
    // Seen again, it is the same pod.
    let mut touched = pod("sent", "steer", "north");
    touched["metadata"]["labels"]["again"] = json!("yes");
    server.put(PODS, touched);
    server.put(PODS, pod("later", "steer", "north"));
    until("a fourth is counted", async || placed("steer", "target").await == 2.0).await;

    let seen = scrape(&one).await;
    let steered = [("namespace", "team"), ("baseline", "eu-west-1"), ("target", "eu-north-1")];
    assert_eq!(seen.value("eco_pulse_steered_pods_total", &steered), 3.0);
    let baseline =
        |method: &'static str| [("namespace", "team"), ("against", "baseline"), ("method", method)];
    // By what is known, not by what somebody wrote onto the pods; those that went astray were expected to go too.
    let expected_g = 24.0 * (KWH_WEST * 397.0 - KWH_NORTH * 23.0);
    let projected = seen.value("eco_pulse_carbon_avoided_grams_total", &baseline("projected"));
    assert_close(projected, 3.0 * expected_g);
    assert_close(seen.value("eco_pulse_cost_saved_usd_total", &baseline("projected")), 3.0 * 0.24);
    assert!(!accounts(&other).await, "of two one keeps the books");
    assert_eq!(
        scrape(&other).await.find("eco_pulse_steered_pods_total", &steered),
        None,
        "and one shows them"
    );

    // Two hours later.
    tell(&redis, "2026-06-01T12:00:00Z", 4).await;
    hand.set("2026-06-01T14:00:30Z");
    let north = [("namespace", "team"), ("region", "eu-north-1")];
    let hours = 2.0 - 10.0 / 60.0;
    until("two hours are accounted for", async || {
        let found = scrape(&one).await.value("eco_pulse_energy_kwh_total", &north);
        found > 1.9 * KWH_NORTH * hours
    })
    .await;
    let seen = scrape(&one).await;
    assert_close(seen.value("eco_pulse_energy_kwh_total", &north), 2.0 * KWH_NORTH * hours);
    assert_close(seen.value("eco_pulse_emissions_grams_total", &north), 2.0 * KWH_NORTH * 23.0 * hours);
    // Two where they were sent; the one that went astray avoids nothing, and the control group is nobody's doing.
    let avoided_g = 2.0 * (KWH_WEST * 397.0 - KWH_NORTH * 23.0) * hours;
    assert_close(seen.value("eco_pulse_carbon_avoided_grams_total", &baseline("realised")), avoided_g);
    assert_close(seen.value("eco_pulse_cost_saved_usd_total", &baseline("realised")), 2.0 * 0.01 * hours);
    let greenest = [("namespace", "team"), ("against", "static_greenest"), ("method", "realised")];
    let added = seen.value("eco_pulse_carbon_added_grams_total", &greenest);
    assert_close(added, (KWH_WEST * 397.0 - KWH_NORTH * 23.0) * hours);

    // Whoever comes next goes on where the one before stopped. It is killed, and gives nothing back.
    let told = seen.value("eco_pulse_carbon_avoided_grams_total", &baseline("realised"));
    drop(one);
    until("the other keeps the books", async || accounts(&other).await).await;
    let seen = scrape(&other).await;
    assert_close(seen.value("eco_pulse_carbon_avoided_grams_total", &baseline("realised")), told);
    assert_eq!(seen.value("eco_pulse_steered_pods_total", &steered), 3.0);
    assert_eq!(seen.value("eco_pulse_runs_open", &[]), 4.0);

    // One ends by itself, one is deleted, and the hour is accounted for as far as they ran.
    server.put(PODS, over(pod("sent", "steer", "north"), "Succeeded", "2026-06-01T14:00:00Z"));
    server.put(PODS, over(pod("later", "steer", "north"), "Failed", "2026-06-01T14:00:30Z"));
    server.remove(PODS, "team/later");
    tell(&redis, "2026-06-01T14:00:00Z", 2).await;
    hand.set("2026-06-01T15:00:10Z");
    until("two runs are closed", async || scrape(&other).await.value("eco_pulse_runs_open", &[]) == 2.0)
        .await;
    let energy = scrape(&other).await.value("eco_pulse_energy_kwh_total", &north);
    // The deleted one ran for 30 s more.
    assert_close(energy, KWH_NORTH * (2.0 * hours + 30.0 / 3600.0));
    other.run_until(async {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_clock_leaps_lets_another_one_keep_the_books_and_counts_nothing() {
    let Some(redis) = RedisServer::start() else { return };
    let server = cluster();
    let (astray, right) = (Hand::at("2026-06-01T12:10:30Z"), Hand::at("2026-06-01T12:10:30Z"));
    let config = format!("{CONFIG}store: {{redis: {{url: '{}'}}}}\n", redis.url());
    let one = controller(&config, &server, &astray, "one");
    until("the first keeps the books", async || accounts(&one).await).await;
    server.put(PODS, pod("sent", "steer", "north"));
    let open = async |app: &App| scrape(app).await.value("eco_pulse_runs_open", &[]);
    until("a pod is counted", async || open(&one).await == 1.0).await;
    let other = controller(&config, &server, &right, "other");

    // By that clock two years are missing, and all that is kept is too old.
    astray.set("2028-06-01T12:10:30Z");
    server.put(PODS, pod("later", "steer", "north"));
    until("the other keeps the books", async || accounts(&other).await).await;
    until("the later pod is counted", async || open(&other).await == 2.0).await;
    assert!(!accounts(&one).await);
    let energy = scrape(&other)
        .await
        .find("eco_pulse_energy_kwh_total", &[("namespace", "team"), ("region", "eu-north-1")]);
    assert_eq!(energy, None, "no hour has passed");
}
