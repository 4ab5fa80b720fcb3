//! Redis killed, asleep, flushed, and back: pods are decided about by the last snapshot until that is too old, versions
//! go on above the old ones, and nobody restarts anything.

use std::time::Duration;

use eco_pulse::clock::monotonic_now;
use jiff::SignedDuration;

use crate::callers::{Callers, Pods};
use crate::grid::{Grid, Hands, REGIONS, VALUES};
use crate::redis::RedisServer;
use crate::replicas::{EASY, Replica, config};
use crate::server::Server;
use crate::waiting::until;

const BEYOND_MAX_AGE: SignedDuration = SignedDuration::from_hours(4);
/// The best region by far.
const BEST: &str = "eu-north-1";

/// A version that nobody reaches by counting from the beginning.
const LONG_AFTER: &str = "1000000";

/// A Redis, and two replicas on it that have a snapshot.
struct Scene {
    redis: RedisServer,
    grid: Grid,
    hands: Hands,
    replicas: [Replica; 2],
    callers: [Callers; 2],
}

impl Scene {
    async fn start() -> Option<Self> {
        let redis = RedisServer::start()?;
        let hands = Hands::default();
        let grid = Grid::start(VALUES, &hands);
        let config = config(&grid, &redis.url());
        let replicas = ["one", "other"].map(|name| Replica::start(&config, &hands, name));
        let mut callers = [replicas[0].callers().await, replicas[1].callers().await];
        for callers in &mut callers {
            callers.has_version(1).await;
            callers.gains_store().await;
            assert_eq!(callers.decide().await.as_deref(), Some(BEST));
        }
        redis.command(&["HSET", "{eco-pulse}:snapshot", "version", LONG_AFTER]);
        for callers in &mut callers {
            callers.has_version(LONG_AFTER.parse().unwrap()).await;
        }
        Some(Self { redis, grid, hands, replicas, callers })
    }

    async fn pods(&self) -> [Pods; 2] {
        let [one, other] = &self.replicas;
        [Pods::keep_coming(&one.address()).await, Pods::keep_coming(&other.address()).await]
    }

    async fn versions(&mut self) -> u64 {
        let [one, other] = &mut self.callers;
        one.version().await.max(other.version().await)
    }

    /// The snapshots of both rise again, without a restart.
    async fn go_on(&mut self, above: u64) {
        for callers in &mut self.callers {
            callers.gains_store().await;
            callers.has_version(above + 1).await;
        }
    }
}

async fn stop(pods: [Pods; 2]) {
    for pods in pods {
        pods.stop().await;
    }
}

#[tokio::test]
async fn a_redis_that_is_killed_costs_no_decision_until_data_are_too_old_and_none_after_it_is_back() {
    let Some(mut scene) = Scene::start().await else { return };
    let pods = scene.pods().await;
    scene.redis.kill();
    for callers in &mut scene.callers {
        callers.loses_store().await;
    }
    // Nobody may collect who cannot ask for the right; the data at hand are used.
    for callers in &mut scene.callers {
        until("nobody collects", async || !callers.collects().await).await;
        assert_eq!(callers.decide().await.as_deref(), Some(BEST));
    }
    stop(pods).await;
    let last = scene.versions().await;

    scene.hands.move_on(BEYOND_MAX_AGE);
    for callers in &mut scene.callers {
        callers.bypass("stale_snapshot").await;
        assert_eq!(callers.degraded().await, ["store"], "and ready: old data unready nobody");
    }

    scene.redis.restart();
    scene.go_on(last).await;
    for callers in &mut scene.callers {
        until("the data are new", async || callers.answer().await["response"]["patch"].is_string()).await;
        assert_eq!(callers.decide().await.as_deref(), Some(BEST));
    }
}

#[tokio::test]
async fn a_redis_that_sleeps_keeps_no_pod_waiting() {
    let Some(mut scene) = Scene::start().await else { return };
    let pods = scene.pods().await;
    scene.redis.pause();
    for callers in &mut scene.callers {
        callers.loses_store().await;
        until("nobody collects", async || !callers.collects().await).await;
        assert_eq!(callers.decide().await.as_deref(), Some(BEST));
    }
    let last = scene.versions().await;
    scene.redis.resume();
    scene.go_on(last).await;
    stop(pods).await;
}

/// The same as it is in operation, with a real process: half a minute of decisions by the data at hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_sleeps_for_thirty_seconds_keeps_no_pod_of_a_process_waiting() {
    let Some(redis) = RedisServer::start() else { return };
    let grid = Grid::start(VALUES, &Hands::default());
    let store = format!("store: {{redis: {{url: '{}'}}}}\n", redis.url());
    let config = format!("{REGIONS}{}{EASY}{store}", grid.section("1s"));
    let (server, _records) = Server::start_with_records(&config).await;
    let address = server.address();
    let mut callers = Callers::of(&address).await;
    callers.has_version(1).await;
    let pods = Pods::keep_coming(&address).await;
    redis.pause();
    let paused = monotonic_now();
    callers.loses_store().await;
    let mut turns = tokio::time::interval(Duration::from_millis(100));
    while paused.elapsed() < Duration::from_secs(30) {
        turns.tick().await;
        assert_eq!(callers.decide().await.as_deref(), Some(BEST));
    }
    let last = callers.version().await;
    redis.resume();
    callers.gains_store().await;
    callers.has_version(last + 1).await;
    pods.stop().await;
}

#[tokio::test]
async fn a_flushed_redis_goes_on_above_the_old_versions() {
    let Some(mut scene) = Scene::start().await else { return };
    let pods = scene.pods().await;
    let last = scene.versions().await;
    assert_eq!(scene.redis.command(&["FLUSHALL"]), "OK");
    scene.go_on(last).await;
    stop(pods).await;
}

/// The one that knew the version best is gone together with the data.
#[tokio::test]
async fn a_redis_that_is_flushed_while_the_collector_dies_goes_on_above_the_old_versions() {
    let Some(scene) = Scene::start().await else { return };
    let Scene { redis, grid, replicas: [one, other], callers: [mut of_one, mut of_other], .. } = scene;
    let one_collects = of_one.collects().await;
    assert_ne!(one_collects, of_other.collects().await, "one of them collects");
    let (collector, survivor, mut callers) =
        if one_collects { (one, other, of_other) } else { (other, one, of_one) };
    let pods = Pods::keep_coming(&survivor.address()).await;
    collector.kill();
    assert_eq!(redis.command(&["FLUSHALL"]), "OK");
    let last = callers.version().await;
    let asked = grid.asked();
    until("the other takes over", async || callers.collects().await).await;
    until("it collects", async || grid.asked() >= asked + VALUES.len()).await;
    callers.has_version(last + 1).await;
    pods.stop().await;
}
