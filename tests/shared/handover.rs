//! A collector that leaves in order, as in every rollout: the next one goes on where it ended.

use std::time::Duration;

use crate::callers::Pods;
use crate::grid::{Grid, Hands};
use crate::redis::RedisServer;
use crate::replicas::{EASY, Replica, data_centres};
use crate::waiting::until;

/// More zones than are asked about within the second that answers are gathered for.
const ZONES: [&str; 20] = [
    "AT", "BE", "BG", "CH", "CZ", "DE", "DK-DK1", "DK-DK2", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU",
    "IE", "LT", "LV", "NL",
];
/// Long against a change of collectors.
const REFRESH: &str = "4s";
/// The same, less what a busy machine may delay a request by.
const HARDLY_REFRESH: Duration = Duration::from_secs(3);

#[tokio::test]
async fn what_a_leaving_collector_has_asked_is_not_asked_again() {
    let Some(redis) = RedisServer::start() else { return };
    let hands = Hands::default();
    let values: Vec<(&str, f64)> =
        ZONES.iter().zip(100..).map(|(zone, value)| (*zone, f64::from(value))).collect();
    let grid = Grid::start(&values, &hands);
    let store = format!("store: {{redis: {{url: '{}'}}}}\n", redis.url());
    let config = format!("{}{}{EASY}{store}", data_centres(ZONES), grid.section(REFRESH));

    let first = Replica::start(&config, &hands, "first");
    first.callers().await.has_version(1).await;
    let next = Replica::start(&config, &hands, "next");
    let mut callers = next.callers().await;
    callers.has_version(1).await;
    assert!(!callers.collects().await);
    let pods = Pods::keep_coming(&next.address()).await;
    // In the middle of the second round: much was asked, and not all of it was published.
    until("half of a round", async || grid.asked() >= ZONES.len() + ZONES.len() / 2).await;
    first.leave().await;
    until("the next one takes over", async || callers.collects().await).await;
    until("a round of its own", async || grid.asked() >= 3 * ZONES.len()).await;
    pods.stop().await;
    grid.assert_asked_within(HARDLY_REFRESH, ZONES.len());
}
