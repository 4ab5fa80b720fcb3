//! Redis gone, asleep, slow, back: nothing hangs, nothing queues, nothing needs a restart.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use eco_pulse::domain::units::GramsPerKwh;
use eco_pulse::store::{RedisOptions, StoreError, StoreState, Timing};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::redis::{RedisServer, free_port};
use crate::rig::{IMPATIENT, Replica, TIMING, at, grams, options, past, readings};
use crate::slow_proxy::SlowProxy;

fn unreachable(error: &StoreError) -> &str {
    match error {
        StoreError::Unreachable(why) => why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn nobody_at_the_port_is_said_with_the_address_and_a_cure() {
    let port = free_port();
    let replica = Replica::on_redis(&options(format!("redis://127.0.0.1:{port}"), "alone"));
    let error = replica.down().await;
    let why = unreachable(&error);
    assert!(why.contains(&format!("redis://127.0.0.1:{port}")), "{why}");
    assert!(why.contains("refused") && why.contains("store.redis.url"), "{why}");
    // Every question is answered with the same, at once.
    assert_eq!(replica.store.lead().await.unwrap_err(), error);
    assert_eq!(replica.store.latest().await.unwrap_err(), error);
    assert_eq!(replica.store.publish(readings(1.0)).await.unwrap_err(), error);
    replica.store.resign().await;
    replica.stop().await;
}

#[tokio::test]
async fn a_host_without_an_address_is_said() {
    let replica = Replica::on_redis(&options("redis://nowhere.invalid".to_owned(), "alone"));
    let error = replica.down().await;
    assert!(unreachable(&error).contains("redis://nowhere.invalid:6379"), "{error}");
}

/// `run` was not called, or has not come to anything yet: no question waits for ever.
#[tokio::test(start_paused = true)]
async fn a_store_that_nobody_keeps_in_touch_fails_after_a_while() {
    let store =
        eco_pulse::store::RedisStore::new(&options("redis://127.0.0.1:1".to_owned(), "alone")).unwrap();
    let store = eco_pulse::store::SnapshotStore::Redis(store);
    assert!(unreachable(&store.lead().await.unwrap_err()).contains("not connected"));
    assert_eq!(*store.state().borrow(), StoreState::Starting);
}

#[tokio::test]
async fn a_server_that_was_killed_and_comes_back_empty_is_filled_again() {
    let Some(mut server) = RedisServer::start() else { return };
    let (one, other) = (Replica::of(&server, "one").await, Replica::of(&server, "other").await);
    one.leads().await;
    one.publishes(1.0).await;
    one.publishes(2.0).await;
    other.version(2).await;
    server.kill();
    unreachable(&one.down().await);
    unreachable(&other.down().await);
    unreachable(&one.store.publish(readings(3.0)).await.unwrap_err());
    assert_eq!((one.held(), other.held()), (2, 2), "readings stay");
    server.restart();
    one.up().await;
    other.up().await;
    other.leads().await;
    assert_eq!(other.publishes(4.0).await, 3);
    one.version(3).await;
    assert_eq!(grams(&one.store.latest().await.unwrap().unwrap()), GramsPerKwh(4.0));
}

/// Which looking would not show before the hour is over.
#[tokio::test]
async fn after_a_new_connection_announcements_are_heard_as_before() {
    let Some(server) = RedisServer::start() else { return };
    let timing = Timing { poll: Duration::from_hours(1), ..TIMING };
    let listener = Replica::on_redis(&RedisOptions { timing, ..options(server.url(), "listener") });
    let one = Replica::of(&server, "one").await;
    listener.up().await;
    one.leads().await;
    one.publishes(1.0).await;
    listener.version(1).await;
    for kind in ["pubsub", "normal"] {
        let cut = || drop(server.command(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]));
        tokio::join!(one.up_again_after(cut), listener.up_again_after(|| ()));
        let version = one.publishes(2.0).await;
        listener.version(version).await;
    }
}

#[tokio::test]
async fn a_server_that_appears_after_us_is_found() {
    let Some(mut server) = RedisServer::start() else { return };
    server.kill();
    let replica = Replica::on_redis(&options(server.url(), "early"));
    replica.down().await;
    server.restart();
    replica.up().await;
    replica.leads().await;
    replica.publishes(1.0).await;
}

#[tokio::test]
async fn a_server_that_sleeps_keeps_nobody_waiting_and_is_used_again_when_it_wakes() {
    let Some(server) = RedisServer::start() else { return };
    let options = RedisOptions { timing: IMPATIENT, ..options(server.url(), "one") };
    let (one, other) = (Replica::on_redis(&options), Replica::on_redis(&options));
    one.up().await;
    other.up().await;
    one.leads().await;
    one.publishes(1.0).await;
    server.pause();
    // Asked while the connection still stands: it is this question's time that runs out.
    let asked =
        tokio::time::timeout(Duration::from_secs(30), one.store.publish(readings(2.0))).await.unwrap();
    unreachable(&asked.unwrap_err());
    assert!(unreachable(&one.down().await).contains("no answer in time"));
    // The kernel still accepts connections.
    other.down().await;
    for _ in 0..3 {
        unreachable(&one.store.lead().await.unwrap_err());
    }
    server.resume();
    one.up().await;
    other.up().await;
    // Whether the sleeping server did in the end what nobody waited for: the versions rise.
    one.leads().await;
    let before = one.store.latest().await.unwrap().unwrap().version;
    assert_eq!(one.publishes(3.0).await, before + 1);
    other.version(before + 1).await;
}

/// Every answer comes two seconds late, which is longer than anybody waits.
#[tokio::test]
async fn a_slow_server_is_one_that_is_not_there() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = SlowProxy::start(server.port, Duration::from_secs(2)).await;
    let options = RedisOptions { timing: IMPATIENT, ..options(format!("redis://{}", proxy.addr), "one") };
    let replica = Replica::on_redis(&options);
    assert!(unreachable(&replica.down().await).contains("no answer in time"));
    unreachable(&replica.store.lead().await.unwrap_err());
    unreachable(
        &replica
            .store
            .remember(&[past("here", "2026-06-01T10:00:00Z", 1.0, false)], at("2026-06-01T11:00:00Z"))
            .await
            .unwrap_err(),
    );
    replica.stop().await;
}

/// Slow, but within what is waited for: it works.
#[tokio::test]
async fn a_server_that_is_a_little_slow_is_used() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = SlowProxy::start(server.port, Duration::from_millis(20)).await;
    let replica = Replica::on_redis(&options(format!("redis://{}", proxy.addr), "one"));
    replica.up().await;
    replica.leads().await;
    assert_eq!(replica.publishes(1.0).await, 1);
}

/// What this process logs from now on: one for all threads, since a log for one misses what another one asked first.
fn log_of_all_tests() -> &'static Path {
    static LOG: LazyLock<tempfile::NamedTempFile> = LazyLock::new(|| {
        let log = tempfile::NamedTempFile::new().unwrap();
        let writer = Arc::new(log.reopen().unwrap());
        tracing_subscriber::fmt().with_writer(writer).with_ansi(false).init();
        log
    });
    LOG.path()
}

/// However often it is tried, and with whatever words it fails.
#[tokio::test]
async fn a_change_is_logged_once_and_not_at_every_attempt() {
    let Some(mut server) = RedisServer::start() else { return };
    let (log, server_url) = (log_of_all_tests(), server.url());
    let before = std::fs::read_to_string(log).unwrap().lines().count();
    let lines = |level: &str| {
        let text = std::fs::read_to_string(log).unwrap();
        let ours = |line: &&str| line.contains("eco_pulse::store") && line.contains(&server_url);
        let found = text.lines().skip(before).filter(ours).filter(|line| line.contains(level));
        found.map(str::to_owned).collect::<Vec<_>>()
    };
    let replica = Replica::of(&server, "one").await;
    assert_eq!(lines("INFO").len(), 1, "{:?}", lines(""));
    server.kill();
    replica.down().await;
    // Somebody else takes the port, and hangs up on everybody.
    let listener = TcpListener::bind(("127.0.0.1", server.port)).await.unwrap();
    for _ in 0..20 {
        drop(listener.accept().await.unwrap());
    }
    let warned = lines("WARN");
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains(&server.url()) && warned[0].contains("store.redis.url"), "{warned:?}");
    drop(listener);
    server.restart();
    replica.up().await;
    replica.leads().await;
    assert_eq!((lines("WARN").len(), lines("INFO").len()), (1, 2));
}

/// Something that is no Redis at all.
#[tokio::test]
async fn what_speaks_another_language_is_not_believed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let options = RedisOptions { timing: IMPATIENT, ..options(format!("redis://{addr}"), "one") };
    let replica = Replica::on_redis(&options);
    unreachable(&replica.down().await);
    unreachable(&replica.store.lead().await.unwrap_err());
}
