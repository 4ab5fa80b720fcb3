//! The watches on a stand-in, with nothing else of Eco-Pulse.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use eco_pulse::cluster::view::{KINDS, Watching};
use eco_pulse::kubernetes::affinity::REGION;
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::metrics::Metrics;
use eco_pulse::readiness::Readiness;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api_server::ApiServer;

/// What has not happened by then never will.
const PATIENCE: Duration = Duration::from_mins(1);

pub const NODES: &str = "/api/v1/nodes";
pub const NAMESPACES: &str = "/api/v1/namespaces";
pub const CLAIMS: &str = "/api/v1/persistentvolumeclaims";
pub const VOLUMES: &str = "/api/v1/persistentvolumes";
pub const POLICIES: &str = "/apis/eco-pulse.io/v1alpha1/placementpolicies";
pub const CLUSTER_POLICIES: &str = "/apis/eco-pulse.io/v1alpha1/clusterplacementpolicies";

/// Watches at work.
pub struct Rig {
    pub server: ApiServer,
    pub metrics: Arc<Metrics>,
    pub readiness: Readiness,
    pub topology_key: watch::Sender<Arc<str>>,
    view: Arc<ArcSwap<ClusterView>>,
    stop: CancellationToken,
    tasks: JoinSet<&'static str>,
}

impl Rig {
    /// Starts on an API server, which may be stopped.
    pub fn watch(server: ApiServer) -> Self {
        let view = Arc::new(ArcSwap::from_pointee(ClusterView::pending("eco-pulse")));
        let metrics = Arc::new(Metrics::new().unwrap());
        let readiness = Readiness::waiting_for(&KINDS);
        let (topology_key, receiver) = watch::channel(Arc::from(REGION));
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        let watching = Watching {
            client: server.client(),
            view: view.clone(),
            topology_key: receiver,
            metrics: metrics.clone(),
            readiness: readiness.clone(),
        };
        watching.start(&mut tasks, &stop);
        Self { server, metrics, readiness, topology_key, view, stop, tasks }
    }

    pub fn view(&self) -> Arc<ClusterView> {
        self.view.load_full()
    }

    /// Waits until the view is so.
    pub async fn wait_for(&self, what: &str, is_so: impl Fn(&ClusterView) -> bool) {
        let wait = async {
            while !is_so(&self.view()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never so: {what}"));
    }

    /// Waits until everything has been seen.
    pub async fn complete(&self) {
        self.wait_for("everything is known", |view| {
            view.nodes.known().is_some()
                && view.namespaces.known().is_some()
                && view.claims.known().is_some()
                && view.volumes.known().is_some()
                && view.policies.known().is_some()
        })
        .await;
        self.waits_for(&[]).await;
    }

    /// Waits until just these kinds are waited for.
    pub async fn waits_for(&self, kinds: &[&str]) {
        // It is told of after the view has changed.
        self.wait_for("what is still missing", |_| self.readiness.report().waiting_for == kinds).await;
    }

    /// The sum of a metric over a kind, as scraped.
    pub fn metric(&self, name: &str, kind: &str) -> f64 {
        let text =
            self.metrics.render(None, jiff::SignedDuration::ZERO, jiff::Timestamp::UNIX_EPOCH).unwrap();
        let series = format!("{name}{{kind=\"{kind}\"}} ");
        text.lines()
            .find_map(|line| line.strip_prefix(&series))
            .map_or(f64::NAN, |value| value.parse().unwrap())
    }

    /// Ends all tasks, and says that they ended.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

/// All kinds, empty.
pub fn server() -> ApiServer {
    ApiServer::start(&[NODES, NAMESPACES, CLAIMS, VOLUMES, POLICIES, CLUSTER_POLICIES])
}

pub fn node(name: &str, region: &str) -> Value {
    json!({
        "metadata": { "name": name, "labels": { REGION: region, "kubernetes.io/hostname": name } },
        "spec": {},
        "status": {
            "allocatable": { "cpu": "8", "memory": "32Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True", "lastHeartbeatTime": null, "lastTransitionTime": null }],
        },
    })
}

pub fn namespace(name: &str, labels: &Value, annotations: &Value) -> Value {
    json!({ "metadata": { "name": name, "labels": labels, "annotations": annotations } })
}
