//! More than one server: replicas, sentinels, a cluster.

use std::fmt::Write as _;
use std::fs;

use eco_pulse::domain::units::GramsPerKwh;
use eco_pulse::store::{Leadership, StoreError};

use crate::redis::{RedisServer, free_port};
use crate::rig::{NOON, Replica, at, grams, options, past};

#[tokio::test]
async fn a_server_that_takes_no_writes_is_said_and_used_once_it_does() {
    let Some(primary) = RedisServer::start() else { return };
    let Some(server) = RedisServer::start() else { return };
    let replica = Replica::of(&server, "one").await;
    assert_eq!(server.command(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]), "OK");
    let error = replica.down().await;
    assert!(matches!(&error, StoreError::Unreachable(why) if why.contains("name the primary")), "{error}");
    assert_eq!(server.command(&["REPLICAOF", "NO", "ONE"]), "OK");
    replica.up().await;
    replica.leads().await;
    replica.publishes(1.0).await;
}

#[tokio::test]
async fn in_a_cluster_every_key_is_on_one_node() {
    let bus = free_port().to_string();
    let Some(server) = RedisServer::start_with(&[
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &bus,
        "--cluster-announce-ip",
        "127.0.0.1",
    ]) else {
        return;
    };
    assert_eq!(server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]), "OK");
    server.until(&["CLUSTER", "INFO"], "cluster_state:ok");
    let url = server.url().replace("redis://", "redis-cluster://");
    let (one, other) =
        (Replica::on_redis(&options(url.clone(), "one")), Replica::on_redis(&options(url, "other")));
    one.up().await;
    other.up().await;
    one.leads().await;
    one.publishes(1.0).await;
    other.version(1).await;
    let readings = ["here", "there"].map(|region| past(region, "2026-06-01T10:00:00Z", 1.0, false));
    one.store.remember(&readings, at(NOON)).await.unwrap();
    let [here, _] = readings;
    let history = other.store.history(&here.region, here.starts_at, here.ends_at).await;
    assert_eq!(history.unwrap(), [here]);
}

#[tokio::test]
async fn a_server_that_is_no_cluster_is_told_apart() {
    let Some(server) = RedisServer::start() else { return };
    let url = server.url().replace("redis://", "redis-cluster://");
    let error = Replica::on_redis(&options(url, "one")).down().await;
    assert!(matches!(&error, StoreError::Unreachable(why) if why.contains("it is no cluster")), "{error}");
}

/// A replica need not wait for others that might ask for the same copy.
const NO_DELAY: &[&str] = &["--repl-diskless-sync-delay", "0"];

/// One sentinel that watches one primary and its replica.
fn sentinel_of(primary: &RedisServer, second: &RedisServer) -> Option<(RedisServer, tempfile::TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sentinel.conf");
    let mut text = String::new();
    writeln!(text, "sentinel monitor ours 127.0.0.1 {} 1", primary.port).unwrap();
    // It would find out by itself, with its next question in ten seconds.
    writeln!(text, "sentinel known-replica ours 127.0.0.1 {}", second.port).unwrap();
    writeln!(text, "sentinel down-after-milliseconds ours 1000").unwrap();
    writeln!(text, "sentinel failover-timeout ours 5000").unwrap();
    fs::write(&file, text).unwrap();
    let sentinel = RedisServer::start_with(&[file.to_str().unwrap(), "--sentinel"])?;
    Some((sentinel, dir))
}

#[tokio::test]
async fn behind_sentinels_the_primary_is_found_and_found_again_when_it_is_another_one() {
    let Some(mut primary) = RedisServer::start_with(NO_DELAY) else { return };
    let Some(second) = RedisServer::start_with(NO_DELAY) else { return };
    second.command(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]);
    second.until(&["INFO", "replication"], "master_link_status:up");
    let Some((sentinel, _dir)) = sentinel_of(&primary, &second) else { return };
    let dead = free_port();
    let port = sentinel.port;
    let url = format!("redis-sentinel://127.0.0.1:{port}?sentinelServiceName=ours&node=127.0.0.1:{dead}");
    let (one, other) =
        (Replica::on_redis(&options(url.clone(), "one")), Replica::on_redis(&options(url, "other")));
    one.up().await;
    other.up().await;
    one.leads().await;
    one.publishes(1.0).await;
    other.version(1).await;
    primary.kill();
    second.until(&["INFO", "replication"], "role:master");
    // What the old primary had not passed on yet is gone; the versions rise all the same.
    while one.store.lead().await != Ok(Leadership::Ours) {}
    let newest = one.store.latest().await.unwrap().unwrap().version;
    assert!(newest >= 1);
    assert_eq!(one.publishes(2.0).await, newest + 1);
    assert_eq!(second.command(&["HGET", "{eco-pulse}:snapshot", "version"]), (newest + 1).to_string());
    other.version(newest + 1).await;
    assert_eq!(grams(&other.store.latest().await.unwrap().unwrap()), GramsPerKwh(2.0));
}
