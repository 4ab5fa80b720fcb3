//! Two processes on one Redis: who collects, and that no version goes back whatever happens to either of them.

use std::time::Duration;

use eco_pulse::domain::units::GramsPerKwh;
use eco_pulse::store::{Leadership, StoreError, Timing};

use crate::redis::RedisServer;
use crate::rig::{Replica, TIMING, grams, options, readings};

const LOCK: &str = "{eco-pulse}:collector";
const SNAPSHOT: &str = "{eco-pulse}:snapshot";

/// Polls so seldom that only what is announced is heard.
async fn two(server: &RedisServer) -> (Replica, Replica) {
    let timing = Timing { poll: Duration::from_hours(1), ..TIMING };
    let one = Replica::on_redis(&eco_pulse::store::RedisOptions { timing, ..options(server.url(), "one") });
    let other =
        Replica::on_redis(&eco_pulse::store::RedisOptions { timing, ..options(server.url(), "other") });
    one.up().await;
    other.up().await;
    (one, other)
}

#[tokio::test]
async fn what_one_publishes_the_other_hears_without_asking() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = two(&server).await;
    one.leads().await;
    for version in 1_u32..=5 {
        assert_eq!(one.publishes(f64::from(version)).await, u64::from(version));
        assert_eq!(other.version(u64::from(version)).await, u64::from(version));
    }
    assert_eq!(grams(&other.store.latest().await.unwrap().unwrap()), GramsPerKwh(5.0));
    assert_eq!(other.store.latest().await.unwrap(), one.store.latest().await.unwrap());
}

#[tokio::test]
async fn what_was_not_announced_is_found_by_looking() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (Replica::of(&server, "one").await, Replica::of(&server, "other").await);
    one.leads().await;
    one.publishes(1.0).await;
    other.version(1).await;
    // As after a message that was lost: stored, and nothing said.
    server.command(&["HSET", SNAPSHOT, "version", "8"]);
    assert_eq!(other.version(8).await, 8);
}

#[tokio::test]
async fn a_process_that_starts_later_finds_what_there_is() {
    let Some(server) = RedisServer::start() else { return };
    let one = Replica::of(&server, "one").await;
    one.leads().await;
    one.publishes(1.0).await;
    let other = Replica::of(&server, "other").await;
    assert_eq!(other.held(), 1, "before it says that it is up");
}

#[tokio::test]
async fn one_collects_and_the_other_knows_who() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = two(&server).await;
    one.leads().await;
    assert_eq!(other.store.lead().await, Ok(Leadership::Theirs("one".to_owned())));
    assert_eq!(other.store.publish(readings(1.0)).await, Err(StoreError::NotCollector));
    // Who does not hold it cannot give it away.
    other.store.resign().await;
    one.leads().await;
    one.store.resign().await;
    other.leads().await;
    assert_eq!(one.store.lead().await, Ok(Leadership::Theirs("other".to_owned())));
}

#[tokio::test]
async fn two_processes_of_one_name_are_two() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (Replica::of(&server, "twin").await, Replica::of(&server, "twin").await);
    one.leads().await;
    assert_eq!(other.store.lead().await, Ok(Leadership::Theirs("twin".to_owned())));
    assert_eq!(other.store.publish(readings(1.0)).await, Err(StoreError::NotCollector));
}

#[tokio::test]
async fn without_asking_first_nobody_may_publish() {
    let Some(server) = RedisServer::start() else { return };
    let one = Replica::of(&server, "one").await;
    assert_eq!(one.store.publish(readings(1.0)).await, Err(StoreError::NotCollector));
    assert_eq!(server.command(&["EXISTS", SNAPSHOT]), "0");
}

#[tokio::test]
async fn a_lock_that_is_not_asked_for_again_runs_out() {
    let Some(server) = RedisServer::start() else { return };
    let timing = Timing { lock_period: Duration::from_millis(100), ..TIMING };
    let one = Replica::on_redis(&eco_pulse::store::RedisOptions { timing, ..options(server.url(), "one") });
    let other = Replica::of(&server, "other").await;
    one.leads().await;
    while other.store.lead().await != Ok(Leadership::Ours) {}
    assert_eq!(one.store.publish(readings(1.0)).await, Err(StoreError::NotCollector));
    other.publishes(2.0).await;
}

#[tokio::test]
async fn asking_again_makes_the_lock_last() {
    let Some(server) = RedisServer::start() else { return };
    let one = Replica::of(&server, "one").await;
    one.leads().await;
    server.command(&["PEXPIRE", LOCK, "5000"]);
    one.leads().await;
    let left: u64 = server.command(&["PTTL", LOCK]).parse().unwrap();
    assert!(left > 5000 && left <= 60_000, "{left} ms");
}

/// The collector was asleep while another one took over: what it brings is older than what is there.
#[tokio::test]
async fn an_old_collector_cannot_publish_any_more() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = two(&server).await;
    one.leads().await;
    one.publishes(1.0).await;
    server.command(&["DEL", LOCK]);
    other.leads().await;
    other.version(1).await;
    other.publishes(2.0).await;
    assert_eq!(one.store.publish(readings(1.5)).await, Err(StoreError::NotCollector));
    one.version(2).await;
    assert_eq!(grams(&one.store.latest().await.unwrap().unwrap()), GramsPerKwh(2.0));
}

/// Even with the lock: what was put together before somebody else's version is put together again.
#[tokio::test]
async fn whoever_has_not_seen_the_newest_version_cannot_replace_it() {
    let Some(server) = RedisServer::start() else { return };
    let one = Replica::of(&server, "one").await;
    one.leads().await;
    one.publishes(1.0).await;
    let blind = Replica::on_redis(&eco_pulse::store::RedisOptions {
        timing: Timing { poll: Duration::from_hours(1), ..TIMING },
        ..options(server.url(), "blind")
    });
    blind.up().await;
    server.command(&["HSET", SNAPSHOT, "version", "5"]);
    server.command(&["DEL", LOCK]);
    blind.leads().await;
    let refused = blind.store.publish(readings(2.0)).await;
    assert_eq!(refused, Err(StoreError::Outdated { seen: 1, stored: 5 }));
    assert_eq!(blind.store.latest().await.unwrap().unwrap().version, 5);
    assert_eq!(blind.publishes(3.0).await, 6);
}

#[tokio::test]
async fn a_flushed_server_goes_on_counting() {
    let Some(server) = RedisServer::start() else { return };
    let one = Replica::of(&server, "one").await;
    one.leads().await;
    one.publishes(1.0).await;
    one.publishes(2.0).await;
    server.command(&["FLUSHALL"]);
    assert_eq!(one.store.publish(readings(3.0)).await, Err(StoreError::NotCollector), "the lock is gone too");
    one.leads().await;
    assert_eq!(one.publishes(3.0).await, 3);
}

#[tokio::test]
async fn a_flushed_server_is_given_back_what_a_replica_remembers() {
    let Some(server) = RedisServer::start() else { return };
    let one = Replica::of(&server, "one").await;
    one.leads().await;
    one.publishes(1.0).await;
    one.publishes(2.0).await;
    server.command(&["FLUSHALL"]);
    one.store.latest().await.unwrap();
    // The one that remembers is gone; a new one starts with nothing of its own.
    drop(one.stop().await);
    let other = Replica::of(&server, "other").await;
    assert_eq!(grams(&other.store.latest().await.unwrap().unwrap()), GramsPerKwh(2.0));
    assert_eq!(other.held(), 2);
}

/// The one that was behind gives its version back and collects: the next is later than what any process has seen.
#[tokio::test]
async fn after_a_flush_the_clock_is_that_of_the_process_that_saw_most() {
    let Some(server) = RedisServer::start() else { return };
    let (behind, ahead) = two(&server).await;
    ahead.leads().await;
    ahead.publishes(1.0).await;
    behind.version(1).await;
    // From now on each looks only when it is told to.
    let (behind, ahead) = (behind.stop().await, ahead.stop().await);
    for grams in [2.0, 3.0, 4.0] {
        ahead.publish(readings(grams)).await.unwrap();
    }
    server.command(&["FLUSHALL"]);
    assert_eq!(behind.latest().await.unwrap().unwrap().version, 1, "and it is stored again");
    assert_eq!(server.command(&["HGET", SNAPSHOT, "version"]), "1");
    assert_eq!(ahead.latest().await.unwrap().unwrap().version, 4, "nobody goes back");
    assert_eq!(behind.lead().await, Ok(Leadership::Ours));
    assert_eq!(behind.publish(readings(5.0)).await.unwrap().version, 5);
    let newest = ahead.latest().await.unwrap().unwrap();
    assert_eq!((newest.version, grams(&newest)), (5, GramsPerKwh(5.0)));
}
