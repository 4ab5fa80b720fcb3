//! The application in this process, on a clock that the test moves, with its listeners on free ports.

use std::sync::Arc;
use std::time::Duration;

use eco_pulse::app::{App, Options};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::Config;
use http::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::pods::region;
use crate::prometheus_text::Scrape;
use crate::stand_in::{Hands, StandIn, TOKEN};

/// What has not happened by then never will.
const PATIENCE: Duration = Duration::from_mins(1);

/// Rounds that follow one another as fast as configuration allows.
pub const OFTEN: &str = "refresh: 100ms";

/// The part of a configuration that asks a stand-in, with these further settings of `grid`.
pub fn asks(stand_in: &StandIn, token_file: &str, more: &str) -> String {
    let base_url = stand_in.upstream.url("/v4");
    format!(
        "grid: {{provider: electricity-maps, electricityMaps: {{baseUrl: '{base_url}', \
         tokenFile: '{token_file}'}}, {more}}}\ndecision: {{deadline: 900ms}}\n"
    )
}

/// A file with the token that stand-ins accept.
pub fn token_file() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (dir, path)
}

/// What is waited for, if it comes.
pub async fn in_time<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what} never came"))
}

/// A running application.
pub struct Running {
    app: App,
    admin: Client,
    webhook: Client,
    _secret: TempDir,
}

impl Running {
    /// Starts on a stand-in, with these regions (and what else a configuration holds) and these further settings of
    /// `grid`, and waits until it is ready.
    pub async fn start(hands: &Hands, stand_in: &StandIn, regions: &str, grid: &str) -> Self {
        let mut running = Self::launch(hands, stand_in, regions, grid).await;
        running.wait_until_ready().await;
        running
    }

    /// The same, without waiting.
    pub async fn launch(hands: &Hands, stand_in: &StandIn, regions: &str, grid: &str) -> Self {
        let (secret, token_file) = token_file();
        let config = format!("{regions}{}", asks(stand_in, &token_file, grid));
        let catalogue = Arc::new(Catalogue::built_in().unwrap());
        let app = App::start(Options {
            clock: hands.clock(),
            ..Options::new(
                Config::parse(&config, &*catalogue).unwrap_or_else(|error| panic!("{error}\n{config}")),
                catalogue,
            )
        })
        .unwrap();
        let admin = Client::plain(app.admin_addr()).await;
        let webhook = Client::tls(app.webhook_addr().unwrap(), app.authority_pem().unwrap()).await;
        Self { app, admin, webhook, _secret: secret }
    }

    pub async fn wait_until_ready(&mut self) {
        let ready = async { while self.admin.get("/readyz").await.status != StatusCode::OK {} };
        in_time("being ready", ready).await;
    }

    pub const fn app(&self) -> &App {
        &self.app
    }

    pub async fn snapshot(&mut self) -> Value {
        self.admin.get("/snapshot").await.json()
    }

    /// Waits until `/snapshot` is so.
    pub async fn wait_for(&mut self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let wait = async {
            loop {
                last = self.snapshot().await;
                if is_so(&last) {
                    break;
                }
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, wait).await.is_ok();
        assert!(in_time, "{what} never came: {last}");
        last
    }

    /// Waits until a region's data have this state, and gives its entry.
    pub async fn wait_for_state(&mut self, name: &str, state: &str) -> Value {
        let is_so = |snapshot: &Value| region(snapshot, name)["state"] == state;
        region(&self.wait_for(&format!("{name} {state}"), is_so).await, name).clone()
    }

    /// What is answered for a pod.
    pub async fn mutate(&mut self, review: &Value) -> Value {
        let reply = self.webhook.post("/mutate", review.to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        assert_eq!(reply.json()["response"]["uid"], review["request"]["uid"]);
        reply.json()
    }

    /// What is answered for a pod, and the decision's record.
    pub async fn decide(&mut self, review: &Value) -> (Value, Value) {
        let answer = self.mutate(review).await;
        // Records are written after the answer, those of earlier decisions perhaps only now.
        let id = answer["response"]["auditAnnotations"]["decision-id"].clone();
        let wait = async {
            loop {
                let records = self.records().await;
                if let Some(record) = records.into_iter().find(|record| record["decision_id"] == id) {
                    return record;
                }
            }
        };
        let record = in_time("a record", wait).await;
        (answer, record)
    }

    /// The newest first.
    async fn records(&mut self) -> Vec<Value> {
        serde_json::from_value(self.admin.get("/decisions").await.json()).unwrap()
    }

    pub async fn metrics(&mut self) -> Scrape {
        Scrape::parse(self.admin.get("/metrics").await.text())
    }

    pub async fn ready(&mut self) -> Value {
        let reply = self.admin.get("/readyz").await;
        assert_eq!(reply.status, StatusCode::OK, "grid data make no replica unready: {}", reply.text());
        reply.json()
    }

    /// Ends it in order.
    pub async fn stop(self) {
        self.app.run_until(async {}).await.unwrap();
    }
}
