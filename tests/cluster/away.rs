//! A whole process whose API server is not there when it starts: it serves, says so, and becomes complete.

use std::sync::Arc;
use std::time::Duration;

use eco_pulse::app::{App, Kubernetes, Options};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::Config;
use eco_pulse::kubernetes::cluster::ClusterView;
use http::StatusCode;
use serde_json::json;

use crate::client::Client;
use crate::rig::{NAMESPACES, NODES, namespace, node, server};

const CONFIG: &str = "
baseline: {region: us-east-1}
regions: [{name: us-east-1, priceUsdPerVcpuHour: 0.05}, {name: eu-north-1, priceUsdPerVcpuHour: 0.05}]
grid: {provider: mock, mock: {us-east-1: high, eu-north-1: low}}
latency: {serving: {maxAddedMs: null}}
";
const REVIEW: &[u8] = include_bytes!("../data/kubernetes-1.36/frontend.admission.json");
const PATIENCE: Duration = Duration::from_mins(1);

async fn in_time(what: &str, wait: impl Future<Output = ()>) {
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what}: never"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_its_api_server_serves_says_so_and_becomes_complete() {
    let mut server = server();
    server.put_all(NODES, [node("a", "us-east-1"), node("b", "eu-north-1")]);
    server.put(NAMESPACES, namespace("default", &json!({}), &json!({})));
    server.stop();
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let app = App::start(Options {
        cluster: ClusterView::pending("eco-pulse"),
        kubernetes: Some(Kubernetes::new(server.client(), "eco-pulse")),
        ..Options::new(Config::parse(CONFIG, &*catalogue).unwrap(), catalogue)
    })
    .unwrap();
    let mut webhook = Client::tls(app.webhook_addr().unwrap(), app.authority_pem().unwrap()).await;
    let mut admin = Client::plain(app.admin_addr()).await;
    let mut reason = async || {
        let reply = webhook.post("/mutate?timeout=1s", REVIEW).await;
        assert_eq!(reply.status, StatusCode::OK);
        let answer = reply.json();
        assert_eq!(answer["response"]["allowed"], true);
        answer["response"]["auditAnnotations"]["reason"].as_str().unwrap().to_owned()
    };
    in_time("a first snapshot", async { while reason().await == "no_snapshot" {} }).await;
    assert_eq!(reason().await, "cluster_unknown");
    assert_eq!(admin.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    in_time("patience at its end", async { while admin.get("/readyz").await.status != StatusCode::OK {} })
        .await;
    let ready = admin.get("/readyz").await.json();
    let kinds = ready["degraded"].as_array().unwrap().len();
    assert_eq!(kinds, 6, "{ready}");
    assert_eq!(reason().await, "cluster_unknown");
    server.start_again();
    in_time("all kinds", async { while admin.get("/readyz").await.json()["degraded"] != json!([]) {} }).await;
    assert_eq!(reason().await, "net_benefit");
    app.run_until(async {}).await.unwrap();
}
