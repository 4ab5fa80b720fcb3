//! Eco-Pulse beside the control plane, in this process, and its webhook as the API server is told of it.

use std::sync::Arc;

use base64::Engine as _;
use eco_pulse::app::{App, Kubernetes, Options};
use eco_pulse::catalogue::Catalogue;
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
            cluster: ClusterView::pending("eco-pulse"),
            kubernetes: Some(kubernetes),
            config_file,
            ..Options::new(Config::parse(config, &*catalogue).unwrap(), catalogue)
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

/// The webhook of the committed manifest, reached otherwise, and for one namespace alone.
pub fn configuration(namespace: &str, client_config: &Value) -> Value {
    let mut documents = include_str!("../../deploy/eco-pulse.yaml").split("\n---").map(|document| {
        serde_saphyr::from_str::<Value>(document.strip_prefix("---").unwrap_or(document)).unwrap()
    });
    let mut shipped = documents.find(|object| object["kind"] == "MutatingWebhookConfiguration").unwrap();
    shipped["metadata"] = json!({ "name": format!("eco-pulse-{namespace}") });
    let webhook = &mut shipped["webhooks"][0];
    webhook["clientConfig"] = client_config.clone();
    let only = json!({ "key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace] });
    webhook["namespaceSelector"]["matchExpressions"].as_array_mut().unwrap().push(only);
    shipped
}

/// Waits until pods of the namespace come back marked: the API server reads webhook configurations a little late.
pub async fn in_force(cluster: &Cluster, namespace: &str) {
    probe_until_marked(cluster, namespace, true).await;
}

/// Waits until they come back as they were sent.
pub async fn no_longer_in_force(cluster: &Cluster, namespace: &str) {
    probe_until_marked(cluster, namespace, false).await;
}

async fn probe_until_marked(cluster: &Cluster, namespace: &str, marked: bool) {
    let pods: Api<k8s_openapi::api::core::v1::Pod> = cluster.api(namespace);
    let probe = json!({
        "metadata": { "name": "probe", "labels": { "app": "probe" } },
        "spec": super::cluster::pod_template("probe")["spec"],
    });
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    eventually("a pod that is marked, or is not any more", async || {
        let pod = pods.create(&dry_run, &serde_json::from_value(probe.clone()).unwrap()).await.ok()?;
        (pod.metadata.labels?.contains_key("eco-pulse.io/decision") == marked).then_some(())
    })
    .await;
}
