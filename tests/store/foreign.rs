//! Other people's bytes under our keys, ours but broken, and ours of another release.

use std::time::Duration;

use eco_pulse::domain::units::GramsPerKwh;
use eco_pulse::store::{Leadership, RedisOptions, StoreError, StoreState, Timing};
use rstest::rstest;

use crate::redis::RedisServer;
use crate::rig::{NOON, Replica, TIMING, at, grams, options, past, readings};

const SNAPSHOT: &str = "{eco-pulse}:snapshot";
const LOCK: &str = "{eco-pulse}:collector";
const HISTORY: &str = "{eco-pulse}:history:here";

/// The largest whole number that scripts count to.
const LARGEST: u64 = (1 << 53) - 1;

#[rstest]
#[case::text(&["SET", SNAPSHOT, "theirs"], "a string")]
#[case::list(&["RPUSH", SNAPSHOT, "theirs"], "a list")]
#[case::sorted_set(&["ZADD", SNAPSHOT, "1", "theirs"], "a zset")]
#[case::no_version(&["HSET", SNAPSHOT, "schema", "1", "body", "{}"], "a hash without a version")]
#[case::no_schema(&["HSET", SNAPSHOT, "version", "1", "body", "{}"], "a hash without a schema")]
#[case::word(&["HSET", SNAPSHOT, "version", "one", "schema", "1"], "a hash without a version")]
#[case::empty(&["HSET", SNAPSHOT, "version", "", "schema", "1"], "a hash without a version")]
#[case::zero(&["HSET", SNAPSHOT, "version", "0", "schema", "1"], "a hash without a version")]
#[case::below_zero(&["HSET", SNAPSHOT, "version", "-1", "schema", "1"], "a hash without a version")]
#[case::fraction(&["HSET", SNAPSHOT, "version", "1.5", "schema", "1"], "a hash without a version")]
#[case::exponent(&["HSET", SNAPSHOT, "version", "1e3", "schema", "1"], "a hash without a version")]
#[case::hexadecimal(&["HSET", SNAPSHOT, "version", "0x10", "schema", "1"], "a hash without a version")]
#[case::too_high(&["HSET", SNAPSHOT, "version", "9007199254740992", "schema", "1"], "a hash without a version")]
#[case::much_too_high(&["HSET", SNAPSHOT, "version", "18446744073709551615", "schema", "1"], "a hash without a version")]
#[case::last(&["HSET", SNAPSHOT, "version", "9007199254740991", "schema", "1"], "a version after which there is none")]
#[case::clock(&["HSET", SNAPSHOT, "version", "1", "schema", "1", "clock", "x"], "a hash with a clock that does not count")]
#[tokio::test]
async fn a_snapshot_that_is_not_ours_is_said_and_never_overwritten(
    #[case] put: &[&str],
    #[case] found: &str,
) {
    let Some(server) = RedisServer::start() else { return };
    server.command(put);
    let before = server.command(&["DUMP", SNAPSHOT]);
    let replica = Replica::on_redis(&options(server.url(), "one"));
    let foreign = StoreError::Foreign { key: SNAPSHOT.to_owned(), found: found.to_owned() };
    assert_eq!(replica.down().await, foreign);
    replica.leads().await;
    assert_eq!(replica.store.publish(readings(1.0)).await, Err(foreign.clone()));
    assert_eq!(replica.store.latest().await, Err(foreign.clone()));
    assert!(foreign.to_string().contains("store.redis.url"));
    assert_eq!(server.command(&["DUMP", SNAPSHOT]), before);
    // Cleared away, all is well without a restart.
    server.command(&["DEL", SNAPSHOT]);
    replica.up().await;
    assert_eq!(replica.publishes(1.0).await, 1);
}

#[rstest]
#[case::list(&["RPUSH", LOCK, "theirs"], "a list")]
#[case::for_ever(&["SET", LOCK, "theirs"], "a text that never expires")]
#[tokio::test]
async fn a_lock_that_is_not_ours_is_said_and_never_overwritten(#[case] put: &[&str], #[case] found: &str) {
    let Some(server) = RedisServer::start() else { return };
    server.command(put);
    let replica = Replica::on_redis(&options(server.url(), "one"));
    let foreign = StoreError::Foreign { key: LOCK.to_owned(), found: found.to_owned() };
    assert_eq!(replica.down().await, foreign);
    assert_eq!(replica.store.lead().await, Err(foreign.clone()));
    assert_eq!(replica.store.publish(readings(1.0)).await, Err(foreign));
    replica.store.resign().await;
    assert_eq!(server.command(&["EXISTS", LOCK]), "1");
    server.command(&["DEL", LOCK]);
    replica.up().await;
    replica.leads().await;
}

/// It runs out, so that somebody waits for it, whoever wrote it.
#[tokio::test]
async fn a_lock_that_expires_is_waited_for() {
    let Some(server) = RedisServer::start() else { return };
    let replica = Replica::of(&server, "one").await;
    server.command(&["SET", LOCK, "somebody", "PX", "100"]);
    assert!(matches!(replica.store.lead().await, Ok(Leadership::Theirs(name)) if name == "somebody"));
    while replica.store.lead().await != Ok(Leadership::Ours) {}
}

#[tokio::test]
async fn a_history_that_is_not_ours_is_said_and_nothing_else_fails() {
    let Some(server) = RedisServer::start() else { return };
    server.command(&["SET", HISTORY, "theirs"]);
    let replica = Replica::of(&server, "one").await;
    let foreign = StoreError::Foreign { key: HISTORY.to_owned(), found: "a string".to_owned() };
    let reading = past("here", "2026-06-01T10:00:00Z", 1.0, false);
    let remembered = replica.store.remember(std::slice::from_ref(&reading), at(NOON)).await;
    assert_eq!(remembered, Err(foreign.clone()));
    let history = replica.store.history(&reading.region, reading.starts_at, reading.ends_at).await;
    assert_eq!(history, Err(foreign));
    assert_eq!(server.command(&["GET", HISTORY]), "theirs");
    assert_eq!(*replica.store.state().borrow(), StoreState::Up);
    server.command(&["DEL", HISTORY]);
    replica.store.remember(&[reading], at(NOON)).await.unwrap();
}

#[rstest]
#[case::nothing("")]
#[case::cut_short("{\"version\":1,\"captured_at\":\"2026-06-")]
#[case::another_shape("[1,2,3]")]
#[case::a_number_that_cannot_be("{\"version\":1,\"captured_at\":\"never\",\"regions\":{}}")]
#[tokio::test]
async fn a_broken_body_leaves_readers_what_they_have_and_is_replaced_by_the_next_version(#[case] body: &str) {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (Replica::of(&server, "one").await, Replica::of(&server, "other").await);
    one.leads().await;
    one.publishes(1.0).await;
    other.version(1).await;
    server.command(&["HSET", SNAPSHOT, "version", "7", "body", body]);
    for replica in [&one, &other] {
        let error = replica.down().await;
        assert!(matches!(&error, StoreError::Unreadable { version: 7, .. }), "{error}");
        assert_eq!(replica.held(), 1);
    }
    assert_eq!(one.publishes(2.0).await, 8);
    one.up().await;
    other.up().await;
    assert_eq!(other.version(8).await, 8);
}

/// It would take each reader many times its size in memory: it stays where it is.
#[tokio::test]
async fn a_body_larger_than_any_snapshot_is_not_fetched_and_is_replaced_by_the_next_version() {
    let Some(server) = RedisServer::start() else { return };
    let replica = Replica::of(&server, "one").await;
    replica.leads().await;
    replica.publishes(1.0).await;
    let large = (16 << 20) + 1;
    let fill = "redis.call('HSET', KEYS[1], 'version', '7', 'body', string.rep(' ', tonumber(ARGV[1])))";
    server.command(&["EVAL", fill, "1", SNAPSHOT, &large.to_string()]);
    match replica.down().await {
        StoreError::Unreadable { version: 7, problem, .. } => assert!(problem.contains(&large.to_string())),
        other => panic!("{other}"),
    }
    assert_eq!(replica.held(), 1);
    assert_eq!(replica.publishes(2.0).await, 8);
    replica.up().await;
}

/// A field that is not there at all is an empty body.
#[tokio::test]
async fn a_snapshot_without_a_body_is_broken_and_not_foreign() {
    let Some(server) = RedisServer::start() else { return };
    server.command(&["HSET", SNAPSHOT, "version", "7", "schema", "1"]);
    let replica = Replica::on_redis(&options(server.url(), "one"));
    assert!(matches!(replica.down().await, StoreError::Unreadable { version: 7, .. }));
    replica.leads().await;
    assert_eq!(replica.publishes(1.0).await, 8);
}

#[tokio::test]
async fn what_a_newer_release_of_the_same_schema_adds_is_passed_over() {
    let Some(server) = RedisServer::start() else { return };
    let replica = Replica::of(&server, "one").await;
    let body = serde_json::to_string(&readings(5.0)).unwrap().replacen('{', "{\"added\":{\"later\":[1]},", 1);
    server.command(&["HSET", SNAPSHOT, "version", "3", "schema", "1", "body", &body]);
    replica.version(3).await;
    assert_eq!(grams(&replica.store.latest().await.unwrap().unwrap()), GramsPerKwh(5.0));
}

#[tokio::test]
async fn a_newer_schema_is_not_read_and_a_release_that_was_rolled_back_publishes_over_it() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (Replica::of(&server, "one").await, Replica::of(&server, "other").await);
    one.leads().await;
    one.publishes(1.0).await;
    other.version(1).await;
    server.command(&["HSET", SNAPSHOT, "version", "4", "schema", "2", "body", "what nobody knows yet"]);
    for replica in [&one, &other] {
        let newer = replica.down().await;
        assert_eq!(newer, StoreError::Newer { stored: 2, known: 1 });
        assert_eq!(replica.store.latest().await, Err(newer));
        assert_eq!(replica.held(), 1);
    }
    assert_eq!(other.store.publish(readings(2.0)).await, Err(StoreError::NotCollector));
    assert_eq!(one.publishes(2.0).await, 5);
    assert_eq!(server.command(&["HGET", SNAPSHOT, "schema"]), "1");
    other.version(5).await;
    other.up().await;
}

/// Scripts count in doubles: near their end each version still is one more than the one before.
#[tokio::test]
async fn high_versions_are_counted_exactly_up_to_the_last() {
    let Some(server) = RedisServer::start() else { return };
    let one = Replica::of(&server, "one").await;
    one.leads().await;
    one.publishes(1.0).await;
    server.command(&["HSET", SNAPSHOT, "version", &(LARGEST - 3).to_string()]);
    one.version(LARGEST - 3).await;
    assert_eq!(one.publishes(2.0).await, LARGEST - 2);
    assert_eq!(one.publishes(3.0).await, LARGEST - 1);
    assert_eq!(server.command(&["HGET", SNAPSHOT, "version"]), (LARGEST - 1).to_string());
    assert_eq!(one.publishes(4.0).await, LARGEST);
    assert!(matches!(one.store.publish(readings(5.0)).await, Err(StoreError::Foreign { .. })));
    assert_eq!(one.held(), LARGEST);
}

/// An announcement is only a hint: what is not a version, or a lie, does no harm.
#[tokio::test]
async fn nonsense_on_the_channel_is_no_version() {
    let Some(server) = RedisServer::start() else { return };
    let timing = Timing { poll: Duration::from_hours(1), ..TIMING };
    let one = Replica::on_redis(&RedisOptions { timing, ..options(server.url(), "one") });
    let other = Replica::of(&server, "other").await;
    one.up().await;
    for nonsense in ["", "soon", "-5", "18446744073709551616", "999", "\u{fffd}"] {
        assert_eq!(server.command(&["PUBLISH", "{eco-pulse}:versions", nonsense]), "2");
    }
    other.leads().await;
    other.publishes(1.0).await;
    assert_eq!(one.version(1).await, 1);
    assert_eq!(*one.store.state().borrow(), StoreState::Up);
}
