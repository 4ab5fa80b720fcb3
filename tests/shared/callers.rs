//! Those who ask a replica: the API server for pods, and operators for how it is. And pods that keep coming.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::prometheus_text::Scrape;
use crate::server::Server;
use crate::waiting::until;

/// Between two pods that come.
const TICK: Duration = Duration::from_millis(10);

const JOB: &[u8] = include_bytes!("../data/kubernetes-1.36/ai-training.admission.json");

/// Where a replica is.
#[derive(Clone)]
pub struct Address {
    pub webhook: SocketAddr,
    pub admin: SocketAddr,
    pub authority_pem: String,
}

/// A process, as callers find it.
impl Server {
    pub fn address(&self) -> Address {
        Address {
            webhook: self.webhook_addr,
            admin: self.admin_addr,
            authority_pem: std::fs::read_to_string(self.certificates().join("ca.crt")).unwrap(),
        }
    }
}

/// Open connections to a replica.
pub struct Callers {
    webhook: Client,
    pub admin: Client,
}

impl Callers {
    pub async fn of(replica: &Address) -> Self {
        let webhook = Client::tls(replica.webhook, &replica.authority_pem).await;
        Self { webhook, admin: Client::plain(replica.admin).await }
    }

    /// What is answered for a pod: always 200, always allowed.
    pub async fn answer(&mut self) -> Value {
        let reply = self.webhook.post("/mutate", job()).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        let answer = reply.json();
        assert_eq!(answer["response"]["allowed"], true, "{answer}");
        answer
    }

    /// The pod is decided about: not too late, not without data. Where to, if it is moved.
    pub async fn decide(&mut self) -> Option<String> {
        let answer = self.answer().await;
        let said = &answer["response"]["auditAnnotations"];
        assert!(matches!(said["outcome"].as_str(), Some("steer" | "stay")), "{answer}");
        said["target-region"].as_str().map(str::to_owned)
    }

    /// The pod is admitted as it came.
    pub async fn bypass(&mut self, reason: &str) {
        let answer = self.answer().await;
        assert_eq!(answer["response"]["patch"], Value::Null, "{answer}");
        let said = &answer["response"]["auditAnnotations"];
        assert_eq!((&said["outcome"], &said["reason"]), (&json!("bypass"), &json!(reason)), "{answer}");
    }

    pub async fn metrics(&mut self) -> Scrape {
        Scrape::parse(self.admin.get("/metrics").await.text())
    }

    async fn gauge(&mut self, name: &str) -> Option<f64> {
        self.metrics().await.find(name, &[])
    }

    /// Whether this replica asks the providers.
    pub async fn collects(&mut self) -> bool {
        self.gauge("eco_pulse_collector").await == Some(1.0)
    }

    /// Whether the store answers it.
    pub async fn has_store(&mut self) -> bool {
        self.gauge("eco_pulse_store_up").await == Some(1.0)
    }

    /// The version that its decisions use; 0 for none.
    pub async fn version(&mut self) -> u64 {
        let reply = self.admin.get("/snapshot").await;
        if reply.status == StatusCode::OK { reply.json()["version"].as_u64().unwrap() } else { 0 }
    }

    /// The replica wants requests; what it goes without.
    pub async fn degraded(&mut self) -> Vec<String> {
        let reply = self.admin.get("/readyz").await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        serde_json::from_value(reply.json()["degraded"].clone()).unwrap()
    }

    /// Nothing was answered as if nobody were here.
    pub async fn assert_never_opened(&mut self) {
        assert_eq!(self.metrics().await.total("eco_pulse_fail_open_total"), 0.0);
    }

    pub async fn has_version(&mut self, at_least: u64) {
        until(&format!("version {at_least}"), async || self.version().await >= at_least).await;
    }

    pub async fn gains_store(&mut self) {
        until("the store answers", async || self.has_store().await).await;
        assert_eq!(self.degraded().await, [""; 0]);
    }

    pub async fn loses_store(&mut self) {
        until("the store fails", async || !self.has_store().await).await;
        assert_eq!(self.degraded().await, ["store"]);
    }
}

/// The recorded Job's pod, asking for two cores and no GPU, without annotations.
fn job() -> Bytes {
    let mut review: Value = serde_json::from_slice(JOB).unwrap();
    let pod = &mut review["request"]["object"];
    pod["metadata"]["annotations"] = json!({});
    pod["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": "2", "memory": "4Gi" } });
    serde_json::to_vec(&review).unwrap().into()
}

/// Pods that keep coming, one after the other, each of which is decided about, by versions that never go back.
pub struct Pods {
    stop: CancellationToken,
    coming: JoinHandle<usize>,
}

impl Pods {
    pub async fn keep_coming(replica: &Address) -> Self {
        let mut callers = Callers::of(replica).await;
        let stop = CancellationToken::new();
        let until = stop.clone();
        let coming = tokio::spawn(async move {
            let (mut count, mut last) = (0, 0);
            let mut turns = tokio::time::interval(TICK);
            while !until.is_cancelled() {
                turns.tick().await;
                callers.decide().await;
                let version = callers.version().await;
                assert!(version >= last, "version {version} after {last}");
                (count, last) = (count + 1, version);
            }
            callers.assert_never_opened().await;
            count
        });
        Self { stop, coming }
    }

    /// No more of them. Fails if one was not decided about.
    pub async fn stop(self) {
        self.stop.cancel();
        assert!(self.coming.await.unwrap() > 0, "a pod came");
    }
}
