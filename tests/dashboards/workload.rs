//! The workload of `eco-pulse demo` on a cluster: its recorded pods come through a webhook, are bound where the extender lets
//! them, run and end, and a controller accounts for them. All of it is the program's own but for the API server, which is a
//! stand-in, and for the time, which the test moves on by half an hour at once.
//!
//! What a scrape shows was brought about by one of these two processes. Nothing is counted for them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use eco_pulse::app::{App, Kubernetes, Options, Role};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::cli::demo::cluster::{self, CONFIG};
use eco_pulse::cli::demo::reviews::workload;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::kubernetes::nodes::NodeFacts;
use eco_pulse::store::Timing;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::api_server::ApiServer;
use crate::client::Client;
use crate::redis::{RedisServer, free_port};
use crate::waiting::until;

const HALF_HOUR_S: i64 = 1800;
/// Longer than `grid.maxAge`.
const TOO_LONG_S: i64 = 3 * 3600;
/// Pods of so many half hours are there; older ones have ended.
const HALF_HOURS_OF_A_RUN: usize = 4;
/// So many half hours later nobody remembers them.
const HALF_HOURS_REMEMBERED: usize = 6;
/// Of so many pods that are sent somewhere one finds its region full.
const ONE_IN_MISSES: usize = 3;
const GPU: &str = "nvidia.com/gpu";

const NODES: &str = "/api/v1/nodes";
const NAMESPACES: &str = "/api/v1/namespaces";
const PODS: &str = "/api/v1/pods";
const COLLECTIONS: [&str; 7] = [
    NODES,
    NAMESPACES,
    "/api/v1/persistentvolumeclaims",
    "/api/v1/persistentvolumes",
    "/apis/eco-pulse.io/v1alpha1/placementpolicies",
    "/apis/eco-pulse.io/v1alpha1/clusterplacementpolicies",
    PODS,
];

/// A clock that the test moves.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.as_second())))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn move_by(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let hand = self.clone();
        Clock::new(move || hand.now())
    }
}

/// The cluster, with both processes.
pub struct Cluster {
    api_server: ApiServer,
    webhook: App,
    controller: App,
    webhook_hand: Hand,
    controller_hand: Hand,
    api_server_asks: Client,
    nodes: Vec<NodeFacts>,
    /// The pods of each half hour, the newest last.
    there: VecDeque<Vec<Value>>,
    /// Pods that were decided about and got a node.
    pub decided: usize,
    steered: usize,
    _redis: RedisServer,
    _dir: TempDir,
}

impl Cluster {
    /// Starts it, without a pod; `None` where there is no Redis to share.
    pub async fn start() -> Option<Self> {
        let redis = RedisServer::start()?;
        let dir = tempfile::tempdir().unwrap();
        let config = config(&redis, &dir);
        let catalogue = Arc::new(Catalogue::built_in().unwrap());
        let nodes: Vec<NodeFacts> = cluster::nodes(&Config::parse(&config, &*catalogue).unwrap()).collect();
        let api_server = ApiServer::start(&COLLECTIONS);
        api_server.put_all(NODES, nodes.iter().map(node_object));
        api_server.put_all(
            NAMESPACES,
            cluster::namespaces().map(|(name, facts)| {
                let labels =
                    if facts.opted_out { json!({ "eco-pulse.io/inject": "disabled" }) } else { json!({}) };
                json!({ "metadata": { "name": name, "labels": labels } })
            }),
        );
        // A whole half hour, so that each has its reading; not ahead of the clock that a certificate is judged by.
        let second = Clock::system().now().as_second();
        let start = Timestamp::from_second(second - second.rem_euclid(HALF_HOUR_S)).unwrap();
        let (webhook_hand, controller_hand) = (Hand::at(start), Hand::at(start));
        let app = |role, name: &str, config: &str, hand: &Hand| {
            let kubernetes = Kubernetes {
                canary_namespace: Some("eco-pulse".to_owned()),
                ..Kubernetes::new(api_server.client(), "eco-pulse")
            };
            let options = Options {
                clock: hand.clock(),
                cluster: ClusterView::pending("eco-pulse"),
                kubernetes: Some(kubernetes),
                replica: name.to_owned(),
                role,
                ..Options::new(Config::parse(config, &*catalogue).unwrap(), catalogue.clone())
            };
            // Short enough to wait for looks at the accounts.
            let timing = Timing { lock_period: Duration::from_secs(1), ..Timing::default() };
            App::start_with_timing(options, timing).unwrap()
        };
        let managed = format!("{config}tls: {{mode: managed}}\n");
        let controller = app(Role::Controller, "controller", &managed, &controller_hand);
        let webhook = app(Role::Webhook, "webhook", &config, &webhook_hand);
        let api_server_asks =
            Client::tls(webhook.webhook_addr().unwrap(), webhook.authority_pem().unwrap()).await;
        let cluster = Self {
            api_server,
            webhook,
            controller,
            webhook_hand,
            controller_hand,
            api_server_asks,
            nodes,
            there: VecDeque::new(),
            decided: 0,
            steered: 0,
            _redis: redis,
            _dir: dir,
        };
        let mut admin = Client::plain(cluster.webhook.admin_addr()).await;
        until("the webhook is ready", async || admin.get("/readyz").await.status == 200).await;
        cluster.has_new_readings().await;
        Some(cluster)
    }

    /// Where Prometheus scrapes, by the names of the pods.
    pub fn targets(&self) -> [(&'static str, SocketAddr); 2] {
        [("webhook", self.webhook.admin_addr()), ("controller", self.controller.admin_addr())]
    }

    /// The demo's pods come, older ones end and are forgotten, and half an hour goes by.
    pub async fn live_half_an_hour(&mut self) {
        let mut pods = Vec::new();
        for review in workload().unwrap() {
            let (_, body) = review.into_request().unwrap();
            pods.push(self.admit(&body).await);
        }
        self.api_server.put_all(PODS, pods.iter().cloned());
        self.there.push_back(pods);
        if let Some(old) = self.there.len().checked_sub(HALF_HOURS_OF_A_RUN + 1) {
            let now = self.controller_hand.now();
            self.api_server.put_all(PODS, self.there[old].iter().map(|pod| over(pod, now)));
        }
        if self.there.len() > HALF_HOURS_REMEMBERED {
            for pod in self.there.pop_front().unwrap() {
                let text = |pointer: &str| pod.pointer(pointer).unwrap().as_str().unwrap().to_owned();
                let key = format!("{}/{}", text("/metadata/namespace"), text("/metadata/name"));
                self.api_server.remove(PODS, &key);
            }
        }
        self.is_without_data_for_a_moment().await;
        for hand in [&self.controller_hand, &self.webhook_hand] {
            hand.move_by(HALF_HOUR_S);
        }
        self.has_new_readings().await;
    }

    /// The last scene of the demo: the grid's data are too old, and the pod is admitted as it came.
    async fn is_without_data_for_a_moment(&mut self) {
        self.webhook_hand.move_by(TOO_LONG_S);
        let (_, body) = workload().unwrap().remove(0).into_request().unwrap();
        let answer = self.api_server_asks.post("/mutate?timeout=1s", body).await.json();
        let response = &answer["response"];
        assert!(response["allowed"] == true && response["patch"].is_null(), "{answer}");
        self.webhook_hand.move_by(-TOO_LONG_S);
    }

    /// A pod as the API server stores it once it is bound.
    async fn admit(&mut self, body: &[u8]) -> Value {
        let mut review: Value = serde_json::from_slice(body).unwrap();
        let answer = self.api_server_asks.post("/mutate?timeout=1s", body.to_vec()).await.json();
        let response = &answer["response"];
        assert_eq!(response["allowed"], true, "{answer}");
        let mut pod = review["request"]["object"].take();
        if let Some(patch) = response["patch"].as_str() {
            let patch: json_patch::Patch = serde_json::from_slice(&BASE64.decode(patch).unwrap()).unwrap();
            json_patch::patch(&mut pod, &patch).unwrap();
        }
        let uid = review["request"]["uid"].as_str().unwrap();
        pod["metadata"]["uid"] = json!(uid);
        pod["metadata"]["name"] = json!(format!("pod-{uid}"));
        pod["metadata"].as_object_mut().unwrap().remove("generateName");
        pod["spec"]["nodeName"] = json!(self.schedule(&pod).await);
        let bound_at = self.controller_hand.now();
        pod["status"] = json!({ "phase": "Running", "conditions": [
            { "type": "PodScheduled", "status": "True", "lastTransitionTime": bound_at }] });
        if pod.pointer("/metadata/labels/eco-pulse.io~1decision").is_some() {
            self.decided += 1;
        }
        pod
    }

    /// The node that a pod gets: the first one that the extender leaves of those with room.
    async fn schedule(&mut self, pod: &Value) -> String {
        let asks_for_gpu = pod["spec"]["containers"][0]["resources"]["requests"][GPU].is_string();
        let fitting = self.nodes.iter().filter(|node| asks_for_gpu == (node.offers(GPU).to_string() != "0"));
        let names: Vec<&str> = fitting.map(|node| &*node.name).collect();
        let question = json!({ "Pod": pod, "NodeNames": names }).to_string();
        let kept = self.api_server_asks.post("/filter", question.clone()).await.json();
        assert_eq!(self.api_server_asks.post("/prioritize", question).await.status, 200);
        let kept: Vec<&str> =
            kept["NodeNames"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        if kept.len() < names.len() {
            self.steered += 1;
            if self.steered.is_multiple_of(ONE_IN_MISSES) {
                return names
                    .iter()
                    .find(|name| !kept.contains(*name))
                    .map(|name| (*name).to_owned())
                    .unwrap();
            }
        }
        kept[0].to_owned()
    }

    /// Waits until the webhook decides by what the grid is like at this half hour.
    async fn has_new_readings(&self) {
        let now = self.webhook_hand.now();
        let is_new = || self.webhook.decider().snapshot().is_some_and(|snapshot| snapshot.captured_at >= now);
        until("the webhook has new readings", async || is_new()).await;
    }
}

/// The demo's configuration, for replicas that share a store. The grid is asked often, since half hours pass in moments, and has
/// a fallback on a network, which does not answer. A debug build on a busy machine is given its time.
fn config(redis: &RedisServer, dir: &TempDir) -> String {
    let token_file = dir.path().join("token");
    std::fs::write(&token_file, "token\n").unwrap();
    let grid = format!(
        "  provider: mock\n  refresh: 200ms\n  fallback: [electricity-maps]\n  \
         electricityMaps: {{baseUrl: 'http://127.0.0.1:{}/v4', tokenFile: '{}'}}\n",
        free_port(),
        token_file.display()
    );
    let changed = CONFIG.replacen("  provider: mock\n", &grid, 1);
    assert_ne!(changed, CONFIG);
    let url = redis.url();
    format!(
        "{changed}decision: {{deadline: 900ms}}\nlog: {{decisions: false}}\nstore: {{redis: {{url: '{url}'}}}}\n"
    )
}

fn node_object(node: &NodeFacts) -> Value {
    let labels: Map<String, Value> =
        node.labels.iter().map(|(key, value)| (key.to_string(), json!(**value))).collect();
    let allocatable: Map<String, Value> = node
        .allocatable
        .iter()
        .map(|(resource, amount)| (resource.to_string(), json!(amount.to_string())))
        .collect();
    json!({
        "metadata": { "name": *node.name, "labels": labels },
        "spec": {},
        "status": { "allocatable": allocatable, "conditions": [
            { "type": "Ready", "status": "True", "lastHeartbeatTime": null, "lastTransitionTime": null }] },
    })
}

/// A pod after its containers have ended.
fn over(pod: &Value, at: Timestamp) -> Value {
    let mut pod = pod.clone();
    pod["status"]["phase"] = json!("Succeeded");
    pod["status"]["containerStatuses"] = json!([{ "name": "c", "image": "i", "imageID": "", "ready": false,
        "restartCount": 0, "state": { "terminated": { "exitCode": 0, "finishedAt": at } } }]);
    pod
}
