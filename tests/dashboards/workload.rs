//! Something to look at: a server that is asked everything, and a replica in a cluster, as its metrics show it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use eco_pulse::domain::snapshot::Implausibility;
use eco_pulse::metrics::{Counting, Metrics};
use eco_pulse::store::BookStore;

use tokio::sync::Mutex;

use crate::rig::Simulation;
use crate::server::Server;
use crate::week::STEPS;

/// Half hours of the simulated week that the replica has accounted for.
const STEPS_OF_TWO_DAYS: i64 = 96;

/// Decisions of all kinds. The deadline leaves a debug build its time.
pub const CONFIG: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]
grid: {provider: mock, mock: {us-east-1: 300, eu-west-1: high, eu-north-1: low}}
decision: {deadline: 900ms}
log: {decisions: false}
";

/// Recorded reviews: pods that are steered, that stay, that have nothing to ask for, that are pinned, that opted out.
const REVIEWS: [&[u8]; 6] = [
    include_bytes!("../data/kubernetes-1.36/sidecars.admission.json"),
    include_bytes!("../data/kubernetes-1.36/frontend.admission.json"),
    include_bytes!("../data/kubernetes-1.36/be.admission.json"),
    include_bytes!("../data/kubernetes-1.36/pinned.admission.json"),
    include_bytes!("../data/kubernetes-1.36/opted-out.admission.json"),
    include_bytes!("../data/kubernetes-1.36/agent.admission.json"),
];
const NODES: &[u8] = include_bytes!("../data/kubernetes-1.36/frontend.filter-nodes.json");

/// Asks everything once, with one pod whose data stay put and one that nobody can decode.
pub async fn ask(server: &Server) {
    let mut webhook = server.webhook().await;
    for review in REVIEWS {
        assert_eq!(webhook.post("/mutate?timeout=1s", review).await.json()["response"]["allowed"], true);
    }
    let mut stays: serde_json::Value = serde_json::from_slice(REVIEWS[1]).unwrap();
    let metadata = stays["request"]["object"]["metadata"].as_object_mut().unwrap();
    metadata.insert("annotations".to_owned(), serde_json::json!({"eco-pulse.io/egress-gb": "1000"}));
    let mut undecodable = stays.clone();
    undecodable["request"]["object"]["spec"]["containers"] = "none".into();
    for review in [stays, undecodable] {
        let answer = webhook.post("/mutate?timeout=1s", review.to_string()).await.json();
        assert_eq!(answer["response"]["allowed"], true);
    }
    for path in ["/filter", "/prioritize"] {
        assert_eq!(webhook.post(path, NODES).await.status, 200);
    }
}

/// A replica whose accounts go on by half an hour with each scrape.
struct Replica {
    metrics: Metrics,
    accounts: Mutex<(Simulation, i64)>,
}

impl Replica {
    async fn scraped(&self) -> String {
        let (accounts, step) = &mut *self.accounts.lock().await;
        if *step < STEPS {
            accounts.step(*step, *step == 0).await.unwrap();
            *step += 1;
        }
        let books = &accounts.keeper.books;
        self.metrics.accounts().show(books, &books.owners().keys().map(|key| key.day).collect());
        self.metrics.render(None, jiff::SignedDuration::ZERO, jiff::Timestamp::UNIX_EPOCH).unwrap()
    }
}

/// Serves the metrics of a replica in a cluster with a shared store: the process's own definitions, made to happen.
pub async fn replica_in_a_cluster() -> SocketAddr {
    let metrics = Metrics::counting(Counting::ByAccountant).unwrap();
    metrics.readings().reading_refused("electricity-maps", Implausibility::Zero.as_str());
    metrics.readings().circuit("grid/electricity-maps", false);
    metrics.readings().store_up(true);
    for kind in ["nodes", "namespaces"] {
        metrics.cluster().watching(kind);
        metrics.cluster().knows(kind, 3);
    }
    metrics.cluster().canary("decided");
    metrics.cluster().certificate_step("changed");
    metrics.cluster().webhook_drift("missing", false);
    metrics.cluster().event("written");
    let accounts = Simulation::begin(BookStore::in_memory(), 0).await.unwrap();
    let replica = Arc::new(Replica { metrics, accounts: Mutex::new((accounts, 0)) });
    for _ in 0..STEPS_OF_TWO_DAYS {
        replica.scraped().await;
    }
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = Router::new().route("/metrics", get(async move || replica.scraped().await));
    // Ends with the test's runtime.
    tokio::spawn(async { axum::serve(listener, router).await });
    addr
}
