//! Two processes on one Redis: one collects, and when it is killed the other one does, without a pod noticing.

use std::time::Duration;

use crate::callers::{Callers, Pods};
use crate::grid::{Grid, Hands, REGIONS, VALUES};
use crate::redis::RedisServer;
use crate::replicas::EASY;
use crate::server::Server;
use crate::waiting::{until, within};

/// Twice the lock period of a process as it is shipped.
const TWO_LOCK_PERIODS: Duration = Duration::from_secs(20);
const REFRESH: &str = "2s";
/// The same, less what a busy machine may delay a request by. Two that each ask on their own are at most half of the
/// interval apart.
const HARDLY_REFRESH: Duration = Duration::from_millis(1300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_one_collects_and_when_it_is_killed_the_other() {
    let Some(redis) = RedisServer::start() else { return };
    let grid = Grid::start(VALUES, &Hands::default());
    let store = format!("store: {{redis: {{url: '{}'}}}}\n", redis.url());
    let config = format!("{REGIONS}{}{EASY}{store}", grid.section(REFRESH));
    let (one, _records) = Server::start_with_records(&config).await;
    let (other, _more_records) = Server::start_with_records(&config).await;
    let (mut of_one, mut of_other) = (Callers::of(&one.address()).await, Callers::of(&other.address()).await);
    of_one.has_version(1).await;
    of_other.has_version(1).await;
    let roles = (of_one.collects().await, of_other.collects().await);
    let (victim, survivor, mut watched) = match roles {
        (true, false) => (one, other, of_other),
        (false, true) => (other, one, of_one),
        roles => panic!("they collect: {roles:?}"),
    };
    let (at_victim, at_survivor) =
        (Pods::keep_coming(&victim.address()).await, Pods::keep_coming(&survivor.address()).await);
    // Several rounds: a second collector would show.
    until("three rounds", async || grid.asked() >= 3 * VALUES.len()).await;
    assert!(!watched.collects().await);
    assert_eq!(grid.probes(), 1, "one of them asks what the token may read");

    at_victim.stop().await;
    victim.signal("KILL");
    within(TWO_LOCK_PERIODS, "the other takes over", async || watched.collects().await).await;
    // It collects, and what it collects is used.
    let (asked, version) = (grid.asked(), watched.version().await);
    until("another round", async || grid.asked() >= asked + VALUES.len()).await;
    watched.has_version(version + 1).await;
    at_survivor.stop().await;
    assert_eq!(grid.probes(), 2);
    grid.assert_asked_within(HARDLY_REFRESH, VALUES.len());
}
