//! A cluster to test in: the control plane, nodes in three regions, and what a user does with `kubectl`.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use eco_pulse::cluster::client;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::core::{NamespaceResourceScope, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::control_plane::{ControlPlane, PATIENCE};

/// Regions by the labels of their nodes, each with four nodes of 16 cores.
pub const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-north-1"];
/// Pods ask for this much.
const CPU: &str = "100m";

/// A cluster to test in.
pub struct Cluster {
    pub plane: Arc<ControlPlane>,
    pub client: kube::Client,
}

impl Cluster {
    /// The cluster, ready; `None` where there are no programs to make one of.
    pub async fn get() -> Option<Self> {
        let plane = ControlPlane::get()?;
        // The API server makes its certificate when it starts.
        let client =
            eventually("the API server", async || client::from_file(&plane.kubeconfig).await.ok()).await;
        eventually("the namespace default", async || {
            Api::<k8s_openapi::api::core::v1::Namespace>::all(client.clone()).get("default").await.ok()
        })
        .await;
        let cluster = Self { plane, client };
        for region in REGIONS {
            for number in 0..4 {
                cluster.node(&format!("{region}-{number}"), region).await;
            }
        }
        Some(cluster)
    }

    async fn node(&self, name: &str, region: &str) {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let node = json!({
            "metadata": { "name": name, "labels": {
                "topology.kubernetes.io/region": region,
                "topology.kubernetes.io/zone": format!("{region}a"),
                "kubernetes.io/hostname": name,
            } },
        });
        if nodes.create(&PostParams::default(), &typed(node)).await.is_err() {
            // Another test made it.
            return;
        }
        let amounts = json!({ "cpu": "16", "memory": "64Gi", "pods": "110" });
        let ready = json!([{ "type": "Ready", "status": "True", "reason": "Test", "message": "",
            "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z" }]);
        let status =
            json!({ "status": { "capacity": amounts, "allocatable": amounts, "conditions": ready } });
        nodes.patch_status(name, &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
        // A node is admitted with a taint, until somebody finds it ready.
        let untaint = json!({ "spec": { "taints": null } });
        nodes.patch(name, &PatchParams::default(), &Patch::Merge(&untaint)).await.unwrap();
    }

    /// A namespace of a test's own, with these labels.
    pub async fn namespace(&self, name: &str, labels: Value) {
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client.clone());
        let namespace = json!({ "metadata": { "name": name, "labels": labels } });
        namespaces.create(&PostParams::default(), &typed(namespace)).await.unwrap();
    }

    /// Adds an annotation to a namespace.
    pub async fn annotate_namespace(&self, name: &str, key: &str, value: &str) {
        self.change_namespace(name, &json!({ "metadata": { "annotations": { key: value } } })).await;
    }

    /// Adds a label to a namespace.
    pub async fn label_namespace(&self, name: &str, key: &str, value: &str) {
        self.change_namespace(name, &json!({ "metadata": { "labels": { key: value } } })).await;
    }

    async fn change_namespace(&self, name: &str, change: &Value) {
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client.clone());
        namespaces.patch(name, &PatchParams::default(), &Patch::Merge(change)).await.unwrap();
    }

    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Creates an object as it stands.
    pub async fn create<K>(&self, namespace: &str, object: Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Serialize
            + Debug,
    {
        self.api::<K>(namespace).create(&PostParams::default(), &typed(object)).await.unwrap();
    }

    /// The pods of an app, once there are so many and all have a node.
    pub async fn bound(&self, namespace: &str, app: &str, count: usize) -> Vec<Pod> {
        let pods: Api<Pod> = self.api(namespace);
        let selector = ListParams::default().labels(&format!("app={app}"));
        let what = format!("{count} bound pods of {app} in {namespace}");
        let last = std::sync::Mutex::new(Vec::new());
        let look = async || {
            let pods = pods.list(&selector).await.ok()?.items;
            let bound = |pod: &Pod| pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
            let all = pods.len() == count && pods.iter().all(bound);
            last.lock().unwrap().clone_from(&pods);
            all.then_some(pods)
        };
        let seen = tokio::time::timeout(PATIENCE, eventually(&what, look)).await;
        seen.unwrap_or_else(|_| {
            for pod in last.lock().unwrap().iter() {
                let (spec, status) = (pod.spec.as_ref().unwrap(), pod.status.as_ref());
                println!(
                    "{:?} on {:?}: {:?}",
                    pod.metadata.name,
                    spec.node_name,
                    status.and_then(|s| s.conditions.as_ref())
                );
            }
            panic!("{what}: never seen")
        })
    }
}

/// How many of the pods run in each region, by the names of their nodes.
pub fn by_region(pods: &[Pod]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for pod in pods {
        let node = pod.spec.as_ref().unwrap().node_name.as_deref().unwrap();
        *counts.entry(node.rsplit_once('-').unwrap().0.to_owned()).or_default() += 1;
    }
    counts
}

/// An unchanged Deployment, as a user writes it.
pub fn deployment(app: &str, replicas: usize) -> Value {
    json!({
        "metadata": { "name": app },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": app } },
            "template": pod_template(app),
        },
    })
}

/// The template of its pods.
pub fn pod_template(app: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": app } },
        "spec": { "containers": [{
            "name": "app", "image": "registry.example/app:1",
            "resources": { "requests": { "cpu": CPU, "memory": "128Mi" } },
        }] },
    })
}

fn typed<K: DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).unwrap()
}

/// Sends pods that are not kept until something is so.
pub async fn probe_until(client: &kube::Client, namespace: &str, is_so: impl Fn() -> bool) {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let mut probe = pod_template("probe");
    probe["metadata"]["name"] = json!("probe");
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    eventually("a call of the webhook", async || {
        pods.create(&dry_run, &typed(probe.clone())).await.unwrap();
        is_so().then_some(())
    })
    .await;
}

/// Looks until there is something to see.
pub async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        let mut pause = tokio::time::interval(std::time::Duration::from_millis(50));
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            pause.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE + std::time::Duration::from_secs(1), looking)
        .await
        .unwrap_or_else(|_| panic!("{what}: never seen"))
}
