//! The past on Redis: who may replace what, what it costs, and when it ends.

use eco_pulse::domain::history::PastReading;
use eco_pulse::store::{RedisOptions, SnapshotStore};
use jiff::{SignedDuration, Timestamp};

use crate::redis::RedisServer;
use crate::rig::{NOON, Replica, at, options, past};

const HISTORY: &str = "{eco-pulse}:history:here";

async fn all(store: &SnapshotStore) -> Vec<PastReading> {
    store.history(&"here".into(), Timestamp::MIN, Timestamp::MAX).await.unwrap()
}

/// How often the server ran a command, from scripts too.
fn calls(server: &RedisServer, command: &str) -> u64 {
    let stats = server.command(&["INFO", "commandstats"]);
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn what_one_process_measured_another_ones_estimate_does_not_replace() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (Replica::of(&server, "one").await, Replica::of(&server, "other").await);
    let measured = past("here", "2026-06-01T10:00:00Z", 1.0, false);
    let estimate = past("here", "2026-06-01T10:00:00Z", 2.0, true);
    one.store.remember(std::slice::from_ref(&estimate), at(NOON)).await.unwrap();
    other.store.remember(std::slice::from_ref(&measured), at(NOON)).await.unwrap();
    one.store
        .remember(&[PastReading { intensity: measured.intensity * 3.0, ..estimate }], at(NOON))
        .await
        .unwrap();
    assert_eq!(all(&one.store).await, std::slice::from_ref(&measured));
    assert_eq!(all(&other.store).await, [measured]);
}

#[tokio::test]
async fn what_did_not_change_is_not_written_again_unless_the_server_lost_it() {
    let Some(mut server) = RedisServer::start() else { return };
    let replica = Replica::of(&server, "one").await;
    let readings =
        [past("here", "2026-06-01T10:00:00Z", 1.0, false), past("there", "2026-06-01T10:00:00Z", 2.0, true)];
    let remember = async |readings: &[PastReading]| replica.store.remember(readings, at(NOON)).await.unwrap();
    remember(&readings).await;
    assert_eq!(calls(&server, "zadd"), 2);
    remember(&readings).await;
    assert_eq!(calls(&server, "zadd"), 2);
    let [here, there] = readings;
    let there = PastReading { intensity: there.intensity * 2.0, ..there };
    remember(&[here.clone(), there.clone()]).await;
    assert_eq!(calls(&server, "zadd"), 3, "one of the two is news");
    server.command(&["FLUSHALL"]);
    replica.store.latest().await.unwrap();
    remember(&[here.clone(), there.clone()]).await;
    assert_eq!(all(&replica.store).await, std::slice::from_ref(&here));
    replica.up_again_after(|| server.restart()).await;
    remember(&[here.clone(), there]).await;
    assert_eq!(all(&replica.store).await, [here]);
}

#[tokio::test]
async fn a_long_past_is_taken_in_whole() {
    let Some(server) = RedisServer::start() else { return };
    let retention = SignedDuration::from_hours(24 * 90);
    let replica = Replica::on_redis(&RedisOptions { retention, ..options(server.url(), "one") });
    replica.up().await;
    let start = at("2026-05-01T00:00:00Z");
    let readings: Vec<_> = (0..700)
        .flat_map(|hour| {
            let starts_at = (start + SignedDuration::from_hours(hour)).to_string();
            ["here", "there", "elsewhere"].map(|region| past(region, &starts_at, hour as f64, hour % 2 == 0))
        })
        .collect();
    replica.store.remember(&readings, at(NOON)).await.unwrap();
    let here: Vec<_> = readings.iter().filter(|reading| reading.region.as_str() == "here").cloned().collect();
    assert_eq!(all(&replica.store).await, here);
    assert_eq!(server.command(&["ZCARD", "{eco-pulse}:history:elsewhere"]), "700");
}

/// A region that is not configured any more leaves nothing behind.
#[tokio::test]
async fn a_past_that_nobody_adds_to_ends_with_the_retention() {
    let Some(server) = RedisServer::start() else { return };
    let replica = Replica::of(&server, "one").await;
    let reading = past("here", "2026-06-01T10:00:00Z", 1.0, false);
    replica.store.remember(&[reading], at(NOON)).await.unwrap();
    let left: i64 = server.command(&["PTTL", HISTORY]).parse().unwrap();
    let day = 24 * 3600 * 1000;
    assert!((day - 60_000..=day).contains(&left), "{left} ms");
}

#[tokio::test]
async fn a_line_that_nobody_can_read_is_missing_and_the_others_are_there() {
    let Some(server) = RedisServer::start() else { return };
    let replica = Replica::of(&server, "one").await;
    let reading = past("here", "2026-06-01T10:00:00Z", 1.0, false);
    replica.store.remember(std::slice::from_ref(&reading), at(NOON)).await.unwrap();
    let slot = (reading.slot() + 2).to_string();
    server.command(&["ZADD", HISTORY, &slot, "predicted by the stars"]);
    assert_eq!(all(&replica.store).await, [reading]);
}
