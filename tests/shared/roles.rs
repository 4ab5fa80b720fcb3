//! Replicas with a part each: the controller collects, the webhook answers by what it collected.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use eco_pulse::app::Role;
use http::StatusCode;
use rstest::rstest;
use serde_json::Value;

use crate::client::Client;
use crate::command::{eco_pulse, path};
use crate::grid::{Grid, Hands, VALUES};
use crate::prometheus_text::Scrape;
use crate::redis::{RedisServer, free_port};
use crate::replicas::{Replica, config};
use crate::waiting::until;

#[tokio::test]
async fn the_webhook_answers_by_what_the_controller_collects() {
    let Some(redis) = RedisServer::start() else { return };
    let hands = Hands::default();
    let grid = Grid::start(VALUES, &hands);
    let config = config(&grid, &redis.url());
    let webhook = Replica::start_as(Role::Webhook, &config, &hands, "webhook");
    let mut callers = webhook.callers().await;
    until("the store answers", async || callers.has_store().await).await;
    callers.bypass("no_snapshot").await;
    assert_eq!((grid.asked(), grid.probes()), (0, 0), "it asks nobody");

    let controller = Replica::start_as(Role::Controller, &config, &hands, "controller");
    assert_eq!(controller.app().webhook_addr(), None, "it answers for no pod");
    let mut admin = Client::plain(controller.app().admin_addr()).await;
    assert_eq!(admin.get("/snapshot").await.status, StatusCode::SERVICE_UNAVAILABLE);
    callers.has_version(1).await;
    assert_eq!(callers.decide().await.as_deref(), Some("eu-north-1"));
    assert!(!callers.collects().await);
    until("the controller collects", async || {
        Scrape::parse(admin.get("/metrics").await.text()).value("eco_pulse_collector", &[]) == 1.0
    })
    .await;
    assert_eq!(grid.probes(), 1);
}

/// The flag means what the role does.
#[rstest]
#[case("all", true)]
#[case("webhook", true)]
#[case("controller", false)]
fn only_a_controller_has_no_listener_for_pods(#[case] role: &str, #[case] answers: bool) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("eco-pulse.yaml");
    fs::write(&file, format!("store: {{redis: {{url: 'redis://127.0.0.1:{}'}}}}\n", free_port())).unwrap();
    let mut child = eco_pulse()
        .args(["serve", "--role", role, "--config", path(&file)])
        .args(["--webhook-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut log = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let serving = log.find(|line| line["message"] == "serving");
    child.kill().unwrap();
    child.wait().unwrap();
    let serving = serving.unwrap_or_else(|| panic!("{role} does not serve"));
    assert_eq!(serving["webhook_addr"].is_string(), answers, "{serving}");
    assert!(serving["admin_addr"].is_string(), "{serving}");
}
