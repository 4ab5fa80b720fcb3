//! A trace in place of the grid, an hour of it in a second: decisions change with it.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::callers::Callers;
use crate::replicas::{EASY, data_centres};
use crate::server::Server;
use crate::waiting::until;

/// A leap year, so that there is an hour for whatever day it is.
const FIRST_HOUR: &str = "2024-01-01T00:00:00Z";
const HOURS: i64 = 366 * 24;
const HIGH: u32 = 400;
const LOW: u32 = 100;
/// Changes that are waited for.
const CHANGES: usize = 4;

/// The base's, and those of the two that a pod may go to: now the one and now the other is the cleaner.
type Zones = [&'static str; 3];

fn trace(zones: Zones) -> String {
    let first: Timestamp = FIRST_HOUR.parse().unwrap();
    let mut trace = format!("datetime_utc,{}\n", zones.join(","));
    for hour in 0..HOURS {
        let at = first + SignedDuration::from_hours(hour);
        let (one, other) = if hour % 2 == 0 { (HIGH, LOW) } else { (LOW, HIGH) };
        writeln!(trace, "{at},900,{one},{other}").unwrap();
    }
    trace
}

/// The region with the least carbon in a snapshot.
fn cleanest(snapshot: &Value) -> String {
    let regions = snapshot["regions"].as_array().unwrap();
    let intensity = |region: &&Value| region["grid"]["known"]["intensity"].as_f64().unwrap();
    let cleanest = regions.iter().min_by(|one, other| intensity(one).total_cmp(&intensity(other)));
    cleanest.unwrap()["name"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_change_with_a_trace_that_is_replayed() {
    // Of them nothing but the trace is known.
    follow_the_trace(["HU", "AT", "CZ"]).await;
}

/// Each pod goes where the snapshot of its moment has the least carbon, now here and now there.
async fn follow_the_trace(zones: Zones) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trace.csv");
    std::fs::write(&file, trace(zones)).unwrap();
    // No run is longer than the hour that a reading is about.
    let config = format!(
        "{}grid: {{provider: replay, refresh: 200ms, replay: {{file: '{}', speed: 3600}}}}\n\
         workload: {{defaultDuration: 1m}}\n{EASY}",
        data_centres(zones),
        file.display()
    );
    let (server, _records) = Server::start_with_records(&config).await;
    let mut callers = Callers::of(&server.address()).await;
    let mut targets: Vec<String> = Vec::new();
    until("targets change", async || {
        let before = callers.admin.get("/snapshot").await.json();
        let target = callers.decide().await.unwrap();
        let is_certain = callers.version().await == before["version"].as_u64().unwrap();
        if is_certain {
            assert_eq!(target, cleanest(&before), "{before}");
        }
        if is_certain && targets.last() != Some(&target) {
            targets.push(target);
        }
        targets.len() > CHANGES
    })
    .await;
}

/// They have a climatology, which is for the hours after the reading's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_change_with_a_trace_of_zones_with_a_climatology() {
    follow_the_trace(["PL", "DE", "FR"]).await;
}
