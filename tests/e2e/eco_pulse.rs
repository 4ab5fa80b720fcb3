//! Eco-Pulse beside the control plane, in this process, and its webhook as the API server is told of it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use eco_pulse::app::{App, Kubernetes, Options, Role};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use eco_pulse::kubernetes::cluster::ClusterView;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::cluster::{Cluster, eventually};

/// At one price everywhere, carbon decides: Virginia is the base, and dirty; Stockholm is clean.
pub const CONFIG: &str = "
baseline: {region: us-east-1}
regions:
- {name: us-east-1, priceUsdPerVcpuHour: 0.05}
- {name: eu-west-1, priceUsdPerVcpuHour: 0.05}
- {name: eu-north-1, priceUsdPerVcpuHour: 0.05}
grid: {provider: mock, mock: {us-east-1: 700, eu-west-1: 400, eu-north-1: 20}}
latency: {serving: {maxAddedMs: null}}
";

/// A running Eco-Pulse that watches the cluster.
pub struct EcoPulse {
    pub app: App,
}

impl EcoPulse {
    /// Starts, and waits until it has seen the cluster.
    pub async fn start(cluster: &Cluster, config: &str) -> Self {
        let kubernetes = Kubernetes::new(cluster.client.clone(), "eco-pulse");
        Self::start_in(kubernetes, config, None, async |_| {}).await
    }

    /// Starts with a configuration file that it follows.
    pub async fn start_from(cluster: &Cluster, file: &std::path::Path) -> Self {
        let kubernetes = Kubernetes::new(cluster.client.clone(), "eco-pulse");
        let config = std::fs::read_to_string(file).unwrap();
        Self::start_in(kubernetes, &config, Some(file.to_owned()), async |_| {}).await
    }

    /// Starts with a certificate that it keeps in `namespace`, for a webhook configuration that `install` makes.
    pub async fn start_managed(
        cluster: &Cluster,
        namespace: &str,
        configuration: &str,
        config: &str,
        install: impl AsyncFnOnce(std::net::SocketAddr),
    ) -> Self {
        let usual = Kubernetes::new(cluster.client.clone(), namespace);
        let kubernetes = Kubernetes { webhook_configuration: configuration.to_owned(), ..usual };
        Self::start_in(kubernetes, config, None, install).await
    }

    async fn start_in(
        kubernetes: Kubernetes,
        config: &str,
        config_file: Option<std::path::PathBuf>,
        install: impl AsyncFnOnce(std::net::SocketAddr),
    ) -> Self {
        let catalogue = Arc::new(Catalogue::built_in().unwrap());
        let app = App::start(Options {
            config: Config::parse(config, &*catalogue).unwrap(),
            catalogue,
            webhook_addr: "127.0.0.1:0".parse().unwrap(),
            admin_addr: "127.0.0.1:0".parse().unwrap(),
            cert_dir: None,
            cluster: ClusterView::pending("eco-pulse"),
            kubernetes: Some(kubernetes),
            config_file,
            log: eco_pulse::telemetry::LogLevel::default(),
            clock: Clock::system(),
            decision_log: None,
            replica: "e2e".to_owned(),
            role: Role::All,
            leave_delay: Duration::ZERO,
        })
        .unwrap();
        install(app.webhook_addr().unwrap()).await;
        eventually("readiness", async || {
            let report = app.readiness().report();
            (report.ready && report.degraded.is_empty()).then_some(())
        })
        .await;
        Self { app }
    }

    /// Tells the API server of the webhook, for one namespace.
    pub async fn serve_namespace(&self, cluster: &Cluster, namespace: &str) {
        let url = format!("https://{}/mutate", self.app.webhook_addr().unwrap());
        register(cluster, namespace, &url, self.app.authority_pem().unwrap()).await;
    }

    /// Waits until the namespace is known.
    pub async fn knows(&self, namespace: &str) {
        let known = || {
            let view = self.app.cluster();
            view.namespaces.known().is_some_and(|known| known.contains_key(namespace))
        };
        eventually("the namespace", async || known().then_some(())).await;
    }
}

/// The webhook configuration as it is shipped, for one namespace and by URL; and waits until it is in force.
pub async fn register(cluster: &Cluster, namespace: &str, url: &str, authority_pem: &str) {
    let bundle = base64::engine::general_purpose::STANDARD.encode(authority_pem);
    let configuration = configuration(namespace, &json!({ "url": url, "caBundle": bundle }));
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(cluster.client.clone());
    let configuration = serde_json::from_value(configuration).unwrap();
    configurations.create(&PostParams::default(), &configuration).await.unwrap();
}

pub fn configuration(namespace: &str, client_config: &Value) -> Value {
    json!({
        "metadata": { "name": format!("eco-pulse-{namespace}") },
        "webhooks": [{
            "name": "mutate.eco-pulse.io",
            "clientConfig": client_config,
            "admissionReviewVersions": ["v1"],
            "failurePolicy": "Ignore",
            "timeoutSeconds": 1,
            "sideEffects": "NoneOnDryRun",
            "reinvocationPolicy": "IfNeeded",
            "matchPolicy": "Equivalent",
            "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] }],
            "namespaceSelector": { "matchExpressions": [
                { "key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace] },
                { "key": "kubernetes.io/metadata.name", "operator": "NotIn",
                  "values": ["kube-system", "kube-node-lease", "eco-pulse"] },
                { "key": "eco-pulse.io/inject", "operator": "NotIn", "values": ["disabled"] },
            ] },
            "objectSelector": { "matchExpressions": [
                { "key": "eco-pulse.io/inject", "operator": "NotIn", "values": ["disabled"] },
            ] },
            "matchConditions": [
                { "name": "not-bound", "expression": "object.spec.?nodeName.orValue('') == ''" },
                { "name": "not-mirror",
                  "expression": "!('kubernetes.io/config.mirror' in object.metadata.?annotations.orValue({}))" },
                { "name": "not-daemonset", "expression":
                  "!object.metadata.?ownerReferences.orValue([]).exists(r, r.kind == 'DaemonSet' || r.kind == 'Node')" },
                { "name": "no-region-selector", "expression":
                  "!('topology.kubernetes.io/region' in object.spec.?nodeSelector.orValue({}))" },
            ],
        }],
    })
}

/// Waits until pods of the namespace come back marked: the API server reads webhook configurations a little late.
pub async fn in_force(cluster: &Cluster, namespace: &str) {
    let pods: Api<k8s_openapi::api::core::v1::Pod> = cluster.api(namespace);
    let probe = json!({
        "metadata": { "name": "probe", "labels": { "app": "probe" } },
        "spec": super::cluster::pod_template("probe")["spec"],
    });
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    eventually("a marked pod", async || {
        let pod = pods.create(&dry_run, &serde_json::from_value(probe.clone()).unwrap()).await.ok()?;
        pod.metadata.labels?.get("eco-pulse.io/decision").cloned()
    })
    .await;
}
