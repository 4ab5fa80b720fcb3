//! With a webhook that is gone, hangs or answers nonsense, pods are created and bound as if there were none.

use std::sync::Arc;

use eco_pulse::tls::{CertificateResolver, issue, server_config};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::json;
use tokio::net::TcpListener;

use crate::cluster::{Cluster, deployment, probe_until};
use crate::eco_pulse::{CONFIG, EcoPulse, in_force, register};
use crate::upstream::{Answer, Upstream};

const PODS: usize = 3;

/// Its pods are there, bound, and carry nothing of ours.
async fn runs_untouched(cluster: &Cluster, namespace: &str) {
    cluster.create::<Deployment>(namespace, deployment("web", PODS)).await;
    for pod in cluster.bound(namespace, "web", PODS).await {
        assert!(pod.spec.unwrap().affinity.is_none());
        assert!(!pod.metadata.labels.unwrap().contains_key("eco-pulse.io/decision"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_bound_when_the_webhook_is_killed() {
    let Some(cluster) = Cluster::get().await else { return };
    cluster.namespace("killed", json!({})).await;
    let eco_pulse = EcoPulse::start(&cluster, CONFIG).await;
    eco_pulse.serve_namespace(&cluster, "killed").await;
    in_force(&cluster, "killed").await;
    eco_pulse.app.run_until(async {}).await.unwrap();
    runs_untouched(&cluster, "killed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_bound_when_the_webhook_hangs() {
    let Some(cluster) = Cluster::get().await else { return };
    cluster.namespace("hung", json!({})).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/mutate", listener.local_addr().unwrap());
    let calls = Arc::new(tokio::sync::Semaphore::new(0));
    let heard = calls.clone();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
            heard.add_permits(1);
        }
    });
    let issued = issue(&["127.0.0.1".parse().unwrap()], jiff::Timestamp::UNIX_EPOCH).unwrap();
    register(&cluster, "hung", &url, issued.authority_pem()).await;
    // Until the configuration is in force nothing hangs.
    probe_until(&cluster.client, "hung", || calls.available_permits() > 0).await;
    runs_untouched(&cluster, "hung").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_bound_when_the_webhook_answers_nonsense() {
    let Some(cluster) = Cluster::get().await else { return };
    cluster.namespace("nonsense", json!({})).await;
    let issued = issue(&["127.0.0.1".parse().unwrap()], eco_pulse::clock::Clock::system().now()).unwrap();
    let tls = server_config(CertificateResolver::new(issued.certificate().unwrap()), None).unwrap();
    // The stand-in does not speak HTTP/2, which the API server chooses on loopback when it may.
    let mut tls = rustls::ServerConfig::clone(&tls);
    tls.alpn_protocols.clear();
    let upstream = Upstream::start_tls(Arc::new(tls));
    upstream.on("/mutate", |_| Answer::json("{\"nonsense\":[1,2"));
    let url = format!("https://127.0.0.1:{}/mutate", upstream.port());
    register(&cluster, "nonsense", &url, issued.authority_pem()).await;
    probe_until(&cluster.client, "nonsense", || !upstream.requests().is_empty()).await;
    runs_untouched(&cluster, "nonsense").await;
}
